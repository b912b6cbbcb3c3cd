"""`qwen-tui bench`: what it measures is there, and is told."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from doubles import INFO, Reply, ScriptedEngine
from textual.app import App
from transformers import AutoConfig, AutoModelForCausalLM
from waiting import HANGS

from qwen_tui.chat.messages import Role, Run
from qwen_tui.chat.partial import Partial
from qwen_tui.commands.bench.measure import Row, contexts_that_fit, stopped
from qwen_tui.commands.bench.report import in_words
from qwen_tui.commands.bench.through_ui import Through, through_app
from qwen_tui.engine.base import Finished, PromptMessage, Request
from qwen_tui.engine.local.decoding.baseline import bytes_a_second, bytes_a_token
from qwen_tui.engine.local.loading.random_checkpoint import write
from qwen_tui.engine.models.catalogue import KNOWN, Shape, shape_named, shape_names
from qwen_tui.engine.models.checkpoint import inspect
from qwen_tui.errors import QwenTuiError

TINY = Shape(
    hidden_size=64,
    intermediate_size=96,
    layers=2,
    attention_heads=4,
    kv_heads=2,
    head_dim=16,
    vocab_size=9000,
)


def bench(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qwen_tui", "bench", "--data-dir", str(tmp_path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


def test_the_guide_is_measured_in_all_ways(tmp_path: Path) -> None:
    done = bench(tmp_path, "--model", "guide", "--contexts", "120,99999", "--repeats", "1", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "Skipped 99,999 tokens" in done.stderr
    first, longest = said["rows"]
    assert 1500 <= longest["context"] <= 1600
    assert 100 <= first["context"] <= 120
    assert first["read_warm"] < 90  # the next turn: its history was in the cache
    for key in (
        "first_cold",
        "first_warm",
        "stop",
        "decode",
        "plain_first",
        "plain_decode",
        "floor",
        "prefill",
    ):
        assert first[key] > 0, key
    assert longest["stop"] < 0.5 * longest["first_cold"]  # not all of the rest was read first
    assert first["floor"] > first["decode"]
    assert said["through_app"]["app"] > 0
    assert said["through_app"]["drawn_seconds"] > 0
    assert said["device"] == "cpu"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--shape", "qwen9-1b"), "qwen2.5-7b"),
        (("--contexts", "many"), "whole numbers"),
        (("--server", "http://127.0.0.1:1"), "does not run on this machine"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = bench(tmp_path, *arguments)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_only_lengths_that_the_window_holds_are_measured() -> None:
    assert contexts_that_fit((512, 8192, 24_000), 32_768) == (512, 8192, 24_000)
    assert contexts_that_fit((512, 8192, 24_000), 2048) == (512, 1600)
    assert contexts_that_fit((8192,), 4096) == (3600,)
    with pytest.raises(QwenTuiError):
        contexts_that_fit((512,), 256)


def test_every_model_of_the_catalogue_has_a_shape_by_its_name() -> None:
    for known in KNOWN:
        assert shape_named(known.model) == shape_named(known.name.lower()) == known.shape
    assert {"qwen2.5-7b", "qwen3-0.6b", "qwen3-30b-a3b"} <= set(shape_names())


@pytest.mark.parametrize(
    "shape",
    [
        TINY,
        replace(TINY, is_tied=True, is_qwen3=True),
        replace(TINY, is_qwen3=True, experts=4, active_experts=2),
    ],
    ids=["qwen2", "qwen3 tied", "qwen3 with experts"],
)
def test_a_random_checkpoint_is_a_whole_model_of_its_shape(shape: Shape, tmp_path: Path) -> None:
    write(shape, tmp_path)
    assert inspect(tmp_path).parameters == shape.parameters
    model, found = AutoModelForCausalLM.from_pretrained(
        tmp_path, local_files_only=True, output_loading_info=True, dtype=torch.bfloat16
    )
    assert not found["missing_keys"]
    assert not found["mismatched_keys"]
    logits = model(torch.arange(20, 30)[None]).logits
    assert torch.isfinite(logits).all()
    step = bytes_a_token(model, 0)
    idle = 0 if shape.is_tied else shape.vocab_size * shape.hidden_size
    resting = shape.layers * (shape.experts - shape.active_experts)
    idle += 3 * shape.hidden_size * shape.intermediate_size * resting
    assert step == pytest.approx(2 * (shape.parameters - idle), rel=0.01)
    cache = 2 * shape.layers * shape.kv_heads * shape.head_dim * 2
    assert bytes_a_token(model, 1000) - step == 1000 * cache


SMALL = {
    "tie_word_embeddings": False,
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}

EXPERTS: dict[str, dict[str, object]] = {
    "deepseek_v3": {
        "n_routed_experts": 8,
        "moe_intermediate_size": 16,
        "n_group": 2,
        "topk_group": 1,
        "first_k_dense_replace": 1,
    },
    "glm4_moe": {"n_routed_experts": 8, "moe_intermediate_size": 16, "first_k_dense_replace": 1},
    "phimoe": {"num_local_experts": 8},
    "mixtral": {"num_local_experts": 8},
    "ernie4_5_moe": {"moe_num_experts": 8, "moe_intermediate_size": 16},
    "qwen2_moe": {"num_experts": 8, "moe_intermediate_size": 16},
}


@pytest.mark.parametrize("model_type", EXPERTS)
def test_of_experts_only_those_that_are_chosen_are_read_for_a_token(model_type: str) -> None:
    config = AutoConfig.for_model(model_type, **SMALL, **EXPERTS[model_type], num_experts_per_tok=2)
    model = AutoModelForCausalLM.from_config(config)
    experts = sum(part.numel() for name, part in model.named_parameters() if ".experts." in name)
    read = model.num_parameters() - model.get_input_embeddings().weight.numel() - experts * 6 // 8
    assert experts
    assert bytes_a_token(model, 0) == pytest.approx(4 * read, rel=0.005)


def test_weights_that_lie_in_buffers_are_read_for_a_token_and_rotary_tables_are_not() -> None:
    """As GPTQ and AWQ have them."""
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model("qwen2", **SMALL, max_position_embeddings=64)
    )
    before = bytes_a_token(model, 0)
    assert before == 4 * (model.num_parameters() - model.get_input_embeddings().weight.numel())
    packed = torch.nn.Module()
    packed.register_buffer("qweight", torch.zeros(32 // 8, 48, dtype=torch.int32))
    packed.register_buffer("scales", torch.zeros(1, 48, dtype=torch.float16))
    packed.register_buffer("cos_cached", torch.zeros(64, 16), persistent=False)
    model.model.layers[0].mlp.up_proj = packed
    assert bytes_a_token(model, 0) == before - 4 * 32 * 48 + 4 * 4 * 48 + 2 * 48


def test_memory_moves_at_a_rate_that_a_machine_can_have() -> None:
    assert 1e8 < bytes_a_second(torch.device("cpu")) < 1e13


def test_a_stop_comes_in_the_middle_of_reading_and_is_timed_to_the_end_of_the_reply() -> None:
    class Reading:
        def stream(self, request: Request, stop: threading.Event) -> Iterator[Finished]:
            self.reuses, began = request.reuse, time.monotonic()
            assert stop.wait(HANGS)
            self.waited = time.monotonic() - began
            time.sleep(0.15)
            yield Finished(Run(model=""))

    engine, began = Reading(), time.monotonic()
    seconds = stopped(engine, PromptMessage(Role.USER, "long"), 0.3)  # type: ignore[arg-type]
    assert 0.15 <= seconds < time.monotonic() - began - 0.25
    assert engine.waited > 0.25
    assert not engine.reuses


def test_a_slow_screen_shows_in_what_the_whole_program_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    display, seconds_a_drawing = App._display, 0.0

    def slow(app: App[None], *drawn: object) -> None:
        time.sleep(seconds_a_drawing)
        display(app, *drawn)  # type: ignore[arg-type]

    monkeypatch.setattr(App, "_display", slow)
    quick = through_app(ScriptedEngine(paced(0.01)), "Hello.", 60, 1)
    seconds_a_drawing = 0.4
    late = through_app(ScriptedEngine(paced(0.01)), "Hello.", 60, 1)
    assert late.drawn_seconds > max(0.3, quick.drawn_seconds)
    assert 0 < quick.app < 2 * quick.alone  # what the program cannot be is faster than the engine


def paced(seconds_a_delta: float) -> list[Reply]:
    return [Reply(["word "] * 60, seconds_a_delta=seconds_a_delta) for _ in range(4)]


def test_a_program_that_takes_its_time_with_each_text_has_a_lower_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append = Partial.append_text

    def slow(partial: Partial, text: str) -> None:
        time.sleep(0.03)
        append(partial, text)

    monkeypatch.setattr(Partial, "append_text", slow)
    through = through_app(ScriptedEngine(paced(0.01)), "Hello.", 60, 1)
    assert through.app < 0.75 * through.alone


def test_the_table_and_the_bars_say_what_was_measured() -> None:
    row = Row(512, 0.5, 0.05, 70, 0.03, 100.0, 0.6, 25.0, 200.0)
    text = "\n".join(in_words(INFO, "guide", [row], Through(100.0, 97.0, 0.05)))
    for words in ("500 ms", "50 ms", "30 ms", "100.0", "25.0", "200", "0.97 of the engine alone"):
        assert words in text
    bars = [line.count("█") for line in text.splitlines() if "█" in line]
    assert bars == [22, 6, 44]
