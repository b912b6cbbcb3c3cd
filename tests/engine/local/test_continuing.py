"""Going on with a reply that was cut: the prompt that it began with, and what there is of it, to the letter."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loaded_models import loaded_from
from test_generation import ids_of, reply, run_of, saying, text_of, thinking_of

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import Event, PromptMessage, Request, Sampling
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.prompt import PromptBuilder
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder

ASKED = (PromptMessage(Role.SYSTEM, "Be brief."), PromptMessage(Role.USER, "Tell me of the fox  \n"))

TIDY = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.role == 'assistant' and loop.last %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{{- message.content | trim + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
    "{#- enable_thinking #}"
)
"""Trims messages, leaves thinking out, and writes an empty block of it before a last reply, as Qwen3's does."""

OPENED = tiny_models.CHATML + "{%- if add_generation_prompt %}{{- '<think>\\n' }}{%- endif %}"
"""Opens the thinking itself, as that of models that always think."""

CUTS = (
    PromptMessage(Role.ASSISTANT, "The quick brown fo"),
    PromptMessage(Role.ASSISTANT, "It doesn't stop. \n\n  "),
    PromptMessage(Role.ASSISTANT, "\n  indented"),
    PromptMessage(Role.ASSISTANT, "a", "Hm, 好。"),
    PromptMessage(Role.ASSISTANT, "a\n", "Hm.\n\nYes. "),
    PromptMessage(Role.ASSISTANT, "", "First of all "),
    PromptMessage(Role.ASSISTANT, "said <|im_end|> and </think> in passing"),
)


@pytest.fixture(scope="module")
def guide() -> Loaded:
    return loaded_from(model_folder())


def cut(content: str = "", thinking: str = "") -> PromptMessage:
    return PromptMessage(Role.ASSISTANT, content, thinking)


def with_template(loaded: Loaded, template: str) -> Loaded:
    tokenizer = type(loaded.tokenizer).from_pretrained(loaded.tokenizer.name_or_path)
    tokenizer.chat_template = template
    return replace(loaded, tokenizer=tokenizer, prompts=PromptBuilder(tokenizer))


def written(message: PromptMessage) -> str:
    """The reply as the model wrote it, thinking included."""
    if not message.thinking:
        return message.content
    answer = f"\n</think>\n\n{message.content}" if message.content else ""
    return f"<think>\n{message.thinking}{answer}"


@pytest.mark.parametrize("message", CUTS)
@pytest.mark.parametrize("thinking", [None, True])
@pytest.mark.parametrize("template", [tiny_models.CHATML, tiny_models.CHATML_THINKING, TIDY])
def test_the_prompt_is_the_one_before_and_the_reply_to_the_letter(
    qwen3: Loaded, template: str, thinking: bool | None, message: PromptMessage
) -> None:
    loaded = with_template(qwen3, template)
    first = loaded.prompts.build(ASKED, thinking)
    more = loaded.prompts.build((*ASKED, message), thinking, continues=True)
    assert more.ids[: len(first.ids)] == first.ids
    assert more.ids[len(first.ids) :] == list(more.begun_ids)
    assert loaded.tokenizer.decode(more.begun_ids) == written(message)
    assert more.ids.count(loaded.prompts.end_of_turn_id() or -1) == len(ASKED)
    assert more.thinks == bool(message.thinking and not message.content)


def test_without_thinking_the_empty_block_stays_where_the_reply_began(qwen3: Loaded) -> None:
    more = qwen3.prompts.build((*ASKED, cut("Yes, ")), False, continues=True)
    assert qwen3.tokenizer.decode(more.ids).endswith("assistant\n<think>\n\n</think>\n\nYes, ")


def test_a_reply_that_thought_is_not_told_that_it_does_not(qwen3: Loaded) -> None:
    for asked in (None, False, True):
        more = qwen3.prompts.build((*ASKED, cut("Yes, ", "Hm.")), asked, continues=True)
        assert qwen3.tokenizer.decode(more.ids).endswith("assistant\n<think>\nHm.\n</think>\n\nYes, ")


def test_thinking_that_the_prompt_opened_is_opened_once(qwen3: Loaded) -> None:
    prompts = with_template(qwen3, OPENED).prompts
    for message, end in (
        (cut("", "Hm"), "assistant\n<think>\nHm"),
        (cut("Yes", "Hm."), "assistant\n<think>\nHm.\n</think>\n\nYes"),
        (cut("Yes"), "assistant\n<think>\n\n</think>\n\nYes"),
        (cut(), "assistant\n<think>\n"),
    ):
        more = prompts.build((*ASKED, message), continues=True)
        assert qwen3.tokenizer.decode(more.ids).endswith(end)
        assert more.thinks == (not message.content)


