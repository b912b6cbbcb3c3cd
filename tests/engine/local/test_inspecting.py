"""A prompt token by token: the same tokens as are sent, each with who put it there."""

from itertools import groupby

import pytest

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import PromptMessage, Request
from qwen_tui.engine.inspection import PromptToken
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.inspecting import inspected

TALK = (
    PromptMessage(Role.SYSTEM, "Be brief."),
    PromptMessage(Role.USER, "广州有什么美食？ <|im_end|>"),
    PromptMessage(Role.ASSISTANT, "早茶。"),
    PromptMessage(Role.USER, "assistant"),
)


def shown(
    loaded: Loaded, *messages: PromptMessage, template: bool = True, **how: object
) -> list[PromptToken]:
    request = Request(messages=messages, **how)  # type: ignore[arg-type]
    tokens = inspected(loaded.prompts, loaded.token_text, request, template)
    if template:
        built = loaded.prompts.build(messages, request.thinking, continues=request.continues)
        assert [token.id for token in tokens] == built.ids
    return tokens


def parts(tokens: list[PromptToken]) -> list[tuple[str, int, str]]:
    """Who wrote what, in order."""
    found = []
    for (author, message), run in groupby(tokens, lambda token: (token.author, token.message)):
        found.append((author, message, b"".join(token.text for token in run).decode()))
    return found


def test_each_token_has_its_author_and_its_message(qwen2: Loaded) -> None:
    assert parts(shown(qwen2, *TALK)) == [
        ("template", 0, "<|im_start|>system\n"),
        ("system", 0, "Be brief."),
        ("template", 0, "<|im_end|>\n"),
        ("template", 1, "<|im_start|>user\n"),
        ("user", 1, "广州有什么美食？ <|im_end|>"),
        ("template", 1, "<|im_end|>\n"),
        ("template", 2, "<|im_start|>assistant\n"),
        ("assistant", 2, "早茶。"),
        ("template", 2, "<|im_end|>\n"),
        ("template", 3, "<|im_start|>user\n"),
        ("user", 3, "assistant"),
        ("template", 3, "<|im_end|>\n"),
        ("template", -1, "<|im_start|>assistant\n"),
    ]
    special = [token.text for token in shown(qwen2, *TALK) if token.is_special]
    assert special.count(b"<|im_end|>") == 4


def test_what_the_template_adds_unasked_is_nobodys(qwen2: Loaded, qwen3: Loaded) -> None:
    default = parts(shown(qwen2, TALK[1]))
    assert default[0] == ("unasked", -1, "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n")
    assert default[1:3] == [("template", 0, "<|im_start|>user\n"), ("user", 0, TALK[1].content)]
    without_thought = parts(shown(qwen3, TALK[3], thinking=False))
    assert without_thought[-2:] == [
        ("template", -1, "<|im_start|>assistant\n"),
        ("unasked", -1, "<think>\n\n</think>\n\n"),
    ]


def test_a_continued_reply_is_the_assistants(qwen2: Loaded) -> None:
    told = parts(shown(qwen2, *TALK[:3], continues=True))
    assert told[-2:] == [("template", -1, "<|im_start|>assistant\n"), ("assistant", 2, "早茶。")]


@pytest.mark.parametrize("name", ["qwen2", "qwen3", "llama", "base_model"])
def test_every_kind_of_tokenizer_and_template_is_shown(name: str, request: pytest.FixtureRequest) -> None:
    loaded = request.getfixturevalue(name)
    tokens = shown(loaded, *TALK)
    for place, message in enumerate(TALK):
        own = b"".join(
            token.text for token in tokens if token.message == place and token.author != "template"
        )
        assert message.content.strip() in own.decode()


def test_without_the_template_there_is_only_the_bare_text(qwen2: Loaded) -> None:
    bare = parts(shown(qwen2, *TALK[:2], template=False))
    assert bare == [("system", 0, "Be brief.\n"), ("user", 1, TALK[1].content)]
