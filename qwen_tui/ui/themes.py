"""The colour themes: two dark, two light, and one that uses the terminal's own colours.

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

QWEN_BLACK: Final = Theme(
    name="qwen-black",
    primary="#87afd7",
    secondary="#5fafaf",
    accent="#5fd7d7",
    warning="#ffd75f",
    error="#ff8787",
    success="#87d787",
    foreground="#eeeeee",
    background="#000000",
    surface="#121212",
    panel="#1c1c1c",
    dark=True,
    variables={
        "border": "#5fafaf",
        "border-blurred": "#4e4e4e",
        "text": "#eeeeee",
        "text-muted": "#b2b2b2",
        "text-disabled": "#808080",
        "block-cursor-background": "#005f5f",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#262626",
        "input-cursor-background": "#ffffff",
        **dict.fromkeys(_SELECTION, "#005f87"),
        **dict.fromkeys(_SELECTED, "#ffffff"),
        "scrollbar": "#4e4e4e",
        "scrollbar-hover": "#767676",
        "scrollbar-active": "#5fafaf",
        **dict.fromkeys(_GROUND, "#000000"),
    },
)
"""Strong contrast on black, for tired eyes and projectors."""

QWEN_PAPER: Final = Theme(
    name="qwen-paper",
    primary="#875f5f",
    secondary="#5f5f00",
    accent="#8a3324",
    warning="#7a5200",
    error="#a8001c",
    success="#3a5a00",
    foreground="#3a3226",
    background="#fbf5e6",
    surface="#f3ecd9",
    panel="#eae2cc",
    dark=False,
    variables={
        "border": "#af8787",
        "border-blurred": "#d9cfb8",
        "text": "#3a3226",
        "text-muted": "#655c4b",
        "text-disabled": "#948a76",
        "block-cursor-background": "#ecd9c0",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#eae2cc",
        "input-cursor-background": "#3a3226",
        **dict.fromkeys(_SELECTION, "#e6cfae"),
        **dict.fromkeys(_SELECTED, "#1c1810"),
        "scrollbar": "#cfc4a8",
        "scrollbar-hover": "#b3a789",
        "scrollbar-active": "#af8787",
        **dict.fromkeys(_GROUND, "#fbf5e6"),
    },
)
"""Dark ink on warm paper, for reading long texts."""

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

THEMES: Final = (QWEN_DARK, QWEN_LIGHT, QWEN_BLACK, QWEN_PAPER, ANSI)
"""All themes; the first is the default."""
