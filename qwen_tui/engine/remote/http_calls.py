"""HTTP requests that can be dropped at any moment: while connecting, waiting or streaming.

A blocking read cannot be interrupted, so the requests run as tasks on an event loop in a separate thread, where
they can be cancelled; the calling thread polls the stop flag.
"""

import asyncio
import contextlib
import json
import queue
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

import httpx2

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import StopFlag
from qwen_tui.engine.redaction import HIDDEN, SHORTEST, one_line
from qwen_tui.engine.remote.address import Address
from qwen_tui.engine.remote.resolver import Loop
from qwen_tui.errors import QwenTuiError

POLL_SECONDS = 0.01
"""How often the stop flag is polled."""

MOST_BYTES = 16 << 20
"""Size limit of a complete response."""

MOST_EVENT_BYTES = 1 << 20
"""Size limit of one event; up to `MOST_WAITING` of them are queued."""

MOST_WAITING = 1000
"""How many events may be queued before reading pauses."""


class Patience(NamedTuple):
    """Timeouts for a server, in seconds."""

    connect: float = 5.0
    answer: float = 10.0
    """For requests that run no model, such as the list of models."""
    silence: float = 600.0
    """Between two parts of a reply; a long prefill, or loading the model first, is silent."""


class Dropped(Exception):
    """The request was dropped because the stop flag was set or the calls were closed."""


class Answer(NamedTuple):
    """A complete HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as JSON, or None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


_Item = Answer | str | None | Exception
"""The last item says how the request ended; None means that it completed."""


class Calls:
    """HTTP requests to one server, from any thread. Network failures raise httpx2's exceptions.

    The constructor raises `server.environment` if an environment variable, such as a proxy's, is unusable.
    """

    def __init__(self, server: Address, key: str, patience: Patience | None = None) -> None:
        self._root = server.root
        self._key = key
        self._patience = patience or Patience()
        headers = {"User-Agent": "qwen-tui"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._client = _client(server, headers)
        self._loop = Loop()
        self._is_closed = False
        self._closing = threading.Lock()
        """Guards scheduling on the loop: nothing may be scheduled after it has ended."""
        threading.Thread(target=self._run, name="server", daemon=True).start()

    def ask(self, method: str, path: str, body: Json = None, stop: StopFlag | None = None) -> Answer:
        """Make one request and return the complete response. Raises `Dropped` if `stop` is set first."""
        try:
            return self._asked(method, path, body, stop)
        except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
            # The server may have closed a kept-alive connection just as it was reused.
            return self._asked(method, path, body, stop)

    def events(self, path: str, body: Json, stop: StopFlag) -> Iterator[Answer | str]:
        """POST and yield the data of each server-sent event, or one `Answer` if the response is not a stream.

        Raises `Dropped` when `stop` is set. Closing the iterator drops the request as well.
        """
        return self._items(lambda items: self._stream(path, body, items), stop)

    def close(self) -> None:
        """Drop all requests in progress. Safe to call twice."""
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                self._loop.call_soon_threadsafe(self._loop.stop)

    # --- On the calling thread --------------------------------------------------------------------------

    def _asked(self, method: str, path: str, body: Json, stop: StopFlag | None) -> Answer:
        for item in self._items(lambda items: self._whole(method, path, body, items), stop):
            if isinstance(item, Answer):
                return item
        raise httpx2.RemoteProtocolError("no answer")

    def _items(self, begin: Any, stop: StopFlag | None) -> Iterator[Any]:
        items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        with self._closing:
            if self._is_closed:
                raise Dropped
            future = asyncio.run_coroutine_threadsafe(begin(items), self._loop)
        future.add_done_callback(lambda done: items.put(_how(done)))
        try:
            while True:
                if stop is not None and stop.is_set():
                    raise Dropped
                try:
                    item = items.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    if self._loop.is_closed() and items.empty():
                        raise Dropped from None
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            with self._closing:
                if not self._is_closed:
                    future.cancel()

    # --- On the event loop ------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        with contextlib.suppress(Exception):
            self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        await self._client.aclose()
        await self._loop.shutdown_asyncgens()

    def _timeout(self, read_seconds: float) -> httpx2.Timeout:
        return httpx2.Timeout(read_seconds, connect=self._patience.connect)

    async def _whole(self, method: str, path: str, body: Json, items: "queue.SimpleQueue[_Item]") -> None:
        timeout = self._timeout(self._patience.answer)
        async with (
            asyncio.timeout(self._patience.connect + self._patience.answer),
            self._client.stream(method, self._root + path, json=body, timeout=timeout) as response,
        ):
            items.put(await _answer(response, self._key))

    async def _stream(self, path: str, body: Json, items: "queue.SimpleQueue[_Item]") -> None:
        timeout = self._timeout(self._patience.silence)
        async with self._client.stream("POST", self._root + path, json=body, timeout=timeout) as response:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if response.status_code != 200 or kind != "text/event-stream":
                items.put(await _answer(response, self._key))
                return
            response.encoding = "utf-8-sig"  # a byte order mark would hide the first event
            async for event in httpx2.EventSource(response, max_event_size=MOST_EVENT_BYTES):
                while items.qsize() > MOST_WAITING:
                    await asyncio.sleep(POLL_SECONDS)
                if event.data:  # an event may have only a name or a retry interval
                    items.put(event.data)


def _client(server: Address, headers: Mapping[str, str]) -> httpx2.AsyncClient:
    # Proxies are for other machines. Redirects are not followed: the key is for this address only.
    try:
        return httpx2.AsyncClient(
            headers=headers,
            trust_env=not server.is_loopback,
            verify=httpx2.create_ssl_context() if server.root.startswith("https://") else True,
        )
    except Exception as error:  # a SOCKS proxy without its package, a malformed proxy URL, a missing file
        raise QwenTuiError("server.environment", host=server.host, detail=one_line(error)) from error


async def _answer(response: httpx2.Response, key: str) -> Answer:
    """Read the response, with the key redacted: an error that quotes it may be displayed and saved."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise httpx2.RemoteProtocolError("the answer is too large")
    said = bytes(body)
    if response.status_code != 200 and len(key) >= SHORTEST:
        said = said.replace(key.encode(), HIDDEN.encode())
    return Answer(response.status_code, dict(response.headers), said)


def _how(done: "Future[None]") -> Exception | None:
    if done.cancelled():
        return Dropped()
    error = done.exception()
    if error is None or isinstance(error, Exception):
        return error
    return httpx2.RemoteProtocolError(type(error).__name__)
