"""What of the next prompt is certain is read before it is asked, when that saves reading."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from loaded_models import loaded_from
from test_generation import ids_of, reply, run_of, saying, text_of, thinking_of
from test_kv_cache import LONG, asking, assistant, cold, user
from test_serving import pipe
from test_splicing import THOUGHT

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Finished, ModelSpec, PromptMessage, Request, Sampling
from qwen_tui.engine.local import serving
from qwen_tui.engine.local.generation.prefill_ahead import read_ahead
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.stopping import never
from qwen_tui.engine.opening import open_engine
from qwen_tui.engine.wire import Prepare

__all__ = ["pipe"]

ANSWER = "The quick brown fox jumps over the lazy dog. " * 4


def thought(loaded: Loaded, *history: PromptMessage) -> PromptMessage:
    """A reply to this with thinking before it, written by the model's own loop."""
    ids = [*ids_of(loaded, THOUGHT + ANSWER), loaded.end_ids[-1]]
    with saying(loaded, ids):
        events = reply(loaded, Request(messages=history, sampling=Sampling(greedy=True)))
    assert run_of(events).stop_reason == "eos"
    return PromptMessage(Role.ASSISTANT, text_of(events), thinking_of(events), run_of(events).token_ids)


@pytest.fixture
def chat(qwen3: Loaded) -> tuple[PromptMessage, ...]:
    """A question, and an answer whose thinking the next prompt will not have."""
    qwen3.cache.forget()
    question = user("Tell me of the fox")
    return question, thought(qwen3, question)


def test_a_turn_after_thinking_reads_only_itself(qwen3: Loaded, chat: tuple[PromptMessage, ...]) -> None:
    request = asking(*chat, user("And then?"))
    parting = len(qwen3.prompts.build(chat[:1]).ids)
    assert qwen3.cache.reusable(qwen3.prompts.build(request.messages).ids) == parting
    read_ahead(qwen3, chat, None, never)
    run = run_of(reply(qwen3, request))
    assert run.reused_tokens == len(qwen3.prompts.certain(chat))
    own = len(ids_of(qwen3, "And then?<|im_end|>\n<|im_start|>assistant\n"))
    assert run.prompt_tokens - run.reused_tokens == own
    assert run.token_ids == cold(qwen3, request).token_ids


def test_another_answer_still_reads_nothing(qwen3: Loaded, chat: tuple[PromptMessage, ...]) -> None:
    read_ahead(qwen3, chat, None, never)
    run = run_of(reply(qwen3, asking(*chat[:1])))
    assert run.prompt_tokens - run.reused_tokens == 1
    assert run.token_ids == cold(qwen3, asking(*chat[:1])).token_ids


def test_nothing_is_read_that_a_turn_reads_as_fast(qwen2: Loaded) -> None:
    question = user("Tell me of the fox")
    with saying(qwen2, [*ids_of(qwen2, "A fox."), qwen2.end_ids[-1]]):
        run = run_of(reply(qwen2, asking(question)))
    before = qwen2.cache.ids
    read_ahead(qwen2, (question, PromptMessage(Role.ASSISTANT, "A fox.", "", run.token_ids)), None, never)
    assert qwen2.cache.ids is before


def test_what_was_read_ahead_before_a_stop_is_kept(tmp_path: Path) -> None:
    loaded = loaded_from(tiny_models.qwen2(tmp_path, window=4096))
    looks = 0

    def is_stopped() -> bool:
        nonlocal looks
        looks += 1
        return looks > 6  # 1: after the lock; two layers and the end of two chunks

    history = (user(LONG * 3), assistant("A fox."))
    read_ahead(loaded, history, None, is_stopped)
    read = len(loaded.cache.ids)
    assert read in (256, 512)
    request = asking(*history, user("And?"))
    run = run_of(reply(loaded, request))
    assert run.reused_tokens == read
    assert run.token_ids == cold(loaded, request).token_ids


def test_a_history_that_does_not_fit_is_not_read(qwen2: Loaded) -> None:
    qwen2.cache.forget()
    read_ahead(qwen2, (user("word " * 600), assistant("A fox.")), None, never)
    assert qwen2.cache.ids == []


def test_any_other_job_comes_first(pipe: Any, qwen3: Loaded, chat: tuple[PromptMessage, ...]) -> None:
    before = list(qwen3.cache.ids)
    pipe[0].jobs.put(object())
    serving.prepare(pipe[0], qwen3, 1, Prepare(chat, None))
    assert len(qwen3.cache.ids) <= len(before)
    pipe[0].jobs.get()
    serving.prepare(pipe[0], qwen3, 2, Prepare(chat, None))
    assert qwen3.cache.ids == qwen3.prompts.certain(chat)


def test_without_memory_nothing_is_read_ahead_and_the_next_reply_works(
    pipe: Any, qwen3: Loaded, chat: tuple[PromptMessage, ...]
) -> None:
    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    handle = qwen3.model.model.layers[1].register_forward_pre_hook(fail)
    serving.prepare(pipe[0], qwen3, 1, Prepare(chat, None))
    handle.remove()
    request = asking(*chat, user("And then?"))
    assert run_of(reply(qwen3, request)).token_ids == cold(qwen3, request).token_ids


def test_an_engine_reads_ahead_and_is_asked_at_any_time(folders: dict[str, Path], log_file: Path) -> None:
    """At once, which interrupts it; and after a while, when it has come to its end."""
    spec = ModelSpec(model=str(folders["qwen3"]), device="cpu")
    engine = open_engine(spec, log_file, lambda _: None, threading.Event())
    for seconds in (0.0, 0.5, 2.0, 8.0, 32.0):
        history = (user(f"{seconds} {LONG}"), assistant(ANSWER))
        engine.prepare(history)
        time.sleep(seconds)
        *_, last = engine.stream(asking(*history, user("And then?"), tokens=2), threading.Event())
        assert isinstance(last, Finished)
        if seconds and last.run.reused_tokens > last.run.prompt_tokens - 20:
            break
    else:
        pytest.fail("nothing was read ahead")
    engine.prepare((user(f"Another {LONG}"), assistant(ANSWER)))
    engine.prepare(())  # gives it up
    assert engine.count(history).total > 300
    engine.close()
    engine.prepare(history)
