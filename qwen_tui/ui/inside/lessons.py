"""Five short walks over the view inside: what each step prepares. Their sentences are `lesson.NAME.STEP`."""

from collections.abc import Mapping
from typing import NamedTuple

from qwen_tui.chat.messages import Json
from qwen_tui.strings import say


class Step(NamedTuple):
    """One step of a lesson: its sentence says what to do and what to see."""

    tab: str = ""
    """The tab of the view inside that it opens; `chat` leaves it; empty changes nothing."""
    draft: str = ""
    """The code of the text that it puts into the message box, unless something is written there."""
    overrides: Mapping[str, Json] = {}
    """The settings that it changes for the conversation."""


class Lesson(NamedTuple):
    """A lesson, on a conversation of its own."""

    name: str
    """The name of its sentences, `lesson.NAME`."""
    steps: tuple[Step, ...]

    @property
    def title(self) -> str:
        """What it is about."""
        return say(f"lesson.{self.name}")


_GUIDE: Mapping[str, Json] = {"temperature": 0.7, "top_p": 0.9, "top_k": 0, "greedy": None}
"""The sampling values of the usual beginner's example."""

LESSONS = (
    Lesson(
        "tokens",
        (
            Step("prompt", "lesson.say.sentence"),
            Step("prompt"),
            Step("prompt", "lesson.say.chinese"),
            Step("prompt", "lesson.say.number"),
            Step("prompt"),
        ),
    ),
    Lesson(
        "template",
        (
            Step("prompt", "lesson.say.news"),
            Step("prompt"),
            Step("prompt"),
            Step("chat"),
            Step("prompt"),
        ),
    ),
    Lesson(
        "sampling",
        (
            Step("sampling", overrides=_GUIDE),
            Step("chat", "lesson.say.food"),
            Step("sampling"),
            Step("sampling"),
            Step("branch"),
            Step("heat"),
        ),
    ),
    Lesson(
        "memory",
        (
            Step("chat", "lesson.say.city", overrides={"memory": False}),
            Step("chat", "lesson.say.there"),
            Step("prompt"),
            Step("chat", overrides={"memory": True}),
            Step("prompt"),
            Step("prompt", "lesson.say.first", overrides={"memory_turns": 2}),
        ),
    ),
    Lesson(
        "quantization",
        (
            Step("memory"),
            Step("memory"),
            Step("memory"),
            Step("memory"),
        ),
    ),
)

NAMES = tuple(lesson.name for lesson in LESSONS)


def lesson(name: str) -> Lesson:
    """Return the lesson of this name; raises KeyError if there is none."""
    return next(each for each in LESSONS if each.name == name)
