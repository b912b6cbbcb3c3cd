"""A model folder whose own code goes wrong when it is told to: in loading, in reading the prompt, in decoding.

It is told by a file beside the weights, `fault`, which holds the place and the kind; the file is removed when the
fault strikes, so that what comes next meets a sound model.
"""

import json
from pathlib import Path

import tiny_models

CODE = """
import os, signal, struct, sys, time
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM


class FaultyConfig(Qwen2Config):
    model_type = "faulty"


class FaultyForCausalLM(Qwen2ForCausalLM):
    config_class = FaultyConfig
    calls = 0

    def __init__(self, config):
        super().__init__(config)
        self.strike("load")

    def forward(self, input_ids=None, **others):
        self.calls += 1
        if self.calls > 2:  # the first two warm it up
            self.strike("prefill" if input_ids.shape[1] > 1 else "decode")
        return super().forward(input_ids=input_ids, **others)

    def strike(self, place):
        file = Path(FOLDER) / "fault"
        if not file.exists() or file.read_text().split()[0] != place:
            return
        kind = file.read_text().split()[1]
        file.unlink()
        pipe = int(sys.argv[1])
        if kind == "cuda-oom":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        if kind == "real-oom":
            torch.empty(1 << 46, device="cpu")
        if kind == "lost-device":
            # A device-side assert, which no process survives.
            torch.zeros(1, device="cuda")[torch.tensor([5], device="cuda")].item()
        if kind == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "hang":
            os.kill(os.getpid(), signal.SIGSTOP)
        if kind == "exit":
            raise SystemExit(3)
        if kind == "noise":
            os.write(pipe, b"Not an answer. " * 1000)
        if kind == "half":
            os.write(pipe, struct.pack("!i", 1 << 20) + b"the beginning of an answer")
        if kind == "huge":
            os.write(pipe, struct.pack("!i", 1 << 30) + bytes(1000))
        if kind == "wrong":
            connection = Connection(os.dup(pipe))
            connection.send((1, "no answer"))
        if kind == "prints":
            for stream in (sys.stdout, sys.stderr):
                for _ in range(200):
                    print("x" * 100_000, file=stream)
        if kind == "tells":
            print("the token is", os.environ["HF_TOKEN"], flush=True)
            raise RuntimeError("it failed with " + os.environ["HF_TOKEN"])
"""


def faulty(folder: Path, window: int = 512) -> Path:
    """A tiny Qwen2 that brings this code; it needs `trust_remote_code`."""
    tiny_models.qwen2(folder, window=window)
    (folder / "modeling_faulty.py").write_text(CODE.replace("FOLDER", repr(str(folder))), "utf-8")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {
        "model_type": "faulty",
        "architectures": ["FaultyForCausalLM"],
        "auto_map": {
            "AutoConfig": "modeling_faulty.FaultyConfig",
            "AutoModelForCausalLM": "modeling_faulty.FaultyForCausalLM",
        },
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def tell(folder: Path, place: str, kind: str) -> None:
    """Have this go wrong at the next occasion."""
    (folder / "fault").write_text(f"{place} {kind}", "utf-8")
