"""One line of `qwen-tui doctor`: what was looked at, what was found, and what can be done about it."""

from typing import Literal, NamedTuple, Self

State = Literal["ok", "note", "fails"]
"""`note`: the program runs, but something does not work or could be better. `fails`: it cannot run."""


class Check(NamedTuple):
    """One line."""

    name: str
    """What was looked at: its label is the sentence `doctor.label.NAME`."""
    state: State
    said: str
    hint: str = ""
    """What to do, when there is something to be done."""

    @classmethod
    def noted(cls, name: str, said: str, hint: str) -> Self:
        """A line that is `ok` while it needs no hint."""
        return cls(name, "note" if hint else "ok", said, hint)
