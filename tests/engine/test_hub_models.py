"""Models on the hub: downloaded when they are asked for by name, found in the cache, refused in words."""

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
from huggingface_hub.utils import WeakFileLock
from loopback_hub import COMMIT, LoopbackHub, loopback_hub
from waiting import HANGS, wait_for
from walking import files_below

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec
from qwen_tui.engine.local.loading.partial_downloads import noted
from qwen_tui.engine.opening import open_engine, start_worker
from qwen_tui.engine.wire import Answer, Load
from qwen_tui.engine.worker import Worker
from qwen_tui.errors import QwenTuiError


@pytest.fixture
def hub(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    only_bin = tmp_path / "only-bin"
    shutil.copytree(folders["qwen2"], only_bin)
    (only_bin / "model.safetensors").rename(only_bin / "pytorch_model.bin")
    names = {"me/tiny": folders["qwen2"], "me/gated": folders["qwen2"], "me/bin": only_bin}
    with loopback_hub(names) as serving:
        serving.gated.add("me/gated")
        monkeypatch.setenv("HF_ENDPOINT", serving.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield serving


@pytest.fixture(scope="module")
def asking(log_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoopbackHub, Worker]]:
    """A hub without models, and a worker that asks it, for all tests that do with one: a start takes seconds."""
    with loopback_hub({}) as serving:
        with pytest.MonkeyPatch.context() as environment:
            for name in ("HOME", "XDG_CACHE_HOME", "HF_HOME"):
                environment.setenv(name, str(tmp_path_factory.mktemp("home")))
            for name in ("HF_TOKEN", "HF_HUB_CACHE"):
                environment.delenv(name, raising=False)
            environment.setenv("HF_ENDPOINT", serving.url)
            environment.setenv("HF_HUB_OFFLINE", "0")
            environment.setenv("HF_HUB_DISABLE_XET", "1")
            worker = start_worker(log_file)
        yield serving, worker
        worker.end()


@pytest.fixture
def shared(asking: tuple[LoopbackHub, Worker]) -> Iterator[tuple[LoopbackHub, Worker]]:
    """The same, as if nothing had been asked: what a test asks for, it puts there under a name of its own."""
    hub, _ = asking
    hub.requests.clear()
    yield asking
    hub.repositories.clear()
    hub.delays = repeat(0.0)
    hub.refuses_with = 0


def load(worker: Worker, model: str, seconds: float = 60) -> tuple[list[LoadProgress], Answer]:
    """Ask a worker for a model; a refusal does not end it as `open_engine` would."""
    asked = worker.ask(Load(ModelSpec(model=model, device="cpu")))
    progress: list[LoadProgress] = []
    while isinstance(answer := asked.next(seconds), LoadProgress):
        progress.append(answer)
    assert answer is not None
    return progress, answer


def code_of(answer: Answer) -> str:
    assert isinstance(answer, QwenTuiError)
    return answer.code


@pytest.mark.usefixtures("plain_start")
def test_a_model_is_downloaded_once_and_then_found_without_a_request(
    hub: LoopbackHub, folders: dict[str, Path], log_file: Path
) -> None:
    worker = start_worker(log_file)
    assert code_of(load(worker, "me/nothing")[1]) == "engine.not_on_hub"
    assert code_of(load(worker, "me/gated")[1]) == "engine.gated"
    assert code_of(load(worker, "me/bin")[1]) == "engine.not_safetensors"

    progress, info = load(worker, "me/tiny")
    assert isinstance(info, ModelInfo)
    assert (info.name, info.model, info.revision) == ("tiny", "me/tiny", COMMIT)
    downloading = [step for step in progress if step.stage == "downloading"]
    total = sum(file.stat().st_size for file in folders["qwen2"].iterdir() if file.name != "config.json")
    assert {step.total for step in downloading} == {total}
    assert (downloading[0].done, downloading[-1].done) == (0, total)
    assert downloading == sorted(downloading, key=lambda step: step.done)

    asked = len(hub.requests)
    assert isinstance(load(worker, "me/tiny")[1], ModelInfo)
    assert len(hub.requests) == asked
    assert not any("gated/resolve" in request and "GET" in request for request in hub.requests)
    worker.end()


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"model_type": "vit", "architectures": ["ViTModel"]}, "engine.embeds"),
        ({"model_type": "qwen99", "transformers_version": "9.1.0"}, "engine.too_new"),
        ({"model_type": "mine", "auto_map": {"AutoModelForCausalLM": "mine.M"}}, "engine.remote_code_wanted"),
        ([], "engine.bad_config"),
    ],
)
def test_what_could_not_be_used_is_not_downloaded(
    config: object,
    code: str,
    shared: tuple[LoopbackHub, Worker],
    folders: dict[str, Path],
    tmp_path: Path,
) -> None:
    hub, worker = shared
    shutil.copytree(folders["qwen2"], tmp_path / "other")
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    hub.repositories[f"me/{code}"] = tmp_path / "other"
    assert code_of(load(worker, f"{hub.url}/me/{code}")[1]) == code
    fetched = {each.rpartition("/")[2] for each in hub.requests if each.startswith(f"GET /me/{code}/resolve")}
    assert fetched == {"config.json"}


