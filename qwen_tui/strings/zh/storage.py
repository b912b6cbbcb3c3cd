"""Chinese sentences and errors of the files: conversations, their names, and the config file."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
