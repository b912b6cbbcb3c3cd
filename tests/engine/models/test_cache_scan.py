"""What is on this machine: the hub's cache as the library writes it, and folders opened before."""

import json
import os
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_models
from doubles import INFO
from huggingface_hub import constants
from transformers import AutoConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from qwen_tui.engine.local.loading import hub_download as hub
from qwen_tui.engine.local.loading.traits import context_window
from qwen_tui.engine.models.cache_scan import SEEING_TOO, LocalModel, cache_folder, scan
from qwen_tui.engine.models.checkpoint import inspect, weight_files
from qwen_tui.engine.models.choices import named
from qwen_tui.engine.models.recent_models import MOST, note_use, recent_models, remember
from qwen_tui.engine.models.size import size_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OLDER = "f" * 40


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.qwen2(tmp_path_factory.mktemp("tiny") / "tiny")


def cached(
    cache: Path, model: str, source: Path, commit: str = COMMIT, without: tuple[str, ...] = ()
) -> Path:
    """Put a folder into the cache as a download does; returns its snapshot."""
    folder = cache / f"models--{model.replace('/', '--')}"
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (folder / "blobs").mkdir(exist_ok=True)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(commit)
    for file in source.iterdir():
        if file.name not in without:
            blob = folder / "blobs" / f"{file.name}-hash"
            shutil.copy(file, blob)
            (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    return snapshot


def only(models: list[LocalModel]) -> LocalModel:
    (model,) = models
    return model


def test_a_model_of_the_cache_is_told_with_its_figures(tiny: Path, tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "me/tiny", tiny)
    model = only(scan(tmp_path))
    assert (model.model, model.name, model.revision) == ("me/tiny", "tiny", COMMIT)
    assert model.folder == snapshot
    assert model.architecture == "Qwen2ForCausalLM"
    assert model.is_complete
    assert model.context_window == 512
    assert model.disk_bytes == sum(file.stat().st_size for file in tiny.iterdir())
    assert model.size == size_of(inspect(tiny))
    assert model.size is not None
    assert model.size.dtype == "F32"
    blobs = tmp_path / "models--me--tiny" / "blobs"
    assert model.last_used == max(blob.stat().st_atime for blob in blobs.iterdir())


def test_the_size_of_a_folder_is_what_its_model_has(tiny: Path, tmp_path: Path) -> None:
    for folder in (tiny, tiny_models.qwen3(tmp_path / "3"), tiny_models.qwen3_next(tmp_path / "next")):
        size, config = size_of(inspect(folder)), AutoConfig.from_pretrained(folder)
        full = sum("full" in kind for kind in config.layer_types)
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        assert size.kv_values == 2 * full * config.num_key_value_heads * head
        assert size.context_window == context_window(config)
        assert size.layers == config.num_hidden_layers
        weights = folder / "model.safetensors"
        assert 0.9 < size.weight_bytes("none", 4) / weights.stat().st_size <= 1.0


def test_an_output_layer_that_is_the_embedding_counts_once(tmp_path: Path) -> None:
    folder = written(tmp_path / "tied", {"model.embed_tokens.weight": 100, "lm_head.weight": 100, "w": 50})
    assert size_of(inspect(folder)).parameters == 250
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
    size = size_of(inspect(folder))
    assert (size.parameters, size.kept_parameters) == (150, 100)


def written(folder: Path, tensors: dict[str, int], name: str = "model.safetensors", **config: object) -> Path:
    """A folder with bf16 tensors of so many values, all zero."""
    folder.mkdir(parents=True, exist_ok=True)
    header, at = {}, 0
    for tensor, count in tensors.items():
        header[tensor] = {"dtype": "BF16", "shape": [count], "data_offsets": [at, at + 2 * count]}
        at += 2 * count
    text = json.dumps(header).encode()
    (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))
    architecture = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_hidden_layers": 1}
    (folder / "config.json").write_text(json.dumps({**architecture, **config}))
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_a_model_in_several_files_is_whole_only_with_all_of_them(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": 10}, "model-00001-of-00002.safetensors")
    written(source, {"b": 10}, "model-00002-of-00002.safetensors")
    files = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (source / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    cached(tmp_path / "whole", "me/parts", source)
    whole = only(scan(tmp_path / "whole"))
    assert whole.is_complete
    assert whole.size is not None
    assert whole.size.parameters == 20
    cached(tmp_path / "half", "me/parts", source, without=(files["b"],))
    half = only(scan(tmp_path / "half"))
    assert half.problem is not None
    assert half.problem.code == "engine.half_downloaded"
    assert half.size is None


def test_a_stale_index_beside_the_whole_file_is_not_read(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"a": 10})
    (source / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "gone.safetensors"}})
    )
    assert [file.name for file in weight_files(source)] == ["model.safetensors"]


