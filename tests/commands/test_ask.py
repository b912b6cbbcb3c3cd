"""`qwen-tui ask`: one reply on the standard output."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from doubles import Reply, ScriptedEngine

from qwen_tui.chat.messages import Role
from qwen_tui.commands.arguments import parse
from qwen_tui.commands.ask import _print_reply, _question
from qwen_tui.engine.base import PromptMessage, Request
from qwen_tui.engine.thinking import Reread


def ask(tmp_path: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "qwen_tui", "ask", "--data-dir", str(tmp_path), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120)


def test_the_guides_example_sorts_a_news_line(tmp_path) -> None:
    prompt = "请将以下新闻分类为体育、科技、政治、娱乐之一，只输出类别：\n国家队在足球决赛中以三比一获胜。"
    done = ask(tmp_path, "-", "--model", "guide", stdin=prompt.encode())
    assert done.returncode == 0
    assert done.stdout.decode().strip() == "体育"


@pytest.mark.usefixtures("plain_start")
def test_a_reply_comes_with_its_receipt(tmp_path) -> None:
    done = ask(tmp_path, "What is a token?", "--model", "guide", "--json")
    reply = json.loads(done.stdout)
    assert reply["text"].strip()
    assert reply["receipt"]["stop_reason"] == "eos"
    assert reply["receipt"]["new_tokens"] == len(reply["receipt"]["token_ids"])
    assert reply["receipt"]["sampling"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["hi", "--model", "/nowhere/at/all"], 1),
        (["hi", "--device", "cuda:7"], 1),
        (["hi", "--colour", "red"], 2),
        (["hi", "--quantization", "3bit"], 2),
        (["hi", "--temperature", "-1"], 2),
        (["hi", "--thinking", "maybe"], 2),
        ([" "], 2),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_next_step(tmp_path, arguments, status) -> None:
    done = ask(tmp_path, *arguments)
    assert done.returncode == status
    assert not done.stdout
    assert done.stderr.startswith(b"qwen-tui")
    assert len(done.stderr.strip().splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_values_hold_for_the_one_reply_and_none_of_them_is_saved(tmp_path) -> None:
    values = ("--temperature", "0.9", "--top-k", "0", "--seed", "7", "--max-new-tokens", "6")
    receipts = []
    for _ in range(2):
        done = ask(tmp_path, "What", "is", "a", "token?", "--model", "guide", "--json", *values)
        receipts.append(json.loads(done.stdout)["receipt"])
    first, second = receipts
    assert first["token_ids"] == second["token_ids"]
    assert (first["seed"], first["new_tokens"], first["stop_reason"]) == (7, 6, "length")
    assert (first["sampling"]["temperature"], first["sampling"]["top_k"]) == (0.9, 0)
    assert not (tmp_path / "config.toml").exists()


def test_values_on_the_command_line_reach_the_model_and_win_over_the_config_file(tmp_path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[sampling]\ngreedy = true\ntop_p = 0.5\n[system]\nsystem_prompt = "Be brief."\n')
    values = ("--temperature", "0.9", "--top-k", "7", "--min-p", "0.1", "--repetition-penalty", "1.2")
    done = ask(tmp_path, "hi", "--model", "guide", "--json", "--config", str(config), *values)
    receipt = json.loads(done.stdout)["receipt"]
    assert receipt["system_prompt"] == "Be brief."
    wanted = {"do_sample": True, "temperature": 0.9, "top_k": 7, "top_p": 0.5, "min_p": 0.1}
    assert receipt["sampling"].items() >= {**wanted, "repetition_penalty": 1.2}.items()
    done = ask(tmp_path, "hi", "--model", "guide", "--json", "--config", str(config))
    assert json.loads(done.stdout)["receipt"]["sampling"]["do_sample"] is False


@pytest.mark.parametrize(
    ("given", "text", "values"),
    [
        (["a", "--temperature", "0", "-"], ["a", "-"], {"temperature": "0"}),
        (["a", "--json", "b", "--seed", "3", "c"], ["a", "b", "c"], {"seed": "3"}),
        (["--", "-x"], ["-x"], {}),
        (["--thinking", "off", "--greedy", "on"], [], {"thinking": "off", "greedy": "on"}),
    ],
)
def test_words_may_come_before_between_and_after_flags(
    given: list[str], text: list[str], values: dict[str, str]
) -> None:
    arguments = parse(["ask", *given])
    assert arguments.text == text
    settings = {
        name: getattr(arguments, name, None) for name in ("temperature", "seed", "thinking", "greedy")
    }
    assert {name: value for name, value in settings.items() if value is not None} == values


@pytest.mark.parametrize(
    ("command", "says"), [("ask hi --colour red", "ask --help"), ("list x", "list --help")]
)
def test_what_is_not_known_is_refused_with_the_help_of_its_command(command: str, says: str, capsys) -> None:
    with pytest.raises(SystemExit):
        parse(command.split())
    assert says in capsys.readouterr().err


def test_a_standard_input_that_cannot_be_read_is_told(tmp_path) -> None:
    command = [sys.executable, "-m", "qwen_tui", "ask", "--data-dir", str(tmp_path), "-"]
    with open(tmp_path / "written", "wb") as only_for_writing:
        done = subprocess.run(command, stdin=only_for_writing, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"Standard input could not be read" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["\x1b[31mred"], "red"),
        ([], "from a file"),
        (["-"], "from a file"),
        (["What", "is", "this?", "-"], "What is this?\n\nfrom a file"),
        (["-", "What is this?"], "from a file\n\nWhat is this?"),
        (["What is this?"], "What is this?"),
    ],
)
def test_what_a_pipe_has_stands_where_the_dash_stands(
    words: list[str], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b" from a file\n")))
    assert _question(words) == asked


def test_a_person_at_a_terminal_sees_what_it_is_doing_on_the_standard_error(tmp_path) -> None:
    master, slave = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "qwen_tui",
        "ask",
        "Hello",
        "--data-dir",
        str(tmp_path),
        "--model",
        "guide",
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave, timeout=120
    )
    assert done.returncode == 0
    assert done.stdout.strip()
    told = os.read(master, 4096).decode()
    assert "reading the weights" in told
    assert "Traceback" not in told


def test_ctrl_c_stops_with_130(tmp_path) -> None:
    command = [sys.executable, "-m", "qwen_tui", "ask", "--data-dir", str(tmp_path), "--model", "guide"]
    command.append("Explain in detail what tokens are, and give examples.")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path) -> None:
    command = f'"{sys.executable}" -m qwen_tui ask --data-dir "{tmp_path}" --model guide "Explain tokens."'
    script = f"{command} | head -c 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=120)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("reply", "printed", "parts"),
    [
        (
            Reply([], thinking=["a tag"], reread=Reread("", "<think>a tag")),
            "<think>a tag",
            ("", "<think>a tag"),
        ),
        (
            Reply(["Hm.\n</think>\nYes."], reread=Reread("Hm.", "Yes.")),
            "Hm.\n</think>\nYes.",
            ("Hm.", "Yes."),
        ),
    ],
)
def test_a_reply_that_was_divided_wrongly_is_printed_whole(
    reply: Reply, printed: str, parts: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    request = Request(messages=(PromptMessage(Role.USER, "hi"),))
    for as_json in (False, True):
        _print_reply(ScriptedEngine([reply]), request, threading.Event(), as_json=as_json)
    plain, _, as_object = capsys.readouterr().out.rstrip("\n").rpartition("\n")
    said = json.loads(as_object)
    assert plain == printed
    assert (said["thinking"], said["text"]) == parts
