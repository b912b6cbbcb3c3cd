"""Choosing a model in the real program: a terminal, a worker, and a model folder that was never opened before."""

import json
from pathlib import Path

import tiny_models
from pseudo_terminal import Terminal
from waiting import wait_for

F4, ENTER = "\x1bOS", "\r"


def models_of(data: Path) -> list[str]:
    """Which models wrote the replies of the one conversation, in their order."""
    (file,) = (data / "conversations").glob("[!.]*.json")
    replies = (m for m in json.loads(file.read_text())["messages"] if m["role"] == "assistant")
    return [run["model"] for reply in replies for run in reply.get("receipt", [])]


def test_another_model_is_chosen_and_answers_and_is_found_again(tmp_path: Path) -> None:
    folder = tiny_models.qwen2(tmp_path / "小模型", window=1024)
    data = tmp_path / "data"
    with Terminal(80, 24, ["--model", "guide", "--device", "cpu"], data) as terminal:
        terminal.until("2,048", seconds=60)
        terminal.type("hello" + ENTER)
        terminal.until("tok/s", seconds=60)
        terminal.type(F4)
        terminal.until("On this machine")
        terminal.type("/")
        terminal.type(str(folder))
        terminal.type(ENTER)
        terminal.until("Fits on cpu with 1,024 tokens")
        terminal.type(ENTER)
        terminal.until(lambda shown: "小" in shown and "1,024" in shown and "Models" not in shown, seconds=60)
        terminal.type("again" + ENTER)
        wait_for(lambda: not terminal.settle(0.05) and models_of(data) == ["guide", str(folder)], 60)
        terminal.type("\x11")
        assert terminal.wait() == 0
    assert str(folder) in json.loads((data / "models.json").read_text())["models"]
    with Terminal(80, 24, ["--model", "guide", "--device", "cpu"], data) as terminal:
        terminal.until("⏎ Send")
        terminal.type(F4)
        terminal.until("小")
        terminal.type("\x11")
        assert terminal.wait() == 0
