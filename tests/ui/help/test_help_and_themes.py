"""The help shows real keys; every theme is complete and can be read."""

from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.widgets import Footer

from qwen_tui.ui.composer.composer import Composer
from qwen_tui.ui.help.keys import KeyRow, Place, help_places
from qwen_tui.ui.help.screen import Help
from qwen_tui.ui.markdown.palette import Colours, palette
from qwen_tui.ui.themes import THEMES
from qwen_tui.ui.widgets.header import Header


class Host(App[None]):
    animation_level = "none"  # as in the program

    def compose(self) -> ComposeResult:
        yield Header()
        yield Composer()
        yield Footer()


def drawn(app: App[None]) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def test_a_place_lists_keys_as_they_are_pressed_with_their_ids() -> None:
    rows = {row.id: row for place in help_places({"chat.stop": "ctrl+g"}) for row in place.rows}
    assert rows["log.previous"] == ("↑ k", "Previous message", "log.previous")
    assert rows["app.settings"].keys == "F2"
    assert rows["receipt.close"].keys == "Esc i q"
    assert rows["chat.stop"].keys == "Ctrl+G"


@pytest.mark.parametrize("size", [(60, 20), (120, 36)])
async def test_the_help_can_be_read_to_its_end_and_closes_with_esc(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        places = [*help_places({})[:1], Place("Log", (KeyRow("y", "copy [red]the message", "log.copy"),))]
        await app.push_screen(Help(places, [("log", Path("/var/[x]/qwen-tui.log"))]))
        await pilot.pause()
        assert "Ctrl+J" in drawn(app)
        await pilot.press("end")
        await pilot.pause()
        assert "copy [red]the message" in drawn(app)
        assert "/var/[x]/qwen-tui.log" in drawn(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, Help)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_every_theme_draws_every_widget(theme) -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.register_theme(theme)
        app.theme = theme.name
        app.query_one(Composer).focus()
        await pilot.press("x")
        await app.push_screen(Help(help_places({})))
        await pilot.pause()


def luminance(color: Color) -> float:
    parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: Color, other: Color) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
def test_text_stands_out_from_every_ground(theme, ground: str) -> None:
    colours = theme.to_color_system().generate()
    behind = Color.parse(colours[ground])
    assert contrast(Color.parse(colours["foreground"]), behind) >= 7
    for name in ("text-muted", "text-accent", "text-error", "text-warning", "text-success"):
        assert contrast(Color.parse(colours[name]), behind) >= 4.5, name
    for name in ("block-cursor", "input-selection", "screen-selection", "input-cursor"):
        pair = (Color.parse(colours[f"{name}-{part}"]) for part in ("foreground", "background"))
        assert contrast(*pair) >= 4.5, name


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name)
def test_every_ink_of_a_message_can_be_read(theme) -> None:
    colours = theme.to_color_system().generate()
    names = ("foreground", "background", "text-accent", "text-error", "text-success", "text-warning")
    inks = palette(Colours(*(Color.parse(colours[name]) for name in names)))
    for ink in ("", "muted", "accent", "block", "block comment", "block keyword", "block string", "block number",
                "block deleted", "code", "heading", "quoted ", "strike", "address"):  # fmt: skip
        style = inks.style(ink)
        pair = (Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
        assert contrast(*pair) >= 4.5, ink
