"""One token at a time, by the kernels and by the plain forward pass, against `generate`: on the processor."""

import itertools
import math
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import tiny_models
import torch
from transformers import (
    AttentionInterface,
    AutoConfig,
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    DynamicCache,
    PreTrainedModel,
)
from transformers.cache_utils import LinearAttentionLayer

from qwen_tui import strings
from qwen_tui.engine.base import Reason
from qwen_tui.engine.local.cache.kv_cache import FastPrefill
from qwen_tui.engine.local.cache.static_kv_cache import StaticKVCache, StaticLayer
from qwen_tui.engine.local.decoding import decode_path as choosing
from qwen_tui.engine.local.decoding import graph_step as plain
from qwen_tui.engine.local.decoding.cuda_graphs import Graphs, Step
from qwen_tui.engine.local.decoding.decoder import Decoder
from qwen_tui.engine.local.decoding.sampling import Values
from qwen_tui.engine.local.decoding.weights import gather
from qwen_tui.engine.local.forward import attention as attending
from qwen_tui.engine.local.forward import checking
from qwen_tui.engine.local.forward import chunked_prefill as chunks
from qwen_tui.engine.local.forward.blocks import blocks
from qwen_tui.engine.local.forward.checking import Mismatch

MAKERS = [tiny_models.qwen2, tiny_models.qwen3, tiny_models.llama]


def read(folder: Path) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    model.generation_config.eos_token_id = None
    return model


def assert_as_generate(model: PreTrainedModel, decoder: Decoder, tokens: int, new_tokens: int) -> None:
    ids = torch.randint(3, 60, (1, tokens), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=new_tokens,
            do_sample=False,
            repetition_penalty=1.1,
        )
        model(input_ids=ids[:, :-1], past_key_values=decoder.cache.empty_states(), use_cache=True)
        got = list(decoder.decode(ids[0], new_tokens, Values(repetition_penalty=1.1), 0))
    assert got == out[0, tokens:].tolist()


EXPERTS: dict[str, object] = {
    "num_experts": 6,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 8,
    "norm_topk_prob": True,
    "mlp_only_layers": [0],
}


LINEAR: dict[str, object] = {
    "layer_types": ["linear_attention", "full_attention"],
    "head_dim": 32,
    "linear_num_key_heads": 1,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
}

SHARED: dict[str, object] = {
    "num_experts": 6,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 8,
    "shared_expert_intermediate_size": 8,
}


@pytest.mark.parametrize(
    ("model_type", "more"),
    [
        ("qwen2", {}),
        ("qwen3", {}),
        ("qwen3_moe", EXPERTS),
        ("qwen3_moe", {**EXPERTS, "norm_topk_prob": False}),
        ("llama", {}),
        ("mistral", {}),
        ("qwen3_5_text", LINEAR),
        ("qwen3_5_moe_text", LINEAR | SHARED),
    ],
)
def test_the_kernels_say_what_generate_says(
    model_type: str, more: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    import kernels_on_cpu

    monkeypatch.setattr(kernels_on_cpu.attention, "SPLITS", 2)
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 64,
        "hidden_size": 16,
        "intermediate_size": 10,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "initializer_range": 0.2,
        **dict.fromkeys(("eos_token_id", "bos_token_id", "sliding_window")),
    }
    config = AutoConfig.for_model(model_type, **{**sizes, **more})
    model = AutoModelForCausalLM.from_config(config).eval()
    cache = StaticKVCache(model, 512)
    decoder = Decoder(model, cache, choosing._kernels(model, cache, 512))
    assert_as_generate(model, decoder, 40, 3)
    assert_logits_are_the_model_s(model, decoder)
    assert_reading_is_as_the_model_s(model, decoder)


def test_the_kernels_say_in_eight_bits_what_the_unpacked_weights_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kernels_on_cpu

    monkeypatch.setattr(kernels_on_cpu.attention, "SPLITS", 2)
    folder = tiny_models.qwen2(tmp_path / "model", hidden_size=32, intermediate_size=32, head_dim=16)
    unpacked, packed = (
        AutoModelForCausalLM.from_pretrained(folder, quantization_config=how).eval()
        for how in (None, BitsAndBytesConfig(load_in_8bit=True))
    )
    for name, linear in packed.named_modules():
        if type(linear).__name__ == "Linear8bitLt":
            weight = linear.weight.CB * (linear.weight.SCB[:, None] / 127)
            unpacked.get_submodule(name).weight.data = weight.float()
    cache = StaticKVCache(packed, 512)
    decoder = Decoder(packed, cache, choosing._kernels(packed, cache, 512))
    assert_logits_are_the_model_s(unpacked, decoder)
    matrix, x = gather(packed).layers[0].mlp.down, torch.randn(3, 32)
    torch.testing.assert_close(matrix.linear(x), unpacked.model.layers[0].mlp.down_proj(x))


