"""The engine in its worker process: asked, stopped, killed, left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import forked_popen
import psutil
import pytest
import tiny_models
from waiting import wait_for

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import (
    Event,
    Finished,
    LoadProgress,
    ModelSpec,
    PromptMessage,
    Request,
    Sampling,
    TextDelta,
)
from qwen_tui.engine.client import LocalEngine
from qwen_tui.engine.opening import open_engine, start_worker
from qwen_tui.engine.trace import Traced
from qwen_tui.engine.worker import python
from qwen_tui.errors import QwenTuiError

HELLO = (PromptMessage(Role.USER, "hello"),)


def asking(tokens: int = 16, text: str = "hello", **sampling: float) -> Request:
    return Request(
        messages=(PromptMessage(Role.USER, text),),
        sampling=Sampling(max_new_tokens=tokens, **{"seed": 3, "temperature": 5.0, "top_k": 0, **sampling}),
    )


LONG = asking(100_000)
"""A reply that goes on for as long as the context window of `slow` lasts."""


@pytest.fixture(scope="module")
def slow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a window so long that a reply does not end during a test."""
    return tiny_models.qwen2(tmp_path_factory.mktemp("slow") / "slow", window=100_000, num_hidden_layers=8)


@contextmanager
def opened(folder: Path, log_file: Path) -> Iterator[LocalEngine]:
    engine = open_engine(
        ModelSpec(model=str(folder), device="cpu"), log_file, lambda _: None, threading.Event()
    )
    assert isinstance(engine, LocalEngine)
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="module")
def slow(slow_folder: Path, log_file: Path) -> Iterator[LocalEngine]:
    with opened(slow_folder, log_file) as engine:
        yield engine


def run_of(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_reply_streams_from_another_process(engine: LocalEngine) -> None:
    assert engine.pid != os.getpid()
    events = list(engine.stream(asking(), threading.Event()))
    assert run_of(events).run.new_tokens == 16
    assert any(isinstance(event, TextDelta) for event in events)


def test_a_count_is_exact(engine: LocalEngine) -> None:
    events = list(engine.stream(asking(), threading.Event()))
    assert engine.count(HELLO).total == run_of(events).run.prompt_tokens
    assert engine.count(()).total == 0


def test_counting_works_while_a_reply_is_generated(slow: LocalEngine) -> None:
    stop = threading.Event()
    stream = slow.stream(LONG, stop)
    next(event for event in stream if isinstance(event, TextDelta))
    assert slow.count(HELLO).total > 0
    stop.set()
    assert run_of(list(stream)).run.stop_reason == "stopped"


def test_a_stop_ends_a_reply_and_keeps_its_text(slow: LocalEngine) -> None:
    stop = threading.Event()
    events: list[Event] = []
    for event in slow.stream(LONG, stop):
        events.append(event)
        if isinstance(event, TextDelta) and not stop.is_set():
            stop.set()
    run = run_of(events).run
    assert run.stop_reason == "stopped"
    assert run.new_tokens >= 1


def test_a_stop_during_a_long_prompt_is_seen_before_it_is_read(slow: LocalEngine) -> None:
    stop = threading.Event()
    stream = slow.stream(asking(text="a" * 20_000), stop)
    next(stream)
    stop.set()
    run = run_of(list(stream)).run
    assert (run.stop_reason, run.new_tokens) == ("stopped", 0)


def test_a_stop_that_comes_late_does_not_hit_the_next_reply(engine: LocalEngine) -> None:
    late = threading.Event()
    list(engine.stream(asking(), late))
    late.set()
    assert run_of(list(engine.stream(asking(), threading.Event()))).run.stop_reason == "length"


def test_a_reply_that_nobody_reads_any_more_is_given_up(slow: LocalEngine) -> None:
    stream = slow.stream(LONG, threading.Event())
    next(stream)
    stream.close()
    assert run_of(list(slow.stream(asking(), threading.Event()))).run.new_tokens == 16


def test_an_error_in_one_reply_leaves_the_engine_usable(engine: LocalEngine) -> None:
    with pytest.raises(QwenTuiError) as raised:
        list(engine.stream(asking(text="a" * 5000), threading.Event()))
    assert raised.value.code == "engine.prompt_too_long"
    assert engine.alive
    assert run_of(list(engine.stream(asking(), threading.Event())))


def test_a_worker_that_is_killed_is_reported(slow_folder: Path, log_file: Path) -> None:
    with opened(slow_folder, log_file) as engine:
        stream = engine.stream(LONG, threading.Event())
        next(event for event in stream if isinstance(event, TextDelta))
        os.kill(engine.pid, signal.SIGKILL)
        with pytest.raises(QwenTuiError) as raised:
            list(stream)
        assert raised.value.code == "engine.worker_died"
        assert "SIGKILL" in str(raised.value)
        assert not engine.alive
        for ask in (lambda: engine.count(HELLO), lambda: list(engine.stream(asking(), threading.Event()))):
            with pytest.raises(QwenTuiError) as again:
                ask()
            assert again.value.code == "engine.worker_died"


def test_a_worker_that_ignores_a_stop_is_ended(slow_folder: Path, log_file: Path) -> None:
    with opened(slow_folder, log_file) as engine:
        hanging = LocalEngine(engine._worker, engine.info, stop_seconds=0.3)
        stop = threading.Event()
        stream = hanging.stream(LONG, stop)
        next(event for event in stream if isinstance(event, TextDelta))
        os.kill(engine.pid, signal.SIGSTOP)
        stop.set()
        with pytest.raises(QwenTuiError) as raised:
            list(stream)
        assert raised.value.code == "engine.did_not_stop"
        assert not hanging.alive
        wait_for(lambda: is_gone(engine.pid))


def test_closing_ends_the_process(slow_folder: Path, log_file: Path) -> None:
    with opened(slow_folder, log_file) as engine:
        next(engine.stream(LONG, threading.Event()))
        engine.close()
        assert is_gone(engine.pid)
        engine.close()
        with pytest.raises(QwenTuiError) as raised:
            engine.count(HELLO)
        assert raised.value.code == "engine.closed"


PROGRAM = """
import sys, threading
from pathlib import Path
from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import ModelSpec, PromptMessage, Request, Sampling
from qwen_tui.engine.opening import open_engine
spec = ModelSpec(model=sys.argv[1], device="cpu")
engine = open_engine(spec, Path(sys.argv[2]), lambda _: None, threading.Event())
request = Request(messages=(PromptMessage(Role.USER, sys.argv[3]),), sampling=Sampling(max_new_tokens=90000))
for event in engine.stream(request, threading.Event()):
    print(engine.pid, flush=True)
"""


@pytest.mark.parametrize(("text", "how"), [("a" * 30_000, signal.SIGKILL), ("hello", signal.SIGHUP)])
def test_the_worker_ends_when_the_program_is_killed(
    slow_folder: Path, log_file: Path, text: str, how: signal.Signals
) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(slow_folder), str(log_file), text],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert program.stdout is not None
    worker = int(program.stdout.readline())
    assert not is_gone(worker)
    program.send_signal(how)
    program.wait()
    wait_for(lambda: is_gone(worker))


