"""Conversations to token batches: drawn and encoded in worker processes while the model trains.

A row is one conversation, cut at the last turn that fits, padded behind. Only what the guide says (and its
`<|im_end|>`) is learnt in full; what the person says weighs little.
"""

import multiprocessing
import queue
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
from tokenizers import Tokenizer

from qwen_tui.training.architecture import END_OF_TEXT_ID, IM_END_ID, IM_START_ID, WINDOW
from qwen_tui.training.conversations import Conversations
from qwen_tui.training.screen_words import ScreenWords
from qwen_tui.training.state import Turn

SHORT = 256
"""Width of rows that train the beginnings of conversations; the others are `WINDOW` wide."""
LEARNT = 1 << 14
"""Bit that marks a token as said by the guide."""


class Encoder:
    """Encodes conversations as the chat template would, remembering the pieces that come again."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.newline = self._ids("\n")

        self.reply = lru_cache(maxsize=20000)(self._reply)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text).ids
        return ids

    def message(self, role: str, text: str) -> list[int]:
        """Return the tokens of one message, its marks and the newline behind it included.

        A mark of ChatML inside the text becomes the mark's token, as it does where chat templates are used.
        """
        return [IM_START_ID, *self._ids(f"{role}\n{text}"), IM_END_ID, *self.newline]

    def _reply(self, text: str) -> list[int]:
        """Return the tokens of one reply; what the guide says is marked with `LEARNT`."""
        body = [token | LEARNT for token in (*self._ids(text), IM_END_ID)]
        return [IM_START_ID, *self._ids("assistant\n"), *body, *self.newline]

    def row(self, system: str, turns: list[Turn], width: int) -> np.ndarray:
        """Return `[width]` marked tokens."""
        ids = self.message("system", system) if system else []
        for asked, answered in turns:
            turn = self.message("user", asked) + self.reply(answered)
            if len(ids) + len(turn) > width:
                break
            ids += turn
        row = np.full(width, END_OF_TEXT_ID, dtype=np.uint16)
        row[: len(ids)] = ids[:width]
        return row


def rows(encoder: Encoder, source: Conversations, rng: Random, width: int, count: int) -> np.ndarray:
    """Return `[count, width]` marked tokens of fresh conversations."""
    drawn = []
    for _ in range(count):
        turns = rng.choice((1, 1, 2, 3, 4, 6)) if width == SHORT else 60
        drawn.append(encoder.row(*source.draw(rng, turns), width))
    return np.stack(drawn)


def _work(
    tokenizer_file: str,
    words: ScreenWords,
    seed: int,
    width: int,
    count: int,
    out: "multiprocessing.Queue[np.ndarray]",
) -> None:
    encoder = Encoder(Tokenizer.from_file(tokenizer_file))
    source, rng = Conversations(words), Random(seed)
    while True:
        out.put(rows(encoder, source, rng, width, count))


class Supply:
    """Worker processes that keep queues of short and of long batches full."""

    def __init__(
        self, tokenizer_file: Path, words: ScreenWords, workers: int, tokens: int, seed: int
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self.queues = {width: context.Queue(24) for width in (SHORT, WINDOW)}
        self.recent: dict[int, list[np.ndarray]] = {SHORT: [], WINDOW: []}
        self.fresh = self.reused = 0
        self.rng = Random(seed)
        self.processes = []
        for number in range(max(workers, 2)):
            width = (SHORT, WINDOW)[number % 2]
            work = (
                str(tokenizer_file),
                words,
                seed * 1000 + number,
                width,
                tokens // width,
                self.queues[width],
            )
            process = context.Process(target=_work, args=work, daemon=True)
            process.start()
            self.processes.append(process)

    def batches(self) -> Iterator[np.ndarray]:
        """Yield short and long batches in turn; when the workers lag, one of the last batches comes again."""
        while True:
            for width in (SHORT, WINDOW):
                yield self._next(width)

    def _next(self, width: int) -> np.ndarray:
        recent = self.recent[width]
        try:
            batch: np.ndarray = self.queues[width].get(block=len(recent) < 8, timeout=120)
        except queue.Empty:
            self.reused += 1
            return recent[int(self.rng.random() * len(recent))]
        self.fresh += 1
        recent.append(batch)
        if len(recent) > 400:
            recent.pop(0)
        return batch

    def close(self) -> None:
        """End the workers."""
        for process in self.processes:
            process.kill()
