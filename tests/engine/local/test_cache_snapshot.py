"""A cache that cannot be cut is brought back to what it was, to the last bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from test_kv_cache import failing, hybrid, sliding
from transformers import DynamicCache

from qwen_tui.engine.local.cache.snapshot import restore, take_snapshot
from qwen_tui.engine.local.loading.load import Loaded

LENGTH = 60


def tensors(states: DynamicCache) -> list[torch.Tensor]:
    """All that a cache is made of, copied."""
    found: list[torch.Tensor] = []
    for layer in states.layers:
        parts: list[Any] = [getattr(layer, "keys", None), getattr(layer, "values", None)]
        for name in ("conv_states", "recurrent_states"):
            parts += getattr(layer, name, {}).values()
        found += [part.clone() for part in parts if part is not None]
    return found


@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("layers", [("sliding", "full"), ("full", "sliding"), "hybrid"])
def test_what_is_put_back_is_what_was_taken(tmp_path: Path, layers: Any, breaks: bool) -> None:
    loaded = hybrid(tmp_path) if layers == "hybrid" else sliding(tmp_path, 32, layers)
    read = reader(loaded)
    states = DynamicCache(config=loaded.model.config)
    ids = torch.randint(3, 500, (1, 200), generator=torch.Generator().manual_seed(1))
    read(ids[:, :LENGTH], states)
    before = tensors(states)
    snapshot = take_snapshot(states, LENGTH)
    assert snapshot is not None
    for _ in range(2):  # it can be put back more than once
        read(ids[:, LENGTH:150], states)
        read(ids[:, 150:151], states)
        if breaks:
            with failing(loaded, 1, 1), pytest.raises(torch.OutOfMemoryError):
                read(ids[:, 151:], states)
        assert not all(map(torch.equal, before, tensors(states)))
        restore(states, snapshot)
        assert len(before) == len(tensors(states)) == 2 * len(states.layers)
        assert all(map(torch.equal, before, tensors(states)))
        assert states.get_seq_length() == LENGTH
    fresh = DynamicCache(config=loaded.model.config)
    read(ids[:, :LENGTH], fresh)
    assert torch.equal(read(ids[:, 90:95], states), read(ids[:, 90:95], fresh))


def reader(loaded: Loaded) -> Callable[[torch.Tensor, DynamicCache], torch.Tensor]:
    """Reads tokens (1, C) into a cache, and gives the logits after the last (V)."""

    def read(ids: torch.Tensor, states: DynamicCache) -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = loaded.model(input_ids=ids, past_key_values=states, use_cache=True).logits
        return logits[0, -1]

    return read


def test_a_layer_of_another_kind_has_no_snapshot() -> None:
    states = DynamicCache()
    states.layers = [object()]
    assert take_snapshot(states, 3) is None
