"""What happens to the worker happens to one reply: one clear error, another worker, and the next message works."""

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from faulty_model import faulty, tell
from waiting import wait_for

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import (
    Event,
    Finished,
    MakeRoom,
    ModelSpec,
    PromptMessage,
    ReportProgress,
    Request,
    Sampling,
    StopFlag,
    TextDelta,
)
from qwen_tui.engine.client import LocalEngine
from qwen_tui.engine.host import EngineHost, Failed, Ready
from qwen_tui.engine.opening import open_engine, start_worker
from qwen_tui.engine.worker import Patience
from qwen_tui.errors import QwenTuiError

PATIENCE = Patience(loading=8.0, ready=6.0)
"""With less, a sound worker on a busy machine counts as one that hangs."""
LONG_TEXT = "What is a token? 你好。 " * 100_000
"""Takes seconds to count."""


def asking(text: str = "hello", tokens: int = 16) -> Request:
    """Of a prompt that has to be read: the fault may be meant for that."""
    sampling = Sampling(max_new_tokens=tokens, seed=3, temperature=5.0, top_k=0)
    return Request(messages=(PromptMessage(Role.USER, text),), sampling=sampling, reuse=False)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Program:
    """A running program's engine, looked after as the screen does it."""

    def __init__(self, folder: Path, log_file: Path) -> None:
        self.folder = folder
        self.log_file = log_file
        self.pids: list[int] = []
        self.host = EngineHost(self._open, lambda _: None)
        self.spec = ModelSpec(model=str(folder), device="cpu", trust_remote_code=True)
        self.host.open(self.spec)

    def _open(self, spec: ModelSpec, report: ReportProgress, stop: StopFlag, _: MakeRoom) -> LocalEngine:
        worker = start_worker(self.log_file, PATIENCE)
        self.pids.append(worker.pid)
        engine = open_engine(spec, self.log_file, report, stop, worker)
        assert isinstance(engine, LocalEngine)
        return engine

    def engine(self) -> LocalEngine:
        """The engine, once there is one that lives. One that was given up is opened again, as by a message."""

        def ready() -> object:
            self.host.revive()
            state = self.host.state
            if isinstance(state, Failed):
                assert state.error.code == "engine.keeps_dying", state.error
                self.host.open(self.spec)
            return isinstance(state, Ready) and state.engine.alive and state.engine

        engine = wait_for(ready, seconds=60)
        assert isinstance(engine, LocalEngine)
        return engine

    def check_it_works(self) -> None:
        """The next message is answered, and no worker but its own is left."""
        engine = self.engine()
        assert self.last(asking()).new_tokens == 16
        # The next worker may be there before the last one has gone.
        wait_for(lambda: all(is_gone(pid) for pid in self.pids if pid != engine.pid))

    def last(self, request: Request) -> Run:
        (*_, event) = self.engine().stream(request, threading.Event())
        assert isinstance(event, Finished)
        return event.run


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, log_file: Path) -> Iterator[Program]:
    running = Program(faulty(tmp_path_factory.mktemp("faulty") / "faulty", window=4096), log_file)
    yield running
    running.host.close()
    assert all(is_gone(pid) for pid in running.pids)


def code_of(what: Callable[[], object]) -> str:
    """The error that this ends in."""
    with pytest.raises(QwenTuiError) as raised:
        what()
    assert str(raised.value)
    return raised.value.code


def after(seconds: float, what: Callable[[], object]) -> None:
    threading.Timer(seconds, what).start()


LOAD_FAULTS = [
    ("cuda-oom", "engine.out_of_memory"),
    ("die", "engine.worker_died"),
    ("real-oom", "engine.out_of_memory"),
    ("hang", "engine.hung"),
]
"""What goes wrong in loading, and what is said of it; no two with the same code in a row."""


@pytest.mark.parametrize(
    ("place", "kind", "code"),
    [
        ("prefill", "die", "engine.worker_died"),
        ("decode", "die", "engine.worker_died"),
        ("prefill", "hang", "engine.hung"),
        ("decode", "hang", "engine.hung"),
        ("decode", "exit", "engine.worker_died"),
        ("decode", "noise", "engine.garbled"),
        ("decode", "half", "engine.hung"),
        ("prefill", "wrong", "engine.garbled"),
        ("decode", "huge", "engine.garbled"),
    ],
)
def test_a_worker_that_goes_wrong_in_a_reply_is_replaced(
    program: Program, place: str, kind: str, code: str
) -> None:
    engine = program.engine()
    tell(program.folder, place, kind)
    before = psutil.Process().memory_info().rss
    assert code_of(lambda: list(engine.stream(asking(), threading.Event()))) == code
    assert psutil.Process().memory_info().rss - before < 50e6
    assert not engine.alive
    program.check_it_works()


@pytest.mark.parametrize("kind", ["cuda-oom", "real-oom"])
@pytest.mark.parametrize("place", ["prefill", "decode"])
def test_out_of_memory_ends_one_reply_and_keeps_the_model(program: Program, place: str, kind: str) -> None:
    engine = program.engine()
    tell(program.folder, place, kind)
    events: list[Event] = []
    stream = engine.stream(asking(), threading.Event())
    assert code_of(lambda: events.extend(stream)) == "engine.out_of_memory_reply"
    assert engine.alive
    program.check_it_works()
    assert program.engine() is engine


