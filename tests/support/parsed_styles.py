"""Textual's style sheets, parsed once a process instead of several times in each test that starts an app.

Textual itself shares what it has parsed between the parses of one style sheet; here, sheets share it with each
other.
"""

from typing import Any

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_parse_rules = Stylesheet._parse_rules
_parsed: dict[tuple[Any, ...], list[RuleSet]] = {}


def keep() -> None:
    """From now on, parse no styles again that were parsed with the same variables."""
    Stylesheet._parse_rules = _rules_of  # type: ignore[method-assign]


def _rules_of(sheet: Stylesheet, css: str, *origin: Any, **more: Any) -> list[RuleSet]:
    key = (_variables_of(sheet), css, *origin, *more.items())
    if key not in _parsed:
        _parsed[key] = _parse_rules(sheet, css, *origin, **more)
    return _parsed[key]


def _variables_of(sheet: Stylesheet) -> tuple[str, ...]:
    """The values of a sheet's variables; made once for each set of them, as Textual replaces them all together."""
    known: tuple[dict[str, str], tuple[str, ...]] | None = getattr(sheet, "_known", None)
    if known is None or known[0] is not sheet._variables:
        values = tuple(part for pair in sheet._variables.items() for part in pair)
        known = sheet._known = (sheet._variables, values)  # type: ignore[attr-defined]
    return known[1]
