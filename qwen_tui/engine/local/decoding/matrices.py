"""A model's matrices, whatever their form: with one vector by kernels of our own, with several by the library."""

from typing import NamedTuple

import torch

from qwen_tui.engine.local.decoding.kernels import dense, four_bits


class Dense(NamedTuple):
    """A matrix as it is."""

    weight: torch.Tensor
    """(N, K)."""
    bias: torch.Tensor | None
    """(N)."""

    @property
    def rows(self) -> int:
        """N."""
        return self.weight.shape[0]

    def product(
        self,
        x: torch.Tensor,
        out: torch.Tensor,
        norm_weight: torch.Tensor | None = None,
        eps: float = 0.0,
        *,
        adds: bool = False,
    ) -> None:
        """See `dense.product`."""
        dense.product(self.weight, self.bias, x, out, norm_weight, eps, adds=adds)

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """Of several vectors: (C, K) to (C, N)."""
        return torch.nn.functional.linear(x, self.weight, self.bias)

    def gated_product(
        self, x: torch.Tensor, out: torch.Tensor, norm_weight: torch.Tensor, eps: float
    ) -> None:
        """See `dense.gated_product`."""
        dense.gated_product(self.weight, x, out, norm_weight, eps)


class FourBits(NamedTuple):
    """A matrix in NF4 or FP4."""

    codes: torch.Tensor
    """(N, K / 2) uint8."""
    scales: torch.Tensor
    """(N, K / 64) float16."""
    values: torch.Tensor
    """(16) float32: what the codes stand for."""
    bias: torch.Tensor | None
    """(N)."""

    @property
    def rows(self) -> int:
        """N."""
        return self.codes.shape[0]

    def product(
        self,
        x: torch.Tensor,
        out: torch.Tensor,
        norm_weight: torch.Tensor | None = None,
        eps: float = 0.0,
        *,
        adds: bool = False,
    ) -> None:
        """See `four_bits.product`."""
        four_bits.product(*self, x, out, norm_weight, eps, adds=adds)

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """Of several vectors: (C, K) to (C, N). The matrix is unpacked for them."""
        weight = four_bits.unpacked(self.codes, self.scales, self.values, x.dtype)
        return torch.nn.functional.linear(x, weight, self.bias)

    def gated_product(
        self, x: torch.Tensor, out: torch.Tensor, norm_weight: torch.Tensor, eps: float
    ) -> None:
        """See `four_bits.product`."""
        four_bits.product(*self, x, out, norm_weight, eps, is_gated=True)


Matrix = Dense | FourBits
