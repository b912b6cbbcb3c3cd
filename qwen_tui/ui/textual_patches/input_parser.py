"""Parse terminal input into keys and pastes, so that every kind of paste arrives as one paste.

Textual's parser ends a bracketed paste at the first escape character in it and replays the rest as keys. A
terminal, or a hop, without bracketed paste types a paste line by line, and each enter would send a message.
Therefore:

* a bracketed paste is extracted before the parser sees it, whatever it contains;
* text that arrives at once with a line break or a tab *inside* it was not typed by hand: it becomes a paste;
* an enter right after other text is held back for `HOLD_SECONDS`: if more text follows, it was part of a
  paste; otherwise somebody typed ahead over a slow line, or a script did, and it is an enter.
"""

import re
import time
import unicodedata
from collections.abc import Callable, Generator, Iterator

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.events import Key, Paste
from textual.message import Message as Posted

HURRY_SECONDS = 0.01
"""Keys closer together than this were not typed by hand."""

HOLD_SECONDS = 0.03
"""How long an enter right after other text is held back."""

PASTING_SECONDS = 0.1
"""How long after a part of an unbracketed paste more text still belongs to it."""

PATIENCE_SECONDS = 3.0
"""How long a bracketed paste may pause before its end is considered lost."""

ENTER = "\r"
ESC = "\x1b"

MOST_TYPED = 64
"""More characters than this at once are a paste even without a line break."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|O.?|[^\[O])?", re.DOTALL)
"""Escape sequences of keys, mouse reports and answers of the terminal."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAK_INSIDE = re.compile(r"[^\r\n\t ][\t ]*[\r\n]+[^\r\n]")
_TAB_INSIDE = re.compile(r"[^\x00-\x1f\x7f]\t+[^\x00-\x1f\x7f]")
_START_CUT = re.compile(r"\x1b\[2(?:0(?:0)?)?\Z")
"""A truncated paste marker at the end; esc or `ESC [` alone may be keys, so they are not held back."""


class Keyboard(XTermParser):
    """Textual's parser with paste detection in front; `feed` and `tick` work as there."""

    def __init__(self, debug: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(debug)
        self._clock = clock
        self._fed_at = float("-inf")
        """When the last input arrived."""
        self._pasting_until = float("-inf")
        self._paste: list[str] | None = None
        """The pieces of the bracketed paste that is arriving."""
        self._burst: list[str] = []
        """The pieces of the unbracketed paste that is arriving."""
        self._held = ""
        """A held enter or truncated paste marker, waiting for what follows."""
        self._tail = ""
        """The last few characters passed to the parser."""

    @property
    def is_waiting(self) -> bool:
        return bool(self._held or self._burst) or self._paste is not None or self._timeout_time is not None

    def feed(self, data: str) -> Iterator[Posted]:
        """Parse the next piece of input."""
        now = self._clock()
        in_hurry = now - self._fed_at < HURRY_SECONDS
        after_enter = self._held == ENTER
        data, self._held, self._fed_at = self._held + data, "", now
        while data:
            if self._paste is not None:
                data = yield from self._gather(data)
                continue
            typed, begins, data = self._before_paste(data)
            yield from self._typed(typed, in_hurry, after_enter)
            if begins:
                yield from self._end_burst()
                held, self._held, self._paste = self._held, "", []
                yield from self._keys(held)
            in_hurry, after_enter = True, False

    def tick(self) -> Iterator[Posted]:
        """Handle the passing of time without input."""
        waited = self._clock() - self._fed_at
        if self._paste is not None and waited > PATIENCE_SECONDS:
            text, self._paste = "".join(self._paste), None
            yield Paste(text)
        if waited >= HOLD_SECONDS:
            yield from self._end_burst()
            held, self._held = self._held, ""
            yield from self._keys(held)
        yield from super().tick()

    def _before_paste(self, data: str) -> tuple[str, bool, str]:
        """Split at the start of a bracketed paste: what was typed, whether a paste starts, and the rest."""
        typed, start, rest = data.partition(BRACKETED_PASTE_START)
        if start:
            return typed, True, rest
        # The parser may have consumed the start of the marker. Given the rest of it and an end marker, it
        # returns an empty paste.
        for length in range(len(BRACKETED_PASTE_START) - 1, 0, -1):
            if self._tail.endswith(BRACKETED_PASTE_START[:length]):
                rest = BRACKETED_PASTE_START[length:]
                if data.startswith(rest):
                    return rest + BRACKETED_PASTE_END, True, data[len(rest) :]
        if cut := _START_CUT.search(data):
            self._held = cut[0]
            return data[: cut.start()], False, ""
        return data, False, ""

    def _gather(self, data: str) -> Generator[Posted, None, str]:
        """Add to the bracketed paste; return what follows its end."""
        assert self._paste is not None
        # The end marker may arrive in pieces.
        size = len(BRACKETED_PASTE_END)
        seam = "".join(self._paste[1 - size :])[1 - size :]
        self._paste.append(data)
        if BRACKETED_PASTE_END not in seam + data:
            return ""
        text, _, rest = "".join(self._paste).partition(BRACKETED_PASTE_END)
        self._paste = None
        self._pasting_until = self._fed_at  # text in the same read was not typed either
        yield Paste(text)
        return rest

    def _typed(self, text: str, in_hurry: bool, after_enter: bool) -> Iterator[Posted]:
        """Parse text outside a bracketed paste."""
        plain = _SEQUENCE.sub("", text)
        if _CONTROL.search(plain):
            plain = plain.replace("\n", " ")  # among other control keys it is ctrl+j
        goes_on = self._fed_at <= self._pasting_until and bool(re.search(r"[\r\n]", plain))
        follows = (after_enter or in_hurry) and bool(re.match(r"[\r\n]+[^\r\n\x1b]", text))
        is_row = ESC not in text and bool(_TAB_INSIDE.search(text))
        if plain and (self._burst or goes_on or follows or is_row or _BREAK_INSIDE.search(plain)):
            self._pasting_until = self._fed_at + PASTING_SECONDS
            self._burst.append(text)
            return
        yield from self._end_burst()
        is_ended = text.endswith(ENTER) and not text.endswith(ESC + ENTER) and self._timeout_time is None
        body = text[: -len(ENTER)] if is_ended else text
        if is_ended and (in_hurry or plain != ENTER):
            self._held, text = ENTER, body
        if len(body) > MOST_TYPED and ESC not in body:
            yield Paste(body)
        else:
            yield from self._keys(text)

    def _end_burst(self) -> Iterator[Posted]:
        if self._burst:
            text = "".join(self._burst)
            self._burst.clear()
            yield Paste(text)

    def _keys(self, text: str) -> Iterator[Posted]:
        if text:  # empty input would end the parser
            self._tail = (self._tail + text)[-len(BRACKETED_PASTE_START) :]
            for message in super().feed(text):
                if isinstance(message, Key) and _is_unseen(message):
                    yield Paste(message.character or "")
                elif not isinstance(message, Paste) or message.text:
                    yield message


def _is_unseen(key: Key) -> bool:
    """Return whether a key types a character that Textual does not insert: a joiner, an ideographic space."""
    character = key.character or ""
    return len(character) == 1 and character != " " and unicodedata.category(character) in ("Cf", "Zs")
