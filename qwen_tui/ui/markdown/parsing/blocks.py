"""The blocks of a Markdown text as plain values."""

from dataclasses import dataclass

from qwen_tui.ui.markdown.lines import Run

Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text; `\\n` in a run is a line break."""

    runs: Runs


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    runs: Runs


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced code block, or an indented one (then without a language)."""

    language: str
    text: str
    label: str = ""
    """What follows the fence: the language, and more if the model wrote more."""


@dataclass(frozen=True, slots=True)
class AsWritten:
    """Lines shown as they are written: a formula, a session of a prompt."""

    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal rule."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A block inside another, and whether an empty line precedes it in the source."""

    block: "Block"
    gap: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote."""

    blocks: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list."""

    blocks: tuple[Placed, ...]
    gap: bool
    """Whether an empty line precedes it in the source."""
    ticked: bool | None = None
    """For a task, whether it is done."""
    number: int | None = None
    """The number in the source, in a numbered list."""


@dataclass(frozen=True, slots=True)
class List:
    """A list with bullets, or with numbers from `start`."""

    items: tuple[Item, ...]
    start: int | None
    level: int
    """How many lists it is nested in."""
    ends: str = "."
    """What follows a number: a dot or a bracket."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; every row has as many cells as the head."""

    head: tuple[Runs, ...]
    rows: tuple[tuple[Runs, ...], ...]
    aligns: tuple[str, ...]
    """`left`, `center` or `right` for each column."""


Block = Paragraph | Heading | Code | AsWritten | Rule | Quote | List | Table
