"""English sentences and errors of the line mode, `qwen-tui --plain`."""

SENTENCES: dict[str, str] = {
    "plain.welcome": "qwen-tui, line by line. Type a message, or /help for the commands. Ctrl+D quits.",
    "plain.thinking": "[thinking]",
    "plain.answer": "[answer]",
    "plain.stopped": "Cancelled before the reply began.",
    "plain.opened": "“{name}”: {count:,} {count:message|messages}. /show prints them.",
    "plain.new": "New conversation.",
    "plain.draft": "This conversation has an unsent draft, which stays as it is; the full screen shows it.",
    "plain.list.line": "{number}. {name} ({count:,} {count:message|messages}, {when})",
    "plain.list.none": "No conversations yet.",
    "plain.search.none": "No conversation contains all of these words.",
    "plain.renamed": "Renamed to “{name}”.",
    "plain.deleted": "Moved “{name}” to the trash; /undo restores it. This is a new conversation.",
    "plain.undo.none": "Nothing to undo.",
    "plain.exported": "Written to {path}.",
    "plain.loading": "Loading the model; your next message waits for it.",
    "plain.setting": "{name}: {value} ({label}{where})",
    "plain.set.override": ", this conversation",
    "plain.set.default": ", your default",
    "plain.help.line": "{command}: {text}",
    "plain.help.rest": (
        "A line that ends in \\ continues on the next line. To send a message that starts with /, type // instead. "
        "Ctrl+C stops a reply and keeps its text."
    ),
    "plain.help.help": "list the commands",
    "plain.help.new": "start a new conversation",
    "plain.help.list": "list the conversations with numbers",
    "plain.help.search": "find conversations that contain all of these words",
    "plain.help.open": "open a conversation by its number in the list, or by name",
    "plain.help.show": "print this conversation",
    "plain.help.rename": "rename this conversation",
    "plain.help.delete": "move this conversation to the trash",
    "plain.help.undo": "undo the last rename, edit or deletion",
    "plain.help.export": "write this conversation to a .md, .json or .openai.json file; without a file, print it",
    "plain.help.regenerate": "generate another reply to your last message; both are kept",
    "plain.help.continue": "continue a reply that was stopped or cut off",
    "plain.help.edit": "replace your last message and resend it",
    "plain.help.settings": "list all settings, or explain one",
    "plain.help.set": "change a setting for this conversation; without a value, reset it",
    "plain.help.default": "change a setting for all conversations; without a value, reset it",
    "plain.help.model": "load another model for this run; without a name, print the current one",
    "plain.help.quit": "quit; so does Ctrl+D",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "plain.unknown": (
        "Unknown command",
        "There is no command /{name}.",
        "Did you mean /{close}? /help lists the commands; to send a message that starts with /, type // instead.",
    ),
    "plain.needs": ("Incomplete command", "The command is incomplete.", "Type it as /{usage}."),
    "plain.no_setting": (
        "Unknown setting",
        "There is no setting “{name}”.",
        "Did you mean {close}? /settings lists them.",
    ),
    "plain.no_message": (
        "Empty conversation",
        "This conversation has no message for that yet.",
        "Send one first.",
    ),
    "plain.cannot_continue": (
        "Nothing to continue",
        "The last reply is complete.",
        "Use /regenerate for another one.",
    ),
    "plain.nothing_to_delete": (
        "Empty conversation",
        "This conversation is empty.",
        "/list shows the saved conversations.",
    ),
}
