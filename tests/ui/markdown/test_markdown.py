"""Markdown as it is seen."""

import pytest
from rendered import inks, shown, widest

from qwen_tui.ui.markdown.document import code_blocks, render


def test_blocks_stand_apart() -> None:
    assert shown("# Title\ntext\n\n---\n> quoted\n\n- a\n- b", 12) == [
        "Title", "", "text", "", "─" * 12, "", "│ quoted", "", "• a", "• b",
    ]  # fmt: skip


def test_emphasis_has_its_ink_and_no_stars() -> None:
    lines = render("**bold** *soft* ~~gone~~ `code`", 60)
    assert lines[0].text == "bold soft gone code"
    assert inks(lines, "bold") == {"strong"}
    assert inks(lines, "soft") == {"emphasis"}
    assert inks(lines, "gone") == {"strike"}
    assert inks(lines, "code") == {"code"}


def test_emphasis_works_next_to_chinese_punctuation() -> None:
    lines = render("**早茶（饮茶）**是广州人的。**广州：**美食。它叫**“食在广州”**。", 80)
    assert "*" not in lines[0].text
    assert inks(lines, "早茶（饮茶）") == {"strong"}
    assert inks(lines, "广州：") == {"strong"}


def test_a_link_shows_where_it_goes() -> None:
    lines = render("[docs](https://example.org/a) <https://example.org>", 80)
    assert lines[0].text == "docs (https://example.org/a) https://example.org"
    assert inks(lines, "(https://example.org/a)") == {"address"}


def test_an_image_is_its_description() -> None:
    assert shown("![a cat](cat.png)") == ["a cat (cat.png)"]


def test_html_is_text() -> None:
    assert shown("List<int> <b>x</b>\n\n<div>\nhello\n</div>") == [
        "List<int> <b>x</b>", "", "<div>", "hello", "</div>",
    ]  # fmt: skip


def test_markup_of_the_screen_library_is_text() -> None:
    assert shown("[bold red]hi[/] [/] [@click=app.quit]x[/]") == ["[bold red]hi[/] [/] [@click=app.quit]x[/]"]


def test_math_keeps_its_stars_and_underscores() -> None:
    for math in ("$a_1 * b_2 * c_3$", r"\(x_{i} * y_{i}\)", r"$$\sum_i x_i * y_i$$", r"\[ a * b * c \]"):
        assert shown(f"so {math} holds") == [f"so {math} holds"]


def test_prices_are_not_math() -> None:
    assert shown("it costs $5 or **$10** or $15") == ["it costs $5 or $10 or $15"]


def test_a_line_break_is_a_line_break() -> None:
    assert shown("静夜思\n床前明月光\n疑是地上霜") == ["静夜思", "床前明月光", "疑是地上霜"]


def test_a_link_definition_stays_visible() -> None:
    assert shown("See [it][1].\n\n[1]: https://example.org") == [
        "See [it][1].",
        "",
        "[1]: https://example.org",
    ]


def test_code_and_links_keep_their_colours_in_a_quote() -> None:
    lines = render("> see `code` here", 40)
    assert inks(lines, "code") == {"quoted", "code"}
    assert inks(lines, "see ") == {"quoted"}


def test_lists_nest_and_number() -> None:
    assert shown("3. one\n4. two\n   - in\n     - deeper\n\n   more\n5. three") == [
        "3. one", "4. two", "   ◦ in", "     ▪ deeper", "", "   more", "5. three",
    ]  # fmt: skip


def test_tasks_have_boxes() -> None:
    assert shown("- [ ] open\n- [x] done") == ["☐ open", "☑ done"]


def test_a_long_item_hangs() -> None:
    assert shown("- one two three four", 12) == ["• one two", "  three four"]


def test_code_names_its_language_and_is_highlighted() -> None:
    lines = render("```python\ndef f():\n    return 'x'  # why\n```", 40)
    assert [line.text for line in lines] == [" python", " def f():", "     return 'x'  # why"]
    assert inks(lines, "def") == {"block", "keyword"}
    assert inks(lines, "'x'") == {"block", "string"}
    assert inks(lines, "# why") == {"block", "comment"}
    assert all(line.fill == "block" for line in lines)


@pytest.mark.parametrize("fence", ["```\n", "```no-such-language\n"])
def test_code_in_no_known_language_is_plain(fence) -> None:
    assert inks(render(fence + "def f(): pass\n```", 40), "def f(): pass") == {"block"}


def test_a_fence_that_is_not_closed_is_code_already() -> None:
    assert [line.text for line in render("```sh\nls -l", 40)] == [" sh", " ls -l"]


def test_long_code_goes_on_in_the_next_row() -> None:
    assert "".join(line.text[line.prefix :] for line in render("```\n" + "x" * 50 + "\n```", 20)) == "x" * 50


def test_a_chinese_table_is_aligned() -> None:
    assert shown("| 菜 | 价格 |\n|:--|--:|\n| 双皮奶 | 12 |\n| tea | 3 |", 40) == [
        "菜     │ 价格",
        "───────┼─────",
        "双皮奶 │   12",
        "tea    │    3",
    ]


def test_table_cells_wrap_instead_of_being_cut() -> None:
    source = "| name | text |\n|---|---|\n| 广州 | 一座历史悠久的城市，有许多好吃的东西 |\n| b | short |"
    lines = render(source, 24)
    assert widest(lines) <= 24
    column = "".join(line.text.split("│")[1].strip() for line in lines if "│" in line.text)
    assert "一座历史悠久的城市，有许多好吃的东西" in column


def test_a_table_too_wide_for_the_screen_becomes_records() -> None:
    names = [f"name{number}" for number in range(6)]
    source = f"| {' | '.join(names)} |\n{'|---' * 6}|\n{'| some words ' * 6}|"
    assert shown(source, 24) == [f"{name}: some words" for name in names]


def test_a_break_in_a_cell_is_a_break() -> None:
    assert shown("| a | b |\n|---|---|\n| x<br>y | z |")[2:] == ["x │ z", "y │"]


def test_code_blocks_are_found_wherever_they_stand() -> None:
    source = "```py\na\n```\n- item\n  ```sh\n  b\n  ```\n> ```\n> c\n> ```"
    assert [(code.language, code.text) for code in code_blocks(source)] == [
        ("py", "a"),
        ("sh", "b"),
        ("", "c"),
    ]
