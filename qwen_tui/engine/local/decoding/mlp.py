"""The MLP of a layer: a dense one, or a mixture of experts."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from qwen_tui.engine.local.decoding.kernels import activation, dense, experts
from qwen_tui.engine.local.decoding.matrices import Matrix


class GatedMLP(NamedTuple):
    """A dense gated MLP."""

    width: int
    """I, the size between the products."""
    gate_and_up: Matrix
    """(2I, K)."""
    down: Matrix
    """(K, I)."""

    def add(self, hidden: torch.Tensor, between: torch.Tensor, norm_weight: torch.Tensor, eps: float) -> None:
        """Add the MLP of RMSNorm(hidden) to `hidden` (K), using `between` (I) as scratch space."""
        self.gate_and_up.gated_product(hidden, between, norm_weight, eps)
        self.down.product(between, hidden, adds=True)

    def __call__(self, normed: torch.Tensor) -> torch.Tensor:
        """Apply the MLP to several vectors (C, K)."""
        return self.down.linear(activation.silu_product(self.gate_and_up.linear(normed)))


class Experts(NamedTuple):
    """An MLP of E experts, of which C are used for each token. Experts are never quantized.

    A router chooses them; the last one may be shared by all tokens.
    """

    width: int
    """C * I."""
    router: torch.Tensor
    """(E, K), with the gate of a shared expert as its last row."""
    gate_and_up: torch.Tensor
    """(E, 2I, K)."""
    down: torch.Tensor
    """(E, K, I)."""
    shares_add_to_one: bool
    has_shared: bool
    logits: torch.Tensor
    """(E), scratch space for the router's logits."""
    ids: torch.Tensor
    """(C) int32, the chosen experts."""
    shares: torch.Tensor
    """(C) float32."""
    block: Callable[[torch.Tensor], torch.Tensor]
    """The model's own module, (1, T, K) to (1, T, K)."""

    def add(self, hidden: torch.Tensor, between: torch.Tensor, norm_weight: torch.Tensor, eps: float) -> None:
        """Like `GatedMLP.add`; `between` has C * I elements."""
        each = between.view(self.ids.shape[0], -1)
        dense.product(self.router, None, hidden, self.logits, norm_weight, eps)
        experts.choose(
            self.logits,
            self.ids,
            self.shares,
            adds_to_one=self.shares_add_to_one,
            has_shared=self.has_shared,
        )
        experts.gated_products(self.gate_and_up, self.ids, hidden, each, norm_weight, eps)
        experts.add_products(self.down, self.ids, self.shares, each, hidden)

    def __call__(self, normed: torch.Tensor) -> torch.Tensor:
        """Apply the model's own module to several vectors (C, K)."""
        return self.block(normed[None])[0]
