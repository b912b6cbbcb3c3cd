"""Textual's terminal driver with what a chat needs of it: whole pastes, whole words from an input method.

Departures from `LinuxDriver` (textual 8.2):

* The kitty keyboard protocol at flag 1. Textual asks for 25, "report every key as an escape sequence with its
  text", and then reads a commit of five or more Chinese characters as garbage; at 1 text comes as UTF-8, and
  shift+enter is still told apart from enter.
* `ESC CR` is alt+enter. Textual reads it as enter, which would send.
* In tmux, modifyOtherKeys: without it shift+enter and enter are the same there.
* No focus reports: each one restyles the whole screen, and nothing here depends on them.
* Pasted text is cleaned: Textual's fields take escape sequences in it, and write them to the terminal.
* A terminal that has gone ends the program. Textual would read its end of file forever, at full load.
* What a signal to stop or to go on asks for is done by the event loop. Textual does it where the signal finds the
  main thread, which may be in the middle of a write and hold the lock that giving the terminal back needs: then it
  hangs. One that was stopped without notice (SIGSTOP) would go on with a second thread that reads the keys.
"""

import contextlib
import os
import re
import selectors
import signal
import termios
from codecs import getincrementaldecoder
from types import SimpleNamespace
from typing import Any, ClassVar, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.constants import ESCAPE_DELAY
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Paste
from textual.message import Message as Posted

from qwen_tui.chat.cleaning import clean
from qwen_tui.ui.textual_patches.input_parser import HOLD_SECONDS, Keyboard

READ_BYTES = 65536
LOOK_SECONDS = 0.1
"""How often the input thread looks whether it should end."""

# Module constants, read each time the driver starts.
setattr(linux_driver, "KITTY_REPORT_ALL_KEYS", 0)  # noqa: B010 - Final for type checkers
setattr(linux_driver, "KITTY_REPORT_ASSOCIATED_TEXT", 0)  # noqa: B010
cast(dict[str, Any], ANSI_SEQUENCES_KEYS)["\x1b\r"] = (SimpleNamespace(value="alt+enter"),)


class ChatDriver(LinuxDriver):
    """The driver of the full screen."""

    is_shown: ClassVar[bool] = False
    """Whether the screen is on the terminal now: not before the start, nor while an editor has it."""

    _is_wanted = False
    """Whether the terminal is to be taken when the program goes on."""

    def start_application_mode(self) -> None:
        """Take the terminal; in the background the program is stopped here, and takes it when it goes on."""
        before = self._writer_thread
        self._is_wanted = True
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is before:  # it has not been taken
            return
        type(self).is_shown, self._is_wanted = True, False
        self.write("\x1b[?1004l")
        if "TMUX" in os.environ:
            self.write(f"\x1b[>4;{_modify_other_keys()}m")

    def stop_application_mode(self) -> None:
        if "TMUX" in os.environ:
            self.write("\x1b[>4;0m")
        super().stop_application_mode()
        type(self).is_shown = False

    def _sigtstp_application(self, *_: object) -> None:
        if self.is_shown and self._auto_restart:
            self._loop.call_soon_threadsafe(self._suspend)
        else:  # an editor has it, or nobody yet
            os.kill(os.getpid(), signal.SIGSTOP)

    def _suspend(self) -> None:
        if self.is_shown:
            self.suspend_application_mode()
            self._is_wanted = True
            os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        if self._auto_restart and (self.is_shown or self._is_wanted):
            self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if self.is_shown:  # stopped without notice: others may have had the terminal meanwhile
            with contextlib.suppress(termios.error):  # in the background it is stopped here, before it writes
                termios.tcsetattr(self.fileno, termios.TCSANOW, termios.tcgetattr(self.fileno))
            self.suspend_application_mode()
        self._must_signal_resume = True
        self.resume_application_mode()

    def run_input_thread(self) -> None:
        keyboard = Keyboard(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            timeout = LOOK_SECONDS
            while not self.exit_event.is_set():
                if selector.select(timeout):
                    try:
                        data = os.read(self.fileno, READ_BYTES)
                    except OSError:
                        data = b""
                    if not data:
                        os.kill(os.getpid(), signal.SIGHUP)
                        return
                    messages = keyboard.feed(decode(data))
                else:
                    messages = keyboard.tick()
                for message in messages:
                    self.process_message(message)
                # After input soon again: a lone esc or a held enter waits only for what may follow it.
                timeout = min(HOLD_SECONDS, ESCAPE_DELAY) if keyboard.is_waiting else LOOK_SECONDS

    def process_message(self, message: Posted) -> None:
        """Hand on what was typed; pasted text cleaned, for every field that there is."""
        super().process_message(Paste(clean(message.text)) if isinstance(message, Paste) else message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Ask the terminal itself; COLUMNS and LINES may have been exported by another one."""
        try:
            width, height = os.get_terminal_size(self.fileno)
        except OSError:
            width, height = 0, 0
        return width or 80, height or 24


def _modify_other_keys() -> int:
    """Which modifyOtherKeys tmux understands as *tell modified keys apart*: 2 since 3.5, 1 before."""
    found = re.match(r"(\d+)\.(\d+)", os.environ.get("TERM_PROGRAM_VERSION", ""))
    in_tmux = os.environ.get("TERM_PROGRAM") == "tmux"
    return 2 if found and in_tmux and (int(found[1]), int(found[2])) >= (3, 5) else 1
