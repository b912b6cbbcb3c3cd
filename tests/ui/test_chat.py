"""The screen as a person meets it, on a scripted engine."""

import threading
from dataclasses import replace

import pytest
from doubles import Reply
from screenplay import Screenplay, press, say, shown, until
from textual import events

from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.settings.pane import SettingsPane
from qwen_tui.ui.settings.scope_switch import ScopeSwitch


def contents(play: Screenplay) -> dict[str, list[str]]:
    """What stands on disk: the shown messages of each conversation by its name."""
    store = ConversationStore(play.where.conversations)
    return {entry.name: [m.content for m in store.load(entry).path()] for entry in store.list()}


async def test_an_empty_conversation_says_where_you_are_and_what_to_try(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: "Things to try" in shown(pilot) and "scripted" in shown(pilot))
        assert "400 tokens" in shown(pilot)
        assert "⏎ Send" in shown(pilot)


async def test_a_message_is_answered_and_both_are_on_disk(play) -> None:
    play.engine.replies = [Reply(["The **answer** ", "is 42."])]
    async with play.running() as pilot:
        await say(pilot, "what is it")
        await until(pilot, lambda: "The answer is 42." in shown(pilot) and "tok/s" in shown(pilot))
        assert contents(play) == {"what is it": ["what is it", "The **answer** is 42."]}


async def test_what_is_sent_before_the_model_is_ready_waits_and_says_so(play) -> None:
    play.may_open.clear()
    async with play.running() as pilot:
        await say(pilot, "early bird")
        await until(pilot, lambda: "early bird" in shown(pilot) and "waiting" in shown(pilot))
        play.may_open.set()
        await until(pilot, lambda: "echo: early bird" in shown(pilot))


async def test_esc_takes_a_waiting_message_back_before_it_stops_loading(play) -> None:
    play.may_open.clear()
    async with play.running() as pilot:
        await say(pilot, "early bird")
        await until(pilot, lambda: "waiting" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").text == "early bird")
        play.may_open.set()
        await until(pilot, lambda: pilot.app.engine_state and pilot.app.screen.query_one("#composer").text)
        assert not play.engine.asked


async def test_esc_stops_the_reply_and_keeps_the_text(play) -> None:
    play.engine.replies = [Reply(["so far ", "never"], gate=threading.Event())]
    async with play.running() as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "so far" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "topped" in shown(pilot))
        assert contents(play) == {"go": ["go", "so far "]}
        await say(pilot, "on")
        await until(pilot, lambda: "echo: on" in shown(pilot))


async def test_a_reply_goes_on_in_its_own_conversation_after_switching(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["one ", "two"], gate=gate)]
    async with play.running() as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "one" in shown(pilot))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await say(pilot, "second")
        gate.set()
        await until(pilot, lambda: "echo: second" in shown(pilot))
        assert "one two" not in shown(pilot)
        assert contents(play) == {"first": ["first", "one two"], "second": ["second", "echo: second"]}


async def test_coming_back_to_a_running_reply_shows_all_of_it_once(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["one ", "two ", "three"], gate=gate)]
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "one two" in shown(pilot))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await pilot.press("f3", "enter")
        await until(pilot, lambda: "one two" in shown(pilot))
        gate.set()
        await until(pilot, lambda: "one two three" in shown(pilot))
        assert shown(pilot).count("▌ one two three") == 1


async def test_regenerating_shows_the_new_answer_in_place_of_the_old_one(play) -> None:
    play.engine.replies = [Reply(["old answer"]), Reply(["new answer"])]
    async with play.running() as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "old answer" in shown(pilot))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "new answer" in shown(pilot))
        assert "old answer" not in shown(pilot)


async def test_a_message_that_is_too_long_comes_back_with_both_numbers(play) -> None:
    async with play.running() as pilot:
        composer = pilot.app.screen.query_one("#composer")
        composer.give_back("word " * 500)
        composer.focus()
        await pilot.press("enter")
        await until(pilot, lambda: "505" in shown(pilot) and "300" in shown(pilot))
        assert composer.text.strip() == ("word " * 500).strip()
        assert contents(play) == {}


async def test_the_memory_line_shows_where_the_models_memory_begins(play) -> None:
    async with play.running(size=(120, 60)) as pilot:
        for number in range(5):
            pilot.app.screen.query_one("#composer").give_back(f"{number} " + "word " * 30)
            await pilot.press("enter")
            await until(pilot, lambda number=number: len(play.engine.asked) == number + 1)
        await until(pilot, lambda: "the model sees from here" in shown(pilot))


