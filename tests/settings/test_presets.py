"""Presets: sampling values by name, built in and in the config file."""

from pathlib import Path

import pytest

from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.config_file import load
from qwen_tui.settings.options import OPTIONS, Settings
from qwen_tui.settings.presets import BUILT_IN, SAMPLING, of, own_presets, save_preset

CHECKPOINT, PRECISE, *_ = BUILT_IN


@pytest.mark.parametrize("preset", BUILT_IN, ids=lambda preset: preset.name)
@pytest.mark.parametrize("defaults", [Settings(), Settings(temperature=0.2, top_k=7, greedy=True)])
def test_a_preset_determines_every_sampling_value_whatever_the_defaults(preset, defaults: Settings) -> None:
    before = {"temperature": 1.5, "min_p": 0.1, "seed": 3, "memory": False}
    settings = defaults.with_overrides(preset.overrides(before, defaults))
    assert {name: getattr(settings, name) for name in SAMPLING} == dict.fromkeys(SAMPLING) | preset.values
    assert (settings.seed, settings.memory) == (3, False)
    assert [each.name for each in BUILT_IN if each.is_in_force(settings)] == [preset.name]
    assert all(OPTIONS[name].check(value) == value for name, value in preset.values.items())


def test_the_persons_own_are_in_the_config_file_beside_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n[sampling]\ntemperature = 0.5 # warm\n")
    save_preset(path, "for code", {"temperature": 0.2, "greedy": False})
    save_preset(path, "写 诗", {"top_k": 30})
    own = own_presets(path)
    assert [(each.name, dict(each.values), each.is_own) for each in own] == [
        ("for code", {"temperature": 0.2, "greedy": False}, True),
        ("写 诗", {"top_k": 30}, True),
    ]
    assert (load(path).settings.temperature, load(path).problems) == (0.5, [])
    save_preset(path, "for code", None)
    save_preset(path, "写 诗", None)
    save_preset(path, "absent", None)
    assert path.read_text().startswith("# mine\n[sampling]\ntemperature = 0.5 # warm\n")
    assert "presets" not in path.read_text()


@pytest.mark.parametrize(
    "text", ["presets = 3", "[presets]\nx = 1", "[presets.x]\ntemperature = 'hot'\nother = 1", "["]
)
def test_what_cannot_be_used_is_left_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert [each for each in own_presets(path) if each.values] == []
    assert own_presets(tmp_path / "absent.toml") == []


def test_a_table_that_is_none_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("presets = 3")
    with pytest.raises(QwenTuiError):
        save_preset(path, "mine", {"top_k": 1})
    assert path.read_text() == "presets = 3"


def test_the_values_of_a_receipt_are_those_of_settings() -> None:
    assert of({"do_sample": True, "temperature": 0.6, "top_k": 20, "max_new_tokens": 9}) == {
        "temperature": 0.6,
        "top_k": 20,
    }
    assert of({"do_sample": False, "temperature": 0.6}) == {"greedy": True}
