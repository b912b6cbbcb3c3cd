"""Bars and sparklines made of characters are as long and as high as their numbers."""

from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.ui.markdown.charts import bar, beside, column_of, percent, sparkline
from qwen_tui.ui.markdown.lines import Line


@given(st.floats(0, 1), st.integers(1, 40))
def test_a_bar_never_leaves_its_width(share, width) -> None:
    assert len(bar(share, width)) <= width
    assert bool(bar(share, width)) is (share > 0)


def test_bars_count_in_halves_of_a_cell() -> None:
    assert [bar(share, 4) for share in (0, 0.001, 0.5, 0.625, 1)] == ["", "╸", "━━", "━━╸", "━━━━"]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50), st.integers(1, 20))
def test_a_sparkline_has_a_column_for_every_value_or_share_of_them(values, width) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)
    columns = [column_of(index, len(values), width) for index in range(len(values))]
    assert columns == sorted(columns)
    assert columns[-1] < width


def test_a_sparkline_shows_the_largest_of_each_share() -> None:
    assert sparkline([0, 8, 0, 0], 2) == "█▁"


def test_probabilities_are_short() -> None:
    assert [percent(p) for p in (1, 0.571, 0.0999, 0.004, 0.0001, 0)] == [
        "100 %",
        "57 %",
        "10 %",
        "0.4 %",
        "<0.1%",
        "0 %",
    ]


def test_rows_next_to_each_other_stay_in_their_columns() -> None:
    rows = beside([Line((("广州", ""),))], [Line((("a", ""),)), Line((("b", ""),))], 6)
    assert [row.text for row in rows] == ["广州    a", "        b"]
