"""The row of a number, which is typed in place or stepped with the arrow keys."""

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style

from qwen_tui.chat.cleaning import one_line
from qwen_tui.strings import say
from qwen_tui.ui.settings.row import SettingRow, hint_keys
from qwen_tui.wording.settings import is_unfinished, problem_with, stepped, typed

_LONGEST = 16


class NumberRow(SettingRow):
    """A number on one line.

    Typing starts a draft, which is checked at every key and applied by enter or by leaving the row. An
    invalid draft changes nothing and is discarded when leaving the row.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "step(1)", say("panes.key.more"), id="settings.more", show=False),
        Binding("left", "step(-1)", say("panes.key.less"), id="settings.less", show=False),
        Binding("shift+right", "step(10)", say("panes.key.much_more"), id="settings.much_more", show=False),
        Binding("shift+left", "step(-10)", say("panes.key.much_less"), id="settings.much_less", show=False),
    ]

    LABEL_SHARE = 0.5

    draft: reactive[str | None] = reactive(None)
    """The text being typed, or None."""

    @property
    def remark(self) -> str:
        return super().remark if self.draft is None else say("panes.bounds", bounds=self.option.bounds)

    @property
    def hint(self) -> str:
        if self.draft is not None:
            return say("panes.hint.typing", **hint_keys(self))
        code = "panes.hint.number_reset" if self.resolved.resettable else "panes.hint.number"
        return say(code, **hint_keys(self))

    @property
    def shown(self) -> tuple[str, str]:
        if self.draft is None:
            return super().shown
        return self.draft + " ", "setting-row--invalid" if self.problem else "setting-row--value"

    def render(self) -> Content:
        line = super().render()
        end = len(line)
        return line if self.draft is None else line.stylize(Style(reverse=True), end - 1, end)

    def watch_draft(self, draft: str | None) -> None:
        """Check the draft; the start of a valid number is not an error yet."""
        is_wrong = draft is not None and not is_unfinished(self.option, draft)
        self.problem = problem_with(self.option, draft or "") if is_wrong else ""
        self.set_class(draft is not None, "-editing")
        self.tell()

    @on(events.Key)
    def _type(self, event: events.Key) -> None:
        if event.key == "escape" and self.draft is not None:
            event.stop()  # only cancels the draft; the panel keeps the focus
            self.draft = None
        elif self.draft is None:
            # A minus also starts a draft: where a setting may not be negative, the check then reports it.
            if event.character is None or not (event.character.isdecimal() or event.character in ".-"):
                return
            self._add(event, event.character)
        elif event.key in ("backspace", "delete"):
            self.draft = self.draft[:-1] if event.key == "backspace" else ""
            event.stop().prevent_default()
        elif event.is_printable and event.character is not None:
            self._add(event, event.character)

    def _add(self, event: events.Key, character: str) -> None:
        event.stop().prevent_default()
        self.draft = ((self.draft or "") + character)[:_LONGEST]

    @on(events.Paste)
    def _paste(self, event: events.Paste) -> None:
        event.stop()
        self.draft = one_line(event.text)[:_LONGEST]

    @on(events.Blur)
    def finish(self) -> None:
        """End the draft; apply it if it is valid."""
        draft, self.draft = self.draft, None
        if draft is not None and not problem_with(self.option, draft):
            self.change(self.option.parse(draft))

    def begin(self) -> None:
        """Start a draft with the current value, or apply the current draft."""
        if self.draft is None:
            self.draft = typed(self.option, self.resolved.value)
            return
        self.problem = problem_with(self.option, self.draft)
        if not self.problem:
            self.finish()

    def action_step(self, steps: int) -> None:
        self.finish()
        value = self.resolved.own if self.resolved.value is None else self.resolved.value
        self.change(stepped(self.option, value, steps))
