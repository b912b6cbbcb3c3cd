"""No text can control the terminal, crash the layout or stop the program."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import widest
from work import work_of

from qwen_tui.ui.markdown.document import render
from qwen_tui.ui.markdown.plain import PlainStream, plain_lines, typed_lines
from qwen_tui.ui.markdown.streaming.stream import Stream

anything = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\x07\r\x85\u2028\u202e`*_[]()<>|-#>\n "), max_size=80
)

PATHOLOGICAL = {
    "nested quotes": "> " * 10_000 + "deep",
    "nested lists": "- " * 5000 + "deep",
    "stairs": "\n".join("  " * level + "- x" for level in range(200)),
    "a megabyte without a space": "a" * 1_000_000,
    "Chinese without a break": "中" * 200_000,
    "an open fence": "```python\n" + "x = 'a'\n" * 10_000,
    "many fences": "```\n" * 10_000,
    "5,000 rows": "| a | b |\n|---|---|\n" + "| some cell | other |\n" * 5000,
    "1,000 columns": "|" + "a|" * 1000 + "\n|" + "-|" * 1000 + "\n|" + "b|" * 1000,
    "brackets": "[" * 50_000,
    "images": "![" * 20_000,
    "links": "[a](" * 20_000,
    "stars": "*a **b " * 8000,
    "backticks": "`a``b```c" * 8000,
    "dollars": "$a " * 20_000,
    "angles": "<http://a" * 10_000,
    "entities": "&amp;&#27;" * 10_000,
    "marks": "a" + "\u0301" * 50_000,
    "joiners": "👩\u200d" * 10_000,
    "punctuation": "！（" * 20_000,
    "empty lines": "\n" * 50_000 + "x",
    "spaces": "x" + " " * 50_000 + "x",
}


@settings(max_examples=300, deadline=None)
@given(anything, st.integers(1, 40))
def test_no_control_character_is_drawn(text, width) -> None:
    for lines in (render(text, width), plain_lines(text, width), typed_lines(text, width)):
        drawn = "".join(line.text for line in lines)
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u202e\ufe0f" for c in drawn)


@settings(max_examples=200, deadline=None)
@given(anything, st.integers(16, 60))
def test_no_line_is_wider_than_the_screen(text, width) -> None:
    assert widest(render(text, width)) <= width


def test_an_entity_is_no_way_around() -> None:
    assert "\x1b" not in render("&#27;[31m and &#x9b;31m", 40)[0].text


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_no_text_takes_long(name) -> None:
    text = PATHOLOGICAL[name]
    lines = []
    assert work_of(lambda: lines.extend(render(text, 80))) < 200
    assert lines


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_no_delta_takes_long(name) -> None:
    text = PATHOLOGICAL[name]
    stream = Stream(80)
    step = len(text) // 20 + 1
    deltas = [text[at : at + step] for at in range(0, len(text), step)]
    assert work_of(*(partial(stream.append, delta) for delta in deltas)) < 100


def test_nothing_is_lost_in_the_depths() -> None:
    assert "deep" in "".join(line.text for line in render("> " * 10_000 + "deep", 80))
    assert "deep" in "".join(line.text for line in render("- " * 1000 + "deep", 80))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab 中，\n", max_size=12), max_size=30), st.integers(4, 30))
def test_thoughts_that_grow_are_those_at_once(deltas, width) -> None:
    stream = PlainStream(width)
    for delta in deltas:
        stream.append(delta)
    text = "".join(deltas)
    seen = "".join(line.text for line in stream.lines)
    assert seen.replace(" ", "") == text.replace(" ", "").replace("\n", "")
