"""Every turn can be changed, and what it was before stays reachable."""

import threading

from doubles import Reply
from screenplay import Screenplay, press, say, shown, until

from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.store import ConversationStore


def on_disk(play: Screenplay) -> Conversation:
    """The one conversation that there is."""
    store = ConversationStore(play.where.conversations)
    (entry,) = store.list()
    return store.load(entry)


def path(play: Screenplay) -> list[str]:
    return [message.content for message in on_disk(play).path()]


def is_idle(pilot) -> bool:
    return not pilot.app.screen.query_one("#composer").busy


async def answered(pilot, text: str, answer: str) -> None:
    """Send this and wait for the end of the answer."""
    await say(pilot, text)
    await until(pilot, lambda: answer in shown(pilot) and is_idle(pilot))


async def test_regenerating_makes_a_sibling_and_the_arrow_keys_walk_between_them(play) -> None:
    play.engine.replies = [Reply(["old answer"]), Reply(["new answer"])]
    async with play.running() as pilot:
        await answered(pilot, "go", "old answer")
        old = on_disk(play).path()[-1]
        await pilot.press("shift+tab", "r")
        await until(pilot, lambda: "new answer" in shown(pilot) and "‹ 2 / 2 ›" in shown(pilot))
        assert "old answer" not in shown(pilot)
        await until(pilot, lambda: path(play) == ["go", "new answer"] and is_idle(pilot))
        await pilot.press("left")
        await until(pilot, lambda: "old answer" in shown(pilot) and "‹ 1 / 2 ›" in shown(pilot))
        assert on_disk(play).message(old.id) == old
        assert path(play) == ["go", "old answer"]
        await pilot.press("right")
        await until(pilot, lambda: "new answer" in shown(pilot))
        assert path(play) == ["go", "new answer"]


async def test_editing_a_question_makes_a_branch_and_the_other_one_stays_reachable(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first", "echo: first")
        await answered(pilot, "second", "echo: second")
        await pilot.press("shift+tab", "up", "up", "up", "e")
        composer = pilot.app.screen.query_one("#composer")
        await until(pilot, lambda: composer.text == "first" and composer.has_focus_within)
        await press(pilot, "!")
        await pilot.press("enter")
        await until(pilot, lambda: path(play) == ["first!", "echo: first!"])
        await until(pilot, lambda: "‹ 2 / 2 ›" in shown(pilot) and "echo: second" not in shown(pilot))
        await pilot.press("shift+tab", "up", "left")
        await until(pilot, lambda: "echo: second" in shown(pilot))
        assert path(play) == ["first", "echo: first", "second", "echo: second"]
        assert len(on_disk(play).messages) == 6


async def test_an_edited_reply_is_a_marked_sibling_from_which_the_model_can_go_on(play) -> None:
    play.engine.replies = [Reply(["I think so."]), Reply([" and why."])]
    async with play.running() as pilot:
        await answered(pilot, "go", "I think so.")
        await pilot.press("shift+tab", "e", "home", "ctrl+k")
        await press(pilot, "Surely not")
        await pilot.press("enter")
        await until(pilot, lambda: path(play) == ["go", "Surely not"])
        await until(pilot, lambda: "edited" in shown(pilot) and "‹ 2 / 2 ›" in shown(pilot))
        mine = on_disk(play).path()[-1]
        assert mine.edited
        assert not mine.receipt
        await pilot.press("shift+tab", "c")
        await until(pilot, lambda: path(play) == ["go", "Surely not and why."])
        assert play.engine.asked[-1].continues
        assert on_disk(play).path()[-1].id == mine.id
        assert [message.content for message in on_disk(play).messages][:2] == ["go", "I think so."]


async def test_a_stopped_reply_goes_on_in_the_same_message(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["One, ", "never"], gate=gate), Reply(["two, ", "three."])]
    async with play.running() as pilot:
        await say(pilot, "count")
        await until(pilot, lambda: "One," in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: path(play) == ["count", "One, "] and is_idle(pilot))
        before = on_disk(play).path()[-1]
        assert before.status == "stopped"
        await pilot.press("shift+tab", "c")
        await until(pilot, lambda: path(play) == ["count", "One, two, three."])
        await until(pilot, lambda: "One, two, three." in shown(pilot))
        after = on_disk(play).path()[-1]
        assert (after.id, after.status, len(after.receipt)) == (before.id, "complete", 2)
        assert [message.role for message in play.engine.asked[-1].messages] == ["user", "assistant"]


