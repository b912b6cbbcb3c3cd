"""One setting in one line: mark, label, value; what all kinds of rows have in common."""

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
"""In place of a value: take back the one that the edited scope has."""

Change = Callable[[str, Json], None]
"""Gives the setting of this name a checked value, or `RESET`."""

_MARKS = {"": " ", "default": "○", "override": "●"}


def hint_keys(node: Widget) -> dict[str, Any]:
    """The keys that hints of rows name."""
    names = ("change", "reset", "next", "previous", "more", "less", "much_more")
    return keys_of(node, **{name: f"settings.{name}" for name in names})


class SettingRow(Widget):
    """A setting that can be walked to, changed and reset. Subclasses say how a value is given.

    `resolved` comes down; a row keeps only what is being typed, until it is finished.
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
    """Of the width: where a click only walks here and begins no change."""
    cut = staticmethod(cropped)
    """Brings the value's text into so many cells."""

    resolved: reactive[ResolvedSetting] = reactive(ResolvedSetting())
    problem: reactive[str] = reactive("", toggle_class="-invalid")
    """Why what is being typed cannot be used, in words."""
    said: reactive[tuple[str, str, bool]] = reactive(("", "", False), repaint=False)
    """For the help: what the row is about, its keys, and whether that is a problem."""

    def __init__(self, option: Option, change: Change) -> None:
        super().__init__(id=f"setting-{option.name.replace('_', '-')}")
        self.option = option
        self._change = change

    # --- What a subclass says -------------------------------------------------------------------------

    def begin(self) -> None:
        """Start to change the value: what enter and a click on the row do."""

    def finish(self) -> None:
        """Apply what is being typed, if it can be used; nothing is being typed afterwards."""

    @property
    def remark(self) -> str:
        """What matters about the value just now, in words, or empty."""
        if self.resolved.loads:
            return say("panes.loads", key=key_of(self, "settings.change"))
        if self.resolved.restarts:
            return say("panes.restarts")
        if self.resolved.idle:
            return say(f"panes.idle.{self.resolved.idle}")
        return say("panes.overridden") if self.resolved.overridden_elsewhere else ""

    @property
    def hint(self) -> str:
        keys = hint_keys(self)
        hint = say(f"panes.hint.{'loads' if self.resolved.loads else self.option.kind}", **keys)
        return say("panes.hint.reset", hint=hint, **keys) if self.resolved.resettable else hint

    @property
    def shown(self) -> tuple[str, str]:
        """The text of the value, and the component class that it is drawn with."""
        value = self.resolved.value
        if value in (None, "auto"):
            return worded_open(self.option, value, self.resolved.own), "setting-row--unset"
        return worded(self.option, value), "setting-row--value"

    # --- What they have in common ---------------------------------------------------------------------

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
            return  # it is the field's own
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