def test_only_the_weights_that_the_index_names_are_downloaded(
    shared: tuple[LoopbackHub, Worker], folders: dict[str, Path], tmp_path: Path
) -> None:
    hub, worker = shared
    shutil.copytree(folders["qwen2"], source := tmp_path / "parts")
    shard = "model-00001-of-00001.safetensors"
    (source / "model.safetensors").rename(source / shard)
    (source / "consolidated.safetensors").write_bytes(b"the same in another form")
    hub.repositories |= dict.fromkeys(("me/no-index", "me/short", "me/parts"), source)  # one commit for ever
    assert "model.safetensors.index.json" in str(load(worker, "me/no-index")[1])
    index = source / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": shard, "b": "model-00002-of-00002.safetensors"}}))
    assert code_of(load(worker, "me/short")[1]) == "engine.weights_missing"
    assert not any(each.startswith("GET") and each.endswith(".safetensors") for each in hub.requests)
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"a": shard}}))
    progress, info = load(worker, "me/parts")
    assert isinstance(info, ModelInfo)
    assert not any("consolidated" in each for each in hub.requests)
    downloading = [step for step in progress if step.stage == "downloading"]
    assert downloading[-1].done == downloading[-1].total
    assert downloading[-1].files_done == downloading[-1].files == len(list(source.iterdir())) - 1


def test_for_a_device_that_is_not_there_nothing_is_downloaded(
    shared: tuple[LoopbackHub, Worker], folders: dict[str, Path]
) -> None:
    hub, worker = shared
    hub.repositories["me/elsewhere"] = folders["qwen2"]
    asked = worker.ask(Load(ModelSpec(model="me/elsewhere", device="tpu")))
    while isinstance(answer := asked.next(60), LoadProgress):
        pass
    assert answer is not None
    assert code_of(answer) == "engine.no_such_device"
    assert hub.requests
    assert not any(each.endswith(".safetensors") for each in hub.requests)


def test_a_download_stops_at_once_and_leaves_no_unfinished_file(
    hub: LoopbackHub, log_file: Path, home_of_its_own: Path
) -> None:
    hub.slow.set()
    stop = threading.Event()

    def report(progress: LoadProgress) -> None:
        if progress.stage == "downloading" and progress.done > 0:
            stop.set()

    with pytest.raises(QwenTuiError) as raised:
        open_engine(ModelSpec(model="me/tiny"), log_file, report, stop)
    assert raised.value.code == "engine.load_stopped"
    hub.slow.clear()
    wait_for(lambda: not files_below(home_of_its_own, pattern="*.incomplete"))


