"""A scripted engine that shows its inner life: the tokens of prompts, and how those of replies were chosen."""

import math
import zlib

from doubles import ScriptedEngine

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import TextDelta
from qwen_tui.engine.inspection import Lens, LensLayer, PromptToken, PromptTokens
from qwen_tui.engine.trace import Candidate, Cut, TokenTrace, Traced


def traced(text: str | bytes, *others: tuple[str, float], p: float = 0.5, rank: int = 1) -> TokenTrace:
    """A token chosen with probability `p`, and the others that were considered."""
    raw = text if isinstance(text, bytes) else text.encode()
    chosen = Candidate(zlib.crc32(raw) % 50_000, raw, math.log(p))
    rest = [Candidate(60_000 + n, each.encode(), math.log(q)) for n, (each, q) in enumerate(others)]
    candidates = tuple(sorted((chosen, *rest), key=lambda each: -each.logprob))
    funnel = (Cut(1000, 1.0), Cut(1000, 1.0), Cut(1000, 1.0), Cut(20, 0.97), Cut(3, 0.85), Cut(3, 0.85))
    return TokenTrace(chosen, rank, p, 1.5, 0.0, candidates, funnel)


class LitEngine(ScriptedEngine):
    """A token a word, between the marks of a template."""

    def __init__(self, *given, **named) -> None:
        super().__init__(*given, **named)
        self.inspected = []
        self.lenses = []

    def stream(self, request, stop):
        if request.trace and request.given_ids:
            yield Traced((None,) * len(request.given_ids))
        for event in super().stream(request, stop):
            if request.trace and isinstance(event, TextDelta):
                token = traced(event.text, (" tea", 0.3), (" soup", 0.1))
                yield Traced((token,))
            yield event

    def lens(self, request):
        self.lenses.append(request)
        words = ("the", "tea", f" word {len(request.given_ids)}")
        return Lens(tuple(LensLayer(n, n, word.encode(), 0.4, 3 - n) for n, word in enumerate(words)))

    def inspect(self, request, *, template=True, stop=None):
        self.inspected.append(request)
        tokens = []

        def add(text, author, message, *, special=False):
            tokens.append(PromptToken(len(tokens) + 100, text.encode(), special, author, message))

        for number, message in enumerate(request.messages):
            if template:
                add("<|im_start|>", "template", number, special=True)
                add(message.role.value + "\n", "template", number)
            for index, word in enumerate(message.content.split(" ")):
                add((" " if index else "") + word, message.role.value, number)
            if template:
                add("<|im_end|>", "template", number, special=True)
                add("\n", "template", number)
        if template:
            add("<|im_start|>", "template", -1, special=True)
            add(Role.ASSISTANT.value + "\n", "template", -1)
        return PromptTokens(tuple(tokens), 3 if template else 0)
