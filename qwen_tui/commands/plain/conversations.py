"""Commands of the line mode for conversations: the list, opening, renaming, deleting, exporting."""

from pathlib import Path

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.index import Entry
from qwen_tui.chat.message_text import when_here
from qwen_tui.chat.names import tidy
from qwen_tui.commands.conversations.by_name import named
from qwen_tui.commands.conversations.export import export_to
from qwen_tui.commands.conversations.show import transcript
from qwen_tui.commands.plain.chat import PlainChat
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say


def new(chat: PlainChat, _: str) -> None:
    """Begin a new conversation."""
    chat.open(None)
    chat.lines.note(say("plain.new"))


def list_all(chat: PlainChat, _: str) -> None:
    """Print the conversations with the numbers that `/open` understands."""
    entries = chat.library.entries()
    for problem in chat.library.problems:
        chat.lines.note(problem)
    chat.library.problems = ()
    chat.listed = tuple(entry.id for entry in entries)
    chat.lines.show(
        say(
            "plain.list.line",
            number=number,
            name=entry.name,
            count=entry.messages,
            when=when_here(entry.updated),
        )
        for number, entry in enumerate(entries, 1)
    )
    if not entries:
        chat.lines.note(say("plain.list.none"))


def search(chat: PlainChat, words: str) -> None:
    """Print the conversations that contain all of the words, with numbers."""
    _needs(words, "search WORDS")
    chat.library.entries()
    found = []
    for number, hit in enumerate(chat.library.search(words, lambda: False), 1):
        found.append(hit.entry.id)
        chat.lines.show([f"{number}. {hit.entry.name}" + (f": {hit.snippet}" if hit.snippet else "")])
    chat.listed = tuple(found)
    if not found:
        chat.lines.note(say("plain.search.none"))


def open_one(chat: PlainChat, words: str) -> None:
    """Open a conversation by its number in the last list, else by its name."""
    _needs(words, "open N|NAME")
    chat.open(_entry(chat, words).id)


def show(chat: PlainChat, _: str) -> None:
    """Print the conversation."""
    chat.lines.show(transcript(chat.session.conversation))


def rename(chat: PlainChat, words: str) -> None:
    """Rename the conversation."""
    _needs(tidy(words), "rename NAME")
    chat.library.rename(chat.session.conversation.id, words)
    chat.keep()
    chat.lines.note(say("plain.renamed", name=chat.session.conversation.name))


def delete(chat: PlainChat, _: str) -> None:
    """Move the conversation to the trash, and begin a new one."""
    if not chat.session.conversation.messages:
        raise QwenTuiError("plain.nothing_to_delete")
    name = chat.library.trash(chat.session.conversation.id)
    chat.lines.note(say("plain.deleted", name=name))
    chat.open(None)


def undo(chat: PlainChat, _: str) -> None:
    """Undo the last change to a conversation."""
    undone = chat.library.changes.undo()
    chat.lines.note(say(undone.what, name=undone.name) if undone is not None else say("plain.undo.none"))


def export(chat: PlainChat, words: str) -> None:
    """Write the conversation to a file, or print it as Markdown."""
    file = str(Path(words).expanduser()) if words else ""
    export_to(chat.session.conversation, chat.traces, chat.settings, file)
    if words:
        chat.lines.note(say("plain.exported", path=one_line(words)))


def _entry(chat: PlainChat, words: str) -> Entry:
    entries = chat.library.entries()
    by_id = {entry.id: entry for entry in entries}
    ids = chat.listed or tuple(by_id)
    if words.isdecimal() and 0 < int(words) <= len(ids) and ids[int(words) - 1] in by_id:
        return by_id[ids[int(words) - 1]]
    return named(entries, words)


def _needs(words: str, usage: str) -> None:
    if not words:
        raise QwenTuiError("plain.needs", usage=usage)
