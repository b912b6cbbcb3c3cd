"""People's names: common ones, rare ones and ones that nobody bears, so that copying is learnt and not a list."""

from random import Random

from qwen_tui.training.corpus import Corpus

HAN = "".join(
    bytes([high, low]).decode("gb2312", "ignore") for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF)
)
"""The 3,755 common Chinese characters of GB 2312, level 1."""

_TITLES = ("先生", "女士", "老师", "医生", "同学", "总", "师傅", "小姐")


class Names:
    """Draws names in both scripts."""

    def __init__(self, english: Corpus, chinese: Corpus) -> None:
        self.english = english.lists
        text = " ".join(noun for name in ("thing", "subject", "work") for noun in english.lists[name])
        self.words = sorted({word for word in text.split() if word.isalpha() and len(word) > 3})
        self.chinese = chinese.lists

    def draw(self, rng: Random, language: str) -> str:
        """Return a name as someone would type it; now and then from the other language's people."""
        foreign = rng.random() < (0.04 if language == "en" else 0.22)
        return self._western(rng) if (language == "en") != foreign else self._eastern(rng)

    def invented(self, rng: Random) -> str:
        """Return a word of Latin letters that hardly exists."""
        pick = rng.choice
        syllables = range(rng.choice((1, 2, 2, 2, 3, 3)))
        return "".join(pick(self.english[part]) for _ in syllables for part in ("onset", "vowel", "coda"))

    def _western(self, rng: Random) -> str:
        kind = rng.random()
        given = rng.choice(self.english["given"])
        if kind < 0.33:
            name = given
        elif kind < 0.38:
            name = rng.choice(self.words).capitalize()
        elif kind < 0.74:
            name = self.invented(rng).capitalize()
        elif kind < 0.82:
            name = f"{given} {rng.choice(self.english['surname'])}"
        elif kind < 0.88:
            name = f"{self.invented(rng).capitalize()} {self.invented(rng).capitalize()}"
        elif kind < 0.91:
            name = f"{given}-{rng.choice(self.english['given'])}"
        elif kind < 0.94:
            title = rng.choice(("Mr.", "Mrs.", "Ms.", "Dr.", "Professor", "Captain", "Miss", "Mr", "Dr"))
            name = f"{title} {rng.choice(self.english['surname'])}"
        elif kind < 0.96:
            name = f"{given[:1]}.{rng.choice('ABCDJKMRST')}."
        elif kind < 0.98:
            endings = ("ie", "y", "o", "a", "inho", "chen", "ette", str(rng.randrange(1, 99)))
            name = given + rng.choice(endings)
        else:
            name = given.translate(str.maketrans("aeou", rng.choice(("áéóú", "äëöü", "àèòù", "âêôû"))))
        case = rng.random()
        return name.lower() if case < 0.12 else name.upper() if case < 0.13 else name

    def _eastern(self, rng: Random) -> str:
        def sounds(lengths: tuple[int, ...]) -> str:
            return "".join(pick(self.chinese["soundchar"]) for _ in range(pick(lengths)))

        kind = rng.random()
        pick = rng.choice
        if kind < 0.16:
            return pick(self.chinese["full"])
        if kind < 0.28:
            return sounds((2, 2, 3, 3, 4, 5))
        if kind < 0.31:
            return f"{sounds((2, 3))}·{sounds((2, 3))}"
        chars = self.chinese["givenchar"] if rng.random() < 0.5 else HAN
        if kind < 0.38:
            sign = pick(chars)
            return pick(("小", "阿", "老", "大")) + sign if rng.random() < 0.6 else sign + sign
        if kind < 0.42:
            return pick(self.chinese["surname"]) + pick(_TITLES)
        if kind < 0.47:
            return "".join(pick(HAN) for _ in range(rng.choice((2, 2, 3, 4))))
        given = "".join(pick(chars) for _ in range(1 if rng.random() < 0.3 else 2))
        return pick(self.chinese["surname"]) + given
