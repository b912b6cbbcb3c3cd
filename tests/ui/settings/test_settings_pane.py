"""The settings pane as a person meets it, on the assembled screen: keys in, values and text on the screen out."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doubles import QWEN, Reply
from screenplay import Screenplay, say, shown, until
from settings_stage import pane_alone, settings_stage
from textual import events

from qwen_tui.settings.options import OPTIONS, Settings
from qwen_tui.ui.settings.pane import LEFT_OUT, SettingsPane
from qwen_tui.ui.settings.row import SettingRow
from qwen_tui.ui.settings.system_prompt import PromptText

BARE = replace(QWEN, sampling_defaults={"do_sample": False})
"""A checkpoint without a generation_config worth the name."""


@pytest.fixture
def play(tmp_path: Path) -> Screenplay:
    return Screenplay(tmp_path / "data")


async def test_every_setting_has_a_row(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        names = [row.option.name for row in stage.pane.query(SettingRow)]
    assert names == [name for name in OPTIONS if name not in LEFT_OUT]


async def test_nothing_is_changed_when_values_come_down(play) -> None:
    async with settings_stage(play, QWEN, top_k=3) as stage:
        changes = []
        stage.pane._change = lambda *change: changes.append(change)
        for row in stage.pane.query(SettingRow):
            row._change = stage.pane._change
        await stage.set(system_prompt="Be long.", greedy=True)
        stage.app.settings = Settings(temperature=0.2, system_prompt="Be brief.")
        stage.pane.show_model(None)
        await stage.pilot.press("f2", "right")
        await stage.until(lambda: stage.pane.query_one(PromptText).text == "Be brief.")
    assert changes == []


async def test_a_value_that_nobody_set_is_the_checkpoints_own(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        assert stage.line("Temperature").split() == ["Temperature", "0.70"]
        assert stage.line("Greedy").endswith(" off")
        stage.pane.show_model(None)
        await stage.pilot.pause()
        assert stage.line("Temperature").endswith(" –")


async def test_marks_tell_an_override_from_a_changed_default(play) -> None:
    async with settings_stage(
        play, QWEN, config="[sampling]\ntop_k = 40\ntemperature = 0.5", temperature=0.3
    ) as stage:
        assert stage.line("Temperature").startswith("● ")
        assert stage.line("Temperature").endswith(" 0.30")
        assert stage.line("Top-k").startswith("○ ")
        assert stage.line("Top-p").startswith("  ")
        await stage.pilot.press("f2", "right")
        assert stage.line("Temperature").startswith("○ ")
        assert stage.line("Temperature").endswith(" 0.50")


async def test_an_arrow_key_steps_from_the_value_in_force(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to("temperature")
        for key, value in (("right", 0.75), ("shift+left", 0.25), ("right", 0.3), ("left", 0.25)):
            await stage.pilot.press(key)
            assert stage.overrides == {"temperature": value}
        assert stage.defaults.temperature is None


async def test_steps_stop_at_the_bounds(play) -> None:
    async with pane_alone(play, QWEN, top_p=0.95, top_k=3) as stage:
        await stage.go_to("top_p")
        for keys, value in ((["right", "right"], 1.0), (["shift+left"], 0.5), (["shift+left", "left"], 0.05)):
            await stage.pilot.press(*keys)
            assert stage.overrides["top_p"] == value
        await stage.go_to("top_k")
        await stage.pilot.press("shift+left")
        assert stage.overrides["top_k"] == 0


@pytest.mark.parametrize("scope", ["left", "right"])
async def test_steps_that_come_in_a_burst_all_count(play, scope: str) -> None:
    async with settings_stage(play, QWEN) as stage:
        await stage.pilot.press("f2", scope)
        await stage.go_to("top_k")
        for _ in range(20):
            stage.app.post_message(events.Key("right", None))
        await stage.until(lambda: stage.line("Top-k").endswith(" 40"))
        in_force = stage.overrides["top_k"] if scope == "left" else stage.defaults.top_k
        assert in_force == 40


async def test_a_typed_number_is_applied_by_enter(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to("max_new_tokens")
        await stage.pilot.press(*"4096")
        assert stage.overrides == {}
        await stage.pilot.press("enter")
        assert stage.overrides == {"max_new_tokens": 4096}
        assert stage.line("Max new tokens").split() == ["●", "Max", "new", "tokens", "4,096"]


@pytest.mark.parametrize("key", ["tab", "down", "f2"])
async def test_leaving_a_row_applies_what_can_be_used(play, key: str) -> None:
    async with settings_stage(play, QWEN) as stage:
        await stage.go_to("min_p")
        await stage.pilot.press(*"0.05", key)
        await stage.until(lambda: stage.overrides == {"min_p": 0.05})


@pytest.mark.parametrize("row", ["temperature", "system_prompt"])
async def test_what_is_being_typed_stays_in_its_conversation_when_another_is_shown(play, row: str) -> None:
    async with settings_stage(play, QWEN) as stage:
        await say(stage.pilot, "first")
        await stage.until(lambda: "echo: first" in shown(stage.pilot))
        before = stage.pane._session
        await stage.go_to(row)
        await stage.pilot.press(*(["enter"] if row == "system_prompt" else []), *"1", "ctrl+n")
        await stage.until(lambda: stage.pane._session is not before)
        await stage.until(lambda: not stage.pane.has_focus_within)
        assert before.conversation.overrides == {row: 1 if row == "temperature" else "1"}
        assert stage.overrides == {}


async def test_a_wrong_number_is_explained_and_changes_nothing(play) -> None:
    async with pane_alone(play, QWEN, top_p=0.9) as stage:
        await stage.go_to("top_p")
        await stage.pilot.press("7")
        await stage.until(lambda: "Top-p cannot be 7; it must be a number above 0, at most 1." in stage.help)
        row = stage.pane.query_one("#setting-top-p")
        assert row.has_class("-invalid")
        await stage.pilot.press("enter")
        assert row.has_class("-invalid")
        await stage.pilot.press("down")
        await stage.until(lambda: stage.line("Top-p").endswith(" 0.90"))
        assert not row.has_class("-invalid")
        assert stage.overrides == {"top_p": 0.9}


@pytest.mark.parametrize("keys", ["-5", "-1"])
async def test_a_negative_number_is_explained_and_changes_nothing(play, keys: str) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to("temperature")
        await stage.pilot.press("minus", keys[1], "enter")
        await stage.until(
            lambda: f"Temperature cannot be {keys}; it must be a number from 0 to 5." in stage.help
        )
        assert stage.overrides == {}


@pytest.mark.parametrize(("row", "typed"), [("top_p", "0."), ("memory_tokens", "1")])
async def test_the_beginning_of_a_number_is_not_a_mistake_yet(play, row: str, typed: str) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to(row)
        await stage.pilot.press(*typed)
        await stage.until(lambda: "Type a" in stage.help)
        assert not stage.pane.query(".-invalid")
        await stage.pilot.press("enter")
        await stage.until(lambda: "cannot be" in stage.help)
        assert stage.overrides == {}


async def test_escape_drops_what_is_typed_and_only_then_goes_on_to_the_screen(play) -> None:
    async with settings_stage(play, QWEN) as stage:
        await stage.go_to("temperature")
        await stage.pilot.press("1", "escape")
        await stage.until(lambda: stage.line("Temperature").endswith(" 0.70"))
        await stage.go_to("device")
        await stage.pilot.press(*"cpu", "escape")
        await stage.until(lambda: stage.line("Device").endswith(" auto · cuda:0"))
        assert stage.has_keyboard("device")
        assert (stage.overrides, stage.defaults.device) == ({}, "auto")
        await stage.pilot.press("escape")
        await stage.until(lambda: not stage.pane.has_focus_within)


async def test_emptying_a_number_unsets_it(play) -> None:
    async with pane_alone(play, QWEN, config="[sampling]\ntemperature = 0.5", top_k=5) as stage:
        await stage.go_to("top_k")
        await stage.pilot.press("enter", "delete", "enter")
        assert stage.overrides == {}
        await stage.go_to("temperature")
        await stage.pilot.press("enter", "backspace", "backspace", "backspace", "enter")
        assert stage.overrides == {"temperature": None}
        assert stage.line("Temperature").split() == ["●", "Temperature", "0.70"]


@pytest.mark.parametrize("key", ["delete", "backspace"])
async def test_one_key_takes_an_override_back(play, key: str) -> None:
    async with pane_alone(play, QWEN, config="[sampling]\ntop_k = 40", temperature=0.3) as stage:
        await stage.go_to("temperature")
        assert "Del reset" in stage.help
        await stage.pilot.press(key)
        await stage.until(lambda: stage.line("Temperature").endswith(" 0.70"))
        await stage.go_to("top_k")
        assert "Del reset" not in stage.help
        await stage.pilot.press(key)
        assert (stage.overrides, stage.defaults.top_k) == ({}, 40)


async def test_the_switch_at_the_top_chooses_whose_values_are_edited(play) -> None:
    async with settings_stage(play, QWEN, top_k=5) as stage:
        await stage.pilot.press("f2")
        assert "to this conversation only" in stage.help
        await stage.pilot.press("right")
        await stage.until(lambda: "does not override them" in stage.help)
        await stage.pilot.press("down", "right")
        await stage.go_to("top_k")
        assert "Overridden in this conversation." in stage.help
        await stage.pilot.press("right")
        await stage.until(lambda: stage.defaults.top_k == 21)
        assert stage.defaults.temperature == 0.75
        assert stage.overrides == {"top_k": 5}
        assert "top_k = 21" in play.where.config_file.read_text()
        await stage.pilot.press("delete")
        await stage.until(lambda: stage.defaults.top_k is None)
        assert "top_k" not in play.where.config_file.read_text()


async def test_a_switch_goes_to_the_opposite_of_what_holds(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to("greedy")
        await stage.pilot.press("space")
        assert stage.overrides == {"greedy": True}
        await stage.pilot.press("enter")
        assert stage.overrides == {"greedy": False}
        await stage.go_to("memory")
        await stage.pilot.press("space")
        assert stage.overrides == {"greedy": False, "memory": False}


@pytest.mark.parametrize("overrides", [{"greedy": True}, {"temperature": 0.0}])
async def test_rows_without_effect_are_dim_when_nothing_is_left_to_chance(play, overrides) -> None:
    async with pane_alone(play, QWEN, **overrides) as stage:
        assert stage.idle - {"temperature"} == {"top_p", "top_k", "min_p", "seed"}
        await stage.go_to("top_p")
        assert "No effect" in stage.help
        await stage.set(memory=False)
        assert stage.idle == {"memory_turns", "memory_tokens"}


async def test_asking_for_a_temperature_is_seen_to_end_a_checkpoints_greedy_way(play) -> None:
    async with pane_alone(play, BARE) as stage:
        assert stage.line("Greedy").endswith(" on")
        assert stage.idle == {"temperature", "top_p", "top_k", "min_p", "seed"}
        await stage.go_to("temperature")
        assert "until set" in stage.help
        await stage.pilot.press("right")
        assert stage.line("Greedy").endswith(" off")
        assert stage.idle == set()


async def test_greedy_off_is_said_to_be_without_effect_at_temperature_zero(play) -> None:
    async with pane_alone(play, QWEN, greedy=False, temperature=0.0) as stage:
        await stage.go_to("greedy")
        assert "greedy" in stage.idle
        assert "temperature 0" in stage.help


async def test_thinking_is_offered_only_by_a_model_that_can(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        assert "thinking" in stage.names
        await stage.go_to("thinking")
        stage.pane.show_model(None)
        await stage.pilot.pause()
        assert "thinking" not in stage.names
        assert stage.app.focused is stage.pane.query_one("ScopeSwitch")


async def test_only_what_applies_is_shown_of_a_model_on_this_machine_and_on_a_server(play) -> None:
    async with settings_stage(play, QWEN) as stage:
        assert {"quantization", "device", "idle_unload_minutes"} < set(stage.names)
        assert "context_window" not in stage.names
        assert stage.line("Server").endswith(" this machine")
        await stage.go_to("server")
        await stage.pilot.press(*"localhost:9", "enter")
        await stage.until(lambda: "context_window" in stage.names)
        assert stage.line("Context window").endswith(" from the server")
        assert not {"quantization", "device", "idle_unload_minutes"} & set(stage.names)
        await stage.pilot.press("up")
        assert stage.has_keyboard("model")


async def test_quantization_is_a_default_and_enter_loads_it(play) -> None:
    async with settings_stage(play, QWEN, config='[model]\nmodel = "Qwen/Qwen3-4B"') as stage:
        await stage.go_to("quantization")
        assert "Enter to reload" not in stage.help
        await stage.pilot.press("left", "left")
        await stage.until(lambda: "Press Enter to reload it now" in stage.help)
        assert (stage.defaults.quantization, stage.overrides) == ("4bit", {})
        await stage.pilot.press("enter")
        await stage.until(lambda: len(play.loads) == 2)
        assert (play.loads[1].model, play.loads[1].quantization) == ("Qwen/Qwen3-4B", "4bit")


async def test_a_model_is_typed_then_loaded(play) -> None:
    async with settings_stage(play, QWEN) as stage:
        await stage.go_to("model")
        await stage.pilot.press(*"/m/通", "enter")
        await stage.until(lambda: stage.defaults.model == "/m/通")
        assert len(play.loads) == 1
        await stage.pilot.press("enter")
        await stage.until(lambda: len(play.loads) == 2)
        assert play.loads[1].model == "/m/通"
        assert stage.line("/m/").endswith("/m/通")


async def test_enter_changes_what_applies_without_loading(play) -> None:
    async with settings_stage(play, QWEN, config='[model]\nmodel = "guide"') as stage:
        await stage.go_to("idle_unload_minutes")
        assert "Enter to reload" not in stage.help
        await stage.pilot.press("enter", "backspace", *"5", "enter")
        await stage.until(lambda: stage.defaults.idle_unload_minutes == 5)
        assert len(play.loads) == 1


async def test_the_device_cannot_be_empty(play) -> None:
    async with settings_stage(play, QWEN, config='[model]\ndevice = "cuda:0"') as stage:
        await stage.go_to("device")
        await stage.pilot.press("right", "ctrl+u", "enter")
        await stage.until(lambda: "Device needs a value." in stage.help)
        await stage.pilot.press("shift+tab")
        await stage.until(lambda: stage.line("Device").endswith(" cuda:0"))
        assert stage.defaults.device == "cuda:0"


async def test_a_long_model_name_shows_its_end(play) -> None:
    async with pane_alone(
        play, QWEN, config='[model]\nmodel = "/home/somebody/checkpoints/[/]/Qwen2.5-7B-1M"'
    ) as stage:
        assert stage.line("○ Model").endswith("points/[/]/Qwen2.5-7B-1M")


async def test_the_system_prompt_is_applied_as_it_is_written(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to("system_prompt")
        await stage.pilot.press("enter", *"Hi", "enter", *"你")
        await stage.until(lambda: stage.overrides == {"system_prompt": "Hi\n你"})
        assert stage.pane.query_one(PromptText).text == "Hi\n你"
        assert stage.line("System prompt").startswith("●")


async def test_the_key_for_a_new_line_is_one_in_the_system_prompt_too(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to("system_prompt")
        await stage.pilot.press("enter", "a", "ctrl+j", "b", "enter", "c")
        await stage.until(lambda: stage.pane.query_one(PromptText).text == "a\nb\nc")


async def test_what_is_written_faster_than_its_default_comes_back_is_not_lost(play) -> None:
    async with settings_stage(play, QWEN) as stage:
        await stage.pilot.press("f2", "right")
        await stage.go_to("system_prompt")
        await stage.pilot.press("enter", *"abc")
        text = stage.pane.query_one(PromptText)
        await stage.until(lambda: stage.defaults.system_prompt == "abc")
        text.insert("d")
        stage.pane.show_defaults(Settings(system_prompt="ab"))  # an older one, still on its way
        assert text.text == "abcd"
        await stage.until(lambda: stage.defaults.system_prompt == "abcd")
        stage.app.settings = Settings(system_prompt="a")
        await stage.until(lambda: text.text == "a")


async def test_another_conversations_prompt_replaces_the_text_silently(play) -> None:
    async with pane_alone(play, QWEN, system_prompt="First.") as stage:
        await stage.go_to("system_prompt")
        await stage.pilot.press("enter")
        text = stage.pane.query_one(PromptText)
        assert text.text == "First."
        await stage.set(system_prompt="[/] Second.")
        assert text.text == "[/] Second."
        await stage.set()
        assert text.text == ""
        assert stage.overrides == {}


async def test_the_system_prompt_can_be_taken_back(play) -> None:
    async with pane_alone(
        play, QWEN, config='[system]\nsystem_prompt = "Mine."', system_prompt="Its."
    ) as stage:
        await stage.go_to("system_prompt")
        await stage.pilot.press("delete")
        await stage.until(lambda: stage.pane.query_one(PromptText).text == "Mine.")
        assert stage.overrides == {}


async def test_page_keys_jump_from_section_to_section(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        await stage.go_to("top_p")
        for key, name in (("pageup", "temperature"), ("pagedown", "system_prompt"), ("pagedown", "memory")):
            await stage.pilot.press(key)
            assert stage.has_keyboard(name), name
            await stage.go_to(name)


async def test_up_and_down_leave_the_system_prompt_at_its_first_and_last_line(play) -> None:
    long = "words " * 12  # several lines as they are drawn
    async with pane_alone(play, QWEN, system_prompt=f"{long}\nend") as stage:
        await stage.go_to("system_prompt")
        await stage.pilot.press("enter")
        for _ in range(3):
            await stage.pilot.press("up")
            assert stage.has_keyboard("system_prompt_text")
        await stage.pilot.press("up")
        assert stage.has_keyboard("system_prompt")
        await stage.pilot.press("enter")
        text = stage.pane.query_one(PromptText)
        text.move_cursor((0, len(long)))
        await stage.pilot.press("down")
        assert stage.has_keyboard("system_prompt_text")
        await stage.pilot.press("down")
        assert stage.has_keyboard("memory")


async def test_a_running_reply_is_said_to_keep_its_values(play) -> None:
    play.engine.replies = [Reply(["One ", "two."], gate=threading.Event())]
    async with settings_stage(play, QWEN) as stage:
        await say(stage.pilot, "first")
        await stage.until(lambda: any("Applies from the next reply." in line for line in stage.lines))
        await stage.pilot.press("escape")
        await stage.until(lambda: not any("Applies from the next reply." in line for line in stage.lines))


async def test_arrows_walk_the_rows(play) -> None:
    walks = [
        ("bell", ["down", "down"], "temperature"),
        ("temperature", ["up", "up"], "bell"),
        ("greedy", ["down"], "system_prompt"),
        ("system_prompt", ["down"], "memory"),
        ("device", ["c", "up"], "dtype"),
    ]
    async with pane_alone(play, QWEN, size=(60, 20)) as stage:
        for start, keys, end in walks:
            await stage.go_to(start)
            await stage.pilot.press(*keys)
            assert stage.has_keyboard(end), (start, keys)
            assert stage.app.screen.find_widget(stage.app.focused).visible_region


async def test_for_the_tab_key_the_settings_are_one_stop_the_row_that_was_visited_last(play) -> None:
    async with settings_stage(play, QWEN) as stage:
        await stage.pilot.press("f2")
        for walk in (["up"], ["down", "down"]):
            await stage.pilot.press(*walk)
            here = stage.app.focused
            stops = stage.app.screen.focus_chain
            assert [each for each in stops if stage.pane in each.ancestors] == [here]
            await stage.pilot.press("tab")
            assert not stage.pane.has_focus_within
            await stage.pilot.press("shift+tab")
            assert stage.app.focused is here
        await stage.pilot.press("f2", "f2")
        assert stage.app.focused is here


async def test_an_open_field_is_no_second_stop(play) -> None:
    async with settings_stage(play, QWEN) as stage:
        for row, keys in (("system_prompt", ["enter"]), ("model", ["x"])):
            await stage.go_to(row)
            await stage.pilot.press(*keys)
            stops = stage.app.screen.focus_chain
            assert [each for each in stops if stage.pane in each.ancestors] == [stage.app.focused]
            await stage.pilot.press("shift+tab")
            assert not stage.pane.has_focus_within


async def test_the_tab_key_walks_the_panes_of_the_screen(play) -> None:
    async with settings_stage(play, QWEN, size=(150, 40)) as stage:
        await say(stage.pilot, "first")
        await stage.until(lambda: "echo: first" in shown(stage.pilot))
        panes = stage.app.screen.focus_chain
        assert len(panes) == 4
        here = panes.index(stage.app.focused)
        for step in range(1, 5):
            await stage.pilot.press("tab")
            assert stage.app.focused is panes[(here + step) % 4]
        for step in range(1, 5):
            await stage.pilot.press("shift+tab")
            assert stage.app.focused is panes[(here - step) % 4]


async def test_an_override_that_is_not_valid_is_as_if_it_were_not_there(play) -> None:
    async with pane_alone(play, QWEN, temperature="hot", nonsense=1) as stage:
        assert stage.line("Temperature").split() == ["Temperature", "0.70"]


async def test_a_click_on_the_mark_resets_and_one_on_the_value_types(play) -> None:
    async with pane_alone(play, QWEN, top_k=5) as stage:
        await stage.pilot.click("#setting-top-k", offset=(0, 0))
        await stage.until(lambda: stage.overrides == {})
        await stage.pilot.click("#setting-top-k", offset=(28, 0))
        await stage.pilot.press(*"9", "enter")
        assert stage.overrides == {"top_k": 9}
        await stage.pilot.click("#setting-memory", offset=(10, 0))
        await stage.until(lambda: stage.overrides == {"top_k": 9, "memory": False})
        await stage.pilot.click("#setting-system-prompt-text", offset=(4, 0))
        await stage.pilot.press("x")
        await stage.until(lambda: stage.overrides["system_prompt"] == "x")
        await stage.pilot.click("ScopeSwitch", offset=(24, 0))
        await stage.until(lambda: "does not override them" in stage.help)


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ((60, 20), "textual-dark"),
        ((80, 24), "textual-light"),
        ((120, 36), "ansi-dark"),
        ((250, 80), "ansi-light"),
    ],
)
async def test_it_draws_at_every_size_and_in_every_kind_of_theme(play, size: Any, theme: str) -> None:
    async with pane_alone(play, QWEN, size=size, temperature=0.3) as stage:
        stage.app.theme = theme
        await stage.go_to("temperature")
        assert "0.30" in stage.line("Temperature")
        assert "Shift+→ ×10 · Del reset" in stage.help
        await stage.go_to("device")
        await stage.until(lambda: any("Device" in line for line in stage.lines))  # scrolled to
        assert "auto" in stage.line("Device")


async def test_before_a_model_is_there_it_shows_the_programs_own_values(play) -> None:
    play.may_open.clear()
    async with play.running() as pilot:
        await until(pilot, lambda: "Max new tokens            2,048" in shown(pilot))
        await until(pilot, lambda: "● set in this conversation" in shown(pilot))
        assert pilot.app.screen.query_one(SettingsPane).query("#setting-temperature")
        play.may_open.set()


async def test_what_auto_came_to_stands_beside_it(play) -> None:
    async with pane_alone(play, QWEN) as stage:
        assert stage.line("Model      ").split() == ["Model", "Qwen3-4B"]
        assert stage.line("Device").endswith(" auto · cuda:0")
