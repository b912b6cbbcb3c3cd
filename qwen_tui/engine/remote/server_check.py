"""Check a server for the list of models and for `doctor`: whether it answers, what it is, what it serves."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from qwen_tui.engine.models.choices import ModelChoice
from qwen_tui.engine.remote.address import address
from qwen_tui.engine.remote.api_key import api_key
from qwen_tui.engine.remote.http_calls import Calls, Patience
from qwen_tui.engine.remote.probe import probe
from qwen_tui.engine.remote.refusals import unreachable
from qwen_tui.engine.remote.token_counts import ServerTokenCounter
from qwen_tui.errors import QwenTuiError

PATIENCE = Patience(connect=2.0, answer=2.0)
"""Keeps a check to a few seconds, whatever the server does."""

STARTING_SECONDS = 15.0
"""A server that loads its model or imports its libraries accepts connections some seconds before it answers."""


class Server(NamedTuple):
    """Result of checking a server."""

    root: str
    """The server's address; the given text if that is not an address."""
    host: str = ""
    """Display name, without a password from the address."""
    problem: QwenTuiError | None = None
    """Why the server cannot be used; the fields after it are then mostly empty."""
    seconds: float = 0.0
    """How long the server took to list its models."""
    kind: str = ""
    models: tuple[str, ...] = ()
    windows: Mapping[str, int] = {}
    """Reported context windows by model, in tokens."""
    counts_exactly: bool = False
    has_key: bool = False


def examine(
    given: str, model: str | None = None, *, counts: bool = True, patience: Patience = PATIENCE
) -> Server:
    """Check the server at this address and, with `counts`, whether it counts the tokens of `model`."""
    try:
        server = address(given)
    except QwenTuiError as error:
        return Server(given, problem=error)
    try:
        key = api_key(server)
        calls = Calls(server, key, patience)
    except QwenTuiError as error:
        return Server(server.root, server.host, error)
    began = time.monotonic()
    try:
        served = probe(calls, server.host)
        seconds = time.monotonic() - began
        meant = model or (served.models[0] if served.models else "")
        is_exact = counts and bool(meant) and ServerTokenCounter(calls, served.kind, meant).is_exact
    except Exception as error:
        problem = error if isinstance(error, QwenTuiError) else unreachable(error, server.host)
        return Server(server.root, server.host, problem, has_key=bool(key))
    finally:
        calls.close()
    kind, models, windows = served.kind.name, served.models, served.windows
    return Server(server.root, server.host, None, seconds, kind, models, windows, is_exact, bool(key))


def served_by(given: str) -> tuple[ModelChoice, ...]:
    """Return the models of the server at this address, or one entry with the problem. Takes seconds."""
    server = examine(given, counts=False, patience=PATIENCE._replace(answer=STARTING_SECONDS))
    return tuple(
        ModelChoice(model, "served", None, None, server=server.root, window=server.windows.get(model, 0))
        for model in server.models
    ) or (ModelChoice("", "served", None, None, server=server.root, unreachable=server.problem),)