def assert_logits_are_the_model_s(model: PreTrainedModel, decoder: Decoder) -> None:
    """The likeliest token alone would hide that experts have the wrong shares."""
    ids = torch.randint(3, 60, (1, 12), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = model(input_ids=ids, use_cache=False).logits[0, -1]
        model(input_ids=ids[:, :-1], past_key_values=decoder.cache.empty_states(), use_cache=True)
        said = decoder.logits(int(ids[0, -1]), 11)
    torch.testing.assert_close(said, expected, rtol=1e-4, atol=1e-4)


def assert_reading_is_as_the_model_s(model: PreTrainedModel, decoder: Decoder) -> None:
    """In parts, across a move of the cache, too."""
    ids = torch.randint(3, 60, (1, 50), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        states = model(input_ids=ids, use_cache=True).past_key_values
        decoder.cache.free()
        assert decoder.step.fast_prefill is not None
        for part in ids[0].split([1, 12, 37]):
            decoder.step.fast_prefill.read(part, lambda _: None)
    for expected, got in zip(states.layers, decoder.cache.layers, strict=True):
        if isinstance(got, LinearAttentionLayer):
            torch.testing.assert_close(got.conv_states[0], expected.conv_states[0])
            torch.testing.assert_close(
                got.recurrent_states[0], expected.recurrent_states[0], rtol=1e-4, atol=1e-5
            )
        else:
            torch.testing.assert_close(got.keys, expected.keys, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(got.values, expected.values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make", [*MAKERS, tiny_models.qwen3_moe, tiny_models.qwen3_5, tiny_models.qwen3_next]
)
def test_the_plain_step_says_what_generate_says_in_every_window(
    make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "LEAST_WINDOW", 32)
    model = read(make(tmp_path / "model"))
    assert_as_generate(model, choosing.checked(model, choosing._graph, 512), 25, 120)


@pytest.mark.parametrize("more", attending.MORE)
def test_attention_with_more_to_it_is_refused(more: str) -> None:
    query, keys = torch.zeros(1, 2, 1, 16), torch.zeros(1, 1, 4, 16)
    attending.one_query_attention(torch.nn.Module(), query, keys, keys, None, **{more: None})
    with pytest.raises(ValueError, match=more):
        attending.one_query_attention(torch.nn.Module(), query, keys, keys, None, **{more: 50.0})


OTHERS: dict[str, dict[str, object]] = {
    "gemma": {"head_dim": 16},
    "granite": {"attention_multiplier": 0.3, "logits_scaling": 2.0, "residual_multiplier": 0.7},
    "cohere": {"logit_scale": 0.1},
    "phi": {"partial_rotary_factor": 0.5},
    "gpt_neox": {"num_key_value_heads": 2},
    "mixtral": {"num_local_experts": 4, "sliding_window": None},
    "opt": {"num_key_value_heads": 2},
    "glm4": {"head_dim": 16},
    "gpt2": {},
    "gpt_bigcode": {},
}
"""Also tried by hand: olmo2, stablelm, starcoder2, olmoe, smollm3, ernie4_5 and seed_oss, with the same outcome."""


def other(model_type: str, **more: object) -> PreTrainedModel:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 80,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        **dict.fromkeys(("eos_token_id", "bos_token_id", "pad_token_id")),
    }
    own = {**OTHERS, **WITHOUT_CHUNKS}.get(model_type, {})
    config = AutoConfig.for_model(model_type, **{**sizes, **own, **more})
    return AutoModelForCausalLM.from_config(config).eval()


WITHOUT_CHUNKS: dict[str, dict[str, object]] = {"falcon": {}, "gptj": {"rotary_dim": 8}, "mpt": {}}
"""Those whose prompts are read with a mask."""


@pytest.mark.parametrize("model_type", [*OTHERS, *WITHOUT_CHUNKS])
def test_other_architectures_say_what_generate_says(model_type: str) -> None:
    model = other(model_type)
    assert_as_generate(model, choosing.checked(model, choosing._graph, 512), 30, 40)


def test_one_that_is_built_in_another_way_is_left_to_generate() -> None:
    with pytest.raises(ValueError, match="unpack"):
        choosing.checked(other("bloom"), choosing._graph, 512)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "mpt", "gpt_neox", "opt", "mamba"])
def test_blocks_are_found_whatever_they_are_called(model_type: str) -> None:
    model = other(model_type)
    assert len(blocks(model)) == model.config.num_hidden_layers


