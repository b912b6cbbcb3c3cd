"""Weights that were quantized once are kept, and read the next time."""

import fcntl
import json
import logging
import os
import shutil
import struct
import threading
import weakref
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_models
import torch
from safetensors import safe_open
from waiting import wait_for

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import (
    Finished,
    LoadProgress,
    ModelSpec,
    PromptMessage,
    Request,
    Sampling,
    TextDelta,
)
from qwen_tui.engine.local.loading import placement, quantized_weights
from qwen_tui.engine.local.loading.choose_model import Resolved
from qwen_tui.engine.local.loading.load import Loaded, load
from qwen_tui.engine.models.checkpoint import WEIGHTS, inspect
from qwen_tui.engine.models.quantized_cache import ENTRY, WRITING, QuantizedCache
from qwen_tui.engine.opening import open_engine


@pytest.fixture
def cache(tmp_path: Path) -> QuantizedCache:
    return QuantizedCache(tmp_path / "quantized", 10**9, least_free_bytes=0)


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A model of the test's own."""
    return Path(shutil.copytree(folders["qwen2"], tmp_path / "own"))


def load_with(cache: QuantizedCache, folder: Path, form: str = "4bit") -> tuple[Loaded, list[LoadProgress]]:
    seen: list[LoadProgress] = []
    spec = ModelSpec(model=str(folder), device="cpu", quantization=form)
    return load(Resolved(folder, folder.name, str(folder)), spec, seen.append, cache), seen


def keep(cache: QuantizedCache, folder: Path, form: str = "4bit") -> Loaded:
    """Load and take all the steps that were put off."""
    loaded, _ = load_with(cache, folder, form)
    deque(loaded.saving, 0)
    return loaded


def stages(seen: list[LoadProgress]) -> set[str]:
    return {progress.stage for progress in seen} - {"warming"}


def logits(loaded: Loaded) -> torch.Tensor:
    with torch.no_grad():
        return loaded.model(torch.arange(3, 40)[None]).logits


