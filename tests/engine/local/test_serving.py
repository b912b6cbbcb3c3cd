"""The worker's main thread: what it answers when a reply goes wrong, and that it goes on."""

import logging
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import pytest
import torch

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Finished, PromptMessage, Request, Sampling
from qwen_tui.engine.local.control_thread import Job, WorkerPipe
from qwen_tui.engine.local.faults import in_plain_words
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.serving import next_job, reply
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.stop_flag import StopPage, new_page
from qwen_tui.engine.wire import Answer, is_last
from qwen_tui.errors import QwenTuiError

HELLO = (PromptMessage(Role.USER, "hello"),)


@pytest.fixture
def pipe() -> tuple[WorkerPipe, Connection]:
    ours, theirs = Pipe()
    return WorkerPipe(theirs, StopPage(new_page())), ours


def answer_to(pipe: tuple[WorkerPipe, Connection], loaded: Loaded) -> Answer:
    """The last answer to a request for a short reply."""
    request = Request(messages=HELLO, sampling=Sampling(max_new_tokens=4, seed=3))
    reply(pipe[0], loaded, Job(1, request, time.monotonic()), request)
    while not is_last(answer := pipe[1].recv()[1]):
        pass
    return answer


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "engine.out_of_memory_reply"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "engine.out_of_memory_reply"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling x"), "engine.out_of_memory_reply"),
        (RuntimeError("shapes\ndo not match\x1b[31m"), "engine.unexpected"),
    ],
)
def test_a_reply_that_fails_is_explained_and_the_next_one_works(
    pipe: tuple[WorkerPipe, Connection], qwen2: Loaded, error: Exception, code: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    handle = qwen2.model.model.layers[1].register_forward_pre_hook(fail)
    failure = answer_to(pipe, qwen2)
    handle.remove()
    assert isinstance(failure, QwenTuiError)
    assert failure.code == code
    assert "\n" not in str(failure)
    assert "\x1b" not in str(failure)
    assert isinstance(answer_to(pipe, qwen2), Finished)


def test_the_memory_of_a_failed_reply_is_free_when_it_is_reported(
    pipe: tuple[WorkerPipe, Connection], qwen2: Loaded
) -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def fail(_: Any, args: Any) -> None:
        held.append(weakref.ref(args[0]))
        raise torch.OutOfMemoryError

    handle = qwen2.model.model.layers[1].register_forward_pre_hook(fail)
    # pytest keeps what is logged, tracebacks and their frames included.
    logging.disable()
    answer_to(pipe, qwen2)
    logging.disable(logging.NOTSET)
    handle.remove()
    assert held[0]() is None


def test_a_reply_is_asked_to_answer_now_by_its_number(
    pipe: tuple[WorkerPipe, Connection], qwen3: Loaded
) -> None:
    page = pipe[0]._page
    page.answer_now(7)
    messages = (*HELLO, PromptMessage(Role.ASSISTANT, "", "Hm"))
    request = Request(messages=messages, continues=True, sampling=Sampling(greedy=True, max_new_tokens=3))
    closed = []
    for number in (6, 7, 8):
        asked = replace(request, most_tokens=12)
        reply(pipe[0], qwen3, Job(number, asked, time.monotonic()), asked)
        while not is_last(answer := pipe[1].recv()[1]):
            pass
        assert isinstance(answer, Finished)
        closed.append(answer.run.thought_closed_at > 0)
    assert closed == [False, True, False]


def test_a_lost_device_is_told_from_other_failures() -> None:
    lost = RuntimeError("CUDA error: device-side assert triggered\nCompile with TORCH_USE_CUDA_DSA")
    assert in_plain_words(lost).code == "engine.device_broken"
    assert in_plain_words(KeyError("x")).code == "engine.unexpected"


def test_foreign_text_becomes_one_short_line() -> None:
    assert one_line(" a\n\tb\x00\x1b[31mc.\n") == "a bc"
    assert len(one_line("x" * 5000)) == 200


def test_a_stop_reaches_all_requests_up_to_its_number() -> None:
    page = StopPage(new_page())
    assert not page.is_stopped(1)
    page.stop(2)
    page.stop(1)
    assert page.is_stopped(1)
    assert page.is_stopped(2)
    assert not page.is_stopped(3)


def test_what_was_put_off_waits_until_nothing_is_asked_and_gives_way_to_a_reply(
    pipe: tuple[WorkerPipe, Connection],
) -> None:
    steps: list[float] = []

    def endless() -> Iterator[None]:
        while True:
            steps.append(time.monotonic())
            if len(steps) == 3:
                pipe[0].jobs.put(Job(2, Request(messages=HELLO), time.monotonic()))
            yield

    put_off = endless()
    pipe[0].jobs.put(Job(1, Request(messages=HELLO), time.monotonic()))
    assert next_job(pipe[0], put_off).number == 1
    assert steps == []
    assert next_job(pipe[0], put_off).number == 2
    assert len(steps) == 3


def test_what_was_put_off_and_fails_costs_no_reply(
    pipe: tuple[WorkerPipe, Connection], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Iterator[None]:
        yield
        pipe[0].jobs.put(Job(1, Request(messages=HELLO), time.monotonic()))
        raise ValueError("odd")

    assert next_job(pipe[0], broken()).number == 1
    assert "odd" in caplog.text
