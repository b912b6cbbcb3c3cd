"""Chinese sentences and errors of opening a model and of its replies."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
