"""Asks a question in another form: indirectly, in keywords only, or with its parts in another order."""

import re
from collections.abc import Callable
from random import Random

_LEADS = (
    "could you tell me", "can you tell me", "do you know", "do you happen to know", "I'd like to know",
    "I'd love to know", "I need to know", "I want to know", "I was wondering", "I wonder", "I'm wondering",
    "any idea", "any clue", "please tell me", "remind me", "I can't remember", "I forgot", "I'm not sure",
    "I have no idea", "I don't know", "I'm trying to find out", "would you mind telling me",
    "mind telling me", "I can't figure out", "I keep forgetting", "I still don't get",
    "help me understand", "I've been asking myself", "I couldn't find out", "it's not clear to me",
    "not sure", "I'd be grateful if you could tell me", "you know", "I haven't understood",
    "my question is", "I've always wanted to know", "nobody told me", "I'd appreciate knowing",
)  # fmt: skip
_WHETHER = (
    "I wonder whether", "I was wondering if", "I'd like to know if", "do you know whether", "can you tell me if",
    "I'm not sure if", "any idea whether", "please tell me whether", "I want to find out if", "I'm curious whether",
)  # fmt: skip
_DROPPED = re.compile(
    r"\b(?:how|what's|what|which|who|where|is|are|do|does|did|can|could|would|should|may|might|will|shall|am|I'd|I'm|I|"
    r"me|my|you|the|a|an|to|of|please|like|want|need|it|its|this|that|there|be|been|have|has|tell|know|one|"
    r"for|in|on|and)\b ?"
)
"""Words that a question in keywords does without."""
_TELEGRAPHED = ("", "", "", " how", " question", " please", " help", " info", " meaning", " ?", " - how")
_DOUBLED = {"quit", "submit", "begin", "reset", "forget", "unpin"}
_OPEN_END = re.compile(r"\b(for|about|like|of|on|in|with|to|from|at|doing|called)$")
_THIRD = {"have": "has", "do": "does", "go": "goes", "be": "is"}


def gerund(phrase: str) -> str:
    """Return a verb phrase as a noun: *stop a reply* as *stopping a reply*."""
    verb, blank, rest = phrase.partition(" ")
    if verb.endswith("ie"):
        verb = verb[:-2] + "y"
    elif re.search(r"[^aeoy]e$", verb) and len(verb) > 2:
        verb = verb[:-1]
    elif verb in _DOUBLED or re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb):
        verb += verb[-1]
    return f"{verb}ing{blank}{rest}"


def third(phrase: str) -> str:
    """Return a verb phrase as said of *it*: *need a GPU* as *needs a GPU*."""
    verb, blank, rest = phrase.partition(" ")
    ending = "es" if re.search(r"(s|sh|ch|x|z)$", verb) else "s"
    if re.search(r"[^aeiou]y$", verb):
        verb, ending = verb[:-1], "ies"
    return f"{_THIRD.get(verb, verb + ending)}{blank}{rest}"


def _indirect_how(found: re.Match[str], rng: Random) -> str:
    phrase = found[1]
    return rng.choice(
        (
            f"{rng.choice(_LEADS)} how to {phrase}",
            f"{rng.choice(_LEADS)} how I can {phrase}",
            f"{rng.choice(_LEADS)} how I {phrase}",
            f"what would I have to do to {phrase}",
            f"what's involved in {gerund(phrase)}",
            f"is {gerund(phrase)} possible",
            f"any way of {gerund(phrase)}",
            f"I'm after a way to {phrase}",
            f"{gerund(phrase)}: how",
        )
    )


def _indirect_is(found: re.Match[str], rng: Random) -> str:
    word, verb, rest = found[1], found[2], found[3]
    ending = _OPEN_END.search(rest)
    if ending:
        rest, after = rest[: ending.start()].rstrip(), f" {ending[0]}"
        return f"{rng.choice(_LEADS)} {word} {rest} {verb}{after}" if rest else found[0]
    return f"{rng.choice(_LEADS)} {word} {rest} {verb}"


def _indirect_key(found: re.Match[str], rng: Random) -> str:
    asked = re.sub(r"^(?:do|can|should|must|would) (?:I|you|one) ", "to ", found[2])
    return f"{rng.choice(_LEADS)} which {found[1]} {asked}"


def _indirect_does(found: re.Match[str], rng: Random) -> str:
    return f"{rng.choice(_LEADS)} what {found[1]} {third(found[2])}"


def _indirect_can(found: re.Match[str], rng: Random) -> str:
    phrase = found[1]
    return rng.choice(
        (
            f"{rng.choice(_WHETHER)} I can {phrase}",
            f"{rng.choice(_WHETHER)} it's possible to {phrase}",
            f"any chance I can {phrase}",
            f"would it be possible to {phrase}",
            f"is {gerund(phrase)} supported",
            f"I'd like to {phrase}, is that possible",
            f"does it let me {phrase}",
        )
    )


def _indirect_there(found: re.Match[str], rng: Random) -> str:
    return rng.choice(
        (
            f"{rng.choice(_WHETHER)} there's {found[1]}",
            f"does it have {found[1]}",
            f"have you got {found[1]}",
            f"do we have {found[1]}",
            f"I'm looking for {found[1]}",
        )
    )


