"""What many conversations cost: `python tests/ui/conversations/measure_list.py` prints milliseconds.

Listing a folder and searching what was said in it: median and worst.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.session.library import Library

WORDS = ["context", "window", "token", "prompt", "广州", "早茶", "sampling", "attention", "memory", "layer"]


def main() -> None:
    """Print the table."""
    for count, characters in ((500, 50_000), (5_000, 2_000)):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), count, characters)
            print(f"{count:,} conversations of {characters:,} characters")
            first = ConversationStore(Path(folder))
            line("  list, the first program after a change", lambda store=first: store.list(), 1)
            library = Library(first)
            line("  list again", library.entries, 20)
            store = ConversationStore(Path(folder))
            line("  list in a new program", lambda store=store: store.list(), 1)
            library.entries()
            for query in ("needle", "needle 早茶", "w", "attention"):
                line(f"  search {query!r}, to the last hit", partial(search, library, query), 5)


def write(folder: Path, count: int, characters: int) -> None:
    """Conversations of random words; one in fifty has a needle."""
    chance = random.Random(1)
    store = ConversationStore(folder)
    for number in range(count):
        text = " ".join(chance.choices(WORDS, k=characters // 8))
        if number % 50 == 0:
            text += " needle"
        conversation = Conversation(name=f"conversation {number}")
        half = len(text) // 2
        conversation = conversation.with_message(Message(role=Role.USER, content=text[:half]))
        head = conversation.head
        conversation = conversation.with_message(
            Message(role=Role.ASSISTANT, content=text[half:], parent=head)
        )
        store.save(conversation)
        if number % 500 == 0:
            print(f"\r{number:,}", end="", file=sys.stderr)


def search(library: Library, query: str) -> int:
    return sum(1 for _ in library.search(query, lambda: False))


def line(name: str, what: Callable[[], object], times: int) -> None:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        took.append(1000 * (time.perf_counter() - began))
    print(f"{name:45} {statistics.median(took):9.1f} {max(took):9.1f}", flush=True)


if __name__ == "__main__":
    main()
