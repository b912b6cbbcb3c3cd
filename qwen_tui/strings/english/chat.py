"""English sentences and errors of the area `chat`."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
