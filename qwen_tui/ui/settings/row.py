"""The base class of setting rows: mark, label and value on one line."""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from qwen_tui.chat.messages import Json
from qwen_tui.settings.options import Option
from qwen_tui.settings.resolution import ResolvedSetting
from qwen_tui.strings import joined, say
from qwen_tui.ui.widgets.keys import key_of, keys_of
from qwen_tui.wording.cell_width import cells, cropped
from qwen_tui.wording.settings import worded, worded_open

RESET: Final = object()
"""Instead of a value: remove the value of the edited scope."""

Change = Callable[[str, Json], None]
"""Sets a setting, by name, to a checked value or `RESET`."""

_MARKS = {"": " ", "default": "○", "override": "●"}


def hint_keys(node: Widget) -> dict[str, Any]:
    """Return the keys that the hints of rows name."""
    names = ("change", "reset", "next", "previous", "more", "less", "much_more")
    return keys_of(node, **{name: f"settings.{name}" for name in names})


class SettingRow(Widget):
    """A setting that can be focused, changed and reset. Subclasses define how a value is entered.

    `resolved` is handed down; a row only keeps an unfinished draft.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", say("panes.key.change"), id="settings.change", show=False),
        Binding("delete,backspace", "reset", say("panes.key.reset"), id="settings.reset", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "setting-row--mark",
        "setting-row--label",
        "setting-row--value",
        "setting-row--unset",
        "setting-row--invalid",
    }

    DEFAULT_CSS = """
    SettingRow {
        height: 1;
        width: 1fr;
        padding: 0 1 0 0;
        & > .setting-row--mark, & > .setting-row--unset { color: $foreground 60%; }
        & > .setting-row--label, & > .setting-row--value { color: $foreground; }
        & > .setting-row--invalid { color: $text-error; text-style: bold; }
        &.-override > .setting-row--mark { color: $text-accent; }
        &.-idle > .setting-row--label, &.-idle > .setting-row--value { color: $foreground 40%; }
        &.-idle > .setting-row--unset { color: $foreground 40%; }
        &.-absent { display: none; }
        &:hover { background: $foreground 5%; }
        &:focus, &.-editing { background: $foreground 12%; }
        &:ansi {
            & > .setting-row--unset, & > .setting-row--mark { text-style: dim; }
            &.-override > .setting-row--mark { text-style: none; }
            &.-idle > .setting-row--label, &.-idle > .setting-row--value { text-style: dim; }
            &:hover, &:focus, &.-editing { background: transparent; }
            &:focus > .setting-row--label, &.-editing > .setting-row--label {
                color: $text-accent; text-style: bold underline;
            }
        }
    }
    """

    LABEL_SHARE: ClassVar[float] = 0
    """The part of the width where a click only focuses the row."""
    cut = staticmethod(cropped)
    """Shortens the value's text to a number of cells."""

    resolved: reactive[ResolvedSetting] = reactive(ResolvedSetting())
    problem: reactive[str] = reactive("", toggle_class="-invalid")
    """Why the draft is invalid, in words."""
    said: reactive[tuple[str, str, bool]] = reactive(("", "", False), repaint=False)
    """For the help area: a text on the row, its keys, and whether it is a problem."""

    def __init__(self, option: Option, change: Change) -> None:
        super().__init__(id=f"setting-{option.name.replace('_', '-')}")
        self.option = option
        self._change = change

    # --- Defined by subclasses ------------------------------------------------------------------------

    def begin(self) -> None:
        """Start to change the value, as enter or a click on the row does."""

    def finish(self) -> None:
        """End the draft; apply it if it is valid."""

    @property
    def remark(self) -> str:
        """A remark on the current value, or empty."""
        if self.resolved.loads:
            return say("panes.loads", key=key_of(self, "settings.change"))
        if self.resolved.restarts:
            return say("panes.restarts")
        if self.resolved.idle:
            return say(f"panes.idle.{self.resolved.idle}")
        if self.resolved.rereads:
            return say("panes.rereads")
        return say("panes.overridden") if self.resolved.overridden_elsewhere else ""

    @property
    def hint(self) -> str:
        keys = hint_keys(self)
        hint = say(f"panes.hint.{'loads' if self.resolved.loads else self.option.kind}", **keys)
        return say("panes.hint.reset", hint=hint, **keys) if self.resolved.resettable else hint

    @property
    def shown(self) -> tuple[str, str]:
        """The text of the value, and the component class to draw it with."""
        value = self.resolved.value
        if value in (None, "auto"):
            return worded_open(self.option, value, self.resolved.own), "setting-row--unset"
        return worded(self.option, value), "setting-row--value"

    # --- Common to all rows ---------------------------------------------------------------------------

    def change(self, value: Json) -> None:
        before = self.resolved.value
        if value != before or type(value) is not type(before):
            self._change(self.option.name, value)

    def tell(self) -> None:
        words = self.problem or joined(self.remark, self.option.help)
        self.said = (words, self.hint, bool(self.problem))

    watch_problem = tell

    def watch_resolved(self) -> None:
        self.set_class(self.resolved.mark == "override", "-override")
        self.set_class(bool(self.resolved.idle), "-idle")
        self.set_class(not self.resolved.applies, "-absent")
        self.tell()

    def render(self) -> Content:
        text, style = self.shown
        width = self.content_size.width
        label = f"{_MARKS[self.resolved.mark]} {self.option.label}"
        text = self.cut(text, max(width - cells(label) - 1, width // 2))
        label = cropped(label, width - cells(text) - 1)
        gap = " " * (width - cells(label) - cells(text))
        return Content.assemble(
            (label[:1], self.get_visual_style("setting-row--mark", partial=True)),
            (label[1:] + gap, self.get_visual_style("setting-row--label", partial=True)),
            (text, self.get_visual_style(style, partial=True)),
        )

    @on(events.Click)
    def _begin_or_reset(self, event: events.Click) -> None:
        if event.widget is not self:
            return  # handled by the field
        if event.x < 2:
            self.action_reset()
        elif event.x >= self.size.width * self.LABEL_SHARE and not self.has_class("-editing"):
            self.begin()

    def action_enter(self) -> None:
        if self.resolved.loads:
            self.call_later(self.run_action, "app.load_model")
        else:
            self.begin()

    def action_reset(self) -> None:
        if self.resolved.resettable:
            self._change(self.option.name, RESET)
