"""Compiling kernels beside the reading of the weights, which leaves the processor free."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import AutoConfig

from qwen_tui.engine.local.cpu_cores import usable_cores
from qwen_tui.engine.local.decoding.kernel_support import KERNEL_MODELS, KERNELS_CAPABILITY

log = logging.getLogger(__name__)

THREADS = 4
"""How many kernels are compiled at a time, as far as there are cores; the longest takes a third of all together."""


@contextmanager
def compiling(folder: Path, device: torch.device, dtype: torch.dtype, quantization: str) -> Iterator[None]:
    """Within this, what the model in this folder will be decoded with is compiled; at the end it is waited for.

    What fails here fails again where the kernels are tried, and is dealt with there.
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


def _compile(folder: Path, device: torch.device, dtype: torch.dtype, quantization: str) -> None:
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if config.model_type not in KERNEL_MODELS or quantization == "8bit":
            return
        from qwen_tui.engine.local.decoding.kernels.compiling import compile_all, kind_of

        is_four_bits = quantization == "4bit" or hasattr(config, "quantization_config")
        kind = kind_of(config, dtype, is_four_bits=is_four_bits)
        compile_all(kind, device, threads=min(THREADS, usable_cores()))
    except Exception as error:
        log.info("kernels were not compiled ahead: %s: %s", type(error).__name__, error)