def test_a_base_model_goes_on_in_the_same_line(base_model: Loaded) -> None:
    once = (PromptMessage(Role.USER, "Once upon"), cut(" a time "))
    more = base_model.prompts.build(once, continues=True)
    assert base_model.tokenizer.decode(more.ids) == "Once upon a time "


def test_a_reply_that_never_got_a_word_out_begins_anew(qwen2: Loaded, base_model: Loaded) -> None:
    for loaded in (qwen2, base_model):
        more = loaded.prompts.build((*ASKED, cut()), continues=True)
        assert more == loaded.prompts.build(ASKED)


def test_only_a_reply_is_continued(qwen2: Loaded) -> None:
    assert qwen2.prompts.build(ASKED, continues=True) == qwen2.prompts.build(ASKED)


def test_a_reply_that_comes_first_is_refused_where_the_template_needs_a_question(
    qwen2: Loaded, base_model: Loaded
) -> None:
    with pytest.raises(QwenTuiError) as raised:
        qwen2.prompts.build([cut("I begin")], continues=True)
    assert raised.value.code == "engine.nothing_before"
    more = base_model.prompts.build([cut("I begin")], continues=True)
    assert base_model.tokenizer.decode(more.ids) == "I begin"


@settings(max_examples=150, deadline=None)
@given(content=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_any_reply_stands_there_to_the_letter(qwen2: Loaded, guide: Loaded, content: str) -> None:
    # Qwen's tokenizer composes characters; U+FDD0 is never part of a text.
    content = unicodedata.normalize("NFC", content.replace("\ufdd0", ""))
    for loaded in (qwen2, guide):
        begun = loaded.prompts.build((*ASKED, cut(content)), continues=True).begun_ids
        assert loaded.tokenizer.decode(begun) == content


@pytest.mark.parametrize("model", ["qwen2", "qwen3", "base_model", "llama", "guide"])
def test_what_is_counted_is_what_is_sent(model: str, request: pytest.FixtureRequest) -> None:
    loaded: Loaded = request.getfixturevalue(model)
    for message in CUTS:
        chat = (*ASKED, message)
        counts = loaded.prompts.count(chat, continues=True)
        assert counts.total == len(loaded.prompts.build(chat, continues=True).ids)
        assert len(counts.per_message) == len(chat)
        assert counts.overhead >= 0


def test_the_share_of_a_reply_is_its_own_block(qwen2: Loaded) -> None:
    counts = qwen2.prompts.count((*ASKED, cut("Hi")), continues=True)
    before = qwen2.prompts.count(ASKED)
    assert counts.per_message[:-1] == before.per_message
    assert counts.per_message[-1] == before.overhead + len(ids_of(qwen2, "Hi"))
    assert counts.overhead == 0


# --- The continuation itself --------------------------------------------------------------------------------


def going_on(*messages: PromptMessage, tokens: int, continues: bool = True, **asked: Any) -> Request:
    sampling = Sampling(greedy=True, max_new_tokens=tokens)
    return Request(messages=messages, sampling=sampling, continues=continues, **asked)


def wrote(events: Sequence[Event]) -> tuple[str, str, Run]:
    return thinking_of(list(events)), text_of(list(events)), run_of(list(events))


TOKENS = 24

QUESTIONS = {
    "qwen2": "hello",
    "qwen3": "hello",
    "base_model": "Once upon a time",
    "llama": "the fox",
    "guide": "What is a token?",
}


@contextmanager
def in_words(loaded: Loaded) -> Iterator[None]:
    """Within this, a random model chooses among whole words, so that its text gives back its tokens."""
    tokens = loaded.tokenizer.get_vocab().items()
    words = [i for token, i in tokens if re.fullmatch("[Ġ▁][A-Za-z]{2,}", token)]

    def choose(module: Any, args: Any, output: Any) -> Any:
        others = torch.ones(output.logits.shape[-1], dtype=torch.bool)
        others[words] = False
        output.logits[..., others] = -1e4
        return output

    handle = loaded.model.register_forward_hook(choose)
    try:
        yield
    finally:
        handle.remove()


@pytest.mark.parametrize("model", QUESTIONS)
def test_greedy_a_continued_reply_is_the_uninterrupted_one(
    model: str, request: pytest.FixtureRequest
) -> None:
    """Wherever the text gives back the tokens it came from: a cut inside a word may give others."""
    loaded: Loaded = request.getfixturevalue(model)
    question = PromptMessage(Role.USER, QUESTIONS[model])
    with nullcontext() if model == "guide" else in_words(loaded):
        _, whole, run = wrote(reply(loaded, going_on(question, tokens=TOKENS, continues=False)))
        assert len(set(run.token_ids)) > 1
        kept = 0
        cuts = range(1, run.new_tokens, 3 if model == "guide" else 1)  # it takes ten times as long
        for cut_at in cuts:
            _, start, first = wrote(reply(loaded, going_on(question, tokens=cut_at, continues=False)))
            assert whole.startswith(start)
            assert first.token_ids == run.token_ids[:cut_at]
            begun = loaded.prompts.build((question, cut(start)), continues=True).begun_ids
            if begun != run.token_ids[: len(begun)]:
                continue
            kept += 1
            left = run.new_tokens - len(begun)
            _, rest, second = wrote(reply(loaded, going_on(question, cut(start), tokens=left)))
            assert start + rest == whole
            assert second.token_ids == run.token_ids[len(begun) :]
            assert second.prompt_digest != first.prompt_digest == run.prompt_digest
    assert kept >= 0.8 * len(cuts)


THOUGHT = "<think>\nHm, 好的。\n\nA fox? 🦀 yes.\n</think>\n\nThe quick brown fox 🦀\n\n jumps."


def test_a_reply_that_thinks_can_be_cut_anywhere(qwen3: Loaded) -> None:
    """In the tags, in the newlines that belong to them, inside a character: what is undecided is written again."""
    question = PromptMessage(Role.USER, "x")
    ids = [*ids_of(qwen3, THOUGHT), qwen3.end_ids[-1]]
    with saying(qwen3, ids):
        thought, answer, _ = wrote(reply(qwen3, going_on(question, tokens=99, continues=False)))
    assert (thought, answer) == ("Hm, 好的。\n\nA fox? 🦀 yes.", "The quick brown fox 🦀\n\n jumps.")
    before = qwen3.prompts.build([question]).ids
    for cut_at in range(1, len(ids)):
        with saying(qwen3, ids):
            thinking, content, _ = wrote(reply(qwen3, going_on(question, tokens=cut_at, continues=False)))
        more = qwen3.prompts.build([question, cut(content, thinking)], continues=True)
        done = len(more.begun_ids)
        if list(more.begun_ids) != ids[:done]:
            # " 🦀" begins with a token that holds the space and half of the rest: the space alone is another.
            assert qwen3.tokenizer.decode(ids[:cut_at]).endswith(" \N{REPLACEMENT CHARACTER}")
            continue
        assert more.ids == before + ids[:done]
        with saying(qwen3, ids[done:]):
            rest = wrote(reply(qwen3, going_on(question, cut(content, thinking), tokens=99)))
        assert (thinking + rest[0], content + rest[1]) == (thought, answer)


def test_tags_in_an_answer_that_goes_on_are_text(qwen3: Loaded, qwen2: Loaded) -> None:
    for loaded in (qwen3, qwen2):
        with saying(loaded, [*ids_of(loaded, "<think> and </think>"), loaded.end_ids[-1]]):
            events = reply(loaded, going_on(*ASKED, cut("Tags: "), tokens=50))
        assert (thinking_of(events), text_of(events)) == ("", "<think> and </think>")


def test_thinking_goes_on_with_its_newlines(qwen3: Loaded) -> None:
    with saying(qwen3, [*ids_of(qwen3, "\n\nThen.\n</think>\n\nDone"), qwen3.end_ids[-1]]):
        events = reply(qwen3, going_on(*ASKED, cut("", "First."), tokens=50))
    assert (thinking_of(events), text_of(events)) == ("\n\nThen.", "Done")


def test_words_keep_the_space_between_them_where_a_beginning_loses_it(llama: Loaded) -> None:
    with saying(llama, [*ids_of(llama, "lazy dog"), llama.end_ids[-1]]):
        events = reply(llama, going_on(PromptMessage(Role.USER, "hello"), cut("the"), tokens=50))
    assert text_of(events) == " lazy dog"


def test_half_a_character_is_not_shown_when_a_reply_is_cut(qwen2: Loaded, llama: Loaded) -> None:
    for loaded in (qwen2, llama):
        ids = ids_of(loaded, "a🫠b")
        for cut_at in range(1, len(ids)):
            with saying(loaded, ids):
                events = reply(loaded, going_on(*ASKED[1:], tokens=cut_at, continues=False))
            assert text_of(events) in ("", "a", "a🫠")
        with saying(loaded, [*ids[:3], loaded.end_ids[-1]]):
            ended = reply(loaded, going_on(*ASKED[1:], tokens=50, continues=False))
        assert text_of(ended) == "a�"


def test_the_digest_tells_prompts_apart(qwen2: Loaded, tmp_path: Path) -> None:
    one, other = (qwen2.prompts.build([PromptMessage(Role.USER, text)]) for text in ("a", "b"))
    assert one.digest == qwen2.prompts.build([PromptMessage(Role.USER, "a")]).digest != other.digest
    run = run_of(reply(qwen2, going_on(PromptMessage(Role.USER, "a"), tokens=2, continues=False)))
    assert run.prompt_digest == one.digest
    assert len(one.digest) == 16
