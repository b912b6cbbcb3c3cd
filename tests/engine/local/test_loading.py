"""A model folder to a model that can answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from loaded_models import loaded_from
from transformers import Qwen2Config

from qwen_tui.engine.base import LoadProgress, ModelSpec
from qwen_tui.engine.local.cpu_cores import usable_cores
from qwen_tui.engine.local.loading import load as loading
from qwen_tui.engine.local.loading import placement
from qwen_tui.engine.local.loading.choose_model import Resolved, resolve
from qwen_tui.engine.local.loading.load import Loaded, load
from qwen_tui.engine.local.loading.traits import context_window
from qwen_tui.engine.models import devices, size
from qwen_tui.engine.models.checkpoint import Checkpoint, inspect
from qwen_tui.engine.models.choices import GUIDE
from qwen_tui.engine.models.devices import Device
from qwen_tui.errors import QwenTuiError


def test_progress_covers_every_byte_of_the_weights(folders: dict[str, Path]) -> None:
    seen: list[LoadProgress] = []
    folder = folders["qwen2"]
    load(Resolved(folder, "tiny", str(folder)), ModelSpec(model=str(folder), device="cpu"), seen.append)
    total = inspect(folder).weight_bytes
    reading = [progress for progress in seen if progress.stage == "reading"]
    assert (reading[0].done, reading[-1].done) == (0, total)
    assert [p.done for p in reading] == sorted(p.done for p in reading)
    assert {progress.total for progress in reading} == {total}
    assert seen[-1].stage == "warming"
    assert {progress.name for progress in seen} == {"tiny"}


def test_what_was_loaded_is_told(qwen2: Loaded, folders: dict[str, Path]) -> None:
    info = qwen2.info
    assert (info.name, info.model) == ("qwen2", str(folders["qwen2"]))
    assert info.architecture == "Qwen2ForCausalLM"
    assert info.context_window == 512
    assert (info.quantization, info.dtype, info.device) == ("none", "float32", "cpu")
    assert info.sampling_defaults == {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20}
    assert info.memory_bytes >= info.parameters * 4
    assert 0 < info.ready_seconds < info.load_seconds


def test_kernels_that_are_waited_for_count_as_getting_ready(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def slow_compiling(*_: object) -> Iterator[None]:
        yield
        time.sleep(0.5)

    monkeypatch.setattr(loading, "compiling", slow_compiling)
    info = loaded_from(folders["qwen2"]).info
    assert 0.5 <= info.ready_seconds < info.load_seconds


def test_a_checkpoint_without_sampling_of_its_own_is_greedy(llama: Loaded) -> None:
    assert llama.info.sampling_defaults == {"do_sample": False}


@pytest.mark.parametrize("quantization", ["4bit", "8bit"])
def test_a_model_is_quantized_on_the_cpu_too(quantization: str, folders: dict[str, Path]) -> None:
    loaded = loaded_from(folders["qwen2"], quantization=quantization)
    kinds = {type(module).__name__ for module in loaded.model.modules()}
    assert ("Linear4bit" if quantization == "4bit" else "Linear8bitLt") in kinds
    assert loaded.info.quantization == quantization
    if quantization == "4bit":
        config = loaded.model.config.quantization_config
        assert (config.bnb_4bit_quant_type, config.bnb_4bit_use_double_quant) == ("nf4", True)
        assert config.bnb_4bit_compute_dtype == torch.float32


def test_a_checkpoint_that_was_saved_quantized_is_loaded_as_it_is(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    loaded = loaded_from(folders["qwen2"], quantization="4bit")
    loaded.model.save_pretrained(tmp_path)
    loaded.tokenizer.save_pretrained(tmp_path)
    again = loaded_from(tmp_path, quantization="auto")
    assert again.info.quantization == "4bit"
    assert again.info.parameters == loaded.info.parameters


def big(parameters: int, folder: Path = Path("/nowhere")) -> Checkpoint:
    sizes = {"model.embed_tokens.weight": parameters // 10 * 2, "model.layers.0": parameters // 10 * 18}
    return Checkpoint(folder, {"num_hidden_layers": 32, "hidden_size": 2048}, sizes, parameters, "BF16")


def cpu(free: int) -> tuple[Device, ...]:
    return (Device("cpu", "x86_64", free, free),)


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(QwenTuiError) as raised:
        placement.place(ModelSpec(device="mps:7"), big(10**7))
    assert raised.value.code == "engine.no_such_device"
    assert "cpu" in str(raised.value)


def test_a_model_that_nothing_has_room_for_is_refused_with_both_sizes() -> None:
    with pytest.raises(QwenTuiError) as raised:
        placement.place(ModelSpec(device="cpu", quantization="none"), big(10**13))
    assert raised.value.code == "engine.does_not_fit"
    needed = float(raised.value.parameters["needed_gb"])
    assert needed == pytest.approx(20_000, rel=0.01) or needed == pytest.approx(40_000, rel=0.01)


def test_auto_quantizes_only_what_does_not_fit_as_it_is() -> None:
    spec = ModelSpec(device="cpu")
    assert placement.place(spec, big(2 * 10**9), cpu(16 * 10**9)).quantization == "none"
    assert placement.place(spec, big(14 * 10**9), cpu(16 * 10**9)).quantization == "4bit"


def test_the_plan_is_carried_out_in_torchs_terms() -> None:
    gpus = tuple(Device(f"cuda:{index}", "GPU", 12 * 10**9, 12 * 10**9) for index in range(3))
    placed = placement.place(ModelSpec(quantization="none"), big(8 * 10**9), (*gpus, *cpu(10**12)))
    assert (placed.device, placed.device_map) == (torch.device("cuda:0"), "sequential")
    assert set(placed.max_memory) == {0, 1}
    assert 16 * 10**9 < sum(placed.max_memory.values()) < 24 * 10**9
    one = placement.place(ModelSpec(device="cuda:2"), big(2 * 10**9), gpus)
    assert (one.device_map, one.max_memory, one.dtype) == ({"": "cuda:2"}, {}, torch.bfloat16)
    assert placement.place(ModelSpec(device="cpu"), big(10**7), cpu(10**9)).dtype is torch.float32


def test_what_torch_sees_here_is_what_is_told_without_it() -> None:
    assert [device.name for device in placement.usable()] == [device.name for device in devices.usable()]


def test_a_window_that_memory_has_no_room_for_is_shortened(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders["qwen2"]
    weights = inspect(folder).weight_bytes
    monkeypatch.setattr(placement, "usable", lambda: cpu(weights + 400_000))
    with pytest.raises(QwenTuiError) as raised:
        loaded_from(folder)
    assert raised.value.code == "engine.does_not_fit"
    monkeypatch.setattr(placement, "usable", lambda: cpu(weights + 10**9))
    assert loaded_from(folder).info.context_window == 512


def test_a_stretched_window_counts_in_full() -> None:
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "rope_theta": 1e6}
    assert context_window(Qwen2Config(max_position_embeddings=32768, rope_parameters=yarn)) == 131072
    llama3 = {**yarn, "rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192,
              "low_freq_factor": 1.0, "high_freq_factor": 4.0}  # fmt: skip
    assert context_window(Qwen2Config(max_position_embeddings=131072, rope_parameters=llama3)) == 131072
    assert context_window(Qwen2Config(max_position_embeddings=4096)) == 4096


@pytest.mark.parametrize(
    ("rope_type", "factor", "original", "named", "window"),
    [
        ("llama3", 32.0, 8192, 131072, 131072),  # Llama-3.2 1B and 3B
        ("llama3", 8.0, 8192, 131072, 131072),  # Llama-3.1
        ("yarn", 4.0, 32768, 40960, 131072),  # Qwen3 as its model cards stretch it
        ("linear", 4.0, 16384, 16384, 16384),  # deepseek-coder, which names the length after stretching
        ("dynamic", 4.0, 4096, 4096, 4096),
        ("longrope", 64.0, 4096, 131072, 131072),
    ],
)
@pytest.mark.parametrize("key", ["rope_type", "type"])
def test_a_factor_stretches_the_window_only_where_it_is_a_length(
    key: str, rope_type: str, factor: float, original: int, named: int, window: int
) -> None:
    rope = {key: rope_type, "factor": factor, "original_max_position_embeddings": original}
    assert size.context_window({"max_position_embeddings": named, "rope_scaling": rope}) == window


def test_a_containers_share_of_the_cores_is_kept(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("50000 100000\n")
    assert usable_cores(quota) == 1
    quota.write_text("max 100000\n")
    assert usable_cores(quota) >= 1
    assert usable_cores(tmp_path / "absent") >= 1


def resolved(model: str | None) -> Resolved:
    return resolve(ModelSpec(model=model), lambda _: None, lambda: False)


def test_with_nothing_said_and_nothing_cached_it_is_the_guide_with_a_word_about_more() -> None:
    chosen = resolved(None)
    assert (chosen.name, chosen.note) == (GUIDE, "engine.note.guide")
    assert resolved(GUIDE).note == ""


def test_with_nothing_said_it_is_the_model_used_last_if_it_is_still_here(folders: dict[str, Path]) -> None:
    def chosen(*used: str) -> tuple[str, str]:
        found = resolve(ModelSpec(), lambda _: None, lambda: False, used=used)
        return found.model, found.note

    folder = str(folders["qwen2"])
    assert chosen(folder, GUIDE) == (folder, "engine.note.used_last")
    assert chosen(GUIDE, folder) == (GUIDE, "engine.note.used_last")
    assert chosen("/was/here/once", "Qwen/Qwen3-8B", "http://gpubox:8000", folder) == (folder, "")
    assert chosen("/was/here/once") == (GUIDE, "engine.note.guide")


def test_a_folder_can_be_named_in_any_way(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folders["qwen2"]
    monkeypatch.chdir(folder.parent)
    for name in (str(folder), "./qwen2", "qwen2", "../" + folder.parent.name + "/qwen2"):
        assert resolved(name).folder == folder
    monkeypatch.setenv("HOME", str(folder.parent))
    assert resolved("~/qwen2").folder == folder


@pytest.mark.parametrize("model", ["what is this", "a/b c", "\x1b[31mred"])
def test_what_cannot_be_a_name_is_refused(model: str) -> None:
    with pytest.raises(QwenTuiError) as raised:
        resolved(model)
    assert raised.value.code == "engine.not_a_name"
    assert "\x1b" not in str(raised.value)
