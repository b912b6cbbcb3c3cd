"""What hands do to a question: case, punctuation, blanks, slips of the keyboard. Names (`NAME`) are left alone."""

import re
from random import Random

NAME = "\ue000"
"""Stands for the person's name until noise is done, so that what is copied is what was typed."""

_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_HOMOPHONES = {
    "的": "得", "得": "的", "地": "的", "吗": "嘛", "么": "嘛", "那": "哪", "哪": "那", "它": "他", "再": "在",
    "在": "再", "做": "作", "作": "做", "是": "事", "想": "像", "什": "甚", "怎": "咋", "停": "亭", "量": "亮",
    "型": "形", "化": "话", "话": "化", "窗": "窓", "键": "建", "消": "销", "码": "马", "记": "纪",
}  # fmt: skip
_TRADITIONAL = dict(
    zip(
        "什么这个对话机开关设置记忆转换输发问题复习说语简单会觉听写东门网络电脑软件运行让给谁吗为们里后见过还进远选"
        "广东点热闹区别缓数据类体术娱乐新闻绍释参数处结时间长样总显应该师学习写读",
        "什麼這個對話機開關設置記憶轉換輸發問題複習說語簡單會覺聽寫東門網絡電腦軟件運行讓給誰嗎為們裡後見過還進遠選"
        "廣東點熱鬧區別緩數據類體術娛樂新聞紹釋參數處結時間長樣總顯應該師學習寫讀",
        strict=True,
    )
)


_SPELLINGS = {
    "colour": "color", "colours": "colors", "grey": "gray", "program": "programme", "licence": "license",
    "behaviour": "behavior", "dialogue": "dialog", "favourite": "favorite", "learnt": "learned",
    "organise": "organize", "quantise": "quantize", "quantisation": "quantization", "tokeniser": "tokenizer",
    "summarise": "summarize",
    "categorise": "categorize", "customise": "customize", "centre": "center", "recognise": "recognize",
    "memorise": "memorize", "optimise": "optimize", "utilise": "utilize", "cancelled": "canceled",
}  # fmt: skip
"""British spellings and the American ones."""
_CONTRACTED = {
    "what is": "what's", "where is": "where's", "how is": "how's", "who is": "who's", "that is": "that's",
    "it is": "it's", "I am": "I'm", "I have": "I've", "I would": "I'd", "do not": "don't", "does not": "doesn't",
    "cannot": "can't", "is not": "isn't", "did not": "didn't", "will not": "won't", "there is": "there's",
    "how do I": "how'd I", "want to": "wanna", "going to": "gonna", "you are": "you're",
    "because": "cos", "about": "abt", "without": "w/o", "with": "w/", "please": "plz", "you": "u", "are": "r",
    "something": "sth", "conversation": "convo", "conversations": "convos", "message": "msg", "temperature": "temp",
    "difference": "diff", "parameters": "params", "for example": "eg",
    "question": "q", "versus": "vs", "keyboard": "kbd", "configuration": "config",
}  # fmt: skip
"""What is written out, and how it is shortened."""


def _both_ways(pairs: dict[str, str]) -> tuple[re.Pattern[str], dict[str, str]]:
    others = pairs | {short: long for long, short in pairs.items() if len(short) > 4}
    words = sorted(map(re.escape, others), key=len, reverse=True)
    return re.compile(rf"(?<![\w+`-])(?:{'|'.join(words)})(?![\w+`-])"), others


_SPELLED, _SPELLED_AS = _both_ways(_SPELLINGS)
_SHORT, _SHORT_AS = _both_ways(_CONTRACTED)


def slip(text: str, rng: Random) -> str:
    """Make one slip of the keyboard in a Latin word of four letters or more, if there is one."""
    words = [match for match in re.finditer(r"[a-z]{4,}", text)]
    if not words:
        return text
    word = words[int(rng.random() * len(words))]
    at = word.start() + int(rng.random() * (word.end() - word.start() - 1))
    kind = rng.random()
    if kind < 0.35:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind < 0.6:
        return text[:at] + text[at + 1 :]
    if kind < 0.8:
        return text[:at] + text[at] + text[at:]
    near = _NEIGHBOURS.get(text[at], text[at])
    return text[:at] + near[int(rng.random() * len(near))] + text[at + 1 :]


def noisy_english(text: str, rng: Random, question: bool = True) -> str:
    """Return `text` as someone in a hurry, or someone careful, would type it."""
    draw = rng.random
    if draw() < 0.25:
        text = _SPELLED.sub(lambda found: _SPELLED_AS[found[0]], text)
    if draw() < 0.12:
        text = _SHORT.sub(lambda found: _SHORT_AS[found[0]] if draw() < 0.4 else found[0], text)
    if draw() < 0.5:
        text = text[:1].upper() + text[1:]
        if question and text[-1:].isalnum():
            text += "?" if draw() < 0.75 else "."
    elif question and draw() < 0.45 and text[-1:].isalnum():
        text += "?"
    if draw() < 0.22:
        text = text.lower()
    if draw() < 0.15:
        text = slip(text, rng)
        if draw() < 0.3:
            text = slip(text, rng)
    if draw() < 0.05:
        text = text.replace("'", "" if draw() < 0.7 else "’")
    if draw() < 0.05:
        text = re.sub(r"[,?.!]", "", text) or text
    if draw() < 0.015:
        text = text.upper()
    if draw() < 0.02:
        text = text.replace(" ", "  ", 1)
    if draw() < 0.02:
        text += "??" if draw() < 0.5 else "!"
    return text.strip() or text


def noisy_chinese(text: str, rng: Random, question: bool = True) -> str:
    """Return `text` with the punctuation, blanks and slips of Chinese typing."""
    draw = rng.random
    if question and text[-1:] not in "？?。！!：:":
        kind = draw()
        text += "？" if kind < 0.45 else "?" if kind < 0.52 else "。" if kind < 0.56 else ""
    if draw() < 0.35:
        text = re.sub(
            r"(?<=[\u4e00-\u9fff]) (?=[A-Za-z0-9`])|(?<=[A-Za-z0-9`]) (?=[\u4e00-\u9fff])", "", text
        )
    elif draw() < 0.15:
        text = re.sub(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9`])|(?<=[A-Za-z0-9`])(?=[\u4e00-\u9fff])", " ", text)
    if draw() < 0.1:
        text = re.sub(r"[A-Za-z]{2,}", lambda found: _recase(found[0], rng), text)
    if draw() < 0.06:
        text = slip(text, rng)
    if draw() < 0.06:
        places = [at for at, sign in enumerate(text) if sign in _HOMOPHONES]
        if places:
            at = places[int(draw() * len(places))]
            text = text[:at] + _HOMOPHONES[text[at]] + text[at + 1 :]
    if draw() < 0.03 and len(text) > 5:
        at = int(draw() * (len(text) - 1))
        if text[at] != NAME:
            text = text[:at] + (text[at] * 2 if draw() < 0.4 else "") + text[at + 1 :]
    if draw() < 0.08:
        text = text.replace("，", " " if draw() < 0.4 else "," if draw() < 0.5 else "")
    if draw() < 0.03:
        text = "".join(_TRADITIONAL.get(sign, sign) for sign in text)
    if draw() < 0.02:
        text += "？" if draw() < 0.5 else "～"
    return text.strip() or text


def _recase(word: str, rng: Random) -> str:
    kind = rng.random()
    return word.lower() if kind < 0.4 else word.upper() if kind < 0.6 else word.capitalize()
