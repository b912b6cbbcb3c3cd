"""How a token was chosen, what else it could have been, and how sure the model was: on the assembled screen."""

import pytest
from lit_engine import LitEngine, traced
from screenplay import Screenplay, say, shown, until

from qwen_tui.ui.inside.candidates import considered
from qwen_tui.ui.inside.heat_page import least_certain
from qwen_tui.ui.inside.subject import Look


@pytest.fixture
def play(tmp_path) -> Screenplay:
    play = Screenplay(tmp_path / "data")
    play.engine = LitEngine()
    return play


async def answered(pilot, play, tab: str, text: str = "hello") -> None:
    """Have a message answered while the view is open, and open one of its tabs."""
    await pilot.press("f5", "f5")
    await say(pilot, text)
    await until(pilot, lambda: len(pilot.app.screen.chat.session.conversation.messages) == 2)
    await pilot.press("f5", tab)


async def test_dials_reshape_the_candidates_at_once_and_can_be_used(play) -> None:
    async with play.running((150, 40)) as pilot:
        await answered(pilot, play, "2")
        await until(pilot, lambda: "Tokens left after each step" in shown(pilot))
        assert "● echo: hello" in shown(pilot)
        asked = len(play.engine.asked)
        await pilot.press("plus", "plus")
        await until(pilot, lambda: "What if" in shown(pilot))
        await pilot.press("u")
        session = pilot.app.screen.chat.session
        await until(pilot, lambda: session.conversation.overrides == {"temperature": 0.8})
        assert len(play.engine.asked) == asked


async def test_a_branch_begins_with_the_text_so_far_and_the_chosen_token(play) -> None:
    async with play.running((150, 40)) as pilot:
        await answered(pilot, play, "3")
        await until(pilot, lambda: "Choose a token" in shown(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "and  tea (p 30 %)" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: len(pilot.app.screen.chat.session.conversation.messages) == 3)
        assert play.engine.asked[-1].given_ids == (60_000,)
        # The token that was given is known from the reply that it was chosen in.
        await until(pilot, lambda: "p = 0.30" in shown(pilot) or "rank 2, p 30 %" in shown(pilot))


async def test_a_reply_can_be_chosen_token_by_token_and_finished_by_the_model(play) -> None:
    async with play.running((150, 40)) as pilot:
        await answered(pilot, play, "3")
        await until(pilot, lambda: "Choose a token" in shown(pilot))
        await pilot.press("y", "down", "enter")
        await until(pilot, lambda: " tea▌" in shown(pilot) and "echo: hello" in shown(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: " tea tea▌" in shown(pilot))
        await pilot.press("backspace", "f")
        await until(pilot, lambda: len(pilot.app.screen.chat.session.conversation.messages) == 3)
        assert play.engine.asked[-1].given_ids == (60_000,)


async def test_other_values_with_the_same_seed_are_compared_side_by_side(play) -> None:
    async with play.running((150, 40)) as pilot:
        await answered(pilot, play, "2")
        await until(pilot, lambda: "Values of this reply" in shown(pilot))
        await pilot.press("plus", "c")
        await until(pilot, lambda: "Compare variants" in shown(pilot))
        sampling = play.engine.asked[-1].sampling
        assert (sampling.temperature, sampling.seed) == (0.75, 7)


async def test_heat_colors_the_reply_in_the_panel_and_in_the_messages(play) -> None:
    async with play.running((150, 40)) as pilot:
        await answered(pilot, play, "4")
        await until(pilot, lambda: "p = 0.50. Also considered: “ tea” (0.30)" in shown(pilot))
        log = pilot.app.screen.chat.transcript.log_widget
        await pilot.press("m")
        await until(pilot, lambda: log.list.views and any(view.body.heat for view in log.list.views))
        await pilot.press("m")
        await until(pilot, lambda: not any(view.body.heat for view in log.list.views))


async def test_the_tokens_of_an_older_reply_can_be_recorded_by_running_it_again(play) -> None:
    async with play.running((120, 36)) as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "echo: hello" in shown(pilot))
        await pilot.press("f5", "2")
        await until(pilot, lambda: "No trace:" in shown(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "Tokens left after each step" in shown(pilot))
        assert play.engine.asked[-1].trace
        assert len(pilot.app.screen.chat.session.conversation.messages) == 2


def test_the_least_certain_tokens_come_first() -> None:
    look = Look(traces=[traced("a", p=0.95), traced("b", p=0.2), None, traced("c", p=0.6)])
    assert least_certain(look) == [1, 3]


def test_a_token_is_told_in_words_without_color() -> None:
    assert considered(traced("广州", ("上海", 0.21), p=0.57)) == "p = 0.57. Also considered: “上海” (0.21)."
    assert considered(traced("a", p=1.0)) == "p = 1.00."
