"""Redact secrets in text from libraries and other programs: tokens, keys, and passwords in URLs.

Libraries put URLs and headers into their errors, and errors go to the log file, to the screen and into
conversation files. Secrets known on this machine are found by value, others by their shape.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from qwen_tui.chat import cleaning

HIDDEN = "(hidden)"
"""Replacement for a secret."""

SHORTEST = 8
"""Shorter values are not treated as secrets: they occur in ordinary words."""

LINE_CHARACTERS = 200
"""How many characters of a library's message are shown; the log has all of it."""

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_PLACE_NAME = re.compile(r"_(PATH|FILE|DIR|URL|HOME)$", re.IGNORECASE)

_SHAPES = (
    (re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{8,}"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@\"'<>]+@"), f"{HIDDEN}@"),
    (
        re.compile(
            r"(?i)([?&][\w.-]*(?:token|signature|secret|password|credential|key)[\w.-]*=)[^&\s\"'<>]+"
        ),
        rf"\1{HIDDEN}",
    ),
)
"""Hub tokens, credentials in an Authorization header, `user:password@`, and `?token=`."""


def redacted(text: str, secrets: Iterable[str] | None = None) -> str:
    """Return the text without secrets. `secrets` are the known ones; None looks them up now."""
    for secret in known_secrets() if secrets is None else secrets:
        text = text.replace(secret, HIDDEN)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def one_line(foreign: object) -> str:
    """Return text from elsewhere (a message, a path) as one short line, cleaned and without secrets."""
    return cleaning.one_line(redacted(str(foreign)).rstrip(". \n"), LINE_CHARACTERS)


def known_secrets() -> tuple[str, ...]:
    """Return the secrets in this process's environment and in the hub's token file, longest first."""
    named = (name for name in os.environ if _SECRET_NAME.search(name) and not _PLACE_NAME.search(name))
    values = {value.strip() for value in (*(os.environ[name] for name in named), token_on_file())}
    found = [value for value in values if len(value) >= SHORTEST and not value.isdigit()]
    return tuple(sorted(found, key=len, reverse=True))


def token_on_file() -> str:
    """Return the token saved by `hf auth login` (huggingface_hub, "Environment variables"), or ""."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or os.path.join(cache, "huggingface")
    file = os.environ.get("HF_TOKEN_PATH") or os.path.join(home, "token")
    try:
        return Path(file).expanduser().read_text("utf-8")[:1000]
    except (OSError, ValueError, RuntimeError):
        return ""
