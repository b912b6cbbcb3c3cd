"""`qwen-tui show`: print a conversation as plain text."""

from collections.abc import Iterator

from qwen_tui.chat.message_text import author, remarks, when
from qwen_tui.chat.messages import Conversation
from qwen_tui.strings import say


def transcript(conversation: Conversation) -> Iterator[str]:
    """Yield the lines of the shown branch: author and time, text, remarks, and empty lines between messages."""
    for number, message in enumerate(conversation.path()):
        if number:
            yield ""
        yield " · ".join(filter(None, (author(message), when(message.created))))
        if message.content:
            yield message.content
        for remark in remarks(message):
            yield say("exchange.remark", remark=remark)
