"""English sentences and errors of the area `commands`."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
