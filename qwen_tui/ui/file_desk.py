"""Text that leaves the program for a file, and conversations that come in from one."""

from collections.abc import Callable
from pathlib import Path

from textual.screen import Screen

from qwen_tui.chat.files import shown, why
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say
from qwen_tui.ui.file_dialog import FileDialog

Tell = Callable[[QwenTuiError | str], None]
"""Shows what came of it."""


class FileDesk:
    """Asks for a file's name over a screen, and reads or writes it."""

    def __init__(self, screen: Screen[None], tell: Tell) -> None:
        self._screen = screen
        self._tell = tell

    def save_code(self, code: str, name: str, note: str) -> None:
        """Write a code block to a file."""
        text = code if code.endswith("\n") else f"{code}\n"
        self._ask(say("files.save_code"), note, name, lambda path: self._write(path, text), writes=True)

    def _ask(self, title: str, note: str, name: str, use: Callable[[Path], None], *, writes: bool) -> None:
        def done(path: Path | None) -> None:
            if path is None:
                return
            try:
                use(path)
            except QwenTuiError as error:
                self._tell(error)

        self._screen.app.push_screen(FileDialog(title, note, name, writes=writes), done)

    def _write(self, path: Path, text: str) -> None:
        try:
            path.write_text(text, encoding="utf-8")
        except (OSError, ValueError) as error:
            detail = why(error) if isinstance(error, OSError) else str(error)
            raise QwenTuiError("files.not_written", path=shown(path), detail=detail) from error
        self._tell(say("files.written", path=shown(path.absolute())))
