"""What the places to write in have in common: Textual's text area without the keys that nothing tells of."""

from textual.widgets import TextArea


class WritingArea(TextArea):
    """A text area in which f6 and f7 do nothing: a key pressed after them would write over what they select."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what f6 and f7 are for."""
        return action not in ("select_line", "select_all")
