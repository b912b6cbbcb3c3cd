"""The columns of the screen: panels next to the log, or drawn over it if there is no room."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widget import Widget

from qwen_tui.strings import say
from qwen_tui.ui.textual_patches.focus import focus_at_once


class SidePanels(Horizontal):
    """Conversations, chat and settings."""

    BESIDE_FROM: ClassVar[dict[str, int]] = {"settings": 100, "conversations": 140, "inside": 140}
    """Minimum width, in columns, to show a panel next to the log instead of over it (`app.tcss`)."""

    RIGHT: ClassVar[tuple[str, ...]] = ("settings", "inside")
    """Panels that share the place on the right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close_drawer", say("screen.key.close"), id="panes.close"),
        Binding("f6", "lesson('next')", say("lesson.key.next"), id="lesson.next", show=False),
        Binding("shift+f6", "lesson('back')", say("lesson.key.back"), id="lesson.back", show=False),
        Binding("ctrl+f6", "lesson('leave')", say("lesson.key.leave"), id="lesson.leave", show=False),
    ]

    drawer: reactive[str] = reactive("")
    """The panel that is drawn over the log, or empty."""
    right: reactive[str] = reactive(RIGHT[0])
    """The panel on the right, if there is room for it next to the log."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.turn_lesson: Callable[[str], Awaitable[None]] | None = None
        """Goes to the `next` step of the running lesson, `back`, or `leave`s it; None without a lesson."""
        self._is_complete = False
        self._wanted = ""
        """The panel to focus once it exists."""

    def complete(self) -> None:
        """Mark the panels as complete; focus the one requested meanwhile."""
        self._is_complete = True
        if self._wanted:
            self.call_after_refresh(self._focus, self._wanted)

    def watch_drawer(self, drawer: str) -> None:
        for pane in self.BESIDE_FROM:
            self.set_class(pane == drawer, f"-{pane}-open")
        self.refresh_bindings()

    def watch_right(self, right: str) -> None:
        self.set_class(right == "inside", "-inside-right")

    def on_resize(self) -> None:
        """Close the drawer when its panel fits next to the log."""
        if self.drawer and self.app.size.width >= self.BESIDE_FROM[self.drawer]:
            self.show(self.drawer)
        self.call_after_refresh(self._keep_keyboard)

    def _keep_keyboard(self) -> None:
        """Move the focus to the message box when its panel has been hidden."""
        if self.screen.focused is None:
            self.call_later(self.run_action, "screen.write")

    def show(self, pane: str) -> None:
        if pane in self.RIGHT:
            self.right = pane
        self.drawer = "" if self.app.size.width >= self.BESIDE_FROM[pane] else pane

    def action_close_drawer(self) -> None:
        self.drawer = self._wanted = ""
        self.call_later(self.run_action, "screen.write")

    async def action_lesson(self, way: str) -> None:
        if self.turn_lesson is not None:
            await self.turn_lesson(way)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Enable closing only while a drawer is open, so that the key bar shows it only then."""
        if action == "lesson":
            return self.turn_lesson is not None
        return action != "close_drawer" or bool(self.drawer)

    def go_to(self, pane: str) -> None:
        """Focus a panel; from within it, return to the message box."""
        widget = self.query_one(f"#{pane}")
        if widget.has_focus_within or self._wanted == pane:
            self.drawer = self._wanted = ""
            self.call_later(self.run_action, "screen.write")
        else:
            self.show(pane)
            self._focus(pane)

    def _focus(self, pane: str) -> None:
        if self._is_complete:
            self._wanted = ""
            _focus_in(self.query_one(f"#{pane}"))
        else:
            self._wanted = pane


def _focus_in(pane: Widget) -> None:
    for inside in pane.query("*"):
        # The display of the pane itself may not be computed yet.
        between = inside.ancestors_with_self
        if inside.can_focus and all(each.display for each in between[: between.index(pane)]):
            focus_at_once(inside)
            return
