"""Check the terminal: colours, size, tmux, clipboard, keys, and the width of Chinese characters.

Imports nothing of Textual, because `qwen-tui doctor` runs without a screen.
"""

import locale
import os
import subprocess
import termios
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress

from qwen_tui.commands.doctor.check import Check
from qwen_tui.commands.doctor.terminal_query import SAMPLE, Answers, ask, open_terminal
from qwen_tui.strings import say

TMUX_SECONDS = 1.0

LEAST_COLUMNS, LEAST_ROWS = 60, 20
"""The smallest screen with room for everything."""


def terminal_checks(environment: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Yield the checks; queries the terminal itself if there is one."""
    values = os.environ if environment is None else environment
    terminal = open_terminal()
    is_there = terminal is not None
    answers, size = Answers(), (0, 0)
    if terminal is not None:
        with suppress(OSError, termios.error):
            size = os.get_terminal_size(terminal)
            answers = ask(terminal)
        os.close(terminal)
    yield _kind(values, is_there)
    yield Check("terminal.colours", "ok", _colours(values))
    if all(size):
        yield _size(*size)
    tmux = _tmux_options() if values.get("TMUX") else {}
    if values.get("TMUX"):
        yield Check("terminal.tmux", "ok", tmux.get("version", ""))
    yield _clipboard(values, tmux)
    yield _keys(values, tmux, is_there, answers)
    yield _locale(values)
    yield _width(is_there, answers)


def _kind(values: Mapping[str, str], is_there: bool) -> Check:
    name = values.get("TERM", "")
    program = " ".join(filter(None, (values.get("TERM_PROGRAM"), values.get("TERM_PROGRAM_VERSION"))))
    through = say("doctor.terminal.ssh") if values.get("SSH_CONNECTION") or values.get("SSH_TTY") else ""
    said = ", ".join(filter(None, (f"TERM={name}", program, through)))
    hint = ""
    if not is_there:
        hint = say("doctor.terminal.none")
    elif name in ("", "dumb", "unknown"):
        hint = say("doctor.terminal.dumb")
    return Check.noted("terminal.kind", said, hint)


def _colours(values: Mapping[str, str]) -> str:
    if values.get("NO_COLOR"):
        return say("doctor.colours.none")
    if values.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return say("doctor.colours.true")
    name = values.get("TERM", "")
    if "256color" in name:
        return say("doctor.colours.256")
    return say("doctor.colours.true" if name.endswith("-direct") else "doctor.colours.few")


def _size(columns: int, rows: int) -> Check:
    said = say("doctor.terminal.size", columns=columns, rows=rows)
    is_small = columns < LEAST_COLUMNS or rows < LEAST_ROWS
    hint = say("doctor.terminal.small", columns=LEAST_COLUMNS, rows=LEAST_ROWS) if is_small else ""
    return Check.noted("terminal.size", said, hint)


# --- tmux -------------------------------------------------------------------------------------------------


def _tmux_options() -> dict[str, str]:
    """Return tmux's version and the settings that copying and keys depend on, as far as tmux answers."""
    found = {"version": _tmux("-V").removeprefix("tmux ")}
    for name in ("set-clipboard", "extended-keys", "allow-passthrough"):
        found[name] = _tmux("show-options", "-gv", name) or _tmux("show-options", "-sv", name)
    return {name: value for name, value in found.items() if value}


def _tmux(*arguments: str) -> str:
    try:
        done = subprocess.run(["tmux", *arguments], capture_output=True, timeout=TMUX_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", errors="replace").strip() if done.returncode == 0 else ""


def _clipboard(values: Mapping[str, str], tmux: Mapping[str, str]) -> Check:
    if not values.get("TMUX"):
        return Check("terminal.clipboard", "ok", say("doctor.clipboard.osc52"))
    setting = tmux.get("set-clipboard", "")
    said = say("doctor.clipboard.tmux", setting=setting or "?")
    return Check.noted(
        "terminal.clipboard", said, say("doctor.clipboard.tmux_off") if setting == "off" else ""
    )


def _keys(values: Mapping[str, str], tmux: Mapping[str, str], is_there: bool, answers: Answers) -> Check:
    if answers.has_kitty_keys:
        return Check("terminal.keys", "ok", say("doctor.keys.kitty"))
    if values.get("TMUX"):
        setting = tmux.get("extended-keys", "off")
        said = say("doctor.keys.tmux", setting=setting)
        return Check("terminal.keys", "ok", said, say("doctor.keys.tmux_off") if setting == "off" else "")
    if not is_there:
        return Check("terminal.keys", "ok", say("doctor.keys.unknown"))
    return Check("terminal.keys", "ok", say("doctor.keys.plain"), say("doctor.keys.newline"))


# --- Text -------------------------------------------------------------------------------------------------


def _locale(values: Mapping[str, str]) -> Check:
    name = next((values[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if values.get(key)), "")
    encoding = _encoding()
    said = say("doctor.locale", name=name or say("doctor.locale.unset"), encoding=encoding)
    is_utf8 = encoding.upper().replace("-", "") == "UTF8"
    return Check.noted("terminal.locale", said, "" if is_utf8 else say("doctor.locale.not_utf8"))


def _encoding() -> str:
    """The encoding of the locale that the environment names. What is in force stays: files are read by it."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        with suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, "")
        return locale.nl_langinfo(locale.CODESET)
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _width(is_there: bool, answers: Answers) -> Check:
    wanted = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in SAMPLE)
    if answers.sample_cells is None:
        code = "doctor.width.silent" if is_there else "doctor.width.unknown"
        return Check("terminal.width", "ok", say(code, sample=SAMPLE))
    said = say("doctor.width", sample=SAMPLE, cells=answers.sample_cells)
    is_right = answers.sample_cells == wanted
    return Check.noted("terminal.width", said, "" if is_right else say("doctor.width.wrong", wanted=wanted))
