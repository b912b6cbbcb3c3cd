"""English sentences and errors of the area `engine`."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
