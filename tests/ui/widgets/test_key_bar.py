"""The last line of the screen names what does something now, the most needed first."""

from screenplay import press, say, shown, until

from qwen_tui.ui.models.screen import ModelScreen
from qwen_tui.ui.receipt.screen import Receipt
from qwen_tui.ui.widgets.key_bar import KeyBar


def bar(pilot) -> str:
    """The line, wherever a dialog leaves it to be seen."""
    return pilot.app.screen_stack[0].query_one(KeyBar).rows[0].text


async def answered(pilot, text: str) -> None:
    await say(pilot, text)
    composer = pilot.app.screen.query_one("#composer")
    await until(pilot, lambda: f"echo: {text}" in shown(pilot) and not composer.busy)


async def test_at_80_columns_the_panes_come_before_what_can_be_done_without(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await until(pilot, lambda: "scripted" in shown(pilot))
        text = bar(pilot)
        for name in ("Send", "Help", "Settings", "Conversations", "Models"):
            assert name in text
        assert text == shown(pilot).splitlines()[-1].strip()


async def test_with_room_it_names_the_rest_in_the_order_of_need(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await until(pilot, lambda: "Commands" in bar(pilot))
        names = ["Send", "Help", "Settings", "Conversations", "Models", "Commands", "New", "New line", "Find"]
        places = [bar(pilot).index(f" {name}") for name in names]
        assert places == sorted(places)


async def test_while_a_reply_is_edited_enter_saves_and_esc_cancels(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "go")
        await pilot.press("shift+tab", "e")
        await until(pilot, lambda: "Save" in bar(pilot) and "Cancel" in bar(pilot))
        assert "Send" not in bar(pilot)
        assert "Editing the reply · Enter save · Esc cancel" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "Send" in bar(pilot) and "Cancel" not in bar(pilot))


async def test_while_a_question_is_edited_enter_sends_it_again(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "go")
        await pilot.press("shift+tab", "up", "e")
        await until(pilot, lambda: "Resend" in bar(pilot) and "Cancel" in bar(pilot))
        await press(pilot, "!")
        await pilot.press("enter")
        await until(pilot, lambda: "echo: go!" in shown(pilot))
        await until(pilot, lambda: "Resend" not in bar(pilot) and "Send" in bar(pilot))


async def test_behind_a_dialog_it_names_the_keys_of_the_dialog(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "go")
        await pilot.press("shift+tab", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, Receipt))
        await until(pilot, lambda: "Replay" in bar(pilot))
        assert "Settings" not in bar(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "Settings" in bar(pilot))
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(pilot.app.screen, ModelScreen))
        await until(pilot, lambda: "Load" in bar(pilot) and "Settings" not in bar(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Settings" in bar(pilot))


async def test_what_cannot_be_done_now_is_not_named(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        screen = pilot.app.screen
        may_find = [True, False, None]
        screen.check_action = lambda action, parameters: action != "find" or may_find[0]
        screen.refresh_bindings()
        await until(pilot, lambda: "Find" in bar(pilot))
        for _ in range(2):
            may_find.pop(0)
            screen.refresh_bindings()
            await until(pilot, lambda: "Find" not in bar(pilot))


async def test_opening_and_closing_dialogs_leaves_nothing_behind_that_follows_the_keys(play) -> None:
    async with play.running() as pilot:
        screen = pilot.app.screen
        for _ in range(3):
            await pilot.press("f1")
            await until(pilot, lambda: pilot.app.screen is not screen)
            await pilot.press("escape")
            await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.pause()
        bar = screen.query_one(KeyBar)
        assert len(screen.bindings_updated_signal._subscriptions[bar]) == 1


async def test_the_way_out_of_a_drawer_is_named_however_much_can_be_done_in_it(play) -> None:
    async with play.running(size=(60, 24)) as pilot:
        await pilot.press("f3")
        await until(pilot, lambda: "Open" in bar(pilot))
        assert "Esc Close" in bar(pilot)
        assert shown(pilot).splitlines()[-1].strip() == bar(pilot)
