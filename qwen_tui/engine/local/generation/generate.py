"""Generate one reply: prefill the part of the prompt that is not cached, then decode.

Stopping works at every level: between tokens, between chunks of the prompt, and between the layers of a forward
pass, which on a CPU can take seconds. All three raise `Stopped`, which nothing in between catches; tokens
generated until then are kept.
"""

import copy
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList
from transformers.generation.streamers import BaseStreamer

from qwen_tui.chat.messages import Json, Run
from qwen_tui.engine.base import SAMPLING_FIELDS, Event, Finished, ModelInfo, PromptReady, Request, seed_for
from qwen_tui.engine.local.decoding.decoder import Decoder
from qwen_tui.engine.local.decoding.sampling import Values, fast_values
from qwen_tui.engine.local.forward.chunked_prefill import prefilling
from qwen_tui.engine.local.forward.prefill import (
    LEAST_TOKENS,
    interruptible,
    on_device,
    prefill,
    prefill_in_parts,
)
from qwen_tui.engine.local.generation.deltas import Deltas
from qwen_tui.engine.local.library_internals import generates_with
from qwen_tui.engine.local.loading.generation_defaults import LEAST_TEMPERATURE
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.prompt import Prompt
from qwen_tui.engine.local.stopping import IsStopped, Stopped
from qwen_tui.errors import QwenTuiError

Send = Callable[[Event], None]

GENERATE = "generate"
"""Name in receipts of decoding by the library."""


def generate(loaded: Loaded, request: Request, send: Send, is_stopped: IsStopped, arrived: float) -> None:
    """Generate one reply and send its events, `Finished` at the end.

    `arrived` is the `time.monotonic()` at which the request arrived. Raises QwenTuiError if the prompt exceeds the
    context window, and whatever the model raises.
    """
    seed = seed_for(request.sampling)
    window = loaded.info.context_window
    try:
        prompt = loaded.prompts.build(
            request.messages, request.thinking, continues=request.continues, is_stopped=is_stopped
        )
        if len(prompt.ids) >= window:
            raise QwenTuiError("engine.prompt_too_long", tokens=len(prompt.ids), window=window)
        reused = loaded.cache.begin(prompt.ids, reuse=request.reuse)
    except Stopped:
        prompt, reused = Prompt([], False), 0
    send(PromptReady(len(prompt.ids), reused))
    config = _configured(loaded, request, window - len(prompt.ids))
    streamer = _Streamer(Deltas(loaded, prompt, send), is_stopped)
    asked = _Asked(prompt, reused, config, seed, streamer)
    # Any decoder will do: they all sample in the same way, and `generate` in another.
    decoder = loaded.decoder if request.decode_path != GENERATE else None
    try:
        if is_stopped():
            raise Stopped
        _run(loaded, asked, decoder, send, is_stopped)
        reason = "eos" if streamer.token_ids and streamer.token_ids[-1] in loaded.end_ids else "length"
    except Stopped:
        reason = "stopped"
    streamer.deltas.flush(is_cut=reason != "eos")
    send(Finished(_receipt(loaded, asked, reason, arrived)))


class _Asked(NamedTuple):
    """Everything a reply is generated from."""

    prompt: Prompt
    reused: int
    """How many of the prompt's tokens are cached."""
    config: GenerationConfig
    seed: int
    streamer: "_Streamer"


def _run(loaded: Loaded, asked: _Asked, decoder: Decoder | None, send: Send, is_stopped: IsStopped) -> None:
    """Prefill what is not cached, generate, and tell the cache what was read, however that ends."""
    model, cache = loaded.model, loaded.cache
    values = fast_values(asked.config) if decoder is not None else None
    ids = on_device(asked.prompt.ids, model)
    try:
        with torch.no_grad(), interruptible(model, is_stopped), cache.watching(model):
            done = prefill(model, ids, cache, asked.reused, send, is_stopped)
            # `generate` reads a few of them with the last one, but for many there may not be enough memory.
            left = ids.shape[1] - 1 - done
            if cache.states is not None and left > (0 if values is not None else LEAST_TOKENS):
                prefill_in_parts(model, ids[:, done:-1], cache, cache.states, is_stopped)
            if decoder is None or values is None:
                _by_generate(loaded, asked, ids)
                return
        _by_decoder(loaded, asked, decoder, values, ids[0])
    except QwenTuiError:
        cache.forget()  # NaN in the cache would spoil every later reply
        raise
    finally:
        cache.end(asked.prompt.ids + asked.streamer.token_ids)


def _by_generate(loaded: Loaded, asked: _Asked, ids: torch.Tensor) -> None:
    """Generate with the library after the prompt `ids` (1, T), which also reads what is not cached yet."""
    processors = LogitsProcessorList()
    if loaded.padded_ids is not None:
        processors.append(_NoPaddedIds(loaded.padded_ids))
    processors.append(_MustBeNumbers())
    # `generate` samples only from the global generators. Seed them here, so that nothing before this matters.
    torch.manual_seed(asked.seed)
    with prefilling(loaded.model, without_mask=loaded.cache.prefills_without_mask):
        # All ids, including cached ones: the repetition penalty needs them.
        loaded.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=asked.config,
            **generates_with(loaded.model, loaded.cache.states),
            logits_processor=processors,
            streamer=asked.streamer,
        )


