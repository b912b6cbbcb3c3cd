"""Stop strings as typed on one line: separated by commas, with escapes for what a line cannot contain."""

import re

_PART = re.compile(r"(?:\\.|[^,\\])+|\\", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def stop_strings(typed: str) -> tuple[str, ...]:
    r"""Split `###, \n\n, User:` into its strings.

    `\n` is a new line, `\t` a tab, `\,` a comma, `\\` a backslash.
    """
    parts = (part.strip(" ") for part in _PART.findall(typed))
    return tuple(re.sub(r"\\(.)", _escaped, part, flags=re.DOTALL) for part in parts if part)


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[1])
