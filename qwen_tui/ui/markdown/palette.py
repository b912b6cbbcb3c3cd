"""Map inks to terminal styles: the only place where the names of `lines` meet the colours of a theme."""

import functools
from typing import NamedTuple

from rich.style import Style
from textual.color import Color

_MUTED = 0.58
_MUTED_ON_LIGHT = 0.76
_FAINT = 0.30
_DIMMED = 0.50
_GROUND = 0.055
"""Shares of foreground mixed into the background: secondary text, on light too, lines, unseen messages, code."""

_EVEN = 0.06
_ODD = 0.17
"""Shares of foreground in the background of every other token."""

_HEAT = (0.0, 0.12, 0.24, 0.38, 0.52, 0.66)
"""Shares of the error color in the background of tokens, from certain to unlikely."""


class Colours(NamedTuple):
    """The colours of a palette."""

    foreground: Color
    background: Color
    accent: Color
    error: Color
    success: Color
    warning: Color
    ansi: bool = False
    """The terminal's own colours: they cannot be mixed, so secondary text is dim instead."""
    dimmed: bool = False
    """Fade everything: the model no longer sees this message."""


@functools.lru_cache(maxsize=32)
def palette(colours: Colours) -> "Palette":
    """Return the palette of these colours, shared by all users of the same colours."""
    return Palette(colours)


class Palette:
    """Styles by ink; every style has a background, as line API widgets require."""

    def __init__(self, colours: Colours) -> None:
        self._colours = colours
        self._words = _words(colours)
        self._styles: dict[str, Style] = {}
        self.base = Style.from_color(colours.foreground.rich_color, colours.background.rich_color)

    def style(self, ink: str) -> Style:
        """Return the style of an ink; unknown words are ignored."""
        found = self._styles.get(ink)
        if found is None:
            found = self.base
            for word in ink.split():
                found += self._words.get(word, _PLAIN)
            if self._colours.dimmed:
                found = self._receded(found)
            self._styles[ink] = found
        return found

    def _receded(self, style: Style) -> Style:
        if self._colours.ansi or style.color is None:
            return style + Style(dim=True)
        mixed = self._colours.background.blend(Color.from_rich_color(style.color), _DIMMED)
        return style + Style(color=mixed.rich_color)


_PLAIN = Style()


def _words(colours: Colours) -> dict[str, Style]:
    accent, error = _ink(colours.accent), _ink(colours.error)
    is_light = colours.background.brightness > 0.5
    muted, faint = _mixed(colours, _MUTED_ON_LIGHT if is_light else _MUTED), _mixed(colours, _FAINT)
    italic, bold = Style(italic=True), Style(bold=True)
    ground = (
        Style()
        if colours.ansi
        else Style(bgcolor=colours.background.blend(colours.foreground, _GROUND).rich_color)
    )
    return {
        "accent": accent,
        "address": muted,
        "author": bold,
        "bar": faint,
        "block": ground,
        "code": accent if colours.ansi else ground + accent,
        "comment": muted + italic,
        "cursor": accent,
        "deleted": error,
        "emphasis": italic,
        "error": error,
        "frame": faint,
        "heading": accent + bold,
        "image": italic,
        "keyword": accent,
        "label": muted,
        "link": Style(underline=True),
        "marker": accent,
        "muted": muted,
        "name": bold,
        "number": _ink(colours.warning),
        "only": accent + Style(underline=True),
        "quoted": muted if colours.ansi else _mixed(colours, 0.8),
        "rule": faint,
        "strike": Style(strike=True) + muted,
        "string": _ink(colours.success),
        "strong": bold,
        "underline": Style(underline=True),
        "warning": _ink(colours.warning),
        **_of_tokens(colours),
    }


def _of_tokens(colours: Colours) -> dict[str, Style]:
    """Return the inks of tokens; without colors to mix, every other one and unlikely ones are underlined."""
    unlikely = Style(underline=True)
    inks = {"chosen": Style(reverse=True)}
    if colours.ansi:
        heat = (_PLAIN, _PLAIN, _PLAIN, unlikely, unlikely, unlikely + Style(bold=True))
        return {**inks, "even": _PLAIN, "odd": unlikely, **{f"heat{n}": ink for n, ink in enumerate(heat)}}
    back, front = colours.background, colours.foreground
    for name, share in (("even", _EVEN), ("odd", _ODD)):
        inks[name] = Style(bgcolor=back.blend(front, share).rich_color)
    for level, share in enumerate(_HEAT):
        ground = Style(bgcolor=back.blend(colours.error, share).rich_color) if share else _PLAIN
        inks[f"heat{level}"] = ground + unlikely if level > 3 else ground
    return inks


def _ink(colour: Color) -> Style:
    return Style(color=colour.rich_color)


def _mixed(colours: Colours, share: float) -> Style:
    """Return the foreground, mixed into the background at this share."""
    if colours.ansi:
        return Style(dim=True)
    return _ink(colours.background.blend(colours.foreground, share))