async def test_a_model_that_cannot_be_loaded_is_said_and_sending_tries_again(play) -> None:
    play.open_error = QwenTuiError("engine.out_of_memory")
    async with play.running() as pilot:
        await until(pilot, lambda: type(pilot.app.engine_state).__name__ == "Failed")
        await say(pilot, "hello")
        await until(pilot, lambda: len(play.loads) == 2)
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").text == "hello")
        assert contents(play) == {}
        play.open_error = None
        await pilot.press("enter")
        await until(pilot, lambda: "echo: hello" in shown(pilot))


async def test_a_model_that_cannot_be_loaded_is_said_beside_another_conversation_too(play) -> None:
    play.open_error = QwenTuiError("engine.out_of_memory")
    title = play.open_error.explanation.title
    async with play.running() as pilot:
        await until(pilot, lambda: shown(pilot).count(title) > 1)
        talk = pilot.app.screen.query_one("#talk")
        talk.notice.say("Something of this conversation.")
        await press(pilot, "a draft")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Something of" not in shown(pilot) and shown(pilot).count(title) > 1)


async def test_an_engine_that_dies_fails_its_reply_and_is_started_again(play) -> None:
    play.engine.replies = [Reply(["so far"], fails=QwenTuiError("engine.worker_died", how="was killed"))]
    async with play.running() as pilot:
        await until(pilot, lambda: len(play.loads) == 1)
        play.engine.on_ask = lambda request: setattr(play.engine, "alive", False)
        await say(pilot, "go")
        await until(pilot, lambda: "so far" in shown(pilot) and len(play.loads) == 2)
        play.engine.on_ask = lambda request: None
        await say(pilot, "again")
        await until(pilot, lambda: "echo: again" in shown(pilot))


async def test_the_quit_words_leave(play) -> None:
    for word in ("quit", "exit", "退出"):
        async with play.running() as pilot:
            pilot.app.screen.query_one("#composer").give_back(word)
            await pilot.press("enter")
            await until(pilot, lambda pilot=pilot: not pilot.app.is_running)
    assert contents(play) == {}


async def test_an_override_belongs_to_its_conversation_and_a_default_to_the_config_file(play) -> None:
    async with play.running(size=(150, 50)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot))
        pane = pilot.app.screen.query_one(SettingsPane)
        pane.go_to("temperature")
        await pilot.press(*"0.25", "enter")
        pane.query_one(ScopeSwitch).action_other()
        pane.go_to("top_k")
        await pilot.press("7", "enter")
        pilot.app.screen.query_one("#composer").focus()
        await until(pilot, lambda: pilot.app.settings.top_k == 7)
        await say(pilot, "second")
        await until(pilot, lambda: "echo: second" in shown(pilot))
        assert play.engine.asked[-1].sampling.temperature == 0.25
        assert play.engine.asked[-1].sampling.top_k == 7
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await say(pilot, "third")
        await until(pilot, lambda: "echo: third" in shown(pilot))
        assert play.engine.asked[-1].sampling.temperature is None
    assert "top_k = 7" in play.where.config_file.read_text()
    async with play.running(conversation="first") as pilot:
        await until(pilot, lambda: "0.25" in shown(pilot))
        await say(pilot, "fourth")
        await until(pilot, lambda: "echo: fourth" in shown(pilot))
        assert play.engine.asked[-1].sampling.temperature == 0.25
        assert play.engine.asked[-1].sampling.top_k == 7


async def test_trash_and_undo_in_the_list(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot))
        await pilot.press("f3")
        await pilot.pause()
        await pilot.press("delete")
        await until(pilot, lambda: contents(play) == {})
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: contents(play) == {"first": ["first", "echo: first"]})


async def test_rename_in_the_list(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot))
        await pilot.press("f3")
        await pilot.pause()
        await pilot.press("r", "x", "y", "enter")
        await until(pilot, lambda: contents(play).keys() == {"firstxy"} or contents(play).keys() == {"xy"})


async def test_markup_and_escape_sequences_in_a_reply_are_text(play) -> None:
    play.engine.replies = [Reply(["[red]not red[/] \x1b]52;c;aGk=\x07 [/nothing] \x1b[31mplain"])]
    async with play.running() as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "[red]not red[/]" in shown(pilot) and "[/nothing]" in shown(pilot))
        assert "\x1b" not in shown(pilot)


