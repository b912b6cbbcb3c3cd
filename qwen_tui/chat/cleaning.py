"""Sanitize text from outside: models, pastes, files and servers.

Terminals obey control characters wherever they occur, and neither Textual nor JSON removes them. All foreign
text is therefore cleaned once, where it enters: `clean` for a whole text, `Cleaner` for one that arrives in
pieces, `one_line` for names and error parameters.

Removed: whole escape sequences, C0 and C1 controls (except newline and tab), directional overrides and other
invisible format controls. Replaced by a newline: CR LF, CR, VT, FF, NEL, U+2028, U+2029. Replaced by U+FFFD:
lone surrogates. Joiners and variation selectors stay, because emoji and several scripts need them.
"""

import re

MOST_MARKS = 16
"""Maximum number of consecutive zero-width characters; the longest real sequences have about half as many."""

_LONGEST_STRING = 2048
"""Maximum length of an OSC or DCS string, and so the most that a `Cleaner` buffers."""

_CONTROL = "\x00-\x1f\x7f-\x9f"
_CSI = r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}"
_STRING = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])"
_BODY = rf"[^{_CONTROL}]{{0,{_LONGEST_STRING}}}"
_SHORT = r"\x1b[ -/]{0,4}"

_INVISIBLE = (
    "\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""Format controls that change how text looks without being visible: directions, fillers, tags."""

_SUSPECT = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_INVISIBLE}]")

# A string sequence is removed whole only if its terminator is found; otherwise the text after its introducer
# is kept. A CSI has at most 75 characters, so even an unterminated one is removed.
_FOREIGN = re.compile(
    rf"(?P<newline>\r\n?|[\x0b\x0c\x85\u2028\u2029])"
    rf"|(?P<surrogate>[\ud800-\udfff])"
    rf"|{_CSI}[@-~]?"
    rf"|{_STRING}(?:{_BODY}(?:\x07|\x1b\\|\x9c))?"
    rf"|{_SHORT}[0-~]?"
    rf"|[\x00-\x08\x0b-\x1f\x7f-\x9f{_INVISIBLE}]"
)

_UNDECIDED = re.compile(rf"(?:\r|{_CSI}|{_STRING}{_BODY}\x1b?|{_SHORT})\Z")
"""An unfinished sequence at the end of the text, which the next piece may complete."""

_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U000e0100-\U000e01ef"
)
_FLOOD = re.compile(rf"([{_MARKS}]{{{MOST_MARKS}}})[{_MARKS}]+")
_LEADING_MARKS = re.compile(rf"[{_MARKS}]*")
_TRAILING_MARKS = re.compile(rf"[{_MARKS}]{{1,{MOST_MARKS}}}\Z")


def clean(text: str) -> str:
    """Remove everything that could control the terminal or mislead the reader; newlines become LF. Linear time."""
    return _FLOOD.sub(r"\1", _without_controls(text))


def one_line(text: str, limit: int = 200) -> str:
    """Clean a text and shorten it to one line of at most `limit` characters, for names and error parameters."""
    line = " ".join(clean(text[: 8 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Cleaner:
    """Incremental `clean`: the result does not depend on how the text is split into pieces.

    Buffers at most one unfinished escape sequence (about 2,000 characters; nearly always nothing).
    """

    def __init__(self) -> None:
        self._held = ""
        self._marks = 0
        """Number of zero-width characters at the end of the text so far."""

    def feed(self, delta: str) -> str:
        """Clean the next piece and return what can no longer change."""
        text = self._held + delta
        undecided = _UNDECIDED.search(text, max(0, len(text) - _LONGEST_STRING - 8))
        end = undecided.start() if undecided else len(text)
        self._held = text[end:]
        return self._bounded(_without_controls(text[:end]))

    def flush(self) -> str:
        """Return the buffered rest once the text has ended."""
        text, self._held = self._held, ""
        return self._bounded(_without_controls(text))

    def _bounded(self, text: str) -> str:
        if not text or text.isascii():
            self._marks = 0 if text else self._marks
            return text
        leading = _LEADING_MARKS.match(text)
        count = leading.end() if leading else 0
        if count == len(text):
            kept = text[: max(0, MOST_MARKS - self._marks)]
            self._marks += len(kept)
            return kept
        text = text[: min(count, MOST_MARKS - self._marks)] + _FLOOD.sub(r"\1", text[count:])
        trailing = _TRAILING_MARKS.search(text, max(0, len(text) - MOST_MARKS))
        self._marks = trailing.end() - trailing.start() if trailing else 0
        return text


def _without_controls(text: str) -> str:
    return _FOREIGN.sub(_replacement, text) if _SUSPECT.search(text) else text


def _replacement(match: re.Match[str]) -> str:
    if match["newline"]:
        return "\n"
    return "\N{REPLACEMENT CHARACTER}" if match["surrogate"] else ""
