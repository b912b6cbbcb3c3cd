"""Whether the hub answers: one short request, so that "no network" is known within seconds."""

import contextlib
import errno
import os
import selectors
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from qwen_tui.engine.redaction import one_line

HUB = "https://huggingface.co"

PROBE_SECONDS = 3.0
"""How long the hub may take for the first byte of an answer."""

NETWORK_SECONDS = 2.5
"""How long a connection may take before there is no network: within three seconds it is said."""

_TRUE = {"1", "ON", "YES", "TRUE"}
"""As huggingface_hub reads a switch in the environment."""


class Probe(NamedTuple):
    """What came of asking."""

    endpoint: str
    """Who was asked, without a password that its address may hold."""
    outcome: Literal["reachable", "unreachable", "offline"]
    """`offline`: nobody was asked, since the person has turned the network off."""
    detail: str = ""


def is_offline() -> bool:
    """Whether the person has turned downloads off."""
    return any(
        os.environ.get(name, "").upper() in _TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


def endpoint() -> str:
    """The hub's address, or that of the mirror which the person has chosen."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def probe(seconds: float = PROBE_SECONDS) -> Probe:
    """Ask the hub for anything; any answer at all is one. Returns in time whatever the network does."""
    address = endpoint()
    if is_offline():
        return Probe(one_line(address), "offline")
    is_answered, detail = _in_time(_asked, address, seconds) or (False, os.strerror(errno.ETIMEDOUT))
    return Probe(one_line(address), "reachable" if is_answered else "unreachable", detail)


def no_network(address: str, seconds: float = NETWORK_SECONDS) -> str | None:
    """Why nobody can be reached at this address, in a few words; None when somebody can.

    Only a connection is made: how long an answer then takes says nothing about the network. Where a proxy stands
    in between, it is the proxy that has to be there.
    """
    is_connected, problem = _in_time(_connected, address, seconds) or (False, os.strerror(errno.ETIMEDOUT))
    return None if is_connected else problem


def _in_time(
    attempt: Callable[[str, float], tuple[bool, str]], address: str, seconds: float
) -> tuple[bool, str] | None:
    """What an attempt comes to; None when it takes longer: looking up a name has no time limit of its own."""
    found: list[tuple[bool, str]] = []
    thread = threading.Thread(target=lambda: found.append(attempt(address, seconds)), daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else None


def _connected(address: str, seconds: float) -> tuple[bool, str]:
    try:
        host, port = _first_hop(address)
        problem = _refused_by_all(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), seconds)
        return problem is None, problem or ""
    except (OSError, ValueError) as error:
        return False, one_line(getattr(error, "strerror", None) or error)


def _first_hop(address: str) -> tuple[str, int]:
    """The host and the port that a connection to this address begins at: a proxy's, where one is set."""
    target = urlsplit(address)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return target.hostname or "", target.port or (443 if target.scheme == "https" else 80)


def _refused_by_all(hosts: Iterable[tuple[Any, ...]], seconds: float) -> str | None:
    """Connect to all of a name's addresses at once, as `getaddrinfo` gives them; None when one of them takes it.

    One after the other, a first one that leads nowhere (IPv6 without a route, mostly) would use up the time.
    """
    said = os.strerror(errno.ETIMEDOUT)
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as waiting, contextlib.ExitStack() as opened:
        for family, kind, protocol, _, target in hosts:
            try:
                connection = opened.enter_context(socket.socket(family, kind, protocol))
                connection.setblocking(False)
                connection.connect_ex(target)
                waiting.register(connection, selectors.EVENT_WRITE, data=connection)
            except OSError as error:  # this machine has no IPv6 at all, say
                said = one_line(error.strerror or error)
        while waiting.get_map() and (ready := waiting.select(max(0.0, until - time.monotonic()))):
            for key, _ in ready:
                code = key.data.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    return None
                said = os.strerror(code)
                waiting.unregister(key.data)
    return said


def _asked(address: str, seconds: float) -> tuple[bool, str]:
    try:
        request = urllib.request.Request(f"{address}/api/models?limit=1", headers={"User-Agent": "qwen-tui"})
        with urllib.request.urlopen(request, timeout=seconds):
            return True, ""
    except urllib.error.HTTPError as error:
        return error.code < 500, f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return False, one_line(getattr(reason, "strerror", None) or reason)
    except Exception as error:  # the edge of the thread: a server may answer with anything
        return False, one_line(f"{type(error).__name__}: {error}")
