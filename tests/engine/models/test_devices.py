"""What there is to run a model on, and how much memory of it is free."""

import ctypes
from importlib import metadata
from pathlib import Path

import pytest
import torch

from qwen_tui.engine.models import amd, devices, nvml
from qwen_tui.engine.models.main_memory import Memory, main_memory

GB = 10**9


class FakeDriver:
    """NVML's functions over a list of GPUs: (uuid, name, total, free, capability)."""

    def __init__(self, *gpus: tuple[str, str, int, int, tuple[int, int]], fails: str = "") -> None:
        self.gpus = gpus
        self.fails = fails
        self.is_open = False

    def __getattribute__(self, name: str) -> object:
        if name.startswith("nvml") and object.__getattribute__(self, "fails") == name:
            return lambda *_: 999
        return object.__getattribute__(self, name)

    def nvmlInit_v2(self) -> int:
        self.is_open = True
        return 0

    def nvmlShutdown(self) -> int:
        self.is_open = False
        return 0

    def nvmlSystemGetDriverVersion(self, buffer, size) -> int:
        buffer.value = b"570.10"
        return 0

    def nvmlDeviceGetCount_v2(self, count) -> int:
        count._obj.value = len(self.gpus)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, handle) -> int:
        handle._obj.value = index.value + 1
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid, handle) -> int:
        for index, gpu in enumerate(self.gpus):
            if gpu[0] == uuid.decode():
                handle._obj.value = index + 1
                return 0
        return 6

    def nvmlDeviceGetUUID(self, handle, buffer, size) -> int:
        buffer.value = self.gpus[handle.value - 1][0].encode()
        return 0

    def nvmlDeviceGetName(self, handle, buffer, size) -> int:
        buffer.value = self.gpus[handle.value - 1][1].encode()
        return 0

    def nvmlDeviceGetMemoryInfo(self, handle, memory) -> int:
        _, _, memory._obj.total, memory._obj.free, _ = self.gpus[handle.value - 1]
        return 0

    def nvmlDeviceGetCudaComputeCapability(self, handle, major, minor) -> int:
        major._obj.value, minor._obj.value = self.gpus[handle.value - 1][4]
        return 0


def machine(**how: str) -> FakeDriver:
    return FakeDriver(
        ("GPU-aa11", "NVIDIA H200", 150 * GB, 20 * GB, (9, 0)),
        ("GPU-ab22", "NVIDIA H200", 150 * GB, 149 * GB, (9, 0)),
        ("GPU-cc33", "Tesla T4", 16 * GB, 15 * GB, (7, 5)),
        **how,
    )


