"""What is written for people: every README of the repository, and what it names."""

import re
from pathlib import Path

import qwen_tui

PACKAGE = Path(qwen_tui.__file__).parent
ROOT = PACKAGE.parent
READMES = (ROOT / "README.md", *sorted(PACKAGE.rglob("*.md")))

FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]*\bsrc=\"([^\"]+)\"")


def called(readme: Path) -> str:
    """A README by its path in the repository, as the name of a test."""
    return readme.relative_to(ROOT).as_posix()


def links(text: str) -> list[str]:
    """What a text links to and shows, without what is elsewhere on the net."""
    found = [link or picture for link, picture in LINK.findall(FENCED.sub("", text))]
    return [target for target in found if "://" not in target]


def headings(text: str) -> set[str]:
    """The anchors of a text's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def in_backticks(text: str) -> set[str]:
    """What stands in backticks in a text."""
    return set(re.findall(r"`([^`\n]+)`", FENCED.sub("", text)))


def is_path(name: str) -> bool:
    """Whether a name in backticks is that of a file or folder of the repository."""
    return "/" in name or name.endswith((".py", ".toml", ".md"))


def paths(text: str) -> set[str]:
    """What a text names of the repository, in commands too: `qwen_tui/…`, `tests/…`, `screenshots/…`, `.ci/…`."""
    return set(re.findall(r"(?<![\w./-])((?:qwen_tui|tests|screenshots|\.ci)/[\w./-]*[\w/])", text))
