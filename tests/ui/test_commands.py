"""The command palette speaks the language of the screen, Textual's own words included."""

from screenplay import press, shown, until

from qwen_tui.strings import say as words


async def test_the_palette_says_what_to_type_how_to_leave_and_that_nothing_matches(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: words("palette.placeholder") in shown(pilot))
        await until(pilot, lambda: f"Esc {words('screen.key.close')}" in shown(pilot).splitlines()[-1])
        await press(pilot, "zzzz")
        await until(pilot, lambda: words("palette.none") in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: words("palette.none") not in shown(pilot))


async def test_themes_are_searched_for_too(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await pilot.app.run_action("change_theme")
        await until(pilot, lambda: words("palette.themes") in shown(pilot))
