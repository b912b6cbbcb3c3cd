"""The list of conversations as it is drawn, and the keys that move in it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from screenplay import until
from textual.app import App, ComposeResult
from textual.geometry import Size

from qwen_tui.ui.conversations.list import ConversationList, from_mark, marked_parts
from qwen_tui.ui.conversations.row import ConversationRow, in_order
from qwen_tui.wording.times import days_group, last_use

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def row(id: str, title: str = "", *, minutes: float = 0, **flags: Any) -> ConversationRow:
    updated = (NOON - timedelta(minutes=minutes)).isoformat()
    return ConversationRow(id=id, title=title or id, updated=updated, **flags)


THREE = in_order((row("b", minutes=3), row("a", "广州美食", minutes=2), row("c", minutes=60 * 26)))


class ListApp(App[None]):
    """The list alone."""

    def __init__(self, rows: tuple[ConversationRow, ...] = (), width: int = 26) -> None:
        super().__init__()
        self.list = ConversationList(lambda: NOON)
        self.list.styles.width = width
        self.given = rows
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.rows = self.given
        self.list.focus()

    def on_conversation_list_chosen(self, event: ConversationList.Chosen) -> None:
        self.chosen.append(event.id)

    @property
    def shown(self) -> list[str]:
        """What stands in the list, row by row, with its marks."""
        size = self.list.size
        rows = (strip.text.rstrip() for strip in self.list.render_lines(size.region))
        return [row for row in rows if row]


async def test_the_last_used_stands_first_and_pinned_ones_before_it() -> None:
    app = ListApp(in_order((*THREE, row("old", minutes=60 * 24 * 400, pinned=True))))
    async with app.run_test(size=(80, 24)):
        assert [line.split() for line in app.shown] == [
            ["Pinned"],
            ["▴", "old", "2025"],
            ["Today"],
            ["广州美食", "2m"],
            ["b", "3m"],
            ["Yesterday"],
            ["c", "1d"],
        ]


async def test_times_stand_at_the_right_edge_whatever_the_title() -> None:
    app = ListApp((row("a", "为什么广州人喜欢喝早茶而不是咖啡呢"), row("b", "x" * 80), row("c", "名a" * 20)))
    async with app.run_test(size=(80, 24)):
        strips = app.list.render_lines(Size(26, 4).region)[1:]
        assert all(strip.text.endswith("… now ") for strip in strips)
        assert all(strip.cell_length == 26 for strip in strips)


async def test_titles_are_only_text() -> None:
    app = ListApp((row("a", "[red]x[/] \x1b[31m\x07y\n‮z"), row("b", "[/]")))
    async with app.run_test(size=(80, 24)):
        assert [line.split(" now")[0].strip() for line in app.shown[1:]] == ["[red]x[/] y z", "[/]"]


async def test_running_and_unread_replies_are_marked() -> None:
    app = ListApp((row("a", running=True, pinned=True), row("b", unread=True), row("c")))
    async with app.run_test(size=(80, 24)):
        rows = [line[:3] for line in app.shown]
        assert rows == ["  P", "○ a", "  T", "● b", "  c"]


async def test_the_open_conversation_is_marked_and_has_the_cursor() -> None:
    app = ListApp(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        app.list.open_id = "b"
        assert app.list.row == row("b", minutes=3)
        accent = app.theme_variables["text-accent"].lower()
        await until(pilot, lambda: accent in app.export_screenshot().lower())


async def test_at_first_the_cursor_stands_on_the_one_used_last_and_not_on_a_pinned_one() -> None:
    app = ListApp(in_order((*THREE, row("old", minutes=600, pinned=True))))
    async with app.run_test(size=(80, 24)):
        assert app.list.row is not None
        assert app.list.row.id == "a"


async def test_the_cursor_stays_with_its_conversation_when_the_order_changes() -> None:
    app = ListApp(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        app.list.rows = in_order((*THREE[::2], row("b", "renamed", minutes=60 * 50)))
        await pilot.press("enter")
        await until(pilot, lambda: app.chosen)
    assert app.chosen == ["b"]


async def test_thousands_of_conversations_are_as_quick_as_ten() -> None:
    def seconds(count: int) -> float:
        rows = tuple(row(str(i), f"{i} 会话 " * 5, minutes=i) for i in range(count))
        app.list.rows = ()
        began = time.process_time()
        for _ in range(5):
            app.list.rows = ()
            app.list.rows = in_order(rows)
            app.list.render_lines(app.list.size.region)
        return time.process_time() - began

    app = ListApp()
    async with app.run_test(size=(80, 24)) as pilot:
        few = seconds(10)
        assert seconds(5_000) < 50 * few
        assert len(app.query("*")) <= 4
        await pilot.press("end", "up", "enter")
        await until(pilot, lambda: app.chosen)
        assert app.shown[-1].startswith("  4999 会话")
    assert app.chosen == ["4998"]


async def test_a_row_is_drawn_at_any_width() -> None:
    app = ListApp(THREE, width=8)
    async with app.run_test(size=(60, 20)):
        assert [line.split()[-1] for line in app.shown] == ["Today", "2m", "3m", "Yeste…", "1d"]


async def test_the_keys_move_and_open() -> None:
    app = ListApp(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("down", "end", "up", "home", "up", "pagedown", "k", "k", "j"):
            await pilot.press(key, "enter")
        await until(pilot, lambda: len(app.chosen) == 9)
    assert app.chosen == list("bcbaacbab")


async def test_below_the_title_stand_the_last_words_and_the_number_of_messages() -> None:
    app = ListApp(
        (row("a", minutes=2, words="早茶是广州人的生活方式和日常", messages=12), row("b", minutes=3))
    )
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.shown[1:] == [
            "  a                    2m",
            "  早茶是广州人的生活…  12",
            "  b                    3m",
        ]
        await pilot.click(ConversationList, offset=(5, 2))
        await until(pilot, lambda: app.chosen)
    assert app.chosen == ["a"]


async def test_what_a_search_has_found_is_not_grouped() -> None:
    app = ListApp()
    async with app.run_test(size=(80, 24)):
        app.list.marked = ("tea",)
        app.list.rows = (row("a", snippet="some tea"), row("b", minutes=9_000))
        assert [line.split()[0] for line in app.shown] == ["a", "…ome", "b"]


@pytest.mark.parametrize(
    ("updated", "group"),
    [
        ("2026-06-15T00:01:00+00:00", "today"),
        ("2026-06-16T00:00:00+00:00", "today"),
        ("2026-06-14T23:59:00+00:00", "yesterday"),
        ("2026-06-08T00:00:00+00:00", "week"),
        ("2026-06-07T23:00:00", "older"),
        ("no time", "older"),
    ],
)
def test_conversations_are_grouped_by_days(updated: str, group: str) -> None:
    assert days_group(updated, NOON) == group


async def test_a_click_opens() -> None:
    app = ListApp(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(ConversationList, offset=(5, 0))  # the name of a group
        await pilot.click(ConversationList, offset=(5, 2))
        await pilot.click(ConversationList, offset=(5, 9))
        await until(pilot, lambda: app.chosen)
    assert app.chosen == ["b"]


@pytest.mark.parametrize(
    ("text", "words", "parts"),
    [
        ("Steamed buns", ("steamed",), [("Steamed", True), (" buns", False)]),
        ("早茶和早餐", ("早", "早茶"), [("早茶", True), ("和", False), ("早", True), ("餐", False)]),
        ("a.b", (".",), [("a", False), (".", True), ("b", False)]),
        ("nothing", (), [("nothing", False)]),
    ],
)
def test_the_words_that_were_looked_for_are_marked(text: str, words: tuple[str, ...], parts: object) -> None:
    assert marked_parts(text, words) == parts


@pytest.mark.parametrize(
    ("text", "shown"),
    [("all of the tea", "…the tea"), ("the tea", "the tea"), ("Tea", "Tea"), ("none of it", "none of it")],
)
def test_a_snippet_begins_shortly_before_what_was_looked_for(text: str, shown: str) -> None:
    assert from_mark(text, ("tea", "else")) == shown


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
async def test_the_cursor_is_seen_in_every_kind_of_theme(theme: str) -> None:
    app = ListApp(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await pilot.pause()
        _, first, second = app.list.render_lines(_rows(app, 3))
        assert _ground(first) != _ground(second)
        app.set_focus(None)
        await pilot.pause()
        _, first, second = app.list.render_lines(_rows(app, 3))
        assert _ground(first) == _ground(second)


def _rows(app: Any, count: int) -> Any:
    return Size(app.list.size.width, count).region


def _ground(strip: Any) -> tuple[Any, ...]:
    style = list(strip)[1].style
    return style.bgcolor, bool(style.reverse)


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=59), "59m"),
        (timedelta(hours=23), "23h"),
        (timedelta(days=6, hours=5), "6d"),
        (timedelta(days=7), "Jun 8"),
        (timedelta(days=200), "2025"),
    ],
)
def test_last_use_is_a_few_characters(ago: timedelta, text: str) -> None:
    assert last_use((NOON - ago).isoformat(), NOON) == text


@pytest.mark.parametrize("updated", ["", "yesterday", "2026-13-45"])
def test_an_unreadable_time_shows_nothing(updated: str) -> None:
    assert last_use(updated, NOON) == ""


def test_a_time_without_a_zone_is_utc() -> None:
    assert last_use(datetime(2026, 6, 15, 11).isoformat(), NOON) == "1h"
