"""A disk without room for a download: said before it begins where that can be known, else when it happens."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from huggingface_hub import constants, file_download
from loopback_hub import LoopbackHub, loopback_hub
from walking import files_below

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.local.hub import download
from qwen_tui.engine.local.resolving import _check
from qwen_tui.errors import QwenTuiError


class Usage(NamedTuple):
    free: int


@pytest.fixture
def hub(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A hub that this process asks; the library reads its settings when it is imported."""
    with loopback_hub({"me/tiny": folders["qwen2"]}) as serving:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, serving.url)
        monkeypatch.setattr(constants, "ENDPOINT", serving.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", constants.DOWNLOAD_CHUNK_SIZE)
        yield serving


def refused() -> QwenTuiError:
    with pytest.raises(QwenTuiError) as raised:
        download("me/tiny", lambda _: None, lambda: False, lambda *_: None)
    return raised.value


def test_what_does_not_fit_is_not_begun(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1000))
    error = refused()
    assert error.code == "engine.disk_full"
    assert "HF_HOME" in str(error)
    assert str(tmp_path / "hub") in str(error)
    assert not any("GET" in each and each.endswith(".safetensors") for each in hub.requests)


@pytest.mark.parametrize(
    "raised",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("IO Error: No space left on device (28)"),
    ],
)
def test_a_disk_that_is_full_midway_leaves_what_is_whole(
    raised: Exception, hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = file_download.http_get

    def fills_the_disk(url: str, *arguments: Any, **named: Any) -> None:
        if url.endswith(".safetensors"):
            raise raised
        fetch(url, *arguments, **named)

    with monkeypatch.context() as full:
        full.setattr(file_download, "http_get", fills_the_disk)
        error = refused()
    assert error.code == "engine.disk_full_midway"
    assert "Free some space" in str(error)
    assert not files_below(tmp_path, pattern="*.incomplete")
    whole = {file.name for file in files_below(tmp_path, pattern="snapshots/*/*")}
    assert whole

    before = len(hub.requests)
    folder = download("me/tiny", lambda _: None, lambda: False, lambda *_: None)
    again = {request.rpartition("/")[2] for request in hub.requests[before:] if "GET /me/tiny/res" in request}
    assert again == {file.name for file in folder.iterdir()} - whole


def test_before_a_download_it_is_known_how_large_the_model_is(
    hub: LoopbackHub, folders: dict[str, Path]
) -> None:
    told: list[tuple[bool, int]] = []

    def check(folder: Path, weight_bytes: int) -> None:
        told.append(((folder / "config.json").exists(), weight_bytes))
        raise QwenTuiError("engine.does_not_fit")

    with pytest.raises(QwenTuiError):
        download("me/tiny", lambda _: None, lambda: False, check)
    assert told == [(True, (folders["qwen2"] / "model.safetensors").stat().st_size)]
    assert not any("GET" in each and each.endswith(".safetensors") for each in hub.requests)


def test_what_no_device_here_could_hold_is_refused_before_it_is_downloaded(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder, spec = folders["qwen2"], ModelSpec(model="me/tiny", device="cpu")
    _check(folder, (folder / "model.safetensors").stat().st_size, spec)
    with pytest.raises(QwenTuiError) as raised:
        _check(folder, 10**14, spec)
    assert raised.value.code.startswith("engine.does_not_fit")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (tmp_path / "config.json").write_text(json.dumps(config))
    _check(tmp_path, 10**14, spec)
