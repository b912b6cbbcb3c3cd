"""Build the exact token ids that are sent to the model, and count them per message.

Counting uses the same code as generating, so what is counted is what is sent.
"""

import hashlib
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from transformers import PreTrainedTokenizerBase

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import NO_EFFORT, PromptMessage, Thinking, TokenCounts
from qwen_tui.engine.chat_format import USUAL_MARKS
from qwen_tui.engine.local.cache.kv_cache import common_prefix
from qwen_tui.engine.local.prompts.encoding import Encoder
from qwen_tui.engine.local.prompts.mark_names import mark_tokens
from qwen_tui.engine.local.prompts.probe import probe
from qwen_tui.engine.local.prompts.splicing import Splicer, filled, marked
from qwen_tui.engine.local.prompts.template import Refused, as_seen, chat_template
from qwen_tui.engine.local.stopping import IsStopped, locked, never
from qwen_tui.errors import QwenTuiError


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it is sent."""

    ids: list[int]
    thinks: bool
    """Whether it ends inside thinking, opened by the template or by the reply that is continued."""
    begun_ids: tuple[int, ...] = ()
    """The last of `ids`: the beginning of a reply that is continued. Empty for a new reply."""

    @property
    def digest(self) -> str:
        """Identifies the prompt: see `Run.prompt_digest`."""
        return hashlib.sha256(struct.pack(f"<{len(self.ids)}i", *self.ids)).hexdigest()[:16]


class PromptBuilder:
    """A model's tokenizer and template, with a cache of encoded messages. Thread-safe."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._lock = threading.Lock()
        """Needed because a call to a fast tokenizer can change settings that another call uses."""
        self._template = chat_template(tokenizer)
        self.template = self._template.text if self._template is not None else None
        """Text of the chat template; None for a base model."""
        self.form = probe(self._template, tokenizer)
        """What the template does."""
        self.marks = self.form.marks or USUAL_MARKS
        """The text around a thought in a reply."""
        self.can_think = bool(self.form.switch)
        """Whether the template can turn thinking on and off."""
        self._encoder = Encoder(tokenizer, (self.template or "") + "".join(self.marks))
        self.think_ids, self.mark_tokens = mark_tokens(self.marks, tokenizer.added_tokens_encoder)
        """Tokens that open and close thinking, if single tokens do; and all added tokens in the marks, by id."""
        self._splicer = Splicer(tokenizer, self._encoder, self.marks.close)
        self._opener = self._find_opener()
        """The token that begins each message and occurs nowhere else, such as ChatML's `<|im_start|>`."""

    def build(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking = None,
        *,
        continues: bool = False,
        is_stopped: IsStopped = never,
    ) -> Prompt:
        """Return the prompt for the next reply, or for more of the last message if it `continues`.

        Raises QwenTuiError `engine.template_refused` if the template rejects these messages, and `Stopped` on a
        stop while waiting for a long count.
        """
        with locked(self._lock, is_stopped):
            if _is_continued(messages, continues):
                return self._continued(messages[:-1], messages[-1], thinking)
            return self._new(messages, thinking)

    def certain(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking = None,
        *,
        is_stopped: IsStopped = never,
    ) -> list[int]:
        """Return the common beginning of all prompts with another message after these. Raises as `build` does."""
        one, other = (
            self.build((*messages, PromptMessage(Role.USER, text)), thinking, is_stopped=is_stopped).ids
            for text in ("a", "1")
        )
        return one[: common_prefix(one, other)]

    def count(
        self, messages: Sequence[PromptMessage], thinking: Thinking = None, *, continues: bool = False
    ) -> TokenCounts:
        """Count tokens; see `Engine.count`. If a template has no blocks, a message's share is its content."""
        if not messages:
            return TokenCounts(0, ())
        prompt = self.build(messages, thinking, continues=continues)
        is_continued = _is_continued(messages, continues)
        shares = self._blocks(prompt.ids, messages, is_continued)
        if shares is None:
            with self._lock:
                shares = [len(self._encoder.encode(self._encoder.defuse(m.content))) for m in messages]
            if is_continued:
                shares[-1] = len(prompt.begun_ids)
        return TokenCounts(len(prompt.ids), tuple(shares))

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text of the template's own, such as the mark that ends a thought."""
        with self._lock:
            return self._encoder.encode(text)

    def bare(self, messages: Sequence[PromptMessage]) -> list[int]:
        """Return the tokens of the messages' contents, each on its own line, as for a base model."""
        with self._lock:
            text = "\n".join(self._encoder.defuse(message.content) for message in messages)
            return self._encoder.encode(text, add_special_tokens=True)

    def rendered(self, messages: Sequence[PromptMessage], thinking: Thinking) -> tuple[str, str]:
        """Return the prompt's text, and the same with a mark in place of each content."""
        with self._lock:
            seen = [self._defused(message) for message in messages]
            with_marks = marked(seen, [True] * len(seen))
            return self._render(seen, thinking), self._render(with_marks, thinking)

    @property
    def opener(self) -> str:
        """The text of the token that begins each message; empty if there is none."""
        return "" if self._opener is None else str(self._tokenizer.convert_ids_to_tokens(self._opener))

    @property
    def control_ids(self) -> frozenset[int]:
        """Tokens that make up a prompt's structure and never belong to a text."""
        return self._encoder.control_ids

    def end_of_turn_id(self) -> int | None:
        """Return the token with which the template closes an assistant's message, or None.

        A checkpoint's own list of end tokens may lack it, for example if a base model was given a chat template.
        """
        token = self._tokenizer.added_tokens_encoder.get(self.form.end_of_turn)
        return token if token != self._opener else None

    def _new(self, messages: Sequence[PromptMessage], thinking: Thinking) -> Prompt:
        seen = [self._defused(message) for message in messages]
        text = self._render(seen, thinking)
        ids = self._spliced(messages, seen, thinking, text)
        if ids is None:
            ids = self._encoder.encode(text, add_special_tokens=self.template is None)
        return Prompt(ids, self._ends_in_thinking(ids, text))

    def _spliced(
        self,
        messages: Sequence[PromptMessage],
        seen: Sequence[PromptMessage],
        thinking: Thinking,
        text: str,
    ) -> list[int] | None:
        """Return the prompt with replies as the tokens that were generated for them; None if it has none.

        Used only if the result still reads as `text`: a template may trim contents, but not a mark.
        """
        own = [self._splicer.answer(message) if message.token_ids else None for message in messages]
        for is_trimmed in (False, True):
            marks = [
                bool(ids) and not (is_trimmed and message.content != message.content.strip())
                for ids, message in zip(own, messages, strict=True)
            ]
            if not any(marks):
                return None
            rendered = self._render(marked(seen, marks), thinking)
            if filled(rendered, [m.content for m, mark in zip(seen, marks, strict=True) if mark]) == text:
                tokens = [ids for ids, mark in zip(own, marks, strict=True) if ids and mark]
                return self._encoder.encode_spliced(
                    rendered, tokens, add_special_tokens=self.template is None
                )
        return None

    def _continued(self, before: Sequence[PromptMessage], reply: PromptMessage, thinking: Thinking) -> Prompt:
        """Return the prompt that the reply was generated from, followed by the reply so far, verbatim.

        The library's `continue_final_message` gives the template a finished reply, which templates render
        differently: trimmed, after an empty thinking block, or without its thinking. The model would then continue
        something it never wrote. The reply is encoded separately, since its first token began where the prompt
        ended.
        """
        if reply.thinking and thinking is False:
            thinking = True  # the reply does contain thinking, whatever is requested now
        prompt = self._new(before, thinking) if before or self.template is None else self._nothing()
        begun = self._splicer.begun(reply, *self._written(reply, prompt.thinks)) if reply.token_ids else None
        if begun is None:
            begun = self._encoder.encode(self._written(self._defused(reply), prompt.thinks)[0])
        thinks = not reply.content and (bool(reply.thinking) or prompt.thinks)
        return Prompt(prompt.ids + begun, thinks, tuple(begun))

    def _nothing(self) -> Prompt:
        """Return the prompt of a conversation that the model begins, if the template supports that."""
        try:
            return self._new((), None)
        except (QwenTuiError, IndexError):
            raise QwenTuiError("engine.nothing_before") from None

    def _render(self, messages: Sequence[PromptMessage], thinking: Thinking) -> str:
        """Render the prompt's text from defused messages.

        If the template rejects or omits system messages, their text is put at the start of the first user message;
        if it requires alternating roles, neighbors with the same role are merged. A base model gets the contents,
        each on its own line.
        """
        if self.template is None:
            return "\n".join(message.content for message in messages)
        refusals = []
        as_given = messages if self.form.keeps_system else _without_system(messages)
        for reshaped in (as_given, _without_system(messages), _alternating(messages)):
            try:
                return self._apply(reshaped, thinking)
            except Refused as refusal:
                refusals.append(str(refusal))
        raise QwenTuiError("engine.template_refused", detail=refusals[0])

    def _apply(self, messages: Sequence[PromptMessage], thinking: Thinking) -> str:
        assert self._template is not None
        asked: dict[str, str | bool] = {}
        if self.can_think and thinking is not None:
            asked[self.form.switch] = thinking not in (False, NO_EFFORT)
        if isinstance(thinking, str) and self.form.effort_name:
            asked[self.form.effort_name] = thinking
        return self._template.render(as_seen(messages, self.form), asked)

    def _defused(self, message: PromptMessage) -> PromptMessage:
        defuse = self._encoder.defuse
        return PromptMessage(message.role, defuse(message.content), defuse(message.thinking))

    def _ends_in_thinking(self, ids: list[int], text: str) -> bool:
        if self.template is None or self.marks.names_channels:
            return False
        if self.think_ids is None:
            return text.rstrip().endswith(self.marks.open.strip())
        return next((i for i in reversed(ids) if i in self.think_ids), None) == self.think_ids[0]

    def _written(self, reply: PromptMessage, thinks: bool) -> tuple[str, int]:
        """Return a reply as generated, marks included, and the number of control tokens in its marks.

        `thinks` is whether the prompt before it ends in thinking.
        """
        has_thought = bool(reply.thinking or (reply.content and thinks))
        opening = "" if thinks else self.marks.open if has_thought else self.marks.answer
        closing = self.marks.close if has_thought and reply.content else ""
        tags = sum(token in self._encoder.control_ids for token in self._encoder.encode(opening + closing))
        return opening + reply.thinking + closing + reply.content, tags

    def _find_opener(self) -> int | None:
        turns = [PromptMessage(role, "a") for role in (Role.USER, Role.ASSISTANT, Role.USER)]
        if self.template is None:
            return None
        try:
            ids = self.build(turns).ids
        except QwenTuiError:
            return None
        added = set(self._tokenizer.added_tokens_encoder.values())
        # One per message, one for the generation prompt, and perhaps one for a default system prompt.
        return next((i for i in ids if i in added and ids.count(i) - len(turns) in (1, 2)), None)

    def _blocks(
        self, ids: list[int], messages: Sequence[PromptMessage], is_continued: bool
    ) -> list[int] | None:
        """Return each message's length, from its opener to the next; None if the template has no such blocks."""
        if self._opener is None:
            return None
        bounds = [place for place, token in enumerate(ids) if token == self._opener]
        if is_continued:
            # The generation prompt is the start of the reply's own block.
            bounds.append(len(ids))
        # Openers without a message: the generation prompt's, and perhaps a default system prompt's.
        unasked = len(bounds) - 1 - len(messages)
        if unasked not in (0, 1) or (unasked == 1 and messages[0].role is Role.SYSTEM):
            return None
        return [end - start for start, end in pairwise(bounds[unasked:])]


def _is_continued(messages: Sequence[PromptMessage], continues: bool) -> bool:
    return continues and bool(messages) and messages[-1].role is Role.ASSISTANT


def _without_system(messages: Sequence[PromptMessage]) -> Sequence[PromptMessage]:
    """Merge the system prompts into the first user message."""
    told = "\n\n".join(message.content for message in messages if message.role is Role.SYSTEM)
    others = [message for message in messages if message.role is not Role.SYSTEM]
    if not told or not others or others[0].role is not Role.USER:
        return messages
    return [PromptMessage(Role.USER, f"{told}\n\n{others[0].content}"), *others[1:]]


def _alternating(messages: Sequence[PromptMessage]) -> Sequence[PromptMessage]:
    """Merge the system prompts, and neighboring messages with the same role, separated by a blank line."""
    merged: list[PromptMessage] = []
    for message in _without_system(messages):
        if merged and merged[-1].role is message.role:
            message = PromptMessage(message.role, f"{merged[-1].content}\n\n{message.content}")
            merged.pop()
        merged.append(message)
    return merged
