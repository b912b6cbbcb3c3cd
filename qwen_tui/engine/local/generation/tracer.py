"""Turn what was measured of each token into its trace, and send traces in batches."""

from collections import Counter
from collections.abc import Callable, Iterable

from qwen_tui.engine.base import Event
from qwen_tui.engine.local.decoding.measuring import Measured
from qwen_tui.engine.local.prompts.token_text import TokenText
from qwen_tui.engine.trace import Candidate, TokenTrace, Traced


class Tracer:
    """The traces of one reply."""

    def __init__(self, text: TokenText, prompt: Iterable[int], begun: Iterable[int]) -> None:
        """`begun` are those of the prompt's ids that the reply begins with."""
        self._text = text
        self._seen = set(prompt)
        self._times = Counter(begun)
        self._waiting: list[TokenTrace | None] = []

    def add(self, token: int, measured: Measured) -> None:
        """Add the next token that the model chose."""
        told = [
            self._candidate(each, logprob)
            for each, logprob in zip(measured.ids, measured.logprobs, strict=True)
        ]
        chosen = self._candidate(token, measured.logprob)
        self._add(
            token,
            TokenTrace(
                chosen=chosen,
                rank=measured.rank,
                chance=min(1.0, measured.chance),
                entropy=max(0.0, measured.entropy),
                log_total=measured.log_total,
                candidates=tuple(told),
                funnel=measured.funnel,
            ),
        )

    def add_given(self, token: int) -> None:
        """Add the next token, which the model did not choose."""
        self._add(token, None)

    def send(self, send: Callable[[Event], None]) -> None:
        """Send what was not sent yet."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            send(Traced(tuple(waiting)))

    def _add(self, token: int, trace: TokenTrace | None) -> None:
        self._seen.add(token)
        self._times[token] += 1
        self._waiting.append(trace)

    def _candidate(self, token: int, logprob: float) -> Candidate:
        return Candidate(token, self._text[token], logprob, token in self._seen, self._times[token])
