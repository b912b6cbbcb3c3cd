"""Check with one short request whether the hub answers, so that a missing network is known within seconds."""

import contextlib
import errno
import importlib.util
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
"""Time limit for the first byte of the hub's response."""

NETWORK_SECONDS = 2.5
"""Time limit for a connection, so that a missing network is reported within three seconds."""

_TRUE = {"1", "ON", "YES", "TRUE"}
"""Values that huggingface_hub accepts as true in environment variables."""


class Probe(NamedTuple):
    """Result of probing the hub."""

    endpoint: str
    """The address that was probed, without a password."""
    outcome: Literal["reachable", "unreachable", "offline"]
    """`offline`: not probed, since the user has turned the network off."""
    detail: str = ""


def is_offline() -> bool:
    """Whether the user has turned downloads off."""
    return any(
        os.environ.get(name, "").upper() in _TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


def endpoint() -> str:
    """Return the address of the hub, or of the mirror chosen by the user; a scheme may be left out."""
    address = (os.environ.get("HF_ENDPOINT") or "").strip().rstrip("/") or HUB
    if "://" in address:
        return address
    is_here = address.partition(":")[0] in ("localhost", "127.0.0.1")
    return f"{'http' if is_here else 'https'}://{address}"


def hub_environment() -> dict[str, str]:
    """Return the environment variables with which the hub's library understands the user's mirror as we do."""
    return {"HF_ENDPOINT": endpoint()} if "HF_ENDPOINT" in os.environ else {}


def missing_socks_proxy(address: str) -> str | None:
    """Return the SOCKS proxy on the way to this address, if the package for such proxies is not installed."""
    if importlib.util.find_spec("socksio") is not None:
        return None
    target = urlsplit(address)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all") or ""
    is_on_the_way = proxy.startswith("socks") and not urllib.request.proxy_bypass(target.hostname or "")
    return proxy if is_on_the_way else None


def probe(seconds: float = PROBE_SECONDS) -> Probe:
    """Request anything from the hub; any status below 500 counts. Returns in time whatever the network does."""
    address = endpoint()
    if is_offline():
        return Probe(one_line(address), "offline")
    is_answered, detail = _in_time(_asked, address, seconds) or (False, os.strerror(errno.ETIMEDOUT))
    return Probe(one_line(address), "reachable" if is_answered else "unreachable", detail)


def no_network(address: str, seconds: float = NETWORK_SECONDS) -> str | None:
    """Return briefly why no connection to this address is possible, or None if one is.

    Only a connection is made: how long a response takes says nothing about the network. Behind a proxy, the
    connection is to the proxy.
    """
    is_connected, problem = _in_time(_connected, address, seconds) or (False, os.strerror(errno.ETIMEDOUT))
    return None if is_connected else problem


def _in_time(
    attempt: Callable[[str, float], tuple[bool, str]], address: str, seconds: float
) -> tuple[bool, str] | None:
    """Run an attempt; None on timeout, enforced by a thread because name lookup has no time limit."""
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
    """Return the host and port of the first connection: the proxy's, if one is set."""
    target = urlsplit(address)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return target.hostname or "", target.port or (443 if target.scheme == "https" else 80)


def _refused_by_all(hosts: Iterable[tuple[Any, ...]], seconds: float) -> str | None:
    """Connect to all results of `getaddrinfo` in parallel; None as soon as one accepts, else the error.

    In sequence, an address without a route (mostly IPv6) would use up the time.
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
            except OSError as error:  # such as a machine without IPv6
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
    except Exception as error:  # the edge of the thread: a server may respond with anything
        return False, one_line(f"{type(error).__name__}: {error}")
