"""The kernels, compiled by Triton for GPUs that need not be here, and launched nowhere.

Prints as JSON, for each shape on a GPU, which kernels were compiled ahead of a model of that shape, and which the
model then needed beside them; and in how many threads at once kernels were parsed. Run as
`PYTHONPATH=. python tests/support/compiled_kernels.py`, with Triton installed and without TRITON_INTERPRET.
"""

import ast
import json
import time
from types import SimpleNamespace
from typing import Any

import torch
import triton
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.cache_utils import LinearAttentionLayer
from triton.backends.compiler import GPUTarget

from qwen_tui.engine.local.cache.static_kv_cache import StaticKVCache
from qwen_tui.engine.local.decoding.kernel_step import KernelStep
from qwen_tui.engine.local.decoding.kernels.compiling import compile_all, kind_of
from qwen_tui.engine.local.decoding.weights import gather
from qwen_tui.engine.local.loading.random_checkpoint import config_of
from qwen_tui.engine.models.catalogue import shape_named

SHAPES = {
    "qwen2.5-7b": ("qwen2.5-7b", torch.bfloat16, False, 90),
    "qwen2.5-1.5b in 4 bits": ("qwen2.5-1.5b", torch.bfloat16, True, 80),
    "qwen2.5-0.5b in float32": ("qwen2.5-0.5b", torch.float32, False, 80),
    "qwen3-8b in float16": ("qwen3-8b", torch.float16, False, 90),
    "qwen3.5-9b": ("qwen3.5-9b", torch.bfloat16, False, 90),
    "qwen3-30b-a3b": ("qwen3-30b-a3b", torch.bfloat16, False, 80),
    "qwen3-30b-a3b in 4 bits": ("qwen3-30b-a3b", torch.bfloat16, True, 90),
}
"""The shape, its type, whether it is in four bits, and on which compute capability it is tried."""

SHARED_BYTES = 101_376
"""The least that a program of a GPU of compute capability 8 or more can have (8.6, 8.9, 12.0)."""

TOKENS = 8


class NoDevice:
    """What Triton takes for the driver of a GPU: it has a compute capability, and does nothing."""

    def __init__(self, capability: int, number: int) -> None:
        self._target = GPUTarget("cuda", capability, 32)
        self._number = number
        self.compiled: list[str] = []
        self.utils = SimpleNamespace(
            get_device_properties=lambda _: {"max_shared_mem": SHARED_BYTES}, load_binary=self._load
        )

    def launcher_cls(self, *_: object) -> Any:
        return lambda *_, **__: None

    def _load(self, name: str, binary: bytes, *_: object) -> tuple[object, object, int, int, int]:
        assert binary
        self.compiled.append(name)
        return object(), object(), 0, 0, 1024

    def get_current_device(self) -> int:
        return self._number

    def get_current_stream(self, _: int) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return self._target


class CountedParse:
    """`ast.parse`, and in how many threads at once it has been, at most; it takes a little longer than it does."""

    def __init__(self) -> None:
        self.at_once = 0
        self._inside = 0
        self._parse = ast.parse

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._inside += 1
        self.at_once = max(self.at_once, self._inside)
        time.sleep(0.001)
        try:
            return self._parse(*arguments, **options)
        finally:
            self._inside -= 1


def small(name: str, dtype: torch.dtype, *, is_four_bits: bool) -> PreTrainedModel:
    """A model of this shape, but with one layer and few tokens, and whatever stood in memory for weights."""
    config = config_of(shape_named(name))
    config.num_hidden_layers, config.vocab_size, config.max_position_embeddings = 1, 320, 4096
    if config.model_type == "qwen3_5_text":
        config.num_hidden_layers, config.layer_types = 2, ["full_attention", "linear_attention"]
    with torch.device("meta"):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    model.to_empty(device="cpu")
    if is_four_bits:
        for part in (model.model.layers[0].self_attn, model.model.layers[0].mlp):
            for place, linear in list(part.named_children()):
                if isinstance(linear, torch.nn.Linear):
                    setattr(part, place, packed(linear))
    return model


def packed(linear: torch.nn.Linear) -> torch.nn.Module:
    """The same in four bits, without the seconds that it takes to find out which: whatever stood in memory."""
    from bitsandbytes.functional import QuantState, get_4bit_type
    from bitsandbytes.nn import Linear4bit, Params4bit

    rows, columns, dtype = linear.out_features, linear.in_features, linear.weight.dtype
    state = QuantState(
        absmax=torch.empty(rows * columns // 64),
        shape=torch.Size((rows, columns)),
        code=get_4bit_type("nf4", device="cpu"),
        blocksize=64,
        quant_type="nf4",
        dtype=dtype,
    )
    made = Linear4bit(columns, rows, linear.bias is not None, dtype, quant_type="nf4", device="meta")
    codes = torch.empty(rows * columns // 2, 1, dtype=torch.uint8)
    made.weight = Params4bit(
        codes, requires_grad=False, quant_state=state, quant_type="nf4", bnb_quantized=True
    )
    made.bias = linear.bias
    return made


def needed(model: PreTrainedModel) -> None:
    """Decode a token behind a few, and read a few, as a reply does: nothing of it is computed."""
    cache = StaticKVCache(model, 4096)
    attention = model.model.layers[0].self_attn
    empty = torch.zeros(1, model.config.num_key_value_heads, TOKENS, attention.head_dim, dtype=model.dtype)
    for layer in cache.attention_layers:
        layer.update(empty, empty)
    if isinstance(cache.layers[-1], LinearAttentionLayer):
        linear, config = cache.layers[-1], model.config
        channels = model.model.layers[-1].linear_attn.conv_dim
        linear.update_conv_state(torch.zeros(1, channels, config.linear_conv_kernel_dim, dtype=model.dtype))
        heads, size = config.linear_num_value_heads, config.linear_key_head_dim
        linear.update_recurrent_state(torch.zeros(1, heads, size, size))
    step = KernelStep(model, gather(model), cache.layers, 4096)
    step(torch.zeros(1, dtype=torch.long), torch.full((1,), TOKENS), cache.capacity)
    assert step.fast_prefill is not None
    for part in (torch.zeros(1, dtype=torch.long), torch.zeros(TOKENS, dtype=torch.long)):
        step.fast_prefill.read(part, lambda _: None)


def main() -> None:
    """Compile each."""
    parse = CountedParse()
    ast.parse = parse
    said: dict[str, dict[str, list[str]]] = {}
    for number, (title, (name, dtype, is_four_bits, capability)) in enumerate(SHAPES.items()):
        # Of a number of its own: Triton does not compile for a device what it has compiled for it.
        driver = NoDevice(capability, number)
        triton.runtime.driver.set_active(driver)
        kind = kind_of(config_of(shape_named(name)), dtype, is_four_bits=is_four_bits)
        compile_all(kind, torch.device("cpu"), threads=4)
        ahead, driver.compiled = driver.compiled, []
        needed(small(name, dtype, is_four_bits=is_four_bits))
        said[title] = {"ahead": ahead, "later": driver.compiled}
    print(json.dumps({"kernels": said, "parsed at once": parse.at_once}))


if __name__ == "__main__":
    with torch.no_grad():
        main()