def test_a_step_that_says_something_else_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = read(tiny_models.qwen2(tmp_path / "model"))

    def wrong(*args: object, **kwargs: object) -> tuple[torch.Tensor, None]:
        out, _ = attending.one_query_attention(*args, **kwargs)  # type: ignore[arg-type]
        return out.flip(2), None  # the heads in another order

    monkeypatch.setitem(AttentionInterface._global_mapping, attending.ONE_QUERY, wrong)
    with pytest.raises(Mismatch):
        choosing.checked(model, choosing._graph, 512)


class Forgetful(plain.GraphStep):
    """The plain step, which does not see the first half of a text of more than 32 tokens."""

    def __call__(self, token: torch.Tensor, position: torch.Tensor, window: int) -> torch.Tensor:
        place = int(position)
        for layer in self._layers if place > 32 else ():
            if isinstance(layer, StaticLayer):
                layer.all_values[..., : place // 2, :] = 0
        return super().__call__(token, position, window)


@pytest.mark.parametrize("make", [tiny_models.qwen2, tiny_models.qwen3_5])
def test_a_step_that_goes_wrong_after_the_first_tokens_is_not_taken(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    model = read(make(tmp_path / "model"))
    assert choosing.checked(model, choosing._graph, 512).step.name == "graph"
    with pytest.raises(Mismatch, match=r"after [0-9]+ tokens"):
        choosing.checked(model, lambda model, cache, _: Forgetful(model, cache.layers), 512)


class ReadingFast(plain.GraphStep):
    """The plain step, and the forward pass as its own prefill; of each part it gets a share of one value."""

    def __init__(self, model: PreTrainedModel, cache: StaticKVCache, share: float) -> None:
        super().__init__(model, cache.layers)
        self.fast_prefill = FastPrefill(self._read, 512)  # type: ignore[assignment]
        self._cache, self._share = cache, share

    def _read(self, ids: torch.Tensor, _: Callable[[int], None]) -> None:
        layers = self._cache.layers
        done = layers[0].get_seq_length()
        states = DynamicCache(config=self._model.config)
        states.layers = list(layers)
        self._model(input_ids=ids[None], past_key_values=states, use_cache=True)
        layers[-1].all_values[..., done, :] *= self._share


@pytest.mark.parametrize("share", [1.0, 0.5, math.nan])
def test_a_step_that_reads_something_wrong_decodes_without_reading(share: float, tmp_path: Path) -> None:
    model = read(tiny_models.qwen2(tmp_path / "model"))
    decoder = choosing.checked(model, lambda model, cache, _: ReadingFast(model, cache, share), 512)
    assert (decoder.step.fast_prefill is not None) is (share == 1.0)
    assert_as_generate(model, decoder, 40, 3)


@pytest.mark.parametrize(
    ("is_wrong_when_greedy", "says"),
    [(True, "the captured step chooses another token"), (False, "a seed does not repeat a reply")],
)
def test_a_step_that_chooses_something_else_once_it_is_captured_is_not_taken(
    is_wrong_when_greedy: bool, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = read(tiny_models.qwen2(tmp_path / "model"))
    replays = itertools.count(1)

    def wrongly_captured(
        _: Graphs, key: tuple[int, tuple[bool, int]], step: Step, state: Sequence[torch.Tensor]
    ) -> Step:
        is_greedy = key[1][0]

        def replay() -> None:
            step()
            if is_greedy is is_wrong_when_greedy:
                state[0].add_(next(replays)).remainder_(60)

        return replay

    monkeypatch.setattr(Graphs, "get", wrongly_captured)
    with pytest.raises(Mismatch, match=says):
        choosing.checked(model, choosing._graph, 512)


def over_two_devices(folder: Path) -> PreTrainedModel:
    model = read(tiny_models.qwen2(folder))
    model.hf_device_map = {"model.layers.0": 0, "model.layers.1": 1}
    return model


CHANGING = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (over_two_devices, "several_devices"),
        (lambda _: other("llama", rope_parameters=CHANGING), "changing_rope"),
        (lambda _: other("rwkv", attention_hidden_size=32), "other_cache"),
        (lambda folder: read(tiny_models.mamba(folder)), "other_cache"),
        (lambda _: other("mistral", sliding_window=16), "other_cache"),
        (lambda folder: read(tiny_models.qwen3_next(folder)), None),
        (lambda folder: read(tiny_models.qwen2(folder)), None),
    ],
)
def test_what_is_left_to_generate_is_told_with_its_reason(
    make: Callable[[Path], PreTrainedModel], why: str | None, tmp_path: Path
) -> None:
    reason = choosing.why_not(make(tmp_path / "model"))
    assert reason == (Reason(f"engine.decoding.{why}") if why else None)


@pytest.mark.parametrize("model_type", OTHERS)
def test_chunks_are_read_without_a_mask_to_the_same_end(model_type: str) -> None:
    model = other(model_type)
    chunks.check_chunks(model, checking.reference(model))


@pytest.mark.parametrize("model_type", [*WITHOUT_CHUNKS, "bloom", "mistral"])
def test_what_cannot_be_read_without_a_mask_is_found_out(model_type: str) -> None:
    """Mistral, for one, has a window that slides here."""
    model = other(model_type, **({"sliding_window": 16} if model_type == "mistral" else {}))
    with pytest.raises((AttributeError, TypeError, ValueError, Mismatch)):
        chunks.check_chunks(model, checking.reference(model))


@pytest.mark.parametrize(("dtype", "expected"), [(torch.float32, True), (torch.bfloat16, False)])
def test_a_processor_reads_chunks_so_where_the_attention_takes_most_of_the_time(
    dtype: torch.dtype, expected: bool
) -> None:
    assert chunks.prefills_without_mask(other("qwen2").to(dtype)) is expected
    assert not chunks.prefills_without_mask(other("bloom").to(dtype))


def test_a_model_that_cannot_be_tried_out_is_loaded_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choosing, "_is_on_gpu", lambda _: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    chosen = choosing.fast_decoder(other("bloom"), 512)
    assert chosen.decoder is None
    assert chosen.reason.code == "engine.decoding.graph_failed"
    assert "ValueError" in dict(chosen.reason.parameters)["detail"]
    assert "not decoding by graph: ValueError" in caplog.text


@pytest.mark.parametrize(
    ("capability", "error", "code"),
    [
        ((7, 5), None, "old_gpu"),
        ((9, 0), RuntimeError("Failed to find C compiler. Please specify via CC."), "no_compiler"),
        ((9, 0), Mismatch("its logits deviate"), "kernels_failed"),
        ((9, 0), choosing.Unsupported("no kernels for OlmoForCausalLM"), "kernels_failed"),
    ],
)
def test_a_model_that_goes_through_a_graph_says_why_it_does_not_by_kernels(
    capability: tuple[int, int],
    error: Exception | None,
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def kernels(*_: object) -> plain.GraphStep:
        raise error

    monkeypatch.setattr(choosing, "_is_on_gpu", lambda _: True)
    monkeypatch.setattr(choosing, "_kernels", kernels)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    chosen = choosing.fast_decoder(read(tiny_models.qwen2(tmp_path / "model")), 512)
    assert chosen.decoder.step.name == "graph"
    assert chosen.reason.code == f"engine.decoding.{code}"
    assert strings.say(chosen.reason.code, **dict(chosen.reason.parameters))


def moved(layer: StaticLayer) -> set[int]:
    """Where the memory lies that a layer keeps."""
    parts = (layer.all_keys, layer.all_values, layer.keys, layer.values)
    return {part.untyped_storage().data_ptr() for part in parts}


def test_what_a_cache_moved_out_of_is_given_back() -> None:
    layer = StaticLayer(9000)
    layer.update(torch.ones(1, 2, 2048, 4), torch.ones(1, 2, 2048, 4))
    layer.reserve(2049, 2048)
    assert layer.capacity == 4096
    assert moved(layer) == {layer.all_keys.data_ptr(), layer.all_values.data_ptr()}
    assert layer.get_seq_length() == 2048


def test_where_there_is_no_memory_for_more_room_it_takes_what_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = StaticLayer(9000)
    layer.update(torch.ones(1, 2, 2048, 4), torch.ones(1, 2, 2048, 4))
    held: list[weakref.ref[torch.Tensor]] = []
    new_zeros = torch.Tensor.new_zeros

    def scarce(self: torch.Tensor, *sizes: int) -> torch.Tensor:
        # Memory for 9,000 tokens of keys or values: those that are there, and not two of 4,096 beside them.
        taken = sum(part.shape[2] for part in (each() for each in held) if part is not None)
        if 2 * 2048 + taken + sizes[2] > 9000:
            raise torch.OutOfMemoryError
        held.append(weakref.ref(tensor := new_zeros(self, *sizes)))
        return tensor

    monkeypatch.setattr(torch.Tensor, "new_zeros", scarce)
    layer.reserve(2100, 2048)
    assert layer.capacity == 2100
    assert bool((layer.keys == 1).all())
    assert layer.get_seq_length() == 2048
