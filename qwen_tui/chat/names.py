"""Names of conversations: from what was said first, and as file names that every file system takes."""

import hashlib
import re
import unicodedata
from collections.abc import Callable

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

_OWN_ID = re.compile(r"[0-9a-f]{32}")
"""What `uuid` gives: no two differ in upper case only, and none leaves its folder."""

_NOT_LAST = " ,;:、，；：-–—"
"""What does not stand before the sign that a name was cut."""

_JOINERS = "\u200c\u200d"
"""Unseen themselves; emoji and several scripts are written with them."""


def default_name() -> str:
    """The name of a conversation that has none yet."""
    return strings.say("store.new_name")


def name_from(text: str) -> str:
    """A name from the first words of a message: one line, at most 40 cells, never empty.

    Cut after a word, or between two CJK characters, and then it ends in "…"; a single long word is cut where it
    must be.
    """
    # Far more than fits, yet not all of it: a message may be a whole pasted book.
    words = plain(text.lstrip()[:1000])
    taken, cells, cut, cut_in_a_word = "", 0, 0, 0
    for cluster in clusters(words):
        width = 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1
        if cells + width > NAME_CELLS:
            kept = taken[: cut or cut_in_a_word].rstrip(_NOT_LAST)
            return f"{kept}…" if kept else default_name()
        if cluster == " ":
            cut = len(taken)
        taken, cells = taken + cluster, cells + width
        if cells < NAME_CELLS:  # "…" takes a cell
            cut_in_a_word = len(taken)
            cut = len(taken) if width == 2 else cut
    return taken or default_name()


def plain(text: str) -> str:
    """The text on one line in NFC without controls; empty when nothing of it can be seen."""
    kept = "".join(" " if each.isspace() else each for each in text if each.isspace() or _is_plain(each))
    line = " ".join(unicodedata.normalize("NFC", kept).split())
    can_be_seen = any(each not in _JOINERS and unicodedata.category(each)[0] not in "MZ" for each in line)
    return line if can_be_seen else ""


def tidy(name: str) -> str:
    """A name as it is kept: on one line and not endless; empty when nothing of it can be seen."""
    return plain(plain(name)[:NAME_LIMIT])


def file_stem(name: str) -> str:
    """The name as the stem of a file name: readable, never hidden, never leaving its folder, never empty."""
    stem = " ".join(_FORBIDDEN.sub(" ", plain(name)).split())
    # A leading dot hides a file, a leading dash reads as an option; Windows drops dots and spaces at the end.
    stem = _cut(stem.lstrip(".-~ "), STEM_BYTES).rstrip(". ")
    if _DEVICES.fullmatch(stem):
        stem = f"{stem.split('.')[0]}_"
    return stem or file_stem(default_name())


def id_stem(conversation_id: str) -> str:
    """A conversation's id as the stem of a file name: a file written by hand may hold any id."""
    if _OWN_ID.fullmatch(conversation_id):
        return conversation_id
    return "x" + hashlib.sha256(conversation_id.encode(errors="surrogatepass")).hexdigest()[:32]


def unique(name: str, is_taken: Callable[[str], bool]) -> str:
    """The name itself, or with the first number from 2 on that makes it free: `广州 2`."""
    candidate, number = name, 2
    while is_taken(candidate):
        candidate, number = f"{name} {number}", number + 1
    return candidate


def folded(name: str) -> str:
    """What two names share that a person, or a file system, takes for the same."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_plain(each: str) -> bool:
    # Code points without a meaning stay: a later Unicode may have given them one, emoji above all.
    is_noncharacter = "\ufdd0" <= each <= "\ufdef" or ord(each) & 0xFFFE == 0xFFFE
    return each in _JOINERS or not (is_noncharacter or unicodedata.category(each) in ("Cc", "Cf", "Cs"))


def clusters(text: str) -> list[str]:
    """What may not be torn apart: a character with its marks, a joined emoji, a pair of flag letters."""
    found: list[str] = []
    for each in text:
        if found and (_continues(each) or found[-1].endswith(_JOINERS[1]) or _is_half_flag(found[-1], each)):
            found[-1] += each
        else:
            found.append(each)
    return found


def _continues(each: str) -> bool:
    is_skin_tone = "\U0001f3fb" <= each <= "\U0001f3ff"
    return is_skin_tone or unicodedata.category(each) in ("Mn", "Me", "Mc", "Cf")


def _is_half_flag(cluster: str, each: str) -> bool:
    return len(cluster) == 1 and all("\U0001f1e6" <= half <= "\U0001f1ff" for half in (cluster, each))


def _cut(text: str, limit_bytes: int) -> str:
    kept, used = "", 0
    for cluster in clusters(text):
        used += len(cluster.encode())
        if used > limit_bytes:
            # One "character" may be a letter under a thousand marks.
            return kept or cluster.encode()[:limit_bytes].decode(errors="ignore")
        kept += cluster
    return kept
