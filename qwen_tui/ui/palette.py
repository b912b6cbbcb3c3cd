"""The commands of the palette that concern the chat: each the name of its sentences and the action that does it."""

COMMANDS: tuple[tuple[str, str], ...] = (
    ("new", "new"),
    ("regenerate", "regenerate"),
    ("stop", "stop"),
    ("find", "find"),
    ("rename", "rename"),
    ("duplicate", "duplicate"),
    ("trash", "trash"),
    ("export", "export"),
    ("import", "import"),
    ("settings", "pane('settings')"),
    ("conversations", "pane('conversations')"),
    ("models", "app.show_models"),
    ("help", "app.show_help"),
    ("undo", "undo"),
    ("reload", "app.load_model"),
    ("theme", "app.change_theme"),
    ("suspend", "app.suspend_process"),
    ("quit", "app.quit"),
)
"""Sentences `command.NAME` and `command.NAME.help`."""
