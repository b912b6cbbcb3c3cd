"""Swaps words in a question for others that mean the same there, and leaves out small ones."""

import re
from random import Random

from qwen_tui.training.corpus import CORPUS, split
from qwen_tui.training.noise import NAME

_AMBIGUOUS = {
    "parameters", "controls", "text", "line", "note", "context", "model", "program", "network", "key", "session",
    "output", "edit", "convert", "put", "over", "set", "turn", "input", "prompt", "AI", "thing", "span", "time",
    "name", "save", "open", "end", "use", "numbers", "number", "weights", "bits", "fine", "best", "right", "cut",
    "first", "place", "script", "instruction", "instructions", "words", "store", "record", "value", "level",
    "memory", "top", "docs", "help", "take", "file", "people", "talk", "talks", "hold", "present", "change", "work",
    "short",
    "参数", "内容", "键", "信息", "快", "慢", "数", "看", "大模型", "上下文", "中断", "输出", "空间", "内存",
    "关闭", "介绍", "说明", "键位", "按键", "讲讲", "说说", "选项", "东西", "能不能", "可不可以", "程序", "模型",
    "指令",
}  # fmt: skip
"""Words that are never swapped for another, because they mean too many things; they may still be swapped in."""
_SMALL = re.compile(r"\b(the|a|an|is|do|does|are|to|of|me|I|can|it|please|for|in|my)\b ?", re.IGNORECASE)


class Synonyms:
    """The groups of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.groups: dict[str, list[list[str]]] = {}
        for line in (CORPUS / language / "synonyms.words").read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("//"):
                group = split(line)
                for word in group:
                    if word not in _AMBIGUOUS and len(word) > 1:
                        self.groups.setdefault(word.lower(), []).append(group)
        words = sorted(map(re.escape, self.groups), key=len, reverse=True)
        edge = r"\b" if language == "en" else ""
        self.pattern = re.compile(f"{edge}(?:{'|'.join(words)}){edge}", re.IGNORECASE)

    def vary(self, text: str, rng: Random, chance: float) -> str:
        """Return `text` with each known word swapped with the given chance.

        Where a text sets two words of a group against each other (GPU memory and RAM), they stay as they are.
        """
        lower = text.lower()

        def swap(found: re.Match[str]) -> str:
            if rng.random() >= chance:
                return found[0]
            group = rng.choice(self.groups[found[0].lower()])
            rest = lower.replace(found[0].lower(), "")
            return (
                found[0]
                if any(word.lower() in rest for word in group if len(word) > 1)
                else rng.choice(group)
            )

        return self.pattern.sub(swap, text)

    def thin(self, text: str, rng: Random) -> str:
        """Return `text` without some of its small words, or in Chinese without a character."""
        if self.language == "en":
            return _SMALL.sub(lambda found: "" if rng.random() < 0.5 else found[0], text) or text
        at = int(rng.random() * len(text)) if len(text) > 6 else -1
        return text if at < 0 or text[at] == NAME else text[:at] + text[at + 1 :]
