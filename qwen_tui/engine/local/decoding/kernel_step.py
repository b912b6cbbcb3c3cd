"""Decode step of Llama-like models through our kernels: six or seven launches per layer, without copies.

Experts take two more.
"""

from collections.abc import Sequence
from functools import partial

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import LinearAttentionLayer

from qwen_tui.engine.local.cache.kv_cache import FastPrefill
from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer
from qwen_tui.engine.local.decoding.kernel_prefill import kernel_prefill
from qwen_tui.engine.local.decoding.kernels import attention, delta_rule, rotary
from qwen_tui.engine.local.decoding.mixers import Attention, DeltaRule
from qwen_tui.engine.local.decoding.weights import Layer, Weights

SHORT_TOKENS = 512
"""Without linear attention, the forward pass is as fast with more tokens at once."""


class KernelStep:
    """The forward pass for one token, computed in preallocated tensors."""

    name = "kernels"

    def __init__(
        self,
        model: PreTrainedModel,
        weights: Weights,
        layers: Sequence[StaticLayer | LinearAttentionLayer],
        window: int,
    ) -> None:
        self._weights = weights
        self._layers = layers
        device, dtype = weights.embedding.device, weights.embedding.dtype
        mixers = [layer.mixer for layer in weights.layers]
        rows = max(mixer.projections.rows for mixer in mixers)
        self._hidden = torch.empty(1, weights.embedding.shape[1], dtype=dtype, device=device)
        self._projected = torch.empty(1, rows, dtype=dtype, device=device)
        self._query = torch.empty(1, weights.heads, weights.head_dim, dtype=dtype, device=device)
        self._attended = torch.empty_like(self._query[0])
        linear = [mixer for mixer in mixers if isinstance(mixer, DeltaRule)]
        channels = max((mixer.convolution.shape[0] for mixer in linear), default=0)
        self._mixed = torch.empty(channels, dtype=dtype, device=device)
        self._read = torch.empty_like(self._mixed)
        most = max(layer.mlp.width for layer in weights.layers)
        self._between = torch.empty(most, dtype=dtype, device=device)
        self._logits = torch.empty(weights.embedding.shape[0], dtype=torch.float32, device=device)
        self._split = attention.scratch(weights.heads, weights.head_dim, device)
        # From the model itself, so that every kind of rotary scaling is right; 8 MB for 32,768 positions.
        positions = torch.arange(window, device=device)[None]
        cosines, sines = (part[0].contiguous() for part in model.model.rotary_emb(self._hidden, positions))
        self._angles = cosines, sines
        read = partial(kernel_prefill, weights, layers, self._angles)
        self.fast_prefill: FastPrefill | None = FastPrefill(read, window if linear else SHORT_TOKENS)

    def window(self, tokens: int, capacity: int) -> int:
        """Return the capacity: the kernels read the length from the device, so one capture serves all lengths."""
        return capacity

    def __call__(self, token: torch.Tensor, position: torch.Tensor, window: int) -> torch.Tensor:
        """Return the logits (V, float32) after `token` (1) at `position` (1), and update the cache."""
        weights = self._weights
        torch.index_select(weights.embedding, 0, token, out=self._hidden)
        for layer, cached in zip(weights.layers, self._layers, strict=True):
            mixer = layer.mixer
            projected = self._projected[:, : mixer.projections.rows]
            mixer.projections.product(self._hidden[0], projected[0], layer.input_norm, weights.eps)
            if isinstance(mixer, Attention):
                mixed = self._attention(mixer, projected, cached, position)
            else:
                mixed = self._delta_rule(mixer, projected[0], cached)
            mixer.output.product(mixed, self._hidden[0], adds=True)
            self._mlp(layer)
        weights.head.product(self._hidden[0], self._logits, weights.final_norm, weights.eps)
        return self._logits

    def _attention(
        self, mixer: Attention, projected: torch.Tensor, cached: StaticLayer, position: torch.Tensor
    ) -> torch.Tensor:
        """Cache this token's keys and values, and return the attention's output (H * D)."""
        query, keys, values = self._query, cached.all_keys, cached.all_values
        norms, eps, scale = mixer.head_norms, self._weights.eps, self._weights.scale
        rotary.place(projected, norms, eps, *self._angles, position, query, keys, values)
        gates = projected if mixer.has_gate else None
        attention.attend(query[0], keys, values, position, scale, self._split, self._attended, gates)
        return self._attended.view(-1)

    def _delta_rule(
        self, mixer: DeltaRule, projected: torch.Tensor, cached: LinearAttentionLayer
    ) -> torch.Tensor:
        """Update the recurrent states with this token, and return the value heads' output (H * V)."""
        convolved, state = cached.conv_states[0], cached.recurrent_states[0]
        mixed = self._mixed[: mixer.convolution.shape[0]]
        read = self._read[: state.shape[1] * state.shape[3]]
        delta_rule.convolve(projected, mixer.convolution, convolved, mixed)
        delta_rule.recur(
            mixed, projected, mixer.decay, mixer.bias, state, mixer.norm, mixer.eps, mixer.key_heads, read
        )
        return read

    def _mlp(self, layer: Layer) -> None:
        between = self._between[: layer.mlp.width]
        layer.mlp.add(self._hidden[0], between, layer.mlp_norm, self._weights.eps)
