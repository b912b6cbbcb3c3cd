"""The branches of a conversation: variants of a message, walking them, taking a message out and back in.

Pure functions of a `Conversation`. Variants are messages with the same parent and role: replies to one question,
or questions that were edited and asked anew.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from qwen_tui.chat.messages import Conversation, Message, Role, now
from qwen_tui.chat.tree import parents_first


class Variant(NamedTuple):
    """Which variant of a message is shown, counted from 1, and how many there are."""

    number: int
    of: int


def siblings(conversation: Conversation, message_id: str) -> tuple[Message, ...]:
    """The variants of a message, itself included, oldest first; none when there is no such message."""
    own = conversation.message(message_id)
    if own is None:
        return ()
    return tuple(m for m in conversation.messages if m.parent == own.parent and m.role == own.role)


def variants(conversation: Conversation) -> dict[str, Variant]:
    """The messages of the shown path that have variants, by id."""
    alike: defaultdict[tuple[str | None, Role], list[str]] = defaultdict(list)
    for message in conversation.messages:
        alike[message.parent, message.role].append(message.id)
    found = ((message.id, alike[message.parent, message.role]) for message in conversation.path())
    return {own_id: Variant(ids.index(own_id) + 1, len(ids)) for own_id, ids in found if len(ids) > 1}


def path_to(conversation: Conversation, message_id: str | None) -> tuple[Message, ...]:
    """The messages from the first to this one, whichever is shown."""
    return replace(conversation, head=message_id).path()


Chosen = Mapping[str, str]
"""By which message another one was followed when it was last shown, by id."""

NOTHING: Chosen = {}


def showing(conversation: Conversation, message_id: str, chosen: Chosen = NOTHING) -> Conversation:
    """The conversation shown through this message, to the leaf chosen last, or else to the newest after it."""
    parents = {message.id: message.parent for message in conversation.messages}
    leaf = message_id
    while (after := chosen.get(leaf)) is not None and parents.get(after) == leaf:
        leaf = after
    below = {leaf}
    for message in conversation.messages:  # a parent stands before its children
        if message.parent in below:
            below.add(message.id)
            leaf = message.id
    return replace(conversation, head=leaf)


def turned(conversation: Conversation, message_id: str, step: int, chosen: Chosen = NOTHING) -> Conversation:
    """The conversation shown through the variant that stands `step` after this one; the same where none does."""
    ids = [message.id for message in siblings(conversation, message_id)]
    at = ids.index(message_id) + step if message_id in ids else -1
    return showing(conversation, ids[at], chosen) if 0 <= at < len(ids) else conversation


def without(conversation: Conversation, message_id: str, chosen: Chosen = NOTHING) -> Conversation:
    """Take a message out: a question with its answers, a reply alone.

    What followed a reply follows the variant beside it, where there is one, otherwise what stood before.
    """
    message = conversation.message(message_id)
    if message is None:
        return conversation
    beside = _beside(conversation, message)
    gone = {message_id: beside if beside and message.role is Role.ASSISTANT else message.parent}
    if message.role is Role.USER:
        answers = [m for m in conversation.messages if m.parent == message_id and m.role is Role.ASSISTANT]
        gone |= {answer.id: message.parent for answer in answers}
    kept = tuple(
        replace(m, parent=gone[m.parent]) if m.parent in gone else m
        for m in conversation.messages
        if m.id not in gone
    )
    # An heir may be younger than its new child.
    left = replace(conversation, messages=parents_first(kept), updated=now())
    if conversation.head not in gone:
        return left
    return showing(left, beside, chosen) if beside else replace(left, head=message.parent)


def brought_back(conversation: Conversation, before: Conversation) -> Conversation:
    """Undo: what `before` has and shows, and what has been added since."""
    now_there = {message.id: message for message in conversation.messages}
    messages = [
        replace(now_there.pop(message.id, message), parent=message.parent) for message in before.messages
    ]
    whole = replace(conversation, messages=(*messages, *now_there.values()), updated=now())
    return showing(whole, before.head) if before.head is not None else whole


def _beside(conversation: Conversation, message: Message) -> str | None:
    """The variant before a message, else the one after it."""
    ids = [each.id for each in siblings(conversation, message.id)]
    at = ids.index(message.id)
    return ids[at - 1] if at else ids[1] if len(ids) > 1 else None
