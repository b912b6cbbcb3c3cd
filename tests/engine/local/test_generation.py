"""One reply, from request to receipt, on tiny real models in this process."""

import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loaded_models import loaded_from, with_decoder
from transformers import GenerationConfig

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import (
    Event,
    Finished,
    PrefillProgress,
    PromptMessage,
    PromptReady,
    Request,
    Sampling,
    TextDelta,
    ThinkingDelta,
)
from qwen_tui.engine.local.generation.generate import generate
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.stop_search import StopSearch
from qwen_tui.errors import QwenTuiError

SEED = 3
"""Of a reply that does not end by itself within the first tokens."""


def asking(text: str = "hello", **sampling: Any) -> Request:
    return Request(
        messages=(PromptMessage(Role.USER, text),), sampling=Sampling(**{"max_new_tokens": 24, **sampling})
    )


def reply(
    loaded: Loaded, request: Request, is_stopped: Callable[[list[Event]], bool] = lambda _: False
) -> list[Event]:
    events: list[Event] = []
    generate(loaded, request, events.append, lambda: is_stopped(events), time.monotonic())
    return events


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thinking_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def run_of(events: list[Event]) -> Any:
    assert isinstance(events[-1], Finished)
    return events[-1].run


@contextmanager
def saying(loaded: Loaded, ids: list[int]) -> Iterator[Any]:
    """Within this, greedy decoding gives these tokens: the real loop, with the choice made for it.

    Gives an iterator over those that are left.
    """
    left = iter(ids)

    def choose(module: Any, args: Any, output: Any) -> Any:
        output.logits[:, -1] = 0
        output.logits[:, -1, next(left)] = 1e4
        return output

    handle = loaded.model.register_forward_hook(choose)
    try:
        yield left
    finally:
        handle.remove()


def ids_of(loaded: Loaded, text: str) -> list[int]:
    return list(loaded.tokenizer.encode(text, add_special_tokens=False))


def whole_or_cut(loaded: Loaded, ids: tuple[int, ...]) -> tuple[str, str]:
    """The text of these tokens, and the same without the character that a cut left unfinished at its end."""
    whole = str(loaded.tokenizer.decode(ids, skip_special_tokens=True))
    return whole, whole.removesuffix("\N{REPLACEMENT CHARACTER}")


def test_events_come_in_order_and_end_with_the_receipt(qwen2: Loaded) -> None:
    events = reply(qwen2, asking(seed=SEED))
    assert isinstance(events[0], PromptReady)
    assert all(isinstance(event, TextDelta) for event in events[1:-1])
    run = run_of(events)
    assert run.prompt_tokens == events[0].prompt_tokens == len(qwen2.prompts.build(asking().messages).ids)
    assert run.new_tokens == len(run.token_ids) == 24
    assert run.stop_reason == "length"
    assert 0 < run.first_token_seconds < 5
    assert run.decode_seconds > 0
    assert run.seed == SEED
    assert run.sampling == {
        "do_sample": True,
        "temperature": 0.7,
        "top_p": 0.8,
        "top_k": 20,
        "max_new_tokens": 24,
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31))
def test_the_streamed_text_is_that_of_the_tokens(qwen2: Loaded, llama: Loaded, seed: int) -> None:
    events = reply(qwen2, asking(seed=seed, temperature=1.5, top_k=0, top_p=1.0))
    assert text_of(events) in whole_or_cut(qwen2, run_of(events).token_ids)


def test_text_of_every_script_streams_whole(qwen2: Loaded, llama: Loaded) -> None:
    text = " 你好，世界。こんにちは 🦀👩‍👩‍👧 สวัสดี\n\n    x = {1: 'a'}  # done\n"
    for loaded in (qwen2, llama):
        ids = [*ids_of(loaded, text), loaded.end_ids[-1]]
        with saying(loaded, ids):
            events = reply(loaded, asking(greedy=True, max_new_tokens=200))
        assert text_of(events) == loaded.tokenizer.decode(ids, skip_special_tokens=True)
        assert run_of(events).token_ids == tuple(ids)
        assert run_of(events).stop_reason == "eos"
        tokens = sum(event.tokens for event in events if isinstance(event, TextDelta))
        assert tokens == len(ids) - 1


def test_the_same_seed_repeats_a_reply_and_another_does_not(qwen2: Loaded) -> None:
    first, again, other = (run_of(reply(qwen2, asking(seed=seed))).token_ids for seed in (1, 1, 2))
    assert first == again != other


def test_a_seed_is_drawn_and_told_when_none_is_given(qwen2: Loaded) -> None:
    run = run_of(reply(qwen2, asking()))
    assert run_of(reply(qwen2, asking(seed=run.seed))).token_ids == run.token_ids


