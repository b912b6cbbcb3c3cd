"""News lines to sort: prompts in many forms, and the answer exactly as the prompt spells the category."""

from random import Random
from string import capwords

from qwen_tui.training.corpus import Corpus, split
from qwen_tui.training.grammar import Draw, Pool, always
from qwen_tui.training.names import Names

CATEGORIES = ("sports", "technology", "politics", "entertainment")
_TASKS = {
    "en": ("You are a news classifier. Labels: ", "Classify the user's text as one of ", "Sort news into "),
    "zh": ("你是新闻分类器。把用户的新闻分类为", "请将用户输入的新闻分类为", "你负责给新闻分类，类别："),
}
_BULLETS = ("{n}. {c}", "{n}. {c}", "{n}) {c}", "- {c}", "* {c}", "{l}. {c}", "（{n}）{c}", "{n}、{c}")
_ROLES = {
    "en": ("President {}", "Senator {}", "Minister {}", "{}"),
    "zh": ("{}总统", "总理{}", "{}部长", "{}"),
}


Task = dict[str, str]
"""How one classification task names its categories, in the prompt's order."""


class News:
    """Draws news lines and classification prompts in one language."""

    def __init__(self, language: str, corpus: Corpus, names: Names) -> None:
        self.language = language
        self.names = names
        self.topics = corpus.topics["news"]
        self.slots = corpus.slots()
        self.labels = {name: split(self.topics[name].text("label")[0]) for name in CATEGORIES}
        self.verdicts = Pool(split(self.topics["free"].text("a")[0]))

    def line(self, category: str, rng: Random) -> str:
        """Return one news line of the category."""
        slots: dict[str, Draw] = self.slots
        if rng.random() < 0.3:
            slots = slots | {"athlete": self._person, "star": self._person, "polwho": self._politician}
            if category == "technology":
                slots = self.slots | {"techco": lambda rng: self.names.invented(rng).capitalize()}
        text = self.topics[category].questions.draw(rng, slots)
        if self.language == "zh":
            return text + ("。" if rng.random() < 0.65 else "")
        if rng.random() < 0.9:
            text = text[0].upper() + text[1:]
        if rng.random() < 0.1:
            text = capwords(text)
        return text + ("." if rng.random() < 0.65 else "")

    def task(self, rng: Random, needed: str) -> Task:
        """Return category names in a random order; now and then only some of the four, `needed` among them."""
        order = list(CATEGORIES)
        rng.shuffle(order)
        if rng.random() < 0.14:
            others = [name for name in order if name != needed][: rng.choice((1, 2))]
            order = [name for name in order if name == needed or name in others]
        style = rng.random()
        index = 0 if style < 0.55 else 1 if style < 0.7 else 2 if style < 0.9 else None
        return {
            name: rng.choice(self.labels[name]) if index is None else self.labels[name][index]
            for name in order
        }

    def prompt(self, rng: Random, task: Task, line: str) -> str:
        """Return the whole prompt: task, categories and news, in one of many arrangements."""
        names = list(task.values())
        fixed = {"cats": self._inline(names, rng), "catlist": self._listed(names, rng), "news": line}
        fixed["nl"] = " " if rng.random() < 0.2 else "\n"
        slots = {key: always(value) for key, value in fixed.items()}
        text = self.topics["prompt"].questions.draw(rng, slots)
        if rng.random() < 0.35:
            only = self.slots["only"](rng)
            gap = rng.choice(("\n", " ", "")) if self.language == "zh" else rng.choice(("\n", " "))
            text = only + gap + text if rng.random() < 0.3 else text + gap + only
        return text

    def instruction(self, rng: Random, task: Task) -> str:
        """Return the task without a line, as a system prompt."""
        names = self._inline(list(task.values()), rng)
        stop = "。" if self.language == "zh" else ". "
        text = rng.choice(_TASKS[self.language]) + names + stop
        return text + (self.slots["only"](rng) if rng.random() < 0.6 else "")

    def free(self, rng: Random, line: str, category: str) -> tuple[str, str]:
        """Return a question in conversation, without a list, and its one-sentence answer."""
        question = self.topics["free"].questions.draw(rng, {"news": always(line)})
        label = self.labels[category][0]
        return question, self.verdicts.draw(rng, {"cat": always(label)})

    def following(self, rng: Random, line: str) -> str:
        """Return how the next line is put after one was sorted."""
        return self.topics["next"].questions.draw(rng, {"news": always(line)})

    def because(self, category: str) -> str:
        """Return why a line belongs to the category."""
        return self.topics["because"].text(category)[0]

    def _person(self, rng: Random) -> str:
        name = self.names.draw(rng, self.language)
        return name[0].upper() + name[1:]

    def _politician(self, rng: Random) -> str:
        return rng.choice(_ROLES[self.language]).format(self._person(rng))

    def _inline(self, names: list[str], rng: Random) -> str:
        if self.language == "zh":
            comma = rng.choice(("、", "、", "、", "，", "/", " ", ",", "｜"))
            last = rng.choice((comma, comma, comma, "或", "和", "、或"))
        else:
            comma = rng.choice((", ", ", ", ", ", " / ", "/", " | ", " or "))
            last = rng.choice((comma, comma, " or ", " and ", ", or ")) if comma == ", " else comma
        joined = comma.join(names[:-1]) + last + names[-1]
        brackets = rng.random()
        if brackets < 0.08:
            return f"[{joined}]"
        if brackets < 0.12:
            return f"（{joined}）" if self.language == "zh" else f"({joined})"
        if brackets < 0.16:
            return comma.join(f"“{name}”" if self.language == "zh" else f'"{name}"' for name in names)
        if brackets < 0.2:
            return " ".join(f"{number}. {name}" for number, name in enumerate(names, 1))
        return joined

    def _listed(self, names: list[str], rng: Random) -> str:
        style = rng.choice(_BULLETS)
        gap = "\n" if rng.random() < 0.7 else " "
        return gap.join(style.format(n=at + 1, c=name, l="ABCD"[at]) for at, name in enumerate(names))
