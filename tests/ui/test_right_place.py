"""What was written in a conversation stays its own; what waits is seen; a notice ends with what it says."""

import threading

import pytest
from doubles import Reply
from screenplay import press, say, shown, until

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError

TOO_LONG = "word " * 500


def box(pilot):
    return pilot.app.screen.query_one("#composer")


async def go_to(pilot, name: str) -> None:
    await pilot.press("f3")
    await until(pilot, lambda: pilot.app.screen.query_one("#conversations").has_focus_within)
    await pilot.press("slash")
    await press(pilot, name)
    await until(pilot, lambda: f"› {name}" in shown(pilot) or name in shown(pilot))
    await pilot.press("enter", "enter")
    await until(pilot, lambda: box(pilot).title == name)


async def test_a_text_that_is_refused_goes_back_to_the_conversation_it_was_written_in(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["a", "b"], gate=gate)]
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: play.engine.asked)
        box(pilot).give_back(TOO_LONG)
        await pilot.press("enter", "ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await press(pilot, "of the second")
        gate.set()
        await until(pilot, lambda: "In “first”" in shown(pilot))
        assert "505" in shown(pilot)
        assert box(pilot).text == "of the second"
        await go_to(pilot, "first")
        assert box(pilot).text.startswith("word word")


async def test_an_edit_that_is_refused_is_an_edit_of_its_own_conversation_again(play) -> None:
    gate = threading.Event()
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot) and not box(pilot).busy)
        play.engine.replies = [Reply(["a", "b"], gate=gate)]
        await say(pilot, "more")
        await until(pilot, lambda: len(play.engine.asked) == 2)
        own_id = pilot.app.screen.shown.conversation.path()[0].id
        box(pilot).edit(own_id, TOO_LONG, is_reply=False)
        await pilot.press("enter", "ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot))
        gate.set()
        await until(pilot, lambda: "In “first”" in shown(pilot))
        assert box(pilot).editing is None
        assert box(pilot).text == ""
        await say(pilot, "a new one")
        await until(pilot, lambda: "echo: a new one" in shown(pilot))
        await go_to(pilot, "first")
        assert box(pilot).editing.message_id == own_id
        assert box(pilot).text.startswith("word word")


async def test_an_engine_that_is_gone_gives_every_text_back_to_its_conversation(play) -> None:
    play.may_open.clear()
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "of one")
        await until(pilot, lambda: "waiting" in shown(pilot))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "of one" not in box(pilot).text and "Things to try" in shown(pilot))
        await say(pilot, "of two")
        await until(pilot, lambda: shown(pilot).count("waiting") == 1)
        play.open_error = QwenTuiError("engine.out_of_memory")
        play.may_open.set()
        await until(pilot, lambda: box(pilot).text == "of two")
    drafts = Drafts(play.where.drafts)
    assert {drafts.load(left.own_id).text for left in drafts.left_behind()} == {"of one", "of two"}


async def test_a_reply_is_asked_for_once_however_often_the_key_is_pressed_and_what_waits_is_seen(
    play,
) -> None:
    gate = threading.Event()
    async with play.running() as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot) and not box(pilot).busy)
        play.engine.replies = [Reply(["a", "b"], gate=gate)]
        await say(pilot, "more")
        await until(pilot, lambda: len(play.engine.asked) == 2)
        await pilot.press("ctrl+r", "ctrl+r", "ctrl+r")
        await until(pilot, lambda: "Regenerate the reply" in shown(pilot) and "waiting" in shown(pilot))
        assert "Already waiting" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "Regenerate the reply" not in shown(pilot))
        assert "Already waiting" not in shown(pilot)
        assert "Cancelled" in shown(pilot)
        assert "message box" not in shown(pilot)
        gate.set()
        await until(pilot, lambda: not box(pilot).busy)
        assert len(play.engine.asked) == 2


async def test_the_error_of_a_load_ends_when_a_model_is_ready(play) -> None:
    play.open_error = QwenTuiError("engine.out_of_memory")
    title = play.open_error.explanation.title
    async with play.running() as pilot:
        notice = pilot.app.screen.query_one("#notice")
        await until(pilot, lambda: notice.text.startswith(title))
        play.open_error = None
        await pilot.app.run_action("load_model")
        await until(pilot, lambda: "scripted" in shown(pilot) and not notice.text)


async def test_what_ctrl_c_says_is_said_as_long_as_it_is_true(play, monkeypatch) -> None:
    monkeypatch.setattr("qwen_tui.ui.chat_screen.QUIT_SECONDS", 0.05)
    async with play.running() as pilot:
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not pilot.app.screen.query_one("#notice").text)
        assert pilot.app.is_running


