"""Inspect a model folder before anything is loaded: its config, its size, and its problems.

Only the headers of the safetensors files are read (format: an 8-byte little-endian length, then JSON with each
tensor's dtype, shape and byte range, then the data).
"""

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qwen_tui.engine.models.model_kind import is_for_another_purpose, not_for_chat
from qwen_tui.engine.models.weight_formats import (
    GGUF,
    another_program,
    check_format,
    not_safetensors,
    quantization_in,
)
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter_config.json"
"""File that peft saves with the weights of an adapter (LoRA)."""
SENTENCES = "config_sentence_transformers.json"
"""File of embedding models for the sentence-transformers library."""

LENGTH_BYTES = 8
"""Size of the length field at the start of a safetensors file."""

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""Exceptions that `tensors_in` raises for an invalid header."""

_LARGEST_HEADER = 100_000_000
"""Limit of the safetensors library; a longer header means that this is another kind of file."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Contents of a model folder."""

    folder: Path
    config: Mapping[str, Any]
    """`config.json`."""
    tensor_bytes: Mapping[str, int]
    """Size of each tensor by name."""
    parameters: int
    dtype: str
    """The dtype of most bytes, in safetensors' notation: `BF16`, `F32`."""

    @property
    def weight_bytes(self) -> int:
        """Total size of all tensors."""
        return sum(self.tensor_bytes.values())

    @property
    def is_quantized(self) -> bool:
        """Whether it was saved quantized."""
        return bool(quantization_in(self.config))


def inspect(folder: Path) -> Checkpoint:
    """Inspect the model in this folder. Raises QwenTuiError if it cannot be used."""
    config = config_of(folder)
    check_format(config, _names(folder))
    return checkpoint_of(folder, config, map(_header, weight_files(folder)))


def checkpoint_of(
    folder: Path, config: Mapping[str, Any], headers: Iterable[Mapping[str, Any]]
) -> Checkpoint:
    """Build a checkpoint from the headers of its weight files (see `tensors_in`), local or remote."""
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
    """Return the folder's `config.json`. Raises QwenTuiError unless it is a language model's."""
    if not folder.exists():
        raise QwenTuiError("engine.folder_missing", path=one_line(folder))
    if not folder.is_dir():
        if folder.suffix.lower() == GGUF:
            raise another_program("GGUF", "llama-server")
        raise QwenTuiError("engine.not_a_folder", path=one_line(folder))
    try:
        config = _json(folder / CONFIG)
    except FileNotFoundError:
        names = _names(folder)
        is_other = any(name.lower().endswith(GGUF) for name in names)
        raise (not_safetensors(names) if is_other else None) or _nothing_here(folder, CONFIG) from None
    except (ValueError, OSError, RecursionError) as error:
        raise QwenTuiError("engine.bad_config", path=one_line(folder), detail=one_line(error)) from error
    if not isinstance(config, dict):
        raise QwenTuiError("engine.bad_config", path=one_line(folder), detail="engine.damage.not_an_object")
    if is_for_another_purpose(config):
        raise not_for_chat(config)
    if (folder / SENTENCES).exists():  # the config often names the class of the chat model it is based on
        raise QwenTuiError("engine.embeds", architecture=SENTENCES)
    return config


def _nothing_here(folder: Path, missing: str) -> QwenTuiError:
    """Return the error for a folder that lacks this file, often because it is an adapter."""
    try:
        adapter = _json(folder / ADAPTER)
    except (ValueError, OSError, RecursionError):
        return QwenTuiError("engine.no_model_in_folder", path=one_line(folder), missing=missing)
    base = adapter.get("base_model_name_or_path") if isinstance(adapter, dict) else None
    if not base:
        return QwenTuiError("engine.adapter_alone", path=one_line(folder))
    return QwenTuiError("engine.adapter", path=one_line(folder), base=one_line(base))


def weight_files(folder: Path) -> list[Path]:
    """Return the model's safetensors files. Raises QwenTuiError if any is missing."""
    if (folder / WEIGHTS).exists():  # the library's order: an index beside it is not read
        return [folder / WEIGHTS]
    if (folder / INDEX).exists():
        files = [folder / name for name in indexed_files(folder)]
        missing = [one_line(file.name) for file in files if not file.exists()]
        if missing:
            raise QwenTuiError(
                "engine.weights_missing", file=missing[0], missing=len(missing), files=len(files)
            )
        return files
    raise not_safetensors(_names(folder)) or _nothing_here(folder, _missing(folder))


def _missing(folder: Path) -> str:
    """Return the file whose absence is to be reported where there is neither the whole file nor an index."""
    is_in_parts = any(name.endswith(".safetensors") and "-of-" in name for name in _names(folder))
    return INDEX if is_in_parts else WEIGHTS


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def indexed_files(folder: Path) -> list[str]:
    """Return the names of the weight files in the folder's index. Raises QwenTuiError."""
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
    """Read the header of a safetensors file. Raises OSError, or ValueError if it has none."""
    with file.open("rb") as stream:
        return stream.read(header_length(stream.read(LENGTH_BYTES)))


def header_length(begin: bytes) -> int:
    """Return the length of the header from the first bytes of a file. Raises ValueError if invalid."""
    length = int.from_bytes(begin, "little")
    if len(begin) < LENGTH_BYTES or length > _LARGEST_HEADER:
        raise ValueError("engine.damage.no_header")
    return length


def tensors_in(header: bytes) -> tuple[dict[str, Any], int]:
    """Return the header's tensors by name, and the end of the last one relative to the header's end.

    Raises one of `UNREADABLE` for an invalid header.
    """
    tensors = json.loads(header)
    tensors.pop("__metadata__", None)
    return dict(tensors), max(map(_end, tensors.values()), default=0)


def _header(file: Path) -> dict[str, Any]:
    """Return a safetensors file's tensors by name, after checking that the file is not truncated."""
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
    """Return the end of a tensor in a header. Raises ValueError if the entry is invalid."""
    begin, end = tensor["data_offsets"]
    numbers = [begin, end, *tensor["shape"]]
    if not all(isinstance(number, int) and number >= 0 for number in numbers) or begin > end:
        raise ValueError("engine.damage.bad_header")
    if not isinstance(tensor["dtype"], str):
        raise ValueError("engine.damage.no_dtype")
    return int(end)


def _json(file: Path) -> Any:
    """Parse a JSON file. Raises OSError, or ValueError if it is invalid or too large."""
    with file.open("rb") as stream:
        data = stream.read(_LARGEST_HEADER + 1)
    if len(data) > _LARGEST_HEADER:
        raise ValueError("engine.damage.too_large")
    return json.loads(data)
