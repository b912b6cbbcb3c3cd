"""One token at a time, by the kernels and by the plain forward pass, against `generate`: on the processor."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_models
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from qwen_tui.engine.local.fast import choosing, plain
from qwen_tui.engine.local.fast.decoder import Decoder
from qwen_tui.engine.local.fast.room import Room
from qwen_tui.engine.local.fast.sampling import Values

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
        model(input_ids=ids[:, :-1], past_key_values=decoder.room.states(), use_cache=True)
        got = list(decoder.decode(ids[0], new_tokens, Values(repetition_penalty=1.1), 0))
    assert got == out[0, tokens:].tolist()


@pytest.mark.parametrize("model_type", ["qwen2", "qwen3", "llama", "mistral"])
def test_the_kernels_say_what_generate_says(model_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import kernels_on_cpu

    monkeypatch.setattr(kernels_on_cpu.attention, "SPLITS", 2)
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        model_type,
        vocab_size=64,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        initializer_range=0.2,
        eos_token_id=None,
        bos_token_id=None,
        sliding_window=None,
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    room = Room(model, 512)
    assert_as_generate(model, Decoder(model, room, choosing._kernels(model, room, 512)), 40, 3)


@pytest.mark.parametrize("make", [*MAKERS, tiny_models.qwen3_moe])
def test_the_plain_step_says_what_generate_says_in_every_window(
    make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "LEAST_WINDOW", 32)
    model = read(make(tmp_path / "model"))
    assert_as_generate(model, choosing.tried(model, choosing._graph, 512), 25, 120)


def test_a_step_that_says_something_else_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = read(tiny_models.qwen2(tmp_path / "model"))
    attention = plain.one_query_attention

    def wrong(*args: object, **kwargs: object) -> tuple[torch.Tensor, None]:
        out, _ = attention(*args, **kwargs)  # type: ignore[arg-type]
        return out.flip(2), None  # the heads in another order

    monkeypatch.setattr(plain, "one_query_attention", wrong)
    with pytest.raises(choosing.Mismatch):
        choosing.tried(model, choosing._graph, 512)
