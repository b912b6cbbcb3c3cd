"""What the person does to messages in the log: keys and palette commands that ask the screen for it.

The log changes nothing itself: it says up what is wanted, with the message it is wanted for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message as Posted

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.messages import Message
from qwen_tui.strings import say
from qwen_tui.ui.markdown.code import suffix_of
from qwen_tui.ui.transcript.cursor import MessageCursor
from qwen_tui.ui.transcript.message_actions import ACTIONS, Situation, code_of, is_possible, possible
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.widgets.action_bar import Offer


class MessageActions(MessageCursor):
    """Messages to which something can be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(keys, f"on_message('{name}')", say(f"chat.key.{name}"), id=f"log.{name}", show=False)
            for name, keys in ACTIONS
        ),
        Binding("ctrl+z", "undo", say("chat.key.undo"), id="log.undo", show=False),
    ]

    @dataclass
    class Requested(Posted, namespace="message_log"):
        """Something is wanted for a message."""

        action: str
        message: Message | None
        text: str = ""
        note: str = ""
        name: str = ""

    class OffersChanged(Posted, namespace="chat_log"):
        """What can be done to the message under the cursor is something else now; nothing without the keyboard."""

        def __init__(self, offers: tuple[Offer, ...]) -> None:
            super().__init__()
            self.offers = offers

    def __init__(self, name: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id=id, classes=classes)
        self._offered: tuple[Offer, ...] = ()
        self._busy = False
        self._variants: Mapping[str, Variant] = {}
        self._copied: tuple[str, int] | None = None
        """The message and the number of the code block that was copied last."""

    def set_busy(self, busy: bool) -> None:
        """Whether a turn of this conversation is running: what would disturb it cannot be done meanwhile."""
        if busy is not self._busy:
            self._busy = busy
            self.actions_changed()

    def show_variants(self, variants: Mapping[str, Variant]) -> None:
        """Show which messages have variants, by id; those that are not named have none."""
        self._variants = dict(variants)
        for view in self.views:
            view.set_variant(self._variants.get(view.message.id))
        self.actions_changed()

    def actions_changed(self) -> None:
        """Offer what can be done now, by its keys; nothing while the keyboard is elsewhere."""
        offers = self._offers() if self.has_focus else ()
        if offers != self._offered:
            self._offered = offers
            self.post_message(self.OffersChanged(offers))

    def _offers(self) -> tuple[Offer, ...]:
        active = list(self.screen.active_bindings.values())
        keys = {each.binding.id: self.app.get_key_display(each.binding) for each in reversed(active)}
        names = self.possible_actions()
        offers = [Offer(name, keys.get(f"log.{name}", ""), say(f"chat.offer.{name}")) for name in names]
        if {"earlier_variant", "later_variant"} <= set(names):  # `← → variants`
            offers = [o._replace(label="") if o.name == "earlier_variant" else o for o in offers]
        return tuple(offers)

    def prepare_view(self, view: MessageView) -> None:
        """A new widget shows which variant it is."""
        super().prepare_view(view)
        view.set_variant(self._variants.get(view.message.id))

    def cursor_moved(self) -> None:
        """Another message, other actions."""
        super().cursor_moved()
        self.actions_changed()

    def finish(self, message: Message) -> None:
        """A reply that has ended can be continued, regenerated and so on."""
        super().finish(message)
        self.actions_changed()

    def possible_actions(self) -> tuple[str, ...]:
        """The names of what can be done to the message under the cursor now, the most useful first."""
        message = self.cursor_message
        return possible(message, self._situation(message)) if message is not None else ()

    def message_commands(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        """What the command palette can do to the message under the cursor, else to the newest one.

        Names are those of the sentences `command.NAME` and `command.NAME.help`. Without the keyboard the cursor
        is not seen, so it does not count.
        """
        message = self.cursor_message if self.has_focus else None
        if message is None:
            message = next((m for m in reversed(self.messages) if not self._situation(m).is_waiting), None)
        if message is None:
            return ()
        names = possible(message, self._situation(message))
        return tuple((f"message_{name}", partial(self.act, name, message.id)) for name in names)

    def act(self, name: str, message_id: str) -> None:
        """Ask for one of `ACTIONS` to be done to a message, if it can be done now.

        It is asked in the log's own turn: a message made in its parent's would not get past that.
        """
        self.call_next(self._act, name, message_id)

    def _act(self, name: str, message_id: str) -> None:
        position = self.position_of(message_id)
        if position is None:
            return
        message = self.messages[position]
        situation = self._situation(message)
        if not is_possible(name, message, situation):
            return
        match name:
            case "copy":
                self.post_message(self.Requested("copy", message, situation.text))
            case "code":
                self._copy_code(message_id, situation.text)
            case "save_code":
                self._save_code(message_id, situation.text)
            case "earlier_variant":
                self.post_message(self.Requested("earlier_variant", message))
            case "later_variant":
                self.post_message(self.Requested("later_variant", message))
            case _:
                self.post_message(self.Requested(name, message))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key does nothing, and is not named, where it does not apply."""
        if action != "on_message":
            return super().check_action(action, parameters)
        message = self.cursor_message
        return message is not None and is_possible(str(parameters[0]), message, self._situation(message))

    def action_on_message(self, name: str) -> None:
        """Do something to the message under the cursor, or show it first if it has been scrolled out of sight."""
        if self._cursor is None:
            return
        if self.is_seen(self._cursor):
            self.act(name, self._cursor)
        else:
            self.go_to(self._cursor)

    def action_undo(self) -> None:
        """Ask for the last change to be taken back."""
        self.post_message(self.Requested("undo", None))

    @on(MessageView.VariantPicked)
    def _pick_variant(self, event: MessageView.VariantPicked) -> None:
        event.stop()
        self.act("earlier_variant" if event.step < 0 else "later_variant", event.view.message.id)

    def _situation(self, message: Message) -> Situation:
        view = self.view_of(message.id)
        return Situation(
            text=view.content if view is not None else message.content,
            is_last=message.id == self.messages[-1].id,
            is_streaming=view is not None and view.is_streaming,
            is_waiting=view is not None and view.is_waiting,
            is_busy=self._busy,
            variant=self._variants.get(message.id),
        )

    # --- Code blocks ---

    def _copy_code(self, message_id: str, text: str) -> None:
        """The block after the one that was copied last; after the last one, the first again."""
        blocks = code_of(text)
        number = (self._copied_in(message_id, -1) + 1) % len(blocks)
        self._copied = (message_id, number)
        self.post_message(self.Requested("copy", None, blocks[number].text, self._note(text, number)))

    def _save_code(self, message_id: str, text: str) -> None:
        """The block that was copied last, or the first."""
        blocks = code_of(text)
        number = min(self._copied_in(message_id, 0), len(blocks) - 1)
        block = blocks[number]
        name = f"code-{number + 1}" if len(blocks) > 1 else "code"
        self.post_message(
            self.Requested(
                "save_code", None, block.text, self._note(text, number), name + suffix_of(block.language)
            )
        )

    def _copied_in(self, message_id: str, otherwise: int) -> int:
        return self._copied[1] if self._copied is not None and self._copied[0] == message_id else otherwise

    def _note(self, text: str, number: int) -> str:
        """A code block in words: `python, 12 lines, block 2 of 3`."""
        blocks = code_of(text)
        lines = blocks[number].text.count("\n") + 1
        parts = [say("chat.code.one_line") if lines == 1 else say("chat.code.lines", lines=lines)]
        if language := blocks[number].language:
            parts.insert(0, one_line(language, 20))
        if len(blocks) > 1:
            parts.append(say("chat.code.number", number=number + 1, of=len(blocks)))
        return ", ".join(parts)
