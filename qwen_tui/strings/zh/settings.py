"""Chinese sentences and errors of the settings, the pane and the config file."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {}
