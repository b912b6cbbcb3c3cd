"""Try out torch, transformers and bitsandbytes on this machine, in a separate process for `qwen-tui doctor`.

Prints one line of JSON. Each part is tried separately, so that a failure does not hide the others.
"""

import gc
import json
import os

from qwen_tui.engine.redaction import one_line


def main() -> None:
    """Try every part, print the results, and end the process."""
    gc.disable()  # nothing imported becomes garbage
    found: dict[str, dict[str, bool | str]] = {}
    for attempt in (_torch, _transformers, _cuda, _bitsandbytes, _decoding):
        name = attempt.__name__.removeprefix("_")
        try:
            found[name] = {"ok": True, "said": attempt()}
        except Exception as error:  # a broken library may raise anything, which is then reported
            found[name] = {"ok": False, "said": one_line(f"{type(error).__name__}: {error}")}
    print("\n" + json.dumps(found), flush=True)
    os._exit(0)  # tearing down torch and transformers would take another second


def _torch() -> str:
    import torch

    return str(torch.__version__)


def _transformers() -> str:
    import transformers
    from transformers import AutoModelForCausalLM  # noqa: F401 - imports what loading needs

    return str(transformers.__version__)


def _cuda() -> str:
    """Return the names of the GPUs that multiply matrices correctly."""
    import torch

    if torch.version.cuda is None:
        return ""
    if not torch.cuda.is_available():
        torch.zeros(1, device="cuda")  # raises the cause
    names = []
    for index in range(torch.cuda.device_count()):
        ones = torch.ones(64, 64, device=f"cuda:{index}")
        if float((ones @ ones).sum()) != 64.0**3:
            raise RuntimeError(f"wrong result on cuda:{index}")
        names.append(torch.cuda.get_device_name(index))
    return ", ".join(names)


def _bitsandbytes() -> str:
    """Return the device on which bitsandbytes packed a matrix into 4 bits and multiplied with it."""
    import bitsandbytes
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    layer = bitsandbytes.nn.Linear4bit(
        64, 64, bias=False, compute_dtype=torch.bfloat16, quant_type="nf4", compress_statistics=True
    ).to(device)
    result = layer(torch.ones(1, 64, dtype=torch.bfloat16, device=device))
    if tuple(result.shape) != (1, 64) or not bool(torch.isfinite(result).all()):
        raise RuntimeError("wrong result")
    return device


def _decoding() -> str:
    """Return the fastest decode path that works here, as in `Run`. Raises what prevents the kernels."""
    import torch

    if not torch.cuda.is_available():
        return "generate"
    if torch.cuda.get_device_capability() < (8, 0):
        return "graph"
    from qwen_tui.engine.local.decoding.kernels import dense

    weight, x = torch.ones(16, 512, device="cuda"), torch.ones(512, device="cuda")
    out = torch.zeros(16, device="cuda")
    dense.product(weight, None, x, out)
    if not bool((out == 512).all()):
        raise RuntimeError("wrong result from Triton")
    return "kernels"
