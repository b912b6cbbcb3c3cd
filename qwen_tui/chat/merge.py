"""Two states of one conversation as one: nothing that either of them says is lost.

Needed when a second program has changed the file, and when a reply is found that a crash cut short.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from qwen_tui.chat.messages import Conversation, Message, new_message_id
from qwen_tui.chat.tree import parents_first


class Base(NamedTuple):
    """What both states began with."""

    name: str
    pinned: bool
    ids: frozenset[str]
    """Of the messages that were there."""


def merge(ours: Conversation, theirs: Conversation, base: Base) -> Conversation:
    """Our conversation with what has been added to the file, without what either has deleted; our head is shown.

    Who changed the name or the pin is right, we before the others.
    """
    own = {message.id: message for message in ours.messages}
    messages: list[Message] = []
    for message in theirs.messages:
        if message.id in own:
            messages += further(own.pop(message.id), message)
        elif message.id not in base.ids:
            messages.append(message)
    messages += (message for message in own.values() if message.id not in base.ids)
    parents = {message.id: message.parent for message in (*theirs.messages, *ours.messages)}
    kept = {message.id for message in messages}
    return replace(
        ours,
        name=theirs.name if ours.name == base.name else ours.name,
        named_by_person=ours.named_by_person or theirs.named_by_person,
        pinned=theirs.pinned if ours.pinned == base.pinned else ours.pinned,
        messages=parents_first(
            [replace(message, parent=_kept(message.parent, kept, parents)) for message in messages]
        ),
        head=_kept(ours.head if ours.messages else theirs.head, kept, parents),
    )


def _kept(message_id: str | None, kept: set[str], parents: Mapping[str, str | None]) -> str | None:
    """A message, or the nearest one before it that is still there."""
    seen: set[str] = set()
    while message_id is not None and message_id not in kept and message_id not in seen:
        seen.add(message_id)
        message_id = parents.get(message_id)
    return message_id if message_id in kept else None


def with_recovered(conversation: Conversation, reply: Message) -> Conversation:
    """The conversation with a reply that was cut short, unless it is already there as long or longer."""
    if reply.parent is not None and conversation.message(reply.parent) is None:
        reply = replace(reply, parent=conversation.head)
    there = conversation.message(reply.id)
    if there is None:
        return conversation.with_message(reply)
    kept, *added = further(there, reply)
    if kept is there and not added:
        return conversation
    for message in (kept, *added):
        conversation = conversation.with_message(message)
    return conversation


def further(ours: Message, theirs: Message) -> tuple[Message, ...]:
    """Of two states of one message the one that has more; both, as siblings, when each has its own."""
    if _continues(ours, theirs):
        return (ours,)
    if _continues(theirs, ours):
        return (theirs,)
    return ours, replace(theirs, id=new_message_id())


def _continues(longer: Message, shorter: Message) -> bool:
    return longer.content.startswith(shorter.content) and longer.thinking.startswith(shorter.thinking)
