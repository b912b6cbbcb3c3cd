"""Open receipts, and report replays requested there."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.widget import Widget

from qwen_tui.chat.messages import Json, Message
from qwen_tui.session.replay import ReplayEvent, Replaying
from qwen_tui.session.requests import Replay
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings
from qwen_tui.settings.presets import Preset, of
from qwen_tui.settings.since import changed_since
from qwen_tui.strings import joined, say
from qwen_tui.ui.widgets.keys import keys_of
from qwen_tui.wording.replay import replay_words

if TYPE_CHECKING:  # see `open`
    from qwen_tui.ui.receipt.screen import Receipt


class ReceiptDesk:
    """Opens receipts; reports a replay in its open receipt, else as a notice."""

    def __init__(
        self, parent: Widget, submit: Callable[[Replay, ChatSession], None], tell: Callable[[str], None]
    ) -> None:
        self._parent = parent
        self._submit = submit
        self._tell = tell
        self._receipt: Receipt | None = None
        """The most recently opened receipt."""

    def open(
        self, message: Message, session: ChatSession, defaults: Settings, now: Mapping[str, Json]
    ) -> None:
        """Open a receipt; `now` are today's sampling values, as of `settings.since`."""
        from qwen_tui.ui.receipt.screen import Receipt  # the first frame does not need it

        def use() -> None:
            taken = Preset("", of(message.receipt[-1].sampling))
            overrides = taken.overrides(session.conversation.overrides, defaults)
            session.adjust(lambda conversation: replace(conversation, overrides=overrides))

        def run_again(request: Replay) -> None:
            self._submit(request, session)

        changed = changed_since(message, now)
        self._receipt = Receipt(message, session.conversation.path(), run_again, use, changed)
        self._parent.app.push_screen(self._receipt)

    def follow(self, event: ReplayEvent) -> None:
        """Report the progress or result of a replay: in the receipt of its reply if that is open."""
        is_running, words, receipt = isinstance(event, Replaying), replay_words(event), self._receipt
        if receipt is not None and receipt.is_attached and receipt.message.id == event.reply_id:
            if is_running:
                keys = keys_of(self._parent, close="receipt.close", stop="chat.stop")
                words = joined(words, say("replay.stopping", **keys))
            receipt.show_replay(words, is_running=is_running)
        elif not is_running:
            self._tell(words)
