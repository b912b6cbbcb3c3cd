"""The output of `qwen-tui bench`: the machine, a table and bars, or everything as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version

from qwen_tui import __version__
from qwen_tui.chat.messages import Json
from qwen_tui.commands.bench.measure import NEW_TOKENS, TURN_TOKENS, Row
from qwen_tui.commands.bench.through_ui import Through
from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.models import devices
from qwen_tui.strings import say
from qwen_tui.wording.cell_width import cells, padded_left
from qwen_tui.wording.units import in_tokens

BAR_CELLS = 44
"""Length of the longest bar."""


def as_json_text(info: ModelInfo, name: str, measured: Sequence[Row], app: Through) -> list[str]:
    """Format the results as one JSON object, in seconds and tokens per second."""
    said = _machine(info, name)
    said["rows"] = [
        {name: round(value, 4) for name, value in row._asdict().items()} | {"prefill": round(row.prefill, 1)}
        for row in measured
    ]
    said["through_app"] = {"context": measured[0].context, **app._asdict()}
    return [json.dumps(said, ensure_ascii=False, indent=1)]


def in_words(info: ModelInfo, name: str, measured: Sequence[Row], app: Through) -> list[str]:
    """Format the results as text: the machine, a row per length, the cost of the whole app, and bars."""
    tokens, late = in_tokens(measured[0].context), _milliseconds(app.drawn_seconds)
    through = say("bench.app", tokens=tokens, app=app.app, share=app.app / app.alone, late=late)
    return [*_heading(info, name), "", *_table(measured), "", through, "", *_plot(measured)]


def _machine(info: ModelInfo, name: str) -> dict[str, Json]:
    return {
        "qwen_tui": __version__,
        "model": name,
        "architecture": info.architecture,
        "parameters": info.parameters,
        "quantization": info.quantization,
        "dtype": info.dtype,
        "device": info.device,
        "decode_path": info.decode_path,
        "gpus": [device.label for device in devices.gpus()],
        "cpu": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "load_seconds": round(info.load_seconds, 3),
        "ready_seconds": round(info.ready_seconds, 3),
        "new_tokens": NEW_TOKENS,
        "turn_tokens": TURN_TOKENS,
    }


def _heading(info: ModelInfo, name: str) -> list[str]:
    facts = _machine(info, name)
    form = info.dtype if info.quantization == "none" else info.quantization
    is_on_gpu = facts["gpus"] and info.device.startswith("cuda")
    on = ", ".join(facts["gpus"]) if is_on_gpu else say("bench.cores", count=facts["cores"])
    versions = {library: facts[library] for library in ("torch", "transformers")}
    return [
        say("bench.model", name=name, form=form, device=info.device, on=on),
        say("bench.decoded", by=say(f"receipt.decoding.{info.decode_path}")),
        say("bench.versions", **versions, seconds=info.load_seconds, ready=info.ready_seconds),
    ]


def _table(measured: Sequence[Row]) -> list[str]:
    heads = say("bench.columns").split("|")
    lines = [[head.strip() for head in heads]]
    for row in measured:
        line = [in_tokens(row.context), f"{row.prefill:,.0f}"]
        line += map(_milliseconds, (row.first_cold, row.first_warm, row.stop))
        line += [f"{row.decode:,.1f}", _milliseconds(row.plain_first)]
        lines.append([*line, f"{row.plain_decode:,.1f}", f"{row.floor:,.0f}"])
    widths = [max(cells(line[n]) for line in lines) for n in range(len(heads))]
    return ["  ".join(map(padded_left, line, widths)) for line in lines]


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


def _plot(measured: Sequence[Row]) -> list[str]:
    """Plot decode speed as bars: the engine, plain `generate`, and the limit of the memory."""
    most = max(max(row.decode, row.plain_decode, row.floor) for row in measured)
    lines = [say("bench.plot")]
    labels = ("qwen-tui", "generate", say("bench.limit"))
    width = max(map(cells, labels))
    for row in measured:
        heads = (in_tokens(row.context), "", "")
        for head, label, value in zip(heads, labels, (row.decode, row.plain_decode, row.floor), strict=True):
            bar = "█" * max(1, round(value / most * BAR_CELLS))
            lines.append(f"{head:>7}  {label}{' ' * (width - cells(label))}  {bar} {value:,.1f}")
    return lines
