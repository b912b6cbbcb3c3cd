"""Chinese sentences of `qwen-tui doctor`."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
