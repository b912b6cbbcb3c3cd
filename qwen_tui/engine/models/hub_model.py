"""What the hub says of a model before it is downloaded: how large its files are, and its config.

Two short requests, made without the hub's library, which takes too long to import for the screen's process.
"""

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from qwen_tui.engine.models.hub_probe import NETWORK_SECONDS, PROBE_SECONDS, endpoint, is_offline, no_network
from qwen_tui.engine.models.hub_refusal import CODE_HEADER, refusal
from qwen_tui.engine.models.size import ModelSize, size_by_config
from qwen_tui.engine.redaction import one_line, token_on_file
from qwen_tui.errors import QwenTuiError

MOST_BYTES = 10_000_000
"""How much of an answer is read."""

NAME = re.compile(r"([\w.-]+/)?[\w.-]+")
"""What can be a repository's name."""


class HubModel(NamedTuple):
    """A model that is not here."""

    size: ModelSize
    download_bytes: int
    """Its weights."""


def hub_model(model: str, seconds: float = PROBE_SECONDS) -> HubModel:
    """Ask the hub about this repository; `seconds` is for each request.

    Raises QwenTuiError: `engine.not_a_name`, `engine.offline`, `engine.no_network`, `engine.hub_silent`,
    `engine.not_on_hub`, `engine.gated`, `engine.bad_token`, `engine.no_model_in_folder`, `engine.bad_config`.
    """
    if not NAME.fullmatch(model):
        raise QwenTuiError("engine.not_a_name", model=one_line(model))
    if is_offline():
        raise QwenTuiError("engine.offline", model=model)
    if (problem := no_network(endpoint(), min(seconds, NETWORK_SECONDS))) is not None:
        raise QwenTuiError("engine.no_network", model=model, detail=problem)
    info = _answer(model, f"/api/models/{model}?blobs=true", seconds)
    weights = _weight_bytes(info)
    if not weights:
        raise QwenTuiError("engine.no_model_in_folder", path=model, missing="model.safetensors")
    config = _answer(model, f"/{model}/resolve/main/config.json", seconds)
    return HubModel(size_by_config(config, weights), weights)


def _weight_bytes(info: Mapping[str, Any]) -> int:
    """The safetensors files of the repository's top folder together; the others are never downloaded."""
    listed = info.get("siblings")
    files = [file for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    named = ((str(file.get("rfilename")), file.get("size")) for file in files)
    weights = (size for name, size in named if name.endswith(".safetensors") and "/" not in name)
    return sum(max(0, size) for size in weights if isinstance(size, int))


def _answer(model: str, path: str, seconds: float) -> dict[str, Any]:
    """The JSON object at this path of the hub."""
    request = urllib.request.Request(endpoint() + path, headers={"User-Agent": "qwen-tui"})
    token = os.environ.get("HF_TOKEN") or token_on_file().strip()
    if token:
        # Unredirected: a hub may send on to another host, which is not to have the token.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            answer = json.loads(response.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        said = refusal(model, error.code, error.headers.get(CODE_HEADER, ""), has_token=bool(token))
        raise said or _silent(model, f"HTTP {error.code}") from None
    except json.JSONDecodeError as error:
        raise QwenTuiError("engine.bad_config", path=model, detail=one_line(error)) from None
    except Exception as error:  # a server and what stands before it may answer with anything
        raise _silent(model, getattr(error, "reason", None) or error) from None
    if not isinstance(answer, dict):
        raise QwenTuiError("engine.bad_config", path=model, detail="engine.damage.not_an_object")
    return answer


def _silent(model: str, detail: object) -> QwenTuiError:
    return QwenTuiError("engine.hub_silent", model=model, detail=one_line(detail))
