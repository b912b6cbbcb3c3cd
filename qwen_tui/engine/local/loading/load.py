"""Load a model from a folder: read, check and warm it up, with progress reports."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec, Reason
from qwen_tui.engine.local.cache.kv_cache import KVCache
from qwen_tui.engine.local.cache.static_kv_cache import StaticKVCache, supports_static_cache
from qwen_tui.engine.local.cpu_cores import usable_cores
from qwen_tui.engine.local.decoding.compile_ahead import compiling
from qwen_tui.engine.local.decoding.decode_path import Choice, fast_decoder
from qwen_tui.engine.local.decoding.decoder import Decoder
from qwen_tui.engine.local.decoding.sampling import beyond
from qwen_tui.engine.local.forward.chunked_prefill import prefills_without_mask
from qwen_tui.engine.local.loading import placement as placing
from qwen_tui.engine.local.loading import traits
from qwen_tui.engine.local.loading.architecture import check_architecture, check_values
from qwen_tui.engine.local.loading.choose_model import Resolved
from qwen_tui.engine.local.loading.generation_defaults import followed, with_token_ids
from qwen_tui.engine.local.loading.quantized_weights import kept
from qwen_tui.engine.local.loading.read_weights import read_model
from qwen_tui.engine.local.loading.tokenizer import load_tokenizer
from qwen_tui.engine.local.prompts.detokenizer import TokenBytes, is_byte_level
from qwen_tui.engine.local.prompts.prompt import PromptBuilder
from qwen_tui.engine.local.prompts.rereading import rereads
from qwen_tui.engine.local.prompts.token_text import TokenText
from qwen_tui.engine.models.checkpoint import Checkpoint, inspect
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.weight_formats import quantization_in

log = logging.getLogger(__name__)

ONE_CORE_PARAMETERS = 50_000_000
"""A model with fewer parameters decodes on one core."""


@dataclass(frozen=True)
class Loaded:
    """A loaded model, with everything needed to generate replies."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    prompts: PromptBuilder
    info: ModelInfo
    defaults: GenerationConfig
    """The checkpoint's own generation_config, as far as replies follow it."""
    end_ids: tuple[int, ...]
    """Tokens that end a reply."""
    padded_ids: torch.Tensor | None
    """Ids of the output layer that the tokenizer lacks, on the model's device; None if there are none."""
    token_bytes: TokenBytes | None
    """Only for byte-level tokenizers."""
    token_text: TokenText
    cache: KVCache
    """KV cache of the latest prompt."""
    decoder: Decoder | None
    """The fast decoder; None if only `generate` works."""
    saving: Iterator[None]
    """Steps to run while idle: see `read_weights.read_model`."""


