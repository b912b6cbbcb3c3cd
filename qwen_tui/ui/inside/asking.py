"""Ask the engine in the background: of each kind of question, the newest is answered."""

import contextvars
import logging
import threading
from asyncio import get_running_loop
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from qwen_tui.chat.cleaning import one_line
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Asking:
    """Questions by kind. A new question of a kind makes the answer to the one before it void."""

    def __init__(self) -> None:
        self._newest: dict[str, object] = {}

    def ask(self, kind: str, work: Callable[[], T], then: Callable[[T | QwenTuiError], None]) -> None:
        """Run `work` on a thread, then `then` with its result or error on the event loop, unless asked again."""
        loop, context = get_running_loop(), contextvars.copy_context()
        mine = self._newest[kind] = object()

        def deliver(result: T | QwenTuiError) -> None:
            if self._newest.get(kind) is mine:
                del self._newest[kind]
                then(result)

        def run() -> None:
            result: T | QwenTuiError
            try:
                result = work()
            except QwenTuiError as error:
                result = error
            except Exception as error:  # nobody else would report it
                log.exception("asking about %s failed", kind)
                result = QwenTuiError("error.unknown", detail=one_line(f"{type(error).__name__}: {error}"))
            with suppress(RuntimeError):  # the program has ended meanwhile
                loop.call_soon_threadsafe(deliver, result, context=context)

        threading.Thread(target=run, name=f"inside {kind}", daemon=True).start()

    def is_asking(self, kind: str) -> bool:
        """Return whether an answer of this kind is awaited."""
        return kind in self._newest

    def forget(self) -> None:
        """Make all answers that are still to come void."""
        self._newest.clear()
