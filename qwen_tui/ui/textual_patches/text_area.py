"""What the places to write in have in common: Textual's text area without the keys that nothing tells of."""

from textual.binding import Binding
from textual.geometry import Offset
from textual.widgets import TextArea

from qwen_tui.strings import say

NEWLINE = Binding(
    "ctrl+j,shift+enter,alt+enter,ctrl+enter", "newline", say("composer.key.newline"), id="chat.newline"
)
"""The key for a new line, wherever text is written."""


class WritingArea(TextArea):
    """A text area in which f6 and f7 do nothing: a key pressed after them would write over what they select."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what f6 and f7 are for."""
        return action not in ("select_line", "select_all")

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Show where the cursor is, once it is within the text.

        Undo takes the text back before the cursor; when the scrollbar goes with it, Textual asks for this in
        between.
        """
        row, column = self.cursor_location
        is_within = row < self.document.line_count and column <= len(self.document.get_line(row))
        return super().scroll_cursor_visible(center, animate) if is_within else Offset(0, 0)

    def action_newline(self) -> None:
        self.replace("\n", *self.selection, maintain_selection_offset=False)
        self.scroll_cursor_visible()
