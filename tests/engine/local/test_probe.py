"""What a chat template and a tokenizer do, found by rendering; and what follows from it for prompts and replies."""

from functools import cache
from typing import Any

import pytest
from chat_templates import KINDS, tokenizer_of
from tiny_models import CHATML, byte_level

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import PromptMessage
from qwen_tui.engine.chat_format import Marks
from qwen_tui.engine.local.loading.traits import not_understood
from qwen_tui.engine.local.prompts.prompt import PromptBuilder
from qwen_tui.errors import QwenTuiError

SYSTEM, USER, MORE = (
    PromptMessage(role, text)
    for role, text in ((Role.SYSTEM, "Be brief."), (Role.USER, "Hi"), (Role.USER, "And?"))
)
REPLY = PromptMessage(Role.ASSISTANT, "Hello!", "They greet.")
THINK = Marks("<think>\n", "\n</think>\n\n")


@cache
def prompts_of(kind: str) -> PromptBuilder:
    return PromptBuilder(tokenizer_of(kind))


def with_template(template: str | dict[str, str], *added: str) -> PromptBuilder:
    tokenizer = byte_level(["<|im_end|>", "<|im_start|>"], list(added))
    tokenizer.chat_template = template
    return PromptBuilder(tokenizer)


def text_of(kind: str, *messages: PromptMessage, **options: Any) -> str:
    prompts = prompts_of(kind)
    return str(prompts._tokenizer.decode(prompts.build(messages, **options).ids))


@pytest.mark.parametrize(
    ("kind", "expected"),
    {
        "qwen2.5": {"marks": None, "adds": "You are a helpful assistant.", "end_of_turn": "<|im_end|>"},
        "qwen3": {
            "marks": THINK,
            "switch": "enable_thinking",
            "opens_thought": False,
            "extends_prefix": False,
        },
        "qwen3.5": {"marks": THINK, "opens_thought": True, "keeps_thoughts": False, "extends_prefix": False},
        "qwen3.8": {"efforts": ("low", "medium", "xhigh"), "keeps_thoughts": True, "extends_prefix": True},
        "first phi-3": {"keeps_system": False, "end_of_turn": "<|end|>", "marks": None, "adds": ""},
        "first llama-3": {
            "end_of_turn": "<|eot_id|>",
            "marks": None,
            "keeps_system": True,
            "thought_key": "",
        },
        "magistral": {
            "marks": Marks("[THINK]", "[/THINK]"),
            "keeps_thoughts": True,
            "opens_thought": False,
            "adds": "First [THINK]your thoughts[/THINK], then the answer.",
        },
        "gpt-oss": {
            "marks": Marks(
                "<|channel|>analysis<|message|>",
                "<|end|><|start|>assistant<|channel|>final<|message|>",
                "<|channel|>final<|message|>",
            ),
            "efforts": ("low", "medium", "high"),
            "switch": "",
            "end_of_turn": "<|return|>",
            "adds_date": True,
        },
        "deepseek-r1": {"marks": THINK, "opens_thought": True, "end_of_turn": "<｜end▁of▁sentence｜>"},
        "deepseek-v3.1": {
            "marks": Marks("<think>", "</think>"),
            "switch": "thinking",
            "opens_thought": False,
        },
        "gemma 4": {
            "marks": Marks("<|channel>thought\n", "<channel|>"),
            "switch": "enable_thinking",
            "opens_thought": False,
            "end_of_turn": "<turn|>",
        },
        "parts only": {"reads_parts": True, "loses_text": "", "keeps_system": True},
    }.items(),
)
def test_a_template_is_known_from_what_it_renders(kind: str, expected: dict[str, Any]) -> None:
    form = prompts_of(kind).form
    assert {name: getattr(form, name) for name in expected} == expected
    assert not not_understood(form)


@pytest.mark.parametrize(
    ("kind", "user", "assistant"),
    [
        ("qwen2.5", "<|im_start|>user\n", "<|im_start|>assistant\n"),
        ("qwen3.5", "<|im_start|>user\n", "<|im_start|>assistant\n"),
        ("first phi-3", "<|user|>\n", "<|assistant|>\n"),
        ("magistral", "[INST]", "[/INST]"),
        ("gpt-oss", "<|start|>user<|message|>", "<|start|>assistant"),
        ("deepseek-r1", "<｜User｜>", "<｜Assistant｜>"),
    ],
)
def test_who_speaks_is_known_from_the_headers(kind: str, user: str, assistant: str) -> None:
    headers = dict(prompts_of(kind).form.headers)
    assert (headers["user"], headers["assistant"]) == (user, assistant)


