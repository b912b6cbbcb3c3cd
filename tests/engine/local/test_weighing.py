"""Whether a model on the hub fits is known before its weights are downloaded, as exactly as afterwards."""

import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from loopback_hub import LoopbackHub
from walking import files_below

from qwen_tui.engine.base import ModelInfo, ModelSpec
from qwen_tui.engine.local.loading import placement
from qwen_tui.engine.local.loading.choose_model import resolve
from qwen_tui.engine.local.loading.hub_download import download
from qwen_tui.engine.local.loading.hub_weights_size import weigh
from qwen_tui.engine.models.checkpoint import INDEX, WEIGHTS, inspect
from qwen_tui.engine.models.devices import Device
from qwen_tui.errors import QwenTuiError

SPEC = ModelSpec(model="me/tiny", device="cpu")

LOADED = ModelInfo(
    name="other",
    model="me/other",
    architecture="Qwen2ForCausalLM",
    parameters=1,
    context_window=512,
    quantization="none",
    dtype="bfloat16",
    device="cuda:0",
    memory_bytes=30_000_000_000,
)


@pytest.fixture
def tiny(hub_here: LoopbackHub, folders: dict[str, Path], tmp_path: Path) -> Path:
    """The repository `me/tiny`, to be changed."""
    folder = tmp_path / "repository"
    shutil.copytree(folders["qwen2"], folder)
    hub_here.repositories["me/tiny"] = folder
    return folder


def claims(file: Path, gigabytes: int) -> None:
    """Make it a weight file whose header tells of so much, in bf16."""
    tensor = {
        "dtype": "BF16",
        "shape": [gigabytes, 500_000_000],
        "data_offsets": [0, gigabytes * 1_000_000_000],
    }
    header = json.dumps({f"{file.stem}.weight": tensor}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(100))


def outcome(spec: ModelSpec = SPEC, freed: ModelInfo | None = None) -> str:
    """The code of what was refused, or nothing."""
    try:
        resolve(spec, lambda _: None, lambda: False, freed)
    except QwenTuiError as error:
        return error.code
    return ""


def fetched(tmp_path: Path) -> set[str]:
    return {file.name for file in files_below(tmp_path / "hub", pattern="snapshots/*/*")}


def gpu(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    device = Device("cuda:0", "GPU", 80_000_000_000, free * 1_000_000_000)
    monkeypatch.setattr(placement, "usable", lambda: (device,))


def test_what_is_too_large_is_refused_before_more_than_its_headers_are_fetched(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims(tiny / WEIGHTS, 4000)
    gpu(monkeypatch, free=79)
    spec = replace(SPEC, device="auto")
    assert outcome(spec) == "engine.does_not_fit_packed"
    assert fetched(tmp_path) == {"config.json"}
    claims(tiny / WEIGHTS, 100)
    assert outcome(replace(spec, quantization="none")) == "engine.does_not_fit"
    assert fetched(tmp_path) == {"config.json"}


def test_what_fits_only_in_4_bits_or_only_just_is_downloaded(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims(tiny / WEIGHTS, 100)
    gpu(monkeypatch, free=79)
    assert outcome(replace(SPEC, device="auto")) == ""
    assert WEIGHTS in fetched(tmp_path)


def test_the_model_that_will_make_room_is_counted_as_gone(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims(tiny / WEIGHTS, 60)
    gpu(monkeypatch, free=40)
    spec = replace(SPEC, device="auto", quantization="none")
    assert outcome(spec) == "engine.does_not_fit"
    assert outcome(spec, LOADED) == ""


def test_the_shards_of_the_index_are_weighed_and_nothing_beside_them(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny / WEIGHTS).unlink()
    shards = [f"model-{n}-of-3.safetensors" for n in (1, 2, 3)]
    for shard in shards:
        claims(tiny / shard, 20)
    claims(tiny / "consolidated.safetensors", 60)
    (tiny / INDEX).write_text(json.dumps({"weight_map": {shard: shard for shard in shards}}))
    spec = replace(SPEC, device="auto", quantization="none")
    gpu(monkeypatch, free=55)
    assert outcome(spec) == "engine.does_not_fit"
    assert fetched(tmp_path) == {"config.json", INDEX}
    gpu(monkeypatch, free=75)
    assert outcome(spec) == ""
    assert fetched(tmp_path) >= set(shards)


def test_it_is_the_same_as_what_is_found_after_the_download(hub_here: LoopbackHub) -> None:
    weighed: list[Any] = []
    folder = download(
        "me/tiny", lambda _: None, lambda: False, lambda folder: weighed.append(weigh("me/tiny", folder))
    )
    assert weighed == [inspect(folder)]


@pytest.mark.parametrize("content", [b"", b"1234", b"\xff" * 4000, struct.pack("<Q", 9_000_000) + b"{"])
def test_where_the_headers_tell_nothing_the_download_goes_on(content: bytes, tiny: Path) -> None:
    (tiny / WEIGHTS).write_bytes(content)
    resolved = resolve(SPEC, lambda _: None, lambda: False)
    assert (resolved.folder / WEIGHTS).read_bytes() == content


def test_a_hub_that_stalls_in_the_middle_of_a_header_does_not_hold_the_download_up(
    hub_here: LoopbackHub, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny / WEIGHTS).write_bytes(struct.pack("<Q", 100_000) + bytes(100_000))
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.2)
    hub_here.slow.set()
    assert weigh("me/tiny", tiny) is None


def test_what_was_saved_quantized_is_taken_as_it_is(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads((tiny / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (tiny / "config.json").write_text(json.dumps(config))
    claims(tiny / WEIGHTS, 60)
    gpu(monkeypatch, free=50)
    assert outcome(replace(SPEC, device="auto")) == "engine.does_not_fit_packed"
    gpu(monkeypatch, free=70)
    assert outcome(replace(SPEC, device="auto")) == ""
