"""`qwen-tui list` and `qwen-tui search`: print conversations, one name per line if the output is not a terminal."""

import json
import sys
from collections.abc import Sequence

from qwen_tui.chat.message_text import when_here
from qwen_tui.chat.messages import Json
from qwen_tui.chat.search import Hit, Search
from qwen_tui.chat.store import ConversationStore
from qwen_tui.chat.trash import Trashed
from qwen_tui.commands.output import FAILED, print_lines, tell
from qwen_tui.strings import say


def list_conversations(store: ConversationStore, *, as_json: bool) -> None:
    """Print the conversations: pinned ones first, then the most recently used."""
    entries = sorted(store.list(), key=lambda entry: not entry.pinned)
    if as_json:
        keys = ("name", "id", "pinned", "updated", "messages")
        _print_json(
            [
                {key: getattr(entry, key) for key in keys} | {"file": str(store.path / entry.file)}
                for entry in entries
            ]
        )
    elif sys.stdout.isatty():
        rows = [(when_here(entry.updated), f"{entry.messages:,}", entry.name) for entry in entries]
        width = max((len(count) for _, count, _ in rows), default=0)
        print_lines(f"{when}  {count:>{width}}  {name}" for when, count, name in rows)
        if not entries:
            tell("list", say("cli.list.none"))
    else:
        print_lines(entry.name for entry in entries)


def list_trash(trashed: Sequence[Trashed], *, as_json: bool) -> None:
    """Print the contents of the trash, newest first."""
    if as_json:
        _print_json([{"name": each.name, "trashed": each.when, "file": str(each.path)} for each in trashed])
    elif sys.stdout.isatty():
        print_lines(f"{when_here(each.when)}  {each.name}" for each in trashed)
        if not trashed:
            tell("list", say("cli.list.no_trash"))
    else:
        print_lines(each.name for each in trashed)


def search(store: ConversationStore, words: str, *, as_json: bool) -> int:
    """Print the conversations in which every word occurs, with snippets; status 1 if there are none."""
    hits = Search(store.path).hits(store.list(), words)
    found = False
    if as_json:
        values = [{"name": hit.entry.name, "id": hit.entry.id, "snippet": hit.snippet} for hit in hits]
        found = bool(values)
        _print_json(values)
    else:
        for hit in hits:
            found = True
            print_lines(_hit_lines(hit))
    if not found:
        tell("search", say("cli.search.none"))
    return 0 if found else FAILED


def _hit_lines(hit: Hit) -> list[str]:
    if not sys.stdout.isatty():
        return [f"{hit.entry.name}\t{hit.snippet}"]
    return [hit.entry.name, f"    {hit.snippet}"] if hit.snippet else [hit.entry.name]


def _print_json(values: list[dict[str, Json]]) -> None:
    # A file name need not be valid UTF-8: its invalid bytes are escaped.
    text = json.dumps(values, ensure_ascii=False, indent=2)
    print_lines([text.encode(errors="backslashreplace").decode()])