async def test_esc_and_ctrl_r_are_named_only_where_they_do_something(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["a", "b"], gate=gate)]
    async with play.running(size=(160, 36)) as pilot:
        await until(pilot, lambda: "scripted" in shown(pilot))

        def last_line() -> str:
            return shown(pilot).splitlines()[-1]

        await until(pilot, lambda: "Stop" not in last_line())
        assert "Regenerate" not in last_line()
        await say(pilot, "go")
        await until(pilot, lambda: "Stop" in last_line() and "Regenerate" in last_line())
        gate.set()
        await until(pilot, lambda: "Stop" not in last_line() and "Regenerate" in last_line())


@pytest.mark.parametrize("key", ["f3", "f2"])
async def test_a_pane_that_is_gone_to_before_it_is_there_gets_the_keyboard(play, key) -> None:
    from textual.events import Key

    pane = {"f3": "#conversations", "f2": "#settings"}[key]
    async with play.running_at_once(size=(90, 30)) as pilot:
        pilot.app.post_message(Key(key, None))
        await until(pilot, lambda: pilot.app.screen.query_one(pane).has_focus_within)


async def test_a_reply_that_the_end_of_the_program_cut_is_marked_interrupted(play) -> None:
    play.engine.replies = [Reply(["so far ", "never"], gate=threading.Event())]
    async with play.running() as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "so far" in shown(pilot))
    store = ConversationStore(play.where.conversations)
    reply = store.load(store.list()[0]).path()[-1]
    assert (reply.content, reply.status) == ("so far ", Status.INTERRUPTED)
    async with play.running(conversation="go") as pilot:
        await until(pilot, lambda: "so far" in shown(pilot) and "Interrupted" in shown(pilot))


async def test_a_running_reply_is_whole_after_any_walk_away_and_back(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["one ", "two ", "three"], gate=gate, thinking=["hm "])]
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "one two" in shown(pilot))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await go_to(pilot, "first")
        await until(pilot, lambda: "one two" in shown(pilot))
        gate.set()
        await until(pilot, lambda: "one two three" in shown(pilot) and not box(pilot).busy)
        assert shown(pilot).count("▌ one two") == 1


async def test_what_is_typed_and_sent_while_another_conversation_opens_is_said_in_that(play, disk) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot) and not box(pilot).busy)
        await press(pilot, "of the first")
        await pilot.pause()
        disk.stop()
        pilot.app.screen.chat.session.adjust(lambda it: it)
        saving = pilot.app.screen.run_worker(pilot.app.screen._autosave.save())
        await until(pilot, lambda: disk.waits)
        await pilot.press("ctrl+n")
        await press(pilot, "of the new one")
        await pilot.press("enter")
        await press(pilot, "and more")
        assert "echo: first" in shown(pilot)
        disk.is_quick.set()
        await until(pilot, lambda: "echo: of the new one" in shown(pilot) and saving.is_finished)
        assert "▌ echo: first" not in shown(pilot)
        assert box(pilot).text == "and more"
        await go_to(pilot, "first")
        await until(pilot, lambda: box(pilot).text == "of the first")
    assert "MainThread" not in disk.waited_for_on


async def test_a_message_is_deleted_and_a_default_changed_when_the_disk_gets_to_it(play, disk) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot) and not box(pilot).busy)
        await pilot.press("shift+tab")
        await until(pilot, lambda: "d Delete" in shown(pilot))
        disk.stop()
        await pilot.press("d")
        await until(pilot, lambda: disk.waits and "▌ echo: first" not in shown(pilot))
        pilot.app.theme = "qwen-light"
        await until(pilot, lambda: pilot.app.settings.theme == "qwen-light")
        assert not play.where.config_file.exists()
        disk.is_quick.set()
        await until(pilot, lambda: play.where.config_file.exists() and "Deleted" in shown(pilot))
    assert "MainThread" not in disk.waited_for_on
    assert "qwen-light" in play.where.config_file.read_text()


async def test_the_palette_finds_settings_by_their_names(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await pilot.press("ctrl+p")
        await press(pilot, "temperature")
        await until(pilot, lambda: "Set temperature" in shown(pilot))
        await pilot.press("enter")
        row = pilot.app.screen_stack[0].query_one("#setting-temperature")
        await until(pilot, lambda: row.has_focus)


async def test_the_conversation_that_was_used_last_is_offered_on_the_first_screen(play) -> None:
    async with play.running() as pilot:
        await say(pilot, "of yesterday")
        await until(pilot, lambda: "echo: of yesterday" in shown(pilot) and not box(pilot).busy)
    async with play.running() as pilot:
        await until(pilot, lambda: "› of yesterday  now" in shown(pilot))
        await pilot.press("up", "down", "down", "down", "enter")
        await until(pilot, lambda: "echo: of yesterday" in shown(pilot))
        assert box(pilot).text == ""
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await say(pilot, "of today")
        await until(pilot, lambda: "echo: of today" in shown(pilot) and not box(pilot).busy)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "› of today" in shown(pilot))
        assert shown(pilot).index("› of today") < shown(pilot).index("› of yesterday")
