"""Ask the hub about a model before it is downloaded: the size of its files, and its config.

Two short requests without the hub's library, which takes too long to import for the screen's process.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from qwen_tui.engine.models.file_list import weights_among
from qwen_tui.engine.models.hub_address import NAME
from qwen_tui.engine.models.hub_probe import (
    NETWORK_SECONDS,
    PROBE_SECONDS,
    endpoint,
    is_offline,
    missing_socks_proxy,
    no_network,
)
from qwen_tui.engine.models.hub_refusal import CODE_HEADER, refusal
from qwen_tui.engine.models.model_kind import is_for_another_purpose, not_for_chat
from qwen_tui.engine.models.size import ModelSize, size_by_config
from qwen_tui.engine.models.weight_formats import check_format
from qwen_tui.engine.redaction import one_line, token_on_file
from qwen_tui.errors import QwenTuiError

MOST_BYTES = 10_000_000
"""Size limit of a response."""


class HubModel(NamedTuple):
    """A model on the hub."""

    size: ModelSize
    download_bytes: int
    """Size of its weights."""


def hub_model(model: str, seconds: float = PROBE_SECONDS) -> HubModel:
    """Ask the hub about this repository; `seconds` is the timeout of each request.

    Raises QwenTuiError: `engine.not_a_name`, `engine.offline`, `engine.no_network`, `engine.hub_silent`,
    `engine.not_on_hub`, `engine.gated`, `engine.bad_token`, and what `weights_among`, `check_format` and
    `not_for_chat` raise, `engine.bad_config`.
    """
    if not NAME.fullmatch(model):
        raise QwenTuiError("engine.not_a_name", model=one_line(model))
    if is_offline():
        raise QwenTuiError("engine.offline", model=model)
    if (proxy := missing_socks_proxy(endpoint())) is not None:
        raise QwenTuiError("engine.socks_proxy", proxy=one_line(proxy))
    if (problem := no_network(endpoint(), min(seconds, NETWORK_SECONDS))) is not None:
        raise QwenTuiError("engine.no_network", model=model, detail=problem)
    info = _answer(model, f"/api/models/{model}?blobs=true", seconds)
    sizes = _sizes(info)
    weights = sum(sizes[name] for name in weights_among(sizes, model))
    config = _answer(model, f"/{model}/resolve/main/config.json", seconds)
    check_format(config, sizes)
    if is_for_another_purpose(config):
        raise not_for_chat(config)
    return HubModel(size_by_config(config, weights), weights)


def _sizes(info: Mapping[str, Any]) -> dict[str, int]:
    """Return the size of each file in the repository's top folder, the only ones downloaded."""
    listed = info.get("siblings")
    files = [file for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    named = ((str(file.get("rfilename")), file.get("size")) for file in files)
    return {name: max(0, size) if isinstance(size, int) else 0 for name, size in named if "/" not in name}


def _answer(model: str, path: str, seconds: float) -> dict[str, Any]:
    """Return the JSON object at this path of the hub."""
    request = urllib.request.Request(endpoint() + path, headers={"User-Agent": "qwen-tui"})
    token = (os.environ.get("HF_TOKEN") or token_on_file()).strip()
    if not token.isascii():
        raise QwenTuiError("engine.bad_token", model=model)
    if token:
        # Unredirected: the hub may redirect to another host, which must not get the token.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            answer = json.loads(response.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        said = refusal(model, error.code, error.headers.get(CODE_HEADER, ""), has_token=bool(token))
        raise said or _silent(model, f"HTTP {error.code}") from None
    except json.JSONDecodeError as error:
        raise QwenTuiError("engine.bad_config", path=model, detail=one_line(error)) from None
    except Exception as error:  # servers and proxies may respond with anything
        raise _silent(model, getattr(error, "reason", None) or error) from None
    if not isinstance(answer, dict):
        raise QwenTuiError("engine.bad_config", path=model, detail="engine.damage.not_an_object")
    return answer


def _silent(model: str, detail: object) -> QwenTuiError:
    return QwenTuiError("engine.hub_silent", model=model, detail=one_line(detail))
