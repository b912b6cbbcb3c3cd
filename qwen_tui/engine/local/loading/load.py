"""From a folder to a model that can answer: read, checked and warmed, with its progress reported."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jinja2 import TemplateSyntaxError
from transformers import AutoTokenizer, GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec
from qwen_tui.engine.local.cache.kv_cache import KVCache
from qwen_tui.engine.local.cache.static_kv_cache import StaticKVCache, supports_static_cache
from qwen_tui.engine.local.cpu_cores import usable_cores
from qwen_tui.engine.local.decoding.compile_ahead import compiling
from qwen_tui.engine.local.decoding.decode_path import fast_decoder
from qwen_tui.engine.local.decoding.decoder import Decoder
from qwen_tui.engine.local.decoding.sampling import beyond
from qwen_tui.engine.local.forward.chunked_prefill import prefills_without_mask
from qwen_tui.engine.local.loading import placement as placing
from qwen_tui.engine.local.loading import traits
from qwen_tui.engine.local.loading.architecture import check_architecture, check_values
from qwen_tui.engine.local.loading.choose_model import Resolved
from qwen_tui.engine.local.loading.generation_defaults import followed
from qwen_tui.engine.local.loading.quantized_weights import kept
from qwen_tui.engine.local.loading.read_weights import read_model
from qwen_tui.engine.local.prompts.detokenizer import TokenBytes, is_byte_level
from qwen_tui.engine.local.prompts.prompt import REFUSALS, PromptBuilder
from qwen_tui.engine.models.checkpoint import Checkpoint, inspect
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

ONE_CORE_PARAMETERS = 50_000_000
"""A model with fewer decodes on one core."""

LEAST_PIECES = 16
"""A tokenizer knows more pieces of text than this, beside its special tokens."""


@dataclass(frozen=True)
class Loaded:
    """A model that is ready, and what is needed to talk to it."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    prompts: PromptBuilder
    info: ModelInfo
    defaults: GenerationConfig
    """The checkpoint's own generation_config, as far as replies follow it."""
    end_ids: tuple[int, ...]
    """The tokens that end a reply."""
    padded_ids: torch.Tensor | None
    """Ids the output layer has but the tokenizer does not, on the model's device; None when there are none."""
    token_bytes: TokenBytes | None
    """For byte-level tokenizers."""
    cache: KVCache
    """What the model has read last."""
    decoder: Decoder | None
    """What decodes faster than `generate`; None where nothing does."""
    saving: Iterator[None]
    """What is left to do when nothing is asked: see `read_weights.read_model`."""


def load(
    resolved: Resolved,
    spec: ModelSpec,
    report: Callable[[LoadProgress], None],
    quantized: QuantizedCache | None = None,
) -> Loaded:
    """Load the model of this folder; raises QwenTuiError for what the person can do something about.

    With `quantized`, weights that are quantized are looked for there, and written there by `Loaded.saving`.
    """
    began = time.monotonic()
    checkpoint = inspect(resolved.folder)
    check_architecture(checkpoint.config, checkpoint.folder, spec)
    check_values(checkpoint.config, checkpoint.folder, spec)
    placement = placing.place(spec, checkpoint)
    _set_up_torch(checkpoint, placement.device)
    tokenizer = _tokenizer(resolved.folder, spec)
    prompts = PromptBuilder(tokenizer)
    with compiling(checkpoint.folder, placement.device, placement.dtype, placement.quantization):
        model, saving = read_model(
            checkpoint,
            placement,
            spec,
            kept(quantized, resolved.name, checkpoint, placement),
            lambda stage, done, total: report(LoadProgress(stage, resolved.name, done, total)),
        )
        is_read = time.monotonic()  # here: leaving this waits for the kernels
    report(LoadProgress("warming", resolved.name))
    defaults = followed(model.generation_config)
    # Emptied, since `generate` fills in from here whatever a request leaves unset.
    model.generation_config = GenerationConfig()
    _warm(model)
    window = min(traits.context_window(model.config), placement.context_tokens)
    decoder = fast_decoder(model, window)
    cache = _cache(model, decoder, window)
    info = ModelInfo(
        name=resolved.name,
        model=resolved.model,
        architecture=type(model).__name__,
        # Quantized tensors are packed, so that their shapes in the file say nothing.
        parameters=model.num_parameters() if checkpoint.is_quantized else checkpoint.parameters,
        context_window=window,
        quantization=traits.quantization(model.config, placement.quantization),
        dtype=str(placement.dtype).removeprefix("torch."),
        device=traits.device(model, placement.device),
        revision=resolved.revision,
        has_chat_template=prompts.template is not None,
        can_think=prompts.can_think,
        sampling_defaults=traits.sampling_defaults(defaults),
        memory_bytes=model.get_memory_footprint(),
        load_seconds=time.monotonic() - began,
        ready_seconds=time.monotonic() - is_read,
        decode_path=_decode_path(decoder, defaults),
        note=resolved.note,
        reasons=placement.reasons,
    )
    end_ids = traits.end_ids(defaults, tokenizer, prompts.end_of_turn_id())
    padded = traits.padded_ids(model, tokenizer)
    token_bytes = TokenBytes(tokenizer) if is_byte_level(tokenizer) else None
    return Loaded(
        model, tokenizer, prompts, info, defaults, end_ids, padded, token_bytes, cache, decoder, saving
    )


