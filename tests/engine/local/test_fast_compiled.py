"""The kernels are compiled for GPUs that need not be here: the interpreter of the other tests would not notice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "triton.backends.nvidia", reason="comes with a torch for CUDA, and with the extra `dev` on Linux"
)

KERNELS = {
    "qwen2.5-7b": {"_gated_product"},
    "qwen2.5-1.5b in 4 bits": {"_unpack"},
    "qwen2.5-0.5b in float32": {"_gated_product"},
    "qwen3-8b in float16": {"_gated_product"},
    "qwen3.5-9b": {"_gated_product", "_convolve", "_recur", "_solve", "_pass_on", "_read"},
    "qwen3-30b-a3b": {"_gated_product", "_choose", "_gated_products", "_add_products"},
    "qwen3-30b-a3b in 4 bits": {"_unpack", "_choose", "_gated_products", "_add_products"},
}
"""What each needs beside what all of them do."""


def test_what_a_model_needs_is_compiled_ahead_of_it(tmp_path: Path) -> None:
    support = Path(__file__).parents[2] / "support"
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment |= {"TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(support.parents[1])}
    environment["DISABLE_PTXAS_OPT"] = "1"  # how fast they would be is of no interest here
    command = [sys.executable, str(support / "compiled_kernels.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["parsed at once"] == 1, "CPython can raise where two threads parse"
    compiled = said["kernels"]
    assert set(compiled) == set(KERNELS)
    for title, kernels in compiled.items():
        assert kernels["later"] == [], title
        wanted = {"_product", "_place", "_attend", "_combine", "_silu_product"} | KERNELS[title]
        assert set(kernels["ahead"]) == wanted, title
