"""`qwen-tui bench`: measure a model on this machine, against plain `generate` and the memory bandwidth limit."""

import contextlib
import logging
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from qwen_tui.commands.arguments import Arguments
from qwen_tui.commands.bench.measure import CONTEXTS, contexts_that_fit, rows, text_of
from qwen_tui.commands.output import guarded, print_lines, tell
from qwen_tui.engine.base import LoadProgress, ModelSpec
from qwen_tui.engine.client import LocalEngine
from qwen_tui.engine.models.catalogue import shape_named
from qwen_tui.engine.opening import open_engine
from qwen_tui.engine.worker import python
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.wording.load_progress import stage_in_words
from qwen_tui.wording.units import in_bytes


def run(given: Arguments, config: Config, where: Places) -> int:
    """Measure and print; return the exit status."""
    return guarded("bench", lambda: _run(given, config.settings, where))


def _run(given: Arguments, settings: Settings, where: Places) -> int:
    if settings.server is not None:
        raise QwenTuiError("bench.server")
    wanted = _contexts(given.contexts)
    with contextlib.ExitStack() as stack:
        spec = settings.model_spec
        if given.shape is not None:
            folder = stack.enter_context(_random_model(given.shape, where))
            spec = ModelSpec(model=str(folder), quantization=spec.quantization, device=spec.device)
        engine = open_engine(spec, where.log_file, _tell_stage, threading.Event())
        stack.callback(engine.close)
        assert isinstance(engine, LocalEngine)
        window = engine.info.context_window
        there = contexts_that_fit(wanted, window)
        if left_out := [each for each in wanted if each not in there]:
            _tell(
                "bench.left_out",
                lengths=say("bench.and").join(f"{each:,}" for each in left_out),
                window=window,
            )
        measured = list(rows(engine, there, given.repeats, lambda tokens: _tell("bench.at", tokens=tokens)))
        _tell("bench.through_app")
        logging.disable()  # the screen's logs are irrelevant here
        from qwen_tui.commands.bench import report, through_ui  # these import the screen

        new_tokens = through_ui.reply_tokens(measured[0], window)
        app = through_ui.through_app(engine, text_of(engine, there[0]), new_tokens, given.repeats)
        lines = report.as_json_text if given.json else report.in_words
        print_lines(lines(engine.info, given.shape or engine.info.name, measured, app))
    return 0


def _contexts(given: str | None) -> tuple[int, ...]:
    if given is None:
        return CONTEXTS
    try:
        return tuple(sorted({max(1, int(each)) for each in given.split(",")}))
    except ValueError:
        raise QwenTuiError("bench.bad_contexts", given=given) from None


@contextlib.contextmanager
def _random_model(shape: str, where: Places) -> Iterator[Path]:
    """Yield a temporary folder with random weights of a shape; raises QwenTuiError."""
    needed = 2 * shape_named(shape).parameters
    root = where.quantized.parent
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(root).free
    if needed > free:
        raise QwenTuiError("bench.no_room", needed=in_bytes(needed), free=in_bytes(free), path=str(root))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=root) as folder:
        _tell("bench.writing", size=in_bytes(needed), path=folder)
        writer = "from qwen_tui.engine.local.loading.random_checkpoint import main; main()"
        command = python(writer, shape, folder)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise QwenTuiError("bench.not_written", detail=done.stderr.strip().rpartition("\n")[2][:200])
        yield Path(folder)


def _tell(code: str, **parameters: object) -> None:
    tell("bench", say(code, **parameters))


def _tell_stage(progress: LoadProgress) -> None:
    if not progress.done and sys.stderr.isatty():
        tell("bench", stage_in_words(progress))