async def test_sending_editing_and_regenerating_work_right_after_a_stop(play) -> None:
    play.engine.replies = [Reply(["a ", "b"], gate=threading.Event()) for _ in range(3)]
    async with play.running() as pilot:
        await say(pilot, "go")
        for keys in (("shift+tab", "r"), ("shift+tab", "up", "e", "enter")):
            pilot.app.screen.query_one("#composer").focus()
            asked = len(play.engine.asked)
            await until(pilot, lambda: pilot.app.screen.query_one("#composer").busy)
            await pilot.press("escape", *keys)
            await until(pilot, lambda asked=asked: len(play.engine.asked) == asked + 1)
        await pilot.press("escape")
        pilot.app.screen.query_one("#composer").focus()
        await answered(pilot, "next", "echo: next")
        statuses = [m.status for m in on_disk(play).messages if m.role == "assistant"]
        assert statuses == ["stopped", "stopped", "stopped", "complete"]


async def test_a_deleted_turn_comes_back_with_undo(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first", "echo: first")
        await answered(pilot, "second", "echo: second")
        before = on_disk(play)
        await pilot.press("shift+tab", "up", "d")
        await until(pilot, lambda: path(play) == ["first", "echo: first"])
        await until(pilot, lambda: "echo: second" not in shown(pilot))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "echo: second" in shown(pilot))
        assert (on_disk(play).messages, on_disk(play).head) == (before.messages, before.head)


async def test_undo_shows_the_branch_from_before_an_edit(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first", "echo: first")
        await pilot.press("shift+tab", "up", "e")
        await press(pilot, "!")
        await pilot.press("enter")
        await until(pilot, lambda: path(play) == ["first!", "echo: first!"])
        await until(pilot, lambda: is_idle(pilot))
        await pilot.press("shift+tab", "ctrl+z")
        await until(pilot, lambda: path(play) == ["first", "echo: first"])
        await until(pilot, lambda: "echo: first" in shown(pilot) and "‹ 1 / 2 ›" in shown(pilot))


async def test_esc_leaves_editing_and_gives_the_draft_back(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first", "echo: first")
        await press(pilot, "half a thought")
        await pilot.press("shift+tab", "up", "e")
        composer = pilot.app.screen.query_one("#composer")
        await until(pilot, lambda: composer.text == "first")
        await pilot.press("escape")
        await until(pilot, lambda: composer.text == "half a thought")
        assert path(play) == ["first", "echo: first"]


async def test_a_running_reply_keeps_what_would_disturb_it_from_being_done(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["old"]), Reply(["new ", "one"], gate=gate)]
    async with play.running() as pilot:
        await answered(pilot, "go", "old")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "new" in shown(pilot))
        await pilot.press("shift+tab", "d", "left", "c", "ctrl+z")
        await pilot.pause()
        gate.set()
        await until(pilot, lambda: path(play) == ["go", "new one"])
        assert len(on_disk(play).messages) == 3


async def test_a_receipt_is_shown_and_its_reply_replayed(play) -> None:
    play.engine.replies = [Reply(["The ", "same."]), Reply(["The ", "same."]), Reply(["The ", "other."])]
    async with play.running() as pilot:
        await answered(pilot, "go", "The same.")
        await pilot.press("shift+tab", "i")
        await until(
            pilot, lambda: "scripted" in shown(pilot) and "0.7" in shown(pilot) and "Seed" in shown(pilot)
        )
        await pilot.press("p")
        await until(pilot, lambda: "tokens match" in shown(pilot))
        assert play.engine.asked[-1].sampling.seed == 7
        await pilot.press("p")
        await until(pilot, lambda: "First difference" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 1)
        assert path(play) == ["go", "The same."]
        assert len(on_disk(play).messages) == 2


async def test_a_code_block_is_saved_to_a_file_and_never_over_another_unasked(play, tmp_path) -> None:
    play.engine.replies = [Reply(["```python\nprint(1)\n```\n"])]
    target = tmp_path / "mine.py"
    async with play.running() as pilot:
        await answered(pilot, "go", "print(1)")
        for expected in ("print(1)\n", "print(1)\n"):
            await pilot.press("shift+tab", "s")
            await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
            await pilot.press("ctrl+u")
            await press(pilot, str(target))
            await pilot.press("enter")
            await pilot.pause()
            if target.exists() and target.read_text() == "keep":
                assert len(pilot.app.screen_stack) == 2
                await pilot.press("enter")
            await until(pilot, lambda: len(pilot.app.screen_stack) == 1)
            await until(pilot, lambda expected=expected: target.read_text() == expected)
            target.write_text("keep")
            pilot.app.screen.query_one("#composer").focus()
