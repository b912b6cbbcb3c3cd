"""Turns in which a news line is sorted: one alone, the next one, or a whole conversation of them."""

from collections.abc import Mapping
from random import Random

from qwen_tui.training.corpus import LANGUAGES
from qwen_tui.training.news import CATEGORIES
from qwen_tui.training.speaker import Speaker
from qwen_tui.training.state import State, Turn


class NewsTurns:
    """Draws news to sort, in either language."""

    def __init__(self, speakers: Mapping[str, Speaker]) -> None:
        self.speakers = speakers

    def alone(self, state: State, rng: Random) -> Turn:
        """A classification prompt; the line may be in the other language."""
        speaker = self.speakers[state.language]
        category = rng.choice(CATEGORIES)
        lines = self.speakers[rng.choice(LANGUAGES)] if rng.random() < 0.15 else speaker
        line = lines.news.line(category, rng)
        state.settle(None)
        state.category = category
        if rng.random() < 0.14:
            return speaker.news.free(rng, line, category)
        labels = self.speakers["en"] if rng.random() < 0.05 else speaker
        state.task = labels.news.task(rng, category)
        return speaker.news.prompt(rng, state.task, line), state.task[category]

    def following(self, state: State, rng: Random) -> Turn:
        """Another line for the same task, or the reason for the last answer."""
        speaker = self.speakers[state.language]
        if rng.random() < 0.4:
            text = speaker.framed("why", rng)
            return text, self.speakers[state.answered_in].news.because(state.category)
        category = rng.choice(CATEGORIES)
        if state.task is not None:
            category = rng.choice(list(state.task))
        line = speaker.news.line(category, rng)
        text = speaker.news.following(rng, line)
        state.category = category
        if state.task is not None:
            return text, state.task[category]
        return text, speaker.news.free(rng, line, category)[1]

    def conversation(self, state: State, rng: Random, turns: int) -> tuple[str, list[Turn]]:
        """A conversation whose system prompt holds the task and whose messages are news lines only."""
        speaker = self.speakers[state.language]
        task = speaker.news.task(rng, rng.choice(CATEGORIES))
        system = speaker.news.instruction(rng, task)
        done = []
        for _ in range(min(turns, 8)):
            category = rng.choice(list(task))
            line = speaker.news.line(category, rng)
            if rng.random() < 0.2:
                line = ("News: " if state.language == "en" else "新闻：") + line
            done.append((line, task[category]))
        return system, done
