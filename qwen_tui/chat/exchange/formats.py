"""The formats that a conversation can be exported in, and which one the name of a file asks for."""

from enum import StrEnum

from qwen_tui.chat import codec
from qwen_tui.chat.exchange import markdown, openai
from qwen_tui.chat.messages import Conversation


class Format(StrEnum):
    """How an exported conversation is written."""

    MARKDOWN = "markdown"
    """To read: the branch that is shown."""
    JSON = "json"
    """This program's own: every branch, with receipts."""
    OPENAI = "openai"
    """A message list of the branch that is shown, as other programs take it."""


ENDINGS = {Format.OPENAI: ".openai.json", Format.MARKDOWN: ".md", Format.JSON: ".json"}
"""How the names of such files end, the longer ones first: `.openai.json` ends in `.json` too."""


def format_of(file_name: str) -> Format | None:
    """The format that the ending of a file's name asks for; None when it is no such ending."""
    name = file_name.lower()
    return next((each for each, ending in ENDINGS.items() if name.endswith(ending)), None)


def export(conversation: Conversation, to: Format, system_prompt: str) -> bytes:
    """The bytes of a file that holds the conversation; `system_prompt` is the one in force."""
    if to is Format.JSON:
        return codec.encode(conversation)
    write = markdown.export if to is Format.MARKDOWN else openai.export
    return write(conversation, system_prompt).encode(errors="replace")
