"""The settings pane as a person meets it: keys in, messages out, text on the screen."""

from dataclasses import replace
from typing import Any

import pytest
from pane_hosts import QWEN, SettingsHost, lines, until
from textual.pilot import Pilot

from qwen_tui.settings.options import OPTIONS, Settings
from qwen_tui.ui.settings.pane import LEFT_OUT
from qwen_tui.ui.settings.row import SettingRow
from qwen_tui.ui.settings.system_prompt import PromptText

SIZE = (80, 40)


async def focus(pilot: Pilot[Any], selector: str) -> None:
    pilot.app.query_one(selector).focus()
    await pilot.pause()


async def test_every_setting_has_a_row() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE):
        names = [row.option.name for row in app.query(SettingRow)]
    assert names == [name for name in OPTIONS if name not in LEFT_OUT]


async def test_nothing_is_sent_when_values_come_down() -> None:
    app = SettingsHost(settings=Settings(temperature=0.2, system_prompt="Be brief."), overrides={"top_k": 3})
    async with app.run_test(size=SIZE) as pilot:
        app.pane.overrides = {"system_prompt": "Be long.", "greedy": True}
        app.pane.settings = Settings(model="guide")
        app.pane.edited_layer = "defaults"
        app.pane.info = None
        await pilot.pause()
        await pilot.pause()
    assert app.said == []


async def test_a_value_that_nobody_set_is_the_checkpoints_own() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        assert app.line("Temperature").split() == ["Temperature", "0.70"]
        assert app.line("Greedy").endswith(" off")
        app.pane.info = None
        await pilot.pause()
        assert app.line("Temperature").endswith(" –")


async def test_marks_tell_an_override_from_a_changed_default() -> None:
    app = SettingsHost(settings=Settings(top_k=40, temperature=0.5), overrides={"temperature": 0.3})
    async with app.run_test(size=SIZE) as pilot:
        assert app.line("Temperature").startswith("● ")
        assert app.line("Temperature").endswith(" 0.30")
        assert app.line("Top-k").startswith("○ ")
        assert app.line("Top-p").startswith("  ")
        app.pane.edited_layer = "defaults"
        await pilot.pause()
        assert app.line("Temperature").startswith("○ ")
        assert app.line("Temperature").endswith(" 0.50")


async def test_an_arrow_key_steps_from_the_value_in_force() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-temperature")
        await pilot.press("right", "shift+left", "right", "left")
        await until(pilot, lambda: len(app.said) == 4)
    assert [said[2] for said in app.said] == [0.75, 0.25, 0.3, 0.25]
    assert {said[3] for said in app.said} == {"conversation"}


async def test_steps_stop_at_the_bounds() -> None:
    app = SettingsHost(overrides={"top_p": 0.95, "top_k": 3})
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-top-p")
        await pilot.press("right", "right", "shift+left", "shift+left", "left")
        await focus(pilot, "#setting-top-k")
        await pilot.press("shift+left")
        await until(pilot, lambda: len(app.said) == 4)
    assert [said[2] for said in app.said] == [1.0, 0.5, 0.05, 0]


async def test_steps_that_come_faster_than_their_echo_all_count() -> None:
    app = SettingsHost(echoes=False)
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-top-k")
        await pilot.press("right", "right", "right")
        app.echo(*app.said[0][1:])
        app.pane.info = replace(QWEN, can_think=False)
        await pilot.pause()
        assert app.line("Top-k").endswith(" 23")
        await pilot.press("right")
        for said in app.said[1:]:
            app.echo(*said[1:])
        await pilot.pause()
        assert app.line("Top-k").endswith(" 24")
    assert [said[2] for said in app.said] == [21, 22, 23, 24]


async def test_a_typed_number_is_applied_by_enter() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-max-new-tokens")
        await pilot.press(*"4096")
        await pilot.pause()
        assert app.said == []
        await pilot.press("enter")
        await until(pilot, lambda: app.said)
        assert app.line("Max new tokens").split() == ["●", "Max", "new", "tokens", "4,096"]
    assert app.said == [("changed", "max_new_tokens", 4096, "conversation")]


async def test_leaving_a_row_applies_what_can_be_used() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-min-p")
        await pilot.press(*"0.05", "tab")
        await until(pilot, lambda: app.said)
    assert app.said == [("changed", "min_p", 0.05, "conversation")]


