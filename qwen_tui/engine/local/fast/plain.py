"""One token through the model's own forward pass, in a shape that a CUDA graph can hold.

It holds for every model whose layers keep all tokens, quantized or not. Attention is written as two products over
the heads that share keys: with one query that is faster than the library's kernels with a mask (7B on a H200, in a
graph: 139 tok/s against 135 at 512 tokens, 119 against 50 at 24,000).
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AttentionInterface, Cache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from qwen_tui.engine.local.fast.room import RoomyLayer

ATTENTION = "qwen_tui_one_query"
"""What this attention is called in transformers' table of them."""

MORE = ("softcap", "s_aux", "position_bias", "sliding_window", "head_mask", "cache")
"""What some models' attention takes beside keys, values, a scale and a mask."""

LEAST_WINDOW = 1024


class PlainStep:
    """The forward pass for one token, with fixed shapes: it looks at a window that is a power of two."""

    name = "graph"

    def __init__(self, model: PreTrainedModel, layers: Sequence[RoomyLayer]) -> None:
        self._model = model
        self._layers = layers
        AttentionInterface.register(ATTENTION, one_query_attention)

    def window(self, tokens: int, room: int) -> int:
        """How many tokens to look at when there are so many."""
        window = LEAST_WINDOW
        while window < tokens:
            window *= 2
        return min(window, room)

    def __call__(self, token: torch.Tensor, position: torch.Tensor, window: int) -> torch.Tensor:
        """The logits (V) in float32 after `token` (1) at `position` (1), whose keys and values are written."""
        model = self._model
        cache = Cache(layers=[_Written(layer, position, window) for layer in self._layers])
        is_later = torch.arange(window, device=token.device) > position
        mask = torch.zeros(window, dtype=model.dtype, device=token.device).masked_fill(is_later, -torch.inf)
        # The attention is looked up at each call, so that others may go on with theirs in between.
        text_config: Any = model.config.get_text_config(decoder=True)
        configs: list[Any] = [model.config, text_config] if text_config is not model.config else [text_config]
        before = [config._attn_implementation for config in configs]
        try:
            for config in configs:
                config._attn_implementation = ATTENTION
            out = model(
                input_ids=token[None],
                position_ids=position[None],
                attention_mask=mask[None, None, None],
                past_key_values=cache,
                use_cache=True,
            )
        finally:
            for config, name in zip(configs, before, strict=True):
                config._attn_implementation = name
        logits: torch.Tensor = out.logits[0, -1].float()
        return logits


class _Written(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """A layer that is written at one place, and looked at as far as the window goes."""

    def __init__(self, layer: RoomyLayer, position: torch.Tensor, window: int) -> None:
        super().__init__()
        self._layer, self._position, self._window = layer, position, window
        self.is_initialized = True

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self._layer.all_keys.index_copy_(2, self._position, keys)
        self._layer.all_values.index_copy_(2, self._position, values)
        return self._layer.all_keys[..., : self._window, :], self._layer.all_values[..., : self._window, :]

    def get_seq_length(self) -> int:
        return 0

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._window, 0


def one_query_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of one query (1, H, 1, D) over keys and values (1, G, T, D); returns (1, 1, H, D).

    Raises ValueError for a kind of attention that has more to it: its logits could be near all the same.
    """
    more = [name for name in MORE if others.get(name) is not None]
    if more:
        raise ValueError(f"its attention has {', '.join(more)}")
    _, heads, _, size = query.shape
    groups = key.shape[1]
    scale = scaling if scaling is not None else size**-0.5
    scores = (query.reshape(1, groups, heads // groups, size) * scale) @ key.transpose(-1, -2)
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(value.dtype)
    return (weights @ value).reshape(1, 1, heads, size), None
