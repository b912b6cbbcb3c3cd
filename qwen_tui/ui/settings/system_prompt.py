"""The row of the system prompt: a line like that of other settings, and a text area below it."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.widgets import TextArea

from qwen_tui.settings.options import Option
from qwen_tui.settings.resolution import ResolvedSetting
from qwen_tui.strings import say
from qwen_tui.ui.settings.row import Change, SettingRow
from qwen_tui.ui.textual_patches.text_area import NEWLINE, WritingArea


class PromptText(WritingArea):
    """The text area for the system prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [NEWLINE]
    DEFAULT_CSS = """
    PromptText {
        height: auto;
        min-height: 3;
        max-height: 6;
        margin: 1 0 0 2;
        padding: 0 1;
        background: $foreground 4%;
        &:focus { background: $foreground 8%; }
        & .text-area--placeholder { color: $text-muted; }
        &:ansi .text-area--placeholder { text-style: dim; }
    }
    """

    def __init__(self, placeholder: str) -> None:
        super().__init__(
            id="setting-system-prompt-text",
            compact=True,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=placeholder,
        )
        self.can_focus = False  # until the person moves here

    def ends_at(self, by: int) -> bool:
        """Return whether the cursor is on the first visual line (`by` -1) or the last one (1)."""
        at, navigator = self.cursor_location, self.navigator
        return navigator.is_first_wrapped_line(at) if by < 0 else navigator.is_last_wrapped_line(at)


class SystemPromptRow(SettingRow):
    """A line with mark and label, and a text that is applied while it is typed, so that nothing can be lost."""

    DEFAULT_CSS = """
    SystemPromptRow {
        height: auto;
        margin-top: 1;
        & > .setting-row--label { color: $foreground 60%; text-style: bold; }
    }
    """

    def __init__(self, option: Option, change: Change) -> None:
        super().__init__(option, change)
        self.field = PromptText(say("panes.unset.system_prompt"))

    def compose(self) -> Iterator[PromptText]:
        yield self.field

    @property
    def shown(self) -> tuple[str, str]:
        """Return an empty value: the text is shown below the label."""
        return "", "setting-row--value"

    @property
    def hint(self) -> str:
        return say("panes.hint.writing") if self.field.has_focus else super().hint

    def watch_resolved(self, before: ResolvedSetting, now: ResolvedSetting) -> None:  # type: ignore[override]
        """Show a new value, unless the text has been changed meanwhile."""
        super().watch_resolved()
        if self.field.text == (before.value or "") != now.value:
            with self.field.prevent(TextArea.Changed):
                self.field.load_text(now.value or "")
            self.field.move_cursor(self.field.document.end)

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _hint(self) -> None:
        self.tell()

    @on(TextArea.Changed)
    def _written(self, event: TextArea.Changed) -> None:
        event.stop()
        self.finish()

    def begin(self) -> None:
        self.field.can_focus = True
        self.screen.set_focus(self.field)

    def finish(self) -> None:
        self.change(self.field.text)