@pytest.mark.usefixtures("plain_start")
def test_a_load_can_be_stopped_at_once(slow_folder: Path, log_file: Path) -> None:
    stop = threading.Event()

    def report(progress: LoadProgress) -> None:
        if progress.stage == "starting":
            threading.Timer(0.2, stop.set).start()

    worker = start_worker(log_file)
    os.kill(worker.pid, signal.SIGSTOP)  # it will not import anything, nor answer
    with pytest.raises(QwenTuiError) as raised:
        open_engine(ModelSpec(model=str(slow_folder)), log_file, report, stop, worker)
    assert raised.value.code == "engine.load_stopped"
    wait_for(lambda: is_gone(worker.pid))


@pytest.mark.usefixtures("plain_start")
def test_a_worker_started_early_takes_the_load_later(folders: dict[str, Path], log_file: Path) -> None:
    worker = start_worker(log_file)
    spec = ModelSpec(model=str(folders["base"]), device="cpu")
    engine = open_engine(spec, log_file, lambda _: None, threading.Event(), worker)
    assert engine.info.name == "base"
    engine.close()
    assert is_gone(worker.pid)


def test_a_load_that_fails_ends_its_worker(log_file: Path, tmp_path: Path) -> None:
    worker = start_worker(log_file)
    too_early = worker.ask(asking()).next(30)
    assert isinstance(too_early, QwenTuiError)
    assert too_early.code == "engine.not_ready"
    with pytest.raises(QwenTuiError) as raised:
        open_engine(
            ModelSpec(model=str(tmp_path / "absent")), log_file, lambda _: None, threading.Event(), worker
        )
    assert raised.value.code == "engine.folder_missing"
    assert is_gone(worker.pid)


def test_what_the_worker_prints_is_in_a_log_that_is_the_persons_own(
    engine: LocalEngine, log_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert log_file.stat().st_mode & 0o777 == 0o600
    assert log_file.parent.stat().st_mode & 0o777 == 0o700
    list(engine.stream(asking(), threading.Event()))
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_is_not_for_the_worker(engine: LocalEngine) -> None:
    os.kill(engine.pid, signal.SIGINT)
    assert engine.count(HELLO).total > 0
    assert os.getsid(engine.pid) == engine.pid


def test_no_helper_process_is_left_beside_the_worker(engine: LocalEngine) -> None:
    assert psutil.Process(engine.pid).children() == []
    assert all("resource_tracker" not in " ".join(child.cmdline()) for child in psutil.Process().children())


def test_in_tests_workers_are_forked() -> None:
    """Whatever the environment of whoever runs the tests: each would import for four seconds otherwise."""
    if subprocess.Popen is not forked_popen.ForkedPopen:
        pytest.skip("a GPU's driver does not outlive a fork")
    command = python("from qwen_tui.engine.local.main import main; main()")
    assert forked_popen._is_forked(command, None, os.environ)


def test_traces_prompts_and_memory_come_through_the_pipe(engine: LocalEngine) -> None:
    request = Request(
        messages=(PromptMessage(Role.USER, "广州"),), sampling=Sampling(max_new_tokens=6, seed=3), trace=True
    )
    events = list(engine.stream(request, threading.Event()))
    traces = [trace for event in events if isinstance(event, Traced) for trace in event.tokens]
    assert tuple(trace.chosen.id for trace in traces if trace is not None) == events[-1].run.token_ids
    prompt = engine.inspect(request)
    assert b"".join(token.text for token in prompt.tokens if token.author == "user").decode() == "广州"
    assert len(prompt.tokens) == events[-1].run.prompt_tokens
    assert prompt.reused_tokens == len(prompt.tokens) - 1
    assert engine.inspect(request, template=False).tokens[0].author == "user"
    facts = engine.memory()
    assert facts.cache.tokens >= len(prompt.tokens)
    assert 0 < engine.rounding(facts.matrices[0]).error_4 < 1
    layers = engine.lens(replace(request, given_ids=events[-1].run.token_ids[:2])).layers
    assert layers[-1].final_rank == 1
