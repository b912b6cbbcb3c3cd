"""The base class of text areas: Textual's, without its undocumented keys."""

from textual.binding import Binding
from textual.geometry import Offset
from textual.widgets import TextArea

from qwen_tui.strings import say

NEWLINE = Binding(
    "ctrl+j,shift+enter,alt+enter,ctrl+enter", "newline", say("composer.key.newline"), id="chat.newline"
)
"""The keys for a new line, the same in all text areas."""


class WritingArea(TextArea):
    """A text area without f6 and f7: a key pressed after them would overwrite what they select."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the actions of f6 and f7."""
        return action not in ("select_line", "select_all")

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Scroll to the cursor, if it is within the text.

        Undo restores the text before the cursor; if the scrollbar disappears with it, Textual calls this in
        between.
        """
        row, column = self.cursor_location
        is_within = row < self.document.line_count and column <= len(self.document.get_line(row))
        return super().scroll_cursor_visible(center, animate) if is_within else Offset(0, 0)

    def action_newline(self) -> None:
        self.replace("\n", *self.selection, maintain_selection_offset=False)
        self.scroll_cursor_visible()
