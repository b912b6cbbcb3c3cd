"""One language's half of the synthesis: draws a question on a topic, worded and typed in its own way."""

import re
from random import Random

from qwen_tui.training.corpus import Corpus, Topic
from qwen_tui.training.grammar import Pool, Wording, always
from qwen_tui.training.names import HAN, Names
from qwen_tui.training.news import News
from qwen_tui.training.noise import NAME, noisy_chinese, noisy_english
from qwen_tui.training.rewording import gerund, in_keywords, reshaped
from qwen_tui.training.synonyms import Synonyms

TEACHING = ("app", "screen", "ideas", "deeper", "guangzhou")
"""The kinds of topics that follow-up questions can refer to."""
EXPLICIT_PAIRS = (
    "base", "instruct", "four", "eight", "top", "temperature", "max", "context", "sliding", "single", "gz", "token",
    "ram", "gpu", "prefill", "decoding", "greedy", "sampling", "finetuning", "training", "tokenizer", "bf16",
    "dtypes", "scope", "chatbot",
)  # fmt: skip
"""Beginnings of the names of topics for which comparisons are written out."""
DRESSED_TALK = (
    "what_can_you_do", "what_cannot", "who_made_you", "your_size", "who_are_you", "are_you_qwen",
)  # fmt: skip
"""Small talk that is asked with openers and tails like any question."""
COMPARISONS = {
    "en": ("what is the difference between {} and {}", "{} vs {}", "{} or {}", "what are {} and {}",
           "compare {} and {}", "how do {} and {} differ", "explain {} and {}"),
    "zh": ("{}和{}有什么区别", "{}与{}的区别", "{}跟{}有什么不同", "什么是{}和{}", "比较{}和{}", "解释{}和{}",
           "{}和{}的关系"),
}  # fmt: skip


THERE = "\ue002"
"""Stands for the city in a question until it is called *there* or *it*."""
_NOT_TO_NOTHING = ("T4", "你", "you")
"""What names its thing well enough to stand at the beginning."""
_FOLLOWING = ("more", "why", "ex", "in_other")
"""Frames of follow-up questions."""


