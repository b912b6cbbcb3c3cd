"""Chinese sentences and errors of the conversation: the log, a message, the memory line."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
