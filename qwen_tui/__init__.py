"""A full-screen terminal chat client that runs Qwen models locally."""

__version__ = "0.1.0"
