"""One reply: the prompt read in chunks, then `model.generate` with a streamer of our own.

Stopping works at every depth: between tokens, between chunks of the prompt, and between the layers of one forward
pass, which on a CPU can take seconds. All three raise `Stopped`, which nothing in between catches; the tokens
that were generated until then stand.
"""

import copy
import inspect
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
)
from transformers.generation.streamers import BaseStreamer

from qwen_tui.chat.messages import Json, Run
from qwen_tui.engine.base import Event, Finished, PrefillProgress, PromptReady, Request, Sampling
from qwen_tui.engine.devices import CPU_CHUNK_TOKENS, gpu_chunk_tokens
from qwen_tui.engine.local.deltas import Deltas
from qwen_tui.engine.local.loading import Loaded
from qwen_tui.engine.local.prompt import Prompt
from qwen_tui.engine.local.stopping import IsStopped, Stopped
from qwen_tui.engine.local.traits import SAMPLING
from qwen_tui.errors import QwenTuiError

Send = Callable[[Event], None]

SEEDS = 2**31
"""How many seeds are drawn from: short enough for a person to type again."""


SMALL_PARAMETERS = 100_000_000
"""Below this size a CPU reads 256 tokens of a prompt within a tenth of a second."""

LAYERS_A_LOOK = 2
"""After how many layers of a prefill the device is waited for, so that a stop does not find a full queue.

Measured on a H200, 7B: waiting every 4 or every 100 layers takes the same time.
"""


def generate(loaded: Loaded, request: Request, send: Send, is_stopped: IsStopped, arrived: float) -> None:
    """Generate one reply and send its events, `Finished` at the end.

    `arrived` is the `time.monotonic()` at which the request came. Raises QwenTuiError when the prompt does not
    fit the context window, and whatever the model raises.
    """
    seed = (
        request.sampling.seed if request.sampling.seed is not None else random.SystemRandom().randrange(SEEDS)
    )
    window = loaded.info.context_window
    try:
        prompt = loaded.prompts.build(
            request.messages, request.thinking, continues=request.continues, is_stopped=is_stopped
        )
    except Stopped:
        prompt = Prompt([], False)
    if len(prompt.ids) >= window:
        raise QwenTuiError("engine.prompt_too_long", tokens=len(prompt.ids), window=window)
    send(PromptReady(len(prompt.ids)))
    config = _configured(loaded, request.sampling, window - len(prompt.ids))
    streamer = _Streamer(Deltas(loaded, prompt, send), is_stopped)
    try:
        if is_stopped():
            raise Stopped
        with torch.no_grad(), _interruptible(loaded.model, is_stopped):
            _run(loaded, prompt.ids, config, seed, streamer, send, is_stopped)
        reason = "eos" if streamer.token_ids and streamer.token_ids[-1] in loaded.end_ids else "length"
    except Stopped:
        reason = "stopped"
    streamer.deltas.flush(is_cut=reason != "eos")
    send(Finished(_receipt(loaded, config, seed, prompt, streamer, reason, arrived)))


def _run(
    loaded: Loaded,
    prompt_ids: list[int],
    config: GenerationConfig,
    seed: int,
    streamer: "_Streamer",
    send: Send,
    is_stopped: IsStopped,
) -> None:
    model = loaded.model
    ids = torch.tensor([prompt_ids], device=model.device)
    cache = None
    if model._supports_default_dynamic_cache():  # not, for instance, a pure Mamba
        cache = DynamicCache(config=model.config.get_text_config(decoder=True))
        _prefill(model, ids, cache, send, is_stopped)
    processors = LogitsProcessorList()
    if loaded.padded_ids is not None:
        processors.append(_NoPaddedIds(loaded.padded_ids))
    # `generate` draws from the global generators only. Seeded here, so that nothing before it matters.
    torch.manual_seed(seed)
    model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=config,
        past_key_values=cache,
        logits_processor=processors,
        streamer=streamer,
    )


def _prefill(
    model: PreTrainedModel, ids: torch.Tensor, cache: DynamicCache, send: Send, is_stopped: IsStopped
) -> None:
    """Read all of the prompt (1, T) but its last chunk into the cache; that one is left to `generate`.

    It needs at least one token that is not cached: with none it silently computes something else.
    """
    total = ids.shape[1]
    last_only = (
        {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}
    )
    done = 0
    while (end := done + chunk_tokens(model, done)) < total:
        model(input_ids=ids[:, done:end], past_key_values=cache, use_cache=True, **last_only)
        # Without waiting, all chunks would be queued on the device at once: no progress, and nothing to stop.
        _wait_for(model.device)
        done = end
        send(PrefillProgress(done, total))
        if is_stopped():
            raise Stopped


