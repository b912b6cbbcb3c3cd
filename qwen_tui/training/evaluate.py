"""Scores the guide on what was held out: `python -m qwen_tui.training.evaluate [FOLDER]`.

Questions count as right when the answer holds the key phrases written beside them, news when the answer is the
category and nothing else, names when an answer three or more turns later holds the name. Every figure is given for
the shipped sampling settings, seeded, and for greedy decoding.
"""

import argparse
import json
import re
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from qwen_tui.guide import model_folder

HELD_OUT = Path(__file__).parent / "heldout"
CARD = model_folder().parent / "README.md"
Message = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One conversation and how its last answer is judged."""

    group: str
    turns: tuple[str, ...]
    wanted: tuple[tuple[str, ...], ...]
    """The answer must hold one phrase of each group."""
    unwanted: tuple[str, ...] = ()
    exact: bool = False
    """The answer must be the first wanted phrase and nothing else."""

    def right(self, answer: str) -> bool:
        """Say whether the answer counts."""
        if self.exact:
            return answer.strip().strip("。.").lower() == self.wanted[0][0].lower()
        text = answer.lower()
        if any(phrase.lower() in text for phrase in self.unwanted):
            return False
        return all(any(phrase.lower() in text for phrase in group) for group in self.wanted)


def lines(path: Path) -> Iterator[str]:
    """Yield the lines that are not remarks."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("//"):
            yield line.strip()


def questions(folder: Path, language: str) -> list[Case]:
    """Read the questions of one language."""
    cases = []
    for line in lines(folder / f"questions.{language}.txt"):
        asked, wanted = line.split(" => ")
        groups = [tuple(re.split(r"\s*\|\s*", group.strip())) for group in wanted.split(";")]
        denied = [group for group in groups if group[0].startswith("!")]
        unwanted = tuple(phrase.lstrip("!") for group in denied for phrase in group)
        needed = tuple(group for group in groups if group not in denied)
        turns = tuple(turn.strip() for turn in asked.split(">>"))
        cases.append(Case(f"questions {language}", turns, needed, unwanted))
    return cases


def news(folder: Path) -> list[Case]:
    """Read the news lines to sort."""
    cases = []
    for line in lines(folder / "news.txt"):
        asked, wanted = line.rsplit(" => ", 1)
        language = "en" if asked.isascii() else "zh"
        turns = (asked.replace("\\n", "\n"),)
        cases.append(Case(f"news {language}", turns, ((wanted.strip(),),), exact=True))
    return cases


def names(folder: Path) -> list[Case]:
    """Make name dialogues: told, three to five other turns, asked."""
    pools: dict[str, list[str]] = {}
    for line in lines(folder / "names.txt"):
        field, _, entries = line.partition(":")
        pools[field] = [entry.strip() for entry in entries.split(" | ")]
    cases, rng = [], Random(7)
    for language in ("en", "zh"):
        for number, name in enumerate(pools[f"{language} names"]):
            tell = pools[f"{language} tell"][number % len(pools[f"{language} tell"])].replace("{name}", name)
            ask = pools[f"{language} ask"][number % len(pools[f"{language} ask"])]
            between = rng.sample(pools[f"{language} between"], 3 + number % 3)
            cases.append(Case(f"names {language}", (tell, *between, ask), ((name,),)))
    return cases


def cases_in(folder: Path) -> list[Case]:
    """Return all cases of a folder."""
    return [*questions(folder, "en"), *questions(folder, "zh"), *news(folder), *names(folder)]


