"""Nothing that a model, a file or a paste holds reaches the terminal as anything but text.

Every byte that the whole program writes is taken apart: what is no text must be one of the few sequences that the
program itself has a use for.
"""

import json
import os
import re
import time
from collections import Counter
from pathlib import Path

SEQUENCE = re.compile(rb"\x1b\[([<>=?]?)([0-9;:]*)([ !\"$']?)([@-~])")
"""A control sequence: private marker, parameters, intermediate, final byte."""

OWN = {
    b"m": "colours",
    b"H": "cursor position",
    b"A": "cursor up",
    b"B": "cursor down",
    b"C": "cursor right",
    b"D": "cursor left",
    b"J": "erase",
    b"K": "erase",
    b"h": "modes",
    b"l": "modes",
    b"u": "keyboard protocol",
    b"p": "question about a mode",
    b"c": "question about the terminal",
    b"t": "question about the size",
    b"q": "cursor shape",
}
OWN_MODES = {1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2031, 2048, 25, 7}

OWN_STRING = re.compile(rb"\x1b\]22;[a-z-]+\x07")
"""The shape of the mouse pointer."""

HOSTILE = {
    "title": "\x1b]0;owned\x07after",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07after",
    "clipboard, ended otherwise": "\x1b]52;c;b3duZWQ=\x1b\\after",
    "C1 clipboard": "\x9d52;c;b3duZWQ=\x9cafter",
    "alternate screen left": "\x1b[?1049lafter",
    "mouse off": "\x1b[?1000l\x9b?1003lafter",
    "reset": "\x1bcafter\x1b[!p",
    "device control": "\x1bP+q544e\x1b\\after\x90$q\x9c",
    "private message": "\x1b^pm\x1b\\\x1b_apc\x1b\\\x1bXsos\x1b\\",
    "questions": "\x1b[6n\x1b[c\x1b[>q\x05",
    "never ended": "\x1b]8;;http://example.invalid",
    "link": "\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\",
    "control characters": "a\x00b\x07c\x08d\x0be\x0cf\x0eg\x0fh\x7fi\x85j\x84k",
    "carriage returns": "first\rsecond\r\nthird",
    "directions": "abc \u202edcba\u202c \u2066x\u2069 \u200f\u200e",
    "markup": "[red]no[/red] [@click=app.quit]x[/] [link='a']b[/link] [/] [bold",
    "zero width": "a" + "\u200b\u200d\u0301" * 3000 + "b",
    "tags": "a\U000e0041\U000e0042b\ufeffc",
    "a megabyte without a space": "x" * 1_000_000,
    "quotes": ">" * 10_000 + " deep",
    "open fence": "```python\n\x1b[31mprint(1)",
    "entities": "&#27;[31mred&#x9b;31m&NewLine;",
    "lone surrogate": "a\ud800b",
}


def control_of(raw: bytes) -> tuple[list[str], str]:
    """What is neither text nor a sequence of the program's own, and all of the text."""
    raw = OWN_STRING.sub(b"", raw)
    strange: list[str] = []
    text: list[str] = []
    at = 0
    for match in SEQUENCE.finditer(raw):
        text.append(raw[at : match.start()].decode("utf-8"))
        at = match.end()
        marker, parameters, _, final = match.groups()
        if final not in OWN:
            strange.append(repr(match.group()))
        elif marker == b"?" and final in (b"h", b"l"):
            unknown = [number for number in parameters.split(b";") if int(number) not in OWN_MODES]
            strange += [repr(match.group())] if unknown else []
    text.append(raw[at:].decode("utf-8"))
    whole = "".join(text)
    strange += [
        repr(found)
        for found in re.findall(r"\x1b.{0,20}|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]", whole)
    ]
    strange += [repr(found) for found in re.findall(r"[\u202a-\u202e\u2066-\u2069\u200e\u200f]", whole)]
    return strange, whole


def test_the_check_sees_what_it_is_to_see() -> None:
    for name in ("title", "clipboard", "C1 clipboard", "mouse off", "reset", "questions", "directions"):
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
    began = time.monotonic()
    for _ in HOSTILE:
        terminal.type("\r")
        terminal.settle(0.15)
        terminal.type("\x1bOR\x1b[B")
        terminal.settle(0.1)
    assert time.monotonic() - began < 60
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
