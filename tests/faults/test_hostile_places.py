"""Hostile text in every place but the messages: receipts, model folders, file names, code blocks, searches."""

import json
from collections import Counter
from pathlib import Path

import pytest
import tiny_models
from hostile import HOSTILE, MARK, control_of
from pseudo_terminal import Terminal
from real_program import Program

SHORT = [text for text in HOSTILE.values() if len(text) < 200]
EVIL = f"\x1b[{MARK}m\x1b]52;c;b3duZWQ=\x07\x9b{MARK}m\x1b]0;owned\x07\u202eevil\x85[red]evil[/]"
"""A bit of everything; ends in a word that can be looked for."""


def leave(terminal: Terminal) -> str:
    """End the program; returns the text of all that it wrote, which held nothing else that is not its own."""
    terminal.settle(0.2)
    terminal.type("\x11\x11")
    assert terminal.wait() == 0
    strange, text = control_of(bytes(terminal.raw))
    assert Counter(strange) == {}
    return text


def saved(folder: Path, **reply: object) -> None:
    """A conversation called `talk` with this reply."""
    folder.mkdir(parents=True)
    messages = [
        {"role": "user", "content": "question", "id": "q"},
        {"role": "assistant", "content": "answer", "id": "a", "parent": "q", **reply},
    ]
    value = {"version": 1, "name": "talk", "messages": messages, "head": "a"}
    (folder / "talk.json").write_text(json.dumps(value))


def test_a_receipt_is_text(scripted, tmp_path: Path) -> None:
    words = (
        "model",
        "revision",
        "quantization",
        "dtype",
        "device",
        "decode_path",
        "stop_reason",
        "system_prompt",
    )
    runs = [
        {
            **dict.fromkeys(words, text),
            "sampling": {text: text},
            "token_ids": [1, 2],
            "first_sent": text,
            text: text,
        }
        for text in [EVIL, *SHORT]
    ]
    saved(tmp_path / "data" / "conversations", receipt=runs, model=EVIL)
    terminal = scripted([], conversation="talk")
    terminal.until("answer")
    terminal.type("\x1b[Zi")  # to the log, and the receipt
    terminal.until("evil")
    for _ in range(30):
        terminal.type("\x1b[6~")  # page down
        terminal.settle(0.03)
    terminal.type("y")
    terminal.until("clipboard")
    terminal.type("\x1b")
    raw = bytes(terminal.raw)
    copied = raw.rpartition(b"\x1b]52;c;")[2].partition(b"\x07")[0]
    assert copied
    terminal.raw[:] = raw.replace(b"\x1b]52;c;" + copied + b"\x07", b"")  # what the person copied
    assert "evil" in leave(terminal)


def test_an_error_that_was_saved_is_text(scripted, tmp_path: Path) -> None:
    error = {"code": "engine.unexpected", "parameters": {"detail": EVIL}}
    saved(tmp_path / "data" / "conversations", status="failed", error=error)
    terminal = scripted([], conversation="talk")
    terminal.until("evil")
    leave(terminal)


def test_the_names_of_files_and_what_is_pasted_into_fields_are_text(scripted, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for text in [EVIL, *SHORT]:
        name = text.replace("/", "").replace("\x00", "").encode("utf-8", "replace")[:90]
        (folder / f"in{len(list(folder.iterdir()))}{name.decode('utf-8', 'ignore')}.json").write_text("{")
    terminal = scripted([])
    terminal.type("\x10")
    terminal.until("Search for commands")
    terminal.paste(EVIL)
    terminal.settle(0.1)
    terminal.type("\x15import")
    terminal.until("Import conversations")
    terminal.type("\r")
    terminal.until("→ complete")
    for number in range(len(SHORT) + 1):
        terminal.type("\x15")
        terminal.paste(f"{folder}/in{number}")
        terminal.settle(0.05)
        terminal.type("\x1b[C")  # takes what is suggested
        terminal.settle(0.05)
    terminal.paste(EVIL)
    terminal.settle(0.1)
    terminal.type("\r")
    terminal.until("File not found")
    terminal.type("\x1b")
    assert "evil" in leave(terminal)


def test_a_code_block_and_what_is_searched_for_are_text(scripted, tmp_path: Path) -> None:
    saved(tmp_path / "data" / "conversations", content=f"```{EVIL}\nprint(1)\n```\nneedle {EVIL}")
    terminal = scripted([], conversation="talk")
    terminal.until("print(1)")
    terminal.type("\x1b[Zs")  # to the log, and save the code block
    terminal.settle(0.2)
    terminal.type("\x1b\x1b")
    terminal.settle(0.1)
    terminal.type("\x1bOR/needle")
    terminal.until("needle")
    terminal.settle(0.2)
    terminal.paste(EVIL)
    terminal.settle(0.2)
    terminal.type("\x1b")
    leave(terminal)


@pytest.mark.parametrize("place", ["template", "config"])
def test_a_model_folder_is_text(program: Program, tmp_path: Path, place: str) -> None:
    refusal = "{{ raise_exception(" + json.dumps(EVIL, ensure_ascii=False) + ") }}"
    folder = tiny_models.qwen2(tmp_path / EVIL.replace("/", ""), template=refusal)
    if place == "config":
        config = json.loads((folder / "config.json").read_text())
        config |= {"model_type": EVIL, "architectures": [EVIL]}
        (folder / "config.json").write_text(json.dumps(config))
    terminal = program.start("--model", str(folder))
    terminal.type("hello")
    terminal.until("hello")
    terminal.type("\r")
    terminal.until("Rejected by the chat template" if place == "template" else "Not a chat model")
    assert "evil" in leave(terminal)
