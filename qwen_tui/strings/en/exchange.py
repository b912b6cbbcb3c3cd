"""English sentences and errors of exporting and importing conversations."""

SENTENCES: dict[str, str] = {
    "exchange.note.images": "Pictures left out: {count:,}.",
    "exchange.note.sounds": "Recordings left out: {count:,}.",
    "exchange.note.parts": "Parts of messages left out that are neither text, picture nor sound: {count:,}.",
    "exchange.note.tool_calls": "Calls of tools left out: {count:,}.",
    "exchange.note.tool_results": "Answers of tools left out: {count:,}.",
    "exchange.note.thoughts": "Thoughts of the model left out: {count:,}.",
    "exchange.note.hidden": "Hidden messages left out: {count:,}.",
    "exchange.note.roles": "Messages left out because of a role that is not known here: {count:,}.",
    "exchange.note.developer": "Messages of the developer taken for the system's: {count:,}.",
    "exchange.note.unread": "Conversation {number:,} of the file was left out: {reason}.",
    "exchange.note.more_unread": "And {count:,} more were left out.",
    "store.damage.no_messages": "it holds no message with a text",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "exchange.not_read": (
        "The file cannot be read",
        "{path} could not be opened: {detail}.",
        "Check its name and permissions.",
    ),
    "exchange.damaged": (
        "Nothing was imported",
        "{path} cannot be imported: {detail}.",
        "What can be: files of qwen-tui, OpenAI message lists (JSON or JSONL), and ChatGPT exports.",
    ),
    "exchange.is_there": (
        "The file is there already",
        "{path} was not written over.",
        "Choose another name, or add --force.",
    ),
    "exchange.too_large": (
        "The file is too large",
        "{path} holds more than {megabytes:,} MB of text.",
        "Nothing was imported; split it first.",
    ),
    "exchange.too_many": (
        "Too many conversations",
        "{path} holds {count:,} conversations; at most {limit:,} can be imported at once.",
        "Nothing was imported; split it first.",
    ),
    "exchange.damaged_archive": (
        "The archive cannot be read",
        "{path} is a zip archive that is damaged, or that has a password.",
        "Unpack it and import its conversations.json.",
    ),
    "exchange.other_archive": (
        "Nothing to import",
        "There is no conversations.json in the archive {path}.",
        "Unpack it and import what it holds.",
    ),
}
