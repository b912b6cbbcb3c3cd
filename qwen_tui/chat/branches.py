"""The branches of a conversation: message variants, switching between them, deleting and restoring messages.

Pure functions of a `Conversation`. Variants are messages with the same parent and role: replies to one
message, or edited versions of a message.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from qwen_tui.chat.messages import Conversation, Message, Role, now
from qwen_tui.chat.tree import parents_first


class Variant(NamedTuple):
    """The number of a variant, counted from 1, and the total number of variants."""

    number: int
    of: int


def siblings(conversation: Conversation, message_id: str) -> tuple[Message, ...]:
    """Return the variants of a message, itself included, oldest first; empty when the message does not exist."""
    own = conversation.message(message_id)
    if own is None:
        return ()
    return tuple(m for m in conversation.messages if m.parent == own.parent and m.role == own.role)


def variants(conversation: Conversation) -> dict[str, Variant]:
    """Return the variant numbers of the shown messages, by id, without messages that have only one variant."""
    alike: defaultdict[tuple[str | None, Role], list[str]] = defaultdict(list)
    for message in conversation.messages:
        alike[message.parent, message.role].append(message.id)
    found = ((message.id, alike[message.parent, message.role]) for message in conversation.path())
    return {own_id: Variant(ids.index(own_id) + 1, len(ids)) for own_id, ids in found if len(ids) > 1}


def path_to(conversation: Conversation, message_id: str | None) -> tuple[Message, ...]:
    """Return the path from the root to the given message, whichever branch is shown."""
    return replace(conversation, head=message_id).path()


Chosen = Mapping[str, str]
"""Maps a message id to the id of the child that was last shown after it."""

NOTHING: Chosen = {}


def showing(conversation: Conversation, message_id: str, chosen: Chosen = NOTHING) -> Conversation:
    """Show the branch through a message, ending at the last chosen leaf, else at the newest one below it."""
    parents = {message.id: message.parent for message in conversation.messages}
    leaf = message_id
    while (after := chosen.get(leaf)) is not None and parents.get(after) == leaf:
        leaf = after
    below = {leaf}
    for message in conversation.messages:  # parents precede their children
        if message.parent in below:
            below.add(message.id)
            leaf = message.id
    return replace(conversation, head=leaf)


def turned(conversation: Conversation, message_id: str, step: int, chosen: Chosen = NOTHING) -> Conversation:
    """Show the variant `step` places after this one; unchanged if there is none."""
    ids = [message.id for message in siblings(conversation, message_id)]
    at = ids.index(message_id) + step if message_id in ids else -1
    return showing(conversation, ids[at], chosen) if 0 <= at < len(ids) else conversation


def without(conversation: Conversation, message_id: str, chosen: Chosen = NOTHING) -> Conversation:
    """Delete a message: a person's message with its replies, a reply alone.

    The children of a deleted reply move to the neighbouring variant if there is one, otherwise to the parent.
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
    # The variant that inherits the children may have been added after them.
    left = replace(conversation, messages=parents_first(kept), updated=now())
    if conversation.head not in gone:
        return left
    return showing(left, beside, chosen) if beside else replace(left, head=message.parent)


def brought_back(conversation: Conversation, before: Conversation) -> Conversation:
    """Undo a deletion: restore the messages and the shown path of `before`, and keep what was added since."""
    now_there = {message.id: message for message in conversation.messages}
    messages = [
        replace(now_there.pop(message.id, message), parent=message.parent) for message in before.messages
    ]
    whole = replace(conversation, messages=(*messages, *now_there.values()), updated=now())
    return showing(whole, before.head) if before.head is not None else whole


def _beside(conversation: Conversation, message: Message) -> str | None:
    """Return the id of the previous variant of a message, else of the next one."""
    ids = [each.id for each in siblings(conversation, message.id)]
    at = ids.index(message.id)
    return ids[at - 1] if at else ids[1] if len(ids) > 1 else None