async def test_a_wrong_number_is_explained_and_changes_nothing() -> None:
    app = SettingsHost(overrides={"top_p": 0.9})
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-top-p")
        await pilot.press("7")
        await until(pilot, lambda: "Top-p cannot be 7: it takes a number above 0, at most 1." in app.help)
        assert app.query_one("#setting-top-p").has_class("-invalid")
        await pilot.press("enter")
        assert app.query_one("#setting-top-p").has_class("-invalid")
        await pilot.press("tab")
        await until(pilot, lambda: app.line("Top-p").endswith(" 0.90"))
        assert not app.query_one("#setting-top-p").has_class("-invalid")
    assert app.said == []


@pytest.mark.parametrize("keys", ["-5", "-1"])
async def test_a_negative_number_is_explained_and_changes_nothing(keys: str) -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-temperature")
        await pilot.press("minus", keys[1], "enter")
        await until(
            pilot, lambda: f"Temperature cannot be {keys}: it takes a number from 0 to 5." in app.help
        )
    assert app.said == []


@pytest.mark.parametrize(("row", "typed"), [("top-p", "0."), ("memory-tokens", "1")])
async def test_the_beginning_of_a_number_is_not_a_mistake_yet(row: str, typed: str) -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, f"#setting-{row}")
        await pilot.press(*typed)
        await until(pilot, lambda: "It takes a" in app.help)
        assert not app.query_one(f"#setting-{row}").has_class("-invalid")
        await pilot.press("enter")
        await until(pilot, lambda: "cannot be" in app.help)
    assert app.said == []


async def test_escape_drops_what_is_typed_and_only_then_goes_on_to_the_screen() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-temperature")
        await pilot.press("1", "escape")
        await until(pilot, lambda: app.line("Temperature").endswith(" 0.70"))
        await focus(pilot, "#setting-device")
        await pilot.press(*"cpu", "escape")
        await until(pilot, lambda: app.line("Device").endswith(" auto · cuda:0"))
        assert app.said == []
        await pilot.press("escape")
        await until(pilot, lambda: app.said)
    assert app.said == [("esc",)]


async def test_emptying_a_number_unsets_it() -> None:
    app = SettingsHost(settings=Settings(temperature=0.5), overrides={"top_k": 5})
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-top-k")
        await pilot.press("enter", "delete", "enter")
        await focus(pilot, "#setting-temperature")
        await pilot.press("enter", "backspace", "backspace", "backspace", "enter")
        await until(pilot, lambda: len(app.said) == 2)
        assert app.line("Temperature").split() == ["●", "Temperature", "0.70"]
    assert app.said == [("reset", "top_k", "conversation"), ("changed", "temperature", None, "conversation")]


@pytest.mark.parametrize("key", ["delete", "backspace"])
async def test_one_key_takes_an_override_back(key: str) -> None:
    app = SettingsHost(settings=Settings(top_k=40), overrides={"temperature": 0.3})
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-temperature")
        assert "del resets" in app.help
        await pilot.press(key)
        await until(pilot, lambda: app.line("Temperature").endswith(" 0.70"))
        await focus(pilot, "#setting-top-k")
        assert "del resets" not in app.help
        await pilot.press(key)
    assert app.said == [("reset", "temperature", "conversation")]


async def test_the_switch_at_the_top_chooses_whose_values_are_edited() -> None:
    app = SettingsHost(overrides={"top_k": 5})
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "LayerSwitch")
        assert "in this conversation only" in app.help
        await pilot.press("right")
        await until(pilot, lambda: "wherever a conversation has no own value" in app.help)
        await pilot.press("down", "right")
        await focus(pilot, "#setting-top-k")
        assert "This conversation has a value of its own." in app.help
        await pilot.press("right")
        await until(pilot, lambda: len(app.said) == 2)
        assert app.pane.settings.temperature == 0.75
    assert app.said == [
        ("changed", "temperature", 0.75, "defaults"),
        ("changed", "top_k", 21, "defaults"),
    ]


async def test_a_switch_goes_to_the_opposite_of_what_holds() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-greedy")
        await pilot.press("space", "enter")
        await focus(pilot, "#setting-memory")
        await pilot.press("space")
        await until(pilot, lambda: len(app.said) == 3)
    assert [said[1:3] for said in app.said] == [("greedy", True), ("greedy", False), ("memory", False)]


