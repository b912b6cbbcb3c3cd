"""Pasted texts too large for the text area: one line each above it, to open or remove; they are sent whole."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click, Key
from textual.message import Message as Posted
from textual.widgets import Static

from qwen_tui.strings import say
from qwen_tui.ui.widgets.keys import keys_of
from qwen_tui.wording.units import in_bytes


class Attachment(Static, can_focus=True):
    """The line of one pasted text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", say("composer.chip.open"), id="attachment.open"),
        Binding("backspace,delete", "remove", say("composer.chip.remove"), id="attachment.remove"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Attachment {
        width: auto;
        height: 1;
        margin: 0 1;
        padding: 0 1;
        color: $text-accent;
        background: $surface;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &:hover { background: $panel; }
        &:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
        &:ansi:focus { text-style: reverse; }
    }
    """

    @dataclass
    class Wanted(Posted):
        """A key or a click requests an action."""

        attachment: "Attachment"
        what: str
        """`open` the text in the text area, `remove` it, or `type` a character there."""
        character: str = ""
        """The typed character."""

    def __init__(self, text: str) -> None:
        self.text = text
        count = text.rstrip("\n").count("\n") + 1  # counted as it is sent
        super().__init__(Content(say("composer.chip", lines=count, size=in_bytes(len(text.encode())))))

    def on_mount(self) -> None:
        keys = keys_of(self, open="attachment.open", remove="attachment.remove")
        self.tooltip = Content(say("composer.chip.keys", **keys))

    @on(Key)
    def _write_on(self, event: Key) -> None:
        if event.is_printable and event.character is not None:
            event.stop()
            self.post_message(self.Wanted(self, "type", event.character))

    @on(Click)
    def action_open(self) -> None:
        self.post_message(self.Wanted(self, "open"))

    def action_remove(self) -> None:
        self.post_message(self.Wanted(self, "remove"))


class Attachments(VerticalScroll, can_focus=False):
    """The pasted texts of a message, in order; hidden while there are none."""

    DEFAULT_CSS: ClassVar[str] = """
    Attachments {
        height: auto;
        max-height: 4;
        display: none;
        &.-some { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="attachments")
        self.all: list[Attachment] = []
        """One widget per text; kept here because `children` is emptied while the app quits."""

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(each.text for each in self.all)

    def show(self, texts: tuple[str, ...]) -> None:
        for attachment in list(self.all):
            self.drop(attachment)
        for text in texts:
            self.add(text)

    def add(self, text: str, at: int | None = None) -> None:
        at, attachment = len(self.all) if at is None else at, Attachment(text)
        behind = self.all[at] if at < len(self.all) else None
        self.all.insert(at, attachment)
        self.mount(attachment, before=behind)
        self.add_class("-some")

    def drop(self, attachment: Attachment) -> None:
        self.all.remove(attachment)
        attachment.remove()
        self.set_class(bool(self.all), "-some")