@pytest.mark.parametrize(
    ("visible", "free"),
    [
        (None, [20, 149, 15]),
        ("", []),
        ("-1", []),
        ("2,0", [15, 20]),
        ("1,7,0", [149]),
        ("GPU-ab", [149]),
        ("GPU-a", []),
        ("MIG-0", []),
        ("1, 2", [149, 15]),
        ("what", []),
    ],
)
def test_the_gpus_are_those_that_cuda_would_see_in_its_order(visible: str | None, free: list[int]) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    seen = nvml.query(environment, machine())
    assert [gpu.free_bytes // GB for gpu in seen.gpus] == free
    assert seen.driver == "570.10"


def test_a_gpu_is_told_with_its_name_and_what_it_can_compute() -> None:
    driver = machine()
    t4 = nvml.query({}, driver).gpus[2]
    assert t4 == nvml.Gpu("Tesla T4", 16 * GB, 15 * GB, (7, 5))
    assert not driver.is_open


@pytest.mark.parametrize(
    "call",
    ["nvmlInit_v2", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetMemoryInfo"],
)
def test_a_driver_that_fails_is_a_machine_without_gpus(call: str) -> None:
    driver = machine(fails=call)
    assert nvml.query({}, driver).gpus == ()
    assert not driver.is_open


def test_the_structure_is_laid_out_as_the_driver_writes_it() -> None:
    assert ctypes.sizeof(nvml._Memory) == 24


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


MEMINFO = (
    "MemTotal:       16000000 kB\nMemFree:  100 kB\nMemAvailable:    9000000 kB\nHugepagesize: 2048 kB\n"
)


@pytest.mark.parametrize(
    ("groups", "cgroup", "free"),
    [
        ({}, "0::/", 9_000_000 * 1024),
        ({"memory.max": "max\n", "memory.current": "5\n"}, "0::/", 9_000_000 * 1024),
        ({"memory.max": "4000\n", "memory.current": "3000\n"}, "0::/", 1000),
        (
            {
                "memory.max": "4000\n",
                "memory.current": "3000\n",
                "memory.stat": "anon 5\ninactive_file 700\n",
            },
            "0::/",
            1700,
        ),
        ({"a/memory.max": "4000", "a/memory.current": "3900"}, "0::/a/b", 100),
        ({"a/memory.max": "4000", "a/memory.current": "5000"}, "0::/a/b", 0),
        (
            {"memory/x/memory.limit_in_bytes": "4000", "memory/x/memory.usage_in_bytes": "3500"},
            "5:cpu:/y\n4:memory,pids:/x",
            500,
        ),
        ({"memory.max": "garbage", "memory.current": ""}, "0::/../..", 9_000_000 * 1024),
    ],
)
def test_free_memory_is_what_the_machine_and_every_container_leave(
    tmp_path: Path, groups: dict[str, str], cgroup: str, free: int
) -> None:
    proc = write(tmp_path / "proc", {"meminfo": MEMINFO, "self/cgroup": cgroup})
    assert main_memory(proc, write(tmp_path / "cgroup", groups)).free == free


def test_without_proc_the_machines_memory_is_taken(tmp_path: Path) -> None:
    memory = main_memory(tmp_path, tmp_path)
    assert memory == Memory(memory.total, memory.total)
    assert memory.total > 0


def test_the_processor_is_always_there_and_told_as_torch_knows_it() -> None:
    cpu = devices.usable()[-1]
    capabilities = torch.cpu.get_capabilities()
    assert cpu.name == "cpu"
    assert 0 < cpu.free_bytes <= cpu.total_bytes
    assert cpu.has_bf16 == any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    assert devices.torch_is_for_cpu() == (torch.version.cuda is None)


# --- Other makers' GPUs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ({}, ["first", "AMD GPU"]),
        ({"HIP_VISIBLE_DEVICES": "1"}, ["AMD GPU"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
    ],
)
def test_the_gpus_of_amd_are_found_by_their_files(
    visible: dict[str, str], names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def card(number: int, address: str, vendor: str, **files: object) -> None:
        device = tmp_path / "pci" / address
        device.mkdir(parents=True)
        for name, content in {"vendor": vendor, **files}.items():
            (device / name).write_text(f"{content}\n")
        (tmp_path / f"card{number}").mkdir()
        (tmp_path / f"card{number}" / "device").symlink_to(device)

    card(0, "0000:41:00.0", "0x1002", mem_info_vram_total=24 * GB, mem_info_vram_used=GB)
    card(1, "0000:03:00.0", "0x1002", mem_info_vram_total=16 * GB, mem_info_vram_used=0, product_name="first")
    card(2, "0000:01:00.0", "0x8086")
    card(3, "0000:02:00.0", "0x1002", mem_info_vram_total="?")
    found = amd.gpus(visible, tmp_path)
    assert [gpu.name for gpu in found] == names
    if not visible:
        monkeypatch.setattr(metadata, "version", lambda _: "2.13.0+rocm7.1")
        monkeypatch.setattr(amd, "gpus", lambda: found)
        *accelerators, _ = devices.usable()
        assert [(each.name, each.free_bytes, each.has_bf16) for each in accelerators] == [
            ("cuda:0", 16 * GB, True), ("cuda:1", 23 * GB, True),
        ]  # fmt: skip


def test_a_macs_gpu_is_known_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(devices.platform, "machine", lambda: "arm64")
    for total, usable in ((24 * 2**30, 16 * 2**30), (64 * 2**30, 48 * 2**30)):
        monkeypatch.setattr(devices, "main_memory", lambda total=total: Memory(total, total))
        gpu = devices.mps()[0]
        assert (gpu.name, gpu.total_bytes, gpu.has_bf16) == ("mps", usable, False)
        assert [device.name for device in devices.usable()][-2:] == ["mps", "cpu"]
