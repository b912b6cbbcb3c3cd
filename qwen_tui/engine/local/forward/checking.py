"""Whether another way to compute gives what the model's forward pass gives: tried on the model itself."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel

LEAST_TOLERANCE = {torch.float32: 1e-3, torch.float16: 5e-3, torch.bfloat16: 2e-2}
"""How far logits may always be from those of the forward pass, as a share of their length."""

TIMES_ROUNDING = 2.0
"""How much farther they may be than rounding takes the forward pass from itself: see `_rounded`."""

MOST_TOLERANCE = 0.3
"""From here on it is not rounding: a wrong head or a wrong position is farther away."""

INT8_ROUNDING = 1 / 64
"""How exact numbers are that LLM.int8 multiplies with: it rounds them to 127 steps of the largest of a token."""

TOKENS = 24
"""How many tokens are tried."""


class Mismatch(Exception):
    """What was computed is something else."""


class Reference(NamedTuple):
    """What the forward pass makes of some tokens."""

    ids: torch.Tensor
    """(1, T)."""
    logits: torch.Tensor
    """(T, V), in float32."""
    rounding: float
    """How far rounding takes them from themselves."""
    tolerance: float
    """How far others may be from them."""

    def check(self, said: torch.Tensor, place: int) -> float:
        """How far logits (V) for this place are from what they should be; raises `Mismatch`."""
        expected = self.logits[place]
        error = float((said.float() - expected).norm() / expected.norm())
        if not error <= self.tolerance:
            raise Mismatch(f"its logits are {error:.2g} away, more than {self.tolerance:.2g}")
        return error


def reference(model: PreTrainedModel) -> Reference:
    """Tokens drawn at random, and what the model says to them."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, model.config.get_text_config().vocab_size, (1, TOKENS), generator=generator)
    ids = ids.to(model.device)
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits[0].float()
        with _rounded(model):
            rounded = model(input_ids=ids, use_cache=False).logits[0].float()
    rounding = float(((rounded - logits).norm(dim=1) / logits.norm(dim=1)).max())
    tolerance = min(MOST_TOLERANCE, max(LEAST_TOLERANCE[model.dtype], TIMES_ROUNDING * rounding))
    return Reference(ids, logits, rounding, tolerance)


@contextmanager
def _rounded(model: PreTrainedModel) -> Iterator[None]:
    """Within this, what comes to each layer is changed at random by about what its numbers are exact to.

    How much that matters is a model's own: with random weights it is 0.5 % of the logits or 20 %. It comes near to
    what lies between the forward pass in bf16 and in float32 (6 layers: 17 and 16 %; 20: 13 and 8; 2: 3.0 and 3.7).
    """
    generator = torch.Generator(model.device).manual_seed(0)
    least = INT8_ROUNDING if getattr(model, "is_loaded_in_8bit", False) else 0.0

    def change(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        hidden = args[0]
        noise = torch.empty(hidden.shape, dtype=torch.float32, device=hidden.device)
        noise.normal_(1.0, max(least, torch.finfo(hidden.dtype).eps / 2), generator=generator)
        return ((hidden * noise).to(hidden.dtype), *args[1:]), kwargs

    with ExitStack() as hooks:
        for layer in model.get_decoder().layers:
            hooks.enter_context(layer.register_forward_pre_hook(change, with_kwargs=True))
        yield
