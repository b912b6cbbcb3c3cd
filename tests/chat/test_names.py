"""Names: from what was said first, and as file names that every file system takes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.chat.names import STEM_BYTES, file_stem, folded, name_from, tidy, unique
from qwen_tui.wording.cell_width import cells

AWKWARD = [
    "../../etc/passwd",
    "..",
    ".hidden",
    "-rf",
    "~",
    'a/b\\c:d*e?f"g<h>i|j',
    "nul",
    "CON.txt",
    "com1",
    "trailing.  ",
    " \t\n ",
    "a\x00b\x1b[31mc\u202ed",
    "🫨👩‍👩‍👧‍👦🇨🇳",
    "\u200d\u0301",
    "x" * 300,
    "广" * 300,
    "e\u0301" * 300,
    "👩‍👩‍👧‍👦" * 50,
    "a" + "\u0301" * 5000,
    "???",
    "",
    "\ud83d",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_every_name_has_a_file_name(name: str) -> None:
    check_stem(file_stem(name))


@given(st.text())
def test_any_text_has_a_file_name(name: str) -> None:
    check_stem(file_stem(name))


def check_stem(stem: str) -> None:
    assert stem
    assert 0 < len(stem.encode()) <= STEM_BYTES
    assert not set(stem) & set('/\\:*?"<>|\0\n\r\t\x1b\u202e')
    assert stem[0] not in ".-~ "
    assert stem[-1] not in ". "
    assert stem.lower().split(".")[0] not in ("con", "prn", "aux", "nul", "com1", "lpt1")
    assert unicodedata.is_normalized("NFC", stem)


def test_a_file_name_reads_like_the_name() -> None:
    assert file_stem("广州美食") == "广州美食"
    assert file_stem("What is Python 3.12?") == "What is Python 3.12"
    assert file_stem("../../x") == "x"
    assert file_stem("cafe\u0301") == "café"
    assert file_stem("a/b") == "a b"


def test_a_long_name_is_not_cut_inside_a_character() -> None:
    family = "👩‍👩‍👧‍👦"
    assert file_stem(family * 50) == family * (STEM_BYTES // len(family.encode()))
    assert file_stem("广" * 300) == "广" * 40
    flags = file_stem("🇨🇳" * 50)
    assert flags == "🇨🇳" * (len(flags) // 2)


def test_emoji_of_a_later_unicode_stay() -> None:
    assert file_stem("\U0001fae8") == "\U0001fae8"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hello", "Hello"),
        ("  Hello \n\n  world ", "Hello world"),
        ("What is the difference between a list and a tuple?", "What is the difference between a list…"),
        ("One, two, three, four, five, six, seven, eight", "One, two, three, four, five, six…"),
        (
            "请给我介绍一下广州有哪些好吃的东西，我下个星期要去那里旅游",
            "请给我介绍一下广州有哪些好吃的东西，我…",
        ),
        ("用 Python 写一个 hello world 程序，并解释每一行的意思", "用 Python 写一个 hello world 程序，并解…"),
        ("x" * 100, "x" * 39 + "…"),
        ("forty cells, where the last word just ends here", "forty cells, where the last word just…"),
        ("", "New conversation"),
        ("\n\t \u200b", "New conversation"),
        (",,,,," * 20, "New conversation"),
        ("😀", "😀"),
        ("\x1b[31mred", "[31mred"),
    ],
)
def test_a_conversation_is_named_by_its_first_words(text: str, name: str) -> None:
    assert name_from(text) == name


def test_a_word_that_just_fits_is_kept() -> None:
    assert name_from("a" * 19 + " " + "b" * 20) == "a" * 19 + " " + "b" * 20
    assert name_from("a" * 19 + " " + "b" * 19 + " c") == "a" * 19 + " " + "b" * 19 + "…"


@pytest.mark.parametrize("word", ["e\u0301", "好", "👩\u200d🚀", "x"])
def test_a_name_that_was_cut_says_so_and_is_no_wider_than_one_that_was_not(word: str) -> None:
    name = name_from(word * 60)
    assert name.endswith("…")
    assert 38 < cells(name) <= 40


@given(st.text(max_size=200))
def test_a_name_is_one_line_and_stays_what_it_is(text: str) -> None:
    name = name_from(text)
    assert name
    assert "\n" not in name
    assert tidy(name) == name


@given(st.text(min_size=1, max_size=400))
def test_tidying_twice_changes_nothing(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


def test_a_book_is_named_as_fast_as_a_line() -> None:
    assert name_from("word " * 10_000_000) == "word word word word word word word word…"


def test_names_that_are_taken_are_numbered() -> None:
    taken = {"广州", "广州 2"}
    assert unique("广州", taken.__contains__) == "广州 3"
    assert unique("杭州", taken.__contains__) == "杭州"


def test_upper_case_and_composition_make_no_difference() -> None:
    assert folded("STRASSE") == folded("straße")
    assert folded("cafe\u0301") == folded("Café")