def load(
    resolved: Resolved,
    spec: ModelSpec,
    report: Callable[[LoadProgress], None],
    quantized: QuantizedCache | None = None,
) -> Loaded:
    """Load the model in this folder. Raises QwenTuiError for failures that the user can do something about.

    With `quantized`, quantized weights are read from that cache, or written to it by `Loaded.saving`.
    """
    began = time.monotonic()
    checkpoint = inspect(resolved.folder)
    check_architecture(checkpoint.config, checkpoint.folder, spec)
    check_values(checkpoint.config, checkpoint.folder, spec)
    placement = placing.place(spec, checkpoint)
    _set_up_torch(checkpoint, placement.device)
    tokenizer = load_tokenizer(resolved.folder, spec)
    prompts = PromptBuilder(tokenizer)
    with compiling(checkpoint.folder, placement.device, placement.dtype, placement.quantization):
        model, saving = read_model(
            checkpoint,
            placement,
            spec,
            kept(quantized, resolved.name, checkpoint, placement),
            lambda stage, done, total: report(LoadProgress(stage, resolved.name, done, total)),
        )
        is_read = time.monotonic()  # here: leaving the context waits for the kernels
    report(LoadProgress("warming", resolved.name))
    defaults = with_token_ids(followed(model.generation_config), tokenizer)
    # Emptied, since `generate` fills in from here whatever a request leaves unset.
    model.generation_config = GenerationConfig()
    _warm(model)
    window = min(traits.context_window(model.config), placement.context_tokens)
    chosen = fast_decoder(model, window)
    decoder = chosen.decoder
    cache = _cache(model, decoder, window)
    decode_path, slowed = _decode_path(chosen, defaults)
    info = ModelInfo(
        name=resolved.name,
        model=resolved.model,
        architecture=type(model).__name__,
        # Quantized tensors are packed, so their shapes in the file do not give the number of parameters.
        parameters=model.num_parameters() if checkpoint.is_quantized else checkpoint.parameters,
        context_window=window,
        quantization=traits.quantization(quantization_in(checkpoint.config), placement.quantization),
        dtype=str(placement.dtype).removeprefix("torch."),
        device=traits.device(model, placement.device),
        revision=resolved.revision,
        has_chat_template=prompts.template is not None,
        can_think=prompts.can_think,
        chat_format=prompts.form if prompts.template is not None else None,
        rereads=rereads(prompts),
        sampling_defaults=traits.sampling_defaults(defaults),
        memory_bytes=model.get_memory_footprint(),
        load_seconds=time.monotonic() - began,
        ready_seconds=time.monotonic() - is_read,
        decode_path=decode_path,
        note=resolved.note,
        reasons=(
            *placement.reasons,
            *([slowed] if slowed is not None else []),
            *traits.not_understood(prompts.form),
        ),
    )
    end_ids = traits.end_ids(defaults, tokenizer, prompts.end_of_turn_id())
    padded = traits.padded_ids(model, tokenizer)
    token_bytes = TokenBytes(tokenizer) if is_byte_level(tokenizer) else None
    return Loaded(
        model,
        tokenizer,
        prompts,
        info,
        defaults,
        end_ids,
        padded,
        token_bytes,
        TokenText(tokenizer),
        cache,
        decoder,
        saving,
    )


def _decode_path(chosen: Choice, defaults: GenerationConfig) -> tuple[str, Reason | None]:
    """Return how a reply is decoded unless a request says otherwise, and why that is not the fastest way."""
    if chosen.decoder is None:
        return "generate", chosen.reason
    if more := sorted(beyond(defaults)):
        log.warning("decoding with generate: its generation_config has %s", ", ".join(more))
        return "generate", Reason("engine.decoding.generation_config", (("names", ", ".join(more)),))
    return chosen.decoder.step.name, chosen.reason


def _cache(model: PreTrainedModel, decoder: Decoder | None, window: int) -> KVCache:
    without_mask = prefills_without_mask(model)
    if decoder is None:
        cache = StaticKVCache(model, window) if supports_static_cache(model) else None
        return KVCache(model, cache, prefills_without_mask=without_mask)
    # The short prefill uses no masks: if the attention builds one after all, the model is as fast.
    fast_prefill = decoder.step.fast_prefill if without_mask else None
    return KVCache(model, decoder.cache, prefills_without_mask=without_mask, fast_prefill=fast_prefill)


def _set_up_torch(checkpoint: Checkpoint, device: torch.device) -> None:
    """Set up the process and this thread for this model."""
    if device.type == "cuda":
        # Graphs, streams and Triton kernels run on the thread's device, whatever device their tensors are on.
        torch.cuda.set_device(device)
    # cuDNN's attention plans again for each length of the KV cache: 13-18 tok/s, not 35-58, for 7B on an H200.
    torch.backends.cuda.enable_cudnn_sdp(False)
    # In a container, torch counts the cores of the whole machine and decodes many times slower. A small model's
    # products are not worth sharing: 6.8M parameters decode at 95-107 tok/s on one of two cores, at 23-86 on both,
    # slower the more else runs, since the threads wait for each other in every layer.
    if "OMP_NUM_THREADS" not in os.environ:
        is_small = checkpoint.parameters < ONE_CORE_PARAMETERS
        torch.set_num_threads(1 if is_small else min(torch.get_num_threads(), usable_cores()))


def _warm(model: PreTrainedModel) -> None:
    """Run one small prefill and one decode step, to page in the checkpoint and start the device's libraries.

    Otherwise the first reply's time to first token would include that.
    """
    ids = torch.zeros((1, 8), dtype=torch.long, device=model.device)
    with torch.no_grad():
        past = getattr(model(input_ids=ids, use_cache=True), "past_key_values", None)
        if past is not None:  # a Mamba has another kind of cache
            model(input_ids=ids[:, :1], past_key_values=past, use_cache=True)
