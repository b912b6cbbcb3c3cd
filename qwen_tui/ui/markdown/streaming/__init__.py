"""Markdown that is still growing, to lines."""
