"""The config file: what it says is used, what is wrong in it is named, and what people wrote in it stays."""

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_tui.chat.cleaning import clean
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.config_file import load, save
from qwen_tui.settings.options import OPTIONS, Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "qwen-tui" / "config.toml"


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def codes(path: Path) -> list[str]:
    return [problem.code for problem in load(path).problems]


def test_without_a_file_the_defaults_hold(path: Path) -> None:
    config = load(path)
    assert (config.settings, config.problems, config.keys) == (Settings(), [], {})
    assert not path.parent.exists()


def test_what_is_saved_is_loaded(path: Path) -> None:
    save(path, {"temperature": 0.6, "memory": False, "system_prompt": "你是\n“广州”的\n\t向导。", "seed": 7})
    config = load(path)
    assert config.problems == []
    assert config.settings == Settings(
        temperature=0.6, memory=False, system_prompt="你是\n“广州”的\n\t向导。", seed=7
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_settings_stand_in_the_table_of_their_group(path: Path) -> None:
    save(path, {"temperature": 0.6, "theme": "ansi"})
    assert path.read_text() == '[sampling]\ntemperature = 0.6\n\n[screen]\ntheme = "ansi"\n'


def test_comments_order_and_unknown_keys_stay(path: Path) -> None:
    text = (
        "# mine\n[screen]   # first\n# about the theme\ntheme = 'ansi' # dark\nfuture = 1\n\n"
        "[plugins]\nx = { y = [1, 2] }\n\n[sampling]\ntop_k = 5\n"
    )
    save(written(path, text), {"temperature": 0.6, "top_k": 7})
    assert path.read_text() == text.replace("top_k = 5", "top_k = 7") + "temperature = 0.6\n"


def test_a_default_is_not_written_and_none_takes_a_value_out(path: Path) -> None:
    save(path, {"temperature": 0.6, "top_p": 0.9, "memory": False})
    save(path, {"temperature": None, "memory": True, "max_new_tokens": 2048})
    assert path.read_text().rstrip() == "[sampling]\ntop_p = 0.9"


def test_a_comment_keeps_its_table(path: Path) -> None:
    save(written(path, "[sampling]\n# I like it warm\ntemperature = 1.0\n"), {"temperature": None})
    assert path.read_text() == "[sampling]\n# I like it warm\n"


def test_saving_nothing_new_does_not_touch_the_file(path: Path) -> None:
    save(path, {"temperature": 0.6})
    before = path.stat()
    save(path, {"temperature": 0.6})
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_a_wrong_value_is_not_saved(path: Path) -> None:
    with pytest.raises(QwenTuiError) as raised:
        save(path, {"temperature": 99})
    assert raised.value.code == "settings.out_of_range"
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "temperature 0.6",
        "[sampling]\ntemperature = 0.6\n[sampling]\n",
        "[sampling\n",
        b"\xff\xfe\x00",
        b"\x00",
        "x = " + "[" * 5000,
        "x = " + "1" * 5000,
        "#" + "x" * 2**20,
    ],
)
def test_a_file_that_is_not_toml_gives_the_defaults_and_is_never_overwritten(
    path: Path, text: str | bytes
) -> None:
    written(path, text)
    before = path.read_bytes()
    config = load(path)
    assert config.settings == Settings()
    assert [problem.code for problem in config.problems] == ["settings.not_toml"]
    assert str(path) in str(config.problems[0])
    with pytest.raises(QwenTuiError) as raised:
        save(path, {"temperature": 0.6})
    assert raised.value.code == "settings.not_toml"
    assert path.read_bytes() == before


def test_each_wrong_value_is_named_and_the_rest_is_used(path: Path) -> None:
    text = '[sampling]\ntemperature = 99\ntop_k = "many"\ntop_q = 1\nseed = 7\n\n[memory]\nmemory = "yes"\n'
    config = load(written(path, text))
    assert config.settings == Settings(seed=7)
    words = "\n".join(map(str, config.problems))
    for name in ("Temperature", "Top-k", "top_q", "Memory"):
        assert name in words
    assert len(config.problems) == 4


def test_a_setting_in_the_wrong_table_is_told_where_it_belongs(path: Path) -> None:
    config = load(written(path, "seed = 1\n[memory]\ntemperature = 0.6\n"))
    assert config.settings == Settings()
    assert [problem.code for problem in config.problems] == ["config.wrong_table"] * 2
    assert [problem.parameters["table"] for problem in config.problems] == ["[sampling]", "[sampling]"]


@pytest.mark.parametrize("text", ["sampling = 3\n", "[[sampling]]\ntemperature = 0.6\n", "memory = true\n"])
def test_a_value_where_a_table_belongs_is_named_and_kept(path: Path, text: str) -> None:
    assert codes(written(path, text)) == ["config.not_a_table"]
    with pytest.raises(QwenTuiError) as raised:
        save(path, {"temperature": 0.6, "memory": False})
    assert raised.value.code == "config.not_a_table"
    assert path.read_text() == text


