"""English sentences and errors of the area `screen`."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
