"""Check another implementation against the model's forward pass by running both on the model itself."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel

from qwen_tui.engine.local.forward.blocks import blocks

LEAST_TOLERANCE = {torch.float32: 1e-3, torch.float16: 5e-3, torch.bfloat16: 2e-2}
"""Logit error that is always tolerated, relative to the norm of the logits."""

TIMES_ROUNDING = 2.0
"""Tolerated error as a multiple of the forward pass's own rounding error: see `_rounded`."""

MOST_TOLERANCE = 0.3
"""Upper limit of the tolerance: a wrong head or a wrong position causes a larger error than this."""

MOST_WITH_EXPERTS = 0.6
"""The same where rounding makes a router choose other experts, which random weights hardly distinguish."""

INT8_ROUNDING = 1 / 64
"""How exact numbers are that LLM.int8 multiplies with: it rounds them to 127 steps of the largest of a token."""

TOKENS = 24
"""Number of tokens in a check."""


class Mismatch(Exception):
    """The result is not that of the forward pass."""


class Reference(NamedTuple):
    """Random tokens and the forward pass's result for them."""

    ids: torch.Tensor
    """(1, T)."""
    logits: torch.Tensor
    """(T, V), in float32."""
    rounding: float
    """Relative error of the logits caused by rounding."""
    tolerance: float
    """Relative error tolerated in other implementations."""

    def check(self, said: torch.Tensor, place: int) -> float:
        """Return the relative error of logits (V) at this position. Raises `Mismatch`."""
        expected = self.logits[place]
        error = float((said.float() - expected).norm() / expected.norm())
        if not error <= self.tolerance:
            rounding = f"rounding alone by {self.rounding:.2g}"
            raise Mismatch(f"its logits deviate by {error:.2g}, more than {self.tolerance:.2g}; {rounding}")
        return error


def reference(model: PreTrainedModel) -> Reference:
    """Run the forward pass on random tokens."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, model.config.get_text_config().vocab_size, (1, TOKENS), generator=generator)
    ids = ids.to(model.device)
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits[0].float()
        with _rounded(model):
            rounded = model(input_ids=ids, use_cache=False).logits[0].float()
    rounding = float(((rounded - logits).norm(dim=1) / logits.norm(dim=1)).max())
    has_experts = bool(getattr(model.config.get_text_config(), "num_experts", 0))
    most = MOST_WITH_EXPERTS if has_experts else MOST_TOLERANCE
    tolerance = min(most, max(LEAST_TOLERANCE[model.dtype], TIMES_ROUNDING * rounding))
    return Reference(ids, logits, rounding, tolerance)


@contextmanager
def _rounded(model: PreTrainedModel) -> Iterator[None]:
    """Perturb the input of each layer at random by about its dtype's precision.

    The effect depends on the model: with random weights it is 0.5 % or 20 % of the logits. It is close to the
    difference between the forward pass in bf16 and in float32 (6 layers: 17 and 16 %; 20: 13 and 8; 2: 3.0 and
    3.7).
    """
    generator = torch.Generator(model.device).manual_seed(0)
    least = INT8_ROUNDING if getattr(model, "is_loaded_in_8bit", False) else 0.0

    def change(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        hidden = args[0] if args else kwargs["hidden_states"]
        noise = torch.empty(hidden.shape, dtype=torch.float32, device=hidden.device)
        noise.normal_(1.0, max(least, torch.finfo(hidden.dtype).eps / 2), generator=generator)
        changed = (hidden * noise).to(hidden.dtype)
        return ((changed, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": changed})

    with ExitStack() as hooks:
        for layer in blocks(model):
            hooks.enter_context(layer.register_forward_pre_hook(change, with_kwargs=True))
        yield
