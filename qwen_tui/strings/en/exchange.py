"""English sentences and errors of exporting and importing conversations."""

SENTENCES: dict[str, str] = {
    "exchange.note.images": "Images left out: {count:,}.",
    "exchange.note.sounds": "Audio recordings left out: {count:,}.",
    "exchange.note.parts": "Message parts left out that are neither text, image nor audio: {count:,}.",
    "exchange.note.tool_calls": "Tool calls left out: {count:,}.",
    "exchange.note.tool_results": "Tool results left out: {count:,}.",
    "exchange.note.thoughts": "Thinking left out: {count:,}.",
    "exchange.note.hidden": "Hidden messages left out: {count:,}.",
    "exchange.note.roles": "Messages with an unknown role left out: {count:,}.",
    "exchange.note.developer": "Developer messages imported as system messages: {count:,}.",
    "exchange.note.unread": "Conversation {number:,} in the file was left out: {reason}.",
    "exchange.note.more_unread": "{count:,} more {count:conversation was|conversations were} left out.",
    "exchange.remark": "({remark})",
    "store.damage.no_messages": "it contains no message with text",
}

_SPLIT = "Split the file and import the parts."

ERRORS: dict[str, tuple[str, str, str]] = {
    "exchange.not_read": (
        "Cannot read the file",
        "{path} could not be opened: {detail}.",
        "Check its name and permissions.",
    ),
    "exchange.damaged": (
        "Nothing imported",
        "{path} could not be imported: {detail}.",
        "Supported: qwen-tui JSON, OpenAI message lists (JSON or JSONL), and ChatGPT exports.",
    ),
    "exchange.is_there": (
        "The file already exists",
        "{path} already exists and was not overwritten.",
        "Choose another name, or add --force.",
    ),
    "exchange.too_large": (
        "The file is too large",
        "{path} contains more than {megabytes:,} MB of text; nothing was imported.",
        _SPLIT,
    ),
    "exchange.too_many": (
        "Too many conversations",
        "{path} contains {count:,} conversations; at most {limit:,} can be imported at once. Nothing was imported.",
        _SPLIT,
    ),
    "exchange.damaged_archive": (
        "Cannot read the archive",
        "The zip archive {path} is damaged or protected by a password.",
        "Unpack it, then import its conversations.json.",
    ),
    "exchange.other_archive": (
        "Nothing to import",
        "The archive {path} does not contain conversations.json.",
        "Unpack it, then import the files inside.",
    ),
}