def _decode_path(decoder: Decoder | None, defaults: GenerationConfig) -> str:
    """How a reply is decoded, unless the person asks for something else."""
    if decoder is None:
        return "generate"
    if more := beyond(defaults):
        log.warning("decoding with generate: its generation_config has %s", ", ".join(sorted(more)))
        return "generate"
    return decoder.step.name


def _cache(model: PreTrainedModel, decoder: Decoder | None, window: int) -> KVCache:
    without_mask = prefills_without_mask(model)
    if decoder is None:
        cache = StaticKVCache(model, window) if supports_static_cache(model) else None
        return KVCache(model, cache, prefills_without_mask=without_mask)
    # That one has no masks: where the attention makes one of its own after all, the model is as fast.
    short_prefill = decoder.step.short_prefill if without_mask else None
    return KVCache(model, decoder.cache, prefills_without_mask=without_mask, short_prefill=short_prefill)


def _set_up_torch(checkpoint: Checkpoint, device: torch.device) -> None:
    """Settings of the process, and of this thread, that suit this model."""
    if device.type == "cuda":
        # Graphs, streams and Triton's kernels go to the thread's device, whatever their tensors are on.
        torch.cuda.set_device(device)
    # cuDNN's attention plans anew for each length of the KV cache: 13-18 tok/s instead of 35-58 for 7B on a H200.
    torch.backends.cuda.enable_cudnn_sdp(False)
    # In a container torch counts the cores of the whole machine, and decodes many times slower for it. A small
    # model's products are not worth sharing: 6.8M parameters decode at 95-107 tok/s on one of two cores, at 23-86
    # on both, the less the more else runs, since the threads wait for each other in every layer.
    if "OMP_NUM_THREADS" not in os.environ:
        is_small = checkpoint.parameters < ONE_CORE_PARAMETERS
        torch.set_num_threads(1 if is_small else min(torch.get_num_threads(), usable_cores()))


def _tokenizer(folder: Path, spec: ModelSpec) -> PreTrainedTokenizerBase:
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=spec.trust_remote_code
        )
    except Exception as error:
        # Its parsers raise everything from KeyError to a bare Exception.
        raise QwenTuiError("engine.bad_tokenizer", path=one_line(folder), detail=one_line(error)) from error
    # Where its files are missing the library makes a tokenizer of nothing but special tokens, and says nothing.
    if tokenizer.vocab_size < LEAST_PIECES:
        raise QwenTuiError("engine.no_tokenizer", path=one_line(folder))
    _check_template(tokenizer, folder)
    return tokenizer


def _check_template(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Whether the chat template is one at all; what it takes shows when something is asked."""
    if tokenizer.chat_template is None:
        return
    try:
        tokenizer.apply_chat_template([{"role": "user", "content": "?"}], tokenize=False)
    except TemplateSyntaxError as error:
        detail = one_line(f"line {error.lineno}: {error.message}")
        raise QwenTuiError("engine.bad_template", path=one_line(folder), detail=detail) from error
    except REFUSALS:
        return


def _warm(model: PreTrainedModel) -> None:
    """One small prefill and one step: pages in a memory-mapped checkpoint and starts the device's libraries.

    So the first reply's time to first token is not that of loading.
    """
    ids = torch.zeros((1, 8), dtype=torch.long, device=model.device)
    with torch.no_grad():
        past = getattr(model(input_ids=ids, use_cache=True), "past_key_values", None)
        if past is not None:  # a Mamba has another kind of cache
            model(input_ids=ids[:, :1], past_key_values=past, use_cache=True)
