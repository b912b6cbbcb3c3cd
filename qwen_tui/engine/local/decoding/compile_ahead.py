"""Compile kernels while the weights are read, which leaves the processor idle."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig

from qwen_tui.engine.local.cpu_cores import usable_cores
from qwen_tui.engine.local.decoding.kernel_support import KERNEL_MODELS, KERNELS_CAPABILITY
from qwen_tui.engine.models.weight_formats import is_dequantized, quantization_in

log = logging.getLogger(__name__)

THREADS = 4
"""Maximum number of concurrent compilations; the longest takes a third of the total time."""


@contextmanager
def compiling(folder: Path, device: torch.device, dtype: torch.dtype, quantization: str) -> Iterator[None]:
    """Compile the kernels for the model in this folder in the background; wait for them on exit.

    A failure is ignored here: it recurs when the kernels are tried, and is handled there.
    """
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < KERNELS_CAPABILITY:
        yield
        return
    thread = threading.Thread(
        target=_compile, args=(folder, device, dtype, quantization), name="compiling", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _stays_quantized(config: Mapping[str, Any]) -> bool:
    return bool(quantization_in(config)) and not is_dequantized(config)


def _compile(folder: Path, device: torch.device, dtype: torch.dtype, quantization: str) -> None:
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if config.model_type not in KERNEL_MODELS or quantization == "8bit":
            return
        from qwen_tui.engine.local.decoding.kernels.compiling import compile_all, kind_of

        is_four_bits = quantization == "4bit" or _stays_quantized(config.to_dict())
        kind = kind_of(config, dtype, is_four_bits=is_four_bits)
        compile_all(kind, device, threads=min(THREADS, usable_cores()))
    except Exception as error:
        log.info("kernels were not compiled ahead: %s: %s", type(error).__name__, error)
