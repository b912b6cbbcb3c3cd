"""The colour themes: one dark, one light, and one that uses the terminal's own colours.

Foregrounds have a contrast of at least 7 to 1 against their background, secondary text 4.5 to 1. The colours
are close to the 256-colour palette of terminals without true colour, which are most of those used over ssh.
"""

from typing import Final

from textual.theme import Theme

_GROUND = (
    "input-cursor-foreground",
    "scrollbar-background",
    "scrollbar-background-hover",
    "scrollbar-background-active",
    "scrollbar-corner-color",
)
"""Variables with the colour of the background."""
_SELECTION = ("input-selection-background", "screen-selection-background")
_SELECTED = ("block-cursor-foreground", "input-selection-foreground", "screen-selection-foreground")

QWEN_DARK: Final = Theme(
    name="qwen-dark",
    primary="#8787d7",
    secondary="#5f87af",
    accent="#87afff",
    warning="#d7af5f",
    error="#ff8787",
    success="#87af87",
    foreground="#dadada",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    dark=True,
    variables={
        "border": "#5f87d7",
        "border-blurred": "#3a3a3a",
        "text": "#dadada",
        "text-muted": "#949494",
        "text-disabled": "#6c6c6c",
        "block-cursor-background": "#303a4f",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#262626",
        "input-cursor-background": "#dadada",
        **dict.fromkeys(_SELECTION, "#3a4a6b"),
        **dict.fromkeys(_SELECTED, "#eeeeee"),
        "scrollbar": "#3a3a3a",
        "scrollbar-hover": "#585858",
        "scrollbar-active": "#5f87d7",
        **dict.fromkeys(_GROUND, "#121212"),
    },
)

QWEN_LIGHT: Final = Theme(
    name="qwen-light",
    primary="#5f5faf",
    secondary="#005f87",
    accent="#005faf",
    warning="#875f00",
    error="#af0000",
    success="#005f00",
    foreground="#262626",
    background="#fdfdfd",
    surface="#f2f2f2",
    panel="#e8e8e8",
    dark=False,
    variables={
        "border": "#5f87d7",
        "border-blurred": "#d0d0d0",
        "text": "#262626",
        "text-muted": "#626262",
        "text-disabled": "#8a8a8a",
        "block-cursor-background": "#d0dcf4",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e8e8e8",
        "input-cursor-background": "#303030",
        **dict.fromkeys(_SELECTION, "#c6d4f2"),
        **dict.fromkeys(_SELECTED, "#121212"),
        "scrollbar": "#c6c6c6",
        "scrollbar-hover": "#a8a8a8",
        "scrollbar-active": "#5f87d7",
        **dict.fromkeys(_GROUND, "#fdfdfd"),
    },
)

ANSI: Final = Theme(
    name="ansi",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border": "ansi_cyan",
        "border-blurred": "ansi_bright_black",
        "text-muted": "ansi_bright_black",
        "text-disabled": "ansi_bright_black",
        "block-cursor-background": "ansi_cyan",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-text-style": "none",
        "scrollbar": "ansi_bright_black",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
    },
)
"""Suits light and dark terminals: uses only colours that every scheme keeps readable on its own background."""

THEMES: Final = (QWEN_DARK, QWEN_LIGHT, ANSI)
"""All themes; the first is the default."""
