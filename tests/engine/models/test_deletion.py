"""Deleting a model from the hub's cache: all of it, nothing else, and never while it is being written."""

import fcntl
import shutil
from pathlib import Path

import pytest
import tiny_models

from qwen_tui.engine.models.cache_scan import cache_folder
from qwen_tui.engine.models.choices import GUIDE, named
from qwen_tui.engine.models.deletion import delete, repository_of
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.errors import QwenTuiError

MODEL = "me/tiny"


@pytest.fixture
def quantized(tmp_path: Path) -> QuantizedCache:
    return QuantizedCache(tmp_path / "quantized", 10**9, 0)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A model as the hub's library keeps it: two snapshots of links to blobs, and half a file."""
    repository = cache_folder() / "models--me--tiny"
    blobs = repository / "blobs"
    blobs.mkdir(parents=True)
    for revision in ("abc", "def"):
        (repository / "snapshots" / revision).mkdir(parents=True)
    for file in tiny_models.qwen2(tmp_path / "whole").iterdir():
        shutil.copy(file, blobs / f"hash-of-{file.name}")
        for revision in ("abc", "def"):
            (repository / "snapshots" / revision / file.name).symlink_to(blobs / f"hash-of-{file.name}")
    (blobs / "aaaa.1.incomplete").write_bytes(b"x" * 1000)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    (cache_folder() / ".locks" / repository.name).mkdir(parents=True)
    (cache_folder() / ".locks" / repository.name / "aaaa.lock").touch()
    return repository


def code_of(model: str) -> str:
    with pytest.raises(QwenTuiError) as raised:
        repository_of(named(model))
    return raised.value.code


def test_all_of_it_goes_and_the_freed_bytes_are_those_that_were_shown(
    repository: Path, quantized: QuantizedCache
) -> None:
    choice = named(MODEL)
    assert choice.local is not None
    other = cache_folder() / "models--me--other"
    shutil.copytree(repository, other, symlinks=True)
    assert repository_of(choice) == repository
    assert delete(repository, quantized) == choice.local.disk_bytes
    assert not repository.exists()
    assert [each.name for each in (cache_folder() / ".locks").iterdir()] == []
    assert named(MODEL).local is None
    assert other.exists()


def test_what_was_quantized_from_it_goes_too(
    repository: Path, quantized: QuantizedCache, tmp_path: Path
) -> None:
    for number, source in enumerate((repository / "snapshots" / "abc", tmp_path / "whole")):
        folder = quantized.new_folder()
        (folder / "model.safetensors").write_bytes(b"x" * 500)
        quantized.add(folder, "tiny", str(number), source, "these files")
    taken = quantized.taken_bytes()
    choice = named(MODEL)
    assert choice.local is not None
    freed = delete(repository, quantized)
    (left,) = quantized.entries()
    assert left.source == str(tmp_path / "whole")
    assert freed == choice.local.disk_bytes + taken - quantized.taken_bytes()


@pytest.mark.parametrize("name", ["aaaa.lock", "qwen-tui-1.unfinished"])
def test_while_it_is_downloaded_it_stays(repository: Path, quantized: QuantizedCache, name: str) -> None:
    lock = cache_folder() / ".locks" / repository.name / name
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(QwenTuiError) as raised:
            delete(repository, quantized)
    assert raised.value.code == "models.being_downloaded"
    assert named(MODEL).is_here
    delete(repository, quantized)


def test_only_what_the_cache_holds_can_be_deleted(repository: Path, tmp_path: Path) -> None:
    assert code_of(GUIDE) == "models.delete_guide"
    assert code_of("me/absent") == "models.nothing_to_delete"
    assert code_of(str(tmp_path / "whole")) == "models.own_folder"
    assert repository_of(named(str(repository / "snapshots" / "abc"))) == repository
    snapshot = tmp_path / "models--me--mine" / "snapshots" / "abc"
    shutil.copytree(tmp_path / "whole", snapshot)
    assert code_of(str(snapshot)) == "models.own_folder"


def test_what_else_is_in_its_folder_or_behind_a_link_stays(
    repository: Path, quantized: QuantizedCache, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "disk"
    repository.rename(elsewhere)
    repository.symlink_to(elsewhere)
    (elsewhere / "notes.txt").write_text("mine")
    (elsewhere / "refs").rename(tmp_path / "refs")
    (elsewhere / "refs").symlink_to(tmp_path / "refs")
    assert delete(repository, quantized) > 1000
    assert [file.name for file in elsewhere.iterdir()] == ["notes.txt"]
    assert (tmp_path / "refs" / "main").exists()
    assert not repository.is_symlink()
