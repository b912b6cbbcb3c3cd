"""Choose the decode path of a model: our kernels, a CUDA graph of its forward pass, or `generate`.

Each path is first checked on the model itself: one that fails or deviates from the forward pass is not used, and
the log says why.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

import torch
from transformers import PreTrainedModel

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.base import Reason
from qwen_tui.engine.local.cache.kv_cache import CHANGING_ROPES, rope_types
from qwen_tui.engine.local.cache.static_kv_cache import StaticKVCache, supports_static_cache
from qwen_tui.engine.local.decoding.decoder import Decoder, ForwardStep
from qwen_tui.engine.local.decoding.far_check import check_far
from qwen_tui.engine.local.decoding.graph_step import GraphStep
from qwen_tui.engine.local.decoding.kernel_support import KERNELS_CAPABILITY, Unsupported
from qwen_tui.engine.local.decoding.sampling import Values
from qwen_tui.engine.local.forward.checking import Mismatch, Reference, reference

log = logging.getLogger(__name__)

STEPS = 3

MakeStep = Callable[[PreTrainedModel, StaticKVCache, int], ForwardStep]
"""Creates the step for a model with its cache and context window."""


class Choice(NamedTuple):
    """How a model is decoded, and why not faster."""

    decoder: Decoder | None
    """None if only `generate` works."""
    reason: Reason | None = None
    """Why it is not our kernels, where a person with a GPU might want to know."""


def fast_decoder(model: PreTrainedModel, window: int) -> Choice:
    """Return the fastest decoder that agrees with the model."""
    if not _is_on_gpu(model):
        return Choice(None)
    reason = why_not(model)
    if reason is not None:
        log.info("decoding with generate: %s", reason.code)
        return Choice(None, reason)
    # Errors of a compiler, a driver, a library or the model's own code: there is always another path.
    try:
        expected = reference(model)
    except Exception as error:
        log.warning("decoding with generate: %s: %s", type(error).__name__, error)
        return Choice(None, _failure("engine.decoding.graph_failed", error))
    if torch.cuda.get_device_capability(model.device) < KERNELS_CAPABILITY:
        reason = Reason("engine.decoding.old_gpu")
    else:
        try:
            return Choice(checked(model, _kernels, window, expected))
        except Exception as error:
            log.warning("not decoding by kernels: %s: %s", type(error).__name__, error)
            reason = _failure("engine.decoding.kernels_failed", error)
    try:
        return Choice(checked(model, _graph, window, expected), reason)
    except Exception as error:
        log.warning("not decoding by graph: %s: %s", type(error).__name__, error)
        return Choice(None, _failure("engine.decoding.graph_failed", error))


def _is_on_gpu(model: PreTrainedModel) -> bool:
    return bool(model.device.type == "cuda")


def _failure(code: str, error: Exception) -> Reason:
    if "C compiler" in str(error):  # as Triton says it
        return Reason("engine.decoding.no_compiler")
    is_ours = isinstance(error, Mismatch | Unsupported)
    detail = one_line(str(error) if is_ours else f"{type(error).__name__}: {error}", 200)
    return Reason(code, (("detail", detail),))


def why_not(model: PreTrainedModel) -> Reason | None:
    """Return why a model must be decoded by `generate`; None if it need not be."""
    config = model.config.get_text_config(decoder=True)
    if len(set(getattr(model, "hf_device_map", {}).values())) > 1:
        return Reason("engine.decoding.several_devices")
    if CHANGING_ROPES & rope_types(config):
        return Reason("engine.decoding.changing_rope")
    if not supports_static_cache(model):
        return Reason("engine.decoding.other_cache")
    return None


def checked(
    model: PreTrainedModel, make_step: MakeStep, window: int, expected: Reference | None = None
) -> Decoder:
    """Return a decoder with this step, checked against the forward pass. Raises `Mismatch` or step errors."""
    expected = expected or reference(model)
    ids = expected.ids
    cache = StaticKVCache(model, window)
    with torch.no_grad():
        model(input_ids=ids[:, :-STEPS], past_key_values=cache.empty_states(), use_cache=True)
        decoder = Decoder(model, cache, make_step(model, cache, window))
        error = _compare(decoder, expected)
        if not _reads_alike(decoder, expected):
            decoder.step.fast_prefill = None
            model(input_ids=ids[:, :-STEPS], past_key_values=cache.empty_states(), use_cache=True)
            _compare(decoder, expected)
        _compare_captured(model, decoder, ids, expected.tolerance)
        error = max(error, check_far(model, decoder, expected, window))
    name, rounding = decoder.step.name, expected.rounding
    log.info("decoding by %s: logits deviate by %.2g; rounding alone by %.2g", name, error, rounding)
    return decoder


def _reads_alike(decoder: Decoder, expected: Reference) -> bool:
    """Whether the step's own prefill, if it has one, agrees with the forward pass when it reads in two parts."""
    fast = decoder.step.fast_prefill
    if fast is None:
        return True
    try:
        decoder.cache.empty_states()
        for part in expected.ids[0, :-STEPS].tensor_split(2):
            fast.read(part, lambda _: None)
        _compare(decoder, expected)
    except Exception as error:  # of Triton or the driver, such as too little shared memory
        log.warning("prompts are read by the forward pass: %s: %s", type(error).__name__, error)
        return False
    return True


def _compare(decoder: Decoder, expected: Reference) -> float:
    """Return the largest error of the last steps, with the tokens before them in the cache."""
    ids = expected.ids[0]
    places = range(ids.shape[0] - STEPS, ids.shape[0])
    return max(expected.check(decoder.logits(int(ids[place]), place), place) for place in places)


def _compare_captured(model: PreTrainedModel, decoder: Decoder, ids: torch.Tensor, tolerance: float) -> None:
    """Check that graphs choose the same tokens after `ids` (1, T) as the plain step, greedy and sampled."""

    def decoded(values: Values, seed: int) -> list[int]:
        go_back()
        return list(decoder.decode(ids[0], STEPS, values, seed))

    def go_back() -> None:
        """Read all tokens but the last again, since recurrent states have advanced and cannot be cropped."""
        if decoder.cache.running_states:
            model(input_ids=ids[:, :-1], past_key_values=decoder.cache.empty_states(), use_cache=True)

    token, place = int(ids[0, -1]), ids.shape[1] - 1
    captured = decoded(Values(), seed=0)
    go_back()
    for chosen in captured:
        said = decoder.logits(token, place)
        if float(said.max() - said[chosen]) > tolerance * float(said.std()):
            raise Mismatch("the captured step chooses another token")
        token, place = chosen, place + 1
    drawn = Values(is_greedy=False, top_k=20)
    if decoded(drawn, seed=1) != decoded(drawn, seed=1):
        raise Mismatch("a seed does not repeat a reply")


def _kernels(model: PreTrainedModel, cache: StaticKVCache, window: int) -> ForwardStep:
    # Imported here: without Triton or a C compiler this fails, and the other path is used.
    from qwen_tui.engine.local.decoding.kernel_step import KernelStep
    from qwen_tui.engine.local.decoding.weights import gather

    return KernelStep(model, gather(model), cache.layers, window)


def _graph(model: PreTrainedModel, cache: StaticKVCache, _: int) -> ForwardStep:
    return GraphStep(model, cache.layers)
