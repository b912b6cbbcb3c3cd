"""Generate one reply: prefill the part of the prompt that is not cached, then decode.

Stopping works at every level: between tokens, between chunks of the prompt, and between the layers of a forward
pass, which on a CPU can take seconds. All three raise `Stopped`, which nothing in between catches; tokens
generated until then are kept.
"""

import copy
import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from qwen_tui.chat.messages import Json, Run
from qwen_tui.engine.base import SAMPLING_FIELDS, Event, Finished, ModelInfo, PromptReady, Request
from qwen_tui.engine.local.decoding.decoder import Decoder
from qwen_tui.engine.local.decoding.sampling import NO_PENALTIES, Values, fast_values, penalties_of, values_of
from qwen_tui.engine.local.forward.chunked_prefill import prefilling
from qwen_tui.engine.local.forward.prefill import (
    LEAST_TOKENS,
    interruptible,
    on_device,
    prefill,
    prefill_in_parts,
)
from qwen_tui.engine.local.generation.deltas import Deltas
from qwen_tui.engine.local.generation.reply_penalties import ReplyPenalties
from qwen_tui.engine.local.generation.rooms import Rooms, rooms
from qwen_tui.engine.local.generation.streamer import GENERATE, Streamer, ThoughtOver
from qwen_tui.engine.local.generation.tap import Tap
from qwen_tui.engine.local.generation.tracer import Tracer
from qwen_tui.engine.local.library_internals import generates_with
from qwen_tui.engine.local.loading.generation_defaults import LEAST_TEMPERATURE
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.prompt import Prompt
from qwen_tui.engine.local.stopping import Ended, IsStopped, Stopped, never
from qwen_tui.engine.sampling import defaults_for, seed_for
from qwen_tui.engine.slowed import slowed
from qwen_tui.errors import QwenTuiError

Send = Callable[[Event], None]

COMPLETE = ("eos", "stop_string")
"""Stop reasons of replies that need no continuing."""


def generate(
    loaded: Loaded,
    request: Request,
    send: Send,
    is_stopped: IsStopped,
    arrived: float,
    answers_now: IsStopped = never,
) -> None:
    """Generate one reply and send its events, `Finished` at the end.

    `arrived` is the `time.monotonic()` at which the request arrived. `answers_now` is polled while the model thinks
    and ends its thinking. Raises QwenTuiError if the prompt exceeds the window, and whatever the model raises.
    """
    seed = seed_for(request.sampling)
    window = loaded.info.context_window
    try:
        prompt = loaded.prompts.build(
            request.messages, request.thinking, continues=request.continues, is_stopped=is_stopped
        )
        ids = [*prompt.ids, *request.given_ids]
        if len(ids) >= window:
            raise QwenTuiError("engine.prompt_too_long", tokens=len(ids), window=window)
        reused = loaded.cache.begin(ids, reuse=request.reuse)
    except Stopped:
        prompt, reused = Prompt([], False), 0
    send(PromptReady(len(prompt.ids), min(reused, len(prompt.ids))))
    room = rooms(loaded, request, prompt)
    config = _configured(loaded, request)
    tracer = Tracer(loaded.token_text, prompt.ids, prompt.begun_ids) if request.trace else None
    deltas = Deltas(loaded, prompt, send, request.sampling.stop, tracer)
    streamer = Streamer(deltas, room, is_stopped, answers_now)
    asked = _Asked(prompt, reused, config, seed, room, streamer)
    # Any decoder will do: they all sample in the same way, and `generate` in another.
    decoder = loaded.decoder if request.decode_path != GENERATE else None
    try:
        if is_stopped():
            raise Stopped
        streamer.write(request.given_ids)
        _run(loaded, asked, decoder, send, is_stopped)
        reason = "eos" if streamer.token_ids and streamer.token_ids[-1] in loaded.end_ids else "length"
    except Ended as end:
        reason = end.reason
    except Stopped:
        reason = "stopped"
    streamer.deltas.flush(is_cut=reason not in COMPLETE)
    send(Finished(_receipt(loaded, asked, request, reason, arrived)))


class _Asked(NamedTuple):
    """Everything a reply is generated from, and what has been generated."""

    prompt: Prompt
    reused: int
    """How many of the prompt's tokens are cached."""
    config: GenerationConfig
    seed: int
    room: Rooms
    streamer: Streamer

    @property
    def ids(self) -> list[int]:
        """The prompt and the reply so far."""
        return self.prompt.ids + self.streamer.token_ids

    @property
    def written(self) -> int:
        """How many of `ids` are the reply's own."""
        return len(self.prompt.begun_ids) + len(self.streamer.token_ids)

    @property
    def left(self) -> int:
        """How many more tokens the reply may have."""
        return self.room.total - len(self.streamer.token_ids)


def _run(loaded: Loaded, asked: _Asked, decoder: Decoder | None, send: Send, is_stopped: IsStopped) -> None:
    """Generate the reply; where a thought has to end, write its closing mark and continue after it."""
    reused, seed = asked.reused, asked.seed
    while True:
        try:
            _decode(loaded, asked, decoder, send, is_stopped, reused, seed)
            return
        except ThoughtOver:
            asked.streamer.close_thought()
        if asked.left < 1:
            raise Ended("length")
        reused, seed = loaded.cache.begin(asked.ids), seed + 1


