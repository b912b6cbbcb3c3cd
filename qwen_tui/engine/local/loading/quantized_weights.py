"""A model's quantized weights in the cache: found there by all that decides what they are, and written there.

They are written by the thread that generates, in small steps while nothing is asked: so neither a reply nor
bitsandbytes, which packs weights anew for a CPU when they are first used, can change them meanwhile.
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
from qwen_tui.engine.models.fit import WORTHWHILE
from qwen_tui.engine.models.main_memory import main_memory
from qwen_tui.engine.models.quantized_cache import QuantizedCache

log = logging.getLogger(__name__)

STEP_BYTES = 16 << 20
"""How much is written in one step: what a reply may have to wait for."""

LEAST_FREE_BYTES = 1_000_000_000
"""On a CPU the weights are kept only with so much of main memory left, since they are there twice meanwhile."""

FORMAT = 1
"""Another number makes all that was kept before worthless."""

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
"""As safetensors calls them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where one model in one form stands in the cache, or will stand."""

    cache: QuantizedCache
    name: str
    """As the person calls the model."""
    source: Checkpoint
    made_of: str
    """Changes when the source's files do."""
    key: str
    """Changes when anything does that decides what is kept."""
    config: Mapping[str, Any]
    """What `config.json` is to say: the source's, and how it is quantized."""
    device: torch.device

    def save(self, model: PreTrainedModel) -> Iterator[None]:
        """The steps that write this model's weights; they have to be taken from before the first forward pass.

        On a CPU it holds the tensors as they are now: with AVX512-BF16 the first use replaces them by packed ones,
        from which the originals cannot be had again. A GPU would keep them twice, beside those that decoding lays
        out anew, and there they are the same later on. Nothing is raised: what goes wrong is said in the log.
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
                shutil.rmtree(folder, ignore_errors=True)  # there no more, when it has become an entry
            log.info("%s bytes of %s are kept after %.1f s", size, self.name, time.monotonic() - began)
        except OSError as error:
            log.warning("the quantized weights of %s are not kept: %s", self.name, error)


def kept(
    cache: QuantizedCache | None, name: str, checkpoint: Checkpoint, placement: Placement
) -> Kept | None:
    """Where the model stands in the cache in this form; None for a model that is not to be kept there.

    Those are models that are not quantized on loading, and those that bring code of their own with them.
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
    """What tells the files of a checkpoint from others: their sizes, times and headers, and its configs."""
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
    """All tensors that make up the model, by name, each once: of those that are tied the first.

    Those with the widest values come first, so that each stands in the file where its dtype wants it.
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
    """Write a safetensors file (see `checkpoint`) a step at a time, and wait until it is on the disk."""
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
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed: so others know that someone writes
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
