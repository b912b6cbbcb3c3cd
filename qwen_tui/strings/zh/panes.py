"""Chinese sentences and errors of the settings pane and the list of conversations."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
