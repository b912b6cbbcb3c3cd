"""A disk without room for a download: said before it begins where that can be known, else when it happens."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from huggingface_hub import file_download
from loopback_hub import LoopbackHub
from walking import files_below

from qwen_tui.engine.local.loading.hub_download import download
from qwen_tui.errors import QwenTuiError


class Usage(NamedTuple):
    free: int


def refused() -> QwenTuiError:
    with pytest.raises(QwenTuiError) as raised:
        download("me/tiny", lambda _: None, lambda: False, lambda _: None)
    return raised.value


def test_what_does_not_fit_is_not_begun(
    hub_here: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1000))
    error = refused()
    assert error.code == "engine.disk_full"
    assert "HF_HOME" in str(error)
    assert str(tmp_path / "hub") in str(error)
    assert not any("GET" in each and each.endswith(".safetensors") for each in hub_here.requests)


@pytest.mark.parametrize(
    "raised",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("IO Error: No space left on device (28)"),
    ],
)
def test_a_disk_that_is_full_midway_leaves_what_is_whole(
    raised: Exception, hub_here: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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

    before = len(hub_here.requests)
    folder = download("me/tiny", lambda _: None, lambda: False, lambda _: None)
    again = {
        request.rpartition("/")[2] for request in hub_here.requests[before:] if "GET /me/tiny/res" in request
    }
    assert again == {file.name for file in folder.iterdir()} - whole
