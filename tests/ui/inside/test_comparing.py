"""Two variants of a reply are compared by words, tokens and the values they were made with."""

from doubles import INFO
from log_host import reply
from screenplay import Screenplay, say, shown, until

from qwen_tui.chat.messages import Run
from qwen_tui.settings.options import Settings
from qwen_tui.ui.inside.compare import changed_since, comparison, differing, parting, word_diff


def test_only_the_words_that_differ_are_marked() -> None:
    left, right = word_diff("Guangzhou has good soup.", "Guangzhou has good tea.")
    assert left == [("Guangzhou has good ", ""), ("soup", "only"), (".", "")]
    assert right == [("Guangzhou has good ", ""), ("tea", "only"), (".", "")]


def test_chinese_is_compared_by_characters() -> None:
    left, right = word_diff("广州的早茶。", "广州的点心。")
    assert (left[1], right[1]) == (("早茶", "only"), ("点心", "only"))


def run(*ids: int, temperature: float = 0.7, seed: int = 7) -> Run:
    return Run(
        model="guide", token_ids=ids, seed=seed, sampling={"do_sample": True, "temperature": temperature}
    )


def test_the_first_token_that_differs_is_counted_from_one() -> None:
    one, other = reply(receipt=(run(5, 6, 7),)), reply(receipt=(run(5, 9, 7),))
    assert parting(one, other).number == 2
    assert parting(one, one).number is None
    assert parting(one, reply()) is None
    assert parting(one, reply(receipt=(run(5, 6),))).number == 3


def test_values_in_which_they_differ_are_named() -> None:
    one, other = reply(receipt=(run(1),)), reply(receipt=(run(1, temperature=1.2, seed=8),))
    assert differing(one, other) == [("temperature", 0.7, 1.2), ("seed", 7, 8)]
    text = "\n".join(line.text for line in comparison(one, other, ("A", "B"), 100))
    assert "Temperature 0.7 · Seed 7" in text
    assert "Temperature 1.2 · Seed 8" in text


def test_a_reply_made_with_other_values_than_now_is_told() -> None:
    made, info = reply(receipt=(run(1),)), INFO
    assert changed_since(made, Settings(), info) == {}
    assert changed_since(made, Settings(temperature=1.2), info) == {"temperature": 1.2}
    assert changed_since(made, Settings(greedy=True), info) == {"temperature": 0.0}
    assert changed_since(reply(), Settings(temperature=1.2), info) == {}


async def test_w_on_a_reply_shows_it_next_to_another_variant(tmp_path) -> None:
    play = Screenplay(tmp_path)
    async with play.running() as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "echo: hello" in shown(pilot))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "2 / 2" in shown(pilot))
        await pilot.press("shift+tab")
        await until(pilot, lambda: "w Compare" in shown(pilot))
        await pilot.press("w")
        await until(pilot, lambda: "Variant 1 of 2" in shown(pilot))
        assert "All generated tokens are the same (1)." in shown(pilot)
