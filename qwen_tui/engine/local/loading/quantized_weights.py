"""Find and save a model's quantized weights in the cache, keyed by everything that determines them.

The thread that generates writes them, in small steps while it is idle: so neither a reply nor bitsandbytes, which
repacks weights for a CPU on first use, can change them meanwhile.
"""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from qwen_tui.chat.files import write_whole
from qwen_tui.engine.local.loading.placement import Placement, quantization_arguments
from qwen_tui.engine.models.checkpoint import WEIGHTS, Checkpoint, header_bytes, weight_files
from qwen_tui.engine.models.load_plan import WORTHWHILE
from qwen_tui.engine.models.main_memory import main_memory
from qwen_tui.engine.models.quantized_cache import QuantizedCache

log = logging.getLogger(__name__)

STEP_BYTES = 16 << 20
"""Size of one write step, the longest that a reply may have to wait for."""

LEAST_FREE_BYTES = 1_000_000_000
"""Main memory to leave free on a CPU, where the weights are in memory twice while they are saved."""

FORMAT = 1
"""Changing this number invalidates all entries."""

_GENERATION = "generation_config.json"

_DTYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""Names of dtypes in safetensors."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The cache entry of one model in one form, existing or not."""

    cache: QuantizedCache
    name: str
    """The model's display name."""
    source: Checkpoint
    made_of: str
    """Fingerprint of the source's files."""
    key: str
    """Fingerprint of everything that determines the entry."""
    config: Mapping[str, Any]
    """Contents of `config.json`: the source's config plus the quantization."""
    device: torch.device

    def save(self, model: PreTrainedModel) -> Iterator[None]:
        """Return the steps that write this model's weights. Call this before the first forward pass.

        On a CPU the current tensors are kept: with AVX512-BF16 the first use replaces them by packed ones from
        which they cannot be recovered. On a GPU that would keep them twice, next to decoding's own layout; there
        they are read later, unchanged. Failures are only logged.
        """
        tensors = _distinct(model)
        size = sum(tensor.nbytes for tensor in tensors.values())
        if size > WORTHWHILE * self.source.weight_bytes:
            log.info("the quantized weights of %s are not kept: they are hardly smaller", self.name)
            return iter(())
        if self.device.type == "cpu" and main_memory().free < size + LEAST_FREE_BYTES:
            log.warning("the quantized weights of %s are not kept: memory is short", self.name)
            return iter(())
        return self._steps(model, tensors if self.device.type == "cpu" else None, size)

    def _steps(
        self, model: PreTrainedModel, held: dict[str, torch.Tensor] | None, size: int
    ) -> Iterator[None]:
        try:
            problem = self.cache.evict_for(size)
            if problem:
                log.warning("the quantized weights of %s are not kept: %s", self.name, problem)
                return
            began = time.monotonic()
            folder = self.cache.new_folder()
            try:
                write_whole(folder / "config.json", json.dumps(dict(self.config)).encode())
                if (self.source.folder / _GENERATION).exists():
                    write_whole(folder / _GENERATION, (self.source.folder / _GENERATION).read_bytes())
                yield from _write(folder / WEIGHTS, held if held is not None else _distinct(model))
                self.cache.add(folder, self.name, self.key, self.source.folder, self.made_of)
            finally:
                shutil.rmtree(folder, ignore_errors=True)  # already renamed if it has become an entry
            log.info("%s bytes of %s were saved in %.1f s", size, self.name, time.monotonic() - began)
        except OSError as error:
            log.warning("the quantized weights of %s are not kept: %s", self.name, error)


def kept(
    cache: QuantizedCache | None, name: str, checkpoint: Checkpoint, placement: Placement
) -> Kept | None:
    """Return the model's cache entry in this form, or None if it is not to be cached.

    Models that are not quantized on loading, or that come with their own code, are not cached.
    """
    is_kept = placement.quantization != "none" and "auto_map" not in checkpoint.config
    if cache is None or cache.most_bytes == 0 or not is_kept:
        return None
    how = quantization_arguments(placement)["quantization_config"].to_dict()
    try:
        made_of = _digest(_files(checkpoint.folder))
    except OSError:
        return None
    versions = [metadata.version(package) for package in ("torch", "transformers", "bitsandbytes")]
    place = [str(placement.dtype), placement.device.type]
    key = _digest([FORMAT, str(checkpoint.folder), made_of, how, *place, versions])
    config = {**checkpoint.config, "quantization_config": how}
    return Kept(cache, name, checkpoint, made_of, key, config, placement.device)


def _files(folder: Path) -> list[Any]:
    """Identify the files of a checkpoint: sizes, times and headers of the weights, and the configs."""
    weights = [
        (file.name, file.stat().st_size, file.stat().st_mtime_ns, _digest(header_bytes(file).hex()))
        for file in weight_files(folder)
    ]
    configs = [file for name in ("config.json", _GENERATION) if (file := folder / name).exists()]
    return [weights, [file.read_bytes().hex() for file in configs]]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:24]


# --- Writing ----------------------------------------------------------------------------------------------


def _distinct(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Return all tensors of the model by name, tied ones only once, under their first name.

    Tensors with the widest elements come first, so that each is aligned in the file.
    """
    tensors: dict[str, torch.Tensor] = {}
    seen: set[tuple[object, ...]] = set()
    for name, tensor in model.state_dict().items():
        same = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
        if tensor.numel() and same in seen:
            continue
        seen.add(same)
        tensors[name] = tensor
    return dict(sorted(tensors.items(), key=lambda item: -item[1].element_size()))


def _write(path: Path, tensors: dict[str, torch.Tensor]) -> Iterator[None]:
    """Write a safetensors file (see `checkpoint`) step by step, and wait until it is on the disk."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[name] = {
            "dtype": _DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until closed: tells others that the file is being written
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            flat = tensor.contiguous().reshape(-1).view(torch.uint8)
            for begin in range(0, flat.numel(), STEP_BYTES):
                file.write(flat[begin : begin + STEP_BYTES].cpu().numpy().data)
                yield
        file.flush()
        with ThreadPoolExecutor(1, "quantized weights") as pool:
            synced = pool.submit(os.fsync, file.fileno())
            while not synced.done():
                yield
            synced.result()
