"""The export formats, and how to choose one by file name."""

from enum import StrEnum

from qwen_tui.chat import codec
from qwen_tui.chat.exchange import markdown, openai
from qwen_tui.chat.messages import Conversation


class Format(StrEnum):
    """A format for exported conversations."""

    MARKDOWN = "markdown"
    """A readable document of the shown branch."""
    JSON = "json"
    """This program's own format: every branch, with receipts."""
    OPENAI = "openai"
    """A message list of the shown branch, as other programs read it."""


ENDINGS = {Format.OPENAI: ".openai.json", Format.MARKDOWN: ".md", Format.JSON: ".json"}
"""File name suffixes; longer ones first, because `.openai.json` also ends in `.json`."""


def format_of(file_name: str) -> Format | None:
    """Return the format for the suffix of a file name; None if it is not a known suffix."""
    name = file_name.lower()
    return next((each for each, ending in ENDINGS.items() if name.endswith(ending)), None)


def export(conversation: Conversation, to: Format, system_prompt: str) -> bytes:
    """Encode a conversation for export; `system_prompt` is the effective one."""
    if to is Format.JSON:
        return codec.encode(conversation)
    write = markdown.export if to is Format.MARKDOWN else openai.export
    return write(conversation, system_prompt).encode(errors="replace")