def _by_decoder(loaded: Loaded, asked: _Asked, decoder: Decoder, values: Values, ids: torch.Tensor) -> None:
    """Generate with the fast decoder after the prompt `ids` (T), all but the last of which are cached."""
    config, streamer = asked.config, asked.streamer
    streamer.decode_path = decoder.step.name
    ends = frozenset(config.eos_token_id or ())
    suppressed = torch.tensor(config.suppress_tokens or [], dtype=torch.long, device=loaded.model.device)
    if loaded.padded_ids is not None:
        suppressed = torch.cat((loaded.padded_ids, suppressed))
    decoder.cached = ids.shape[0] - 1
    try:
        with torch.no_grad():
            for token_id in decoder.decode(ids, config.max_new_tokens, values, asked.seed, suppressed):
                streamer.take(token_id)
                if token_id in ends:
                    break
    finally:
        decoder.cache.set_length(decoder.cached)
        if not decoder.is_whole:
            loaded.cache.note_broken_off()


def _configured(loaded: Loaded, request: Request, room: int) -> GenerationConfig:
    """Return the checkpoint's generation_config, overridden by the user's values."""
    sampling = request.sampling
    config = copy.deepcopy(loaded.defaults)
    for name in SAMPLING_FIELDS:
        if (value := getattr(sampling, name)) is not None:
            setattr(config, name, value)
    # Temperature 0 means greedy; setting a temperature means sampling.
    if sampling.greedy is not None:
        config.do_sample = not sampling.greedy
    elif sampling.temperature is not None:
        config.do_sample = True
    config.do_sample = bool(config.do_sample) and _is_warm(config.temperature)
    if config.do_sample:
        # Left unset, the library would use its own default of 50.
        config.top_k = config.top_k if config.top_k is not None else 0
    else:
        # The library warns about each one that is left set.
        config.temperature = config.top_p = config.top_k = config.min_p = config.typical_p = None
    config.max_new_tokens = min(sampling.max_new_tokens, room)
    config.max_length = None
    config.eos_token_id = list(loaded.end_ids) or None
    if request.ignores_end and loaded.end_ids:
        config.suppress_tokens = list(loaded.end_ids)
    config.pad_token_id = loaded.end_ids[0] if loaded.end_ids else 0
    config.cache_implementation = None
    config.use_cache = True
    config.return_dict_in_generate = False
    return config


def _is_warm(temperature: float | None) -> bool:
    return temperature is None or temperature >= LEAST_TEMPERATURE


def _receipt(loaded: Loaded, asked: _Asked, reason: str, arrived: float) -> Run:
    info, streamer = loaded.info, asked.streamer
    names = ("do_sample", *SAMPLING_FIELDS, "max_new_tokens")
    sampling: dict[str, Json] = {name: getattr(asked.config, name) for name in names}
    return Run(
        model=info.model,
        revision=info.revision,
        quantization=info.quantization,
        dtype=info.dtype,
        device=info.device,
        decode_path=streamer.decode_path,
        slowed=_slowed(info) if streamer.decode_path == info.decode_path else {},
        seed=asked.seed,
        sampling={name: value for name, value in sampling.items() if value is not None},
        prompt_tokens=len(asked.prompt.ids),
        reused_tokens=asked.reused,
        prompt_digest=asked.prompt.digest,
        new_tokens=len(streamer.token_ids),
        first_token_seconds=max(0.0, streamer.first_at - arrived) if streamer.token_ids else 0.0,
        decode_seconds=streamer.last_at - streamer.first_at,
        stop_reason=reason,
        token_ids=tuple(streamer.token_ids),
    )


def _slowed(info: ModelInfo) -> dict[str, Json]:
    return {"code": info.slowed.code, **dict(info.slowed.parameters)} if info.slowed is not None else {}


class _Streamer(BaseStreamer):  # type: ignore[misc]  # transformers is not typed
    """Receives each token as it is chosen. Raises `Stopped` through `generate`."""

    def __init__(self, deltas: Deltas, is_stopped: IsStopped) -> None:
        self.deltas = deltas
        self.token_ids: list[int] = []
        self.first_at = self.last_at = 0.0
        self._is_stopped = is_stopped
        self._saw_prompt = False
        self.decode_path = GENERATE

    def put(self, value: torch.Tensor) -> None:
        """Receive the prompt (1, T) in the first call, then one token (1) per call."""
        if not self._saw_prompt:
            self._saw_prompt = True
            return
        for token_id in value.tolist():
            self.take(token_id)

    def take(self, token_id: int) -> None:
        """Receive one token. Raises `Stopped`."""
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at
        self.token_ids.append(token_id)
        self.deltas.push(token_id)
        if self._is_stopped():
            raise Stopped

    def end(self) -> None:
        """Do nothing: it is not called when `generate` raises, so the caller finishes the reply."""


class _MustBeNumbers(LogitsProcessor):  # type: ignore[misc]
    """Raises QwenTuiError if the best of the scores (1, V) is not finite: NaN counts as the largest.

    Sampling from it would be a device-side assert on a GPU, which costs the loaded model.
    """

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not math.isfinite(scores.amax()):
            raise QwenTuiError("engine.no_numbers")
        return scores


class _NoPaddedIds(LogitsProcessor):  # type: ignore[misc]
    """Keeps ids without a token from being chosen."""

    def __init__(self, padded_ids: torch.Tensor) -> None:
        self._padded_ids = padded_ids

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores.index_fill(1, self._padded_ids.to(scores.device), -torch.inf)
