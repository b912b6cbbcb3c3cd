"""Count the tokens of messages with the server's tokenizer, or estimate them if it offers none.

A server counts a whole prompt per request. The count, less the parts that belong to no message (`prompt_frame`),
is divided among the messages in proportion to their estimates.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate, pairwise

import httpx2

from qwen_tui.chat.messages import Json, Role
from qwen_tui.engine.base import PromptMessage, StopFlag, Thinking, TokenCounts
from qwen_tui.engine.remote.completion_chunk import part, token_count
from qwen_tui.engine.remote.http_calls import Calls
from qwen_tui.engine.remote.prompt_frame import ANSWER, QUESTION, SECOND, Frame, before_question, opening_of
from qwen_tui.engine.remote.request_body import message_body, template_arguments
from qwen_tui.engine.remote.server_kinds import Kind

log = logging.getLogger(__name__)

TEMPLATE_TOKENS = 5
"""Template tokens around each message: ChatML's `<|im_start|>user\\n` and `<|im_end|>\\n`."""

PROMPT_TOKENS = 3
"""Template tokens after the last message: `<|im_start|>assistant\\n`."""

REMEMBERED = 8
"""How many of the newest exact counts are remembered: a turn asks for its own again, while drafts are counted."""

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


_Prompt = tuple[tuple[PromptMessage, ...], Thinking, bool]


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
        self._totals: OrderedDict[_Prompt, int] = OrderedDict()
        """The newest exact counts."""
        self._frames: dict[Thinking, Frame] = {}
        self._opening: str | None = None
        """The text that the template writes before a user's message; None until it is known."""
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
        total = frame = None
        if self.is_exact:
            try:
                total = self._asked(messages, thinking, continues=continues, stop=stop)
                frame = None if total is None else self._frame(thinking, stop)
            except (httpx2.HTTPError, TimeoutError) as error:
                log.info("estimating tokens because the server cannot count them now: %s", error)
        fixed = (frame or Frame(0, PROMPT_TOKENS)).around(messages, continues=continues)
        if total is None:
            return TokenCounts(sum(guesses) + fixed, tuple(guesses), is_exact=False)
        prompt = (tuple(messages), thinking, continues)
        self._totals[prompt] = total
        self._totals.move_to_end(prompt)
        if len(self._totals) > REMEMBERED:
            self._totals.popitem(last=False)
        # A message by itself is a draft, and the figure of interest is its share.
        is_known = frame is not None or len(messages) > 1
        return TokenCounts(total, _shares(max(0, total - fixed), guesses), is_known)

    def counted(self, messages: Sequence[PromptMessage], thinking: Thinking, *, continues: bool) -> int:
        """Return the exact count of a prompt counted a moment ago, or 0."""
        return self._totals.get((tuple(messages), thinking, continues), 0)

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
        *,
        continues: bool = False,
        opens: bool = True,
        stop: StopFlag | None = None,
    ) -> int | None:
        """Return the server's count, or None without one: its template may refuse the messages.

        `opens` is whether the prompt ends by opening the model's turn, as it does when it is sent.
        """
        if self._kind.counting == "text":
            prompt = self._rendered(messages, thinking, continues=continues, opens=opens, stop=stop)
            if prompt is None:
                return None
            body: dict[str, Json] = {"content": prompt, "add_special": True, "parse_special": True}
        else:
            body = self._body(messages, thinking, continues=continues, opens=opens)
        said = self._calls.ask("POST", "/tokenize", body, stop).json
        tokens = part(said, "tokens")
        return token_count(part(said, "count")) or (len(tokens) if isinstance(tokens, list) else 0) or None

    def _body(
        self, messages: Sequence[PromptMessage], thinking: Thinking, *, continues: bool, opens: bool
    ) -> dict[str, Json]:
        body: dict[str, Json] = {"model": self._model, "messages": list(map(message_body, messages))}
        if continues:
            body["continue_final_message"] = True
        if continues or not opens:
            body["add_generation_prompt"] = False
        if thinking is not None:
            body["chat_template_kwargs"] = template_arguments(thinking)
        return body

    def _rendered(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking = None,
        *,
        continues: bool = False,
        opens: bool = True,
        stop: StopFlag | None = None,
    ) -> str | None:
        """Return the prompt as llama.cpp's server renders it.

        It leaves a reply at the end open, to be continued. A finished one is rendered with a question behind it,
        which is then cut off.
        """

        def asked(messages: Sequence[PromptMessage], opens: bool) -> str | None:
            body = self._body(messages, thinking, continues=continues, opens=opens)
            prompt = part(self._calls.ask("POST", "/apply-template", body, stop).json, "prompt")
            return prompt if isinstance(prompt, str) else None

        if continues or messages[-1].role is not Role.ASSISTANT:
            return asked(messages, opens)
        if self._opening is None:
            self._opening = opening_of(asked((QUESTION,), False), asked((QUESTION, ANSWER, SECOND), False))
        closed = before_question(asked((*messages, SECOND), False), self._opening)
        if closed is None or not opens:
            return closed
        bare, whole = asked((QUESTION,), False), asked((QUESTION,), True)
        return None if bare is None or whole is None else closed + whole.removeprefix(bare)

    def _frame(self, thinking: Thinking, stop: StopFlag | None) -> Frame | None:
        """Return what the template adds to the messages; None if that cannot be told from the server's counts."""
        if thinking in self._frames:
            return self._frames[thinking]

        def asked(*messages: PromptMessage, opens: bool = False) -> int | None:
            return self._asked(messages, thinking, opens=opens, stop=stop)

        alone, sent = asked(QUESTION), asked(QUESTION, opens=True)
        before, after = asked(QUESTION, ANSWER), asked(QUESTION, ANSWER, SECOND)
        if alone is None or sent is None or before is None or after is None:
            return None
        frame = Frame(lead=alone - (after - before), generation=sent - alone)
        if after <= before or min(frame) < 0:
            return None
        self._frames[thinking] = frame
        return frame


def _guess(message: PromptMessage) -> int:
    return estimated_tokens(message.content) + TEMPLATE_TOKENS


def _shares(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide `total` into whole numbers in proportion to the weights."""
    whole = max(1, sum(weights))
    bounds = (total * seen // whole for seen in accumulate(weights, initial=0))
    return tuple(end - begin for begin, end in pairwise(bounds))