@pytest.mark.parametrize("overrides", [{"greedy": True}, {"temperature": 0.0}])
async def test_rows_without_effect_are_dim_when_nothing_is_left_to_chance(overrides: dict[str, Any]) -> None:
    app = SettingsHost(overrides=overrides)
    async with app.run_test(size=SIZE) as pilot:
        idle = {row.option.name for row in app.query(SettingRow) if row.has_class("-idle")}
        assert idle - {"temperature"} == {"top_p", "top_k", "min_p", "seed"}
        await focus(pilot, "#setting-top-p")
        assert "Without effect" in app.help
        app.pane.overrides = {"memory": False}
        await pilot.pause()
        idle = {row.option.name for row in app.query(SettingRow) if row.has_class("-idle")}
        assert idle == {"memory_turns", "memory_tokens"}


async def test_thinking_is_offered_only_by_a_model_that_can() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        assert app.query_one("#setting-thinking").display
        app.pane.info = None
        await pilot.pause()
        assert not app.query_one("#setting-thinking").display


async def test_quantization_is_a_default_and_enter_loads_it() -> None:
    app = SettingsHost(settings=Settings(model="Qwen/Qwen3-4B"))
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-quantization")
        assert "enter loads" not in app.help
        await pilot.press("left", "left")
        await until(pilot, lambda: "enter loads it now" in app.help)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.said) == 3)
    assert app.said == [
        ("changed", "quantization", "8bit", "defaults"),
        ("changed", "quantization", "4bit", "defaults"),
        ("model", "Qwen/Qwen3-4B", "4bit", "auto"),
    ]


async def test_a_model_is_typed_then_loaded() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-model")
        await pilot.press(*"/m/通", "enter")
        await until(pilot, lambda: app.said)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.said) == 2)
        assert app.line("/m/").endswith("/m/通")
    assert app.said == [
        ("changed", "model", "/m/通", "defaults"),
        ("model", "/m/通", "auto", "auto"),
    ]


async def test_the_device_cannot_be_empty() -> None:
    app = SettingsHost(settings=Settings(device="cuda:0"))
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-device")
        await pilot.press("right", "ctrl+u", "enter")
        await until(pilot, lambda: "Device needs a value." in app.help)
        await pilot.press("shift+tab")
        await until(pilot, lambda: app.line("Device").endswith(" cuda:0"))
    assert app.said == []


async def test_a_long_model_name_shows_its_end() -> None:
    app = SettingsHost(settings=Settings(model="/home/somebody/checkpoints/[/]/Qwen2.5-7B"))
    async with app.run_test(size=SIZE):
        assert app.line("○ Model").endswith("…kpoints/[/]/Qwen2.5-7B")


async def test_the_system_prompt_is_applied_as_it_is_written() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-system-prompt")
        await pilot.press("enter", *"Hi", "enter", *"你")
        await until(pilot, lambda: app.pane.overrides.get("system_prompt") == "Hi\n你")
        await pilot.pause()
        assert app.query_one(PromptText).text == "Hi\n你"
        assert app.line("System prompt").startswith("●")
    assert app.said[-1] == ("changed", "system_prompt", "Hi\n你", "conversation")


async def test_the_key_for_a_new_line_is_one_in_the_system_prompt_too() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-system-prompt-text")
        await pilot.press("a", "ctrl+j", "b", "enter", "c")
        await until(pilot, lambda: app.query_one(PromptText).text == "a\nb\nc")


async def test_what_is_written_faster_than_its_echo_is_not_lost() -> None:
    app = SettingsHost(echoes=False)
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-system-prompt-text")
        await pilot.press(*"abc")
        await until(pilot, lambda: len(app.said) == 3)
        app.echo(*app.said[0][1:])
        app.pane.info = None
        await pilot.pause()
        assert app.query_one(PromptText).text == "abc"
        for said in app.said[1:]:
            app.echo(*said[1:])
        app.pane.overrides = {"system_prompt": "a"}
        await until(pilot, lambda: app.query_one(PromptText).text == "a")


