"""A folder with a model in it, looked at before anything is loaded: what is there, how large, and what is amiss.

Only the headers of the safetensors files are read (their format: an 8-byte little-endian length, then JSON that
gives each tensor's dtype, shape and byte range, then the bytes).
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qwen_tui.engine.models.model_kind import is_for_another_purpose, not_for_chat
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
OTHER_FORMATS = (".bin", ".pt", ".pth", ".gguf")
"""How files of weights end that are not read."""
ADAPTER = "adapter_config.json"
"""What peft saves beside the weights of an adapter (LoRA)."""
SENTENCES = "config_sentence_transformers.json"
"""What models that turn text into vectors carry, for the sentence-transformers library."""

LENGTH_BYTES = 8
"""At the beginning of a safetensors file: how long its header is."""

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What `tensors_in` raises for what is no header."""

_LARGEST_HEADER = 100_000_000
"""As in the safetensors library: a larger one means that the file is something else."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a model folder holds."""

    folder: Path
    config: Mapping[str, Any]
    """`config.json`."""
    tensor_bytes: Mapping[str, int]
    """The size of each tensor, by its name in the files."""
    parameters: int
    dtype: str
    """The one that most bytes are in, as safetensors calls it: `BF16`, `F32`."""

    @property
    def weight_bytes(self) -> int:
        """All tensors together."""
        return sum(self.tensor_bytes.values())

    @property
    def is_quantized(self) -> bool:
        """Whether it was saved quantized."""
        return "quantization_config" in self.config


def inspect(folder: Path) -> Checkpoint:
    """Look at the model in this folder; raises QwenTuiError when it cannot be used."""
    return checkpoint_of(folder, config_of(folder), map(_header, weight_files(folder)))


def checkpoint_of(
    folder: Path, config: Mapping[str, Any], headers: Iterable[Mapping[str, Any]]
) -> Checkpoint:
    """What the weight files with these headers (see `tensors_in`) make, wherever they are."""
    tensors: dict[str, int] = {}
    by_dtype: dict[str, int] = {}
    parameters = 0
    for header in headers:
        for name, tensor in header.items():
            begin, end = tensor["data_offsets"]
            tensors[name] = end - begin
            by_dtype[tensor["dtype"]] = by_dtype.get(tensor["dtype"], 0) + end - begin
            parameters += math.prod(tensor["shape"])
    dtype = max(by_dtype, key=by_dtype.__getitem__, default="")
    return Checkpoint(folder, config, tensors, parameters, dtype)


def config_of(folder: Path) -> dict[str, Any]:
    """The folder's `config.json`; raises QwenTuiError when there is none, or none of a language model."""
    if not folder.exists():
        raise QwenTuiError("engine.folder_missing", path=one_line(folder))
    if not folder.is_dir():
        raise QwenTuiError("engine.not_a_folder", path=one_line(folder))
    try:
        config = _json(folder / CONFIG)
    except FileNotFoundError:
        raise _nothing_here(folder, CONFIG) from None
    except (ValueError, OSError, RecursionError) as error:
        raise QwenTuiError("engine.bad_config", path=one_line(folder), detail=one_line(error)) from error
    if not isinstance(config, dict):
        raise QwenTuiError("engine.bad_config", path=one_line(folder), detail="engine.damage.not_an_object")
    if is_for_another_purpose(config):
        raise not_for_chat(config)
    if (folder / SENTENCES).exists():  # its class is often that of the chat model which it was made from
        raise QwenTuiError("engine.embeds", architecture=SENTENCES)
    return config


