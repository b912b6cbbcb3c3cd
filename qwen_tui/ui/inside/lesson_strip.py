"""The strip at the top of the screen during a lesson: what to do in this step, and what to see."""

from collections.abc import Callable
from typing import ClassVar

from textual.content import Content
from textual.widgets import Static

from qwen_tui.strings import say
from qwen_tui.ui.inside.lessons import Lesson, Step
from qwen_tui.ui.widgets.keys import keys_of
from qwen_tui.ui.widgets.prose import Prose

_KEYS = {
    "inside": "app.inside",
    "template": "inside.template",
    "more": "inside.more",
    "less": "inside.less",
    "use": "inside.use",
    "go": "inside.go",
    "least": "inside.least",
    "colour": "inside.colour",
    "round": "inside.round",
    "send": "chat.send",
    "regenerate": "chat.regenerate",
    "earlier": "inside.earlier",
    "later": "inside.later",
    "next": "lesson.next",
    "left": "inside.left",
    "right": "inside.right",
    "down": "inside.down",
}
"""The keys that the sentences of lessons name."""


class LessonStrip(Static):
    """One step of a lesson; it does what the step prepares, and leaves the rest to the person."""

    DEFAULT_CSS: ClassVar[str] = """
    LessonStrip {
        height: auto;
        max-height: 9;
        padding: 0 1;
        border: round $accent;
        border-title-color: $text-accent;
        border-subtitle-color: $text-muted;
    }
    """

    def __init__(self, lesson: Lesson, prepare: Callable[[Step], None]) -> None:
        """Create the strip at the first step; `prepare` does what a step prepares."""
        super().__init__(id="lesson", markup=False)
        self.lesson = lesson
        self._prepare = prepare
        self._number = 0

    def on_mount(self) -> None:
        self._begin()

    def step(self, by: int) -> bool:
        """Go to the next or previous step; return False after the last one."""
        number = self._number + by
        if number >= len(self.lesson.steps):
            return False
        self._number = max(0, number)
        self._begin()
        return True

    def _begin(self) -> None:
        number, count = self._number + 1, len(self.lesson.steps)
        self.border_title = Content(say("lesson.title", name=self.lesson.title, number=number, of=count))
        keys = keys_of(self, next="lesson.next", back="lesson.back", leave="lesson.leave")
        self.border_subtitle = Content(say("lesson.keys.last" if number == count else "lesson.keys", **keys))
        self.update(Prose(say(f"lesson.{self.lesson.name}.{number}", **keys_of(self, **_KEYS))))
        self._prepare(self.lesson.steps[self._number])
