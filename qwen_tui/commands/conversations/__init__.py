"""The commands for saved conversations: list, show, search, export, import, rename, delete, restore.

They can be used while the screen is open: the store coordinates access by several programs.
"""

import sys

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.exchange.formats import Format
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.arguments import Arguments
from qwen_tui.commands.conversations.by_name import named
from qwen_tui.commands.conversations.export import export_to
from qwen_tui.commands.conversations.import_ import import_files
from qwen_tui.commands.conversations.list import list_conversations, list_trash, search
from qwen_tui.commands.conversations.show import transcript
from qwen_tui.commands.output import guarded, print_lines, tell
from qwen_tui.paths import Places
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say


def run(given: Arguments, config: Config, where: Places) -> int:
    """Run a command; return the exit status: 0 success, 1 failure."""
    store = ConversationStore(where.conversations, Drafts(where.drafts))
    command = given.command or ""
    try:
        return guarded(command, lambda: _run(store, given, config.settings))
    finally:
        tell(command, *store.problems)


def _run(store: ConversationStore, given: Arguments, settings: Settings) -> int:
    match given.command:
        case "list" if given.trash:
            list_trash(store.trashed(), as_json=given.json)
        case "list":
            list_conversations(store, as_json=given.json)
        case "show":
            print_lines(transcript(store.load(named(store.list(), given.name))))
        case "search":
            return search(store, " ".join(given.words), as_json=given.json)
        case "export":
            conversation = store.load(named(store.list(), given.name))
            to = Format(given.format) if given.format else None
            file = "" if given.output in (None, "-") else given.output or ""
            export_to(conversation, store.traces, settings, file, to, overwrites=given.force)
        case "import":
            return import_files(store, given.files)
        case "rename":  # print the actual name, which is numbered if the wanted one was taken
            print_lines([store.rename(named(store.list(), given.name), given.new_name).name])
        case "delete":
            trashed = store.trash(named(store.list(), given.name))
            if sys.stderr.isatty():
                tell("delete", say("cli.deleted", name=trashed.name))
        case "restore":
            print_lines([store.restore(named(store.trashed(), given.name)).name])
    return 0
