"""Resolve host names without blocking: a resolver without a network takes up to half a minute."""

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """An event loop that resolves names on daemon threads, since Python waits at exit for asyncio's pool."""

    async def getaddrinfo(self, host: Any, port: Any, **options: int) -> list[Any]:
        """Like `socket.getaddrinfo`. Cancelling it abandons the thread."""
        found: Future[list[Any]] = Future()
        found.set_running_or_notify_cancel()  # from here on only the thread sets the result

        def look_up() -> None:
            try:
                found.set_result(socket.getaddrinfo(host, port, **options))
            except Exception as error:  # any failure is for the caller that awaits it
                found.set_exception(error)

        threading.Thread(target=look_up, name="resolver", daemon=True).start()
        return await asyncio.wrap_future(found, loop=self)
