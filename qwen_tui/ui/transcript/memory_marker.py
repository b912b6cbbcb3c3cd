"""The line in the log where the context begins; everything above it is dimmed."""

from dataclasses import dataclass

from qwen_tui.strings import say
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.transcript.autoscroll import Autoscroll
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.transcript.virtual_list import VirtualList
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.wording.cell_width import cells, cropped
from qwen_tui.wording.units import in_tokens


@dataclass(frozen=True, slots=True)
class Memory:
    """The part of a conversation that the model sees."""

    first_sent_id: str
    """The id of the first message that is sent; empty if none is, and the line is after the last message."""
    tokens: int
    budget: int
    older: int
    """How many messages before it are not sent."""
    is_exact: bool = True
    """False if `tokens` is an estimate."""


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
        super().__init__(lambda width: [_line(self.memory, width)])
        self.memory = memory

    def show(self, memory: Memory) -> None:
        if memory != self.memory:
            self.memory = memory
            self.lay_out_again()


class MemoryMarker:
    """Places the line above the first message that is sent, once that is mounted."""

    def __init__(self, scroll: Autoscroll, messages: VirtualList) -> None:
        self._scroll = scroll
        self._messages = messages
        self._memory: Memory | None = None
        self._line: MemoryLine | None = None

    def show(self, memory: Memory | None) -> None:
        """Show where the context begins; None if everything is sent."""
        self._memory = memory
        self.place()

    def forget_if_gone(self) -> None:
        """Remove the line if its position no longer exists, until tokens are counted again."""
        if self._begins is None:
            self._memory = None

    def is_dimmed(self, message_id: str) -> bool:
        begins, position = self._begins, self._messages.position_of(message_id)
        return begins is not None and position is not None and position < begins

    def place(self) -> None:
        """Dim what is not sent, and move the line to where the context begins."""
        for view in self._messages.views:
            view.set_class(self.is_dimmed(view.message.id), "-dimmed")
        memory, line, children = self._memory, self._line, self._scroll.children
        before = self._view_below()
        is_last = self._begins == len(self._messages.messages) and not self._scroll.has_more_below
        if memory is None or not memory.older or (before is None and not is_last):
            if line is not None:
                line.remove()
                self._line = None
        elif line is None:
            self._line = MemoryLine(memory)
            self._scroll.mount(self._line, before=before)
        else:
            line.show(memory)
            if before is None and children[-1] is not line:
                self._scroll.move_child(line, after=children[-1])
            elif before is not None and children.index(line) != children.index(before) - 1:
                self._scroll.move_child(line, before=before)

    def _view_below(self) -> MessageView | None:
        """Return the widget of the first message that is sent, if it is mounted."""
        begins, messages = self._begins, self._messages.messages
        if begins is None or begins >= len(messages):
            return None
        view = self._messages.view_of(messages[begins].id)
        return view if view is not None and view.is_attached else None

    @property
    def _begins(self) -> int | None:
        """The position of the first message that is sent; one past the end if that is the next message."""
        memory = self._memory
        if memory is None or (not memory.first_sent_id and memory.older > len(self._messages.messages)):
            return None
        return self._messages.position_of(memory.first_sent_id) if memory.first_sent_id else memory.older


def _line(memory: Memory, width: int) -> Line:
    text = _text(memory, width - 6)
    spare = max(0, width - cells(text) - 2)
    left = spare // 2
    return Line((("─" * left, "rule"), (f" {text} ", "accent"), ("─" * (spare - left), "rule")))


def _text(memory: Memory, width: int) -> str:
    """Return the longest text that fits."""
    tokens = in_tokens(memory.tokens, is_exact=memory.is_exact)
    figures = {"tokens": tokens, "budget": in_tokens(memory.budget), "older": memory.older}
    for code in ("chat.memory", "chat.memory.medium"):
        if cells(text := say(code, **figures)) <= width:
            return text
    return cropped(say("chat.memory.short", **figures), width)
