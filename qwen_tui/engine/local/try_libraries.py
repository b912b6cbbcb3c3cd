"""What torch and bitsandbytes can do on this machine, tried out: for `qwen-tui doctor`, in a process of its own.

Prints one line of JSON. Every part is tried by itself, so that one that fails does not hide the others.
"""

import gc
import json
import os

from qwen_tui.engine.redaction import one_line


def main() -> None:
    """Try everything and print what came of it. Ends the process."""
    gc.disable()  # nothing of what is imported becomes garbage
    found: dict[str, dict[str, bool | str]] = {}
    for attempt in (_torch, _transformers, _cuda, _bitsandbytes, _decoding):
        name = attempt.__name__.removeprefix("_")
        try:
            found[name] = {"ok": True, "said": attempt()}
        except Exception as error:  # a broken library raises anything, and that is what is to be told
            found[name] = {"ok": False, "said": one_line(f"{type(error).__name__}: {error}")}
    print("\n" + json.dumps(found), flush=True)
    os._exit(0)  # taking apart what torch and transformers have built would take a second more


def _torch() -> str:
    import torch

    return str(torch.__version__)


def _transformers() -> str:
    import transformers
    from transformers import AutoModelForCausalLM  # noqa: F401 - imports what loading needs

    return str(transformers.__version__)


def _cuda() -> str:
    """The GPUs on which a product of matrices comes out right, by their names."""
    import torch

    if torch.version.cuda is None:
        return ""
    if not torch.cuda.is_available():
        torch.zeros(1, device="cuda")  # raises what is the matter
    names = []
    for index in range(torch.cuda.device_count()):
        ones = torch.ones(64, 64, device=f"cuda:{index}")
        if float((ones @ ones).sum()) != 64.0**3:
            raise RuntimeError(f"wrong result on cuda:{index}")
        names.append(torch.cuda.get_device_name(index))
    return ", ".join(names)


def _bitsandbytes() -> str:
    """The device on which it packed a matrix into 4 bits and multiplied with it."""
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
    """The fastest way to decode that works here, as a `Run` names it; raises what keeps the kernels from it."""
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
