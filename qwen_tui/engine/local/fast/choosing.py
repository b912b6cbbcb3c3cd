"""Which way a model is decoded: by kernels of our own, by a graph of its forward pass, or by `generate`.

Each is tried out on the model itself before it is used: what computes something else than the forward pass, or
fails, is not taken, and the log says why.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel

from qwen_tui.engine.local.fast.decoder import Decoder, ForwardStep
from qwen_tui.engine.local.fast.plain import PlainStep
from qwen_tui.engine.local.fast.room import Room, has_room_for
from qwen_tui.engine.local.fast.sampling import Values
from qwen_tui.engine.local.kv_cache import CHANGING_ROPES, rope_types

log = logging.getLogger(__name__)

LEAST_TOLERANCE = {torch.float32: 1e-3, torch.float16: 5e-3, torch.bfloat16: 2e-2}
"""How far logits may always be from those of the forward pass, as a share of their length."""

TIMES_ROUNDING = 2.0
"""How much farther they may be than rounding takes the forward pass from itself: see `_rounded`."""

MOST_TOLERANCE = 0.3
"""From here on it is not rounding: a wrong head or a wrong position is farther away."""

PROMPT_TOKENS = 24
STEPS = 3

KERNELS_CAPABILITY = (8, 0)
"""Before this a GPU has no bf16, and the kernels were not tried."""


Way = Callable[[PreTrainedModel, Room, int], ForwardStep]
"""Makes the step for a model, with its cache, for a context window."""


class Mismatch(Exception):
    """What was computed is something else."""


def fast_decoder(model: PreTrainedModel, window: int) -> Decoder | None:
    """The fastest decoder that gives what the model gives; None where that is `generate` alone."""
    reason = why_not(model)
    if reason:
        log.info("decoding with generate: %s", reason)
        return None
    ways: list[Way] = [_kernels, _graph]
    if torch.cuda.get_device_capability(model.device) < KERNELS_CAPABILITY:
        ways.remove(_kernels)
    for way in ways:
        try:
            return tried(model, way, window)
        except (
            Exception
        ) as error:  # from a compiler, a driver, a library: whatever it is, there is another way
            log.warning("not decoding by %s: %s: %s", way.__name__.strip("_"), type(error).__name__, error)
    return None


def why_not(model: PreTrainedModel) -> str:
    """Why a model is decoded by `generate`; empty when it need not be."""
    config = model.config.get_text_config(decoder=True)
    if model.device.type != "cuda":
        return f"it is on {model.device.type}"
    if len({place for place in getattr(model, "hf_device_map", {}).values()}) > 1:
        return "it is on several devices"
    if getattr(model, "is_loaded_in_8bit", False):
        return "LLM.int8 waits for the processor in each product"
    if CHANGING_ROPES & rope_types(config):
        return "its positions depend on the length of the text"
    if not model._supports_default_dynamic_cache():
        return "it has a cache of another kind"
    if not has_room_for([type(layer) for layer in DynamicCache(config=config).layers]):
        return "its layers do not keep every token"
    return ""


def tried(model: PreTrainedModel, way: Way, window: int) -> Decoder:
    """A decoder by this way that was held against the forward pass; raises `Mismatch`, and what the way raises."""
    room = Room(model, window)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(
            0, model.config.get_text_config().vocab_size, (1, PROMPT_TOKENS), generator=generator
        )
        ids = ids.to(model.device)
        model(input_ids=ids[:, :-STEPS], past_key_values=room.states(), use_cache=True)
        decoder = Decoder(model, room, way(model, room, window))
        error, rounding = _compare(model, decoder, ids)
        tolerance = min(MOST_TOLERANCE, max(LEAST_TOLERANCE[model.dtype], TIMES_ROUNDING * rounding))
        if not error <= tolerance:
            raise Mismatch(f"its logits are {error:.2g} away, more than {tolerance:.2g}")
        _compare_captured(decoder, ids[0], tolerance)
    log.info(
        "decoding by %s: %.2g from the forward pass; rounding is %.2g", decoder.step.name, error, rounding
    )
    return decoder


def _compare(model: PreTrainedModel, decoder: Decoder, ids: torch.Tensor) -> tuple[float, float]:
    """The largest distance of the logits over some steps, and what rounding makes of it. Ids are (1, T)."""
    places = range(PROMPT_TOKENS - STEPS, PROMPT_TOKENS)
    expected = model(input_ids=ids, use_cache=False).logits[0].float()  # (T, V)
    said = [decoder.logits(int(ids[0, place]), place) for place in places]
    with _rounded(model):
        rounded = model(input_ids=ids, use_cache=False).logits[0].float()
    return (
        max(_distance(each, expected[place]) for each, place in zip(said, places, strict=True)),
        max(_distance(rounded[place], expected[place]) for place in places),
    )


@contextmanager
def _rounded(model: PreTrainedModel) -> Iterator[None]:
    """Within this, what comes to each layer is changed at random by about what its numbers are exact to.

    How much that matters is a model's own: with random weights it is 0.5 % of the logits or 20 %. It comes near to
    what lies between the forward pass in bf16 and in float32 (6 layers: 17 and 16 %; 20: 13 and 8; 2: 3.0 and 3.7).
    """
    generator = torch.Generator(model.device).manual_seed(0)

    def change(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        hidden = args[0]
        noise = torch.empty(hidden.shape, dtype=torch.float32, device=hidden.device)
        noise.normal_(1.0, torch.finfo(hidden.dtype).eps / 2, generator=generator)
        return ((hidden * noise).to(hidden.dtype), *args[1:]), kwargs

    hooks = [
        layer.register_forward_pre_hook(change, with_kwargs=True) for layer in model.get_decoder().layers
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _distance(said: torch.Tensor, expected: torch.Tensor) -> float:
    return float((said - expected).norm() / expected.norm())


def _compare_captured(decoder: Decoder, ids: torch.Tensor, tolerance: float) -> None:
    """Whether graphs choose the tokens (T are given) that the same step chooses without; captures both kinds."""
    token, place = int(ids[-1]), PROMPT_TOKENS - 1
    for chosen in list(decoder.decode(ids, STEPS, Values(), seed=0)):
        said = decoder.logits(token, place)
        if float(said.max() - said[chosen]) > tolerance * float(said.std()):
            raise Mismatch("the captured step chooses another token")
        token, place = chosen, place + 1
    drawn = Values(is_greedy=False, top_k=20)
    if list(decoder.decode(ids, STEPS, drawn, seed=1)) != list(decoder.decode(ids, STEPS, drawn, seed=1)):
        raise Mismatch("a seed does not repeat a reply")


def _kernels(model: PreTrainedModel, room: Room, window: int) -> ForwardStep:
    # Imported here: without Triton, or without a C compiler, this fails and the other way is left.
    from qwen_tui.engine.local.fast.kernel_step import KernelStep
    from qwen_tui.engine.local.fast.weights import gather

    return KernelStep(model, gather(model), room.layers, window)


def _graph(model: PreTrainedModel, room: Room, _: int) -> ForwardStep:
    return PlainStep(model, room.layers)
