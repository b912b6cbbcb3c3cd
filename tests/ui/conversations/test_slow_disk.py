"""A disk that takes its time, a network's for one: the screen goes on, and nothing is written twice."""

from screenplay import press, say, shown, until
from test_conversations_pane import WIDE, in_the_list, names, rows, seed, under_the_cursor

from qwen_tui.ui.conversations.list import ConversationList


async def test_while_a_message_is_being_saved_the_screen_does_all_that_it_can(play, disk) -> None:
    seed(play, "a", "b")
    async with play.running(size=WIDE) as pilot:
        await until(pilot, lambda: pilot.app.screen.query(ConversationList) and len(rows(pilot)) == 2)
        disk.stop()
        await say(pilot, "go")
        await until(pilot, lambda: disk.waits)
        await press(pilot, "meanwhile")
        await until(pilot, lambda: "meanwhile" in shown(pilot))
        await in_the_list(pilot, 2)
        await pilot.press("end")
        assert under_the_cursor(pilot) == "b"
        await pilot.press("f2")
        await until(pilot, lambda: pilot.app.screen.query_one("#settings").has_focus_within)
        session = pilot.app.screen.query_one("#talk").session
        session.adjust(lambda it: it)  # what a setting's row does
        disk.is_quick.set()
        await until(pilot, lambda: "echo: go" in shown(pilot))
        await until(pilot, lambda: names(play) == ["go", "a", "b"] and session.is_saved)
        assert "MainThread" not in disk.waited_for_on
        assert disk.written["go.json"] <= 3  # the question, the reply, the setting


async def test_a_turn_on_a_slow_disk_is_saved_once_for_each_message(play, disk) -> None:
    async with play.running(size=WIDE) as pilot:
        disk.stop()
        await say(pilot, "go")
        await until(pilot, lambda: disk.waits)
        autosave = pilot.app.screen._autosave
        saves = [pilot.app.screen.run_worker(autosave.save()) for _ in range(5)]
        await pilot.pause()
        disk.is_quick.set()
        await until(pilot, lambda: "echo: go" in shown(pilot) and all(each.is_finished for each in saves))
        await until(pilot, lambda: not pilot.app.screen.query_one("#composer").busy)
        assert disk.written["go.json"] == 2
        drafts = {name: count for name, count in disk.written.items() if name[0] != "." and name != "go.json"}
        assert sum(drafts.values()) <= 2, "as it was written, and while it waited"


async def test_what_is_done_in_the_list_is_done_when_the_disk_gets_to_it(play, disk) -> None:
    seed(play, "a", "b", "c")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 3)
        disk.stop()
        await pilot.press("p")
        await until(pilot, lambda: disk.waits)
        await pilot.press("end", "r", "ctrl+u", "x", "enter", "up", "delete", "n")
        await press(pilot, "typed")
        assert rows(pilot) == ["a", "b", "c"]
        assert "MainThread" not in disk.waited_for_on
        disk.is_quick.set()
        await until(pilot, lambda: rows(pilot) == ["▴ a", "x"])
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").text == "typed")
        assert sorted(names(play)) == ["a", "x"]


async def test_leaving_waits_for_the_disk_once_and_says_what_leaving_again_would_lose(play, disk) -> None:
    seed(play, "a")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 1)
        disk.stop()
        await pilot.press("p")
        await until(pilot, lambda: disk.waits)
        await pilot.press("ctrl+q", "ctrl+q")
        await until(pilot, lambda: "Not everything is saved" in shown(pilot))
        assert pilot.app.is_running
        disk.is_quick.set()
        await until(pilot, lambda: not pilot.app.is_running)
    assert "MainThread" not in disk.waited_for_on
