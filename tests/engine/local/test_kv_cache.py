"""What the model has read is not read again, and the tokens are those of reading everything."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models
import torch
from hypothesis import given
from hypothesis import strategies as st
from loaded_models import loaded_from, with_decoder
from test_generation import reply, run_of
from transformers import LlamaConfig

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import (
    Event,
    PrefillProgress,
    PromptMessage,
    PromptReady,
    Request,
    Sampling,
    TextDelta,
)
from qwen_tui.engine.local.cache.kv_cache import CHANGING_ROPES, common_prefix, rope_types
from qwen_tui.engine.local.cache.snapshot import Snapshot, Snapshots
from qwen_tui.engine.local.forward.prefill import LAST_TOKENS
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.errors import QwenTuiError

LONG = "What is a token? 广州的美食有很多。 The quick brown fox. " * 20
"""Some 500 tokens: several chunks."""


def user(text: str) -> PromptMessage:
    return PromptMessage(Role.USER, text)


def assistant(text: str) -> PromptMessage:
    return PromptMessage(Role.ASSISTANT, text)


def asking(*messages: PromptMessage, tokens: int = 12, **sampling: Any) -> Request:
    chosen = {"greedy": True, "repetition_penalty": 1.2, **sampling}
    return Request(messages=messages, sampling=Sampling(max_new_tokens=tokens, **chosen))


def asked(
    loaded: Loaded, request: Request, is_stopped: Callable[[list[Event]], bool] = lambda _: False
) -> Run:
    run: Run = run_of(reply(loaded, request, is_stopped))
    return run


def cold(loaded: Loaded, request: Request) -> Run:
    """The same without a cache, which stays as it is."""
    fresh = (
        with_decoder(loaded)
        if loaded.decoder is not None
        else replace(loaded, cache=type(loaded.cache)(loaded.model))
    )
    run = asked(fresh, replace(request, reuse=False))
    assert run.reused_tokens == 0
    return run


def is_the_same(loaded: Loaded, request: Request) -> int:
    """Asks, holds the reply against a cold one, and tells how much of the prompt was reused."""
    expected = cold(loaded, request)
    run = asked(loaded, request)
    assert run.token_ids == expected.token_ids
    assert run.prompt_digest == expected.prompt_digest
    return run.reused_tokens


@contextmanager
def failing(loaded: Loaded, layer: int, call: int) -> Iterator[None]:
    """Within this, there is no memory in this layer's so-many-th call."""
    calls = 0

    def fail(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise torch.OutOfMemoryError("CUDA out of memory")

    handle = loaded.model.model.layers[layer].mlp.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        handle.remove()


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A Qwen2 with room for several chunks."""
    return loaded_from(tiny_models.qwen2(tmp_path_factory.mktemp("wide"), window=4096))


def test_a_turn_reads_only_itself(wide: Loaded) -> None:
    history = [user(LONG)]
    asked(wide, asking(*history))
    for n in range(4):
        before = len(wide.prompts.build(history).ids)
        history += [assistant("A fox."), user(f"And {n}?")]
        assert is_the_same(wide, asking(*history)) >= before


def test_the_reply_itself_is_not_read_again(wide: Loaded) -> None:
    run = asked(wide, asking(user("hello"), tokens=30))
    assert len(wide.cache.ids) == run.prompt_tokens + run.new_tokens - 1  # the last one has not been fed
    assert wide.cache.ids[run.prompt_tokens :] == list(run.token_ids[:-1])


def test_a_prompt_that_is_known_to_its_end_is_answered_the_same(wide: Loaded) -> None:
    """One token is always left to read: with none, `generate` would silently compute something else."""
    request = asking(user(LONG))
    total = asked(wide, request).prompt_tokens
    assert is_the_same(wide, request) == total - 1
    assert is_the_same(wide, request) == total - 1


def test_a_shorter_prompt_than_the_last_is_answered_the_same(wide: Loaded) -> None:
    """The cache is longer than the prompt, and cut before it is used."""
    asked(wide, asking(user(LONG), assistant("A fox."), user("And?")))
    reused = is_the_same(wide, asking(user(LONG)))
    assert reused >= len(wide.prompts.build([user(LONG)]).ids) - 4


@pytest.mark.parametrize(
    "sampling", [{"greedy": False, "temperature": 1.5, "top_k": 0, "seed": 7}, {"repetition_penalty": 1.9}]
)
def test_a_seed_and_a_repetition_penalty_mean_the_same(wide: Loaded, sampling: dict[str, Any]) -> None:
    asked(wide, asking(user(LONG)))
    assert is_the_same(wide, asking(user(LONG), assistant("A fox."), user("And?"), tokens=40, **sampling))


def test_what_was_read_before_a_stop_is_kept(wide: Loaded) -> None:
    wide.cache.forget()
    request = asking(user(LONG * 2))
    run = asked(wide, request, lambda seen: sum(isinstance(e, PrefillProgress) for e in seen) == 2)
    assert (run.stop_reason, run.new_tokens, len(wide.cache.ids)) == ("stopped", 0, 512)
    events = reply(wide, request)
    assert isinstance(events[0], PromptReady)
    assert events[0].reused_tokens == 512
    assert run_of(events).token_ids == cold(wide, request).token_ids


def test_a_stop_between_two_layers_leaves_what_both_have(wide: Loaded) -> None:
    wide.cache.forget()
    looks = 0

    def is_stopped(seen: list[Event]) -> bool:
        nonlocal looks
        looks += any(isinstance(event, PrefillProgress) for event in seen)
        return looks == 3  # after the chunk, before the first layer, before the second

    run = asked(wide, asking(user(LONG)), is_stopped)
    assert (run.stop_reason, run.new_tokens, len(wide.cache.ids)) == ("stopped", 0, 256)
    assert is_the_same(wide, asking(user(LONG))) == 256


def test_what_was_written_before_a_stop_is_kept(wide: Loaded) -> None:
    request = asking(user("hello"), tokens=300)
    run = asked(wide, request, lambda seen: any(isinstance(e, TextDelta) for e in seen))
    assert 0 < run.new_tokens < 300
    assert wide.cache.ids[run.prompt_tokens :] == list(
        run.token_ids[: len(wide.cache.ids) - run.prompt_tokens]
    )
    assert len(wide.cache.ids) >= run.prompt_tokens + run.new_tokens - 1
    assert is_the_same(wide, asking(user("hello"), assistant("A fox."), user("And?")))


@pytest.mark.parametrize(
    ("layer", "call", "kept"), [(0, 1, 0), (0, 2, 256), (0, 3, 512), (1, 1, 256), (1, 3, 650), (0, 9, 655)]
)
def test_what_was_read_before_memory_ran_out_is_kept(wide: Loaded, layer: int, call: int, kept: int) -> None:
    """A layer has its keys and values by the time that it fails here; what all layers have is kept."""
    wide.cache.forget()
    request = asking(user(LONG * 2), tokens=24)
    assert len(wide.prompts.build(request.messages).ids) == 650
    with failing(wide, layer, call), pytest.raises(torch.OutOfMemoryError):
        asked(wide, request)
    assert len(wide.cache.ids) == kept
    assert is_the_same(wide, request) == min(kept, 649)


def test_keys_without_their_values_do_not_count(wide: Loaded) -> None:
    """Memory can run out between the two."""
    asked(wide, asking(user(LONG)))
    states = wide.cache.states
    assert states is not None
    states.layers[1].values = states.layers[1].values[..., :300, :]
    wide.cache.end(wide.cache.ids)
    assert len(wide.cache.ids) == 300
    assert {layer.keys.shape[-2] for layer in states.layers} == {300}
    assert is_the_same(wide, asking(user(LONG))) == 300


def test_a_replay_reads_everything(wide: Loaded) -> None:
    request = asking(user(LONG))
    asked(wide, request)
    assert asked(wide, replace(request, reuse=False)).reused_tokens == 0
    assert is_the_same(wide, request)


def test_a_stop_before_anything_is_read_leaves_what_is_shared(wide: Loaded) -> None:
    asked(wide, asking(user(LONG), assistant("A fox."), user("And?")))
    run = asked(wide, asking(user("hello")), lambda seen: any(isinstance(e, PromptReady) for e in seen))
    assert (run.stop_reason, run.new_tokens) == ("stopped", 0)
    assert len(wide.cache.ids) == run.reused_tokens < run.prompt_tokens
    assert is_the_same(wide, asking(user(LONG), assistant("A fox."), user("And?"))) == run.reused_tokens


def test_a_prompt_that_is_refused_leaves_the_cache(wide: Loaded) -> None:
    asked(wide, asking(user("hello")))
    before = wide.cache.ids
    with pytest.raises(QwenTuiError):
        asked(wide, asking(user(LONG * 20)))
    assert wide.cache.ids is before


# --- Models whose layers do not keep every token --------------------------------------------------------------


def sliding(folder: Path, window: int, layers: tuple[str, str]) -> Loaded:
    """A Qwen2 some of whose layers see only so many tokens."""
    kinds = [f"{kind}_attention" for kind in layers]
    config: dict[str, Any] = {"use_sliding_window": True, "sliding_window": window, "layer_types": kinds}
    return loaded_from(tiny_models.qwen2(folder, window=4096, **config))


def hybrid(folder: Path) -> Loaded:
    return loaded_from(tiny_models.qwen3_next(folder))


UNCUTTABLE = [lambda folder: sliding(folder, 32, ("sliding", "full")), hybrid]


def test_a_window_that_is_not_full_yet_can_be_cut(tmp_path: Path) -> None:
    loaded = sliding(tmp_path, 1000, ("full", "sliding"))
    total = asked(loaded, asking(user(LONG))).prompt_tokens
    assert is_the_same(loaded, asking(user(LONG), tokens=30)) == total - 1
    assert is_the_same(loaded, asking(user(LONG), assistant("A fox."), user("And?"), tokens=30)) >= total


@pytest.mark.parametrize("model", UNCUTTABLE)
def test_a_window_or_a_state_is_built_upon_but_not_cut(
    model: Callable[[Path], Loaded], tmp_path: Path
) -> None:
    loaded = model(tmp_path)
    run = asked(loaded, asking(user(LONG)))
    known = len(loaded.cache.ids)
    more = PromptMessage(Role.ASSISTANT, loaded.tokenizer.decode(run.token_ids), "", run.token_ids)
    assert loaded.prompts.build([user(LONG), more]).ids[:known] == loaded.cache.ids
    assert is_the_same(loaded, asking(user(LONG), more, user("And?"), tokens=30)) == known
    assert is_the_same(loaded, asking(user(LONG), tokens=30)) == run.prompt_tokens - LAST_TOKENS


@pytest.mark.parametrize("model", UNCUTTABLE)
def test_before_the_last_tokens_of_a_prompt_there_is_a_place_to_come_back_to(
    model: Callable[[Path], Loaded], tmp_path: Path
) -> None:
    """For another answer, for a template that writes the reply in another way, and after a stop."""
    loaded = model(tmp_path)
    place = asked(loaded, asking(user(LONG), tokens=40)).prompt_tokens - LAST_TOKENS
    assert is_the_same(loaded, asking(user(LONG), tokens=30)) == place
    assert is_the_same(loaded, asking(user(LONG), tokens=30)) == place
    assert is_the_same(loaded, asking(user(LONG), assistant("A fox."), user("And?"), tokens=30)) == place
    place = asked(loaded, asking(user(LONG))).prompt_tokens - LAST_TOKENS
    with failing(loaded, 1, 3), pytest.raises(torch.OutOfMemoryError):
        asked(loaded, asking(user(LONG)))
    assert len(loaded.cache.ids) == place
    assert is_the_same(loaded, asking(user(LONG), tokens=30)) == place
    assert is_the_same(loaded, asking(user("hello"), tokens=30)) == 0


@pytest.mark.parametrize("model", UNCUTTABLE)
def test_a_window_or_a_state_is_as_before_the_chunk_in_which_a_pass_is_broken_off(
    model: Callable[[Path], Loaded], tmp_path: Path
) -> None:
    loaded = model(tmp_path)
    with failing(loaded, 0, 2), pytest.raises(torch.OutOfMemoryError):
        asked(loaded, asking(user(LONG)))
    assert len(loaded.cache.ids) == 256
    assert is_the_same(loaded, asking(user(LONG))) == 256


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0},
        {"full_attention": {"rope_type": "longrope"}, "sliding_attention": {"rope_type": "default"}},
    ],
)
def test_keys_that_depend_on_the_length_of_the_text_are_not_reused(rope: dict[str, Any]) -> None:
    assert rope_types(LlamaConfig()) == {"default"}
    assert CHANGING_ROPES & rope_types(SimpleNamespace(rope_parameters=rope))
    assert not rope_types(SimpleNamespace())


def test_a_model_whose_rotation_changes_with_the_length_reads_everything(tmp_path: Path) -> None:
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
    loaded = loaded_from(tiny_models.qwen2(tmp_path, window=4096, rope_parameters=rope))
    asked(loaded, asking(user(LONG)))
    assert is_the_same(loaded, asking(user(LONG))) == 0


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)), st.integers(0, 50))
def test_what_two_sequences_begin_with_is_found(one: list[int], other: list[int], shared: int) -> None:
    other = one[:shared] + other
    length = common_prefix(one, tuple(other))
    assert one[:length] == other[:length]
    assert length == min(len(one), len(other)) or one[length] != other[length]


@pytest.mark.parametrize("has_decoder", [True, False])
@pytest.mark.parametrize("layer", [0, 1])
def test_where_memory_is_short_a_prompt_is_read_in_smaller_parts(
    wide: Loaded,
    layer: int,
    has_decoder: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("qwen_tui.engine.local.forward.prefill.chunk_tokens", lambda *_: 1024)
    seen: list[int] = []

    def fail(_: Any, args: tuple[torch.Tensor]) -> None:
        seen.append(args[0].shape[1])
        if args[0].shape[1] > 300:
            raise torch.OutOfMemoryError("CUDA out of memory")

    loaded = with_decoder(wide) if has_decoder else wide
    messages = (user("The quick brown fox jumps over the lazy dog. " * 250),)
    request = Request(messages=messages, sampling=Sampling(greedy=True, max_new_tokens=8))
    expected = run_of(reply(loaded, replace(request, reuse=False)))
    assert expected.prompt_tokens > 2048
    handle = wide.model.model.layers[layer].mlp.register_forward_pre_hook(fail)
    try:
        with caplog.at_level("INFO"):
            run = run_of(reply(loaded, replace(request, reuse=False)))
    finally:
        handle.remove()
    assert run.token_ids == expected.token_ids
    assert seen[:4] == [1024, 512, 256, 256]
    assert "no memory to read 1024 tokens at once" in caplog.text


@pytest.fixture
def kept_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short conversations are kept, too."""
    monkeypatch.setattr("qwen_tui.engine.local.cache.kv_cache.WORTH_KEEPING", 16)


@pytest.mark.usefixtures("kept_early")
@pytest.mark.parametrize("make", [tiny_models.qwen2, hybrid])
def test_coming_back_to_a_conversation_reads_only_what_is_new(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    made = make(tmp_path / "model")
    loaded = with_decoder(made if isinstance(made, Loaded) else loaded_from(made))
    talks = [[user(f"{number} {LONG}"[:200])] for number in range(4)]
    for talk in talks:
        asked(loaded, asking(*talk))
    for talk in (talks[0], talks[2], talks[0]):
        before = len(loaded.prompts.build(talk).ids)
        talk += [assistant("A fox."), user("And?")]
        assert is_the_same(loaded, asking(*talk)) >= before - LAST_TOKENS
    assert loaded.cache.kept is not None
    assert [kept.is_on_device for kept in loaded.cache.kept.each] == [False] * 3
    loaded.cache.release()
    assert is_the_same(loaded, asking(*talks[1])) == 0


@pytest.mark.usefixtures("kept_early")
def test_what_is_kept_gives_way_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qwen_tui.engine.local.cache.kept_caches.MAIN_SHARE", 0)
    loaded = with_decoder(loaded_from(tiny_models.qwen2(tmp_path / "model", window=4096)))
    for text in ("first " + LONG, "second " + LONG):
        asked(loaded, asking(user(text)))
    assert loaded.cache.kept is not None
    assert loaded.cache.kept.each == []
    assert is_the_same(loaded, asking(user("first " + LONG))) < 64


def test_an_edit_reads_from_the_turn_before_it(tmp_path: Path) -> None:
    """Where states cannot be cropped, too: there is a snapshot at the end of each turn."""
    loaded = hybrid(tmp_path / "model")
    talk = [user(LONG[:150])]
    starts = []
    for number in range(4):
        run = asked(loaded, asking(*talk))
        starts.append(run.prompt_tokens)
        talk += [assistant(reply_text(run, loaded)), user(f"And {number}?")]
    asked(loaded, asking(*talk))
    for turn in (3, 1):
        edited = [*talk[: 2 * turn], user("Something else?")]
        assert is_the_same(loaded, asking(*edited)) >= starts[turn - 1] - LAST_TOKENS


def test_snapshots_over_their_budget_are_thinned_out() -> None:
    each = Snapshot(10, (torch.zeros(100),)).nbytes
    snapshots = Snapshots(3 * each)
    for length in (10, 100, 105, 500):
        snapshots.add(Snapshot(length, (torch.zeros(100),)))
    assert [snapshot.length for snapshot in snapshots.each] == [10, 105, 500]
    assert snapshots.before(104) is snapshots.each[0]
    snapshots.drop_after(200)
    assert [snapshot.length for snapshot in snapshots.each] == [10, 105]


def reply_text(run: Run, loaded: Loaded) -> str:
    text: str = loaded.tokenizer.decode(run.token_ids, skip_special_tokens=True)
    return text
