"""Tiny models with random weights, made once a test run; and one engine for the tests that can share it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_models
from huggingface_hub import constants
from loaded_models import loaded_from
from loopback_hub import LoopbackHub, loopback_hub

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.client import LocalEngine
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.opening import open_engine


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each kind of model."""
    root = tmp_path_factory.mktemp("models")
    return {
        "qwen2": tiny_models.qwen2(root / "qwen2"),
        "base": tiny_models.qwen2(root / "base", template=None),
        "qwen3": tiny_models.qwen3(root / "qwen3"),
        "llama": tiny_models.llama(root / "llama"),
    }


@pytest.fixture(scope="session")
def qwen2(folders: dict[str, Path]) -> Loaded:
    return loaded_from(folders["qwen2"])


@pytest.fixture(scope="session")
def qwen3(folders: dict[str, Path]) -> Loaded:
    return loaded_from(folders["qwen3"])


@pytest.fixture(scope="session")
def llama(folders: dict[str, Path]) -> Loaded:
    return loaded_from(folders["llama"])


@pytest.fixture(scope="session")
def base_model(folders: dict[str, Path]) -> Loaded:
    return loaded_from(folders["base"])


@pytest.fixture(scope="session")
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "log" / "qwen-tui.log"


@pytest.fixture(scope="session")
def engine(folders: dict[str, Path], log_file: Path) -> Iterator[LocalEngine]:
    """One engine in a worker process. A test that ends or breaks its worker opens its own."""
    spec = ModelSpec(model=str(folders["qwen2"]), device="cpu")
    opened = open_engine(spec, log_file, lambda _: None, threading.Event())
    assert isinstance(opened, LocalEngine)
    yield opened
    opened.close()


@pytest.fixture
def hub_here(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoopbackHub]:
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