def chunk_tokens(model: PreTrainedModel, done: int = 0) -> int:
    """How many tokens are read next of a prompt of which so many are done.

    Depends on the hardware and the place alone, so that a seed repeats a reply.

    A chunk after the first goes through slower attention kernels, since it needs a mask (7B in bf16, 24,050
    tokens on a H200: 2.2 s in chunks of 512, 1.6 s of 8,192, 0.9 s in one), and a chunk that is too large takes
    memory and lets progress stand still. A stop does not wait for a chunk: see `_interruptible`.
    """
    if model.device.type == "cuda":
        return gpu_chunk_tokens(torch.cuda.get_device_capability(model.device)[0])
    if model.device.type == "cpu":
        # A stop waits for one layer's attention, which grows with what has been read: 8 layers of 256, on one
        # core, 46 ms at 4,096 tokens in chunks of 256, 163 ms at 16,384, and 49 ms there in chunks of 64.
        if model.num_parameters() >= SMALL_PARAMETERS or done >= 8192:
            return 64
        return CPU_CHUNK_TOKENS if done < 2048 else 128
    return 512


def _configured(loaded: Loaded, sampling: Sampling, room: int) -> GenerationConfig:
    """The checkpoint's generation_config with the person's values over it."""
    config = copy.deepcopy(loaded.defaults)
    values = {name: getattr(sampling, name) for name in SAMPLING if name != "do_sample"}
    for name, value in values.items():
        if value is not None:
            setattr(config, name, value)
    config.do_sample = _is_sampled(sampling, bool(loaded.defaults.do_sample))
    if config.do_sample:
        # What is left unset here would be filled in with the library's own default, which is 50.
        config.top_k = config.top_k if config.top_k is not None else 0
    else:
        # Left set, each would be warned about.
        config.temperature = config.top_p = config.top_k = config.min_p = config.typical_p = None
    config.max_new_tokens = min(sampling.max_new_tokens, room)
    config.max_length = None
    config.eos_token_id = list(loaded.end_ids) or None
    config.pad_token_id = loaded.end_ids[0] if loaded.end_ids else 0
    config.cache_implementation = None
    config.use_cache = True
    config.return_dict_in_generate = False
    return config


def _is_sampled(sampling: Sampling, default: bool) -> bool:
    """Whether tokens are drawn. Temperature 0 means greedy; asking for a temperature means drawing."""
    if sampling.greedy is not None:
        return not sampling.greedy and sampling.temperature != 0
    if sampling.temperature is not None:
        return sampling.temperature > 0
    return default


def _receipt(
    loaded: Loaded,
    config: GenerationConfig,
    seed: int,
    prompt: Prompt,
    streamer: "_Streamer",
    reason: str,
    arrived: float,
) -> Run:
    info = loaded.info
    sampling: dict[str, Json] = {name: getattr(config, name) for name in SAMPLING}
    sampling["max_new_tokens"] = config.max_new_tokens
    return Run(
        model=info.model,
        revision=info.revision,
        quantization=info.quantization,
        dtype=info.dtype,
        device=info.device,
        seed=seed,
        sampling={name: value for name, value in sampling.items() if value is not None},
        prompt_tokens=len(prompt.ids),
        prompt_digest=prompt.digest,
        new_tokens=len(streamer.token_ids),
        first_token_seconds=max(0.0, streamer.first_at - arrived) if streamer.token_ids else 0.0,
        decode_seconds=streamer.last_at - streamer.first_at,
        stop_reason=reason,
        token_ids=tuple(streamer.token_ids),
    )


class _Streamer(BaseStreamer):  # type: ignore[misc]  # transformers is not typed
    """Takes each token from `generate` as it is chosen; raises `Stopped` out of it."""

    def __init__(self, deltas: Deltas, is_stopped: IsStopped) -> None:
        self.deltas = deltas
        self.token_ids: list[int] = []
        self.first_at = self.last_at = 0.0
        self._is_stopped = is_stopped
        self._saw_prompt = False

    def put(self, value: torch.Tensor) -> None:
        """Called with the prompt (1, T) first, then with each token (1)."""
        if not self._saw_prompt:
            self._saw_prompt = True
            return
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at
        for token_id in value.tolist():
            self.token_ids.append(token_id)
            self.deltas.push(token_id)
        if self._is_stopped():
            raise Stopped

    def end(self) -> None:
        """Called at the end, but not when `generate` raises: what it would do is done by the caller."""


class _NoPaddedIds(LogitsProcessor):  # type: ignore[misc]
    """Keeps ids that stand for no token from being chosen."""

    def __init__(self, padded_ids: torch.Tensor) -> None:
        self._padded_ids = padded_ids

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores.index_fill(1, self._padded_ids.to(scores.device), -torch.inf)


@contextmanager
def _interruptible(model: PreTrainedModel, is_stopped: IsStopped) -> Iterator[None]:
    """Within this, a stop is seen before each layer of the model."""

    def look_before(index: int) -> Callable[..., None]:
        def look(_: Any, args: tuple[Any, ...]) -> None:
            is_prefill = (
                bool(args) and isinstance(args[0], torch.Tensor) and args[0].shape[1] > 1
            )  # (1, T, D)
            if is_prefill and index % LAYERS_A_LOOK == 0:
                _wait_for(model.device)
            if is_stopped():
                raise Stopped

        return look

    layers = getattr(model.get_decoder(), "layers", None) or [model]
    handles = [layer.register_forward_pre_hook(look_before(i)) for i, layer in enumerate(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
