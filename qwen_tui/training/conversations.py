"""Corpus to conversations: turns drawn at random, with a name, a topic and a language carried along."""

from random import Random

from qwen_tui.training.corpus import LANGUAGES, Topic, read_corpus
from qwen_tui.training.names import Names
from qwen_tui.training.screen_words import ScreenWords
from qwen_tui.training.sorting import NewsTurns
from qwen_tui.training.speaker import Speaker
from qwen_tui.training.state import OTHER, State, Turn, is_guangzhou

SHARES = (0.54, 0.46)
"""How many conversations begin in each of `LANGUAGES`; the harder one gets more."""


class Conversations:
    """Draws whole conversations; the same seed draws the same ones."""

    def __init__(self, words: ScreenWords) -> None:
        corpora = {language: read_corpus(language, words) for language in LANGUAGES}
        self.names = Names(corpora["en"], corpora["zh"])
        self.speakers = {language: Speaker(language, corpora[language], self.names) for language in LANGUAGES}
        self.news_turns = NewsTurns(self.speakers)

    def draw(self, rng: Random, turns: int) -> tuple[str, list[Turn]]:
        """Return a system prompt, empty for none, and `turns` turns."""
        state = State(rng.choices(LANGUAGES, SHARES)[0])
        system = ""
        done: list[Turn] = []
        kind = rng.random()
        if kind < 0.2:
            system = self._system(state, rng)
        elif kind < 0.24:
            return self.news_turns.conversation(state, rng, turns)
        told_at = rng.randrange(0, 3) if rng.random() < 0.5 else -1
        for number in range(turns):
            if rng.random() < 0.05:
                state.language = OTHER[state.language]
            done.append(
                self._told(state, rng) if number == told_at else self._turn(state, rng, first=number == 0)
            )
        return system, done

    def _turn(self, state: State, rng: Random, first: bool) -> Turn:
        """Draw one turn of any kind that fits the state."""
        kind = rng.random()
        refers_to_nothing = not (state.topic or state.refused or state.category)
        if refers_to_nothing and rng.random() < (0.11 if first else 0.05):
            return self._cold(state, rng)
        if not first and rng.random() < 0.03 and not state.refused:
            return self._place_again(state, rng)
        if state.category and rng.random() < 0.35:
            return self.news_turns.following(state, rng)
        if kind < 0.20 and (state.topic or state.refused):
            return self._follow_up(state, rng)
        draws = (
            (0.56, self._taught),
            (0.66, self._small_talk),
            (0.77, self._off_topic),
            (0.88, self.news_turns.alone),
            (0.95, self._asked_name),
            (0.97, self._told),
            (1.0, self._odd),
        )
        return next(draw for below, draw in draws if kind < below)(state, rng)

    def _reply(self, state: State, rng: Random, topic: Topic, name: str = "a") -> str:
        """Return an answer of the topic in the language that this turn is answered in."""
        speaker = self.speakers[state.answered_in]
        other = speaker.refusal if topic.name == "refusal" else speaker.topic(topic.name)
        wordings = (other or topic).text(name)
        state.said = rng.choice([each for each in wordings if each != state.said] or wordings)
        return speaker.addressed(state.said, state.name)

    def _taught(self, state: State, rng: Random) -> Turn:
        speaker = self.speakers[state.language]
        topic = speaker.taught_topic(rng)
        if rng.random() < 0.03 and state.answer_language is None:
            return self._in_other_language(state, rng, topic)
        if rng.random() < 0.04:
            there = self.speakers[OTHER[state.language]]
            other = there.teaching[topic.name]
            if other.nouns:
                text = speaker.framed("noun", rng, n=there.noun(other, rng))
                if "{" not in text:
                    state.settle(topic)
                    return text, self._reply(state, rng, topic)
        text = speaker.question(topic, rng)
        reply = self._reply(state, rng, topic)
        state.settle(topic)
        if topic.text("more") and rng.random() < 0.06:
            detail = (" in detail", "详细") if rng.random() < 0.5 else (" in detail please", "请详细说明：")
            text = text.rstrip("?.") + detail[0] if state.language == "en" else detail[1] + text
            gap = " " if state.answered_in == "en" else ""
            reply += gap + self._reply(state, rng, topic, "more")
            state.told.add("more")
        return text, reply

    def _in_other_language(self, state: State, rng: Random, topic: Topic) -> Turn:
        speaker = self.speakers[state.language]
        text = speaker.bare_question(topic, rng)
        asked = speaker.frame("ask_other", rng)
        text += asked if state.language == "zh" or asked[0] in ",." else " " + asked
        other = self.speakers[OTHER[state.language]].teaching[topic.name]
        state.settle(topic)
        return speaker.noisy(text, rng), rng.choice(other.answers)

    def _small_talk(self, state: State, rng: Random) -> Turn:
        speaker = self.speakers[state.language]
        topic, text = speaker.small_talk(rng)
        if speaker.names_city(text):
            state.place = "other"
        state.settle(topic if topic.text("more") or topic.text("ex") else None)
        return text, self._reply(state, rng, topic)

    def _off_topic(self, state: State, rng: Random) -> Turn:
        speaker = self.speakers[state.language]
        text = speaker.off_topic(rng)
        state.settle(None)
        state.refused = True
        state.refused_place = speaker.names_city(text)
        if state.refused_place:
            state.place = "other"
        return text, self._reply(state, rng, speaker.refusal)

    def _follow_up(self, state: State, rng: Random) -> Turn:
        speaker = self.speakers[state.language]
        if state.refused:
            kind = rng.choice(("why", "more", "ex"))
            if state.refused_place and rng.random() < 0.6:
                _, text = speaker.there(rng)
                return text, self._reply(state, rng, speaker.refusal)
            text = speaker.framed(kind, rng)
            return text, self._reply(state, rng, speaker.refusal, "why" if kind == "why" else "more")
        topic = state.topic
        assert topic is not None
        here = speaker.topic(topic.name) or topic
        if is_guangzhou(topic) and rng.random() < 0.6:
            other, text = speaker.there(rng)
            state.settle(other)
            return text, self._reply(state, rng, other)
        if here.followups and rng.random() < 0.55:
            pool, answer = rng.choice(here.followups)
            text = speaker.noisy(speaker.reworded(pool.draw(rng, speaker.slots), rng), rng)
            if state.answer_language in (None, state.language):
                return text, answer
        kind = rng.choices(("more", "why", "ex", "what_it", "in_other"), (4, 3, 3, 2, 1))[0]
        if kind == "in_other" and state.answer_language is None:
            text = speaker.framed(kind, rng)
            other_speaker = self.speakers[OTHER[state.language]]
            there = other_speaker.topic(topic.name) or topic
            return text, other_speaker.addressed(rng.choice(there.answers), state.name)
        if kind in ("what_it", "in_other"):
            if rng.random() < 0.4:
                pronouns = ("it", "that", "this") if state.language == "en" else ("它", "这个", "那个")
                text = speaker.framed("noun", rng, n=rng.choice(pronouns))
            else:
                text = speaker.framed("what_it", rng)
            return text, self._reply(state, rng, topic)
        text = speaker.framed(kind, rng)
        for given in (kind, "more", "ex") if kind == "more" else (kind,):
            if topic.text(given) and given not in state.told:
                state.told.add(given)
                return text, self._reply(state, rng, topic, given)
        if kind == "more" and "a" not in state.told:
            state.told.add("a")
            return text, self._reply(state, rng, topic)
        return text, rng.choice(self.speakers[state.answered_in].replies["enough"])

    def _told(self, state: State, rng: Random) -> Turn:
        """The person says a name, the first or another one, now and then with a question behind it."""
        speaker = self.speakers[state.language]
        name = self.names.draw(rng, state.language)
        corrected = bool(state.name) and rng.random() < 0.7
        kind = "correct" if corrected else "tell"
        text = speaker.named(kind, rng, name, state.name).replace("\ue001", name)
        state.name = name
        state.settle(None)
        answers = self.speakers[state.answered_in].name_topics[kind]
        reply = rng.choice(answers.answers).replace("{name}", name)
        if rng.random() < 0.12 and not corrected:
            topic = speaker.taught_topic(rng)
            english = state.language == "en"
            gap = rng.choices((". ", ", "), (0.6, 0.4))[0] if english else rng.choice(("。", "，"))
            text = text.rstrip("?？。!.！") + gap + speaker.question(topic, rng)
            hello = f"Hello, {name}! " if state.answered_in == "en" else f"你好，{name}！"
            reply = hello + self._reply(state, rng, topic)
            state.settle(topic)
        return text, reply

    def _asked_name(self, state: State, rng: Random) -> Turn:
        speaker = self.speakers[state.language]
        text = speaker.named("ask", rng, state.name)
        state.settle(None)
        topics = self.speakers[state.answered_in].name_topics
        if not state.name:
            return text, topics["unknown"].answers[0]
        return text, rng.choice(topics["ask"].answers).replace("{name}", state.name)

    def _odd(self, state: State, rng: Random) -> Turn:
        """What is rarer: two questions at once, a comparison, a follow-up to nothing."""
        speaker, answering = self.speakers[state.language], self.speakers[state.answered_in]
        kind = rng.random()
        if kind < 0.25 and state.answer_language is None:
            state.settle(None)
            return speaker.pair(rng)
        if kind < 0.45:
            first, second = speaker.taught_topic(rng), speaker.taught_topic(rng)
            joins = {"en": (" and ", "? And ", "? Also, "), "zh": ("，另外", "？还有，", "，还有", "？")}
            text = speaker.bare_question(first, rng).rstrip("?？") + rng.choice(joins[state.language])
            text = speaker.noisy(text + speaker.bare_question(second, rng), rng)
            gap = " " if state.answered_in == "en" else ""
            reply = self._reply(state, rng, first) + gap + self._reply(state, rng, second)
            state.settle(second)
            return text, reply
        if kind < 0.6:
            text = speaker.noisy(speaker.name_topics["ask_other"].questions.draw(rng, speaker.slots), rng)
            state.settle(None)
            return text, answering.name_topics["ask_other"].answers[0]
        return self._taught(state, rng)

    def _cold(self, state: State, rng: Random) -> Turn:
        """A follow-up to nothing, as every follow-up is where memory is off: asked back what is meant."""
        speaker, answering = self.speakers[state.language], self.speakers[state.answered_in]
        if not state.place and rng.random() < 0.35:
            return speaker.there(rng)[1], rng.choice(answering.replies["cold_place"])
        if rng.random() < 0.5:
            text = speaker.framed(
                rng.choice(("more", "why", "why", "ex", "what_it", "cold_it", "cold_it")), rng
            )
        else:
            text = speaker.follow_up_to_nothing(rng)
        return text, rng.choice(answering.replies["cold"])

    def _place_again(self, state: State, rng: Random) -> Turn:
        """A question on *there* some turns after the place was named, or in a conversation that named none."""
        speaker, answering = self.speakers[state.language], self.speakers[state.answered_in]
        topic, text = speaker.there(rng)
        if state.place == "gz":
            state.settle(topic)
            return text, self._reply(state, rng, topic)
        state.settle(None)
        if state.place:
            return text, self._reply(state, rng, speaker.refusal)
        return text, rng.choice(answering.replies["cold_place"])

    def _system(self, state: State, rng: Random) -> str:
        """Draw a system prompt; most change nothing, a few ask for one language."""
        speaker = self.speakers[state.language if rng.random() < 0.8 else rng.choice(LANGUAGES)]
        if rng.random() < 0.12:
            state.answer_language = speaker.language
            return speaker.frame("system_reply_here", rng)
        return speaker.frame("system", rng, n=speaker.noun(rng.choice(speaker.with_nouns), rng))
