"""Open an engine on a server: identify the server, choose its model, and find its context window."""

import time

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec, Reason, ReportProgress, StopFlag
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.remote.address import Address, address
from qwen_tui.engine.remote.api_key import api_key
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.http_calls import POLL_SECONDS, Calls, Dropped, Patience
from qwen_tui.engine.remote.probe import Served, probe
from qwen_tui.engine.remote.refusals import unreachable
from qwen_tui.engine.remote.server_kinds import OLLAMA, TRANSFORMERS
from qwen_tui.engine.remote.token_counts import ServerTokenCounter
from qwen_tui.errors import QwenTuiError

ASSUMED_WINDOW = 8192
"""Context window if the server does not report one, in tokens."""

OLLAMA_WINDOW = 4096
"""Ollama's default context window, in tokens (its FAQ, "context window size")."""

LOADING_SECONDS = 0.3
"""How often a server is asked again that says it is loading its model, as llama.cpp's does."""

LONGEST_LOAD_SECONDS = 600.0
"""A server that is still loading after this time is given up."""

NAMED_MODELS = 6
"""How many of a server's models an error lists."""


def open_remote(
    spec: ModelSpec, report: ReportProgress, stop: StopFlag, patience: Patience | None = None
) -> RemoteEngine:
    """Return an engine for the model that `spec` names, or for the server's first model.

    Raises QwenTuiError: `server.*`, or `engine.load_stopped` if `stop` is set first.
    """
    began = time.monotonic()
    server = address(spec.server or "")
    report(LoadProgress("connecting", server.host))
    key = api_key(server)
    calls = Calls(server, key, patience)
    try:
        served = _ready(calls, server.host, stop)
        model = _chosen(spec, served, server)
        counter = ServerTokenCounter(calls, served.kind, model)
    except BaseException as error:
        calls.close()
        if isinstance(error, Dropped):
            raise QwenTuiError("engine.load_stopped") from None
        if isinstance(error, QwenTuiError) or not isinstance(error, Exception):
            raise
        raise unreachable(error, server.host) from error
    window, reasons = _window(spec, served, model)
    if key and not server.is_private:
        reasons = (Reason("server.key_in_the_clear", (("host", server.host),)), *reasons)
    info = ModelInfo(
        name=one_line(model.rstrip("/").rpartition("/")[2] or model),
        model=model,
        server=server.root,
        architecture=served.kind.name,
        parameters=0,
        context_window=window,
        quantization="",
        dtype="",
        device=server.host,
        can_think=served.kind.takes_template_arguments,
        rereads=("effort",),
        counts_exactly=counter.is_exact,
        load_seconds=time.monotonic() - began,
        reasons=reasons,
    )
    return RemoteEngine(calls, served.kind, info, counter, server.host)


def _ready(calls: Calls, host: str, stop: StopFlag) -> Served:
    """Probe the server, once it has loaded its model."""
    end = time.monotonic() + LONGEST_LOAD_SECONDS
    while True:
        try:
            return probe(calls, host, stop)
        except QwenTuiError as error:
            is_loading = "loading" in str(error.parameters.get("detail", "")).lower()
            if error.code != "server.behind_gateway" or not is_loading or time.monotonic() > end:
                raise
        again = time.monotonic() + LOADING_SECONDS
        while time.monotonic() < again:
            if stop.is_set():
                raise Dropped
            time.sleep(POLL_SECONDS)


def _chosen(spec: ModelSpec, served: Served, server: Address) -> str:
    """Return the name of the model to use."""
    models = served.models
    if spec.model is None:
        if models:
            return models[0]
        raise QwenTuiError("server.which_model", host=server.host)
    # transformers serve lists only its hub cache, but also serves a folder.
    if not models or spec.model in models or served.kind is TRANSFORMERS:
        return spec.model
    meant = (spec.model.lower(), f"{spec.model.lower()}:latest")
    if alike := [model for model in models if model.lower() in meant]:
        return alike[0]
    names = ", ".join(map(one_line, models[:NAMED_MODELS])) + (", …" if len(models) > NAMED_MODELS else "")
    raise QwenTuiError("server.no_such_model", host=server.host, model=one_line(spec.model), models=names)


def _window(spec: ModelSpec, served: Served, model: str) -> tuple[int, tuple[Reason, ...]]:
    """Return the context window in tokens, and what to tell the user about it."""
    told = served.windows.get(model)
    if told is not None:
        return min(told, spec.context_window or told), ()
    if spec.context_window is not None:
        return spec.context_window, ()
    assumed = OLLAMA_WINDOW if served.kind is OLLAMA else ASSUMED_WINDOW
    return assumed, (Reason("server.window_assumed", (("tokens", assumed),)),)
