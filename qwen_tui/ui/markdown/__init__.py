"""Markdown to lines of styled text: plain functions and values, whole (`document`) or growing (`stream`)."""