def _decode(
    loaded: Loaded,
    asked: _Asked,
    decoder: Decoder | None,
    send: Send,
    is_stopped: IsStopped,
    reused: int,
    seed: int,
) -> None:
    """Prefill what is not cached, generate, and tell the cache what was read, however that ends."""
    model, cache = loaded.model, loaded.cache
    values = fast_values(asked.config) if decoder is not None else None
    ids = on_device(asked.ids, model)
    try:
        with torch.no_grad(), interruptible(model, is_stopped), cache.watching(model):
            done = prefill(model, ids, cache, reused, send, is_stopped)
            # `generate` reads a few of them with the last one, but for many there may not be enough memory.
            left = ids.shape[1] - 1 - done
            if cache.states is not None and left > (0 if values is not None else LEAST_TOKENS):
                prefill_in_parts(model, ids[:, done:-1], cache, cache.states, is_stopped)
            if decoder is None or values is None:
                _by_generate(loaded, asked, ids, seed)
                return
        _by_decoder(loaded, asked, decoder, values, ids[0], seed)
    except QwenTuiError:
        cache.forget()  # NaN in the cache would spoil every later reply
        raise
    finally:
        cache.end(asked.ids)


def _by_generate(loaded: Loaded, asked: _Asked, ids: torch.Tensor, seed: int) -> None:
    """Generate with the library after `ids` (1, T), which also reads what is not cached yet."""
    config = copy.copy(asked.config)
    config.max_new_tokens = asked.left
    processors = LogitsProcessorList()
    if loaded.padded_ids is not None:
        processors.append(_NoPaddedIds(loaded.padded_ids))
    if penalties_of(config) != NO_PENALTIES:
        processors.append(ReplyPenalties(*penalties_of(config), ids.shape[1] - asked.written))
    processors.append(_MustBeNumbers())
    tap = Tap(values_of(config), _suppressed(loaded, config)) if asked.streamer.deltas.tracer else None
    if tap is not None:
        processors.append(tap)
    asked.streamer.begin(tap)
    # `generate` samples only from the global generators. Seed them here, so that nothing before this matters.
    torch.manual_seed(seed)
    watching = tap.watching(loaded.model) if tap is not None else nullcontext()
    with watching, prefilling(loaded.model, without_mask=loaded.cache.prefills_without_mask):
        # All ids, including cached ones: the repetition penalty needs them.
        loaded.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=config,
            **generates_with(loaded.model, loaded.cache.states),
            logits_processor=processors,
            streamer=asked.streamer,
        )


def _by_decoder(
    loaded: Loaded, asked: _Asked, decoder: Decoder, values: Values, ids: torch.Tensor, seed: int
) -> None:
    """Generate with the fast decoder after `ids` (T), all but the last of which are cached."""
    config, streamer = asked.config, asked.streamer
    streamer.decode_path = decoder.step.name
    ends = frozenset(config.eos_token_id or ())
    suppressed = _suppressed(loaded, config)
    measures = streamer.deltas.tracer is not None
    decoder.cached = ids.shape[0] - 1
    try:
        with torch.no_grad():
            tokens = decoder.decode(
                ids, asked.left, values, seed, suppressed, written=asked.written, measures=measures
            )
            for token_id in tokens:
                streamer.take(token_id, decoder.measured)
                if token_id in ends:
                    break
    finally:
        decoder.cache.set_length(decoder.cached)
        if not decoder.is_whole:
            loaded.cache.note_broken_off()


def _suppressed(loaded: Loaded, config: GenerationConfig) -> torch.Tensor:
    """Return the ids (N) that cannot be chosen, whatever the model says."""
    rows = loaded.model.config.get_text_config().vocab_size
    # A checkpoint may name ids without a row.
    ids = [token for token in config.suppress_tokens or [] if 0 <= token < rows]
    asked = torch.tensor(ids, dtype=torch.long, device=loaded.model.device)
    return asked if loaded.padded_ids is None else torch.cat((loaded.padded_ids, asked))


def _configured(loaded: Loaded, request: Request) -> GenerationConfig:
    """Return the checkpoint's generation_config, overridden by the user's values."""
    sampling = request.sampling
    config = copy.deepcopy(loaded.defaults)
    if (defaults := defaults_for(loaded.info, request.thinking)) is not loaded.info.sampling_defaults:
        for name, value in defaults.items():
            setattr(config, name, value)
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
    config.max_new_tokens = sampling.max_new_tokens
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


def _receipt(loaded: Loaded, asked: _Asked, request: Request, reason: str, arrived: float) -> Run:
    info, streamer = loaded.info, asked.streamer
    names = ("do_sample", *SAMPLING_FIELDS, "max_new_tokens")
    sampling: dict[str, Json] = {name: getattr(asked.config, name, None) for name in names}
    if request.sampling.stop:
        sampling["stop"] = list(request.sampling.stop)
    begun = len(asked.prompt.begun_ids) if asked.prompt.thinks else 0
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
        reused_tokens=min(asked.reused, len(asked.prompt.ids)),
        prompt_digest=asked.prompt.digest,
        new_tokens=len(streamer.token_ids),
        first_token_seconds=max(0.0, streamer.first_at - arrived) if streamer.token_ids else 0.0,
        decode_seconds=streamer.last_at - streamer.first_at,
        stop_reason=reason,
        given_tokens=len(request.given_ids),
        thought_closed_at=streamer.closed_at and begun + streamer.closed_at,
        token_ids=tuple(streamer.token_ids),
    )


def _slowed(info: ModelInfo) -> dict[str, Json]:
    reason = slowed(info)
    return {} if reason is None else {"code": reason.code, **dict(reason.parameters)}


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
