"""Export a conversation to a file or to standard output."""

import sys
from pathlib import Path

from qwen_tui.chat.exchange.formats import Format, export, format_of
from qwen_tui.chat.exchange.saving import save
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.trace_files import TraceFiles
from qwen_tui.settings.options import Settings


def export_to(
    conversation: Conversation,
    traces: TraceFiles,
    settings: Settings,
    file: str,
    to: Format | None = None,
    *,
    overwrites: bool = False,
) -> None:
    """Write to the file, in the format of its ending unless one is given; to standard output without a file.

    Raises `QwenTuiError`.
    """
    to = to or format_of(file) or Format.MARKDOWN
    if to is Format.JSON:
        conversation = traces.attached(conversation)
    data = export(conversation, to, settings.with_overrides(conversation.overrides).system_prompt)
    if file:
        save(Path(file), data, overwrites=overwrites)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
