"""Wordings as small grammars: `[a|b|]` chooses, `{slot}` draws from a named list, the rest stands as it is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import NamedTuple

Draw = Callable[[Random], str]


class Slot(NamedTuple):
    """A `{name}` in a wording, filled from a list or by a function when a sentence is drawn."""

    name: str


Choice = list[list["Part"]]
"""A `[a|b|c]` in a wording; an empty alternative makes the rest optional."""

Part = str | Slot | Choice


class Wording:
    """One line of the corpus, ready to draw sentences from."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.parts, end = _sequence(source, 0, top=True)
        if end != len(source):
            raise ValueError(f"unbalanced brackets in: {source}")

    def draw(self, rng: Random, slots: Mapping[str, Draw]) -> str:
        """Return one sentence; raises `KeyError` for a slot that nobody fills."""
        return "".join(_spell(part, rng, slots) for part in self.parts)

    def all(self) -> Iterator[str]:
        """Yield every sentence of a wording, slots left as they are written."""
        return _all(self.parts)


def _all(parts: list[Part]) -> Iterator[str]:
    if not parts:
        yield ""
        return
    first, rest = parts[0], list(_all(parts[1:]))
    if isinstance(first, str):
        heads: Iterable[str] = (first,)
    elif isinstance(first, Slot):
        heads = (f"{{{first.name}}}",)
    else:
        heads = (text for option in first for text in _all(option))
    for head in heads:
        for tail in rest:
            yield head + tail


def _spell(part: Part, rng: Random, slots: Mapping[str, Draw]) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Slot):
        return slots[part.name](rng)
    chosen = part[int(rng.random() * len(part))]
    return "".join(_spell(inner, rng, slots) for inner in chosen)


def _sequence(text: str, at: int, top: bool = False) -> tuple[list[Part], int]:
    """Read parts from `at` to the end, or to the `|` or `]` that closes the choice around them."""
    parts: list[Part] = []
    start = at
    while at < len(text):
        sign = text[at]
        if sign not in "[]|{" or (top and sign in "|]"):
            at += 1
            continue
        if start < at:
            parts.append(text[start:at])
        if sign in "|]":
            return parts, at
        if sign == "{":
            end = text.index("}", at)
            parts.append(Slot(text[at + 1 : end]))
            at = end + 1
        else:
            choice, at = _choice(text, at)
            parts.append(choice)
        start = at
    if start < at:
        parts.append(text[start:at])
    return parts, at


def _choice(text: str, at: int) -> tuple[Choice, int]:
    """Read `[a|b|c]`, which starts at `at`."""
    options: Choice = []
    while text[at] != "]":
        option, at = _sequence(text, at + 1)
        options.append(option)
        if at >= len(text):
            raise ValueError(f"unbalanced brackets in: {text}")
    return options, at + 1


class Pool:
    """Wordings that mean the same; a sentence is drawn from one of them at random."""

    def __init__(self, sources: list[str]) -> None:
        self.wordings = [Wording(source) for source in sources]

    def __bool__(self) -> bool:
        return bool(self.wordings)

    def draw(self, rng: Random, slots: Mapping[str, Draw]) -> str:
        """Return one sentence of the pool."""
        return self.wordings[int(rng.random() * len(self.wordings))].draw(rng, slots)


def always(text: str) -> Draw:
    """Return a slot that is always filled with `text`."""
    return lambda rng: text
