"""The list of conversations as a person meets it."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from pane_hosts import NOON, ConversationsHost, lines, until
from textual.geometry import Size

from qwen_tui.chat.index import Entry
from qwen_tui.chat.search import Hit
from qwen_tui.session.search import Found
from qwen_tui.ui.conversations.list import ConversationList, from_mark, marked_parts
from qwen_tui.ui.conversations.rename_field import RenameField
from qwen_tui.ui.conversations.row import ConversationRow, last_use


def row(id: str, title: str = "", *, minutes: float = 0, **flags: bool) -> ConversationRow:
    updated = (NOON - timedelta(minutes=minutes)).isoformat()
    return ConversationRow(id=id, title=title or id, updated=updated, **flags)


THREE = (row("b", minutes=3), row("a", "广州美食", minutes=2), row("c", minutes=60 * 26))


async def test_the_last_used_stands_first_and_pinned_ones_before_it() -> None:
    app = ConversationsHost((*THREE, row("old", minutes=60 * 24 * 400, pinned=True)))
    async with app.run_test(size=(80, 24)):
        assert [line.split() for line in app.shown] == [
            ["▴", "old", "2025"],
            ["广州美食", "2m"],
            ["b", "3m"],
            ["c", "1d"],
        ]


async def test_times_stand_at_the_right_edge_whatever_the_title() -> None:
    app = ConversationsHost(
        (row("a", "为什么广州人喜欢喝早茶而不是咖啡呢"), row("b", "x" * 80), row("c", "名a" * 20))
    )
    async with app.run_test(size=(80, 24)):
        strips = app.screen._compositor.render_strips()[2:5]
        cut = [strip.crop(0, 26).text for strip in strips]
        assert all(line.endswith("… now ") for line in cut)
        assert all(strip.crop(0, 26).cell_length == 26 for strip in strips)


async def test_titles_are_only_text() -> None:
    app = ConversationsHost((row("a", "[red]x[/] \x1b[31m\x07y\n‮z"), row("b", "[/]")))
    async with app.run_test(size=(80, 24)):
        assert [line.split(" now")[0].strip() for line in app.shown] == ["[red]x[/] y z", "[/]"]


async def test_running_and_unread_replies_are_marked() -> None:
    app = ConversationsHost((row("a", running=True, pinned=True), row("b", unread=True), row("c")))
    async with app.run_test(size=(80, 24)):
        assert [line[:3] for line in app.shown] == ["○ a", "● b", "  c"]


async def test_the_open_conversation_is_marked_and_has_the_cursor() -> None:
    app = ConversationsHost(THREE, open_id="b")
    async with app.run_test(size=(80, 24)) as pilot:
        conversations = app.query_one(ConversationList)
        assert conversations.row == row("b", minutes=3)
        accent = app.theme_variables["text-accent"].lower()
        await until(pilot, lambda: accent in app.export_screenshot().lower())


async def test_the_keys_move_and_open() -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("down", "end", "up", "home", "up", "pagedown"):
            await pilot.press(key, "enter")
        await until(pilot, lambda: len(app.said) == 6)
    assert [said[1] for said in app.said] == list("bcbaac")


async def test_a_click_opens() -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(ConversationList, offset=(5, 1))
        await pilot.click(ConversationList, offset=(5, 9))
        await until(pilot, lambda: app.said)
    assert app.said == [("opened", "b")]


async def test_the_other_keys_ask_for_what_they_say() -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n", "p", "ctrl+z", "escape")
        await until(pilot, lambda: len(app.said) == 4)
    assert app.said == [("new",), ("pinned", "a", True), ("undo",), ("esc",)]


async def test_after_deleting_the_cursor_is_on_the_next_row() -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("delete")
        await until(pilot, lambda: len(app.shown) == 2)
        await pilot.press("end", "delete")
        await until(pilot, lambda: len(app.shown) == 1)
        assert app.focused is app.query_one(ConversationList)
        await pilot.press("delete", "delete", "enter", "r")
        await until(pilot, lambda: "No conversations yet." in " ".join(lines(app)))
        await pilot.press("n")
        await until(pilot, lambda: app.said[-1] == ("new",))
    assert app.said == [("trashed", "a"), ("trashed", "c"), ("trashed", "b"), ("new",)]


async def test_the_cursor_stays_with_its_conversation_when_the_order_changes() -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        app.pane.entries = (*THREE[1:], row("b", "renamed", minutes=60 * 50))
        await pilot.press("enter")
        await until(pilot, lambda: app.said)
    assert app.said == [("opened", "b")]


async def test_a_title_is_edited_in_place() -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "r")
        await until(pilot, lambda: isinstance(app.focused, RenameField))
        assert app.query_one(RenameField).region.y == app.query_one(ConversationList).region.y + 1
        await pilot.press(*"nrp 新", "ctrl+z", "enter")
        await until(pilot, lambda: app.focused is app.query_one(ConversationList))
        assert not app.query(RenameField)
    assert app.said == [("renamed", "b", "nrp 新")]


@pytest.mark.parametrize("keys", [("x", "escape"), ("enter",), ("backspace", "enter"), ("x", "tab")])
async def test_a_title_is_kept_when_nothing_new_is_given(keys: tuple[str, ...]) -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.focused, RenameField))
        await pilot.press(*keys)
        await until(pilot, lambda: not app.query(RenameField))
    assert app.said == []


async def test_a_search_narrows_the_list() -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"美食")
        await until(pilot, lambda: len(app.shown) == 1)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.said)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.shown) == 3)
        await pilot.press("slash", *"zz")
        await until(pilot, lambda: "Searching" in " ".join(lines(app)))
        app.pane.found = Found("zz", {}, is_done=True)
        await until(pilot, lambda: "Nothing has that" in " ".join(lines(app)))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.shown) == 3)
        await pilot.press("escape")
        await until(pilot, lambda: app.said[-1] == ("esc",))
    assert app.said == [("opened", "a"), ("esc",)]


async def test_what_was_said_is_shown_under_the_title_and_leads_to_the_message() -> None:
    app = ConversationsHost(THREE)
    entry = Entry(id="b", name="x", updated="", pinned=False, messages=2, file="x.json", stamp=(0, 0, 0))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"steamed")
        app.pane.found = Found("older", {"a": Hit(entry, "of an older question", "m0")}, is_done=True)
        await pilot.pause()
        assert len(app.shown) == 0
        hits = {
            "b": Hit(entry, "… Steamed buns [b]and[/b] \x1b[31mtea", "m7"),
            "c": Hit(entry, "steamed", "m9"),
        }
        app.pane.found = Found("steamed", hits, is_done=True)
        await until(pilot, lambda: len(app.shown) == 4)
        text = "\n".join(lines(app))
        assert "Steamed buns [b]an" in text
        assert "\x1b[31m" not in text
        await pilot.press("enter", "down", "up", "enter")
        await until(pilot, lambda: app.said)
    assert app.said == [("opened", "b")]


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


async def test_an_empty_list_says_how_to_begin() -> None:
    app = ConversationsHost()
    async with app.run_test(size=(60, 20)):
        assert "Write a message to" in " ".join(lines(app))


async def test_thousands_of_conversations_are_as_quick_as_ten() -> None:
    many = tuple(row(str(i), f"{i} 会话 " * 5, minutes=i) for i in range(5_000))
    app = ConversationsHost()
    async with app.run_test(size=(80, 24)) as pilot:
        widgets = len(app.query("*"))
        began = time.perf_counter()
        app.pane.entries = many
        await until(pilot, lambda: len(app.shown) > 10)
        await pilot.press("end", "up", "enter")
        await until(pilot, lambda: app.said)
        assert time.perf_counter() - began < 1.0
        assert len(app.query("*")) <= widgets + 1
        assert app.shown[-1].startswith("  4999 会话")
    assert app.said == [("opened", "4998")]


async def test_a_row_is_drawn_at_any_width() -> None:
    class Narrow(ConversationsHost):
        CSS = "ConversationsPane { dock: left; width: 8; }"

    app = Narrow(THREE)
    async with app.run_test(size=(60, 20)):
        assert [line.split()[-1] for line in app.shown] == ["2m", "3m", "1d"]


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
async def test_the_cursor_is_seen_in_every_kind_of_theme(theme: str) -> None:
    app = ConversationsHost(THREE)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await pilot.pause()
        first, second = app.query_one(ConversationList).render_lines(_rows(app, 2))
        assert _ground(first) != _ground(second)
        app.set_focus(None)
        await pilot.pause()
        first, second = app.query_one(ConversationList).render_lines(_rows(app, 2))
        assert _ground(first) == _ground(second)


def _rows(app: Any, count: int) -> Any:
    return Size(app.query_one(ConversationList).size.width, count).region


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
