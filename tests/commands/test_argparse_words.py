"""argparse in the language of the program. What fails here names what argparse has changed."""

import argparse
import gettext
import inspect
import re
import sys

import pytest

from qwen_tui import strings
from qwen_tui.commands import arguments
from qwen_tui.commands.argparse_words import WORDS, translate, wrapped
from qwen_tui.strings import say_in
from qwen_tui.strings.languages import LANGUAGES
from qwen_tui.wording.cell_width import cells

COMMANDS = ("", "ask", *arguments.CONVERSATION_COMMANDS, "models", "doctor", "bench")


@pytest.fixture(autouse=True)
def english_afterwards():
    yield
    strings.choose("en")
    translate()


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        arguments.parse([*filter(None, [command]), "--help"])
    assert left.value.code == 0
    return capsys.readouterr().out


def test_argparse_looks_its_words_up_in_two_globals_at_each_use() -> None:
    source = inspect.getsource(argparse)
    assert "from gettext import gettext as _, ngettext" in source, "argparse takes its words from elsewhere."
    assert callable(argparse._)  # type: ignore[attr-defined]
    assert gettext.gettext("usage: ") == "usage: "


def test_argparse_has_the_words_that_we_translate() -> None:
    code = compile(inspect.getsource(argparse), "argparse", "exec")
    constants, waiting = set(), [code]
    while waiting:
        each = waiting.pop()
        constants |= {value for value in each.co_consts if isinstance(value, str)}
        waiting += [value for value in each.co_consts if inspect.iscode(value)]
    gone = sorted(words for words in WORDS if words not in constants)
    assert not gone, f"argparse of Python {sys.version.split()[0]} no longer says: {gone}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_the_original(language) -> None:
    for words, code in WORDS.items():
        placeholders = sorted(re.findall(r"%(?:\(\w+\))?[sr]", words))
        assert (
            sorted(re.findall(r"%(?:\(\w+\))?[sr]", say_in(language, f"cli.argparse.{code}"))) == placeholders
        )


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_no_english_words_of_argparse_in_chinese(
    command, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    strings.choose("zh")
    said = help_of(command, capsys)
    assert said.startswith(f"用法：qwen-tui {command}".rstrip())
    assert "\n选项：\n" in said
    assert "显示帮助并退出" in said
    for words in ("usage", "options:", "positional", "show this", "and exit"):
        assert words not in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_texts_fit_the_terminal(language, command, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    strings.choose(language)
    texts = [line for line in help_of(command, capsys).splitlines() if line.startswith(" " * 24)]
    assert texts
    assert max(map(cells, texts)) <= 80


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["frob"], "无效的值 'frob'（可选："),
        (["list", "--frob"], "无法识别的参数：--frob"),
        (["--last", "--conversation", "x"], "不能与参数 --last 同时使用"),
        (["--model"], "参数 --model：需要一个值"),
        (["search"], "缺少必需的参数：WORD"),
        (["--last=x"], "不接受值 'x'"),
        (["bench", "--repeats", "0"], "必须是不小于 1 的整数"),
        (["rename", "a", " "], "名称中没有可见字符"),
    ],
)
def test_wrong_usage_is_explained_in_chinese(line, says, capsys) -> None:
    strings.choose("zh")
    with pytest.raises(SystemExit) as left:
        arguments.parse(line)
    assert left.value.code == arguments.USAGE_ERROR
    (said,) = capsys.readouterr().err.splitlines()
    assert says.replace("'", "") in said.replace("'", "")  # from Python 3.12 on, choices stand without quotes
    assert said.endswith("--help 查看用法。")


def test_an_unknown_format_is_answered_with_the_names_of_the_formats(capsys) -> None:
    strings.choose("en")
    with pytest.raises(SystemExit):
        arguments.parse(["export", "x", "--format", "pdf"])
    said = capsys.readouterr().err.replace("'", "")  # from Python 3.12 on, choices stand without quotes
    assert "(choose from markdown, json, openai)" in said


def test_english_is_as_argparse_has_it(capsys) -> None:
    strings.choose("en")
    said = help_of("list", capsys)
    assert said.startswith("usage: qwen-tui list")
    assert "show this help message and exit" in said


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("广州早茶", ["广州早茶"]),
        ("广州的早茶", ["广州的早", "茶"]),
        ("广州早茶，很好", ["广州早", "茶，很好"]),
        ("用 token 计", ["用 token", "计"]),
        ("verylongword", ["verylongword"]),
        ("", [""]),
    ],
)
def test_a_text_is_broken_at_spaces_and_between_wide_characters(text, lines) -> None:
    assert wrapped(text, 8) == lines
