"""The text area that a message is written in: enter sends, other enters are new lines, a paste lands whole."""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key, Paste
from textual.geometry import Region
from textual.message import Message as Posted
from textual.strip import Strip

from qwen_tui.chat.cleaning import clean
from qwen_tui.session.draft import is_large
from qwen_tui.strings import say
from qwen_tui.ui.textual_patches.text_area import NEWLINE, WritingArea

ODD_ENTERS = ("shift+\r", "ctrl+\r", "ctrl+shift+\r", "alt+\r")
"""What Textual calls modified enters in xterm's notation (`CSI 27;2;13~`, as tmux sends them); unbindable."""

PURPOSES = ("send", "save", "resend")
"""What enter does, each under its name: send a message, save one's version of a reply, send a message anew."""


class MessageArea(WritingArea):
    """A message in the making. It grows with its text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding("enter", each, say(f"composer.key.{each}"), id="chat.send") for each in PURPOSES),
        NEWLINE,
        # As in the text area, with words for the help.
        Binding("up", "cursor_up", say("composer.key.older"), id="chat.older", show=False),
        Binding("down", "cursor_down", say("composer.key.newer"), id="chat.newer", show=False),
        Binding("ctrl+z", "undo", say("composer.key.undo"), id="chat.undo", show=False),
        Binding("ctrl+y", "redo", say("composer.key.redo"), id="chat.redo", show=False),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    MessageArea {
        height: auto;
        min-height: 3;
        max-height: 40vh;
        padding: 0 1;
        border: round $border-blurred;
        background: $background;
        border-title-color: $text-muted;
        border-title-style: none;
        border-subtitle-color: $text-muted;
        scrollbar-size-vertical: 1;
        &:focus { border: round $border; }
        & .text-area--placeholder { color: $text-muted; }
    }
    """

    @dataclass
    class Wanted(Posted):
        """A key asks for more than the text area can do."""

        what: str
        """`send`; or `older` or `newer`: further up or down than the text goes; or `back`, over its start."""

    @dataclass
    class LargePaste(Posted):
        """A text was pasted that is too large for a text area; it has not been put in."""

        text: str

    def __init__(self) -> None:
        # Tab leaves the widget, so tabs come only from pastes; the blinking cursor would be 570 bytes a second.
        super().__init__(tab_behavior="focus", highlight_cursor_line=False)
        self.cursor_blink = False
        self.purpose = PURPOSES[0]
        """Which of `PURPOSES` enter serves now."""

    def put(self, text: str) -> None:
        """Show another text, with the cursor at its end; there is no undo past this."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw, and put the terminal's own cursor, where an input method opens its window, where it is drawn.

        Textual moves it when the text changes, which is before the layout grows or moves the widget.
        """
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset
        return super().render_lines(crop)

    async def on_key(self, event: Key) -> None:
        """Run the bindings of this widget here, where the text is put in too.

        Textual runs them when the key has bubbled up to the app; by then the keys behind it, in a line that was
        typed ahead, have become text, and an enter sends some of what was meant for the next message.
        """
        if event.key in ODD_ENTERS:
            event.prevent_default().stop()
            self.action_newline()
        elif not event.is_printable:
            active = self.screen.active_bindings.get(event.key)
            if active is not None and active.node is self and active.enabled:
                if await self.app.run_action(active.binding.action, self):
                    event.prevent_default().stop()
                elif event.key == "enter":
                    event.prevent_default()

    async def on_paste(self, event: Paste) -> None:
        event.prevent_default().stop()
        text = clean(event.text)
        if is_large(text):
            self.post_message(self.LargePaste(text))
        elif text:
            self.replace(text, *self.selection, maintain_selection_offset=False)
            self.scroll_cursor_visible()

    def on_focus(self) -> None:
        self.call_after_refresh(self.refresh)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter is called what it does."""
        return action == self.purpose if action in PURPOSES else super().check_action(action, parameters)

    def action_send(self) -> None:
        """Send the message, unless the character before is a backslash: that stands for a new line."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        if before.endswith("\\") and not before.endswith("\\\\") and self.selection.is_empty:
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
        else:
            self.post_message(self.Wanted("send"))

    action_save = action_resend = action_send

    def action_cursor_up(self, select: bool = False) -> None:
        if not select and self.selection.is_empty and self._visual_row == 0:
            self.post_message(self.Wanted("older"))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        last = self.wrapped_document.height - 1
        if not select and self.selection.is_empty and self._visual_row == last:
            self.post_message(self.Wanted("newer"))
        else:
            super().action_cursor_down(select)

    def action_delete_left(self) -> None:
        """Delete the character before the cursor; at the very start what is above the text."""
        if self.selection.is_empty and self.cursor_location == (0, 0):
            self.post_message(self.Wanted("back"))
        else:
            super().action_delete_left()

    @property
    def _visual_row(self) -> int:
        return self.wrapped_document.location_to_offset(self.cursor_location).y