class Speaker:
    """Draws what people say in one language, and holds what the guide answers."""

    def __init__(self, language: str, corpus: Corpus, names: Names) -> None:
        self.language = language
        self.corpus = corpus
        self.names = names
        self.slots = corpus.slots()
        self.slots["blorp"] = self._blorp
        self.slots["name"] = always(NAME)
        self.slots["mark"] = lambda rng: rng.choice(("<|im_start|>", "<|im_start|>", "<|im_end|>"))
        self.news = News(language, corpus, names)
        self.synonyms = Synonyms(language)
        frames = corpus.topics["frames"]
        self.frames: dict[str, Pool] = {name: topic.questions for name, topic in frames.items()}
        self.replies = {name: topic.answers for name, topic in frames.items()}
        self.name_topics = corpus.topics["names"]
        self.refusal = corpus.topics["offtopic"]["refusal"]
        self.off_topics = [topic for name, topic in corpus.topics["offtopic"].items() if name != "refusal"]
        self.off_weights = [topic.weight for topic in self.off_topics]
        self.talk = list(corpus.topics["talk"].values())
        self.talk_weights = [topic.weight for topic in self.talk]
        self.teaching = {name: topic for kind in TEACHING for name, topic in corpus.topics[kind].items()}
        self.guangzhou = [topic for name, topic in corpus.topics["guangzhou"].items() if name != "gz"]
        self.taught = list(self.teaching.values())
        self.taught_weights = [_breadth(topic) for topic in self.taught]
        self.with_nouns = [topic for topic in self.taught if topic.nouns]
        pools = [pool for topic in self.taught for pool, _ in topic.followups]
        self.follow_ups = [wording for pool in pools for wording in pool.wordings]
        spelled = {_plain(text) for wording in self.follow_ups for text in wording.all()}
        self.standing_alone = spelled & {
            _plain(text)
            for topic in (*self.taught, *self.talk)
            for wording in (*topic.questions.wordings, *map(Wording, (*topic.nouns, *topic.actions)))
            for text in wording.all()
        }
        self.leaning = spelled - self.standing_alone
        """Follow-ups that mean nothing without what was said before, without blanks and signs."""

    def topic(self, name: str) -> Topic | None:
        """Return a topic that follow-ups can refer to, by name."""
        return self.teaching.get(name) or self.corpus.topics["talk"].get(name)

    def noisy(self, text: str, rng: Random, question: bool = True) -> str:
        """Return the text as it is typed."""
        return (noisy_english if self.language == "en" else noisy_chinese)(text, rng, question)

    def frame(self, name: str, rng: Random, **filled: str) -> str:
        """Return one sentence from the shared frames; follow-ups come in other words, too."""
        slots = self.slots | {key: always(value) for key, value in filled.items()}
        text = self.frames[name].draw(rng, slots)
        if name in _FOLLOWING and rng.random() < 0.25:
            text = self.reworded(text, rng)
            text = self.frames["opener"].draw(rng, slots) + (" " if self.language == "en" else "") + text
        return text

    def framed(self, name: str, rng: Random, **filled: str) -> str:
        """Return one sentence from the shared frames, typed."""
        return self.noisy(self.frame(name, rng, **filled), rng)

    def addressed(self, text: str, name: str) -> str:
        """Return an answer with the person's name where it has a place for one."""
        return text.replace("{me}", (", " if self.language == "en" else "，") + name if name else "")

    def noun(self, topic: Topic, rng: Random) -> str:
        """Return a noun for the topic's thing."""
        noun = rng.choice(topic.nouns)
        return Pool([noun]).draw(rng, self.slots) if "{" in noun or "[" in noun else noun

    def bare_question(self, topic: Topic, rng: Random) -> str:
        """Return a question on the topic without anything around it."""
        chances = [
            (1.0 if topic.questions else 0.0) * (1 + min(len(topic.questions.wordings), 40) / 12),
            1.0 if topic.nouns else 0.0,
            1.5 if topic.actions else 0.0,
        ]
        kind = rng.choices((0, 1, 2), chances)[0]
        if kind == 0:
            return topic.questions.draw(rng, self.slots)
        if kind == 1:
            text = self.frame("noun", rng, n=self.noun(topic, rng))
            while _plain(text) in self.leaning:
                text = self.frame("noun", rng, n=self.noun(topic, rng))
            return text
        action = rng.choice(topic.actions)
        return self.frame("action", rng, do=action, doing=gerund(action))

    def question(self, topic: Topic, rng: Random) -> str:
        """Return a question on the topic, typed."""
        return self.noisy(self.dressed(self.bare_question(topic, rng), rng), rng)

    def dressed(self, text: str, rng: Random) -> str:
        """Return the question asked in another way, or with something in front of it or behind it."""
        text, bare = self.reworded(self.turned(text, rng), rng), text
        english = self.language == "en"
        if rng.random() < 0.22:
            text = self.frame("opener", rng) + (" " if english else "") + text
        if rng.random() < 0.1:
            tail = self.frame("tail", rng)
            text = text.rstrip("?？") + (" " if english and tail[0] != "," else "") + tail
        if rng.random() < 0.13:
            text = self.remarked(text, rng)
        return bare if _plain(text) in self.leaning else text

    def turned(self, text: str, rng: Random) -> str:
        """Return the question in another form: indirect, in another order, or in keywords; mostly as it was."""
        kind = rng.random()
        if kind < 0.25:
            return reshaped(text, self.language, rng)
        return in_keywords(text, self.language, rng) if kind < 0.3 else text

    def remarked(self, text: str, rng: Random) -> str:
        """Return the question after a sentence that does not matter to it, or before one."""
        remark = self.frame("remark", rng)
        if self.language == "zh":
            return remark + rng.choice(("，", "。", "，", " ")) + text
        if rng.random() < 0.2:
            return text.rstrip("?") + rng.choice(("? ", ". ")) + remark[0].upper() + remark[1:]
        begun = text if rng.random() < 0.4 else text[0].upper() + text[1:]
        return remark + rng.choice((". ", ". ", ". ", ", ", " - ", "... ", "! ")) + begun

    def reworded(self, text: str, rng: Random) -> str:
        """Return the sentence with some words swapped or left out, more often than not as it was."""
        kind = rng.random()
        if kind < 0.6:
            text = self.synonyms.vary(text, rng, 0.8 if kind < 0.3 else 0.4)
        if rng.random() < 0.06:
            text = self.synonyms.thin(text, rng)
        return text

    def taught_topic(self, rng: Random) -> Topic:
        """Return a topic to ask about; what has more wordings is asked more."""
        return rng.choices(self.taught, self.taught_weights)[0]

    def small_talk(self, rng: Random) -> tuple[Topic, str]:
        """Return something said in passing, and its topic."""
        topic = rng.choices(self.talk, self.talk_weights)[0]
        if topic.nouns and rng.random() < 0.15:
            return topic, self.framed("noun", rng, n=rng.choice(topic.nouns))
        text = topic.questions.draw(rng, self.slots)
        if topic.name in DRESSED_TALK:
            text = self.dressed(text, rng)
        elif rng.random() < 0.4:
            text = self.reworded(text, rng)
        return topic, self.noisy(text, rng, question=topic.name not in ("unclear", "laugh"))

    def off_topic(self, rng: Random) -> str:
        """Return a request that the guide must decline."""
        topic = rng.choices(self.off_topics, self.off_weights)[0]
        if topic.nouns and rng.random() < 0.4:
            noun = Pool([rng.choice(topic.nouns)]).draw(rng, self.slots)
            text = self.frame("noun", rng, n=noun)
        else:
            text = topic.questions.draw(rng, self.slots)
        return self.noisy(self.dressed(text, rng), rng)

    def there(self, rng: Random) -> tuple[Topic, str]:
        """Return a question on Guangzhou that calls the city only *there* or *it*."""
        known = [self.teaching["gz_food"], self.teaching["gz_sights"]]
        topic, asked = rng.choice(known), ""
        if rng.random() < 0.4:
            topic = rng.choice(self.guangzhou)
        while THERE not in asked:
            if not topic.questions:
                topic = rng.choice(self.guangzhou)
                continue
            asked = topic.questions.draw(rng, self.slots | {"gz": always(THERE)})
            topic = topic if THERE in asked else rng.choice(self.guangzhou)
        text = self.reworded(asked.replace(THERE, self.slots["there"](rng)), rng)
        for clumsy in ("in there", "to there", "from there", "in in ", "of there", "for there"):
            text = text.replace(clumsy, "in " if clumsy == "in in " else "there")
        return topic, self.noisy(text, rng)

    def follow_up_to_nothing(self, rng: Random) -> str:
        """Return a follow-up of some topic that does not say which."""
        text = rng.choice(self.follow_ups).draw(rng, self.slots)
        while _plain(text) not in self.leaning or any(word in text for word in _NOT_TO_NOTHING):
            text = rng.choice(self.follow_ups).draw(rng, self.slots)
        return self.noisy(self.reworded(text, rng), rng)

    def names_city(self, text: str) -> bool:
        """Say whether a city is named that the guide knows nothing of."""
        return any(city in text for city in self.corpus.lists["city"])

    def named(self, topic: str, rng: Random, name: str, old: str = "") -> str:
        """Return a sentence of the names file with the person's name in it, untouched by noise."""
        slots = self.slots | {"old": always(old or "\ue001")}
        text = self.name_topics[topic].questions.draw(rng, slots)
        if rng.random() < 0.3:
            text = self.reworded(text, rng) if topic == "ask" else self.frame("opener", rng) + " " + text
        text = self.noisy(text, rng, question=topic == "ask")
        return text.replace(NAME, name)

    def pair(self, rng: Random) -> tuple[str, str]:
        """Return a comparison of two things that has no answer of its own, and both answers."""
        first, second = rng.sample(self.with_nouns, 2)
        while any(first.name.startswith(name) or second.name.startswith(name) for name in EXPLICIT_PAIRS):
            first, second = rng.sample(self.with_nouns, 2)
        one, two = self.noun(first, rng), self.noun(second, rng)
        text = rng.choice(COMPARISONS[self.language]).format(one, two)
        join = " " if self.language == "en" else ""
        return self.noisy(text, rng), rng.choice(first.answers) + join + rng.choice(second.answers)

    def _blorp(self, rng: Random) -> str:
        if self.language == "en" or rng.random() < 0.12:
            return self.names.invented(rng)
        return "".join(HAN[int(rng.random() * len(HAN))] for _ in range(rng.choice((2, 2, 3, 4))))


def _breadth(topic: Topic) -> float:
    """How often a topic is asked: more wordings, more often, within a factor of about two."""
    words = len(topic.questions.wordings) + 2 * len(topic.nouns) + 2 * len(topic.actions)
    return topic.weight * (0.6 + min(words, 40) / 40)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())