def greedy(loaded: Loaded) -> list[int]:
    ids = torch.arange(3, 20)[None]
    return loaded.model.generate(ids, max_new_tokens=40, do_sample=False, pad_token_id=0)[0].tolist()


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        *((kind, form) for kind in ("qwen2", "qwen3", "llama", "qwen3_moe") for form in ("4bit", "8bit")),
        ("qwen3_next", "8bit"),  # in 4 bits bitsandbytes takes no layer as narrow as this one's on a CPU
    ],
)
def test_a_model_from_the_cache_gives_the_same_tokens(
    kind: str, form: str, cache: QuantizedCache, folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = folders[kind] if kind in folders else getattr(tiny_models, kind)(tmp_path / kind)
    first = keep(cache, folder, form)
    again, seen = load_with(cache, folder, form)
    assert stages(seen) == {"reading"}
    assert torch.equal(logits(first), logits(again))
    assert greedy(first) == greedy(again)
    kinds = {type(module).__name__ for module in again.model.modules()}
    assert ("Linear4bit" if form == "4bit" else "Linear8bitLt") in kinds
    for name in (
        "parameters",
        "quantization",
        "dtype",
        "context_window",
        "memory_bytes",
        "sampling_defaults",
    ):
        assert getattr(again.info, name) == getattr(first.info, name), name


def test_bf16_on_a_processor_that_packs_weights_anew_comes_back_the_same(
    cache: QuantizedCache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = placement.place
    monkeypatch.setattr(placement, "place", lambda *given: replace(placed(*given), dtype=torch.bfloat16))
    first = keep(cache, folder)
    assert torch.equal(logits(first), logits(load_with(cache, folder)[0]))


def test_progress_from_the_cache_covers_all_of_its_bytes(cache: QuantizedCache, folder: Path) -> None:
    keep(cache, folder)
    _, seen = load_with(cache, folder)
    total = inspect(cache.entries()[0].folder).weight_bytes
    reading = [progress for progress in seen if progress.stage == "reading"]
    assert {progress.total for progress in reading} == {total}
    assert [p.done for p in reading] == sorted(p.done for p in reading)
    assert reading[-1].done == total < inspect(folder).weight_bytes


def test_a_file_of_weights_is_one_that_the_library_reads(cache: QuantizedCache, folder: Path) -> None:
    loaded, _ = load_with(cache, folder)
    state = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
    deque(loaded.saving, 0)
    assert {each.stat().st_mode & 0o077 for each in (cache.folder, *cache.folder.rglob("*"))} == {0}
    with safe_open(cache.entries()[0].folder / WEIGHTS, "pt") as file:
        assert set(file.keys()) == set(state) - {"lm_head.weight"}
        name = "model.embed_tokens.weight"
        assert torch.equal(file.get_tensor(name), state[name])


def test_on_a_gpu_the_weights_are_looked_up_when_they_are_written_and_not_held_until_then(
    cache: QuantizedCache, folder: Path
) -> None:
    spec = ModelSpec(model=str(folder), device="cpu", quantization="4bit")
    model = load(Resolved(folder, folder.name, str(folder)), spec, lambda _: None).model
    checkpoint = inspect(folder)
    kept = quantized_weights.kept(cache, folder.name, checkpoint, placement.place(spec, checkpoint))
    assert kept is not None
    saving = replace(kept, device=torch.device("cuda")).save(model)
    weight = weakref.ref(model.get_input_embeddings().weight)
    model.set_input_embeddings(torch.nn.Embedding(3, 4))
    model.tie_weights()
    assert weight() is None
    deque(saving, 0)
    with safe_open(cache.entries()[0].folder / WEIGHTS, "pt") as file:
        assert file.get_tensor("model.embed_tokens.weight").shape == (3, 4)


# --- What makes it another entry --------------------------------------------------------------------------


def test_changed_weights_are_quantized_anew_and_what_was_kept_of_them_goes(
    cache: QuantizedCache, folder: Path
) -> None:
    keep(cache, folder)
    before = cache.entries()
    weights = folder / WEIGHTS
    data = bytearray(weights.read_bytes())
    data[-4:] = struct.pack("<f", 0.5)
    weights.write_bytes(data)
    loaded, seen = load_with(cache, folder)
    assert stages(seen) == {"quantizing"}
    deque(loaded.saving, 0)
    assert [entry.folder for entry in cache.entries()] != [entry.folder for entry in before]
    assert len(cache.entries()) == 1


@pytest.mark.parametrize("change", ["time", "config", "form", "dtype", "bitsandbytes", "transformers"])
def test_whatever_matters_makes_another_key(
    change: str, cache: QuantizedCache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(cache, folder)
    form = "8bit" if change == "form" else "4bit"
    if change == "time":
        os.utime(folder / WEIGHTS, (1, 1))
    if change == "config":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-3}))
    if change == "dtype":
        placed = placement.place
        monkeypatch.setattr(placement, "place", lambda *given: replace(placed(*given), dtype=torch.bfloat16))
    if change in ("bitsandbytes", "transformers"):
        version = quantized_weights.metadata.version
        monkeypatch.setattr(
            quantized_weights.metadata, "version", lambda name: "9.9" if name == change else version(name)
        )
    assert stages(load_with(cache, folder, form)[1]) == {"quantizing"}


def test_what_is_not_quantized_or_hardly_smaller_is_not_kept(
    cache: QuantizedCache, folder: Path, tmp_path: Path
) -> None:
    keep(cache, folder, "none")
    keep(cache, tiny_models.qwen3_moe(tmp_path / "moe", mlp_only_layers=[], moe_intermediate_size=256))
    assert cache.entries() == []


# --- What is not whole ------------------------------------------------------------------------------------


def cut_off(entry: Path) -> None:
    with (entry / WEIGHTS).open("r+b") as file:
        file.truncate(5000)


def garbage(entry: Path) -> None:
    data = (entry / WEIGHTS).read_bytes()
    (entry / WEIGHTS).write_bytes(b"\xff" * 4096 + data[4096:])


def without_weights(entry: Path) -> None:
    (entry / WEIGHTS).unlink()


def without_config(entry: Path) -> None:
    (entry / "config.json").unlink()


def without_a_tensor(entry: Path) -> None:
    data = (entry / WEIGHTS).read_bytes()
    (entry / WEIGHTS).write_bytes(data.replace(b"model.norm.weight", b"model.nose.weight"))


def strange_entry(entry: Path) -> None:
    (entry / ENTRY).write_text("[1, 2]")


