"""Commands of the line mode for the last reply: regenerating it, continuing it, editing what it answers."""

from qwen_tui.chat.messages import Message, Role
from qwen_tui.commands.plain.chat import PlainChat
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.requests import LAST, Continue, Edit


def regenerate(chat: PlainChat, _: str) -> None:
    """Answer the last message again; the reply before stays as a variant."""
    _last(chat, Role.USER)
    chat.answer(LAST)


def go_on(chat: PlainChat, _: str) -> None:
    """Let the model continue a reply that was stopped or cut off."""
    reply = _last(chat, Role.ASSISTANT)
    if not reply.can_go_on:
        raise QwenTuiError("plain.cannot_continue")
    chat.answer(Continue(reply.id))


def edit(chat: PlainChat, words: str) -> None:
    """Replace the last message by another text, on a branch of its own; without a text, type it."""
    message = _last(chat, Role.USER)
    if words:
        chat.answer(Edit(message.id, words))
    elif chat.lines.can_begin_with(message.content):
        chat.unsent = f"/edit {message.content}"
    else:
        raise QwenTuiError("plain.needs", usage="edit TEXT")


def _last(chat: PlainChat, role: Role) -> Message:
    path = chat.session.conversation.path()
    found = next((message for message in reversed(path) if message.role is role), None)
    if found is None:
        raise QwenTuiError("plain.no_message")
    return found
