"""Parse the server address that a person types."""

import ipaddress
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

_ENDINGS = ("/chat/completions", "/completions", "/models", "/v1")
"""Paths that often follow the server's own address when it is copied."""


class Address(NamedTuple):
    """A server's address."""

    root: str
    """`http://gpubox:8000`, without a trailing slash; API paths append `/v1/…`."""
    host: str
    """Display name: `gpubox:8000`."""
    hostname: str

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine."""
        with suppress(ValueError):
            return ipaddress.ip_address(self.hostname).is_loopback
        return self.hostname == "localhost"

    @property
    def is_private(self) -> bool:
        """Whether requests are unreadable on the network path: encrypted, or local."""
        return self.root.startswith("https://") or self.is_loopback


def address(given: str) -> Address:
    """Parse an address, with or without `http://` and `/v1`.

    Raises QwenTuiError: `server.bad_address`, `server.password_in_address`.
    """
    text = given.strip()
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _bad(given) from error
    if "@" in parts.netloc:
        raise QwenTuiError("server.password_in_address", address=one_line(given))
    is_wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    if is_wrong or not text.isascii() or not text.isprintable() or " " in text:
        raise _bad(given)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    if port is not None:
        host = f"{host}:{port}"
    path = parts.path.rstrip("/")
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    return Address(f"{parts.scheme}://{host}{path.rstrip('/')}", host, str(parts.hostname))


def is_address(text: str) -> bool:
    """Whether the text typed as a model's name is a server's address."""
    return text.strip().startswith(("http://", "https://"))


def _bad(given: str) -> QwenTuiError:
    return QwenTuiError("server.bad_address", address=one_line(given))
