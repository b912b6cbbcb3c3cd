"""What came of a replay is shown in the receipt of its own reply."""

import threading

from doubles import Reply
from screenplay import say, shown, until
from textual.widgets import Static

from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.receipt.screen import Receipt


async def answered(pilot, text: str, answer: str) -> None:
    await say(pilot, text)
    composer = pilot.app.screen.query_one("#composer")
    await until(pilot, lambda: answer in shown(pilot) and not composer.busy)


async def opened(pilot) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, Receipt))


async def closed(pilot) -> None:
    await pilot.press("escape")
    await until(pilot, lambda: not isinstance(pilot.app.screen, Receipt))


async def test_the_outcome_of_a_replay_is_not_shown_in_the_receipt_of_another_reply(play) -> None:
    gate = threading.Event()
    play.engine.replies = [
        Reply(["The ", "first."]),
        Reply(["A second."]),
        Reply(["The ", "first."], gate=gate),
    ]
    async with play.running() as pilot:
        await answered(pilot, "one", "The first.")
        await answered(pilot, "two", "A second.")
        await pilot.press("shift+tab", "up", "up", "i")
        await opened(pilot)
        await pilot.press("p")
        await until(pilot, lambda: len(play.engine.asked) == 3)
        await closed(pilot)
        await pilot.press("down", "down", "i")
        await opened(pilot)
        gate.set()
        chat = pilot.app.screen_stack[0]
        await until(pilot, lambda: "tokens match" in str(chat.query_one("#notice").content))
        outcome = pilot.app.screen.query_one("#receipt-outcome", Static)
        assert str(outcome.content) == ""
        assert "Replay" in str(pilot.app.screen.query_one("ActionBar").rows[0].text)


async def test_a_replay_that_runs_says_how_to_close_the_receipt_and_to_stop_it(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["The ", "end."]), Reply(["The ", "end."], gate=gate)]
    play.where.config_file.parent.mkdir(parents=True, exist_ok=True)
    play.where.config_file.write_text('[keys]\n"receipt.close" = "f9"\n"chat.stop" = "f8"\n')
    async with play.running() as pilot:
        await answered(pilot, "one", "The end.")
        await pilot.press("shift+tab", "i")
        await opened(pilot)
        await pilot.press("p")
        await until(
            pilot, lambda: "To stop the replay, press F9 to close the receipt, then F8." in shown(pilot)
        )
        gate.set()
        await until(pilot, lambda: "tokens match" in shown(pilot))


async def test_a_replay_that_waits_for_a_model_ends_with_why_there_is_none(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "one", "echo: one")
        play.may_open.clear()
        await pilot.app.run_action("load_model")
        await pilot.press("shift+tab", "i")
        await opened(pilot)
        await pilot.press("p")
        await until(pilot, lambda: pilot.app._turns.has(pilot.app.screen_stack[0].shown.conversation.id))
        play.open_error = QwenTuiError("engine.out_of_memory")
        play.may_open.set()
        outcome = pilot.app.screen.query_one("#receipt-outcome", Static)
        await until(pilot, lambda: str(play.open_error) in str(outcome.content))
        assert "Replay" in str(pilot.app.screen.query_one("ActionBar").rows[0].text)