@pytest.mark.parametrize(
    "damage", [cut_off, garbage, without_weights, without_config, without_a_tensor, strange_entry]
)
def test_a_damaged_entry_is_dropped_with_a_word_in_the_log_and_the_model_quantized_again(
    damage, cache: QuantizedCache, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = keep(cache, folder)
    entry = cache.entries()[0].folder
    damage(entry)
    with caplog.at_level(logging.WARNING):
        again, seen = load_with(cache, folder)
    assert stages(seen) >= {"quantizing"}
    assert not entry.exists()
    assert "dropped" in caplog.text
    assert torch.equal(logits(first), logits(again))
    deque(again.saving, 0)
    assert stages(load_with(cache, folder)[1]) == {"reading"}


def test_a_save_that_is_broken_off_leaves_nothing_that_is_found(cache: QuantizedCache, folder: Path) -> None:
    loaded, _ = load_with(cache, folder)
    next(loaded.saving)
    assert [each.name.startswith(WRITING) for each in cache.folder.iterdir()] == [True]
    assert cache.entries() == []
    loaded.saving.close()
    assert list(cache.folder.iterdir()) == []


def test_what_a_dead_writer_left_is_swept_and_what_a_live_one_writes_is_not(
    cache: QuantizedCache, folder: Path
) -> None:
    dead, alive = cache.new_folder(), cache.new_folder()
    (dead / WEIGHTS).write_bytes(b"half")
    with (alive / WEIGHTS).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        keep(cache, folder)
        assert not dead.exists()
        assert cache.clear() > 0
        assert alive.exists()
    cache.clear()
    assert not alive.exists()


def test_a_disk_that_is_full_costs_the_entry_and_nothing_else(
    cache: QuantizedCache, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, _ = load_with(cache, folder)
    monkeypatch.setattr(quantized_weights.os, "fsync", _no_room)
    deque(loaded.saving, 0)
    assert list(cache.folder.iterdir()) == []
    assert "not kept" in caplog.text
    assert greedy(loaded)


def _no_room(_: int) -> None:
    raise OSError(28, "No space left on device")


# --- Room -------------------------------------------------------------------------------------------------


def test_the_longest_unused_entry_makes_room(
    cache: QuantizedCache, folders: dict[str, Path], folder: Path
) -> None:
    for at, each in enumerate((folder, folders["base"])):
        keep(cache, each)
        os.utime(cache.entries()[0].folder / ENTRY, (at + 1, at + 1))
    load_with(cache, folder)  # now it is the other that was not used for longest
    keep(cache._replace(most_bytes=cache.taken_bytes() + 10_000), folders["qwen2"])
    assert {entry.name for entry in cache.entries()} == {folder.name, "qwen2"}


@pytest.mark.parametrize("most_bytes", [0, 1000])
def test_what_is_larger_than_the_cache_may_be_is_not_kept_and_nothing_goes_for_it(
    most_bytes: int, cache: QuantizedCache, folders: dict[str, Path], folder: Path
) -> None:
    keep(cache, folder)
    keep(cache._replace(most_bytes=most_bytes), folders["qwen3"])
    assert [entry.name for entry in cache.entries()] == [folder.name]


def test_with_no_room_at_all_given_nothing_is_used_either(cache: QuantizedCache, folder: Path) -> None:
    keep(cache, folder)
    assert stages(load_with(cache._replace(most_bytes=0), folder)[1]) == {"quantizing"}


def test_the_disk_is_not_filled_up(cache: QuantizedCache, folder: Path) -> None:
    keep(cache._replace(least_free_bytes=10**18), folder)
    assert cache.entries() == []


def test_clearing_says_how_many_bytes_and_leaves_what_is_not_ours(
    cache: QuantizedCache, folder: Path
) -> None:
    keep(cache, folder)
    (cache.folder / "notes").mkdir()
    (cache.folder / "notes" / "mine.txt").write_text("mine")
    taken = cache.taken_bytes()
    assert taken == sum(file.stat().st_size for file in cache.entries()[0].folder.iterdir())
    assert cache.clear() == taken
    assert [each.name for each in cache.folder.iterdir()] == ["notes"]


# --- In the worker ----------------------------------------------------------------------------------------


def test_a_worker_keeps_them_when_nothing_is_asked_and_the_next_one_reads_them(
    cache: QuantizedCache, folders: dict[str, Path], log_file: Path
) -> None:
    def open_one() -> tuple[str, set[str]]:
        seen: list[LoadProgress] = []
        spec = ModelSpec(model=str(folders["qwen2"]), device="cpu", quantization="4bit")
        engine = open_engine(spec, log_file, seen.append, threading.Event(), quantized=cache)
        try:
            request = Request(
                messages=(PromptMessage(Role.USER, "hello"),),
                sampling=Sampling(greedy=True, max_new_tokens=20),
            )
            events = list(engine.stream(request, threading.Event()))
            assert isinstance(events[-1], Finished)
            wait_for(cache.entries, 60)
        finally:
            engine.close()
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        return text, {progress.stage for progress in seen}

    first, first_stages = open_one()
    again, again_stages = open_one()
    assert first == again
    assert "quantizing" in first_stages
    assert "quantizing" not in again_stages
    assert "reading" in again_stages