def test_a_download_that_was_begun_is_listed_and_one_of_a_tokenizer_is_not(
    tiny: Path, tmp_path: Path
) -> None:
    cached(tmp_path, "me/begun", tiny, without=("model.safetensors",))
    assert scan(tmp_path) == []
    (tmp_path / "models--me--begun" / "blobs" / "abc.12345678.incomplete").write_bytes(b"half")
    begun = only(scan(tmp_path))
    assert begun.problem is not None
    assert begun.problem.code == "engine.half_downloaded"


def test_of_two_revisions_the_one_that_would_be_loaded_is_told(tiny: Path, tmp_path: Path) -> None:
    cached(tmp_path, "me/tiny", tiny, COMMIT)
    folder = tmp_path / "models--me--tiny"
    shutil.copytree(folder / "snapshots" / COMMIT, folder / "snapshots" / OLDER, symlinks=True)
    assert only(scan(tmp_path)).revision == COMMIT
    (folder / "refs" / "main").write_text(OLDER)
    assert only(scan(tmp_path)).revision == OLDER
    assert only(scan(tmp_path)).is_complete
    (folder / "snapshots" / OLDER / "model.safetensors").unlink()
    for damage in (lambda: None, lambda: shutil.rmtree(folder / "snapshots" / OLDER)):
        damage()
        problem = only(scan(tmp_path)).problem
        assert problem is not None
        assert problem.code == "engine.half_downloaded"


def test_what_is_told_as_here_is_what_is_loaded_without_a_request(
    tiny: Path, home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache_folder()))
    cached(cache_folder(), "me/whole", tiny)
    cached(cache_folder(), "me/other", tiny)
    (cache_folder() / "models--me--other" / "refs" / "main").write_text(OLDER)
    cached(cache_folder(), "me/nameless", tiny)
    (cache_folder() / "models--me--nameless" / "refs" / "main").unlink()
    cached(cache_folder(), "me/nameless", tiny, OLDER, without=("tokenizer.json", "vocab.json"))
    (cache_folder() / "models--me--nameless" / "refs" / "main").unlink()
    cached(cache_folder(), "me/by-hand", tiny)
    (cache_folder() / "models--me--by-hand" / "refs" / "main").write_text(f"{COMMIT}\n")
    found = {model.model: model.is_complete for model in scan()}
    assert found == {"me/whole": True, "me/other": False, "me/nameless": True, "me/by-hand": True}
    assert found == {name: hub.cached(name) is not None for name in found}
    assert found == {name: named(name).is_here for name in found}


@pytest.mark.parametrize(
    ("architecture", "model_type", "listed"),
    [
        ("LlamaForCausalLM", "llama", True),
        ("GPT2LMHeadModel", "gpt2", True),
        ("Gemma3ForConditionalGeneration", "gemma3", True),
        ("Qwen2VLForConditionalGeneration", "qwen2_vl", False),
        ("T5ForConditionalGeneration", "t5", False),
        ("BertModel", "bert", False),
        ("Qwen2ForSequenceClassification", "qwen2", False),
    ],
)
def test_only_models_that_write_text_from_text_are_listed(
    architecture: str, model_type: str, listed: bool, tmp_path: Path
) -> None:
    source = written(tmp_path / "s", {"a": 1}, architectures=[architecture], model_type=model_type)
    cached(tmp_path / "cache", "me/x", source)
    assert bool(scan(tmp_path / "cache")) == listed


def test_the_models_that_see_too_are_those_of_the_library() -> None:
    assert set(SEEING_TOO) <= set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