async def test_every_size_from_60_by_20_to_250_by_80_shows_log_and_composer(play) -> None:
    for size in ((60, 20), (80, 24), (120, 36), (200, 60), (250, 80)):
        async with play.running(size=size) as pilot:
            await until(pilot, lambda pilot=pilot: "Things to try" in shown(pilot))
            assert pilot.app.screen.query_one("#log").size.height >= 6
            assert pilot.app.screen.query_one("#composer").size.width >= 40
            for key in ("f2", "f2", "f3", "escape"):
                await pilot.press(key)
                await pilot.pause()


@pytest.mark.parametrize("key", ["f2", "f3"])
async def test_the_last_line_says_what_esc_does_where_a_pane_is_over_the_log(play, key) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await until(pilot, lambda: "⏎ Send" in shown(pilot))
        pane = pilot.app.screen.query_one("#settings" if key == "f2" else "#conversations")
        await pilot.press(key)
        await until(pilot, lambda: pane.display)
        await until(pilot, lambda: "Esc Close" in shown(pilot) and "⏎ Send" not in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not pane.display and "⏎ Send" in shown(pilot))


@pytest.mark.parametrize(("key", "pane"), [("f2", "settings"), ("f3", "conversations")])
async def test_a_pane_over_the_log_finds_its_place_beside_it_when_there_is_room(play, key, pane) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await pilot.press(key)
        widget, talk = (pilot.app.screen.query_one(id) for id in (f"#{pane}", "#talk"))
        await until(pilot, lambda: widget.region.overlaps(talk.region))
        await pilot.resize_terminal(160, 40)
        await until(pilot, lambda: widget.display and not widget.region.overlaps(talk.region))
        assert widget.has_focus_within


@pytest.mark.parametrize("key", ["f2", "f3"])
async def test_the_keyboard_of_a_pane_that_loses_its_room_goes_to_the_composer(play, key) -> None:
    async with play.running(size=(150, 40)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").has_focus_within)
        await pilot.press("x")
        await until(pilot, lambda: "│ x " in shown(pilot))


async def test_renaming_leaves_the_settings_where_they_are(play) -> None:
    async with play.running(size=(150, 30)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot))
        await pilot.press("f3")
        await pilot.press("r", "x", "enter")
        await until(pilot, lambda: "firstx" in contents(play) or "x" in contents(play))
        await pilot.pause(0.3)
        assert pilot.app.screen.query_one("#settings-rows").scroll_y == 0
        assert pilot.app.screen.query_one("#conversations").has_focus_within


async def test_without_memory_the_line_says_that_the_next_message_stands_alone(play) -> None:
    play.where.config_file.parent.mkdir(parents=True, exist_ok=True)
    play.where.config_file.write_text("[memory]\nmemory = false\n")
    async with play.running(size=(100, 30)) as pilot:
        for number in range(2):
            await say(pilot, f"question {number}")
            await until(pilot, lambda number=number: f"echo: question {number}" in shown(pilot))
        await until(pilot, lambda: "the model sees from here · 4 not sent" in shown(pilot))
        rows = shown(pilot).splitlines()
        (line,) = (number for number, row in enumerate(rows) if "the model sees from here" in row)
        assert not any("▌" in row for row in rows[line:])
        await say(pilot, "question 2")
        await until(pilot, lambda: "the model sees from here · 6 not sent" in shown(pilot))


async def test_switching_away_right_after_sending_keeps_the_conversation_open(play) -> None:
    play.engine.replies = [Reply(["a long reply"])]
    async with play.running(size=(150, 36)) as pilot:
        await until(pilot, lambda: "scripted" in shown(pilot))
        await say(pilot, "first")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: contents(play) == {"first": ["first", "a long reply"]})
        await pilot.press("f3", "enter")
        await until(pilot, lambda: "a long reply" in shown(pilot))
        await say(pilot, "second")
        await until(pilot, lambda: "echo: second" in shown(pilot))
        assert contents(play) == {"first": ["first", "a long reply", "second", "echo: second"]}


