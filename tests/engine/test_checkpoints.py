"""A model folder that is not as it should be: each case is told apart, in words."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import loaded_from
from safetensors.torch import load_file, save_file

from qwen_tui.engine.checkpoint import inspect
from qwen_tui.errors import QwenTuiError


def change_config(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **values}))

    return change


def only_bin(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def truncate(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def shard_missing(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))


def tensor_missing(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def tensor_of_another_shape(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] = tensors["model.norm.weight"][:5].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def without_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: void((folder / name).write_bytes(content))


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def void(_: object) -> None:
    pass


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no folder": (shutil.rmtree, "engine.folder_missing"),
    "no config": (remove("config.json"), "engine.no_model_in_folder"),
    "no weights": (remove("model.safetensors"), "engine.no_model_in_folder"),
    "config is not JSON": (write("config.json", b"{oops"), "engine.bad_config"),
    "config is not UTF-8": (write("config.json", b"\xff\xfe"), "engine.bad_config"),
    "config is a list": (write("config.json", b"[]"), "engine.bad_config"),
    "only a .bin": (only_bin, "engine.not_safetensors"),
    "a truncated file": (truncate, "engine.corrupt_weights"),
    "an empty file": (write("model.safetensors", b""), "engine.corrupt_weights"),
    "garbage": (write("model.safetensors", b"<html>not found</html>" * 50), "engine.corrupt_weights"),
    "a header of another kind": (
        write("model.safetensors", struct.pack("<Q", 4) + b"[1] "),
        "engine.corrupt_weights",
    ),
    "an index that is not one": (
        write("model.safetensors.index.json", b'{"weight_map": 3}'),
        "engine.corrupt_weights",
    ),
    "a shard is missing": (shard_missing, "engine.weights_missing"),
    "a tensor is missing": (tensor_missing, "engine.missing_tensors"),
    "a tensor of another shape": (tensor_of_another_shape, "engine.missing_tensors"),
    "unknown architecture": (change_config(model_type="qwen99"), "engine.unknown_architecture"),
    "no architecture": (change_config(model_type=None), "engine.unknown_architecture"),
    "code of its own": (
        change_config(model_type="mine", auto_map={"AutoModelForCausalLM": "mine.Mine"}),
        "engine.remote_code_wanted",
    ),
    "not for generating": (change_config(architectures=["Qwen2ForTokenClassification"]), "engine.not_causal"),
    "an encoder and a decoder": (
        change_config(model_type="t5", architectures=["T5ForConditionalGeneration"]),
        "engine.not_causal",
    ),
    "with pictures": (
        change_config(model_type="qwen2_5_vl", architectures=["Qwen2_5_VLForConditionalGeneration"]),
        "engine.not_causal",
    ),
    "for searching": (write("config_sentence_transformers.json", b"{}"), "engine.embeds"),
    "not a language model": (change_config(model_type="vit", architectures=None), "engine.not_causal"),
    "no tokenizer": (without_tokenizer, "engine.no_tokenizer"),
    "a broken tokenizer": (write("tokenizer.json", b'{"version": "1.0"}'), "engine.bad_tokenizer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_folder_is_explained(fault: str, folders: dict[str, Path], tmp_path: Path) -> None:
    break_it, code = FAULTS[fault]
    folder = tmp_path / "model"
    shutil.copytree(folders["qwen2"], folder)
    break_it(folder)
    with pytest.raises(QwenTuiError) as raised:
        loaded_from(folder)
    assert raised.value.code == code
    explanation = raised.value.explanation
    assert all(part and "?" not in part for part in explanation)
    assert "\n" not in explanation.sentence
    assert len(explanation.sentence) < 400


def test_a_model_that_is_too_new_tells_what_it_was_saved_with(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    shutil.copytree(folders["qwen2"], folder)
    change_config(model_type="qwen99", transformers_version="9.1.0")(folder)
    with pytest.raises(QwenTuiError, match=r"transformers 5\..*saved with 9\.1\.0"):
        loaded_from(folder)


def test_a_file_in_place_of_a_folder_is_explained(folders: dict[str, Path]) -> None:
    with pytest.raises(QwenTuiError) as raised:
        inspect(folders["qwen2"] / "model.safetensors")
    assert raised.value.code == "engine.not_a_folder"


def test_sizes_are_those_of_the_file(folders: dict[str, Path]) -> None:
    checkpoint = inspect(folders["qwen2"])
    tensors = load_file(folders["qwen2"] / "model.safetensors")
    assert checkpoint.weight_bytes == sum(tensor.nbytes for tensor in tensors.values())
    assert checkpoint.parameters == sum(tensor.numel() for tensor in tensors.values())
    assert checkpoint.dtype == "F32"


def test_a_model_in_several_files_loads(folders: dict[str, Path], tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "sharded"
    shutil.copytree(folders["qwen2"], folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="200KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert loaded_from(folder).info.parameters == model.num_parameters()
