"""One line of `qwen-tui doctor`: what was checked, what was found, and how to fix it."""

from typing import Literal, NamedTuple, Self

State = Literal["ok", "note", "fails"]
"""`note`: the program runs, but something does not work or could be better. `fails`: it cannot run."""


class Check(NamedTuple):
    """One line of the report."""

    name: str
    """What was checked; its label is the sentence `doctor.label.NAME`."""
    state: State
    said: str
    hint: str = ""
    """What to do, if anything."""

    @classmethod
    def noted(cls, name: str, said: str, hint: str) -> Self:
        """Create a line that is `ok` unless it has a hint."""
        return cls(name, "note" if hint else "ok", said, hint)
