"""What the servers have that were used before or typed, asked on threads of their own."""

import threading
from collections.abc import Iterator
from typing import NamedTuple

from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.models.choices import ModelChoice


class Said(NamedTuple):
    """What a server has answered."""

    entries: tuple[ModelChoice, ...]
    """At least one: of a server that cannot be asked, the reason."""
    is_wanted: bool
    """The person waits for it."""


class ServedModels:
    """Asks, and keeps what was answered."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ModelChoice, ...]] = {}
        """By the server's address."""
        self._inbox: list[Said] = []

    def ask(self, server: str, *, is_wanted: bool) -> None:
        """Have a server asked; returns at once."""

        def asking() -> None:
            from qwen_tui.engine.remote.server_check import served_by  # late: HTTP takes a while to import

            self._inbox.append(Said(served_by(server), is_wanted))

        threading.Thread(target=asking, name="server", daemon=True).start()

    def take(self) -> Said | None:
        """The next answer that has come, which is kept from now on; None while there is none."""
        if not self._inbox:
            return None
        said = self._inbox.pop(0)
        self._known[said.entries[0].server] = said.entries
        return said

    def entries(self, info: ModelInfo | None) -> Iterator[ModelChoice]:
        """All that is known; the model that answers now, `info`, may be one that its server does not list."""
        for server, entries in self._known.items():
            if info is None or info.server != server or info.model in [each.model for each in entries]:
                yield from entries
                continue
            yield ModelChoice(info.model, "served", None, None, server=server, window=info.context_window)
            yield from (each for each in entries if each.model)
