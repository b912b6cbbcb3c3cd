"""Count the tokens of messages with the server's tokenizer, or estimate them if it offers none.

A server counts a whole prompt per request. The count, less the parts that belong to no message, is divided
among the messages in proportion to their estimates.
"""

import logging
import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

import httpx2

from qwen_tui.chat.messages import Json, Role
from qwen_tui.engine.base import PromptMessage, StopFlag, Thinking, TokenCounts
from qwen_tui.engine.remote.completion_chunk import part, token_count
from qwen_tui.engine.remote.http_calls import Calls
from qwen_tui.engine.remote.request_body import message_body, template_arguments
from qwen_tui.engine.remote.server_kinds import Kind

log = logging.getLogger(__name__)

TEMPLATE_TOKENS = 5
"""Template tokens around each message: ChatML's `<|im_start|>user\\n` and `<|im_end|>\\n`."""

PROMPT_TOKENS = 3
"""Template tokens after the last message: `<|im_start|>assistant\\n`."""

LEAST_LEARNED = 50
"""Shorter prompts, in estimated tokens, do not adjust the scale: they are mostly template."""

LARGEST_SCALE = 4.0
"""Limit of the scale: no tokenizer is further from the estimates, whatever a server reports."""

_PIECES = re.compile(r"[A-Za-z]+|\d|\s+|[^\x00-\x7f]|[^\sA-Za-z\d]")


def estimated_tokens(text: str) -> int:
    """Estimate the number of tokens in a text.

    Every 6 letters of an ASCII word are a token; each digit is one in Qwen's vocabulary; a Chinese character is
    0.65 tokens; a space belongs to the word after it.
    """
    total = 0.0
    for piece in _PIECES.findall(text):
        if piece[0].isspace():
            total += 0 if piece == " " else 1
        elif piece[0].isascii():
            total += 1 + (len(piece) - 1) // 6
        else:
            total += 0.65
    return round(total)


class ServerTokenCounter:
    """Token counter for one model of one server."""

    def __init__(self, calls: Calls, kind: Kind, model: str) -> None:
        self._calls = calls
        self._kind = kind
        self._model = model
        self._scale = 1.0
        """Actual tokens per estimated token, as far as the server has reported them."""
        self._least_scale = 1 / LARGEST_SCALE
        """Lower limit of `_scale`, raised when a prompt turns out longer than estimated."""
        self.is_exact = kind.counting != "no" and self._does_count()

    def count(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking,
        *,
        continues: bool,
        stop: StopFlag | None = None,
    ) -> TokenCounts:
        """Count a prompt; see `Engine.count`. Raises `Dropped` when `stop` is set.

        Falls back to an estimate while the server is unreachable: the request that follows is retried, and
        reports the problem better.
        """
        if not messages:
            return TokenCounts(0, (), self.is_exact)
        guesses = [round(_guess(message) * self._scale) for message in messages]
        fixed = 0 if continues else PROMPT_TOKENS
        total = None
        if self.is_exact:
            try:
                total = self._asked(messages, thinking, continues, stop)
            except (httpx2.HTTPError, TimeoutError) as error:
                log.info("estimating tokens because the server cannot count them now: %s", error)
        if total is None:
            return TokenCounts(sum(guesses) + fixed, tuple(guesses), is_exact=False)
        return TokenCounts(total, _shares(max(0, total - fixed), guesses))

    def learn(self, messages: Sequence[PromptMessage], prompt_tokens: int) -> None:
        """Adjust later estimates to the actual length of a prompt."""
        guess = sum(map(_guess, messages)) + PROMPT_TOKENS
        if prompt_tokens > 0 and guess > LEAST_LEARNED:
            self._scale = min(LARGEST_SCALE, max(self._least_scale, prompt_tokens / guess))

    def was_too_low(self) -> None:
        """Raise later estimates, after the server refused a prompt as too long that should have fit."""
        self._scale = self._least_scale = min(LARGEST_SCALE, self._scale * 1.25)

    def _does_count(self) -> bool:
        """Whether the server counts tokens: older versions, and gateways in between, may not."""
        try:
            return self._asked((PromptMessage(Role.USER, "hello"),)) is not None
        except (httpx2.HTTPError, TimeoutError):
            return False

    def _asked(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking = None,
        continues: bool = False,
        stop: StopFlag | None = None,
    ) -> int | None:
        """Return the server's count, or None without one: its template may refuse the messages."""
        body: dict[str, Json] = {"model": self._model, "messages": list(map(message_body, messages))}
        if continues:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        if thinking is not None:
            body["chat_template_kwargs"] = template_arguments(thinking)
        if self._kind.counting == "text":
            prompt = part(self._calls.ask("POST", "/apply-template", body, stop).json, "prompt")
            if not isinstance(prompt, str):
                return None
            body = {"content": prompt, "add_special": True, "parse_special": True}
        said = self._calls.ask("POST", "/tokenize", body, stop).json
        tokens = part(said, "tokens")
        return token_count(part(said, "count")) or (len(tokens) if isinstance(tokens, list) else 0) or None


def _guess(message: PromptMessage) -> int:
    return estimated_tokens(message.content) + TEMPLATE_TOKENS


def _shares(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide `total` into whole numbers in proportion to the weights."""
    whole = max(1, sum(weights))
    bounds = (total * seen // whole for seen in accumulate(weights, initial=0))
    return tuple(end - begin for begin, end in pairwise(bounds))