def _nothing_here(folder: Path, missing: str) -> QwenTuiError:
    """Why a folder without this file is no model; an adapter is most of what looks like one."""
    try:
        adapter = _json(folder / ADAPTER)
    except (ValueError, OSError, RecursionError):
        return QwenTuiError("engine.no_model_in_folder", path=one_line(folder), missing=missing)
    base = adapter.get("base_model_name_or_path") if isinstance(adapter, dict) else None
    if not base:
        return QwenTuiError("engine.adapter_alone", path=one_line(folder))
    return QwenTuiError("engine.adapter", path=one_line(folder), base=one_line(base))


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that make up the model, all of them there."""
    if (folder / INDEX).exists():
        files = [folder / name for name in indexed_files(folder)]
        missing = [one_line(file.name) for file in files if not file.exists()]
        if missing:
            raise QwenTuiError(
                "engine.weights_missing", file=missing[0], missing=len(missing), files=len(files)
            )
        return files
    if (folder / WEIGHTS).exists():
        return [folder / WEIGHTS]
    others = [file.name for ending in OTHER_FORMATS for file in sorted(folder.glob(f"*{ending}"))]
    if others:
        raise QwenTuiError("engine.not_safetensors", file=one_line(others[0]))
    raise _nothing_here(folder, WEIGHTS)


def indexed_files(folder: Path) -> list[str]:
    """The names of the weight files that the folder's index tells of; raises QwenTuiError."""
    try:
        names = set(_json(folder / INDEX)["weight_map"].values())
        if not all(
            isinstance(name, str) and "/" not in name and name not in ("", ".", "..") for name in names
        ):
            raise ValueError("engine.damage.index")
        return sorted(names)
    except (ValueError, KeyError, AttributeError, TypeError, OSError, RecursionError) as error:
        raise QwenTuiError("engine.corrupt_weights", file=INDEX, detail=one_line(error)) from error


def header_bytes(file: Path) -> bytes:
    """The header of a safetensors file as it stands there; raises OSError, and ValueError when there is none."""
    with file.open("rb") as stream:
        return stream.read(header_length(stream.read(LENGTH_BYTES)))


def header_length(begin: bytes) -> int:
    """How long the header is that follows these first bytes of a file; raises ValueError when it has none."""
    length = int.from_bytes(begin, "little")
    if len(begin) < LENGTH_BYTES or length > _LARGEST_HEADER:
        raise ValueError("engine.damage.no_header")
    return length


def tensors_in(header: bytes) -> tuple[dict[str, Any], int]:
    """What a header says of each tensor, by its name, and where the last one ends behind it.

    Raises one of `UNREADABLE` when it is none.
    """
    tensors = json.loads(header)
    tensors.pop("__metadata__", None)
    return dict(tensors), max(map(_end, tensors.values()), default=0)


def _header(file: Path) -> dict[str, Any]:
    """The tensors of one safetensors file by name; checks that the file is as long as its header says."""
    try:
        text = header_bytes(file)
        tensors, end = tensors_in(text)
        expected = LENGTH_BYTES + len(text) + end
        found = file.stat().st_size
        if found < expected:
            sizes = {"found": found, "expected": expected}
            raise QwenTuiError(
                "engine.corrupt_weights", file=file.name, detail="engine.damage.cut_off", **sizes
            )
    except UNREADABLE as error:
        raise QwenTuiError("engine.corrupt_weights", file=file.name, detail=one_line(error)) from error
    except OSError as error:
        why = one_line(error.strerror)
        raise QwenTuiError("engine.unreadable", path=one_line(file), detail=why) from error
    return tensors


def _end(tensor: Any) -> int:
    """Where a tensor of a header ends; raises ValueError when this is no tensor's description."""
    begin, end = tensor["data_offsets"]
    numbers = [begin, end, *tensor["shape"]]
    if not all(isinstance(number, int) and number >= 0 for number in numbers) or begin > end:
        raise ValueError("engine.damage.bad_header")
    if not isinstance(tensor["dtype"], str):
        raise ValueError("engine.damage.no_dtype")
    return int(end)


def _json(file: Path) -> Any:
    """What is in a JSON file; raises OSError, and ValueError for what is none or too large to be one."""
    with file.open("rb") as stream:
        data = stream.read(_LARGEST_HEADER + 1)
    if len(data) > _LARGEST_HEADER:
        raise ValueError("engine.damage.too_large")
    return json.loads(data)
