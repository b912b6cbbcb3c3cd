"""Names of machines looked up where nobody waits for it: a resolver without a network takes up to half a minute."""

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """An event loop that looks names up on daemon threads. Python waits at its exit for those of asyncio's pool."""

    async def getaddrinfo(self, host: Any, port: Any, **options: int) -> list[Any]:
        """As `socket.getaddrinfo`; can be cancelled, and the thread is then left to itself."""
        found: Future[list[Any]] = Future()
        found.set_running_or_notify_cancel()  # from here on nobody but the thread settles it

        def look_up() -> None:
            try:
                found.set_result(socket.getaddrinfo(host, port, **options))
            except Exception as error:  # whatever it is, it belongs to who awaits
                found.set_exception(error)

        threading.Thread(target=look_up, name="resolver", daemon=True).start()
        return await asyncio.wrap_future(found, loop=self)
