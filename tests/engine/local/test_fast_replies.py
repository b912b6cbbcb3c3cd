"""Replies that are decoded a token ahead, as on a GPU: the same as by `generate`, however they end."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny_models
import torch
from loaded_models import loaded_from, with_decoder
from test_generation import reply, run_of, saying, text_of
from test_kv_cache import failing, user

from qwen_tui.engine.base import Request, Sampling
from qwen_tui.engine.local.decoding.sampling import Values, fast_values
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.serving import release_memory
from qwen_tui.errors import QwenTuiError


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return loaded_from(tiny_models.qwen2(tmp_path_factory.mktemp("fast") / "model", window=4096))


@pytest.fixture(scope="module")
def fast(plain: Loaded) -> Loaded:
    return with_decoder(plain)


def asking(tokens: int = 40, **sampling: object) -> Request:
    wanted = Sampling(max_new_tokens=tokens, **sampling)  # type: ignore[arg-type]
    return Request(messages=(user("What is a token?"),), sampling=wanted)


@pytest.mark.parametrize(
    "penalties",
    [{}, {"repetition_penalty": 1.3}, {"presence_penalty": 1.5, "frequency_penalty": 0.3}],
)
def test_greedy_tokens_are_those_of_generate(
    plain: Loaded, fast: Loaded, penalties: dict[str, float]
) -> None:
    request = asking(greedy=True, **penalties)
    by_generate, by_graph = run_of(reply(plain, request)), run_of(reply(fast, request))
    assert by_graph.token_ids == by_generate.token_ids
    assert (by_generate.decode_path, by_graph.decode_path) == ("generate", "graph")
    assert by_graph.stop_reason == by_generate.stop_reason


def test_it_ends_with_the_end_token_and_not_behind_it(fast: Loaded) -> None:
    end = fast.end_ids[0]
    reply(
        fast, asking(2, greedy=True)
    )  # so that the prompt is in the cache, and each forward pass chooses a token
    with saying(fast, [20, 21, end, 22, 23, 24]):
        events = reply(fast, asking(greedy=True))
    assert run_of(events).token_ids == (20, 21, end)
    assert run_of(events).stop_reason == "eos"
    assert len(fast.cache.ids) == run_of(events).prompt_tokens + 3


def test_end_tokens_can_be_ignored_and_padded_ids_never_come(fast: Loaded) -> None:
    request = replace(asking(200, temperature=5.0, top_k=0, top_p=1.0, seed=1), ignores_end=True)
    ids = set(run_of(reply(fast, request)).token_ids)
    assert fast.padded_ids is not None
    assert ids.isdisjoint(fast.end_ids)
    assert ids.isdisjoint(fast.padded_ids.tolist())
    assert len(ids) > 50


def test_a_seed_repeats_a_reply_whatever_was_drawn_in_between(fast: Loaded) -> None:
    request = asking(seed=11, temperature=1.5)
    first = run_of(reply(fast, request))
    reply(fast, asking(seed=12, temperature=1.5))
    again = run_of(reply(fast, request))
    assert first.token_ids == again.token_ids
    assert again.reused_tokens == again.prompt_tokens - 1


def test_a_stop_keeps_what_was_shown_and_the_next_reply_goes_on_from_there(fast: Loaded) -> None:
    whole = run_of(reply(fast, asking(greedy=True)))
    events = reply(fast, asking(greedy=True), lambda events: len(text_of(events)) > 12)
    assert run_of(events).stop_reason == "stopped"
    assert run_of(events).token_ids == whole.token_ids[: run_of(events).new_tokens]
    assert run_of(reply(fast, asking(greedy=True))).token_ids == whole.token_ids


def test_what_is_not_done_here_is_left_to_generate(fast: Loaded, plain: Loaded) -> None:
    defaults = replace(
        fast, defaults=type(fast.defaults)(**{**fast.defaults.to_diff_dict(), "no_repeat_ngram_size": 2})
    )
    assert fast_values(defaults.defaults) is None
    request = asking(greedy=True)
    run = run_of(reply(defaults, request))
    assert run.decode_path == "generate"
    pairs = list(zip(run.token_ids, run.token_ids[1:], strict=False))
    assert len(set(pairs)) == len(pairs)
    # The cache is still the one that the decoder writes to.
    assert run_of(reply(fast, request)).token_ids == run_of(reply(plain, request)).token_ids


def test_where_there_is_no_memory_it_gives_back_what_it_holds_and_goes_on(
    fast: Loaded, plain: Loaded
) -> None:
    decoder = fast.decoder
    assert decoder is not None
    for place in (1, 3):
        with failing(fast, 0, place), pytest.raises(torch.OutOfMemoryError):
            reply(fast, asking(greedy=True))
        release_memory(fast)
        assert not decoder._graphs._steps
        assert decoder.cache.capacity == 0
        assert fast.cache.ids == []
        assert (
            run_of(reply(fast, asking(greedy=True))).token_ids
            == run_of(reply(plain, asking(greedy=True))).token_ids
        )
        assert decoder.cache.capacity > 0


def test_a_prompt_of_one_token_is_answered_with_nothing_in_memory(fast: Loaded) -> None:
    decoder = fast.decoder
    assert decoder is not None
    decoder.cache.free()
    ids = torch.tensor([50])
    with torch.no_grad():
        expected = fast.model.generate(
            ids[None], max_new_tokens=5, do_sample=False, eos_token_id=None, pad_token_id=0
        )
        assert list(decoder.decode(ids, 5, Values(), 0)) == expected[0, 1:].tolist()


def test_a_reply_can_be_asked_for_as_generate_decodes_it(fast: Loaded, plain: Loaded) -> None:
    request = replace(asking(seed=5, temperature=1.2), decode_path="generate", reuse=False)
    again = run_of(reply(fast, request))
    assert again.decode_path == "generate"
    assert again.token_ids == run_of(reply(plain, request)).token_ids
    by_graph = run_of(reply(fast, replace(request, decode_path="graph")))
    assert by_graph.decode_path == "graph"
    assert run_of(reply(plain, replace(request, decode_path="graph"))).decode_path == "generate"


def test_what_one_decoder_has_drawn_another_draws_again(fast: Loaded) -> None:
    request = asking(seed=5, temperature=1.2)
    run = run_of(reply(fast, request))
    again = run_of(reply(fast, replace(request, decode_path="kernels")))
    assert (again.decode_path, again.token_ids) == ("graph", run.token_ids)


@pytest.mark.parametrize("temperature", [1e-40, 1e-5])
def test_a_temperature_too_small_to_divide_by_takes_the_likeliest_tokens(
    plain: Loaded, fast: Loaded, temperature: float
) -> None:
    for loaded in (plain, fast):
        greedy = run_of(reply(loaded, asking(greedy=True)))
        assert run_of(reply(loaded, asking(temperature=temperature, seed=1))).token_ids == greedy.token_ids


def test_what_a_fault_left_in_the_cache_is_not_read_by_the_next_reply(fast: Loaded) -> None:
    good = run_of(reply(fast, asking(greedy=True))).token_ids
    handle = fast.model.get_input_embeddings().register_forward_hook(lambda _, __, out: out * torch.nan)
    with pytest.raises(QwenTuiError):
        reply(fast, asking(greedy=True))
    handle.remove()
    assert run_of(reply(fast, asking(greedy=True))).token_ids == good


def test_a_token_without_a_row_is_refused_before_a_gpu_is_lost_to_it(tmp_path: Path) -> None:
    loaded = loaded_from(tiny_models.qwen2(tmp_path / "model", rows=300))
    for each in (loaded, with_decoder(loaded)):
        with pytest.raises(QwenTuiError) as raised:
            reply(each, Request(messages=(user("你好 hello"),)))
        assert raised.value.code == "engine.no_such_row"
        assert not each.cache.ids


def test_on_a_processor_there_is_no_decoder_and_no_reason_to_tell(tmp_path: Path) -> None:
    loaded = loaded_from(tiny_models.qwen2(tmp_path / "model"))
    assert loaded.decoder is None
    assert not any(reason.code.startswith("engine.decoding.") for reason in loaded.info.reasons)


@pytest.mark.parametrize("sampling", [{"greedy": True}, {"temperature": 0.7}])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_no_number_ends_a_reply_with_an_error_and_is_not_kept(
    plain: Loaded, fast: Loaded, bad: float, sampling: dict[str, object]
) -> None:
    def spoil(module: object, args: object, output: torch.Tensor) -> torch.Tensor:
        """From the fourth pass on, at one place of the vocabulary."""
        passes.append(1)
        if len(passes) > 3:
            output[..., 40] = bad
        return output

    for loaded in (plain, fast):
        good = run_of(reply(loaded, asking(greedy=True))).token_ids
        passes: list[int] = []
        handle = loaded.model.lm_head.register_forward_hook(spoil)
        with pytest.raises(QwenTuiError) as raised:
            # What is drawn must not end the reply before the fourth pass.
            reply(loaded, replace(asking(**sampling), ignores_end=True))
        handle.remove()
        assert raised.value.code == "engine.no_numbers"
        assert 3 < len(passes) <= 5
        again = run_of(reply(loaded, asking(greedy=True)))
        assert (again.token_ids, again.reused_tokens) == (good, 0)
