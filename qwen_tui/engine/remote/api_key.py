"""The key that a server asks for: from the environment or the system's keyring, never from or to a file of ours."""

import importlib.util
import logging
import os

from qwen_tui.engine.remote.address import Address, address
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

VARIABLE = "QWEN_TUI_API_KEY"
"""The environment variable that holds the key, whatever the server."""

SERVICE = "qwen-tui"
"""Under this name the keyring keeps keys; the user's name there is the server's address."""


def api_key(server: Address) -> str:
    """The key for this server, or nothing. Raises `server.bad_key` when it cannot be sent.

    `OPENAI_API_KEY` is taken only where it is meant: on this machine, or for the server that `OPENAI_BASE_URL`
    names. A key for one company must not reach whatever other address was typed.
    """
    key = os.environ.get(VARIABLE, "").strip()
    if not key and (server.is_loopback or _is_openai_base(server)):
        key = os.environ.get("OPENAI_API_KEY", "").strip()
    key = key or _from_keyring(server)
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise QwenTuiError("server.bad_key", variable=VARIABLE)
    return key


def _is_openai_base(server: Address) -> bool:
    try:
        return address(os.environ.get("OPENAI_BASE_URL", "")).root == server.root
    except QwenTuiError:
        return False


def _from_keyring(server: Address) -> str:
    if importlib.util.find_spec("keyring") is None:
        return ""
    try:
        import keyring  # type: ignore[import-not-found]  # an optional package of the person's

        return (keyring.get_password(SERVICE, server.root) or "").strip()
    except Exception as error:  # each of its backends raises its own
        log.warning("the keyring could not be asked: %s", type(error).__name__)
        return ""
