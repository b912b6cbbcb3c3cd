"""A growing Markdown text ends up exactly as one that was there at once."""

import pytest
from documents import KINDS, cut, documents, of_kind, sizes
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import texts

from qwen_tui.ui.markdown.document import render
from qwen_tui.ui.markdown.streaming.close_markup import closing_of
from qwen_tui.ui.markdown.streaming.stream import Stream

widths = st.sampled_from([20, 40, 80])


@settings(max_examples=300, deadline=None)
@given(documents, sizes, widths)
def test_in_the_end_the_lines_are_those_of_the_whole(source, lengths, width) -> None:
    stream = Stream(width)
    for delta in cut(source, lengths):
        stream.append(delta)
    stream.finish()
    assert stream.source == source
    assert stream.lines == render(source, width)


@settings(max_examples=300, deadline=None)
@given(documents, sizes, widths)
def test_what_is_shown_on_the_way_is_the_text_so_far(source, lengths, width) -> None:
    stream, so_far = Stream(width), ""
    for delta in cut(source, lengths):
        stream.append(delta)
        so_far += delta
        if not closing_of(so_far):
            assert stream.lines == render(so_far, width)


@settings(max_examples=200, deadline=None)
@given(documents, sizes, widths)
def test_the_first_changed_line_is_told(source, lengths, width) -> None:
    stream = Stream(width)
    for delta in [*cut(source, lengths), None]:
        before = list(stream.lines)
        changed = stream.finish() if delta is None else stream.append(delta)
        assert stream.lines[:changed] == before[:changed]
        assert changed == len(before) or stream.lines[changed : changed + 1] != before[changed : changed + 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_is_right_at_every_moment(kind) -> None:
    source = of_kind(kind, 6000)
    stream = Stream(60)
    for number, delta in enumerate(cut(source, [37])):
        stream.append(delta)
        so_far = source[: 37 * (number + 1)]
        if number % 10 == 0 and not closing_of(so_far):
            assert texts(stream.lines) == texts(render(so_far, 60))


@pytest.mark.parametrize("kind", KINDS)
def test_little_of_a_long_text_stays_open(kind) -> None:
    source = of_kind(kind, 40_000)
    stream = Stream(100)
    for delta in cut(source, [400]):
        stream.append(delta)
    assert stream.open_length < 2500


def test_bold_text_is_bold_before_it_is_closed() -> None:
    stream = Stream(40)
    stream.append("So **very go")
    assert stream.lines[0].runs == (("So ", ""), ("very go", "strong"))


def test_stars_in_code_open_nothing() -> None:
    stream = Stream(40)
    stream.append("```c\nint **p")
    assert texts(stream.lines) == [" c", " int **p"]


def test_an_open_end_of_any_length_still_grows() -> None:
    stream = Stream(80)
    stream.append("- " + "nested\n  - item " * 1500)
    before = len(stream.lines)
    for _ in range(200):
        stream.append("\n  - more items")
    assert len(stream.lines) > before + 100