@pytest.mark.parametrize("kind", ["offline", "refused", "unknown name"])
def test_without_a_network_it_is_said(kind: str, log_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    host = "no-such-hub.invalid" if kind == "unknown name" else f"127.0.0.1:{port}"
    monkeypatch.setenv("HF_ENDPOINT", f"http://{host}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1" if kind == "offline" else "0")
    worker = start_worker(log_file)
    assert isinstance(load(worker, NOTHING)[1], QwenTuiError)
    answer = load(worker, "me/tiny")[1]
    assert code_of(answer) == ("engine.offline" if kind == "offline" else "engine.no_network")
    worker.end()


def test_a_slow_hub_is_not_taken_for_none(
    shared: tuple[LoopbackHub, Worker], folders: dict[str, Path]
) -> None:
    hub, worker = shared
    hub.repositories["me/slow"] = folders["qwen2"]
    hub.delays = chain([5.0], repeat(0.2))
    assert isinstance(load(worker, "me/slow")[1], ModelInfo)


def test_a_hub_that_says_nothing_is_told_apart_from_none(
    log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        worker = start_worker(log_file)
        assert isinstance(load(worker, NOTHING)[1], QwenTuiError)
        began = time.monotonic()
        answer = load(worker, "me/tiny")[1]
        assert 1.0 <= time.monotonic() - began < HANGS
        assert code_of(answer) == "engine.hub_silent"
        worker.end()


@pytest.mark.parametrize("status", [429, 503])
def test_a_hub_that_has_no_time_is_told_with_what_it_said(
    shared: tuple[LoopbackHub, Worker], status: int
) -> None:
    hub, worker = shared
    hub.refuses_with = status
    answer = load(worker, "me/busy")[1]
    assert code_of(answer) == "engine.hub_silent"
    assert f"HTTP {status}" in str(answer)


def test_a_token_that_is_not_valid_is_named(
    hub: LoopbackHub, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "hf_theRightOne12345"
    monkeypatch.setenv("HF_TOKEN", "hf_theWrongOne12345")
    worker = start_worker(log_file)
    answer = load(worker, "me/tiny")[1]
    assert code_of(answer) == "engine.bad_token"
    assert "hf auth login" in str(answer)
    assert "WrongOne" not in str(answer) + log_file.read_text()
    worker.end()


def test_what_a_killed_download_left_is_removed_and_what_was_finished_is_kept(
    hub: LoopbackHub, log_file: Path, home_of_its_own: Path
) -> None:
    def unfinished() -> list[Path]:
        return files_below(home_of_its_own, pattern="*.incomplete")

    hub.slow.set()
    worker = start_worker(log_file)
    asked = worker.ask(Load(ModelSpec(model="me/tiny", device="cpu")))
    while not (isinstance(step := asked.next(60), LoadProgress) and step.files_done and step.done):
        assert isinstance(step, LoadProgress)
    wait_for(unfinished)
    os.kill(worker.pid, signal.SIGKILL)
    wait_for(lambda: not worker.alive)
    left = unfinished()
    assert left
    others = left[0].with_name("0" * 40 + ".12345678.incomplete")
    others.write_bytes(b"another program writes this now")
    # A file's name in the snapshot comes a moment after its last byte: the kill can fall between the two, and
    # while the library tries the folder's permissions with an empty file `tmp_…`.
    blobs = [blob.name for blob in files_below(home_of_its_own, pattern="blobs/*") if not blob.suffix]
    finished = {name for name in blobs if not name.startswith("tmp_")}

    hub.slow.clear()
    before = len(hub.requests)
    worker = start_worker(log_file)
    progress, info = load(worker, "me/tiny")
    assert isinstance(info, ModelInfo)
    assert unfinished() == [others]
    assert files_below(home_of_its_own, pattern="*.unfinished") == []
    fetched = [each for each in hub.requests[before:] if each.startswith("GET") and "/resolve/" in each]
    downloading = [step for step in progress if step.stage == "downloading"]
    whole = files_below(home_of_its_own, pattern="snapshots/*/*")
    assert len(whole) == downloading[-1].files == downloading[-1].files_done
    assert 0 < len(fetched) == len(whole) - len(finished)
    missing = [file for file in whole if file.resolve().name not in finished]
    assert downloading[-1].done == downloading[-1].total == sum(file.stat().st_size for file in missing)
    worker.end()


def test_what_another_program_downloads_now_is_left_alone(tmp_path: Path) -> None:
    blobs = tmp_path / "models--me--tiny" / "blobs"
    locks = tmp_path / ".locks" / "models--me--tiny"
    blobs.mkdir(parents=True)
    with noted(tmp_path, "models--me--tiny", ["aa", "bb"]):
        note = next(locks.glob("*.unfinished"))
        begun = [blobs / "aa.01234567.incomplete", blobs / "bb.01234567.incomplete"]
        for file in begun:
            file.write_bytes(b"begun")
        with noted(tmp_path, "models--me--other", []):
            assert all(file.exists() for file in begun)  # this process lives
        left = note.read_text()
    (locks / "qwen-tui-left.unfinished").write_text(f"{left}\n../../cc\n")
    with WeakFileLock(locks / "aa.lock"), noted(tmp_path, "models--me--other", []):
        assert [file.exists() for file in begun] == [True, False]
    assert not list(locks.glob("*.unfinished"))


NOTHING = "/no/such/folder"
"""Asked for first, so that what is timed does not include the worker's imports."""