async def test_another_conversations_prompt_replaces_the_text_silently() -> None:
    app = SettingsHost(overrides={"system_prompt": "First."})
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-system-prompt-text")
        app.pane.overrides = {"system_prompt": "[/] Second."}
        await until(pilot, lambda: app.query_one(PromptText).text == "[/] Second.")
        app.pane.overrides = {}
        await until(pilot, lambda: app.query_one(PromptText).text == "")
    assert app.said == []


async def test_the_system_prompt_can_be_taken_back() -> None:
    app = SettingsHost(settings=Settings(system_prompt="Mine."), overrides={"system_prompt": "Its."})
    async with app.run_test(size=SIZE) as pilot:
        await focus(pilot, "#setting-system-prompt")
        await pilot.press("delete")
        await until(pilot, lambda: app.query_one(PromptText).text == "Mine.")
    assert app.said == [("reset", "system_prompt", "conversation")]


async def test_a_running_reply_is_said_to_keep_its_values() -> None:
    app = SettingsHost(busy=True)
    async with app.run_test(size=SIZE) as pilot:
        assert any("Holds from the next reply." in line for line in lines(app))
        app.pane.busy = False
        await pilot.pause()
        assert not any("Holds from the next reply." in line for line in lines(app))


async def test_arrows_and_tab_walk_the_rows() -> None:
    walks = [
        ("LayerSwitch", "down", "#setting-temperature"),
        ("LayerSwitch", "up", "#setting-context-window"),
        ("#setting-greedy", "down", "#setting-system-prompt"),
        ("#setting-system-prompt", "down", "#setting-memory"),
        ("#setting-system-prompt", "tab", "#setting-system-prompt-text"),
        ("#setting-system-prompt-text", "tab", "#setting-memory"),
        ("#setting-memory-tokens", "shift+tab", "#setting-memory-turns"),
    ]
    app = SettingsHost()
    async with app.run_test(size=(60, 20)) as pilot:
        for start, key, end in walks:
            await focus(pilot, start)
            await pilot.press(key)
            assert app.focused is app.query_one(end), (start, key)
            assert app.screen.find_widget(app.query_one(end)).visible_region


async def test_an_override_that_is_not_valid_is_as_if_it_were_not_there() -> None:
    app = SettingsHost(overrides={"temperature": "hot", "nonsense": 1})
    async with app.run_test(size=SIZE):
        assert app.line("Temperature").split() == ["Temperature", "0.70"]


async def test_a_click_on_the_mark_resets_and_one_on_the_value_types() -> None:
    app = SettingsHost(overrides={"top_k": 5})
    async with app.run_test(size=SIZE) as pilot:
        await pilot.click("#setting-top-k", offset=(0, 0))
        await until(pilot, lambda: app.said == [("reset", "top_k", "conversation")])
        await pilot.click("#setting-top-k", offset=(28, 0))
        await pilot.press(*"9", "enter")
        await pilot.click("#setting-memory", offset=(10, 0))
        await pilot.click("LayerSwitch", offset=(20, 0))
        await until(pilot, lambda: app.pane.edited_layer == "defaults")
    assert [said[1:3] for said in app.said[1:]] == [("top_k", 9), ("memory", False)]


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ((60, 20), "textual-dark"),
        ((80, 24), "textual-light"),
        ((120, 36), "ansi-dark"),
        ((250, 80), "ansi-light"),
    ],
)
async def test_it_draws_at_every_size_and_in_every_kind_of_theme(size: tuple[int, int], theme: str) -> None:
    app = SettingsHost(overrides={"temperature": 0.3})
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        await focus(pilot, "#setting-temperature")
        assert "0.30" in app.line("Temperature")
        assert "shift+→ ×10 · del resets" in app.help
        await focus(pilot, "#setting-device")
        await until(pilot, lambda: any("Device" in line for line in lines(app)))  # scrolled to
        assert "auto" in app.line("Device")


async def test_it_shows_what_it_was_given_before_it_was_mounted() -> None:
    app = SettingsHost()
    app.given = {}
    async with app.run_test(size=SIZE) as pilot:
        assert app.line("Max new tokens").endswith(" 2,048")
        app.set_focus(None)
        await until(pilot, lambda: "● set for this conversation" in app.help)


async def test_what_auto_came_to_stands_beside_it() -> None:
    app = SettingsHost()
    async with app.run_test(size=SIZE):
        assert app.line("Qwen3-4B").split() == ["Model", "Qwen3-4B"]
        assert app.line("Device").endswith(" auto · cuda:0")