class Guide:
    """The model under test, answering many conversations at once."""

    def __init__(self, folder: Path, device: str) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.model = model.to(device).eval()

    def answers(self, chats: list[list[Message]], greedy: bool) -> list[str]:
        """Return the next message of each chat, at most 200 tokens."""
        render = self.tokenizer.apply_chat_template
        texts = [render(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
        batch = self.tokenizer(texts, return_tensors="pt", padding=True).to(self.model.device)
        torch.manual_seed(1)
        sampling = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None} if greedy else {}
        with torch.inference_mode():
            written = self.model.generate(**batch, max_new_tokens=200, **sampling)
        replies = written[:, batch["input_ids"].shape[1] :]
        return [str(text) for text in self.tokenizer.batch_decode(replies, skip_special_tokens=True)]

    def last_answers(self, cases: list[Case], greedy: bool) -> list[str]:
        """Walk all cases through their turns, with the guide's own answers in between."""
        found = [""] * len(cases)
        chats: list[list[Message]] = [[] for _ in cases]
        for turn in range(max(len(case.turns) for case in cases)):
            going = [at for at, case in enumerate(cases) if turn < len(case.turns)]
            going.sort(key=lambda at: len(str(chats[at])))
            for start in range(0, len(going), 32):
                part = going[start : start + 32]
                for at in part:
                    chats[at].append({"role": "user", "content": cases[at].turns[turn]})
                for at, answer in zip(part, self.answers([chats[at] for at in part], greedy), strict=True):
                    chats[at].append({"role": "assistant", "content": answer})
                    found[at] = answer
        return found


def score(guide: Guide, folder: Path, greedy: bool, show: bool = False) -> dict[str, list[int]]:
    """Return right answers and cases by group."""
    cases = cases_in(folder)
    result: dict[str, list[int]] = {}
    for case, answer in zip(cases, guide.last_answers(cases, greedy), strict=True):
        tally = result.setdefault(case.group, [0, 0])
        tally[0] += case.right(answer)
        tally[1] += 1
        if show and not case.right(answer):
            print(f"  wrong · {case.group} · {' >> '.join(case.turns)!r}\n      {answer!r}")
    return result


def report(folder: Path, device: str, show: bool = False, cases: Path = HELD_OUT) -> dict[str, Any]:
    """Print the score on the held-out cases."""
    guide = Guide(folder, device)
    scores: dict[str, Any] = {}
    for name, greedy in (("sampled", False), ("greedy", True)):
        result = score(guide, cases, greedy, show and greedy)
        scores[name] = {group: {"right": right, "of": of} for group, (right, of) in result.items()}
        for group, (right, of) in result.items():
            print(f"{name:8} {group:13} {right:3} of {of:3} · {right / of:.1%}", flush=True)
    return scores


def with_figures(card: str, scores: dict[str, Any]) -> str:
    """Return the model card with these scores in its table."""
    for group in scores["sampled"]:
        kind, language = group.split()
        title = f"{kind if kind != 'news' else 'news lines'}, {'English' if language == 'en' else 'Chinese'}"
        tallies = (scores[decoding][group] for decoding in ("sampled", "greedy"))
        figures = (f"{each['right']} of {each['of']} ({each['right'] / each['of']:.1%})" for each in tallies)
        row = f"| {title} | {' | '.join(figures)} |"
        card = re.sub(rf"^\| {title} \|.*$", row, card, flags=re.MULTILINE)
    return card


def main() -> None:
    """Score a model folder, the shipped one unless another is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=model_folder())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cases", type=Path, default=HELD_OUT, help="folder of questions, news and names")
    parser.add_argument("--wrong", action="store_true", help="show the answers that were judged wrong")
    parser.add_argument(
        "--write",
        action="store_true",
        help="record the score in score.json beside the cases and on the model card",
    )
    arguments = parser.parse_args()
    scores = report(arguments.folder, arguments.device, arguments.wrong, arguments.cases)
    if arguments.write:
        text = json.dumps(scores, indent=2, ensure_ascii=False)
        (arguments.cases / "score.json").write_text(text + "\n", encoding="utf-8")
        CARD.write_text(with_figures(CARD.read_text(encoding="utf-8"), scores), encoding="utf-8")


if __name__ == "__main__":
    main()
