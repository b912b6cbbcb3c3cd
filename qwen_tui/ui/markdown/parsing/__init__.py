"""Markdown source to blocks."""
