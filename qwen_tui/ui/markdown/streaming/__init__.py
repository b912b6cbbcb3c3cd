"""Render Markdown that is still growing."""
