"""Names of machines looked up where nobody waits for it: a resolver without a network takes up to half a minute."""

import asyncio
import contextlib
import socket
import threading
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """An event loop that looks names up on daemon threads. Python waits at its exit for those of asyncio's pool."""

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """As `socket.getaddrinfo`; can be cancelled, and the thread is then left to itself."""
        found: asyncio.Future[list[Any]] = self.create_future()

        def settle(value: list[Any] | Exception) -> None:
            if found.done():
                return
            if isinstance(value, Exception):
                found.set_exception(value)
            else:
                found.set_result(value)

        def look_up() -> None:
            value: list[Any] | Exception
            try:
                value = socket.getaddrinfo(host, port, family, type, proto, flags)
            except Exception as error:  # whatever it is, it belongs to who awaits
                value = error
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self.call_soon_threadsafe(settle, value)

        threading.Thread(target=look_up, name="resolver", daemon=True).start()
        return await found
