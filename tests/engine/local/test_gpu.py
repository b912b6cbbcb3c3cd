"""On a CUDA device: run with `-m gpu`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from faulty_model import faulty, tell
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer
from waiting import wait_for

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Engine, Finished, ModelSpec, PromptMessage, Request, Sampling, TextDelta
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.opening import open_engine
from qwen_tui.errors import QwenTuiError

pytestmark = pytest.mark.gpu


@contextmanager
def opened(
    folder: Path, tmp_path: Path, quantized: QuantizedCache | None = None, **spec: Any
) -> Iterator[Engine]:
    wanted = ModelSpec(model=str(folder), **spec)
    engine = open_engine(wanted, tmp_path / "log", lambda _: None, threading.Event(), quantized=quantized)
    try:
        yield engine
    finally:
        engine.close()


def asking(text: str = "hello", tokens: int = 32) -> Request:
    sampling = Sampling(max_new_tokens=tokens, seed=3)
    return Request(messages=(PromptMessage(Role.USER, text),), sampling=sampling)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wide enough for the kernels that a large model uses."""
    return tiny_models.qwen2(
        tmp_path_factory.mktemp("wide") / "wide",
        window=200_000,
        hidden_size=1024,
        intermediate_size=2816,
        num_hidden_layers=8,
        num_attention_heads=16,
    )


@pytest.mark.parametrize("quantization", ["4bit", "8bit"])
def test_quantized_weights_are_kept_and_give_the_same_tokens_from_there(
    quantization: str, wide: Path, tmp_path: Path
) -> None:
    cache = QuantizedCache(tmp_path / "quantized", 10**10, least_free_bytes=0)
    replies = []
    for _ in range(2):
        with opened(wide, tmp_path, cache, quantization=quantization) as engine:
            replies.append(list(engine.stream(asking(), threading.Event()))[-1].run.token_ids)
            wait_for(cache.entries, 60)
    assert replies[0] == replies[1]
    assert len(cache.entries()) == 1


@pytest.mark.parametrize("quantization", ["none", "4bit", "8bit"])
def test_a_model_answers_on_the_device(quantization: str, wide: Path, tmp_path: Path) -> None:
    with opened(wide, tmp_path, quantization=quantization) as engine:
        assert engine.info.device == "cuda:0"
        assert engine.info.quantization == quantization
        assert engine.info.dtype == "bfloat16"
        # Cold, both of them: in bf16 what was read in other chunks is rounded in another way.
        cold = replace(asking(), reuse=False)
        events = list(engine.stream(cold, threading.Event()))
        assert isinstance(events[-1], Finished)
        assert events[-1].run.new_tokens > 0
        again = list(engine.stream(cold, threading.Event()))
        assert again[-1].run.token_ids == events[-1].run.token_ids  # type: ignore[union-attr]


def test_four_bits_take_less_memory(wide: Path, tmp_path: Path) -> None:
    sizes = []
    for quantization in ("none", "4bit"):
        with opened(wide, tmp_path, quantization=quantization) as engine:
            sizes.append(engine.info.memory_bytes)
    assert sizes[1] < 0.45 * sizes[0]


@pytest.mark.parametrize("letters", [5, 150_000])
def test_a_stop_is_seen_at_once(letters: int, wide: Path, tmp_path: Path) -> None:
    with opened(wide, tmp_path) as engine:
        list(engine.stream(asking(tokens=4), threading.Event()))
        stop = threading.Event()
        stream = engine.stream(asking("a" * letters, tokens=10_000), stop)
        next(stream)
        if letters == 5:
            next(event for event in stream if isinstance(event, TextDelta))
        stop.set()
        began = time.monotonic()
        last = list(stream)[-1]
        assert time.monotonic() - began < 0.1
        assert isinstance(last, Finished)
        assert last.run.stop_reason == "stopped"


def test_out_of_memory_in_a_reply_leaves_the_engine_usable(wide: Path, tmp_path: Path) -> None:
    with opened(wide, tmp_path) as engine:
        list(engine.stream(asking(), threading.Event()))
        free, _ = torch.cuda.mem_get_info()
        hog = torch.empty(free - 300 * 1024**2, dtype=torch.uint8, device="cuda")
        with pytest.raises(QwenTuiError) as raised:
            list(engine.stream(asking("a" * 190_000), threading.Event()))
        assert raised.value.code == "engine.out_of_memory_reply"
        assert engine.alive
        last = list(engine.stream(asking(), threading.Event()))[-1]
        assert isinstance(last, Finished)
        del hog
        torch.cuda.empty_cache()


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_what_is_no_number_ends_the_reply_and_not_the_worker(temperature: float, tmp_path: Path) -> None:
    folder = tiny_models.qwen2(tmp_path / "model", dtype=torch.float16, tie_word_embeddings=False)
    weights = load_file(folder / "model.safetensors")
    # One element of one token's embedding: prompts without that token are computed with numbers.
    bad = AutoTokenizer.from_pretrained(folder).encode("?")[0]
    weights["model.embed_tokens.weight"][bad, 0] = torch.inf
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with opened(folder, tmp_path) as engine:
        for text, is_bad in (("hello", False), ("hello?", True), ("hello", False)):
            sampling = Sampling(max_new_tokens=1, temperature=temperature, seed=3)
            request = Request(messages=(PromptMessage(Role.USER, text),), sampling=sampling)
            if not is_bad:
                assert isinstance(list(engine.stream(request, threading.Event()))[-1], Finished)
                continue
            with pytest.raises(QwenTuiError) as raised:
                list(engine.stream(request, threading.Event()))
            assert raised.value.code == "engine.no_numbers"
            assert engine.alive


def test_a_lost_device_ends_the_worker_and_says_so(tmp_path: Path) -> None:
    folder = faulty(tmp_path / "model")
    with opened(folder, tmp_path, trust_remote_code=True) as engine:
        tell(folder, "prefill", "lost-device")
        with pytest.raises(QwenTuiError) as raised:
            list(engine.stream(asking("hello " * 50), threading.Event()))
        assert raised.value.code == "engine.device_broken"
        with pytest.raises(QwenTuiError) as after:
            list(engine.stream(asking(), threading.Event()))
        assert after.value.code == "engine.worker_died"
        assert not engine.alive


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two devices")
def test_a_model_too_large_for_one_device_goes_over_two(tmp_path: Path) -> None:
    with torch.device("cuda"):
        folder = tiny_models.qwen2(
            tmp_path / "large",
            dtype=torch.bfloat16,
            hidden_size=4096,
            intermediate_size=11008,
            num_attention_heads=32,
            num_hidden_layers=8,
        )
    torch.cuda.empty_cache()
    size = (folder / "model.safetensors").stat().st_size
    hogs = []
    for index in range(2):
        free, _ = torch.cuda.mem_get_info(index)
        hogs.append(
            torch.empty(free - int(size * 0.9) - 600 * 1024**2, dtype=torch.uint8, device=f"cuda:{index}")
        )
    with opened(folder, tmp_path, quantization="none") as engine:
        assert engine.info.memory_bytes > size * 0.9
        assert engine.info.device == "cuda:0, cuda:1"
        last = list(engine.stream(asking("a" * 300), threading.Event()))[-1]
        assert isinstance(last, Finished)
    hogs.clear()
    torch.cuda.empty_cache()
