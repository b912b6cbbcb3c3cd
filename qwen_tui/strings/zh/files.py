"""Chinese sentences and errors of reading and writing files from the screen, and of replaying a reply."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
