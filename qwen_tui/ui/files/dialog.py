"""A dialog that asks for a file name, to write to or to read from."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

from qwen_tui.chat.cleaning import one_line
from qwen_tui.strings import say
from qwen_tui.ui.widgets.keys import key_of, keys_of
from qwen_tui.ui.widgets.prose import Prose


class FileDialog(ModalScreen[Path | None]):
    """A modal dialog with one field. Enter returns the path with `~` expanded; esc returns None.

    Overwriting an existing file must be confirmed by submitting the same name again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", say("files.cancel"), id="files.cancel"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    FileDialog {
        align: center middle;
        #file-box {
            width: 76;
            max-width: 100%;
            height: auto;
            padding: 1 2 0 2;
            border: round $border;
            border-title-color: $text-accent;
            border-subtitle-color: $text-muted;
            background: $background;
        }
        #file-note { height: auto; color: $text-muted; margin: 1 0; }
        #file-note.-warning { color: $text-warning; }
    }
    """

    def __init__(
        self,
        title: str,
        note: str,
        name: str = "",
        *,
        writes: bool,
        problem: Callable[[Path], str] = lambda path: "",
    ) -> None:
        """Create the dialog; `name` is a suggestion; `writes` says whether the file will be written.

        `problem` returns a sentence on why an otherwise valid path is not accepted, or empty.
        """
        super().__init__()
        self._title = title
        self._note = note
        self._suggestion = name
        self._writes = writes
        self._problem = problem
        self._asked_about = ""

    def compose(self) -> ComposeResult:
        keys = keys_of(self, take="files.take", cancel="files.cancel")
        with Vertical(id="file-box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(say(f"files.keys.{'save' if self._writes else 'open'}", **keys))
            yield _Field(self._suggestion, suggester=_Paths(), select_on_focus=False, compact=True)
            yield Static(Prose(self._note), id="file-note")

    @on(Input.Changed)
    def _write_on(self) -> None:
        self._asked_about = ""
        self._say(self._note)

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            return
        path = Path(event.value.strip()).expanduser()
        problem = _problem(path, self._writes) or self._problem(path)
        if problem:
            self._say(problem, warns=True)
        elif self._writes and path.exists() and self._asked_about != event.value:
            self._asked_about = event.value
            self._say(
                say("files.overwrite", name=one_line(path.name), key=key_of(self, "files.take")), warns=True
            )
        else:
            self.dismiss(path)

    def _say(self, text: str, *, warns: bool = False) -> None:
        note = self.query_one("#file-note", Static)
        note.set_class(warns, "-warning")
        note.update(Prose(text))


def _problem(path: Path, writes: bool) -> str:
    """Return why this path is not accepted; empty if it is."""
    shown = one_line(str(path), 300)
    try:
        if path.is_dir():
            return say("files.is_folder", path=shown)
        if writes and not path.parent.is_dir():
            return say("files.no_folder", path=one_line(str(path.parent), 300))
        if not writes and not path.is_file():
            return say("files.not_there", path=shown)
    except (OSError, ValueError):
        return say("files.no_name", path=shown)
    return ""


class _Field(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", say("files.take"), id="files.take"),
    ]


class _Paths(Suggester):
    """Completes the name of an existing file or folder; the right arrow accepts it."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        folder, _, begun = value.rpartition("/")
        if not begun:
            return None
        try:
            inside = Path(f"{folder}/" if folder or value.startswith("/") else ".").expanduser()
            names = sorted(each.name for each in inside.iterdir() if each.name.startswith(begun))
        except (OSError, ValueError, RuntimeError):
            return None
        name = next((name for name in names if name.isprintable()), None)
        return value[: len(value) - len(begun)] + name if name is not None else None
