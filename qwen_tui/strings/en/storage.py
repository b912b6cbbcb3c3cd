"""English sentences and errors of the files: conversations, their names, and the config file."""

SENTENCES: dict[str, str] = {
    "store.new_name": "New conversation",
    "store.damage.not_text": "it is not UTF-8 text",
    "store.damage.empty": "it is empty",
    "store.damage.not_json": "line {line} is not valid JSON",
    "store.damage.too_deep": "it is nested too deeply",
    "store.damage.too_large": "it is larger than {megabytes} MB",
    "store.damage.not_a_conversation": "it contains no list of messages",
    "store.damage.wrong_type": "“{key}” is missing or has the wrong type",
    "store.damage.same_id": "message {number} has the same id as an earlier one",
    "store.damage.no_conversation": "the conversation of this reply does not exist",
    "store.damage.not_a_partial": "it does not name the reply it belongs to",
    "store.changed_meanwhile": "another program changed it in the meantime",
    "config.no_table": "no table",
    "config.too_large": "it is too large for a config file",
    "store.damage.cycle": "its messages refer to each other in a circle",
    # What the system says, in its own words
    "system.EPERM": "Operation not permitted",
    "system.ENOENT": "No such file or directory",
    "system.EIO": "Input/output error",
    "system.ENOMEM": "Cannot allocate memory",
    "system.EACCES": "Permission denied",
    "system.EEXIST": "File exists",
    "system.ENOTDIR": "Not a directory",
    "system.EISDIR": "Is a directory",
    "system.EMFILE": "Too many open files",
    "system.EFBIG": "File too large",
    "system.ENOSPC": "No space left on device",
    "system.EROFS": "Read-only file system",
    "system.EPIPE": "Broken pipe",
    "system.ENAMETOOLONG": "File name too long",
    "system.EDQUOT": "Disk quota exceeded",
    "system.ENETUNREACH": "Network is unreachable",
    "system.ECONNRESET": "Connection reset by peer",
    "system.ETIMEDOUT": "Connection timed out",
    "system.ECONNREFUSED": "Connection refused",
    "system.EHOSTUNREACH": "No route to host",
    "system.EAI_AGAIN": "Temporary failure in name resolution",
    "system.EAI_NONAME": "Name or service not known",
}

_SPACE = "check the folder's free space and permissions."

ERRORS: dict[str, tuple[str, str, str]] = {
    "store.damaged": (
        "Damaged conversation",
        "{path} cannot be read: {detail}.",
        "The file was left unchanged; open it in a text editor to see its content.",
    ),
    "store.set_aside": (
        "Damaged file moved",
        "{name} cannot be read: {detail}.",
        "It was moved unchanged to {path}.",
    ),
    "store.newer_version": (
        "Saved by a newer qwen-tui",
        "{path} uses version {version} of the file format, which this program does not support.",
        "Update qwen-tui to open it; the file was left unchanged.",
    ),
    "store.unreadable": (
        "Cannot read the conversation",
        "{path} could not be opened: {detail}.",
        "Check the permissions of the file and its folder.",
    ),
    "store.gone": (
        "Conversation not found",
        "The file of {name} no longer exists.",
        "Check the trash folder next to the conversations.",
    ),
    "store.open_elsewhere": (
        "Open in another window",
        "“{name}” is open in another qwen-tui.",
        "Close it there first.",
    ),
    "store.draft_not_saved": (
        "Draft not saved",
        "{path} could not be written: {detail}.",
        "Your text is still in the message box; " + _SPACE,
    ),
    "store.not_saved": (
        "Conversation not saved",
        "{path} could not be written: {detail}.",
        "It remains in memory and is saved with the next message; " + _SPACE,
    ),
    "store.not_added": (
        "Import incomplete",
        "{done:,} {done:conversation was|conversations were} imported before this error: {reason}",
        "Importing again would duplicate what was already imported. First " + _SPACE,
    ),
    "store.not_recovered": (
        "Reply not recovered",
        "The interrupted reply in {path} could not be saved: {detail}.",
        "The file is kept for the next attempt; " + _SPACE,
    ),
    "store.not_moved": (
        "Conversation not moved",
        "{path} could not be moved: {detail}.",
        "It is unchanged; check the permissions of the folder.",
    ),
    "store.partial_not_saved": (
        "Running reply not saved",
        "{path} could not be written: {detail}.",
        "Free some space: the reply continues and is saved when it ends.",
    ),
    "config.wrong_table": (
        "Setting in the wrong place",
        "{key} is under {found}, where it has no effect.",
        "Move it to {table}.",
    ),
    "config.not_a_table": (
        "Error in the config file",
        "{table} must be a table of settings, not a value.",
        "Write {table} on its own line, with the settings below it.",
    ),
    "config.not_keys": (
        "Invalid key binding",
        "{name} cannot be {value}.",
        'Put the keys in quotes, such as "ctrl+n" or "f2,ctrl+t".',
    ),
    "config.unknown_keys": (
        "Unknown key binding",
        "There is no action called {name}.",
        "Did you mean {close}?",
    ),
    "config.key_clash": (
        "Conflicting key bindings",
        "{place}: {key} is assigned to both {one} and {other}.",
        "Assign another key to one of them in the config file.",
    ),
}
