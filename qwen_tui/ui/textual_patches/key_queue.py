"""Handle keys one after another, however fast they arrive.

Textual sends each key to the widget focused when the key is read, and runs its binding later, after the key
has bubbled up. If keys arrive together (over a slow line, from a script), the second would be sent before the
first has moved the focus.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from textual import events
from textual.app import App
from textual.message import Message as Posted
from textual.message_pump import MessagePump

PATIENCE_SECONDS = 0.25
"""How long a key may take before the next one is sent anyway: the widget handling it may have been removed."""

PATIENCE_STEPS = 10
"""In how many parts that time passes. Where the program itself is held up, as on a busy machine, only one of them
passes meanwhile: a key that could not be handled in that time is waited for.
"""

LAPS = 3
"""How many times `KeyPassed` follows a key before the key counts as handled.

Messages posted while the widget handles the key come after the first `KeyPassed`, and messages posted by
their handlers after the second: a key that starts an edit moves the focus two messages later.
"""


class KeysInOrder(App[None]):
    """An app that sends each key or paste only after the previous one has been handled."""

    @dataclass
    class KeyPassed(Posted):
        """A marker that follows a key from the widget it was sent to up to the app."""

        number: int
        target: MessagePump | None = None
        laps: int = 0
        """How many more times to follow."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: deque[events.Key | events.Paste] = deque()
        self._number = 0
        self._guard: asyncio.TimerHandle | None = None
        """Set while a key is being handled."""

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._guard is not None:
            self._keys.append(event)
        else:
            await self._pass(event)

    async def _pass(self, event: events.Key | events.Paste) -> None:
        target = self.focused or self.screen
        self._number += 1
        self._wait(PATIENCE_STEPS)
        await super().on_event(event)
        target.post_message(self.KeyPassed(self._number, target, LAPS - 1))

    def _wait(self, steps: int) -> None:
        """Send the next key after this many steps, unless the current one is handled before that."""
        if steps:
            loop = asyncio.get_running_loop()
            self._guard = loop.call_later(PATIENCE_SECONDS / PATIENCE_STEPS, self._wait, steps - 1)
        else:
            self.post_message(self.KeyPassed(self._number))

    async def on_keys_in_order_key_passed(self, event: KeyPassed) -> None:
        """Send the next queued key once the previous one has been handled."""
        event.stop()
        if self._guard is None or event.number != self._number:
            return
        if event.laps and event.target is not None and event.target.is_running:
            event.target.post_message(self.KeyPassed(event.number, event.target, event.laps - 1))
            return
        self._guard.cancel()
        self._guard = None
        if self._keys:
            await self._pass(self._keys.popleft())
