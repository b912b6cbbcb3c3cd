"""A reply goes into the next prompt as the tokens that the model wrote, wherever its text is still theirs."""

from dataclasses import replace
from typing import Any

import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st
from test_continuing import TIDY, with_template
from test_generation import ids_of, reply, run_of, saying, text_of, thinking_of

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import PromptMessage, Request, Sampling
from qwen_tui.engine.local.loading.load import Loaded

QUESTION = PromptMessage(Role.USER, "Tell me of the fox")
MORE = PromptMessage(Role.USER, "And then?")


def letters(loaded: Loaded, text: str) -> tuple[int, ...]:
    """Tokens of this text that encoding it does not give: a letter each."""
    ids = tuple(i for letter in text for i in ids_of(loaded, letter))
    assert list(ids) != ids_of(loaded, text)
    return ids


def written(content: str, ids: tuple[int, ...], thinking: str = "") -> PromptMessage:
    return PromptMessage(Role.ASSISTANT, content, thinking, ids)


def without_tokens(message: PromptMessage) -> PromptMessage:
    return message._replace(token_ids=())


def holds(ids: list[int], part: tuple[int, ...]) -> bool:
    return any(tuple(ids[at : at + len(part)]) == part for at in range(len(ids)))


def end(loaded: Loaded) -> tuple[int, ...]:
    return (loaded.end_ids[-1],)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), cut_at=st.integers(1, 24))
def test_what_a_model_wrote_is_what_it_sees_of_it(qwen2: Loaded, seed: int, cut_at: int) -> None:
    sampling = Sampling(seed=seed, temperature=1.5, top_k=0, top_p=1.0, max_new_tokens=cut_at)
    events = reply(qwen2, Request(messages=(QUESTION,), sampling=sampling))
    run, text = run_of(events), text_of(events)
    again = written(text, run.token_ids)
    prompt = qwen2.prompts.build([QUESTION, again, MORE])
    plain = qwen2.prompts.build([QUESTION, without_tokens(again), MORE])
    assert qwen2.tokenizer.decode(prompt.ids) == qwen2.tokenizer.decode(plain.ids)
    if qwen2.tokenizer.decode(run.token_ids) == text and text:  # no special token, no half character
        assert prompt.ids[: len(qwen2.cache.ids)] == qwen2.cache.ids


def test_the_next_turn_reads_nothing_of_the_reply(qwen2: Loaded, qwen3: Loaded) -> None:
    for loaded in (qwen2, qwen3):
        ids = (*letters(loaded, "The quick brown fox"), *end(loaded))
        request = Request(messages=(QUESTION,), sampling=Sampling(greedy=True))
        with saying(loaded, list(ids)):
            first = run_of(reply(loaded, request))
        messages = (QUESTION, written("The quick brown fox", first.token_ids), MORE)
        second = run_of(reply(loaded, replace(request, messages=messages)))
        assert second.reused_tokens == first.prompt_tokens + first.new_tokens - 1  # the end of turn is read


@pytest.mark.parametrize("model", ["qwen2", "qwen3", "base_model"])
def test_every_reply_of_a_conversation_keeps_its_tokens(model: str, request: pytest.FixtureRequest) -> None:
    loaded: Loaded = request.getfixturevalue(model)
    texts = ("The quick", "brown fox ", "\n\njumps over")
    chat = [m for text in texts for m in (QUESTION, written(text, (*letters(loaded, text), *end(loaded))))]
    prompt = loaded.prompts.build([*chat, MORE])
    plain = loaded.prompts.build([*map(without_tokens, chat), MORE])
    assert prompt.ids != plain.ids
    assert loaded.tokenizer.decode(prompt.ids) == loaded.tokenizer.decode(plain.ids)
    assert all(holds(prompt.ids, letters(loaded, text)) for text in texts)
    assert loaded.prompts.count([*chat, MORE]).total == len(prompt.ids)


def test_a_text_that_was_edited_has_no_tokens(qwen2: Loaded) -> None:
    edited = written("The slow fox", letters(qwen2, "The quick fox"))
    assert qwen2.prompts.build([QUESTION, edited]) == qwen2.prompts.build([QUESTION, without_tokens(edited)])


def test_what_was_written_after_an_edit_keeps_its_tokens(qwen2: Loaded) -> None:
    """A person wrote the beginning, and the model went on."""
    ids = letters(qwen2, " brown fox")
    going_on = qwen2.prompts.build([QUESTION, written("The slow", ())], continues=True)
    prompt = qwen2.prompts.build([QUESTION, written("The slow brown fox", ids), MORE])
    assert prompt.ids[: len(going_on.ids) + len(ids)] == [*going_on.ids, *ids]


@pytest.mark.parametrize("model", ["qwen2", "qwen3", "llama", "base_model"])
@pytest.mark.parametrize("ids", [(10**9,), (-1,), (3, 10**20), (1, 2, 1, 2)])
def test_tokens_of_another_model_are_not_used(
    model: str, ids: tuple[int, ...], request: pytest.FixtureRequest
) -> None:
    loaded: Loaded = request.getfixturevalue(model)
    other = written("The fox", ids)
    assert loaded.prompts.build([QUESTION, other, MORE]) == loaded.prompts.build(
        [QUESTION, without_tokens(other), MORE]
    )


