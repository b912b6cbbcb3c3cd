"""A model's chat template: the text of it that serves a chat, and how a conversation is given to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from qwen_tui.engine.base import PromptMessage
from qwen_tui.engine.chat_format import ChatFormat
from qwen_tui.engine.redaction import one_line

DEFAULT_THOUGHT_KEY = "reasoning_content"
"""Key of a message's thought for templates that name none; they ignore it."""

PARTS = "content"
"""`ChatFormat.thought_key` of templates that expect the thought as a part of the content."""

NOTHING: Mapping[str, str | bool] = {}


class Refused(Exception):
    """The template rejects a conversation, or fails on it; the message is one line."""


class Template:
    """A chat template and the tokenizer that renders it."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, text: str, name: str = "") -> None:
        self.text = text
        self.name = name
        """Its name, if the tokenizer has several templates and none of them is the default."""
        self._tokenizer = tokenizer

    def render(
        self,
        messages: Sequence[dict[str, Any]],
        variables: Mapping[str, str | bool] = NOTHING,
        *,
        with_prompt: bool = True,
    ) -> str:
        """Return the text of a conversation, with the generation prompt at its end. Raises `Refused`.

        `variables` are the template's own, such as `enable_thinking`.
        """
        try:
            text = self._tokenizer.apply_chat_template(
                list(messages),
                chat_template=self.text,
                tokenize=False,
                add_generation_prompt=with_prompt,
                **variables,
            )
        except Exception as error:  # a template is a program of its own: it may also divide by zero
            said = one_line(error)
            if not isinstance(error, TemplateError) or not said:
                said = one_line(f"{type(error).__name__}: {said}")
            raise Refused(said) from error
        return str(text)


def chat_template(tokenizer: PreTrainedTokenizerBase) -> Template | None:
    """Return the tokenizer's template, of several the default or else the one for a chat; None for a base model."""
    templates = tokenizer.chat_template
    if not templates:
        return None
    if not isinstance(templates, dict):
        return Template(tokenizer, str(templates))
    if "default" in templates:
        return Template(tokenizer, str(templates["default"]))
    candidates = [Template(tokenizer, str(text), str(name)) for name, text in templates.items()]
    candidates.sort(key=lambda each: _unlikeliness(each.name))
    return next((each for each in candidates if _serves_chat(each)), candidates[0])


def as_seen(messages: Sequence[PromptMessage], form: ChatFormat) -> list[dict[str, Any]]:
    """Return the messages as the template reads them."""
    return [seen(str(each.role), each.content, each.thinking, form) for each in messages]


def seen(role: str, content: str, thought: str, form: ChatFormat) -> dict[str, Any]:
    """Return one message as the template reads it, with its thought under the template's own key."""
    parts = [{"type": "text", "text": content}]
    if form.thought_key == PARTS and thought:
        return {"role": role, "content": [{"type": "thinking", "thinking": thought}, *parts]}
    message: dict[str, Any] = {"role": role, "content": parts if form.reads_parts else content}
    if thought:
        message[form.thought_key or DEFAULT_THOUGHT_KEY] = thought
    return message


def _unlikeliness(name: str) -> int:
    """Rank a template's name: those for tools and for documents come last."""
    lowered = name.lower()
    return 0 if "chat" in lowered else 2 if "tool" in lowered or "rag" in lowered else 1


def _serves_chat(template: Template) -> bool:
    try:
        text = template.render([{"role": "user", "content": "qu3stion"}])
    except Refused:
        return False
    return "qu3stion" in text
