"""Find the first stop string in an answer while it streams."""

from collections.abc import Sequence


class StopSearch:
    """Passes text on, except for what may be the beginning of a stop string."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = tuple(filter(None, strings))
        self._held = ""
        self.is_found = False
        """Whether a stop string has come; the text before it has been passed on, and no more is."""

    def push(self, text: str) -> str:
        """Add text and return what is certainly before any stop string."""
        if not self._strings:
            return text
        if self.is_found:
            return ""
        self._held += text
        places = [place for string in self._strings if (place := self._held.find(string)) >= 0]
        if places:
            self.is_found = True
            return self._held[: min(places)]
        kept = max(map(self._begun, self._strings))
        end = len(self._held) - kept
        certain, self._held = self._held[:end], self._held[end:]
        return certain

    def flush(self) -> str:
        """Return the text that was held back, when no more comes."""
        held, self._held = self._held, ""
        return "" if self.is_found else held

    def _begun(self, string: str) -> int:
        """Return how many characters at the end of the held text begin this string."""
        longest = min(len(string) - 1, len(self._held))
        return next((n for n in range(longest, 0, -1) if self._held.endswith(string[:n])), 0)
