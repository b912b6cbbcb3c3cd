"""Chinese sentences and errors of `qwen-tui bench`."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
