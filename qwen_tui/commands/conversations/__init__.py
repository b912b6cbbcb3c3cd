"""The commands that work on saved conversations: list, show, search, export, import, rename, delete, restore.

They may be used while the screen is open: the store keeps programs from getting in each other's way.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.exchange.formats import Format, export, format_of
from qwen_tui.chat.exchange.saving import save
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.arguments import Arguments
from qwen_tui.commands.conversations.by_name import entry_named, trashed_named
from qwen_tui.commands.conversations.import_ import import_files
from qwen_tui.commands.conversations.list import list_conversations, list_trash, search
from qwen_tui.commands.conversations.show import transcript
from qwen_tui.commands.output import guarded, print_lines, tell
from qwen_tui.paths import Places
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say


def run(given: Arguments, settings: Settings, where: Places) -> int:
    """Run a command; returns the exit status: 0 done, 1 could not."""
    store = ConversationStore(where.conversations, Drafts(where.drafts))
    commands: dict[str, Callable[[], int]] = {
        "list": lambda: _list(store, given, where),
        "show": lambda: _show(store, given),
        "search": lambda: search(store, where.conversations, " ".join(given.words), as_json=given.json),
        "export": lambda: _export(store, given, settings),
        "import": lambda: import_files(store, given.files),
        "rename": lambda: _rename(store, given),
        "delete": lambda: _delete(store, given),
        "restore": lambda: _restore(store, given),
    }
    command = given.command or ""
    try:
        return guarded(command, commands[command])
    finally:
        tell(command, *store.problems)


def _list(store: ConversationStore, given: Arguments, where: Places) -> int:
    if given.trash:
        return list_trash(store.trashed(), as_json=given.json)
    return list_conversations(store, where.conversations, as_json=given.json)


def _show(store: ConversationStore, given: Arguments) -> int:
    print_lines(transcript(store.load(entry_named(store, given.name))))
    return 0


def _export(store: ConversationStore, given: Arguments, settings: Settings) -> int:
    conversation = store.load(entry_named(store, given.name))
    file = "" if given.output in (None, "-") else given.output or ""
    to = Format(given.format) if given.format else format_of(file) or Format.MARKDOWN
    data = export(conversation, to, settings.with_overrides(conversation.overrides).system_prompt)
    if file:
        save(Path(file), data, overwrites=given.force)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return 0


def _rename(store: ConversationStore, given: Arguments) -> int:
    """Print the name that it has now: with a number, where another has the one that was wanted."""
    print_lines([store.rename(entry_named(store, given.name), given.new_name).name])
    return 0


def _delete(store: ConversationStore, given: Arguments) -> int:
    trashed = store.trash(entry_named(store, given.name))
    if sys.stderr.isatty():
        tell("delete", say("cli.deleted", name=trashed.name))
    return 0


def _restore(store: ConversationStore, given: Arguments) -> int:
    print_lines([store.restore(trashed_named(store, given.name)).name])
    return 0
