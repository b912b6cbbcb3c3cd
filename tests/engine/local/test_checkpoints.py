"""A model folder that is not as it should be: each case is told apart, in words."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from loaded_models import loaded_from
from safetensors.torch import load_file, save_file

from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.models.checkpoint import inspect
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say


def change_config(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **values}))

    return change


def shard_missing(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))


def index_alone(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model.safetensors.index.json")
    (folder / "model.safetensors.index.json").write_bytes(b'{"weight_map": 3}')


def in_two_files(folder: Path) -> Path:
    """Share the tensors out over two files with an index; the second one's path."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    files = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    for file, part in zip(files, (names[::2], names[1::2]), strict=True):
        save_file({name: tensors[name] for name in part}, folder / file, metadata={"format": "pt"})
    weights = {name: files[number % 2] for number, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    return folder / files[1]


def second_file_truncated(folder: Path) -> None:
    file = in_two_files(folder)
    file.write_bytes(file.read_bytes()[:-1000])


def second_file_with_a_strange_header(folder: Path) -> None:
    file = in_two_files(folder)
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    next(each for name, each in header.items() if name != "__metadata__")["shape"] = [3, 3, 3]
    changed = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(changed)) + changed + data[8 + length :])


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


def adapter(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    (folder / "adapter_model.safetensors").write_bytes(b"")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Qwen2.5-7B"}')


def is_a(*architectures: str, **values: object) -> Callable[[Path], None]:
    return change_config(architectures=list(architectures), **values)


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: void((folder / name).write_bytes(content))


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def rename(name: str, to: str) -> Callable[[Path], None]:
    return lambda folder: void((folder / name).rename(folder / to))


def void(_: object) -> None:
    pass


class Fault(NamedTuple):
    break_it: Callable[[Path], None]
    code: str
    what: str
    """What the person has to be told of it."""
    next_step: str


AGAIN = "Copy the model again. If it came from the hub, run hf cache rm model/"
COPY_AGAIN = "Download or copy the model again"
OF_ONES_OWN = "save_pretrained"
CHAT = "Choose a chat model, such as Qwen/Qwen2.5-7B-Instruct"
CODE = {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Mine"}

FAULTS = {
    "no folder": Fault(shutil.rmtree, "engine.folder_missing", "does not exist", "Check the path"),
    "no config": Fault(
        remove("config.json"), "engine.no_model_in_folder", "config.json is missing", "Use a folder"
    ),
    "no weights": Fault(
        remove("model.safetensors"),
        "engine.no_model_in_folder",
        "model.safetensors is missing",
        "Use a folder",
    ),
    "an adapter": Fault(adapter, "engine.adapter", "for Qwen/Qwen2.5-7B, not a complete", "merge_and_unload"),
    "config is not JSON": Fault(write("config.json", b"{oops"), "engine.bad_config", "config.json in", AGAIN),
    "config is not UTF-8": Fault(
        write("config.json", b"\xff\xfe"), "engine.bad_config", "config.json in", AGAIN
    ),
    "config is a list": Fault(write("config.json", b"[]"), "engine.bad_config", "not a JSON object", AGAIN),
    "a word for a number": Fault(change_config(hidden_size="x"), "engine.bad_config", "hidden_size", AGAIN),
    "a dtype that is none": Fault(change_config(dtype="float99"), "engine.bad_config", "float99", AGAIN),
    "unknown activation": Fault(
        change_config(hidden_act="no"), "engine.cannot_build", "'no'", "edited these files"
    ),
    "generation config is a list": Fault(
        write("generation_config.json", b"[]"), "engine.cannot_build", "generation_config.json", AGAIN
    ),
    "only a .bin": Fault(
        rename("model.safetensors", "pytorch_model.bin"),
        "engine.not_safetensors",
        "The weights are in pytorch_model.bin",
        "Choose a model or revision with safetensors",
    ),
    "a truncated file": Fault(second_file_truncated, "engine.corrupt_weights", "model-00002-of-00002", AGAIN),
    "an empty file": Fault(
        write("model.safetensors", b""),
        "engine.corrupt_weights",
        "model.safetensors is not a complete",
        AGAIN,
    ),
    "garbage": Fault(
        write("model.safetensors", b"<html>not found</html>" * 50),
        "engine.corrupt_weights",
        "model.safetensors is not a complete",
        AGAIN,
    ),
    "a header of another kind": Fault(
        write("model.safetensors", struct.pack("<Q", 4) + b"[1] "),
        "engine.corrupt_weights",
        "model.safetensors is not a complete",
        AGAIN,
    ),
    "a header that only the library refuses": Fault(
        second_file_with_a_strange_header, "engine.corrupt_weights", "model-00002-of-00002", AGAIN
    ),
    "an index that is not one": Fault(
        index_alone,
        "engine.corrupt_weights",
        "model.safetensors.index.json",
        AGAIN,
    ),
    "a shard is missing": Fault(
        shard_missing, "engine.weights_missing", "including model-00002-of-00002.safetensors", COPY_AGAIN
    ),
    "weights with nothing in them": Fault(
        write("model.safetensors", struct.pack("<Q", 2) + b"{}"),
        "engine.missing_tensors",
        "including lm_head.weight",
        OF_ONES_OWN,
    ),
    "a tensor is missing": Fault(
        tensor_missing, "engine.missing_tensors", "including model.layers.1.mlp.up_proj.weight", OF_ONES_OWN
    ),
    "a tensor of another shape": Fault(
        tensor_of_another_shape,
        "engine.other_shapes",
        "model.norm.weight has shape [5] in the weight files but [64] in config.json",
        OF_ONES_OWN,
    ),
    "unknown architecture": Fault(
        change_config(model_type="qwen99"),
        "engine.unknown_architecture",
        "model type qwen99",
        "model_type in",
    ),
    "too new": Fault(
        change_config(model_type="qwen99", transformers_version="9.1.0"),
        "engine.too_new",
        "saved with transformers 9.1.0",
        "transformers 9.1.0 or newer",
    ),
    "no model type": Fault(
        change_config(model_type=None), "engine.bad_config", "model_type is missing", AGAIN
    ),
    "no type but a list": Fault(
        change_config(model_type=[1]), "engine.bad_config", "model_type is missing", AGAIN
    ),
    "code of its own": Fault(
        change_config(model_type="mine", auto_map=CODE),
        "engine.remote_code_wanted",
        "needs the Python code",
        "start with --trust-remote-code",
    ),
    "a class of its own name": Fault(
        is_a("ChatGLMModel", model_type="chatglm", auto_map=CODE),
        "engine.remote_code_wanted",
        "needs the Python code",
        "start with --trust-remote-code",
    ),
    "a classifier": Fault(
        is_a("Qwen2ForTokenClassification"),
        "engine.classifies",
        "(Qwen2ForTokenClassification) classifies",
        CHAT,
    ),
    "a reranker": Fault(
        is_a("XLMRobertaForSequenceClassification", model_type="xlm-roberta"),
        "engine.classifies",
        "classifies or scores",
        CHAT,
    ),
    "for searching": Fault(
        write("config_sentence_transformers.json", b"{}"), "engine.embeds", "computes embeddings", CHAT
    ),
    "an encoder": Fault(is_a("BertModel", model_type="bert"), "engine.embeds", "(BertModel) computes", CHAT),
    "an encoder and a decoder": Fault(
        is_a("T5ForConditionalGeneration", model_type="t5", is_encoder_decoder=True),
        "engine.encoder_decoder",
        "as in translation",
        CHAT,
    ),
    "a decoder that needs its encoder": Fault(
        is_a("BartForConditionalGeneration", model_type="bart", is_encoder_decoder=True),
        "engine.encoder_decoder",
        "as in translation",
        CHAT,
    ),
    "with pictures": Fault(
        is_a("Qwen2_5_VLForConditionalGeneration", model_type="qwen2_5_vl", vision_config={}),
        "engine.not_only_text",
        "accepts images or audio",
        CHAT,
    ),
    "only pictures": Fault(
        change_config(model_type="vit", architectures=None),
        "engine.not_causal",
        "(vit) does not generate",
        CHAT,
    ),
    "no tokenizer": Fault(
        without_tokenizer, "engine.no_tokenizer", "does not contain a usable tokenizer", "tokenizer.json and"
    ),
    "half a tokenizer": Fault(
        remove("tokenizer.json"),
        "engine.no_tokenizer",
        "does not contain a usable tokenizer",
        "tokenizer.json and",
    ),
    "a broken tokenizer": Fault(
        write("tokenizer.json", b'{"version": "1.0"}'), "engine.bad_tokenizer", "is not valid", AGAIN
    ),
    "a tokenizer config that is not JSON": Fault(
        write("tokenizer_config.json", b"{oops"), "engine.bad_tokenizer", "is not valid", AGAIN
    ),
    "a broken chat template": Fault(
        write("chat_template.jinja", b"{% for x in %}"),
        "engine.bad_template",
        "The chat template in",
        "correct it",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_folder_is_explained_with_what_to_do(
    fault: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    break_it, code, what, next_step = FAULTS[fault]
    folder = tmp_path / "model"
    shutil.copytree(folders["qwen2"], folder)
    break_it(folder)
    with pytest.raises(QwenTuiError) as raised:
        loaded_from(folder)
    assert raised.value.code == code
    title, sentence, hint = raised.value.explanation
    assert title
    assert what in sentence
    assert next_step in hint
    assert "\n" not in sentence
    assert len(sentence) < 400


def test_code_that_a_model_brings_and_that_fails_is_named_as_such(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(folders["qwen2"], folder)
    change_config(model_type="mine", auto_map=CODE)(folder)
    (folder / "mine.py").write_text("raise RuntimeError('made for another time')")
    with pytest.raises(QwenTuiError) as raised:
        loaded_from(folder, trust_remote_code=True)
    assert raised.value.code == "engine.remote_code_failed"
    assert "made for another time" in str(raised.value)


def test_a_model_without_a_chat_template_is_run_and_said_to_continue_text(base_model: Loaded) -> None:
    assert not base_model.info.has_chat_template
    assert "continues your text" in say("welcome.completion")


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
