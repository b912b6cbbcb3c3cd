"""Conversation names: derived from the first message, and made safe as file names."""

import hashlib
import re
import unicodedata
from collections.abc import Callable

from qwen_tui import strings

NAME_CELLS = 40
"""Maximum width of a name made from a message; a CJK character takes two cells."""

NAME_LIMIT = 300
"""Maximum number of characters in a name."""

STEM_BYTES = 120
"""Maximum file name length without its ending. File systems allow 255 bytes, encrypted home folders 143."""

_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
"""Separators, and characters that Windows and its shares refuse."""

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Windows device names, with any ending."""

_OWN_ID = re.compile(r"[0-9a-f]{32}")
"""The format of `uuid` ids: they never differ in case only, and never leave their folder."""

_NOT_LAST = " ,;:、，；：-–—"
"""Characters dropped before the ellipsis of a shortened name."""

_JOINERS = "\u200c\u200d"
"""Invisible joiners that emoji and several scripts need."""


def default_name() -> str:
    """Return the name of a conversation that has none yet."""
    return strings.say("store.new_name")


def name_from(text: str) -> str:
    """Return a name from the first words of a message: one line, at most 40 cells, never empty.

    A longer text is cut after a word or between two CJK characters, and ends in "…"; a single long word is
    cut anywhere.
    """
    # Far more than fits, but not everything: a message may be a whole pasted book.
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
        if cells < NAME_CELLS:  # leave a cell for "…"
            cut_in_a_word = len(taken)
            cut = len(taken) if width == 2 else cut
    return taken or default_name()


def plain(text: str) -> str:
    """Return the text on one line in NFC without controls; empty if none of it is visible."""
    kept = "".join(" " if each.isspace() else each for each in text if each.isspace() or _is_plain(each))
    line = " ".join(unicodedata.normalize("NFC", kept).split())
    can_be_seen = any(each not in _JOINERS and unicodedata.category(each)[0] not in "MZ" for each in line)
    return line if can_be_seen else ""


def tidy(name: str) -> str:
    """Normalize a name for storage: one line, limited length; empty if none of it is visible."""
    return plain(plain(name)[:NAME_LIMIT])


def file_stem(name: str) -> str:
    """Return the name as a file stem: readable, never hidden, never outside its folder, never empty."""
    stem = " ".join(_FORBIDDEN.sub(" ", plain(name)).split())
    # A leading dot hides a file, a leading dash reads as an option; Windows drops trailing dots and spaces.
    stem = _cut(stem.lstrip(".-~ "), STEM_BYTES).rstrip(". ")
    if _DEVICES.fullmatch(stem):
        stem = f"{stem.split('.')[0]}_"
    return stem or file_stem(default_name())


def id_stem(conversation_id: str) -> str:
    """Return a conversation's id as a file stem; ids not made by `uuid` may be anything, so they are hashed."""
    if _OWN_ID.fullmatch(conversation_id):
        return conversation_id
    return "x" + hashlib.sha256(conversation_id.encode(errors="surrogatepass")).hexdigest()[:32]


def unique(name: str, is_taken: Callable[[str], bool]) -> str:
    """Return the name itself, or with the first number from 2 on that makes it free: `广州 2`."""
    candidate, number = name, 2
    while is_taken(candidate):
        candidate, number = f"{name} {number}", number + 1
    return candidate


def folded(name: str) -> str:
    """Return a key that is equal for names that a person or a file system considers the same."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_plain(each: str) -> bool:
    # Unassigned code points stay: a later Unicode version may define them, emoji above all.
    is_noncharacter = "\ufdd0" <= each <= "\ufdef" or ord(each) & 0xFFFE == 0xFFFE
    return each in _JOINERS or not (is_noncharacter or unicodedata.category(each) in ("Cc", "Cf", "Cs"))


def clusters(text: str) -> list[str]:
    """Split a text where it may be cut: characters keep their marks, joined emoji and flag pairs stay together."""
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
            # One "character" may be a letter with a thousand marks.
            return kept or cluster.encode()[:limit_bytes].decode(errors="ignore")
        kept += cluster
    return kept
