"""Chinese sentences and errors of exporting and importing conversations."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
