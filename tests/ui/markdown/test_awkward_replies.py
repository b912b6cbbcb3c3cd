"""What models write is shown, whole and growing: markup as markup, and signs as signs."""

import pytest
from awkward import SAME, SHOWN
from rendered import inks, shown, texts

from qwen_tui.ui.markdown.document import render
from qwen_tui.ui.markdown.streaming.close_markup import closing_of
from qwen_tui.ui.markdown.streaming.stream import Stream

ALL = {**{source: source for source in SAME}, **SHOWN}


@pytest.mark.parametrize("source", SAME)
def test_signs_stay(source) -> None:
    assert shown(source) == source.split("\n")


@pytest.mark.parametrize("source", SHOWN)
def test_markup_is_markup(source) -> None:
    assert shown(source) == SHOWN[source].split("\n")


@pytest.mark.parametrize("source", ALL)
def test_a_reply_that_comes_by_the_character_is_the_text_so_far(source) -> None:
    text = f"{source}\n\nNext **one**.\n\n{source}"
    stream = Stream(60)
    for end, character in enumerate(text, 1):
        stream.append(character)
        if not closing_of(text[:end]):
            assert texts(stream.lines) == shown(text[:end])
    stream.finish()
    assert stream.lines == render(text, 60)


@pytest.mark.parametrize("source", ["x**2 + y", "2*3", "a ** b"])
def test_a_sign_is_no_open_markup(source) -> None:
    assert not closing_of(source)


def test_bold_text_stays_bold_while_its_end_is_written() -> None:
    stream = Stream(40)
    stream.append("So **good*")
    assert stream.lines[0].runs == (("So ", ""), ("good", "strong"))


def test_no_heading_flashes_above_a_list() -> None:
    stream = Stream(60)
    for character in "Both are fine:\n- first\n- second\n\ntext\n--- ":
        stream.append(character)
        assert not inks(stream.lines, "Both")
        assert not inks(stream.lines, "text")


def test_a_long_readme_in_a_fence_stays_one_block_while_it_grows() -> None:
    part = "# Title\n\n" + "some text\n" * 9 + "\n```bash\npip install foo\n\nmore\n```\n\n"
    text = f"```markdown\n{part * 12}```\n\nAfter **it**."
    stream, so_far = Stream(60), ""
    for at in range(0, len(text), 7):
        stream.append(text[at : at + 7])
        so_far += text[at : at + 7]
        if not closing_of(so_far):
            assert texts(stream.lines) == shown(so_far)
    assert shown(text)[-1] == "After it."


def test_long_code_continues_behind_a_mark_and_breaks_after_a_sign() -> None:
    lines = render("```\n  value = compute(first_argument, second_argument)\n```", 36)
    assert texts(lines) == ["   value = compute(first_argument,", "   ↳ second_argument)"]
    assert [line.prefix for line in lines] == [1, 5]
    assert lines[1].glue == ""
