"""Whatever happened before, a reply is the one that reading its whole prompt would give: tried at random.

Turns, edits, other answers, other conversations, going on, trimming, stops while a prompt is read and while a reply
is written, reading ahead, replays, and memory that runs out in any layer.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import accelerate
import pytest
import tiny_models
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from loaded_models import loaded_from, with_decoder
from test_generation import reply, run_of, text_of, thinking_of
from test_kv_cache import cold, failing, user

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import Event, PromptMessage, Request, Sampling
from qwen_tui.engine.local.cache import kv_cache
from qwen_tui.engine.local.generation.prefill_ahead import read_ahead
from qwen_tui.engine.local.loading.load import Loaded

SAMPLINGS: tuple[dict[str, Any], ...] = (
    {"greedy": True},
    {"greedy": True, "repetition_penalty": 1.3},
    {"seed": 5, "temperature": 1.3, "top_k": 30, "repetition_penalty": 1.2},
)

TEXTS = ("And?", "What is a token? 广州的美食有很多。 " * 6, "The quick brown fox jumps. " * 40)

THOUGHT = "<think>\nHm, 好的。\n</think>\n\n"


@dataclass
class Talk:
    """A conversation with a model, each of whose replies is held against a cold one."""

    loaded: Loaded
    sampling: dict[str, Any]
    messages: tuple[PromptMessage, ...] = ()
    other: tuple[PromptMessage, ...] = ()
    """Those of another conversation."""

    def send(self, text: str, tokens: int) -> None:
        self.messages = (*self.messages, user(text))
        self.answer(tokens)

    def answer(self, tokens: int) -> None:
        request, whole = self.expected(tokens)
        self.take(reply(self.loaded, request), whole)

    def stopped(self, text: str, tokens: int, looks: int) -> None:
        """The so-many-th look at the stop flag sees it set."""
        self.messages = (*self.messages, user(text))
        request, whole = self.expected(tokens)
        left = iter(range(looks))
        events = reply(self.loaded, request, lambda _: next(left, None) is None)
        run = run_of(events)
        assert run.token_ids == whole.token_ids[: run.new_tokens]
        self.take(events)

    def without_memory(self, text: str, layer: int, call: int) -> None:
        self.messages = (*self.messages, user(text))
        request = self.request(8)
        with failing(self.loaded, layer, call), contextlib.suppress(torch.OutOfMemoryError):
            reply(self.loaded, request)
        self.answer(8)

    def go_on(self, tokens: int) -> None:
        if self.messages and self.messages[-1].role is Role.ASSISTANT:
            request, whole = self.expected(tokens, continues=True)
            events = reply(self.loaded, request)
            assert run_of(events).token_ids == whole.token_ids
            last = self.messages[-1]
            self.messages = (
                *self.messages[:-1],
                last._replace(
                    content=last.content + text_of(events),
                    thinking=last.thinking + thinking_of(events),
                    token_ids=last.token_ids + run_of(events).token_ids,
                ),
            )

    def edit(self, place: int, text: str, tokens: int) -> None:
        questions = [at for at, message in enumerate(self.messages) if message.role is Role.USER]
        if questions:
            self.messages = self.messages[: questions[place % len(questions)]]
        self.send(text, tokens)

    def again(self, tokens: int) -> None:
        if self.messages and self.messages[-1].role is Role.ASSISTANT:
            self.messages = self.messages[:-1]
        if self.messages:
            self.answer(tokens)

    def trim(self, _: int) -> None:
        self.messages = self.messages[2:]

    def switch(self, _: int) -> None:
        self.messages, self.other = self.other, self.messages

    def replay(self, tokens: int) -> None:
        if self.messages and self.messages[-1].role is Role.USER:
            request, whole = self.expected(tokens)
            run = run_of(reply(self.loaded, replace(request, reuse=False)))
            assert (run.token_ids, run.reused_tokens) == (whole.token_ids, 0)

    def think_ahead(self, looks: int) -> None:
        left = iter(range(looks))
        read_ahead(self.loaded, self.messages, None, lambda: next(left, None) is None)

    def request(self, tokens: int, **asked: Any) -> Request:
        sampling = Sampling(max_new_tokens=tokens, **self.sampling)
        return Request(messages=self.messages, sampling=sampling, **asked)

    def expected(self, tokens: int, **asked: Any) -> tuple[Request, Run]:
        request = self.request(tokens, **asked)
        return request, cold(self.loaded, request)

    def take(self, events: list[Event], whole: Run | None = None) -> None:
        run = run_of(events)
        if whole is not None:
            assert (run.token_ids, run.prompt_digest) == (whole.token_ids, whole.prompt_digest)
        if not text_of(events):
            self.messages = self.messages[:-1]  # a reply that got no word out is not sent
            return
        thought: tuple[str, tuple[int, ...]] = ("", ())
        if self.loaded.prompts.think_ids:
            # A random model does not think. As if it had: the next prompt then has less than was read.
            thought = ("Hm, 好的。", tuple(self.loaded.tokenizer.encode(THOUGHT, add_special_tokens=False)))
        message = PromptMessage(Role.ASSISTANT, text_of(events), thought[0], thought[1] + run.token_ids)
        self.messages = (*self.messages, message)


def sliding(folder: Path) -> Path:
    layers = ["full_attention", "sliding_attention"]
    return tiny_models.qwen2(
        folder, window=8192, use_sliding_window=True, sliding_window=48, layer_types=layers
    )


def offloaded(folder: Path) -> Loaded:
    """One of the layers is fetched from the disk each time, as those that no device has room for."""
    loaded = loaded_from(tiny_models.qwen2(folder / "model", window=8192))
    places = {"model.layers.0": "disk", "model.layers.1": "cpu"}
    places |= {f"model.{part}": "cpu" for part in ("embed_tokens", "rotary_emb", "norm")} | {"lm_head": "cpu"}
    accelerate.dispatch_model(loaded.model, places, main_device="cpu", offload_dir=str(folder / "offload"))
    assert loaded.model.model.layers[0].mlp.up_proj.weight.device.type == "meta"
    return loaded


HYBRID = {"num_hidden_layers": 2, "layer_types": ["linear_attention", "full_attention"]}

MODELS: dict[str, Callable[[Path], Loaded]] = {
    "qwen2": lambda folder: loaded_from(tiny_models.qwen2(folder, window=8192)),
    "qwen3": lambda folder: loaded_from(tiny_models.qwen3(folder)),
    "llama": lambda folder: loaded_from(tiny_models.llama(folder)),
    "sliding": lambda folder: loaded_from(sliding(folder)),
    "linear": lambda folder: loaded_from(tiny_models.qwen3_next(folder)),
    "offloaded": offloaded,
    "decoder": lambda folder: with_decoder(loaded_from(tiny_models.qwen2(folder, window=8192))),
    "decoder, linear": lambda folder: with_decoder(loaded_from(tiny_models.qwen3_5(folder, **HYBRID))),
    "decoder, qwen3": lambda folder: with_decoder(loaded_from(tiny_models.qwen3(folder))),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kv_cache, "WORTH_KEEPING", 1)
        yield made(request.param, tmp_path_factory)


def made(name: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    loaded = MODELS[name](tmp_path_factory.mktemp(name))
    # Tiny models know few positions; these are short enough to be extrapolated, and nothing is refused.
    return replace(loaded, info=replace(loaded.info, context_window=100_000))


texts = st.sampled_from(TEXTS)
tokens = st.integers(1, 12)
looks = st.integers(0, 40)
STEPS = st.one_of(
    st.tuples(st.just(Talk.send), texts, tokens),
    st.tuples(st.just(Talk.send), texts, tokens),
    st.tuples(st.just(Talk.stopped), texts, tokens, looks),
    st.tuples(st.just(Talk.without_memory), texts, st.integers(0, 1), st.integers(1, 8)),
    st.tuples(st.just(Talk.go_on), tokens),
    st.tuples(st.just(Talk.edit), st.integers(0, 3), texts, tokens),
    st.tuples(st.just(Talk.again), tokens),
    st.tuples(st.just(Talk.trim), st.just(0)),
    st.tuples(st.just(Talk.switch), st.just(0)),
    st.tuples(st.just(Talk.replay), tokens),
    st.tuples(st.just(Talk.think_ahead), looks),
)


@settings(max_examples=15, deadline=None)
@example(steps=[(Talk.send, "And?", 1), (Talk.without_memory, "And?", 0, 3)], sampling={"greedy": True})
@given(steps=st.lists(STEPS, min_size=3, max_size=7), sampling=st.sampled_from(SAMPLINGS))
def test_a_warm_reply_is_the_cold_one(model: Loaded, steps: list[Any], sampling: dict[str, Any]) -> None:
    talk = Talk(model, sampling)
    for step, *how in steps:
        step(talk, *how)
