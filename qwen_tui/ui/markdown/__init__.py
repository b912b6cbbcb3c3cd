"""Render Markdown to lines of styled text, whole (`document`) or growing (`stream`), without widgets."""
