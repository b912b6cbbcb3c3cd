"""The server's API key, read from the environment or the system keyring and never written to a file."""

import importlib.util
import logging
import os

from qwen_tui.engine.remote.address import Address, address
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

VARIABLE = "QWEN_TUI_API_KEY"
"""Environment variable with the API key for any server."""

SERVICE = "qwen-tui"
"""Service name in the keyring; the user name there is the server's address."""


def api_key(server: Address) -> str:
    """Return the API key for this server, or an empty string. Raises `server.bad_key` if it cannot be sent.

    `OPENAI_API_KEY` is used only on this machine or for the server in `OPENAI_BASE_URL`: one company's key must
    not reach whatever other address was typed.
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
        import keyring  # type: ignore[import-not-found]  # an optional package

        return (keyring.get_password(SERVICE, server.root) or "").strip()
    except Exception as error:  # each keyring backend raises its own errors
        log.warning("the keyring could not be read: %s", type(error).__name__)
        return ""
