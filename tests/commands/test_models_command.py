"""`qwen-tui models`: what it prints, for people and for programs."""

import fcntl
import json
import shutil
from pathlib import Path

import pytest
import tiny_models

from qwen_tui import cli
from qwen_tui.engine.models import devices
from qwen_tui.engine.models.cache_scan import cache_folder
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.recent_models import recent_models, remember
from qwen_tui.wording.cell_width import cells

GB = 10**9


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a GPU of 24 GB, a model in the cache, a half one, and one in a folder with a Chinese name."""
    gpu = Device("cuda:0", "NVIDIA A10", 24 * GB, 23 * GB, True, 4096)
    monkeypatch.setattr(devices, "usable", lambda: (gpu, devices.cpu()))
    folder = tiny_models.qwen2(tmp_path / "我的模型")
    for name, without in (("Qwen/Qwen3-4B", ()), ("me/half", ("model.safetensors",))):
        repository = cache_folder() / f"models--{name.replace('/', '--')}"
        shutil.copytree(folder, repository / "snapshots" / "abc", ignore=lambda *_, w=without: w)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("abc")
        (repository / "blobs").mkdir()
        (repository / "blobs" / "x.incomplete").write_bytes(b"")
    remember(tmp_path / "data" / "models.json", str(folder))
    return tmp_path


def run(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(
        ["models", "--data-dir", str(folder / "data"), "--config", str(folder / "none.toml"), *arguments]
    )
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_table_of_all_models_with_what_fits(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, table, _ = run(here, capsys)
    assert status == 0
    lines = table.splitlines()
    assert "cuda:0  NVIDIA A10  23.0 GB of 24.0 GB" in table
    (seven,) = (line.split() for line in lines if "Qwen2.5-7B-" in line)
    assert seven == ["Qwen/Qwen2.5-7B-Instruct", "↓", "15.2", "GB", "bf16", "32,768", *["32,768"] * 3]
    (fourteen,) = (line.split() for line in lines if "Qwen2.5-14B" in line)
    assert fourteen[-3] == "–"
    here_at, known_at = lines.index("On this machine"), lines.index("Available to download")
    assert "guide" in lines[here_at + 1]
    assert "我的模型" in lines[here_at + 2]
    mine = [line for line in lines[here_at:known_at] if "Qwen/Qwen3-4B" in line]
    assert len(mine) == 1
    assert not [line for line in lines[known_at:] if line.split()[:1] == ["Qwen/Qwen3-4B"]]
    assert "Download not finished" in next(line for line in lines if "me/half" in line)
    assert len({cells(line) for line in lines if line.endswith("32,768") and "Coder" in line}) == 1


def test_the_same_for_programs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = run(here, capsys, "--json")
    assert status == 0
    said = json.loads(text)
    assert [device["name"] for device in said["devices"]] == ["cuda:0", "cpu"]
    models = {model["model"]: model for model in said["models"]}
    seven = models["Qwen/Qwen2.5-7B-Instruct"]
    assert seven["parameters"] == 7_615_616_512
    assert seven["fits"]["none"]["devices"] == ["cuda:0"]
    assert seven["fits"]["4bit"]["weight_bytes"] < seven["fits"]["8bit"]["weight_bytes"]
    assert seven["plan"]["quantization"] == "none"
    assert models["Qwen/Qwen2.5-14B-Instruct"]["plan"]["quantization"] == "4bit"
    assert "GB" in models["Qwen/Qwen2.5-14B-Instruct"]["plan"]["why"]
    assert "Even quantized" in models["Qwen/Qwen2.5-72B-Instruct"]["plan"]["error"]
    cached = models["Qwen/Qwen3-4B"]
    assert (cached["complete"], cached["group"], cached["revision"]) == (True, "here", "abc")
    assert cached["parameters"] < 10**6  # by its files, not by the catalogue
    half = models["me/half"]
    assert (half["complete"], half["fits"], half["plan"]) == (False, {}, None)
    assert half["problem"]
    folder = str(here / "我的模型")
    assert models[folder]["last_used"] == recent_models(here / "data" / "models.json")[folder]


def test_a_device_of_ones_own_wish(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(run(here, capsys, "--json", "--device", "cpu", "--quantization", "8bit")[1])
    guide = next(model for model in said["models"] if model["model"] == "guide")
    assert guide["plan"]["devices"] == ["cpu"]
    assert guide["plan"]["quantization"] == "8bit"
    status, out, error = run(here, capsys, "--device", "cuda:5")
    assert (status, out) == (1, "")
    assert "cuda:0, cpu" in error


def test_ask_remembers_what_was_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tiny_models.qwen2(tmp_path / "tiny")
    status = cli.main(
        ["ask", "hi", "--model", str(folder), "--device", "cpu", "--data-dir", str(tmp_path / "data")]
    )
    assert status == 0
    assert list(recent_models(tmp_path / "data" / "models.json")) == [str(folder)]


def test_quantized_weights_are_named_with_what_they_take_and_can_be_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = QuantizedCache(tmp_path / "data" / "cache" / "quantized")
    written = cache.new_folder()
    (written / "model.safetensors").write_bytes(bytes(5_000_000))
    cache.add(written, "我的模型", "0123", tmp_path / "my model", "abc")
    _, table, _ = run(tmp_path, capsys)
    assert "5.0 MB (我的模型)" in table.splitlines()[-1]
    said = json.loads(run(tmp_path, capsys, "--json")[1])["quantized"]
    assert said["bytes"] == said["entries"][0]["bytes"] > 5_000_000
    assert said["entries"][0]["model"] == str(tmp_path / "my model")
    status, out, _ = run(tmp_path, capsys, "--clear")
    assert (status, cache.taken_bytes()) == (0, 0)
    assert out.startswith("Removed 5.0 MB")
    assert "Quantized" not in run(tmp_path, capsys)[1]
    assert run(tmp_path, capsys, "--clear")[1].startswith("Removed 0 B")


def test_what_another_program_writes_now_is_not_removed_and_this_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = QuantizedCache(tmp_path / "data" / "cache" / "quantized").new_folder()
    with (written / "model.safetensors").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(bytes(2_000_000))
        file.flush()
        status, _, error = run(tmp_path, capsys, "--clear")
    assert status == 1
    assert "2.0 MB" in error


def test_a_model_of_the_cache_is_deleted_after_asking(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = cache_folder() / "models--Qwen--Qwen3-4B"
    status, _, errors = run(here, capsys, "--delete", "Qwen/Qwen3-4B")
    assert (status, "--yes" in errors) == (1, True)  # the standard input of a test is no terminal
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, left in (("", True), ("no", True), ("Y", False)):
        monkeypatch.setattr("builtins.input", lambda question, a=answer: print(question) or a)
        status, said, _ = run(here, capsys, "--delete", "Qwen/Qwen3-4B")
        assert f"from {repository}? [y/N]" in said
        assert (status, repository.exists()) == (1 if left else 0, left)
    assert said.splitlines()[-1].startswith("Deleted. ")
    assert run(here, capsys, "--delete", "me/half", "--yes")[0] == 0
    assert run(here, capsys, "--delete", "me/half", "--yes")[0] == 1