def is_as_the_library_does_it(loaded: Loaded) -> bool:
    """A prompt that is read in several chunks gives what `generate` gives on the whole of it."""
    request = asking("a b 你好 " * 30, greedy=True, repetition_penalty=1.1)
    ids = torch.tensor([loaded.prompts.build(request.messages).ids])
    assert ids.shape[1] > 256
    whole = loaded.model.generate(
        ids,
        do_sample=False,
        repetition_penalty=1.1,
        max_new_tokens=24,
        pad_token_id=0,
        eos_token_id=list(loaded.end_ids),
        suppress_tokens=[] if loaded.padded_ids is None else loaded.padded_ids.tolist(),
    )
    run = run_of(reply(loaded, request))
    assert len(set(run.token_ids)) > 3
    return bool(run.token_ids == tuple(whole[0, ids.shape[1] :].tolist()))


def test_greedy_decoding_is_that_of_the_library(qwen2: Loaded, qwen3: Loaded) -> None:
    assert is_as_the_library_does_it(qwen2)
    assert is_as_the_library_does_it(qwen3)


def test_layers_with_a_sliding_window_are_read_in_chunks_too(tmp_path: Path) -> None:
    folder = tiny_models.qwen2(
        tmp_path,
        use_sliding_window=True,
        sliding_window=32,
        layer_types=["full_attention", "sliding_attention"],
    )
    assert is_as_the_library_does_it(loaded_from(folder))


def test_layers_of_linear_attention_are_read_in_chunks_too(tmp_path: Path) -> None:
    assert is_as_the_library_does_it(loaded_from(tiny_models.qwen3_next(tmp_path)))


def test_a_model_with_a_cache_of_another_kind_reads_everything_each_time(tmp_path: Path) -> None:
    loaded = loaded_from(tiny_models.mamba(tmp_path))
    for _ in range(2):
        assert is_as_the_library_does_it(loaded)
    assert run_of(reply(loaded, asking())).reused_tokens == 0


def test_a_checkpoint_that_asks_for_temperature_0_is_decoded_greedily(qwen2: Loaded) -> None:
    cold = replace(qwen2, defaults=GenerationConfig(do_sample=True, temperature=0.0))
    run = run_of(reply(cold, asking(seed=1)))
    assert run.sampling["do_sample"] is False
    assert run.token_ids == run_of(reply(qwen2, asking(greedy=True))).token_ids


