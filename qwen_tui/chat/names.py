"""Names of conversations: from what was said first, and as file names that every file system takes."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from qwen_tui import strings

NAME_CELLS = 40
"""How wide a name made from a message is on the screen; a CJK character takes two cells."""

NAME_LIMIT = 300
"""A name has at most this many characters."""

STEM_BYTES = 120
"""The longest file name without its ending. File systems take 255 bytes, encrypted home folders 143."""

_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
"""Separators, and what Windows and its shares refuse."""

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, with any ending."""

_JOINER = "\u200d"


def default_name() -> str:
    """The name of a conversation that has none yet."""
    return strings.say("store.new_name")


def name_from(text: str) -> str:
    """A name from the first words of a message: one line, about 40 cells, never empty.

    Cut after a word, or between two CJK characters; a single long word is cut where it must be.
    """
    words = plain(text)
    if not words:
        return default_name()
    taken, cells, cut = "", 0, 0
    for cluster in _clusters(words):
        width = _cells(cluster)
        if cells + width > NAME_CELLS:
            return (taken[:cut] if cut else taken).rstrip()
        if cluster == " ":
            cut = len(taken)
        taken, cells = taken + cluster, cells + width
        if width == 2:
            cut = len(taken)
    return taken


def plain(text: str) -> str:
    """The text on one line in NFC: control characters gone, white space single, nothing at the ends."""
    text = unicodedata.normalize("NFC", text)
    kept = (" " if each.isspace() else each for each in text if each.isspace() or _is_plain(each))
    return " ".join("".join(kept).split())


def tidy(name: str) -> str:
    """A name as it is kept: on one line and not endless; empty when nothing of it can be seen."""
    return plain(name)[:NAME_LIMIT].rstrip()


def file_stem(name: str) -> str:
    """The name as the stem of a file name: readable, never hidden, never leaving its folder, never empty."""
    stem = " ".join(_FORBIDDEN.sub(" ", plain(name)).split())
    # A leading dot hides a file, a leading dash reads as an option; Windows drops dots and spaces at the end.
    stem = _cut(stem.lstrip(".-~ "), STEM_BYTES).rstrip(". ")
    if _DEVICES.fullmatch(stem):
        stem = f"{stem.split('.')[0]}_"
    return stem or file_stem(default_name())


def unique(name: str, is_taken: Callable[[str], bool]) -> str:
    """The name itself, or with the first number from 2 on that makes it free: `广州 2`."""
    candidate, number = name, 2
    while is_taken(candidate):
        candidate, number = f"{name} {number}", number + 1
    return candidate


def folded(name: str) -> str:
    """What two names share that a person, or a file system, takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_plain(each: str) -> bool:
    # Controls, half surrogates, unassigned and invisible characters go; the joiners that emoji and some scripts
    # are written with stay.
    return unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Cn", "Co") or each in "\u200c\u200d"


def _clusters(text: str) -> Iterator[str]:
    """The characters as a reader counts them: with their marks, and joined emoji as one."""
    cluster = ""
    for each in text:
        if cluster and not (_continues(each) or cluster.endswith(_JOINER) or _is_half_flag(cluster, each)):
            yield cluster
            cluster = ""
        cluster += each
    if cluster:
        yield cluster


def _continues(each: str) -> bool:
    is_skin_tone = "\U0001f3fb" <= each <= "\U0001f3ff"
    return is_skin_tone or each == _JOINER or unicodedata.category(each) in ("Mn", "Me", "Mc")


def _is_half_flag(cluster: str, each: str) -> bool:
    return len(cluster) == 1 and all("\U0001f1e6" <= half <= "\U0001f1ff" for half in (cluster, each))


def _cells(cluster: str) -> int:
    return 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1


def _cut(text: str, limit_bytes: int) -> str:
    kept, used = "", 0
    for cluster in _clusters(text):
        used += len(cluster.encode())
        if used > limit_bytes:
            # One "character" may be a letter under a thousand marks.
            return kept or cluster.encode()[:limit_bytes].decode(errors="ignore")
        kept += cluster
    return kept
