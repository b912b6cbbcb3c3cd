"""Foreign text is made harmless where it enters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.chat.cleaning import MOST_MARKS, Cleaner, clean, one_line

SPLIT = "\x1b [ ] 31 m ; a \x07 \\ \r \n \x9b \x9d \x9c \x90 P ( B \x0b \x85 \u2028 \u200b \u202e \u0301 \u200d 中"
PIECES = st.sampled_from([*SPLIT.split(" "), " ", "\u0301" * 20, "\ud800"])
hostile_text = st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join)


@pytest.mark.parametrize(
    ("foreign", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b1;5Hhere", "here"),
        ("title\x1b]0;owned\x07!", "title!"),
        ("clip\x1b]52;c;aGk=\x1b\\board", "clipboard"),
        ("\x9d8;;http://x\x9clink\x9d8;;\x9c", "link"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x1b(Bset", "set"),
        ("a\x1b[31", "a"),
        ("a\x1b]no end", "ano end"),
        ("bell\x07 back\x08space del\x7f", "bell backspace del"),
        (
            "one\r\ntwo\rthree\x0bfour\x0cfive\x85six\u2028seven\u2029",
            "one\ntwo\nthree\nfour\nfive\nsix\nseven\n",
        ),
        ("tab\tstays\n", "tab\tstays\n"),
        ("\u202eevil\u202c \u2066x\u2069 a\u200bb \ufeff", "evil x ab "),
        ("half \ud83d", "half \ufffd"),
        ("👩‍💻 ❤️ क्‍ष", "👩‍💻 ❤️ क्‍ष"),
    ],
)
def test_foreign_text_keeps_its_words_and_loses_its_powers(foreign, harmless) -> None:
    assert clean(foreign) == harmless


@given(hostile_text)
def test_nothing_that_a_terminal_obeys_is_left(text) -> None:
    cleaned = clean(text)
    assert all(
        c in "\n\t" or c.isprintable() or c in "\u200c\u200d\u3000\xa0" or ord(c) > 0xA0 for c in cleaned
    )
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in cleaned)
    assert not any(c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b" for c in cleaned)


@given(hostile_text)
def test_cleaning_twice_changes_nothing(text) -> None:
    assert clean(clean(text)) == clean(text)


@given(hostile_text, st.lists(st.integers(1, 7), min_size=1, max_size=50))
def test_pieces_come_out_as_the_whole_would(text, sizes) -> None:
    cleaner, parts, at, turn = Cleaner(), [], 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        parts.append(cleaner.feed(text[at : at + size]))
        at, turn = at + size, turn + 1
    assert "".join(parts) + cleaner.flush() == clean(text)


def test_a_sequence_split_between_pieces_does_not_leak() -> None:
    cleaner = Cleaner()
    shown = [cleaner.feed(piece) for piece in ("a\x1b", "]52;c;", "aGk", "=\x1b", "\\b")]
    assert "".join(shown) == "ab"


def test_little_is_held_back_whatever_comes() -> None:
    cleaner = Cleaner()
    cleaner.feed("\x1b]")
    shown = "".join(cleaner.feed("x" * 100) for _ in range(50))
    assert len(shown) > 5000 - 100


def test_a_flood_of_marks_becomes_a_few() -> None:
    assert clean("a" + "\u0301" * 5000) == "a" + "\u0301" * MOST_MARKS


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10**6,
        "中" * 10**6,
        "\x1b]" * 300_000,
        "\x1b]" + "a" * 10**6,
        "\x1b[" + "1" * 10**6,
        "\u0301" * 10**6,
    ],
)
def test_a_megabyte_takes_no_time_to_speak_of(text) -> None:
    assert len(clean(text)) <= len(text)


def test_a_name_is_one_short_line() -> None:
    assert one_line("  two\nlines\tand \x1b[1mbold  ", 80) == "two lines and bold"
    assert one_line("长" * 300, 10) == "长" * 9 + "…"
