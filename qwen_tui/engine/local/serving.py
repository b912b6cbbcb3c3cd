"""The worker's main thread: loads one model, then generates one reply after another."""

import logging
import os
import queue
from collections.abc import Iterator
from functools import partial

from qwen_tui.engine import wire
from qwen_tui.engine.base import LoadProgress, Request
from qwen_tui.engine.inspection import PromptTokens
from qwen_tui.engine.local.control_thread import Job, WorkerPipe
from qwen_tui.engine.local.decoding.baseline import bytes_a_second, bytes_a_token, plain_generate
from qwen_tui.engine.local.faults import free_memory, in_plain_words, is_device_broken, is_out_of_memory
from qwen_tui.engine.local.generation.generate import generate
from qwen_tui.engine.local.generation.prefill_ahead import read_ahead
from qwen_tui.engine.local.lens import lens
from qwen_tui.engine.local.loading.choose_model import resolve
from qwen_tui.engine.local.loading.download_progress import DownloadStopped
from qwen_tui.engine.local.loading.load import Loaded, load
from qwen_tui.engine.local.memory_facts import memory_facts, rounding
from qwen_tui.engine.local.prompts.inspecting import inspected
from qwen_tui.engine.wire import (
    GoOn,
    Layers,
    Load,
    Located,
    MeasureMemory,
    MeasurePlain,
    MemoryRates,
    Prepare,
)
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""Idle time after which deferred steps are resumed."""

PAUSE_SECONDS = 0.005
"""Pause between two deferred steps, for the other threads."""

DEVICE_BROKEN = 3
"""Exit code of a worker that ends itself because its CUDA context is lost."""


def serve(pipe: WorkerPipe) -> None:
    """Process jobs while the pipe is open, with the model loaded last."""
    loaded: Loaded | None = None
    while True:
        job = next_job(pipe, loaded.saving if loaded is not None else iter(()))
        if isinstance(job.question, Load):
            loaded = _load(pipe, job.number, job.question)
        elif isinstance(job.question, Prepare):
            if loaded is not None:
                prepare(pipe, loaded, job.number, job.question)
        elif isinstance(job.question, GoOn):
            continue  # for a load that has failed meanwhile
        elif loaded is None:
            pipe.send(job.number, QwenTuiError("engine.not_ready"))
        elif isinstance(job.question, MeasurePlain | MeasureMemory):
            measure(pipe, loaded, job.number, job.question)
        else:
            reply(pipe, loaded, job, job.question)


def next_job(pipe: WorkerPipe, put_off: Iterator[None]) -> Job:
    """Wait for a job; meanwhile run deferred steps of a few milliseconds each."""
    wait_seconds = IDLE_SECONDS
    while True:
        try:
            return pipe.jobs.get(timeout=wait_seconds)
        except queue.Empty:
            wait_seconds = PAUSE_SECONDS
        try:
            next(put_off)
            continue
        except StopIteration:
            pass
        except Exception:  # a failed step must not cost the user the model
            log.exception("a deferred step failed")
        return pipe.jobs.get()


def _load(pipe: WorkerPipe, number: int, question: Load) -> Loaded | None:
    spec, report = question.spec, partial(pipe.send, number)
    try:
        report(LoadProgress("resolving", spec.model or ""))
        resolved = resolve(spec, report, partial(pipe.is_stopped, number), question.freed, question.used)
        if question.waits:
            pipe.send(number, Located(resolved.folder))
            pipe.jobs.get()
        loaded = load(resolved, spec, report, question.quantized)
    except DownloadStopped:
        # The unfinished files are gone by now, which is what the program waited for.
        os._exit(0)
    except Exception as error:
        log.exception("loading %s failed", spec)
        pipe.send(number, in_plain_words(error))
        return None
    pipe.answer_aside = partial(aside, loaded)
    pipe.send(number, loaded.info)
    return loaded


def aside(loaded: Loaded, question: wire.Aside) -> wire.Shown:
    """Answer a question that needs no GPU, on another thread. May raise QwenTuiError."""
    match question:
        case wire.Count():
            return loaded.prompts.count(question.messages, question.thinking, continues=question.continues)
        case wire.Inspect():
            tokens = inspected(loaded.prompts, loaded.token_text, question.request, question.template)
            reused = loaded.cache.reusable([token.id for token in tokens]) if question.template else 0
            return PromptTokens(tuple(tokens), reused)
        case wire.Facts():
            return memory_facts(loaded)
        case wire.Round(matrix):
            return rounding(loaded.model, matrix)


def prepare(pipe: WorkerPipe, loaded: Loaded, number: int, question: Prepare) -> None:
    """Read ahead until another job arrives. Nobody waits for it, so failures are only logged."""
    broken = out_of_memory = False
    try:
        read_ahead(
            loaded,
            question.messages,
            question.thinking,
            lambda: pipe.is_stopped(number) or not pipe.jobs.empty(),
        )
    except Exception as error:
        log.warning("reading ahead failed: %s", in_plain_words(error))
        broken, out_of_memory = is_device_broken(error), is_out_of_memory(error)
    if out_of_memory:
        release_memory(loaded)
    if broken:
        os._exit(DEVICE_BROKEN)


def release_memory(loaded: Loaded) -> None:
    """Free the memory that a model would otherwise keep, other than its weights."""
    loaded.cache.release()
    if loaded.decoder is not None:
        loaded.decoder.release()
    free_memory()


def measure(pipe: WorkerPipe, loaded: Loaded, number: int, question: MeasurePlain | MeasureMemory) -> None:
    """Run a measurement for comparison with replies, after freeing what they keep in memory."""
    loaded.cache.forget()
    release_memory(loaded)
    answer: wire.Measured | QwenTuiError
    try:
        if isinstance(question, MeasurePlain):
            answer = plain_generate(loaded.model, question.prompt_tokens, question.new_tokens)
        else:
            device = next(loaded.model.parameters()).device
            each = tuple(bytes_a_token(loaded.model, tokens) for tokens in question.contexts)
            answer = MemoryRates(bytes_a_second(device), each)
    except Exception as error:
        log.exception("measuring failed")
        answer = in_plain_words(error)
    pipe.send(number, answer)


def reply(pipe: WorkerPipe, loaded: Loaded, job: Job, asked: Request | Layers) -> None:
    """Generate one reply, or look into its layers; send events or the error that ended it. The model stays usable.

    Only a lost CUDA context ends the process, since every call fails until a new process starts.
    """
    failure: QwenTuiError | None = None
    broken = out_of_memory = False
    try:
        send, is_stopped = partial(pipe.send, job.number), partial(pipe.is_stopped, job.number)
        if isinstance(asked, Layers):
            send(lens(loaded, asked.request))
        else:
            generate(loaded, asked, send, is_stopped, job.arrived, partial(pipe.answers_now, job.number))
    except Exception as error:
        if not isinstance(error, QwenTuiError):
            log.exception("generating failed")
        broken, out_of_memory = is_device_broken(error), is_out_of_memory(error)
        failure = QwenTuiError("engine.out_of_memory_reply") if out_of_memory else in_plain_words(error)
    # Here and not in the handler, where the traceback would keep the tensors alive.
    if out_of_memory:
        release_memory(loaded)
    if failure is not None:
        pipe.send(job.number, failure)
    if broken:
        os._exit(DEVICE_BROKEN)
