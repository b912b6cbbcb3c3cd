"""English sentences and errors of the files: conversations, their names, and the config file."""

SENTENCES: dict[str, str] = {
    "store.new_name": "New conversation",
    "store.damage.not_text": "it is not text in UTF-8",
    "store.damage.empty": "it is empty",
    "store.damage.not_json": "line {line} is not JSON",
    "store.damage.too_deep": "it is nested too deeply",
    "store.damage.too_large": "it is larger than {megabytes} MB",
    "store.damage.not_a_conversation": "it holds no list of messages",
    "store.damage.wrong_type": "the value of “{key}” is missing or of the wrong kind",
    "store.damage.same_id": "message {number} has the id of an earlier one",
    "store.damage.no_conversation": "it is part of a reply in a conversation that is not there",
    "store.damage.not_a_partial": "it does not say which reply it is part of",
    "store.changed_meanwhile": "another program has changed it meanwhile",
    "config.no_table": "no table",
    "config.too_large": "it is far too large for a config file",
    "store.damage.cycle": "its messages answer each other in a circle",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "store.damaged": (
        "A conversation cannot be read",
        "{path} is damaged: {detail}.",
        "It is kept as it is; a text editor may still show what it holds.",
    ),
    "store.set_aside": (
        "A damaged file was set aside",
        "{name} cannot be read: {detail}.",
        "It was moved to {path}; nothing in it was changed.",
    ),
    "store.newer_version": (
        "A conversation needs a newer qwen-tui",
        "{path} was written in version {version} of the format, which this program does not know.",
        "It is left as it is; update qwen-tui to open it.",
    ),
    "store.unreadable": (
        "A conversation cannot be read",
        "{path} could not be opened: {detail}.",
        "Check the permissions of the file and its folder.",
    ),
    "store.gone": (
        "The conversation is not there",
        "There is no file for {name} any more.",
        "Look in the trash folder beside the conversations.",
    ),
    "store.open_elsewhere": (
        "Open in another program",
        "Another qwen-tui has “{name}” open.",
        "Close it there first.",
    ),
    "store.draft_not_saved": (
        "The draft was not saved",
        "{path} could not be written: {detail}.",
        "It is still in the composer; free some space.",
    ),
    "store.not_saved": (
        "The conversation was not saved",
        "{path} could not be written: {detail}.",
        "It is kept in memory and saved with the next message; check the folder's free space and permissions.",
    ),
    "store.not_added": (
        "Not everything was imported",
        "{done:,} conversations were imported before this happened: {reason}",
        "Check the folder's free space and permissions; what is there already would come a second time.",
    ),
    "store.not_recovered": (
        "A reply was not recovered",
        "{path} holds a reply that was cut short and could not be saved: {detail}.",
        "It stays there and is tried again; check the folder's free space and permissions.",
    ),
    "store.not_moved": (
        "The conversation was not moved",
        "{path} could not be moved: {detail}.",
        "It is where it was; check the permissions of the folder.",
    ),
    "store.partial_not_saved": (
        "The reply is not being saved",
        "{path} could not be written: {detail}.",
        "The reply goes on and is saved when it ends, if there is room by then; free some space.",
    ),
    "config.wrong_table": (
        "A setting in the wrong place",
        "{key} stands under {found}, where it has no effect.",
        "Move it under {table}.",
    ),
    "config.not_a_table": (
        "The config file has a mistake",
        "{table} is a value, where a table of settings belongs.",
        "Write {table} on a line of its own and the settings below it.",
    ),
    "config.not_keys": (
        "A key binding cannot be used",
        "{name} cannot be {value}.",
        'It takes keys in quotes, such as "ctrl+n" or "f2,ctrl+t".',
    ),
    "config.unknown_keys": (
        "A key binding cannot be used",
        "There is nothing called {name} to give keys to.",
        "The closest name is {close}.",
    ),
    "config.key_clash": (
        "Two actions share a key",
        "{place}: {key} is the key of both {one} and {other}.",
        "Give one of them another key in the config file.",
    ),
}
