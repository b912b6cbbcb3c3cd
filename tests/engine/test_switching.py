"""Whether a second model may come while the first one stays: by both sizes and what is free."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny_models
from doubles import INFO

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.models import fits_beside as switching
from qwen_tui.engine.models.checkpoint import inspect
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import OUTSIDE_BYTES
from qwen_tui.engine.models.fits_beside import WORKER_BYTES, fits_beside
from qwen_tui.engine.models.size import size_of

GB = 10**9
ON_GPU = replace(INFO, device="cuda:0", memory_bytes=5 * GB)
ON_CPU = replace(INFO, device="cpu", memory_bytes=5 * GB)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_models.qwen2(tmp_path / "tiny")


def gpu(free: float, total: float = 24, index: int = 0) -> Device:
    return Device(f"cuda:{index}", "GPU", int(total * GB), int(free * GB), True, 4096)


def cpu(free: float, total: float = 64) -> Device:
    return Device("cpu", "x86_64", int(total * GB), int(free * GB), True, 256)


def beside(folder: Path, loaded, *devices: Device, **spec: str) -> bool:
    return fits_beside(ModelSpec(model=str(folder), **spec), folder, loaded, devices)


def test_both_stay_where_there_is_room_for_both(folder: Path) -> None:
    assert beside(folder, ON_GPU, gpu(10), cpu(30))
    assert beside(folder, ON_CPU, cpu(30))


def test_the_first_makes_room_where_there_is_none_for_both(folder: Path) -> None:
    assert not beside(folder, ON_GPU, gpu(0.5), cpu(30), device="cuda")
    assert not beside(folder, ON_CPU, cpu(WORKER_BYTES / GB))


def test_a_model_on_another_gpu_is_not_in_the_way(folder: Path) -> None:
    assert beside(folder, ON_GPU, gpu(0.1), gpu(20, index=1), cpu(30))


def test_the_second_process_needs_main_memory_too(folder: Path) -> None:
    assert beside(folder, ON_GPU, gpu(10), cpu(3))
    assert not beside(folder, ON_GPU, gpu(10), cpu(1))


def test_it_is_not_squeezed_in_with_less_context_or_in_fewer_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = size_of(inspect(tiny_models.qwen2(tmp_path / "tiny")))
    seven = replace(
        size,
        parameters=7_600_000_000,
        kept_parameters=1_000_000_000,
        layers=28,
        kv_values=2 * 28 * 4 * 128,
        context_window=32_768,
        widest=3584 + 18944,
        query_values=3584,
    )
    monkeypatch.setattr(switching, "size_of", lambda _: seven)
    # Alone in bf16 with its whole window; with the other there it would be 4 bits, or a shorter window.
    for free in (12, 17.5):
        assert not beside(tmp_path / "tiny", replace(ON_GPU, memory_bytes=14 * GB), gpu(free, 40), cpu(60))
    assert beside(tmp_path / "tiny", replace(ON_GPU, memory_bytes=5 * GB), gpu(34, 40), cpu(60))


def test_freeing_the_first_is_left_when_it_would_be_in_vain(folder: Path, tmp_path: Path) -> None:
    assert beside(tmp_path / "nothing", ON_GPU, gpu(0.1), cpu(30))
    assert beside(folder, ON_GPU, gpu(0.1, OUTSIDE_BYTES / GB), cpu(30), device="cuda")
    assert beside(folder, ON_GPU, gpu(0.1), cpu(30), device="cuda:7")


def test_a_server_takes_nothing_here(folder: Path) -> None:
    assert beside(folder, replace(INFO, server="http://gpubox:8000", device="gpubox"), cpu(0.1))
