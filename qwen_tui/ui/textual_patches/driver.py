"""A terminal driver for a chat: pastes arrive whole, and so do words from an input method.

Differences from `LinuxDriver` (textual 8.2):

* The kitty keyboard protocol at flag 1. Textual requests 25, "report every key as an escape sequence with its
  text", and then misreads a commit of five or more Chinese characters; at 1 text arrives as UTF-8, and
  shift+enter still differs from enter.
* `ESC CR` is alt+enter. Textual reads it as enter, which would send.
* In tmux, modifyOtherKeys: without it shift+enter and enter are the same there.
* Focus reports stay here: passed on, each would restyle the whole screen.
* The terminal's title is set, and what it was before is brought back.
* Pasted text is cleaned: Textual's fields accept escape sequences in it, and write them to the terminal.
* Marks that only restyle an emoji are not written: terminals disagree about their width.
* A closed terminal ends the program. Textual would read end of file forever, at full load.
* Signals to stop and to continue are handled on the event loop. Textual handles them wherever they interrupt
  the main thread, which may hold a lock during a write that restoring the terminal needs: a deadlock. After
  an uncatchable stop (SIGSTOP) it would continue with a second thread that reads the keys.
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
from textual.app import App
from textual.constants import ESCAPE_DELAY
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import AppBlur, AppFocus, Paste
from textual.message import Message as Posted

from qwen_tui.chat.cleaning import clean
from qwen_tui.ui.terminal import title_and_bell
from qwen_tui.ui.textual_patches.input_parser import HOLD_SECONDS, Keyboard
from qwen_tui.wording.cell_width import RESTYLING

READ_BYTES = 65536
_RESTYLING = re.compile(f"[{RESTYLING}]")
LOOK_SECONDS = 0.1
"""How often the input thread checks whether it should end."""

# Module constants, read each time the driver starts.
setattr(linux_driver, "KITTY_REPORT_ALL_KEYS", 0)  # noqa: B010 - Final for type checkers
setattr(linux_driver, "KITTY_REPORT_ASSOCIATED_TEXT", 0)  # noqa: B010
cast(dict[str, Any], ANSI_SEQUENCES_KEYS)["\x1b\r"] = (SimpleNamespace(value="alt+enter"),)


class ChatDriver(LinuxDriver):
    """The full-screen driver."""

    is_shown: ClassVar[bool] = False
    """Whether the screen is on the terminal now: not before the start, nor while an editor uses it."""

    has_focus: ClassVar[bool | None] = None
    """Whether the terminal is in the foreground; None if it has not said so."""

    _title: ClassVar[str] = ""
    """The sequence that sets the title, which is written again when the terminal is taken over."""

    _is_wanted = False
    """Whether to take over the terminal when the program continues."""

    def start_application_mode(self) -> None:
        """Take over the terminal; a background process is stopped here and does so when it continues."""
        before = self._writer_thread
        self._is_wanted = True
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is before:  # it was not taken over
            return
        type(self).is_shown, self._is_wanted = True, False
        self.write(f"{title_and_bell.PUT_ASIDE}{self._title}")
        if "TMUX" in os.environ:
            self.write(f"\x1b[>4;{_modify_other_keys()}m")

    def stop_application_mode(self) -> None:
        if "TMUX" in os.environ:
            self.write("\x1b[>4;0m")
        self.write(title_and_bell.BRING_BACK)
        super().stop_application_mode()
        type(self).is_shown = False

    def _sigtstp_application(self, *_: object) -> None:
        if self.is_shown and self._auto_restart:
            self._loop.call_soon_threadsafe(self._suspend)
        else:  # an editor is using the terminal, or the app has not started
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
        if self.is_shown:  # after SIGSTOP: others may have used the terminal meanwhile
            with contextlib.suppress(termios.error):  # a background process is stopped here, before it writes
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
                # Soon after input: a lone esc or a held enter only waits for what may follow it.
                timeout = min(HOLD_SECONDS, ESCAPE_DELAY) if keyboard.is_waiting else LOOK_SECONDS

    def write(self, data: str) -> None:
        """Write without the marks that terminals measure differently: a frame beside them would be displaced."""
        super().write(_RESTYLING.sub("", data) if not data.isascii() else data)

    def process_message(self, message: Posted) -> None:
        """Pass on a message, with pasted text cleaned for all fields; note the focus."""
        if isinstance(message, AppFocus | AppBlur):
            type(self).has_focus = isinstance(message, AppFocus)
            return
        super().process_message(Paste(clean(message.text)) if isinstance(message, Paste) else message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Ask the terminal itself: COLUMNS and LINES may have been exported by another one."""
        try:
            width, height = os.get_terminal_size(self.fileno)
        except OSError:
            width, height = 0, 0
        return width or 80, height or 24


def entitle(app: App[Any], sequence: str) -> None:
    """Set the terminal's title with this sequence; see `title_and_bell.title`."""
    driver = app._driver
    if isinstance(driver, ChatDriver) and sequence != driver._title:
        ChatDriver._title = sequence
        if driver.is_shown:
            driver.write(sequence)


def _modify_other_keys() -> int:
    """Return the modifyOtherKeys value that makes tmux distinguish modified keys: 2 since 3.5, 1 before."""
    found = re.match(r"(\d+)\.(\d+)", os.environ.get("TERM_PROGRAM_VERSION", ""))
    in_tmux = os.environ.get("TERM_PROGRAM") == "tmux"
    return 2 if found and in_tmux and (int(found[1]), int(found[2])) >= (3, 5) else 1
