"""Two states of one conversation as one: nothing that either of them says is lost.

Needed when a second program has changed the file, and when a reply is found that a crash cut short.
"""

import uuid
from dataclasses import replace

from qwen_tui.chat.messages import Conversation, Message


def merge(ours: Conversation, theirs: Conversation, *, base_name: str, base_pinned: bool) -> Conversation:
    """Our conversation with the messages that only the file has; our head is shown.

    `base_name` and `base_pinned` are what both began with: who changed them is right, we before the others.
    """
    own = {message.id: message for message in ours.messages}
    messages: list[Message] = []
    for message in theirs.messages:
        messages += further(own.pop(message.id), message) if message.id in own else (message,)
    return replace(
        ours,
        name=theirs.name if ours.name == base_name else ours.name,
        named_by_person=ours.named_by_person or theirs.named_by_person,
        pinned=theirs.pinned if ours.pinned == base_pinned else ours.pinned,
        messages=(*messages, *own.values()),
        head=ours.head if ours.messages else theirs.head,
    )


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
    return ours, replace(theirs, id=uuid.uuid4().hex[:12])


def _continues(longer: Message, shorter: Message) -> bool:
    return longer.content.startswith(shorter.content) and longer.thinking.startswith(shorter.thinking)
