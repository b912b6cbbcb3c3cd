"""Conversations to save and load, plain and with everything in them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from qwen_tui.chat.cleaning import clean, one_line
from qwen_tui.chat.index import Entry
from qwen_tui.chat.messages import Conversation, Message, Role, Run, Status
from qwen_tui.chat.names import tidy
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError


def question(text: str = "广州有什么好吃的？", parent: str | None = None) -> Message:
    return Message(role=Role.USER, content=text, parent=parent)


def answer(text: str = "早茶。", parent: str | None = None, **values: Any) -> Message:
    return Message(role=Role.ASSISTANT, content=text, parent=parent, **values)


def chat(name: str = "广州", turns: int = 1, **values: Any) -> Conversation:
    """A linear conversation of so many questions and answers."""
    conversation = Conversation(name=name, **values)
    for number in range(1, turns + 1):
        conversation = conversation.with_message(question(f"question {number}", conversation.head))
        conversation = conversation.with_message(answer(f"answer {number}", conversation.head))
    return conversation


def texts(conversation: Conversation) -> list[str]:
    return [message.content for message in conversation.path()]


def files(folder: Path) -> set[str]:
    """The names of the files in a folder, but not of the index and what else is hidden."""
    return {file.name for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()}


def names(store: ConversationStore) -> list[str]:
    return [entry.name for entry in store.list()]


def found(store: ConversationStore, name: str) -> Entry:
    entry = store.find(name)
    assert entry is not None
    return entry


def comparable(conversation: Conversation) -> Conversation:
    """The same value with errors as JSON: exceptions are equal only to themselves."""
    messages = tuple(
        replace(message, error=message.error and message.error.as_json()) for message in conversation.messages
    )
    return replace(conversation, messages=messages)


# What a file can hold: text as it is after cleaning, and JSON of any shape.
clean_text = st.text().map(clean)
word = st.text(max_size=30).map(one_line)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
moments = st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "+00:00")
unknown_keys = st.dictionaries(st.text(min_size=1).map(lambda key: f"x-{key}"), json_values, max_size=2)
counts = st.integers(0, 10**6)
errors = st.builds(
    lambda code, parameters: QwenTuiError(code, **parameters),
    word,
    st.dictionaries(clean_text, clean_text | counts, max_size=2),
)
runs = st.builds(
    Run,
    model=word,
    revision=word,
    device=word,
    seed=counts,
    sampling=st.dictionaries(clean_text, st.integers() | st.booleans(), max_size=3),
    prompt_tokens=counts,
    new_tokens=counts,
    decode_seconds=st.floats(0, 1e6),
    stop_reason=word,
    token_ids=st.lists(counts, max_size=5).map(tuple),
    extra=unknown_keys,
)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Any tree of messages, with everything that a message can have."""
    messages: list[Message] = []
    for number in range(draw(st.integers(0, 6))):
        messages.append(
            Message(
                role=draw(st.sampled_from(Role)),
                content=draw(clean_text),
                id=f"id{number}",
                parent=draw(st.sampled_from([None, *(message.id for message in messages)])),
                status=draw(st.sampled_from(Status)),
                thinking=draw(clean_text),
                error=draw(st.none() | errors),
                created=draw(moments),
                receipt=tuple(draw(st.lists(runs, max_size=2))),
                model=draw(word),
                extra=draw(unknown_keys),
            )
        )
    return Conversation(
        name=tidy(draw(st.text())),
        created=draw(moments),
        updated=draw(moments),
        named_by_person=draw(st.booleans()),
        pinned=draw(st.booleans()),
        overrides=draw(
            st.dictionaries(clean_text, clean_text | st.none() | st.booleans() | counts, max_size=3)
        ),
        messages=tuple(messages),
        head=draw(st.sampled_from([message.id for message in messages])) if messages else None,
        extra=draw(unknown_keys),
    )
