"""Three-way merge of two states of one conversation: nothing added is lost, nothing deleted returns.

Needed when a second program has changed the file, and when a reply is recovered after a crash.
"""

from dataclasses import replace

from qwen_tui.chat.branches import showing
from qwen_tui.chat.messages import Conversation, Message, new_message_id
from qwen_tui.chat.tree import parents_first


def merge(ours: Conversation, theirs: Conversation, base: Conversation | None = None) -> Conversation:
    """Merge our conversation with the changes others have made since `base`, the common ancestor.

    Our head is shown. Where both changed the name, the pin or the settings, ours win. A message deleted on
    one side and changed on the other stays; the children of a deleted message move to its nearest remaining
    ancestor. Without a base everything counts as added.
    """
    base = base or replace(theirs, messages=())
    before = {message.id: _substance(message) for message in base.messages}

    def is_unchanged(message: Message) -> bool:
        return before.get(message.id) == _substance(message)

    def both(ours: Message, theirs: Message) -> tuple[Message, ...]:
        if is_unchanged(theirs):
            return (ours,)
        kept = (theirs,) if is_unchanged(ours) else further(ours, theirs)
        return tuple(replace(message, parent=ours.parent) for message in kept)

    own = {message.id: message for message in ours.messages}
    messages: list[Message] = []
    for message in theirs.messages:
        if message.id in own:
            messages += both(own.pop(message.id), message)
        elif not is_unchanged(message):
            messages.append(message)
    messages += (message for message in own.values() if not is_unchanged(message))
    # For messages on both sides our parent wins: mixing two trees could create a cycle.
    parents = {message.id: message.parent for message in (*theirs.messages, *ours.messages)}
    there = {message.id for message in messages}

    def still_there(message_id: str | None) -> str | None:
        while message_id is not None and message_id not in there:
            message_id = parents.get(message_id)
        return message_id

    merged = replace(
        ours,
        name=theirs.name if ours.name == base.name else ours.name,
        named_by_person=ours.named_by_person or theirs.named_by_person,
        pinned=theirs.pinned if ours.pinned == base.pinned else ours.pinned,
        overrides=theirs.overrides if ours.overrides == base.overrides else ours.overrides,
        updated=max(ours.updated, theirs.updated),
        messages=parents_first([replace(each, parent=still_there(each.parent)) for each in messages]),
    )
    if ours.head in there:
        return merged
    head = still_there(ours.head) or still_there(theirs.head) or (messages[-1].id if messages else None)
    return showing(merged, head) if head is not None else replace(merged, head=None)


def with_recovered(conversation: Conversation, reply: Message) -> Conversation:
    """Add a recovered reply to the conversation, unless it already has it at the same length or longer."""
    if reply.parent is not None and conversation.message(reply.parent) is None:
        reply = replace(reply, parent=conversation.head)
    there = conversation.message(reply.id)
    if there is None:
        return conversation.with_message(reply)
    kept, *added = further(there, replace(reply, parent=there.parent))
    if kept is there and not added:
        return conversation
    for message in (kept, *added):
        conversation = conversation.with_message(message)
    return conversation


def further(ours: Message, theirs: Message) -> tuple[Message, ...]:
    """Return the longer of two states of one message; both, as siblings, if they diverge."""
    if _continues(ours, theirs):
        return (ours,)
    if _continues(theirs, ours):
        return (theirs,)
    return ours, replace(theirs, id=new_message_id())


def _continues(longer: Message, shorter: Message) -> bool:
    return longer.content.startswith(shorter.content) and longer.thinking.startswith(shorter.thinking)


def _substance(message: Message) -> tuple[object, ...]:
    return message.content, message.thinking, message.status, len(message.receipt)
