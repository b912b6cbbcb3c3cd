"""The text area for messages: enter sends, modified enters insert a newline, a paste is inserted whole."""

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
"""Textual's names for modified enters in xterm's notation (`CSI 27;2;13~`, sent by tmux); unbindable."""

PURPOSES = ("send", "save", "resend")
"""What enter can do, as action names: send a message, save a version of a reply, resend an edited message."""


class MessageArea(WritingArea):
    """The text area of the message box; its height follows its text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding("enter", each, say(f"composer.key.{each}"), id="chat.send") for each in PURPOSES),
        NEWLINE,
        # Bound as in the text area, with descriptions for the help.
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
        """A key requests something beyond the text area."""

        what: str
        """`send`; `older` or `newer` beyond the first or last line; `back` at the start of the text."""

    @dataclass
    class LargePaste(Posted):
        """A pasted text is too large for the text area and was not inserted."""

        text: str

    def __init__(self) -> None:
        # Tab moves the focus, so tabs come only from pastes. A blinking cursor would cost 570 bytes per
        # second.
        super().__init__(tab_behavior="focus", highlight_cursor_line=False)
        self.cursor_blink = False
        self.purpose = PURPOSES[0]
        """Which of `PURPOSES` enter has now."""

    def put(self, text: str) -> None:
        """Replace the text, with the cursor at its end; clears the undo history."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render, and place the terminal's cursor, where input methods open their window.

        Textual places it when the text changes, before the layout grows or moves the widget.
        """
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset
        return super().render_lines(crop)

    async def on_key(self, event: Key) -> None:
        """Run the bindings of this widget here, where text is inserted too.

        Textual runs them after the key has bubbled up to the app. By then, keys typed ahead after it have
        become text, and enter would send part of the next message.
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
        """Enable only the action that enter has now, so that enter is described correctly."""
        return action == self.purpose if action in PURPOSES else super().check_action(action, parameters)

    def action_send(self) -> None:
        """Send the message, or replace a backslash before the cursor with a newline."""
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
        """Delete the character before the cursor; at the start of the text, go to the attachment above."""
        if self.selection.is_empty and self.cursor_location == (0, 0):
            self.post_message(self.Wanted("back"))
        else:
            super().action_delete_left()

    @property
    def _visual_row(self) -> int:
        return self.wrapped_document.location_to_offset(self.cursor_location).y