def _indirect_does_it(found: re.Match[str], rng: Random) -> str:
    return f"{rng.choice(_WHETHER)} {found[1]} {third(found[2])}"


def _indirect_why(found: re.Match[str], rng: Random) -> str:
    return f"what makes {found[1]} {found[2]}"


def _indirect_happens(found: re.Match[str], rng: Random) -> str:
    return f"{rng.choice(_LEADS)} {found[0]}"


Change = Callable[[re.Match[str], Random], str]
_ENGLISH: tuple[tuple[re.Pattern[str], Change], ...] = tuple(
    (re.compile(pattern), change)
    for pattern, change in (
        (r"how (?:do|can|could|would|should|might) (?:I|you|one|we|people) (\w[^,?.]+)", _indirect_how),
        (r"how to (\w[^,?.]+)", _indirect_how),
        (r"(what|who|where) (is|are) (\w[^,?.]+)", _indirect_is),
        (r"(?:which|what) (key|button|shortcut|command|setting|option|flag|model) (\w[^,?]+)", _indirect_key),
        (r"what does (.+?) ((?:do|mean|show|say|contain|need|cost)(?: for me| here)?)", _indirect_does),
        (r"what happens (?:when|if|to|with) .+", _indirect_happens),
        (r"(?:can|could|may) I (\w[^,?.]+)", _indirect_can),
        (r"is there (an? \w[^,?.]+)", _indirect_there),
        (r"does (it|qwen-tui|the model|a model|this program) (\w[^,?.]+)", _indirect_does_it),
        (r"why (?:does|did) (it|the model|a model|the reply) ((?!have)\w[^,?.]+)", _indirect_why),
    )
)
_CHINESE = tuple(
    (re.compile(pattern), endings)
    for pattern, endings in (
        (
            r"(?:怎么|如何|怎样)(?!样|办|回事|来|这么|那么|会|能|不|没|就|是|区|算|样|用)([^，？。]{3,})",
            "{}怎么弄 {}怎么操作 {}要怎么做 {}的方法 想{}，怎么弄 我想{} 有办法{}吗 有没有办法{} 教我{} 咋{} "
            "{}，怎么做 要{}该怎么办 能{}吗 想知道怎么{} 麻烦说下怎么{} {}的步骤 不知道怎么{} 不会{} "
            "{}在哪弄 {}按哪里",
        ),
        (
            r"([^，？。]{2,})是(?:什么|什么意思|啥|啥意思)",
            "{}啥意思 {}指什么 啥叫{} {}是个什么概念 {}具体是指什么 什么是{} {}怎么理解 解释下{} 讲讲{} {}是啥 "
            "没搞懂{} 不太懂{} {}，是什么来着 科普一下{} {}到底是什么东西 谁能说说{}",
        ),
        (
            r"什么(?:是|叫)([^，？。]{2,})",
            "{}啥意思 {}指什么 啥叫{} {}是个什么概念 {}怎么理解 解释下{} 讲讲{} {}是啥 没搞懂{} 不太懂{} "
            "{}到底是什么东西",
        ),
        (
            r"为(?:什么|啥|何)([^，？。]{3,})",
            "{}是为什么 {}，为什么 咋{} {}是什么原因 {}，怎么回事 {}，原因是什么 怎么{} {}的原因 "
            "{}，这是为啥 为啥{} 搞不懂为什么{}",
        ),
        (
            r"([^，？。]{3,})(?:有什么区别|有什么不同|的区别|有什么不一样|有何区别)",
            "{}差在哪 {}不一样在哪 {}怎么区分 {}哪里不同 {}有啥区别 {}不是一回事吗 {}分不清 {}的差别 "
            "{}有啥两样 {}各是什么",
        ),
    )
)
_CHINESE_DROPPED = re.compile(
    "请问|怎么|如何|怎样|什么是|是什么|什么|一下|可以|我想|我要|我|吗|呢|想要|这个|应该|有没有|请|要"
)


def reshaped(text: str, language: str, rng: Random) -> str:
    """Return the question in another form, or as it is when none is known for it."""
    if language == "zh":
        for pattern, endings in _CHINESE:
            found = pattern.fullmatch(text)
            if found:
                return rng.choice(re.split(r" (?=\S*\{\})", endings)).format(found[1])
        return text
    text = re.sub(r"^([Ww]hat|[Ww]here|[Ww]ho)'?s ", lambda found: f"{found[1].lower()} is ", text)
    for pattern, change in _ENGLISH:
        found = pattern.fullmatch(text.rstrip("?"))
        if found:
            return change(found, rng)
    return text


def in_keywords(text: str, language: str, rng: Random) -> str:
    """Return the words of the question that carry its meaning, or the question when hardly any are left."""
    if language == "zh":
        short = _CHINESE_DROPPED.sub("", text).strip("，。？?")
        return short if len(short) >= 4 and "不" not in short else text
    short = _DROPPED.sub("", text).strip(" ,.?")
    words = len(short.split())
    return short + rng.choice(_TELEGRAPHED) if 2 <= words <= 6 and "," not in short else text
