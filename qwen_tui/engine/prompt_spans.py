"""Divide a rendered prompt among its authors: the messages, the template, and what the template adds unasked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import PromptMessage
from qwen_tui.engine.inspection import Author, PromptToken

BREAK = "\ufdd0"
"""A Unicode noncharacter, reserved for use inside a program: splits a control token in a message's content."""

MARK = "\ufdd1"
"""Another noncharacter: stands for a content, or for tokens that are inserted, in a rendered prompt."""

NOBODY = -1
"""`PromptToken.message` of what belongs to no message."""


class Span(NamedTuple):
    """A part of the prompt's text, and who wrote it."""

    text: str
    author: Author
    message: int


def spans_of(
    text: str, marked: str, messages: Sequence[PromptMessage], opener: str, headers: Mapping[str, str]
) -> list[Span]:
    """Return a rendered prompt in spans.

    `marked` is the same prompt with a mark in place of each content; empty if unknown. `opener` begins each message
    and occurs nowhere else; empty if there is no such token. `headers` is what the template puts before a message,
    by role.
    """
    text = text.replace(BREAK, "")
    parts = marked.replace(BREAK, "").split(MARK)
    contents = _contents(text, parts, messages)
    if contents is None:
        parts, contents = _found(text, messages)
    spans: list[Span] = []
    for place, (part, content) in enumerate(zip_longest(parts, contents)):
        tail, head = _divided(part, opener, is_first=place == 0)
        spans.append(Span(tail, "unasked" if place == 0 else "template", place - 1))
        if content is None:
            spans += _markup(head, headers.get(Role.ASSISTANT, ""), NOBODY)
            break
        message = messages[place]
        spans += _head(head, message, headers.get(message.role, ""), place)
        spans.append(Span(content, _author(message), place))
    return [span for span in spans if span.text]


def _contents(text: str, parts: Sequence[str], messages: Sequence[PromptMessage]) -> list[str] | None:
    """Return the contents as the template renders them: as they are, or trimmed; None if it does something else."""
    count = len(parts) - 1
    if count > len(messages):
        return None
    for is_trimmed in (False, True):
        contents = [each.content.strip() if is_trimmed else each.content for each in messages[:count]]
        filled = parts[0] + "".join(c + p for c, p in zip(contents, parts[1:], strict=True))
        if filled == text:
            return contents
    return None


def _found(text: str, messages: Sequence[PromptMessage]) -> tuple[list[str], list[str]]:
    """Search the contents in the text, one after another, and return what is between them, and them."""
    parts, contents, at = [], [], 0
    for message in messages:
        content = message.content.strip()
        place = text.find(content, at)
        if place < 0:
            content, place = "", at
        parts.append(text[at:place])
        contents.append(content)
        at = place + len(content)
    return [*parts, text[at:]], contents


def _divided(part: str, opener: str, *, is_first: bool) -> tuple[str, str]:
    """Divide the markup between two contents: the end of one message, and the beginning of the next.

    Before the first message, the first part is what the template adds of its own.
    """
    at = part.rfind(opener) if opener else -1
    if at < 0:
        return ("", part) if is_first else (part, "")
    if is_first and opener not in part[:at]:
        return "", part
    return part[:at], part[at:]


def _head(head: str, message: PromptMessage, header: str, place: int) -> Iterator[Span]:
    """Return the markup before a content, with the thought that a template puts there."""
    thought = message.thinking.strip()
    at = head.rfind(thought) if thought else -1
    if at < 0:
        yield from _markup(head, header, place)
        return
    yield Span(head[:at], "template", place)
    yield Span(thought, "assistant", place)
    yield Span(head[at + len(thought) :], "template", place)


def _markup(head: str, header: str, place: int) -> Iterator[Span]:
    """Return markup, apart from what is more than the usual header of a role."""
    at = head.find(header) if header else -1
    if at < 0:
        yield Span(head, "template", place)
        return
    end = at + len(header)
    yield Span(head[:at], "unasked", place)
    yield Span(header, "template", place)
    yield Span(head[end:], "unasked", place)


def bare_spans(messages: Sequence[PromptMessage]) -> list[Span]:
    """Return the spans of contents that are joined by newlines."""
    spans = []
    for place, message in enumerate(messages):
        newline = "\n" if place + 1 < len(messages) else ""
        spans.append(Span(message.content + newline, _author(message), place))
    return spans


def _author(message: PromptMessage) -> Author:
    match message.role:
        case Role.SYSTEM:
            return "system"
        case Role.USER:
            return "user"
        case _:
            return "assistant"


def authored(tokens: Iterable[tuple[int, bytes, bool]], spans: Sequence[Span]) -> Iterator[PromptToken]:
    """Return tokens, given as id, bytes and whether they are special, each with the author of its first byte."""
    whole = "".join(span.text for span in spans).encode("utf-8", "replace")
    ends, end = [], 0
    for span in spans:
        end += len(span.text.encode("utf-8", "replace"))
        ends.append(end)
    at = place = 0
    for token_id, text, is_special in tokens:
        while place < len(spans) - 1 and at >= ends[place]:
            place += 1
        # A SentencePiece token at the start of a text has a space that the text lacks; a token in front of the
        # prompt may not be in its text at all.
        own = next((each for each in (text, text.lstrip(b" ")) if each and whole.startswith(each, at)), b"")
        is_known = bool(spans) and (bool(own) or not text)
        author, message = (spans[place].author, spans[place].message) if is_known else ("template", NOBODY)
        at += len(own)
        yield PromptToken(token_id, text, is_special, author, message)