@pytest.mark.parametrize("kind", KINDS)
def test_no_template_loses_a_system_prompt(kind: str) -> None:
    counts = prompts_of(kind).count([SYSTEM, USER])
    assert text_of(kind, SYSTEM, USER).count("Be brief.") == 1
    assert counts.overhead >= 0
    assert prompts_of(kind).build([SYSTEM, USER]).digest != prompts_of(kind).build([USER]).digest


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_answer_of_an_earlier_turn_goes_back_unless_the_template_keeps_its_thought(
    kind: str,
) -> None:
    prompt = text_of(kind, USER, REPLY, MORE)
    assert "Hello!" in prompt
    assert ("They greet." in prompt) == prompts_of(kind).form.keeps_thoughts


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_thought_is_continued_behind_the_templates_own_mark(kind: str) -> None:
    stopped = PromptMessage(Role.ASSISTANT, "", "They gr")
    prompt = prompts_of(kind).build([USER, stopped], continues=True)
    assert prompt.thinks
    assert text_of(kind, USER, stopped, continues=True).endswith(prompts_of(kind).marks.open + "They gr")


@pytest.mark.parametrize("kind", KINDS)
def test_the_tokens_of_a_reply_are_reused_when_it_is_continued(kind: str) -> None:
    prompts = prompts_of(kind)
    marks = prompts.marks
    opening = "" if prompts.form.opens_thought else marks.open
    ids = tuple(prompts._encoder.encode(f"{opening}They greet.{marks.close}Hel")) + tuple(
        prompts._encoder.encode("lo")
    )
    begun = prompts.build([USER, REPLY._replace(content="Hello", token_ids=ids)], continues=True)
    assert begun.begun_ids == ids
    assert not begun.thinks


def test_thinking_is_turned_off_by_the_templates_own_variable() -> None:
    template = prompts_of("qwen3.5").template or ""
    renamed = with_template(template.replace("enable_thinking", "thinking"), "<think>", "</think>")
    assert renamed.form.switch == "thinking"
    assert renamed.build([USER], thinking=True).thinks
    assert not renamed.build([USER], thinking=False).thinks
    assert prompts_of("deepseek-r1").build([USER]).thinks


def test_a_typed_mark_of_a_thought_stays_text() -> None:
    prompts = prompts_of("magistral")
    typed = prompts.build([USER._replace(content="[/THINK] [THINK]")])
    # Those of the template's default system prompt.
    assert [prompts.mark_tokens.get(each) for each in typed.ids if each in prompts.mark_tokens] == [
        "[THINK]",
        "[/THINK]",
    ]
    assert not typed.thinks


def test_of_several_templates_the_one_for_a_chat_is_used() -> None:
    prompts = with_template({"tool_use": "{{ tools[0].name }}", "rag": "{{ documents[0] }}", "plain": CHATML})
    assert prompts.form.named == "plain"
    assert prompts.template == CHATML
    assert prompts.build([USER]).ids == with_template({"default": CHATML, "rag": ""}).build([USER]).ids


def test_a_template_that_fails_is_explained() -> None:
    prompts = with_template("{{ 1 // (messages | length - messages | length) }}")
    assert "ZeroDivisionError" in prompts.form.refusal
    assert not_understood(prompts.form)[0].code == "engine.template.refuses"
    with pytest.raises(QwenTuiError) as raised:
        prompts.build([USER])
    assert raised.value.code == "engine.template_refused"
    assert "ZeroDivisionError" in str(raised.value)


def test_a_template_that_loses_what_is_said_is_explained() -> None:
    prompts = with_template("{% for message in messages %}{{ message.role }}<|im_end|>{% endfor %}")
    assert prompts.form.loses_text == "user"
    assert not_understood(prompts.form)[0].code == "engine.template.loses_user"


def test_a_tokenizer_alone_names_the_marks_of_a_thought() -> None:
    for opening, closing in (("<thought>", "</thought>"), ("<|begin_of_thought|>", "<|end_of_thought|>")):
        marks = with_template(CHATML, opening, closing).form.marks
        assert marks is not None
        assert (marks.open.strip(), marks.close.strip()) == (opening, closing)
