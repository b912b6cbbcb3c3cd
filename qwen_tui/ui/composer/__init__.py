"""The message box, where messages are written."""