def test_unknown_tables_are_nobodys_business(path: Path) -> None:
    assert codes(written(path, "[plugins]\ntemperature = 9000\n[sampling.deep]\nx = 1\n")) == [
        "settings.unknown_key"
    ]


def test_keys_are_read_by_binding_id(path: Path) -> None:
    text = '[keys]\n"chat.stop" = "escape,f12"\nlist.rename = ["r", "f2"]\nlist.pin = " p "\n'
    config = load(written(path, text))
    assert config.keys == {"chat.stop": "escape,f12", "list.rename": "r,f2", "list.pin": "p"}
    assert config.problems == []


@pytest.mark.parametrize("value", ["3", "true", "['a', 3]", "''", "'a,,b'", "'a b'", "[[]]", r'"\u001b"'])
def test_keys_that_are_none_are_named_and_left_out(path: Path, value: str) -> None:
    config = load(written(path, f'[keys]\n"chat.stop" = {value}\n"chat.new" = "f5"\n'))
    assert config.keys == {"chat.new": "f5"}
    assert [problem.code for problem in config.problems] == ["config.not_keys"]
    assert "chat.stop" in str(config.problems[0])


def test_nothing_in_the_file_can_control_the_terminal(path: Path) -> None:
    text = r"""
        [sampling]
        "\u001b[31mred" = 1
        [system]
        system_prompt = "\u001b[2Jhello"
        [memory]
        memory = "\u001b[31mred"
        [keys]
        "\u001b]0;title\u0007x" = 5
        """
    config = load(written(path, text))
    assert config.settings == Settings(system_prompt="hello")
    assert len(config.problems) == 3
    assert all(str(problem).isprintable() for problem in config.problems)


def test_a_file_with_windows_ends_of_lines_keeps_them(path: Path) -> None:
    save(written(path, "# mine\r\n[sampling]\r\nseed = 1\r\n"), {"seed": 2})
    assert path.read_bytes() == b"# mine\r\n[sampling]\r\nseed = 2\r\n"


def test_a_byte_order_mark_is_no_mistake(path: Path) -> None:
    assert load(written(path, b"\xef\xbb\xbf[sampling]\nseed = 1\n")).settings.seed == 1


def test_a_linked_config_file_stays_linked(path: Path, tmp_path: Path) -> None:
    real = written(tmp_path / "dotfiles" / "config.toml", "# mine\n")
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    save(path, {"seed": 1})
    assert path.is_symlink()
    assert real.read_text() == "# mine\n\n[sampling]\nseed = 1\n"


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "config.toml"
    folder.mkdir(parents=True)
    assert codes(folder) == ["settings.unreadable"]
    with pytest.raises(QwenTuiError) as raised:
        save(folder, {"seed": 1})
    assert raised.value.code == "settings.unreadable"


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(QwenTuiError) as raised:
        save(tmp_path / "file" / "config.toml", {"seed": 1})
    assert raised.value.code == "settings.not_saved"


def test_numbers_too_large_for_a_computer_are_named(path: Path) -> None:
    config = load(written(path, f"[sampling]\ntop_k = {'9' * 30}\ntemperature = 1e999\nseed = 3\n"))
    assert config.settings == Settings(seed=3)
    assert len(config.problems) == 2


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.none() | st.floats(0, 5),
    "top_k": st.none() | st.integers(0, 10_000),
    "greedy": st.none() | st.booleans(),
    "system_prompt": st.text().map(clean),
    "model": st.none() | st.text().map(clean),
    "memory": st.booleans(),
    "thinking": st.none() | st.booleans(),
}


@given(st.lists(st.fixed_dictionaries({}, optional=VALUES), max_size=3))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_settings_come_back_as_they_were(tmp_path: Path, changes: list[dict[str, Any]]) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n[plugins]\nx = 1\n")
    expected: dict[str, Any] = {}
    for change in changes:
        save(path, change)
        expected |= change
    config = load(path)
    assert config.problems == []
    for name, value in expected.items():
        assert getattr(config.settings, name) == (getattr(Settings(), name) if value is None else value)
    assert path.read_text().startswith("# mine\n[plugins]\nx = 1\n")


@given(st.text(max_size=60) | st.binary(max_size=40))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_or_explained(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    config = load(path)
    assert all(map(str, config.problems))
    try:
        save(path, {"temperature": 0.5})
    except QwenTuiError:
        return
    assert load(path).settings.temperature == 0.5


def test_every_setting_has_a_table() -> None:
    assert {option.group for option in OPTIONS.values()} == {
        "sampling",
        "system",
        "memory",
        "model",
        "screen",
    }
