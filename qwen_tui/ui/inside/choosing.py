"""You choose: a reply in which the person picks each token among the likeliest, instead of sampling."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from qwen_tui.chat.messages import Message
from qwen_tui.engine.base import Engine
from qwen_tui.engine.trace import TokenTrace, Traced
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.inside.prompted import plan_of
from qwen_tui.ui.inside.subject import Subject

OFFERED = 5
"""How many tokens the person chooses among."""


@dataclass
class Choosing:
    """The tokens picked so far, and those that can come next."""

    picked: list[TokenTrace] = field(default_factory=list)
    next: TokenTrace | QwenTuiError | None = None
    """None until the model has answered."""

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the tokens picked so far."""
        return tuple(token.chosen.id for token in self.picked)

    def pick(self, number: int) -> None:
        """Add the candidate at this index to the reply; what can come next is then unknown."""
        if isinstance(self.next, TokenTrace) and number < len(self.next.candidates):
            token = self.next._replace(chosen=self.next.candidates[number], rank=number + 1)
            self.picked, self.next = [*self.picked, token], None

    def undo(self) -> None:
        """Take the last pick back."""
        if self.picked:
            self.next = self.picked[-1]
            self.picked = self.picked[:-1]


def next_token(subject: Subject, engine: Engine, reply: Message, ids: Sequence[int]) -> TokenTrace:
    """Ask the model what can come after a reply that begins with these tokens; raises `QwenTuiError`."""
    request = plan_of(subject, engine, reply)[0].request
    count = len(ids) + 1
    sampling = replace(request.sampling, max_new_tokens=count, stop=())
    asked = replace(
        request,
        sampling=sampling,
        given_ids=tuple(ids),
        most_tokens=count,
        trace=True,
        reuse=True,
        decode_path="",
    )
    found: TokenTrace | None = None
    for event in engine.stream(asked, threading.Event()):
        if isinstance(event, Traced):
            found = next((token for token in reversed(event.tokens) if token is not None), found)
    if found is None:
        raise QwenTuiError("replay.no_receipt")
    return found
