"""`qwen-tui doctor`: a report to paste: what is installed, what works, and how to fix the rest."""

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module, metadata
from pathlib import Path

from qwen_tui import __version__
from qwen_tui.commands.arguments import Arguments
from qwen_tui.commands.doctor.check import Check
from qwen_tui.commands.doctor.decoding import decoding_checks, opening
from qwen_tui.commands.doctor.server import server_checks
from qwen_tui.commands.doctor.terminal import terminal_checks
from qwen_tui.commands.output import FAILED, guarded, utf8
from qwen_tui.engine.library_check import Part, examine
from qwen_tui.engine.models import devices, hub_probe, nvml
from qwen_tui.engine.models.cache_scan import cache_folder, scan
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.recent_models import recent_models
from qwen_tui.engine.redaction import known_secrets, one_line, redacted, token_on_file
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder
from qwen_tui.paths import Places
from qwen_tui.settings.config_file import Config
from qwen_tui.strings import of_the_system, say
from qwen_tui.wording.cell_width import cells
from qwen_tui.wording.units import in_bytes

PACKAGES = (
    "torch", "transformers", "accelerate", "bitsandbytes",
    "tokenizers", "safetensors", "huggingface-hub", "textual",
)  # fmt: skip

LEAST_FREE_BYTES = 1_000_000_000
"""With less free space on the cache's disk, nothing can be downloaded."""

_SIGNS = {"ok": "✓", "note": "!", "fails": "✗"}


def run(_: Arguments, config: Config, where: Places) -> int:
    """Run all checks, printing each as it completes; return 0 if the program can run, else 1."""
    return guarded("doctor", lambda: _print(config, where))


def _print(config: Config, where: Places) -> int:
    out = utf8(sys.stdout)
    secrets = known_secrets()
    can_run = True
    print(f"qwen-tui {__version__}", file=out)
    for section, checks in _sections(config, where):
        print(f"\n{say(f'doctor.section.{section}')}", file=out, flush=True)
        for check in checks:
            can_run = can_run and check.state != "fails"
            print(_line(check, secrets), file=out, flush=True)
    print(f"\n{say('doctor.can_run' if can_run else 'doctor.cannot_run')}", file=out, flush=True)
    return 0 if can_run else FAILED


def _sections(config: Config, where: Places) -> Iterator[tuple[str, Iterable[Check]]]:
    yield "program", _program()
    yield "engine", _engine(examine(), config, where)
    yield "files", _files(config, where)
    if config.settings.server is not None:
        yield "server", server_checks(config.settings.server, config.settings.model)
    yield "hub", _hub()
    yield "terminal", terminal_checks()


def _line(check: Check, secrets: tuple[str, ...]) -> str:
    label = say(f"doctor.label.{check.name}")
    text = _printable(redacted(_short(check.said), secrets))
    line = f"  {_SIGNS[check.state]} {label}{' ' * max(1, 18 - cells(label))}{text}"
    return f"{line}\n{' ' * 22}{redacted(_short(check.hint), secrets)}" if check.hint else line


def _printable(text: str) -> str:
    """Return foreign text as one line without an error's length limit: a list of packages may be long."""
    return " ".join("".join(c if c.isprintable() or c == " " else " " for c in text).split())


# --- Checks -----------------------------------------------------------------------------------------------


def _program() -> Iterator[Check]:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Check("python", "ok", f"{platform.python_version()} · {system}")
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    hint = say("doctor.missing", names=", ".join(missing)) if missing else ""
    yield Check("packages", "fails" if missing else "ok", ", ".join(found), hint)
    try:
        import_module("qwen_tui.ui.app")
    except Exception as error:  # Textual, or something it needs, is broken
        said = f"{type(error).__name__}: {one_line(error)}"
        yield Check("screen", "fails", said, say("doctor.reinstall"))


def _engine(parts: dict[str, Part], config: Config, where: Places) -> Iterator[Check]:
    for name in ("torch", "transformers"):
        if not parts[name].ok:
            yield Check(name, "fails", parts[name].said, say("doctor.reinstall"))
    driver = nvml.query()
    yield from _gpus(parts["cuda"], driver)
    memory = devices.cpu()
    said = say("doctor.free_of", free=in_bytes(memory.free_bytes), total=in_bytes(memory.total_bytes))
    yield Check("memory", "ok", said)
    cuda, bits = parts["cuda"], parts["bitsandbytes"]
    spec, load = config.settings.model_spec, opening(config.settings, where)
    yield from decoding_checks(parts["decoding"], has_gpu=cuda.ok and bool(cuda.said), spec=spec, load=load)
    if bits.ok:
        yield Check("bitsandbytes", "ok", say("doctor.bitsandbytes", device=bits.said))
    else:
        yield Check("bitsandbytes", "note", bits.said, say("doctor.bitsandbytes.unusable"))