def test_tokens_that_would_change_the_structure_are_not_used(qwen2: Loaded, qwen3: Loaded) -> None:
    """Special tokens decode to nothing, so that the text alone does not tell; tags decode to what they are."""
    opener = qwen2.tokenizer.convert_tokens_to_ids("<|im_start|>")
    hidden = written("The fox", (*ids_of(qwen2, "The"), opener, *ids_of(qwen2, " fox")))
    assert opener in hidden.token_ids
    tag = qwen3.tokenizer.convert_tokens_to_ids("<think>")
    shown = written("a <think> b", (*ids_of(qwen3, "a "), tag, *ids_of(qwen3, " b")))
    for loaded, message in ((qwen2, hidden), (qwen3, shown)):
        for chat, continues in (((QUESTION, message, MORE), False), ((QUESTION, message), True)):
            plain = loaded.prompts.build([*chat[:1], without_tokens(message), *chat[2:]], continues=continues)
            assert loaded.prompts.build(chat, continues=continues) == plain


def test_a_template_that_trims_a_reply_still_does(qwen3: Loaded) -> None:
    loaded = with_template(qwen3, TIDY)
    trimmed, whole = (
        written("  The fox \n", letters(loaded, "  The fox \n")),
        written("dog", letters(loaded, "dog")),
    )
    prompt = loaded.prompts.build([QUESTION, trimmed, MORE, whole, MORE])
    plain = loaded.prompts.build([QUESTION, *map(without_tokens, (trimmed, MORE, whole, MORE))])
    assert loaded.tokenizer.decode(prompt.ids) == loaded.tokenizer.decode(plain.ids)
    assert holds(prompt.ids, whole.token_ids)
    assert not holds(prompt.ids, letters(loaded, "The fox"))


THOUGHT = "<think>\nHm, 好的。\n</think>\n\n"


def test_an_answer_keeps_its_tokens_without_its_thinking(qwen3: Loaded) -> None:
    ids = (*ids_of(qwen3, THOUGHT), *letters(qwen3, "The fox"), *end(qwen3))
    message = written("The fox", ids, "Hm, 好的。")
    for template in (tiny_models.CHATML_THINKING, tiny_models.CHATML):
        prompt = with_template(qwen3, template).prompts.build([QUESTION, message, MORE])
        assert holds(prompt.ids, letters(qwen3, "The fox"))
        assert not holds(prompt.ids, tuple(ids_of(qwen3, "Hm,")))


def continuing(loaded: Loaded, cut_at: int, ids: list[int], **asked: Any) -> tuple[PromptMessage, list[int]]:
    """A reply that is stopped, and the tokens of which a prompt that continues it is made."""
    request = Request(messages=(QUESTION,), sampling=Sampling(greedy=True), **asked)
    with saying(loaded, ids) as left:
        events = reply(loaded, request, lambda _: left.__length_hint__() <= len(ids) - cut_at)
    message = written(text_of(events), run_of(events).token_ids, thinking_of(events))
    more = loaded.prompts.build([QUESTION, message], continues=True)
    return message, more.ids[len(loaded.prompts.build([QUESTION]).ids) :]


def test_a_reply_goes_on_with_the_very_tokens_wherever_it_was_cut(qwen3: Loaded) -> None:
    """Those of half a character, of a tag, and of the newlines that belong to it, are written again."""
    ids = [*ids_of(qwen3, THOUGHT), *letters(qwen3, "The fox 🦀 runs."), *end(qwen3)]
    lost = []
    for cut_at in range(1, len(ids)):
        message, begun = continuing(qwen3, cut_at, ids)
        assert begun == ids[: len(begun)]
        assert len(begun) <= cut_at
        if len(begun) < cut_at:
            lost.append(cut_at)
        with saying(qwen3, ids[len(begun) :]):
            request = Request(messages=(QUESTION, message), continues=True, sampling=Sampling(greedy=True))
            events = reply(qwen3, request)
        assert (message.thinking + thinking_of(events), message.content + text_of(events)) == (
            "Hm, 好的。",
            "The fox 🦀 runs.",
        )
    assert len(lost) < 12


def test_a_tokenizer_that_looks_beyond_a_reply_gets_its_text(llama: Loaded) -> None:
    message = written("the fox", tuple(ids_of(llama, "the fox")))
    assert llama.prompts.build([QUESTION, message, MORE]) == llama.prompts.build(
        [QUESTION, without_tokens(message), MORE]
    )


def test_what_a_person_typed_has_no_mark(qwen2: Loaded) -> None:
    typed = PromptMessage(Role.USER, "a\ufdd1b")
    plain = [PromptMessage(Role.USER, "ab"), written("The fox", ())]
    own = written("The fox", letters(qwen2, "The fox"))
    assert qwen2.prompts.build([typed, plain[1]]) == qwen2.prompts.build(plain)
    assert holds(qwen2.prompts.build([typed, own]).ids, own.token_ids)
