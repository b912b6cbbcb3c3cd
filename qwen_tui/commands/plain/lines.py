"""Input and output of the line mode: the prompt, results on standard output, notices on standard error."""

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from qwen_tui.commands.output import utf8
from qwen_tui.session.draft import is_large

CONTINUED = "\\"
"""At the end of a line: the message goes on in the next one."""


class Lines:
    """Reads lines and prints; with a terminal on both sides, the line can be edited and has a history."""

    def __init__(self, commands: Sequence[str] = ()) -> None:
        """`commands` are completed with Tab."""
        self._out, self._notices = utf8(sys.stdout), utf8(sys.stderr)
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        self.is_typed = sys.stdin.isatty()
        """Whether a person types the lines."""
        self.is_reading = False
        """Whether a line is being typed."""
        self._readline = _readline(commands) if self.is_typed and self._out.isatty() else None

    def read(self, *, text: str = "", prompt: str = "> ") -> str:
        """Return the next message or command, without line end; raises EOFError where there is none.

        `text` is already typed on the line, if it can be edited.
        """
        parts = [self._line(prompt, text)]
        while parts[-1].endswith(CONTINUED):
            parts[-1] = parts[-1].removesuffix(CONTINUED)
            with suppress(EOFError):
                parts.append(self._line("… " if self.is_typed else "", ""))
                continue
            break
        return "\n".join(parts)

    def can_begin_with(self, text: str) -> bool:
        """Whether `read` can show this text to be edited."""
        return self._readline is not None and not is_large(text)

    def typed_now(self) -> str:
        """Return what is typed on the line so far, as far as it is a message."""
        text = str(self._readline.get_line_buffer()) if self._readline is not None and self.is_reading else ""
        return "" if text.startswith("/") else text

    def leave_prompt(self) -> None:
        """Begin a new line after a prompt that was left without Enter; the terminal may be gone."""
        if self.is_typed:
            with suppress(OSError):
                print(file=self._notices, flush=True)

    def write(self, text: str) -> None:
        """Write a part of a reply at once."""
        self._out.write(text)
        self._out.flush()

    def show(self, lines: Iterable[str]) -> None:
        """Print results, one line each."""
        for line in lines:
            print(line, file=self._out)
        self._out.flush()

    def note(self, *what: object) -> None:
        """Print notices, one line each; they name the program unless a person reads them in a terminal."""
        for each in what:
            text = str(each) if self._notices.isatty() else f"qwen-tui: {each}"
            print(text, file=self._notices, flush=True)

    def _line(self, prompt: str, text: str) -> str:
        self.is_reading = True
        try:
            return self._edited(prompt, text) if self._readline is not None else self._simple(prompt)
        except OSError:  # the terminal is gone
            raise EOFError from None
        finally:
            self.is_reading = False

    def _simple(self, prompt: str) -> str:
        if self.is_typed:
            print(prompt, end="", file=self._notices, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")

    def _edited(self, prompt: str, text: str) -> str:
        editor: Any = self._readline
        editor.set_startup_hook((lambda: editor.insert_text(text)) if self.can_begin_with(text) else None)
        try:
            return input(prompt)
        finally:
            editor.set_startup_hook(None)


def _readline(commands: Sequence[str]) -> Any:
    """Return the line editor, with Tab set to complete commands; None where Python has none."""
    try:
        import readline
    except ImportError:
        return None
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    if "utf" not in next(filter(None, named), "").lower():
        # In a C locale the editor would understand the bytes of Chinese as keys with Alt.
        os.environ["LC_ALL"] = "C.UTF-8"
    words = [f"/{command}" for command in commands]

    def complete(begun: str, number: int) -> str | None:
        found = [word for word in words if begun.startswith("/") and word.startswith(begun)]
        return f"{found[number]} " if number < len(found) else None

    readline.set_completer_delims(" ")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
    return readline
