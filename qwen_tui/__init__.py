"""A full-screen terminal chat client that runs Qwen models on the machine it is started on."""

__version__ = "0.1.0"
