"""The line in the log where the model's memory begins."""

from dataclasses import dataclass

from qwen_tui.strings import say
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.wording.cell_width import cells, cropped
from qwen_tui.wording.units import in_tokens


@dataclass(frozen=True, slots=True)
class Memory:
    """What the model sees of a conversation."""

    first_sent_id: str
    """The id of the first message that is sent; empty where none is, and the line stands behind all."""
    tokens: int
    budget: int
    older: int
    """How many messages before it are not."""
    is_exact: bool = True
    """False: the tokens are an estimate."""


class MemoryLine(LinesView):
    """`── the model sees from here · 22,900 of 30,720 tokens · 14 older messages not sent ──`."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    MemoryLine {
        height: auto;
        margin: 1 0 0 0;
        padding: 0 2 0 2;
    }
    """

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory
        self._laid_out_for: tuple[Memory, int] | None = None

    def show(self, memory: Memory) -> None:
        """Show other figures."""
        if memory != self.memory:
            self.memory = memory
            self.lay_out(self.content_size.width)
            self.refresh()

    def lay_out(self, width: int) -> None:
        """One row, whatever the width."""
        if self._laid_out_for == (self.memory, width) or width <= 0:
            return
        self._laid_out_for = (self.memory, width)
        text = _text(self.memory, width - 6)
        spare = max(0, width - cells(text) - 2)
        left = spare // 2
        self.rows = [
            Line(
                (
                    ("─" * left, "rule"),
                    (f" {text} ", "accent"),
                    ("─" * (spare - left), "rule"),
                )
            )
        ]


def _text(memory: Memory, width: int) -> str:
    """As much as there is room for."""
    tokens = in_tokens(memory.tokens, is_exact=memory.is_exact)
    figures = {"tokens": tokens, "budget": in_tokens(memory.budget), "older": memory.older}
    for code in ("chat.memory.one" if memory.older == 1 else "chat.memory", "chat.memory.medium"):
        if cells(text := say(code, **figures)) <= width:
            return text
    return cropped(say("chat.memory.short", **figures), width)