@pytest.mark.parametrize("sampling", [{"greedy": True}, {"temperature": 0.0}])
def test_greedy_decoding_needs_no_seed_and_warns_of_nothing(
    qwen2: Loaded, sampling: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, again = (run_of(reply(qwen2, asking(**sampling, seed=seed))) for seed in (1, 2))
    assert first.token_ids == again.token_ids
    assert first.sampling["do_sample"] is False
    assert "temperature" not in first.sampling
    assert not caplog.records


def test_ids_that_are_no_token_are_never_chosen(qwen2: Loaded) -> None:
    padded = set(qwen2.padded_ids.tolist())
    assert len(padded) == 61
    for seed in range(5):
        run = run_of(reply(qwen2, asking(seed=seed, temperature=5.0, top_k=0, top_p=1.0, max_new_tokens=100)))
        assert not padded & set(run.token_ids)


def test_a_stop_keeps_what_was_written(qwen2: Loaded) -> None:
    events = reply(
        qwen2, asking(max_new_tokens=400), lambda seen: any(isinstance(e, TextDelta) for e in seen)
    )
    run = run_of(events)
    assert run.stop_reason == "stopped"
    assert 1 <= run.new_tokens < 400
    assert text_of(events) in whole_or_cut(qwen2, run.token_ids)


def test_a_long_prompt_reports_how_far_it_is_read_and_can_be_stopped(qwen2: Loaded) -> None:
    request = replace(asking("a" * 300, max_new_tokens=4), reuse=False)
    events = reply(qwen2, request)
    progress = [event for event in events if isinstance(event, PrefillProgress)]
    assert [event.done for event in progress] == [256]
    assert progress[0].total == run_of(events).prompt_tokens
    stopped = reply(qwen2, request, lambda seen: any(isinstance(e, PrefillProgress) for e in seen))
    assert run_of(stopped).new_tokens == 0
    assert run_of(stopped).stop_reason == "stopped"


def test_a_stop_does_not_wait_for_the_end_of_a_forward_pass(qwen2: Loaded) -> None:
    looks = 0

    def second_look(_: list[Event]) -> bool:
        nonlocal looks
        looks += 1
        return looks > 1

    events = reply(qwen2, asking(), second_look)
    assert (run_of(events).stop_reason, run_of(events).new_tokens, looks) == ("stopped", 0, 2)
    assert run_of(reply(qwen2, asking(seed=SEED))).new_tokens == 24


def test_a_prompt_larger_than_the_window_is_refused_with_both_sizes(qwen2: Loaded) -> None:
    with pytest.raises(QwenTuiError) as raised:
        reply(qwen2, asking("word " * 600))
    assert raised.value.code == "engine.prompt_too_long"
    assert raised.value.parameters["window"] == 512
    assert raised.value.parameters["tokens"] > 512


def test_prompt_and_reply_never_exceed_the_window(qwen2: Loaded) -> None:
    with saying(qwen2, ids_of(qwen2, "a b " * 200)):
        run = run_of(reply(qwen2, asking("a" * 100, max_new_tokens=2048, greedy=True)))
    assert run.prompt_tokens + run.new_tokens == 512
    assert run.stop_reason == "length"


def test_thinking_is_told_apart_from_the_answer(qwen3: Loaded) -> None:
    ids = [*ids_of(qwen3, "<think>\nHm, 好。\n</think>\n\nThe answer is <think>.\n"), qwen3.end_ids[-1]]
    with saying(qwen3, ids):
        events = reply(qwen3, asking(greedy=True, max_new_tokens=100))
    assert thinking_of(events) == "Hm, 好。"
    assert text_of(events) == "The answer is <think>.\n"
    assert run_of(events).token_ids == tuple(ids)


def test_thinking_goes_on_where_the_prompt_left_it_open(qwen3: Loaded) -> None:
    messages = (PromptMessage(Role.USER, "x"), PromptMessage(Role.ASSISTANT, "", "First"))
    request = Request(messages=messages, continues=True, sampling=Sampling(greedy=True))
    with saying(qwen3, [*ids_of(qwen3, ", second.\n</think>\n\nDone"), qwen3.end_ids[-1]]):
        events = reply(qwen3, request)
    assert (thinking_of(events), text_of(events)) == (", second.", "Done")


def test_a_stop_string_ends_the_answer_before_it_but_not_a_thought(qwen3: Loaded) -> None:
    ids = ids_of(qwen3, "<think>\nFirst; then.\n</think>\n\nYes, a; b")
    for loaded in (qwen3, with_decoder(qwen3)):
        reply(loaded, asking(greedy=True, max_new_tokens=1))  # so that only tokens are chosen below
        with saying(loaded, [*ids, 5, 5, 5]):
            events = reply(loaded, asking(greedy=True, max_new_tokens=100, stop=("#", "; ")))
        assert (thinking_of(events), text_of(events)) == ("First; then.", "Yes, a")
        assert run_of(events).stop_reason == "stop_string"
        assert run_of(events).sampling["stop"] == ["#", "; "]


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3), st.data())
def test_the_text_before_the_first_stop_string_streams_whole(
    text: str, strings: list[str], data: st.DataObject
) -> None:
    search, shown, rest = StopSearch(strings), "", text
    while rest and not search.is_found:
        size = data.draw(st.integers(1, 5))
        shown, rest = shown + search.push(rest[:size]), rest[size:]
    shown += search.flush()
    assert search.is_found is any(each in text for each in strings)
    assert text.startswith(shown)
    assert not any(each in shown for each in strings)
    if search.is_found:
        assert text.startswith(tuple(strings), len(shown))
    else:
        assert shown == text


def test_the_templates_end_of_turn_ends_a_reply(qwen2: Loaded) -> None:
    with saying(qwen2, [*ids_of(qwen2, "Hi"), qwen2.prompts.end_of_turn_id(), 5, 5]):
        assert run_of(reply(qwen2, asking(greedy=True))).stop_reason == "eos"


def test_out_of_memory_leaves_the_model_usable(qwen2: Loaded) -> None:
    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    handle = qwen2.model.model.layers[1].register_forward_pre_hook(fail)
    with pytest.raises(torch.OutOfMemoryError):
        reply(qwen2, asking())
    handle.remove()
    gc.collect()
    assert run_of(reply(qwen2, asking(seed=SEED))).new_tokens == 24


def test_text_is_batched_once_it_comes_fast(qwen2: Loaded) -> None:
    events = reply(qwen2, asking(max_new_tokens=300, seed=SEED, temperature=2.0))
    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert deltas[0].tokens <= 4
    assert len(deltas) <= run_of(events).decode_seconds * 60 + 3


def test_counts_can_be_taken_while_a_reply_is_generated(qwen2: Loaded) -> None:
    counted: list[int] = []

    def count() -> None:
        for n in range(50):
            counted.append(qwen2.prompts.count([PromptMessage(Role.USER, f"hello {n}")]).total)

    thread = threading.Thread(target=count)
    thread.start()
    reply(qwen2, asking())
    thread.join()
    assert len(counted) == 50
