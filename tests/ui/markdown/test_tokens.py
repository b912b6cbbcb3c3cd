"""Tokens as text: each can be pointed at, a character of two tokens is shown once, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.ui.markdown.tokens import TokenText, pieces, visible
from qwen_tui.wording.cell_width import cells

TOKENS = st.lists(st.text(max_size=6).map(str.encode) | st.binary(max_size=3), max_size=12)


def test_a_character_whose_bytes_are_in_two_tokens_is_one_piece() -> None:
    broth = "羹".encode()
    assert [(p.text, p.first, p.last) for p in pieces([b"a", broth[:1], broth[1:], b" b"])] == [
        ("a", 0, 0),
        ("羹", 1, 2),
        (" b", 3, 3),
    ]


@given(TOKENS)
def test_every_token_is_in_exactly_one_piece(tokens) -> None:
    found = [index for piece in pieces(tokens) for index in range(piece.first, piece.last + 1)]
    assert found == list(range(len(tokens)))


@given(TOKENS, st.integers(2, 20))
def test_rows_are_never_wider_than_asked_and_show_everything(tokens, width) -> None:
    parts = pieces(tokens)
    text = TokenText(parts, [""] * len(tokens), width)
    assert all(cells(line.text) <= width for line in text.lines)
    assert "".join(line.text for line in text.lines) == "".join(visible(part.text) for part in parts)


def test_boundaries_are_visible_and_the_chosen_token_is_marked() -> None:
    text = TokenText(pieces([b"one", b" two", b"\n", b"three"]), [""] * 4, 20)
    assert [line.runs for line in text.lines] == [
        (("one", "even"), (" two", "odd"), ("⏎", "even")),
        (("three", "odd"),),
    ]
    assert text.chosen(0, 1).runs[1] == (" two", "odd chosen")


def test_tokens_are_found_by_cell_and_by_row() -> None:
    text = TokenText(pieces([b"one", b" two", b"\n", b"three", b" four"]), [""] * 5, 20)
    assert [text.token_at(0, column) for column in (0, 2, 3, 7, 19)] == [0, 0, 1, 2, 2]
    assert (text.below(1, 1), text.below(4, -1), text.below(0, 9)) == (3, 1, 3)
    assert text.row_of(3) == 1
