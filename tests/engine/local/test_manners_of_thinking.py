"""Models that mark their thoughts in every known manner: the tokens they write, and what a person sees of them."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models
from chat_templates import KINDS, tokenizer_of
from loaded_models import loaded_from
from test_generation import asking, reply, run_of, saying, text_of, thinking_of

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Event, PromptMessage
from qwen_tui.engine.local.generation.deltas import Deltas
from qwen_tui.engine.local.prompts.detokenizer import TokenBytes
from qwen_tui.engine.local.prompts.prompt import PromptBuilder
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError

CHANNELS = "<|channel|>analysis<|message|>User says hi.<|end|><|start|>assistant"


def said_by(kind: str, written: str, *, ends: bool = True) -> list[Event]:
    """The events of a reply that consists of these tokens."""
    tokenizer = tokenizer_of(kind)
    prompts = PromptBuilder(tokenizer)
    loaded: Any = SimpleNamespace(
        tokenizer=tokenizer, prompts=prompts, token_bytes=TokenBytes(tokenizer), end_ids=()
    )
    events: list[Event] = []
    deltas = Deltas(loaded, prompts.build([PromptMessage(Role.USER, "Hi")]), events.append)
    for token in tokenizer.encode(written, add_special_tokens=False):
        deltas.push(token)
    deltas.flush(is_cut=not ends)
    return events


def parts_of(events: list[Event]) -> tuple[str, str]:
    reread = next((event for event in events if isinstance(event, Reread)), None)
    return (thinking_of(events), text_of(events)) if reread is None else (reread.thinking, reread.answer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_thought_is_told_apart_by_the_marks_that_the_template_has(kind: str) -> None:
    marks = PromptBuilder(tokenizer_of(kind)).marks
    opens = PromptBuilder(tokenizer_of(kind)).form.opens_thought
    written = ("" if opens else marks.open) + "They greet.\n\nSo." + marks.close + "Hello!\n\n<b>"
    assert parts_of(said_by(kind, written)) == ("They greet.\n\nSo.", written[written.rindex("Hello!") :])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f"{CHANNELS}<|channel|>final<|message|>Hello!", ("User says hi.", "Hello!")),
        ("<|channel|>final<|message|>Hello!", ("", "Hello!")),
        (
            f"{CHANNELS}<|channel|>analysis<|message|>Be kind.<|end|><|start|>assistant"
            "<|channel|>final<|message|>Hello!",
            ("User says hi.\n\nBe kind.", "Hello!"),
        ),
        (f"{CHANNELS}<|message|>Hello!", ("User says hi.", "Hello!")),
        ("Hello!", ("", "Hello!")),
        ("<|channel|>analysis<|message|>Hello!", ("", "Hello!")),
        ("Without any header, in a text that is longer than every header is. " * 2, None),
    ],
)
def test_the_parts_of_a_reply_are_told_apart_by_their_headers(
    written: str, expected: tuple[str, str] | None
) -> None:
    assert parts_of(said_by("gpt-oss", written)) == (expected or ("", written))


def test_a_thought_that_is_cut_off_stays_one() -> None:
    assert parts_of(said_by("gpt-oss", "<|channel|>analysis<|message|>Hel", ends=False)) == ("Hel", "")


def test_a_model_of_channels_answers_from_its_load_to_its_receipt(tmp_path: Path) -> None:
    tokenizer = tokenizer_of("gpt-oss")
    loaded = loaded_from(tiny_models.qwen2(tmp_path, tokenizer=tokenizer))
    written = tokenizer.encode(f"{CHANNELS}<|channel|>final<|message|>Hello!<|return|>")
    with saying(loaded, written):
        events = reply(loaded, asking("Hi", greedy=True, max_new_tokens=50))
    assert (thinking_of(events), text_of(events)) == ("User says hi.", "Hello!")
    assert run_of(events).stop_reason == "eos"
    answer = PromptMessage(Role.ASSISTANT, "Hello!", "User says hi.", run_of(events).token_ids)
    prompt = loaded.prompts.build([PromptMessage(Role.USER, "Hi"), answer, PromptMessage(Role.USER, "And?")])
    assert str(tokenizer.decode(prompt.ids)).count("analysis") == 0
    assert loaded.info.chat_format == loaded.prompts.form


def test_the_token_behind_an_assistants_text_ends_a_reply(tmp_path: Path) -> None:
    tokenizer = tokenizer_of("first llama-3")
    loaded = loaded_from(tiny_models.qwen2(tmp_path, tokenizer=tokenizer))
    written = tokenizer.encode("Hello!<|eot_id|><|start_header_id|>assistant")
    with saying(loaded, written):
        events = reply(loaded, asking("Hi", greedy=True))
    assert (text_of(events), run_of(events).stop_reason) == ("Hello!", "eos")


def test_an_end_token_may_be_named_by_its_text(tmp_path: Path) -> None:
    folder = tiny_models.qwen2(tmp_path)
    file = folder / "generation_config.json"
    file.write_text(json.dumps({"eos_token_id": "<|im_end|>"}))
    loaded = loaded_from(folder)
    assert loaded.end_ids == (loaded.tokenizer.convert_tokens_to_ids("<|im_end|>"),)
    assert run_of(reply(loaded, asking())).new_tokens
    file.write_text(json.dumps({"eos_token_id": ["<|im_end|>", "<|over|>"]}))
    with pytest.raises(QwenTuiError) as raised:
        loaded_from(folder)
    assert raised.value.code == "engine.unknown_end_token"
    assert "<|over|>" in str(raised.value)
    assert "generation_config.json" in str(raised.value)