GARBAGE = [b"", b"{", b"[]", b"null", b"5", b"\xff\xfe", b"[" * 100_000, b'{"architectures": 3}', b'{"a": 1}',
           b'{"architectures": ["QForCausalLM"], "num_hidden_layers": "x", "hidden_size": -1, "rope_scaling": [1]}',
           b'{"architectures": ["QForCausalLM"], "rope_scaling": {"factor": true}, "layer_types": {}}']  # fmt: skip


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "model.safetensors.index.json"])
@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_left_out_or_told_and_never_raises(name: str, data: bytes, tmp_path: Path) -> None:
    source = written(tmp_path / "s", {"a": 1})
    (source / name).write_bytes(data)
    cached(tmp_path / "cache", "me/garbage", source)
    cached(tmp_path / "cache", "me/good", written(tmp_path / "good", {"a": 1}))
    models = scan(tmp_path / "cache")
    assert "me/good" in [model.model for model in models]
    for model in models:
        assert model.is_complete == (model.size is not None)


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "BF16", "shape": ["x"], "data_offsets": [0, 2]}},
        {"a": {"dtype": "BF16", "shape": [1], "data_offsets": ["0", "2"]}},
        {"a": {"dtype": "BF16", "shape": [1], "data_offsets": [2, 0]}},
        {"a": {"dtype": 5, "shape": [1], "data_offsets": [0, 2]}},
        {"a": 7},
        [1, 2],
    ],
)
def test_a_header_that_is_no_header_is_told(header: object, tmp_path: Path) -> None:
    source = written(tmp_path / "s", {"a": 1})
    text = json.dumps(header).encode()
    (source / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    cached(tmp_path / "cache", "me/x", source)
    problem = only(scan(tmp_path / "cache")).problem
    assert problem is not None
    assert problem.code == "engine.corrupt_weights"


def test_what_lies_about_in_a_cache_is_passed_over(tmp_path: Path) -> None:
    for name in ("models--", "datasets--me--x", ".locks", "version.txt", "models--a--b"):
        (tmp_path / name).mkdir()
    (tmp_path / "models--file--here").write_text("not a folder")
    (tmp_path / "models--l--oop").symlink_to(tmp_path / "models--l--oop")
    assert scan(tmp_path) == []
    assert scan(tmp_path / "nowhere") == []


def test_folders_opened_before_are_found_again_and_those_used_last_come_first(
    tiny: Path, tmp_path: Path
) -> None:
    file = tmp_path / "state" / "models.json"
    cached(tmp_path / "cache", "me/tiny", tiny)
    gone = tmp_path / "gone"
    for at, model in enumerate((str(tiny), str(gone), "me/tiny", "guide")):
        remember(file, model, now=4e9 + at)
    models = scan(tmp_path / "cache", recent_models(file))
    assert [model.model for model in models] == ["me/tiny", str(tiny)]
    assert models[1].folder == tiny
    assert models[1].last_used == 4e9
    assert models[1].disk_bytes == sum(each.stat().st_size for each in tiny.iterdir())


def test_what_is_remembered_is_bounded_and_survives_garbage(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    for number in range(MOST + 3):
        remember(file, f"/m/{number}", now=float(number))
    kept = recent_models(file)
    assert len(kept) == MOST
    assert next(iter(kept)) == f"/m/{MOST + 2}"
    assert file.stat().st_mode & 0o077 == 0
    for garbage in (
        b"",
        b"[]",
        b'{"models": 3}',
        b'{"models": {"a": "x", "b": NaN, "c": null}}',
        b"[" * 99_999,
    ):
        file.write_bytes(garbage)
        assert recent_models(file) == {}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"XDG_CACHE_HOME": "/x"},
        {"HF_HOME": "/h"},
        {"HF_HOME": "~/h", "XDG_CACHE_HOME": "/x"},
        {"HF_HUB_CACHE": "/c", "HF_HOME": "/h"},
        {"HUGGINGFACE_HUB_CACHE": "/old"},
        {"HF_HUB_CACHE": "$HOME/c"},
    ],
)
def test_the_cache_is_where_the_library_has_it(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours = cache_folder()
    assert str(ours) == importlib.reload(constants).HF_HUB_CACHE
    monkeypatch.undo()
    importlib.reload(constants)


def test_the_guide_is_not_remembered_if_nobody_chose_it(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    for note, remembered in (("engine.note.guide", []), ("engine.note.used_last", ["scripted"])):
        note_use(file, replace(INFO, note=note))
        assert list(recent_models(file)) == remembered