def _gpus(cuda: Part, driver: nvml.Nvml) -> Iterator[Check]:
    for index, gpu in enumerate(driver.gpus):
        free = say("doctor.free_of", free=in_bytes(gpu.free_bytes), total=in_bytes(gpu.total_bytes))
        compute = ".".join(map(str, gpu.capability))
        said = say("doctor.gpu", index=index, name=gpu.name, compute=compute, free=free, driver=driver.driver)
        yield Check("gpu", "ok", said)
    if not cuda.ok:
        yield Check("cuda", "note", cuda.said, say("doctor.cuda.broken"))
    elif driver.gpus and not cuda.said:
        hint = "doctor.cuda.cpu_build" if devices.torch_is_for_cpu() else "doctor.cuda.broken"
        yield Check("cuda", "note", say("doctor.cuda.unused"), say(hint))
    elif not cuda.said:
        yield Check("gpu", "ok", say("doctor.no_gpu"))
    elif not driver.gpus:
        yield Check("gpu", "ok", cuda.said)


def _files(config: Config, where: Places) -> Iterator[Check]:
    guide = model_folder()
    if not (guide / "model.safetensors").exists():
        yield Check("guide", "fails", str(guide), say("doctor.reinstall"))
    if hint := _not_writable(where.data_folder):
        yield Check("data", "fails", str(where.data_folder), hint)
    else:
        free = in_bytes(shutil.disk_usage(_nearest(where.data_folder)).free)
        yield Check("data", "ok", say("doctor.disk", path=where.data_folder, free=free))
    yield Check("log", "ok", str(where.log_file))
    if problems := [*config.problems, *_unknown_names(config)]:
        for problem in problems:
            yield Check("config", "note", str(where.config_file), str(problem))
    else:
        yield Check("config", "ok", str(where.config_file))
    yield _cache(cache_folder(), where)
    yield _quantized(where.quantized)


def _unknown_names(config: Config) -> Iterable[QwenTuiError]:
    try:
        from qwen_tui.ui.config_check import unknown_names  # fails without Textual
    except Exception:  # reported in the section on the program
        return ()
    return unknown_names(config)


def _cache(folder: Path, where: Places) -> Check:
    models = [model for model in scan(folder, recent_models(where.models)) if model.revision]
    try:
        free = shutil.disk_usage(_nearest(folder)).free
    except OSError as error:
        return Check("cache", "note", str(folder), one_line(error))
    size = in_bytes(sum(model.disk_bytes for model in models))
    said = say("doctor.cache", path=folder, count=len(models), size=size, free=in_bytes(free))
    hint = _not_writable(folder)
    return Check("cache", "note" if hint or free < LEAST_FREE_BYTES else "ok", said, hint)


def _quantized(folder: Path) -> Check:
    cache = QuantizedCache(folder)
    count, size = len(cache.entries()), in_bytes(cache.taken_bytes())
    said = say("doctor.quantized", path=folder, count=count, size=size)
    return Check.noted("quantized", said, _not_writable(folder))


def _hub() -> Iterator[Check]:
    probe = hub_probe.probe()
    if probe.outcome == "offline":
        yield Check("hub", "ok", say("doctor.hub.offline", endpoint=probe.endpoint))
    elif probe.outcome == "reachable":
        yield Check("hub", "ok", say("doctor.hub.reachable", endpoint=probe.endpoint))
    else:
        said = say("doctor.hub.unreachable", endpoint=probe.endpoint, detail=of_the_system(probe.detail))
        yield Check("hub", "note", said, say("doctor.hub.hint"))
    if any(os.environ.get(name) for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")):
        source = "environment"
    else:
        source = "file" if token_on_file() else "none"
    yield Check("token", "ok", say(f"doctor.token.{source}"))


def _not_writable(folder: Path) -> str:
    """Return a hint for a folder that cannot be written to or created; empty if it can."""
    there = _nearest(folder)
    return "" if os.access(there, os.W_OK | os.X_OK) else say("doctor.not_writable", path=there)


def _nearest(folder: Path) -> Path:
    """Return the folder, or its nearest existing parent."""
    return next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))


def _short(text: str) -> str:
    """Replace the home folder by `~`, because the report will be shown to others."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
