"""Text is broken into lines that are right for Latin and Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered import texts, widest
from rich.cells import cell_len

from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.markdown.wrap import wrap, wrap_code
from qwen_tui.wording.cell_width import cells, clusters, displayed

ALPHABET = "ab cd，。！（）「」、中文字…\u3000👩‍💻🇨🇳é\u0301한글ー.,!?()-"
some_text = st.text(st.sampled_from(ALPHABET) | st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)


def wrapped(text: str, width: int) -> list[str]:
    return texts(wrap([(displayed(text), "")], width))


def unwrapped(lines: list[Line]) -> str:
    return "".join(
        ("\n" if line.glue is None and n else line.glue or "") + line.text for n, line in enumerate(lines)
    )


def test_latin_words_stay_whole() -> None:
    assert wrapped("the quick brown fox", 10) == ["the quick", "brown fox"]


def test_a_word_longer_than_the_line_is_broken() -> None:
    assert wrapped("see abcdefghijklmnop", 8) == ["see abcd", "efghijkl", "mnop"]


def test_chinese_breaks_anywhere() -> None:
    assert wrapped("广州是一座历史悠久的城市", 10) == ["广州是一座", "历史悠久的", "城市"]


def test_no_line_begins_with_closing_punctuation() -> None:
    assert wrapped("广州是一座，历史悠久", 10) == ["广州是一", "座，历史悠", "久"]
    assert wrapped("他说：“好！”然后走了", 8)[0][-1] not in "“"


def test_no_line_ends_with_an_opening_bracket() -> None:
    assert wrapped("广州早茶（饮茶）", 10) == ["广州早茶", "（饮茶）"]


def test_a_break_comes_between_chinese_and_latin_too() -> None:
    assert wrapped("使用Python编程", 8) == ["使用", "Python编", "程"]


def test_words_are_whole_across_bold_and_normal() -> None:
    assert texts(wrap([("aa bb", ""), ("cc", "strong"), ("dd ee", "")], 8)) == ["aa", "bbccdd", "ee"]


def test_a_closing_mark_stays_with_a_bold_word() -> None:
    assert texts(wrap([("你好世界", "strong"), ("，再见", "")], 8)) == ["你好世", "界，再见"]


def test_skin_tones_and_variation_selectors_are_not_displayed() -> None:
    assert displayed("👍🏽 ❤️") == "👍 ❤"


@pytest.mark.parametrize(
    ("text", "width"),
    [("कि", 2), ("নি", 2), ("কো", 2), ("ខ្មែរ", 4), ("❤️ love ⚠️", 8), ("👩‍💻", 2), ("e\u0301", 1)],
)
def test_a_text_is_as_wide_for_the_screen_library_as_in_a_terminal(text, width) -> None:
    assert cells(displayed(text)) == cell_len(text) == width


def test_joined_emoji_and_flags_are_not_torn_apart() -> None:
    assert clusters("a👩‍💻🇨🇳🇩🇪é") == ["a", "👩‍💻", "🇨🇳", "🇩🇪", "é"]


@given(some_text, st.integers(2, 30))
def test_no_line_is_too_long_and_no_text_is_lost(text, width) -> None:
    text = displayed(text)
    lines = wrap([(text, "")], width)
    assert widest(lines) <= width
    assert unwrapped(lines).replace(" ", "") == text.replace(" ", "")


words = st.text(st.sampled_from("广州早茶汤"), min_size=2, max_size=9)
phrases = st.lists(words | words.map("（{}）".format) | words.map("{}，".format) | words.map("“{}。”".format))


@given(phrases.map("".join), st.integers(14, 40))
def test_no_line_begins_or_ends_with_the_wrong_mark(text, width) -> None:
    lines = wrapped(text, width)
    assert all(line[0] not in "，。）”" for line in lines[1:])
    assert all(line[-1] not in "（“" for line in lines[:-1])


@given(some_text, st.integers(2, 30))
def test_code_keeps_every_character(text, width) -> None:
    text = displayed(text).replace("\n", " ")
    lines = wrap_code([(text, "block")], width)
    assert "".join(line.text[line.prefix :] for line in lines) == text
    assert widest(lines) <= width
