"""Handling of the terminal outside Textual: start, signals and clipboard."""
