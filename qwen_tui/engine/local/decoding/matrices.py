"""A model's matrices in any form: products with one vector by our kernels, with several by the library."""

from typing import NamedTuple

import torch

from qwen_tui.engine.local.decoding.kernels import dense, four_bits


class Dense(NamedTuple):
    """A matrix as it is, or in int8 with a scale for each row, as LLM.int8 keeps it."""

    weight: torch.Tensor
    """(N, K)."""
    bias: torch.Tensor | None
    """(N)."""
    scales: torch.Tensor | None = None
    """(N) float32, if `weight` is int8."""

    @property
    def rows(self) -> int:
        """N, the number of rows."""
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
        """Multiply one vector; see `dense.product`."""
        dense.product(self.weight, self.bias, x, out, norm_weight, eps, adds=adds, scales=self.scales)

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply several vectors, (C, K) to (C, N), after unpacking an int8 matrix."""
        weight = self.weight if self.scales is None else (self.weight * self.scales[:, None]).to(x.dtype)
        return torch.nn.functional.linear(x, weight, self.bias)

    def gated_product(
        self, x: torch.Tensor, out: torch.Tensor, norm_weight: torch.Tensor, eps: float
    ) -> None:
        """Multiply one vector through the gate; see `dense.gated_product`."""
        dense.gated_product(self.weight, x, out, norm_weight, eps, self.scales)


class FourBits(NamedTuple):
    """A matrix in NF4 or FP4."""

    codes: torch.Tensor
    """(N, K / 2) uint8."""
    scales: torch.Tensor
    """(N, K / 64) float16."""
    values: torch.Tensor
    """(16) float32: the values of the codes."""
    bias: torch.Tensor | None
    """(N)."""

    @property
    def rows(self) -> int:
        """N, the number of rows."""
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
        """Multiply one vector; see `four_bits.product`."""
        four_bits.product(*self, x, out, norm_weight, eps, adds=adds)

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply several vectors, (C, K) to (C, N), after unpacking the matrix."""
        weight = four_bits.unpacked(self.codes, self.scales, self.values, x.dtype)
        return torch.nn.functional.linear(x, weight, self.bias)

    def gated_product(
        self, x: torch.Tensor, out: torch.Tensor, norm_weight: torch.Tensor, eps: float
    ) -> None:
        """Multiply one vector through the gate; see `four_bits.product`."""
        four_bits.product(*self, x, out, norm_weight, eps, is_gated=True)


Matrix = Dense | FourBits
