"""Which language the program speaks."""

import pytest

from qwen_tui import cli, strings
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings.languages import LANGUAGES, of_locale, written_in


@pytest.fixture(autouse=True)
def english_afterwards():
    yield
    strings.choose("en")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, None),
        ({"LANG": "C.UTF-8"}, None),
        ({"LANG": "POSIX"}, None),
        ({"LANG": ""}, None),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "de_DE@euro"}, "de"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, None),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_first_locale_variable_that_is_set_names_the_language(environment, language) -> None:
    assert of_locale(environment) == language


def test_what_is_asked_for_wins_over_the_locale(monkeypatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert [strings.chosen(wanted) for wanted in (None, "auto", "en", "zh", "xx")] == [
        "zh",
        "zh",
        "en",
        "zh",
        "zh",
    ]
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert strings.chosen("auto") == "en"


@pytest.mark.parametrize("config", ["", '[screen]\nlanguage = "zh"\n', '[screen]\nlanguage = "en"\n'])
@pytest.mark.parametrize("flag", [[], ["--language", "en"], ["--language", "zh"], ["--language", "auto"]])
def test_the_command_line_wins_over_the_config_file(tmp_path, config, flag, capsys) -> None:
    (tmp_path / "config.toml").write_text(config)
    assert cli.main(["list", "--config", str(tmp_path / "config.toml"), *flag]) == 0
    named = flag[-1] if flag and flag[-1] != "auto" else config.partition('"')[2][:2] if not flag else "en"
    assert strings.language() == (named or "en")


def test_a_language_that_there_is_not_is_refused(capsys) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["list", "--language", "tlh"])
    assert left.value.code == 2
    refusal = capsys.readouterr().err
    assert all(code in refusal for code in LANGUAGES)


@pytest.mark.parametrize(
    ("text", "language"), [("广州有什么好吃的？", "zh"), ("What is 广州?", "zh"), ("hello", None)]
)
def test_a_text_shows_its_language_by_its_characters(text, language) -> None:
    assert written_in(text) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_switch_is_typed_in_the_words_of_the_screen_or_in_english(language) -> None:
    strings.choose(language)
    shown = [strings.say("panes.on"), strings.say("panes.off")]
    assert [OPTIONS["memory"].parse(word) for word in (*shown, "on", "off", "True", "no")] == [
        *(True, False) * 3
    ]
