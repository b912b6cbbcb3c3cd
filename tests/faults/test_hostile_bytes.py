"""Nothing that a model, a file or a paste holds reaches the terminal as anything but text.

Every byte that the whole program writes is taken apart: what is no text must be one of the few sequences that the
program itself has a use for.
"""

import json
import os
from collections import Counter
from pathlib import Path

from hostile import HOSTILE, control_of


def test_the_check_sees_what_it_is_to_see() -> None:
    for name in (
        "title",
        "clipboard",
        "C1 clipboard",
        "mouse off",
        "reset",
        "questions",
        "colours and cursor",
        "directions",
    ):
        assert control_of(HOSTILE[name].encode())[0], name
    assert control_of(b"\x1b]22;default\x07\x1b[38;2;1;2;3mtext\x1b[0m\x1b[2;5H\x1b[?25l")[0] == []


def resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def test_no_byte_of_a_models_output_controls_the_terminal(scripted) -> None:
    pieces = [[text[at : at + 7] for at in range(0, min(len(text), 3000), 7)] for text in HOSTILE.values()]
    terminal = scripted([[*deltas, f"\n```\n\nEND {number}."] for number, deltas in enumerate(pieces)])
    for number in range(len(HOSTILE)):
        terminal.type(f"{number}\r")
        terminal.until(f"END {number}.")
    terminal.settle(0.2)
    terminal.type("\x11")
    assert terminal.wait() == 0
    strange, _ = control_of(bytes(terminal.raw))
    assert Counter(strange) == {}


def test_no_byte_of_a_file_controls_the_terminal_and_huge_ones_are_bounded(scripted, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "conversations"
    folder.mkdir(parents=True)
    for number, (name, text) in enumerate(HOSTILE.items()):
        messages = [
            {"role": "user", "content": f"about {name}: {text}", "id": "q", "model": text[:99]},
            {"role": "assistant", "content": text, "thinking": text[:2000], "error": {"code": text[:40]}},
        ]
        value = {
            "version": 1,
            "name": f"{text[:40]} {number}",
            "messages": messages,
            "overrides": {text[:9]: text[:9]},
        }
        (folder / f"{number}.json").write_text(json.dumps(value))
    (folder / "\x1b]0;file\x07.json").write_text("no JSON")
    damaged = {
        "version": 1,
        "name": "x",
        "messages": [{"role": "user", "id": HOSTILE["title"], "content": ""}],
    }
    (folder / "id.json").write_text(json.dumps(damaged))
    (tmp_path / "data" / "config.toml").write_text(
        'temperature = "\\u001b]0;config\\u0007"\n"\\u001b[31mkey" = 1\n'
    )
    terminal = scripted([])
    before = resident_megabytes(terminal.process.pid)
    terminal.type("\x1bOR")  # F3: the list
    terminal.until("Conversations")
    for _ in HOSTILE:
        terminal.type("\r")
        terminal.settle(0.15)
        terminal.type("\x1bOR\x1b[B")
        terminal.settle(0.1)
    assert resident_megabytes(terminal.process.pid) - before < 400
    terminal.type("\x1bOR/\x1b[31mowned")
    terminal.settle(0.15)
    terminal.type("\x11")
    assert terminal.wait() == 0
    strange, text = control_of(bytes(terminal.raw))
    assert Counter(strange) == {}
    assert "after" in text


def test_no_byte_of_a_paste_controls_the_terminal(scripted) -> None:
    terminal = scripted([])
    for text in HOSTILE.values():
        if "\x1b[201~" not in text:
            pasted = text[:200_000].encode("utf-8", "replace")
            for at in range(0, len(pasted), 4096):
                os.write(terminal._master, (b"\x1b[200~" if at == 0 else b"") + pasted[at : at + 4096])
                terminal.settle(0.01)
            os.write(terminal._master, b"\x1b[201~")
            terminal.settle(0.1)
            terminal.type("\r")
            terminal.settle(0.2)
    terminal.type("\x11\x11")
    terminal.wait()
    strange, text = control_of(bytes(terminal.raw))
    assert Counter(strange) == {}
    assert "after" in text