async def test_every_wrong_key_of_the_config_file_is_named(play) -> None:
    play.where.config_file.parent.mkdir(parents=True)
    play.where.config_file.write_text("[sampling]\ntop_p = 7\ntop_k = 3\ntemprature = 1\n")
    async with play.running() as pilot:
        await until(pilot, lambda: "Top-p" in shown(pilot) and "temprature" in shown(pilot))
        assert pilot.app.settings.top_k == 3


async def test_a_theme_and_ids_of_keys_that_there_are_not_are_named(play) -> None:
    play.where.config_file.parent.mkdir(parents=True)
    play.where.config_file.write_text(
        '[screen]\ntheme = "pink"\n[keys]\n"chat.stopp" = "f9"\n"receipt.close" = "x"\n"chat.new" = "f12"\n'
    )
    async with play.running() as pilot:
        await until(pilot, lambda: "pink" in shown(pilot) and "chat.stopp" in shown(pilot))
        assert "receipt.close" not in shown(pilot)
        assert "chat.new" not in shown(pilot)


@pytest.mark.parametrize("key", ["f7", "ctrl+d"])
async def test_a_key_that_the_person_has_set_works_in_the_composer(play, key: str) -> None:
    play.where.config_file.parent.mkdir(parents=True)
    play.where.config_file.write_text(f'[keys]\n"chat.regenerate" = "{key}"\n')
    play.engine.replies = [Reply(["old answer"]), Reply(["new answer"])]
    async with play.running() as pilot:
        await say(pilot, "go")
        composer = pilot.app.screen.query_one("#composer")
        await until(pilot, lambda: "old answer" in shown(pilot) and not composer.busy)
        await pilot.press(key)
        await until(pilot, lambda: "new answer" in shown(pilot))


async def test_keys_for_elsewhere_leave_the_composer_its_own(play) -> None:
    play.where.config_file.parent.mkdir(parents=True)
    play.where.config_file.write_text('[keys]\n"settings.more" = "right,backspace"\n')
    async with play.running() as pilot:
        await press(pilot, "word")
        await pilot.press("backspace")
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").text == "wor")


async def test_what_is_written_after_f6_or_f7_writes_over_nothing(play) -> None:
    async with play.running() as pilot:
        await press(pilot, "word")
        composer = pilot.app.screen.query_one("#composer")
        await pilot.press("f6", "s", "f7")
        await until(pilot, lambda: "Sampling presets" in shown(pilot))
        await pilot.press("f7", "!")
        await until(pilot, lambda: composer.text == "words!")


async def test_keys_that_come_in_a_burst_meet_the_setting_they_walked_to(play) -> None:
    async with play.running(size=(120, 40)) as pilot:
        await until(pilot, lambda: "0.70" in shown(pilot))
        await pilot.press("f2")
        await until(pilot, lambda: pilot.app.screen.query_one(SettingsPane).has_focus_within)
        for key in ("down", "down", "down", "5", "enter"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(
            pilot,
            lambda: pilot.app.screen.query_one(SettingsPane)._session.conversation.overrides == {"top_k": 5},
        )
        assert "Choose among this many" in shown(pilot)


async def test_while_the_model_thinks_a_key_asks_for_the_answer(play) -> None:
    play.engine.replies = [Reply(["The answer."], thinking=["First I "], gate=play.engine.answers_now)]
    async with play.running() as pilot:
        assert "Answer now" not in shown(pilot)
        await say(pilot, "Why?")
        await until(pilot, lambda: "Answer now" in shown(pilot))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "The answer." in shown(pilot) and "Answer now" not in shown(pilot))


async def test_a_server_that_cannot_end_a_thought_is_named_by_the_key(play) -> None:
    gate = threading.Event()
    play.engine.info = replace(play.engine.info, server="http://gpubox:8000")
    play.engine.replies = [Reply(["The answer."], thinking=["First I "], gate=gate)]
    async with play.running() as pilot:
        await say(pilot, "Why?")
        await until(pilot, lambda: "Answer now" in shown(pilot))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "cannot end the thinking early" in shown(pilot))
        gate.set()


async def test_thinking_folds_to_a_line_once_the_answer_begins_and_unfolds(play) -> None:
    play.engine.replies = [Reply(["The answer."], thinking=["First I ", "consider."])]
    async with play.running() as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "The answer." in shown(pilot) and "Thought" in shown(pilot))
        assert "First I consider." not in shown(pilot)
        pilot.app.screen.query_one("#log").focus()
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: "First I consider." in shown(pilot))
