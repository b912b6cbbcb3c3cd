"""Everything that the store does, broken off at each of its steps: the old state is there, or the new one.

Once the step is refused by the system, once the program is dead from there on.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from qwen_tui.chat.messages import Conversation, Message, Role, Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError

STEPS = (
    "open",
    "write",
    "fsync",
    "replace",
    "rename",
    "unlink",
    "utime",
    "mkdir",
    "ftruncate",
    "symlink",
    "link",
)


class Killed(BaseException):
    """The program was killed here; nothing it would do afterwards is done."""


@contextmanager
def broken_at(number: int, kind: type[BaseException]) -> Iterator[list[str]]:
    """Break the step of this number and, where that kills, all later ones; the steps that there were are listed."""
    steps: list[str] = []
    real = {name: getattr(os, name) for name in STEPS}

    def guarded(name: str) -> Callable[..., object]:
        def step(*arguments: object, **named: object) -> object:
            steps.append(name)
            if len(steps) == number or (len(steps) > number and kind is Killed):
                raise kind(5, "broken here") if kind is OSError else kind()
            return real[name](*arguments, **named)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, guarded(name))
        yield steps


def chat(name: str, turns: int) -> Conversation:
    conversation = Conversation(name=name, named_by_person=True)
    for number in range(turns):
        conversation = conversation.with_message(
            Message(role=Role.USER, content=f"{name} {number}", parent=conversation.head)
        )
    return conversation


def found(folder: Path) -> dict[str, list[str]]:
    """The texts of all conversations by name, those in the trash too, as the next program finds them."""
    store = ConversationStore(folder)
    texts = {entry.name: [m.content for m in store.load(entry).messages] for entry in store.list()}
    assert store.problems == ()
    assert not (folder / "damaged").exists()
    for trashed in store.trashed():
        store.restore(trashed)
    store = ConversationStore(folder)
    everything = {entry.name: [m.content for m in store.load(entry).messages] for entry in store.list()}
    assert set(texts) <= set(everything)
    return everything


def add(store: ConversationStore) -> None:
    store.save(chat("new", 2))


def save_again(store: ConversationStore) -> None:
    conversation = store.load(store.list()[0])
    store.save(conversation.with_message(Message(role=Role.USER, content="more", parent=conversation.head)))


def rename(store: ConversationStore) -> None:
    store.rename(store.list()[0], "广州")


def save_renamed(store: ConversationStore) -> None:
    from dataclasses import replace

    store.save(replace(store.load(store.list()[0]), name="广州"))


def pin(store: ConversationStore) -> None:
    store.pin(store.list()[0], True)


def trash(store: ConversationStore) -> None:
    store.trash(store.list()[0])


def trash_and_restore(store: ConversationStore) -> None:
    store.restore(store.trash(store.list()[0]))


def duplicate(store: ConversationStore) -> None:
    store.duplicate(store.list()[0])


def take_in(store: ConversationStore) -> None:
    list(store.add([chat("in", 1), chat("x", 3)]))


def recover(store: ConversationStore) -> None:
    """A reply that a crash has cut short becomes part of its conversation."""
    store.load(store.list()[0])


def reply(store: ConversationStore) -> None:
    """A reply as a session writes it."""
    conversation = store.load(store.list()[0])
    message = Message(role=Role.ASSISTANT, content="", parent=conversation.head, status=Status.INTERRUPTED)
    partial = store.partial(conversation, message)
    partial.append_text("the answer")
    conversation = store.save(
        conversation.with_message(
            Message(role=Role.ASSISTANT, content="the answer", parent=conversation.head, id=message.id)
        )
    )
    partial.discard()


OLD = {"x": ["x 0", "x 1"]}
MORE = [*OLD["x"], "more"]
ALLOWED: dict[Callable[[ConversationStore], None], list[dict[str, list[str]]]] = {
    add: [OLD, {**OLD, "new": ["new 0", "new 1"]}],
    save_again: [OLD, {"x": MORE}],
    rename: [OLD, {"广州": OLD["x"]}],
    save_renamed: [OLD, {"广州": OLD["x"]}],
    pin: [OLD],
    trash: [OLD],
    trash_and_restore: [OLD],
    duplicate: [OLD, {**OLD, "x 2": OLD["x"]}],
    take_in: [OLD, {**OLD, "in": ["in 0"]}, {**OLD, "in": ["in 0"], "x 2": ["x 0", "x 1", "x 2"]}],
    recover: [{"x": [*OLD["x"], "cut sh"]}],
    reply: [OLD, {"x": [*OLD["x"], "the answer"]}],
}


@pytest.mark.parametrize("kind", [OSError, Killed])
@pytest.mark.parametrize("operation", ALLOWED, ids=lambda operation: operation.__name__)
def test_what_is_broken_off_leaves_the_old_state_or_the_new(
    tmp_path: Path, operation: Callable[[ConversationStore], None], kind: type[BaseException]
) -> None:
    number, passed = 0, False
    while not passed:
        number += 1
        folder = tmp_path / str(number) / "conversations"
        store = ConversationStore(folder)
        store.save(chat("x", 2))
        if operation is recover:
            conversation = store.load(store.list()[0])
            cut = Message(
                role=Role.ASSISTANT, content="", parent=conversation.head, status=Status.INTERRUPTED
            )
            with closing(store.partial(conversation, cut)) as partial:
                partial.append_text("cut sh")
        with broken_at(number, kind) as steps:
            with suppress(QwenTuiError, Killed, IndexError):  # the last where nothing could be listed
                operation(ConversationStore(folder))
            passed = len(steps) < number
        state = found(folder)
        assert state in ALLOWED[operation], f"broken at step {number} of {steps}: {state}"
        if passed:
            assert state == ALLOWED[operation][-1]
    assert number > 3
