"""Actions of the person on messages of the log: from keys, action bar and palette.

The log changes nothing itself: it posts the requested action with its message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from textual.binding import Binding, BindingType
from textual.message import Message as Posted

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Message
from qwen_tui.strings import say
from qwen_tui.ui.transcript.autoscroll import Autoscroll
from qwen_tui.ui.transcript.cursor import Cursor
from qwen_tui.ui.transcript.message_actions import (
    ACTIONS,
    Situation,
    code_of,
    file_name_of,
    note_on,
    obstacle,
    possible,
)
from qwen_tui.ui.transcript.virtual_list import VirtualList
from qwen_tui.ui.widgets.action_bar import Offer

BINDINGS: tuple[BindingType, ...] = (
    Binding("up,k", "step(-1)", say("chat.key.previous"), id="log.previous", show=False),
    Binding("down,j", "step(1)", say("chat.key.next"), id="log.next", show=False),
    Binding("enter", "on_message('thinking')", say("chat.key.thoughts"), id="log.thinking", show=False),
    *(
        Binding(keys, f"on_message('{name}')", say(f"chat.key.{name}"), id=f"log.{name}", show=False)
        for name, keys, _ in ACTIONS
    ),
    Binding("ctrl+z", "on_message('undo')", say("chat.key.undo"), id="log.undo", show=False),
)


@dataclass
class Requested(Posted, namespace="message_log"):
    """The person requests an action of `message_actions` on a message, or "undo"."""

    action: str
    message: Message | None = None
    """The message as last stored; None for undo."""
    text: str = ""
    """The text to copy or save."""
    note: str = ""
    """A description of the code block; empty for a whole message."""
    file_name: str = ""
    """A suggested file name for the text, without a folder."""


@dataclass
class Refused(Posted, namespace="message_log"):
    """The requested action does not apply to the message."""

    reason: str


class MessageKeys:
    """Performs actions on messages of a log for keys, the action bar and the palette."""

    def __init__(self, log: Autoscroll, messages: VirtualList, cursor: Callable[[], Cursor]) -> None:
        self._log = log
        self._list = messages
        self._cursor = cursor
        self.is_busy = False
        """Whether a turn of this conversation is running, which disables the actions that would disturb it."""
        self.variants: Mapping[str, Variant] = {}
        """The variant numbers of messages, by id; all other messages have no variants."""
        self._copied = ("", -1)
        """The message id and number of the code block that was copied last."""

    def possible(self) -> tuple[str, ...]:
        """Return the actions that apply to the message under the cursor."""
        message = self.message
        return possible(message, self._situation(message)) if message is not None else ()

    def commands(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        """Return the palette commands for the message under the cursor, else for the newest one.

        Names are those of the sentences `command.NAME` and `command.NAME.help`. Without the focus the cursor
        is invisible, so it does not count.
        """
        message = self.message if self._log.has_focus else None
        if message is None:
            ready = (m for m in reversed(self._list.messages) if not self._situation(m).is_waiting)
            message = next(ready, None)
        if message is None:
            return ()
        names = possible(message, self._situation(message))
        return tuple((f"message_{name}", partial(self.act, name, message.id)) for name in names)

    def press(self, name: str) -> None:
        """Perform an action on the message under the cursor, or scroll to it first if it is out of sight."""
        log, message_id = self._log, self._cursor().message_id
        if name == "undo":
            log.post_message(Requested(name))
        elif message_id is None:
            return
        elif not self._list.is_seen(message_id):
            self._list.go_to(message_id)
        elif name != "thinking":
            self.act(name, message_id)
        elif (view := self._list.view_of(message_id)) is not None and not view.toggle_thinking():
            log.post_message(Refused(say("chat.cannot.thinking")))

    def act(self, name: str, message_id: str) -> None:
        """Request one of `ACTIONS` for a message, or report why it does not apply.

        The request is posted from the log's own message loop: a message created in its parent's would not
        bubble past the parent.
        """
        self._log.call_next(self._act, name, message_id)

    def _act(self, name: str, message_id: str) -> None:
        log, position = self._log, self._list.position_of(message_id)
        if position is None:
            return
        message = self._list.messages[position]
        situation = self._situation(message)
        text = situation.text
        if reason := obstacle(name, message, situation):
            log.post_message(Refused(say(reason)))
        elif name == "copy":
            log.post_message(Requested(name, message, text))
        elif name in ("code", "save_code"):
            blocks, copied = code_of(text), self._copied[1] if self._copied[0] == message_id else -1
            if name == "code":  # the next block; after the last one, the first again
                number = (copied + 1) % len(blocks)
                self._copied = (message_id, number)
            else:
                number = min(max(copied, 0), len(blocks) - 1)
            note, file_name = note_on(text, number), file_name_of(text, number)
            log.post_message(Requested(name, message, blocks[number].text, note, file_name))
        else:
            log.post_message(Requested(name, message))

    def offers(self) -> tuple[Offer, ...]:
        """Return the actions for the message under the cursor; none without the focus."""
        if not self._log.has_focus:
            return ()
        active = list(self._log.screen.active_bindings.values())
        keys = {each.binding.id: self._log.app.get_key_display(each.binding) for each in reversed(active)}
        names = self.possible()
        offers = []
        for name, _, need in ACTIONS:
            if name in names:
                is_left = name == "earlier_variant" and "later_variant" in names  # `← → variants`
                label = "" if is_left else say(f"chat.offer.{name}")
                offers.append(Offer(name, keys.get(f"log.{name}", ""), label, need))
        return tuple(offers)

    @property
    def message(self) -> Message | None:
        """The message under the cursor."""
        position = self._list.position_of(self._cursor().message_id)
        return None if position is None else self._list.messages[position]

    def _situation(self, message: Message) -> Situation:
        view = self._list.view_of(message.id)
        return Situation(
            text=view.body.content if view is not None else message.content,
            is_last=message.id == self._list.messages[-1].id,
            is_streaming=view is not None and view.body.is_streaming,
            is_waiting=view is not None and view.body.is_waiting,
            is_busy=self.is_busy,
            variant=self.variants.get(message.id),
        )
