"""One setting in one line: mark, label, value; what all kinds of rows have in common."""

from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from qwen_tui import strings
from qwen_tui.chat.messages import Json
from qwen_tui.settings.options import Option
from qwen_tui.settings.resolution import Standing
from qwen_tui.ui.widgets.keys import key_of, keys_of
from qwen_tui.wording.cell_width import cells, cropped
from qwen_tui.wording.settings import worded, worded_open

_MARKS = {"": " ", "default": "○", "override": "●"}


def hint_keys(node: Widget) -> dict[str, Any]:
    """The keys that hints of rows name."""
    names = ("change", "reset", "next", "previous", "more", "less", "much_more")
    return keys_of(node, **{name: f"settings.{name}" for name in names})


class SettingRow(Widget, can_focus=True):
    """A setting that can be walked to and reset. Subclasses say how its value is changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace", "reset", strings.say("panes.key.reset"), id="settings.reset", show=False),
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
            &:hover { background: transparent; }
            &:focus, &.-editing { background: transparent; }
            &:focus > .setting-row--label, &.-editing > .setting-row--label {
                color: $text-accent; text-style: bold underline;
            }
        }
    }
    """

    class Edited(Message):
        """A usable value was given."""

        def __init__(self, name: str, value: Json) -> None:
            super().__init__()
            self.name = name
            self.value = value

    class ResetWanted(Message):
        """The value of the layer being edited is to be taken back."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class LoadWanted(Message):
        """The model is to be loaded as the defaults say."""

    class Remarked(Message):
        """What the row has to say has changed: see `problem`, `remark` and `hint`."""

    standing: reactive[Standing] = reactive(Standing())
    problem: reactive[str] = reactive("")
    """Why what is being typed cannot be used, in words."""

    def __init__(self, option: Option) -> None:
        super().__init__(id=f"setting-{option.name.replace('_', '-')}")
        self.option = option
        self._given: Json = None
        """The value that came down last."""
        self._in_flight: list[Json] = []
        """The values that were sent and have not come back, oldest first."""

    def show(self, standing: Standing) -> None:
        """Take over how the setting stands now.

        A held arrow key sends values faster than they come back. The row shows the newest one that it sent
        until that one returns; otherwise the next step would begin at a value that is already history.
        """
        if standing.value in self._in_flight:
            del self._in_flight[: self._in_flight.index(standing.value) + 1]
        elif standing.value != self._given:
            self._in_flight.clear()
        self._given = standing.value
        self.standing = replace(standing, value=self._in_flight[-1]) if self._in_flight else standing

    @property
    def remark(self) -> str:
        """What matters about the value just now, in words, or empty."""
        if self.standing.loads:
            return strings.say("panes.loads", key=key_of(self, "settings.change"))
        if self.standing.idle:
            return strings.say(f"panes.idle.{self.standing.idle}")
        return strings.say("panes.overridden") if self.standing.overridden_elsewhere else ""

    @property
    def hint(self) -> str:
        """The keys that work here."""
        hint = strings.say(f"panes.hint.{self.hint_code}", **hint_keys(self))
        return (
            strings.say("panes.hint.reset", hint=hint, **hint_keys(self))
            if self.standing.resettable
            else hint
        )

    @property
    def hint_code(self) -> str:
        """Which hint: by the kind of row and what is going on in it."""
        return "loads" if self.standing.loads else self.option.kind

    @property
    def shown(self) -> tuple[str, str]:
        """The text of the value, and the component class that it is drawn with."""
        value = self.standing.value
        if value in (None, "auto"):
            return worded_open(self.option, value, self.standing.own), "setting-row--unset"
        return worded(self.option, value), "setting-row--value"

    def tell(self) -> None:
        """Have the help show what this row has to say now, if it is the one that the help is about."""
        if self.has_focus_within:
            self.post_message(self.Remarked())

    def edit(self, value: Json) -> None:
        """Give the setting a value that has been checked."""
        if value == self.standing.value and type(value) is type(self.standing.value):
            return
        self._in_flight.append(value)
        self.standing = replace(self.standing, value=value)
        self.post_message(self.Edited(self.option.name, value))

    def render(self) -> Content:
        """Mark and label at the left, the value at the right edge."""
        text, style = self.shown
        width = self.content_size.width
        label = f"{_MARKS[self.standing.mark]} {self.option.label}"
        text = self.cut(text, max(width - cells(label) - 1, width // 2))
        label = cropped(label, width - cells(text) - 1)
        gap = " " * (width - cells(label) - cells(text))
        return Content.assemble(
            (label[:1], self.get_visual_style("setting-row--mark", partial=True)),
            (label[1:] + gap, self.get_visual_style("setting-row--label", partial=True)),
            (text, self.get_visual_style(style, partial=True)),
        )

    def cut(self, text: str, width: int) -> str:
        """The value's text in at most `width` cells."""
        return cropped(text, width)

    def watch_standing(self, standing: Standing) -> None:
        """Show as classes who set the value and whether it means anything."""
        self.set_class(standing.mark == "override", "-override")
        self.set_class(bool(standing.idle), "-idle")
        self.tell()

    def watch_problem(self, problem: str) -> None:
        """Show as a class that what is being typed cannot be used."""
        self.set_class(bool(problem), "-invalid")
        self.tell()

    @on(events.Click)
    def _reset_on_mark(self, event: events.Click) -> None:
        if event.x < 2:
            self.action_reset()

    def action_reset(self) -> None:
        """Take back the value of the layer being edited."""
        if self.standing.resettable:
            self._in_flight.clear()
            self.post_message(self.ResetWanted(self.option.name))
