"""Thinking apart from the answer, however the text arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.engine.chat_format import Marks
from qwen_tui.engine.thinking import Channel, Piece, Reread, ThinkingSplitter, unopened_thought


def split(chunks: list[str], **start: bool) -> tuple[str, str]:
    splitter = ThinkingSplitter(**start)
    pieces: list[Piece] = []
    for chunk in chunks:
        pieces += splitter.push(chunk)
    pieces += splitter.flush()
    thinking = "".join(piece.text for piece in pieces if piece.channel is Channel.THINKING)
    answer = "".join(piece.text for piece in pieces if piece.channel is Channel.ANSWER)
    return thinking, answer


CASES = {
    "<think>\nHm.\n\nYes.\n</think>\n\nAnswer": ("Hm.\n\nYes.", "Answer"),
    "\n<think>Hm.</think>Answer": ("Hm.", "Answer"),
    "<think>\n\n</think>\n\nAnswer": ("", "Answer"),
    "<think>\nHm. a < b </thin": ("Hm. a < b </thin", ""),
    "<think>\nstopped\n": ("stopped", ""),
    "Use <think> and </think>.\n": ("", "Use <think> and </think>.\n"),
    "<thin>k": ("", "<thin>k"),
    "  plain": ("", "  plain"),
    "\n\n": ("", "\n\n"),
    "<think>a</think>\n\nb</think>c<think>d": ("a", "b</think>c<think>d"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
@given(data=st.data())
def test_thinking_is_found_however_the_text_is_cut(
    text: str, expected: tuple[str, str], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(chunks) == expected


def test_thinking_that_the_prompt_opened_ends_at_the_tag() -> None:
    assert split(["Hm.\n", "</think>\n", "\nAnswer"], thinks=True) == ("Hm.", "Answer")


def test_thought_is_shown_while_it_goes_on() -> None:
    splitter = ThinkingSplitter()
    assert splitter.push("<think>\nFirst") == [Piece(Channel.THINKING, "First")]
    assert splitter.push(" then") == [Piece(Channel.THINKING, " then")]


def test_tags_that_come_as_tokens_count_only_where_they_mean_something() -> None:
    splitter = ThinkingSplitter(by_text=False)
    assert splitter.mark("</think>") is None
    assert splitter.push("\n") == []
    assert splitter.mark("<think>") == []
    assert splitter.mark("<think>") is None
    assert splitter.push("a </think> b\n") == [Piece(Channel.THINKING, "a </think> b")]
    assert splitter.mark("</think>") == []
    assert splitter.push("\n\nAnswer") == [Piece(Channel.ANSWER, "Answer")]
    assert splitter.mark("</think>") is None


def test_other_marks_are_found_in_the_text_as_well() -> None:
    marks = Marks("[THINK]", "[/THINK]")
    splitter = ThinkingSplitter(marks=marks)
    pieces = splitter.push("[THINK]Hm <think>.[/TH") + splitter.push("INK]Yes.")
    assert pieces == [Piece(Channel.THINKING, "Hm <think>."), Piece(Channel.ANSWER, "Yes.")]


@pytest.mark.parametrize(
    ("text", "thinks", "expected"),
    [
        ("<think> is a tag that models write.", False, Reread("", "<think> is a tag that models write.")),
        ("An answer without a thought.", True, Reread("", "An answer without a thought.")),
        ("<think>Hm.</think>Yes.", False, None),
        ("Hm.\n</think>\n\nYes.", True, None),
        ("17 * 3 = 51.\n</think>\n\n**391**", False, Reread("17 * 3 = 51.", "**391**")),
        ("", True, None),
    ],
)
def test_a_reply_that_has_text_is_never_left_without_an_answer(
    text: str, thinks: bool, expected: Reread | None
) -> None:
    splitter = ThinkingSplitter(thinks=thinks)
    splitter.push(text)
    splitter.flush()
    assert splitter.reread(is_cut=False) == expected


def test_a_thought_that_was_cut_off_stays_a_thought() -> None:
    splitter = ThinkingSplitter()
    splitter.push("<think>First of all")
    splitter.flush(is_cut=True)
    assert splitter.reread(is_cut=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "Close it with `</think>` alone.",
        "It ends so:\n```\n</think>\n```\nand then",
        "One\n</think>\ntwo\n</think>\nthree",
        "It ends with\n</think>\n",
        "\n</think>\n\nNothing before it",
    ],
)
def test_a_reply_that_explains_the_closing_tag_stays_whole(text: str) -> None:
    assert unopened_thought(text) is None
