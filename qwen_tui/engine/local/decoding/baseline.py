"""Baselines for decoding speed: transformers' own `generate`, and the limit set by memory bandwidth.

`generate` runs unmodified, except that the worker disables cuDNN's attention (see `load`), which makes it two to
four times slower.

Decoding a single conversation reads every weight once per token, so no program can be faster than the bytes of a
decode step divided by the memory bandwidth.
"""

import time
from collections.abc import Iterator

import torch
from transformers import GenerationConfig, PreTrainedModel
from transformers.generation.streamers import BaseStreamer

from qwen_tui.engine.local.forward.prefill import wait_for
from qwen_tui.engine.local.library_internals import computed_buffers
from qwen_tui.engine.models.size import chosen_share
from qwen_tui.engine.wire import PlainTiming

COPIED_BYTES = {"cuda": 2 << 30, "mps": 512 << 20, "cpu": 256 << 20}
"""How much is copied to measure a device: far more than its caches hold."""

COPIES = 8
"""How many copies are timed; the fastest counts, since other programs may use the device as well."""


def plain_generate(model: PreTrainedModel, prompt_tokens: int, new_tokens: int) -> PlainTiming:
    """Time `model.generate` on random ids (1, prompt_tokens), greedy, with only a streamer of ours."""
    clock = _Clock()
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 1000, (1, prompt_tokens), generator=random).to(model.device)
    lengths = {"max_new_tokens": new_tokens, "min_new_tokens": new_tokens}
    config = GenerationConfig(do_sample=False, eos_token_id=None, pad_token_id=0, **lengths)
    with torch.no_grad():
        wait_for(model.device)
        began = time.monotonic()
        model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config, streamer=clock)
    return PlainTiming(clock.first - began, clock.last - clock.first, clock.tokens)


def bytes_a_second(device: torch.device) -> float:
    """Measure the device's memory bandwidth in bytes per second, reads plus writes, by copying."""
    source = torch.ones(COPIED_BYTES.get(device.type, COPIED_BYTES["cpu"]), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(COPIES):
        wait_for(device)
        began = time.perf_counter()
        target.copy_(source)
        wait_for(device)
        best = min(best, time.perf_counter() - began)
    return 2 * source.numel() / best


def bytes_a_token(model: PreTrainedModel, context_tokens: int) -> int:
    """Return the bytes that one decode step reads: the active weights, and the KV cache of the context.

    An embedding that is not also the output layer counts as nothing, since only one row is read. Experts count
    with the share that is chosen.
    """
    config = model.config.get_text_config(decoder=True)
    share = chosen_share(config.to_dict())
    embedding = model.get_input_embeddings().weight
    is_tied = model.get_output_embeddings() is not None and model.get_output_embeddings().weight is embedding
    total = 0.0
    for name, weight in (*model.named_parameters(), *_kept_buffers(model)):
        if weight is embedding and not is_tied:
            continue
        total += weight.numel() * weight.element_size() * (share if ".experts." in name else 1)
    heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    element = torch.empty(0, dtype=model.dtype).element_size()
    cached: int = 2 * config.num_hidden_layers * heads * head_dim * element * context_tokens
    return int(total) + cached


def _kept_buffers(model: PreTrainedModel) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the persistent buffers, in which GPTQ and AWQ store weights; rotary tables and masks are computed."""
    for name, module in model.named_modules():
        for own_name, buffer in module.named_buffers(recurse=False):
            if own_name not in computed_buffers(module):
                yield f"{name}.{own_name}", buffer


class _Clock(BaseStreamer):  # type: ignore[misc]  # transformers is not typed
    """Record the times of the first and the last token."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.tokens = -1
        """The first call passes the prompt, which does not count."""

    def put(self, value: torch.Tensor) -> None:
        self.tokens += 1
        if self.tokens:
            self.last = time.monotonic()
            self.first = self.first or self.last

    def end(self) -> None:
        pass
