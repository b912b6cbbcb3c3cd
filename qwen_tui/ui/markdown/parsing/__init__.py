"""Parse Markdown source to blocks."""
