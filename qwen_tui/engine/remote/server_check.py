"""A server looked at for `qwen-tui doctor`: whether it answers, what it is, and what it has."""

import time
from typing import NamedTuple

from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.remote.address import address
from qwen_tui.engine.remote.api_key import api_key
from qwen_tui.engine.remote.http_calls import Calls, Patience
from qwen_tui.engine.remote.probe import probe
from qwen_tui.engine.remote.refusals import unreachable
from qwen_tui.engine.remote.token_counts import ServerTokenCounter
from qwen_tui.errors import QwenTuiError

PATIENCE = Patience(connect=2.0, answer=2.0)
"""So that looking ends within a few seconds, whatever the server does."""


class Server(NamedTuple):
    """What came of looking at one."""

    host: str
    """As the person is told it: without a password that was in the address."""
    problem: QwenTuiError | None = None
    """Why it cannot be used; the rest is empty then."""
    seconds: float = 0.0
    """How long it took to tell what it has."""
    kind: str = ""
    models: tuple[str, ...] = ()
    counts_exactly: bool = False
    has_key: bool = False


def examine(given: str, model: str | None) -> Server:
    """Ask the server at this address, and whether it counts the tokens of the model that is meant."""
    try:
        server = address(given)
    except QwenTuiError as error:
        return Server("", error)
    try:
        key = api_key(server)
        calls = Calls(server, key, PATIENCE)
    except QwenTuiError as error:
        return Server(server.host, error)
    began = time.monotonic()
    try:
        served = probe(calls, server.host)
        seconds = time.monotonic() - began
        meant = model or (served.models[0] if served.models else "")
        is_exact = bool(meant) and ServerTokenCounter(calls, served.kind, meant).is_exact
    except Exception as error:
        problem = error if isinstance(error, QwenTuiError) else unreachable(error, server.host)
        return Server(server.host, problem, has_key=bool(key))
    finally:
        calls.close()
    names = tuple(map(one_line, served.models))
    return Server(server.host, None, seconds, served.kind.name, names, is_exact, bool(key))
