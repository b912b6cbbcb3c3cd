"""A library that cannot be used: the model that needs it is refused in words, and the others load."""

import json
import os
import shutil
from pathlib import Path

import pytest

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec, Quantization
from qwen_tui.engine.opening import start_worker
from qwen_tui.engine.wire import Answer, Load
from qwen_tui.engine.worker import Worker
from qwen_tui.errors import QwenTuiError


def load(worker: Worker, folder: Path, quantization: Quantization) -> Answer:
    asked = worker.ask(Load(ModelSpec(model=str(folder), device="cpu", quantization=quantization)))
    while isinstance(answer := asked.next(60), LoadProgress):
        pass
    assert answer is not None
    return answer


def test_where_bitsandbytes_does_not_start_it_is_named_and_whole_models_load(
    folders: dict[str, Path], tmp_path: Path, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "bitsandbytes.py").write_text("raise ImportError('libbitsandbytes_cuda130.so: cannot open')")
    monkeypatch.setenv("PYTHONPATH", f"{broken}:{os.environ.get('PYTHONPATH', '')}")
    worker = start_worker(log_file)
    for quantization in ("4bit", "8bit"):
        answer = load(worker, folders["qwen2"], quantization)
        assert isinstance(answer, QwenTuiError)
        assert answer.code == "engine.bitsandbytes"
        assert "libbitsandbytes_cuda130.so" in str(answer)
        assert "Set the quantization to none" in str(answer)
    assert isinstance(load(worker, folders["qwen2"], "none"), ModelInfo)
    worker.end()


def test_a_model_that_was_quantized_by_a_package_that_is_not_here_names_it(
    folders: dict[str, Path], tmp_path: Path, log_file: Path
) -> None:
    folder = tmp_path / "gptq"
    shutil.copytree(folders["qwen2"], folder)
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (folder / "config.json").write_text(json.dumps(config))
    worker = start_worker(log_file)
    answer = load(worker, folder, "auto")
    assert isinstance(answer, QwenTuiError)
    assert answer.code == "engine.package_missing"
    assert "GPTQ" in str(answer)
    assert "Install" in str(answer)
    worker.end()
