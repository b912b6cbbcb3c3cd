"""The presence and frequency penalties for transformers' own loop, which lacks them."""

import torch
from transformers import LogitsProcessor


class ReplyPenalties(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
    """Make the tokens that the reply already has less likely, as OpenAI's protocol defines it."""

    def __init__(self, presence: float, frequency: float, written_from: int) -> None:
        """The reply's own tokens begin at `written_from`; those before are the prompt's."""
        self._presence, self._frequency, self._from = presence, frequency, written_from

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores (1, V) after these ids (1, T)."""
        counts = torch.bincount(input_ids[0, self._from :], minlength=scores.shape[-1])
        return scores - self._frequency * counts - self._presence * (counts > 0)