def test_a_load_that_goes_wrong_is_said_and_can_be_tried_again(program: Program) -> None:
    def failed(code: str) -> bool:
        state = program.host.state
        return isinstance(state, Failed) and state.error.code == code

    program.engine()
    for kind, code in LOAD_FAULTS:
        tell(program.folder, "load", kind)
        program.host.open(program.spec)
        wait_for(lambda code=code: failed(code), seconds=60)  # type: ignore[misc]
        assert not program.host.revive()
        wait_for(lambda: all(is_gone(pid) for pid in program.pids))
    program.host.open(program.spec)
    program.check_it_works()


def test_a_worker_that_is_killed_while_idle_is_replaced(program: Program) -> None:
    engine = program.engine()
    os.kill(engine.pid, signal.SIGKILL)
    wait_for(lambda: not engine.alive)
    program.check_it_works()


def test_a_worker_that_hangs_while_idle_is_found_out_by_the_next_message(program: Program) -> None:
    engine = program.engine()
    os.kill(engine.pid, signal.SIGSTOP)
    # Larger than what a pipe holds: putting the question must not hang either.
    large = asking("x" * 3_000_000)
    assert code_of(lambda: list(engine.stream(large, threading.Event()))) == "engine.hung"
    program.check_it_works()


def test_a_hung_worker_can_be_stopped(program: Program) -> None:
    engine = LocalEngine(program.engine()._worker, program.engine().info, stop_seconds=0.3)
    os.kill(engine.pid, signal.SIGSTOP)
    stop = threading.Event()
    after(0.2, stop.set)
    assert code_of(lambda: list(engine.stream(asking("x" * 3_000_000), stop))) == "engine.did_not_stop"
    program.check_it_works()


def counted(engine: LocalEngine, stop: StopFlag | None = None) -> object:
    return engine.count((PromptMessage(Role.USER, LONG_TEXT),), stop=stop)


@pytest.mark.parametrize(
    ("how", "code"),
    [(signal.SIGKILL, "engine.worker_died"), (signal.SIGSTOP, "engine.hung")],
)
def test_a_worker_that_goes_wrong_in_a_count_is_replaced(
    program: Program, how: signal.Signals, code: str
) -> None:
    engine = program.engine()
    after(0.2, lambda: os.kill(engine.pid, how))
    assert code_of(lambda: counted(engine)) == code
    program.check_it_works()


def test_a_count_can_be_stopped_and_holds_nothing_up(program: Program) -> None:
    engine = program.engine()
    stop = threading.Event()
    after(0.3, stop.set)
    assert code_of(lambda: counted(engine, stop)) == "engine.stopped_early"
    # The worker still counts; a reply that waits for its tokenizer can be stopped as well.
    stop = threading.Event()
    after(0.2, stop.set)
    (*_, event) = engine.stream(asking(), stop)
    assert isinstance(event, Finished)
    assert event.run.stop_reason == "stopped"
    assert engine.alive


def test_a_long_count_is_not_taken_for_a_hung_worker(program: Program) -> None:
    engine = program.engine()
    seconds, text = 0.0, LONG_TEXT[1:]
    while seconds <= PATIENCE.ready:  # the faster the machine, the more there is to count
        began = time.monotonic()
        assert engine.count((PromptMessage(Role.USER, text),)).total > 500_000
        seconds = time.monotonic() - began
        text += text


def test_what_was_dropped_never_lands_in_a_later_reply(program: Program) -> None:
    engine = program.engine()
    alone = "".join(e.text for e in engine.stream(asking("b"), threading.Event()) if isinstance(e, TextDelta))
    for _ in range(5):
        dropped = engine.stream(asking("a", tokens=4000), threading.Event())
        next(event for event in dropped if isinstance(event, TextDelta))
        os.kill(engine.pid, signal.SIGSTOP)
        dropped.close()  # type: ignore[attr-defined]
        after(0.1, lambda: os.kill(engine.pid, signal.SIGCONT))
        events = list(engine.stream(asking("b"), threading.Event()))
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == alone
        assert sum(isinstance(event, Finished) for event in events) == 1


def test_endless_prints_neither_hold_up_a_reply_nor_fill_the_disk(program: Program) -> None:
    before = program.log_file.stat().st_size
    tell(program.folder, "decode", "prints")
    assert program.last(asking()).new_tokens == 16
    assert program.log_file.stat().st_size - before < 11e6
    assert "left out" in program.log_file.read_text("utf-8")[-200:]


def test_workers_that_come_and_go_leave_nothing_behind(program: Program) -> None:
    def held() -> tuple[int, int, int]:
        process = psutil.Process()
        return process.num_fds(), threading.active_count(), len(process.children())

    program.check_it_works()
    before = wait_for(held)
    engine = program.engine()
    os.kill(engine.pid, signal.SIGKILL)
    wait_for(lambda engine=engine: not engine.alive)  # type: ignore[misc]
    program.check_it_works()
    del engine
    gc.collect()
    wait_for(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))
