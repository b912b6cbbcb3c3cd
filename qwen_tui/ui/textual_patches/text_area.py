"""The base class of text areas: Textual's, without its undocumented keys."""

from textual.binding import Binding
from textual.geometry import Offset
from textual.widgets import TextArea

from qwen_tui.chat.names import clusters
from qwen_tui.strings import say

_LONGEST_CLUSTER = 64
"""More characters are not moved over with one key."""

NEWLINE = Binding(
    "ctrl+j,shift+enter,alt+enter,ctrl+enter", "newline", say("composer.key.newline"), id="chat.newline"
)
"""The keys for a new line, the same in all text areas."""


class WritingArea(TextArea):
    """A text area without f6 and f7, whose keys move over whole clusters.

    A key pressed after f6 or f7 would overwrite what they select.
    """

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

    def get_cursor_left_location(self) -> tuple[int, int]:
        """Return the position before the cluster that ends at the cursor: an emoji with all its marks is one."""
        row, column = self.cursor_location
        before = clusters(self.document.get_line(row)[max(0, column - _LONGEST_CLUSTER) : column])
        return (row, column - len(before[-1])) if before else super().get_cursor_left_location()

    def get_cursor_right_location(self) -> tuple[int, int]:
        """Return the position after the cluster that begins at the cursor."""
        row, column = self.cursor_location
        after = clusters(self.document.get_line(row)[column : column + _LONGEST_CLUSTER])
        return (row, column + len(after[0])) if after else super().get_cursor_right_location()

    def action_newline(self) -> None:
        self.replace("\n", *self.selection, maintain_selection_offset=False)
        self.scroll_cursor_visible()
