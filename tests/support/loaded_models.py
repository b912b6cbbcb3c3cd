"""Models loaded in this process, for tests of what runs in the worker."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.local.cache.kv_cache import KVCache
from qwen_tui.engine.local.decoding import decode_path as choosing
from qwen_tui.engine.local.loading.choose_model import Resolved
from qwen_tui.engine.local.loading.load import Loaded, load


def loaded_from(folder: Path, **spec: Any) -> Loaded:
    wanted = ModelSpec(model=str(folder), device="cpu", **{"quantization": "none", **spec})
    return load(Resolved(folder, folder.name, str(folder)), wanted, lambda _: None)


def with_decoder(loaded: Loaded) -> Loaded:
    """The same as on a GPU that has no kernels: decoding by the plain step, which here is not captured."""
    decoder = choosing.checked(loaded.model, choosing._graph, loaded.info.context_window)
    return replace(
        loaded, decoder=decoder, cache=KVCache(loaded.model, decoder.cache, prefills_without_mask=True)
    )
