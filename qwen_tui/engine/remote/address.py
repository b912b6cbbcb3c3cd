"""Where a server is: what a person types as its address, made one."""

import ipaddress
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

_ENDINGS = ("/chat/completions", "/completions", "/models", "/v1")
"""What stands behind the server's own address in what is often copied."""


class Address(NamedTuple):
    """A server's address."""

    root: str
    """`http://gpubox:8000`, without a slash at the end; the protocol's paths follow behind `/v1`."""
    host: str
    """As the screen names it: `gpubox:8000`."""
    hostname: str

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        with suppress(ValueError):
            return ipaddress.ip_address(self.hostname).is_loopback
        return self.hostname == "localhost"

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.root.startswith("https://") or self.is_loopback


def address(given: str) -> Address:
    """The address that was given, with or without `http://` and `/v1`; raises `server.bad_address`."""
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
    """Whether what was typed as a model's name means a server."""
    return text.strip().startswith(("http://", "https://"))


def _bad(given: str) -> QwenTuiError:
    return QwenTuiError("server.bad_address", address=one_line(given))
