"""Reads the corpus: topics with their wordings and answers, and named lists of words.

A corpus file is plain text. `# name` opens a topic; below it stand fields, one a line, each `field: text`:
`n` nouns for the thing and `do` verb phrases (both `|`-separated, put into the shared frames), `q` whole questions,
`a` an answer, `more`, `why` and `ex` what follow-ups get, `f` a follow-up of this topic as `questions => answer`,
`w` how often it is asked. `@name: a | b` defines a list for `{name}`. Lines that start with `//` are remarks.
Names of keys and settings are placeholders, which `screen_words.py` explains.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from qwen_tui.training.grammar import Draw, Pool
from qwen_tui.training.screen_words import LANGUAGES, ScreenWords

CORPUS = Path(__file__).parent / "corpus"
__all__ = ["CORPUS", "LANGUAGES", "Corpus", "Topic", "read_corpus", "split"]

_SAID = ("a", "more", "why", "ex")
"""Fields that the guide says; what stands in the others is typed by a person."""


@dataclass
class Topic:
    """One thing that can be asked, in one language."""

    name: str
    """The same in both languages."""
    fields: dict[str, list[str]] = field(default_factory=dict)
    """Raw lines by field name."""
    nouns: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    questions: Pool = field(default_factory=lambda: Pool([]))
    followups: list[tuple[Pool, str]] = field(default_factory=list)
    weight: float = 1.0

    @property
    def answers(self) -> list[str]:
        """The wordings of the right answer."""
        return self.fields.get("a", [])

    def text(self, name: str) -> list[str]:
        """Return the lines of a field, none when the topic has none."""
        return self.fields.get(name, [])

    def prepare(self) -> None:
        """Turn raw lines into pools."""
        self.nouns = [noun for line in self.text("n") for noun in split(line)]
        self.actions = [action for line in self.text("do") for action in split(line)]
        self.questions = Pool([question for line in self.text("q") for question in split(line)])
        for line in self.text("f"):
            asked, answer = line.split("=>")
            self.followups.append((Pool(split(asked)), answer.strip()))
        self.weight = float(self.text("w")[0]) if self.text("w") else 1.0


@dataclass
class Corpus:
    """Everything that is written down in one language."""

    topics: dict[str, dict[str, Topic]]
    """Kind (the file's name) to topic name to topic."""
    lists: dict[str, list[str]]
    """The `@` lists."""

    def slots(self) -> dict[str, Draw]:
        """Return what fills `{name}` for every list; an entry may itself hold choices and slots."""
        slots: dict[str, Draw] = {}
        slots |= {name: partial(Pool(entries).draw, slots=slots) for name, entries in self.lists.items()}
        return slots


def split(line: str) -> list[str]:
    """Cut a line at the `|` that stand outside brackets."""
    pieces, depth, start = [], 0, 0
    for at, sign in enumerate(line):
        depth += (sign == "[") - (sign == "]")
        if sign == "|" and depth == 0:
            pieces.append(line[start:at].strip())
            start = at + 1
    pieces.append(line[start:].strip())
    return [piece for piece in pieces if piece]


def read_corpus(language: str, words: ScreenWords, folder: Path = CORPUS) -> Corpus:
    """Read all files of one language; raises `ValueError` naming the file and line that is not understood."""
    topics: dict[str, dict[str, Topic]] = {}
    lists: dict[str, list[str]] = {}
    for path in sorted((folder / language).glob("*.txt")):
        kind = topics.setdefault(path.stem, {})
        topic: Topic | None = None
        for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            line = raw.strip()
            if not line or line.startswith("//"):
                continue
            if line.startswith("# "):
                topic = kind.setdefault(line[2:].strip(), Topic(line[2:].strip()))
                continue
            name, colon, text = line.partition(":")
            if not colon:
                raise ValueError(f"{path}:{number}: no field in: {line}")
            try:
                text = _filled(name.strip(), text, words, language)
            except KeyError as error:
                raise ValueError(f"{path}:{number}: the program has no {error}: {line}") from error
            if name.startswith("@"):
                lists.setdefault(name[1:].strip(), []).extend(split(text))
            elif topic is None:
                raise ValueError(f"{path}:{number}: a field outside a topic: {line}")
            else:
                topic.fields.setdefault(name.strip(), []).append(text.strip())
        for found in kind.values():
            found.prepare()
    return Corpus(topics, lists)


def _filled(field: str, text: str, words: ScreenWords, language: str) -> str:
    """Fill in what the screen calls things; of a follow-up, the question is typed and the answer said."""
    if field == "f":
        asked, arrow, answer = text.partition("=>")
        return words.fill(asked, language, typed=True) + arrow + words.fill(answer, language)
    return words.fill(text, language, typed=field not in _SAID)
