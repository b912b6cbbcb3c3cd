"""Close unfinished markup in a growing text, so that `**Guang` is already bold."""

import re

from qwen_tui.ui.markdown.parsing.emphasis import is_like_a_power

_MARKUP = re.compile(r"\\.|(?P<code>`+)|(?P<strong>\*\*)(?!\*)")


def closing_of(source: str) -> str:
    """Return what would close the markup open at the end of a text; empty inside code.

    Only the last line is checked, and only for code spans and `**`, which models write in mid-sentence.
    """
    line = source[source.rfind("\n") + 1 :]
    if not line or line[-1] in "`\\" or line.endswith("**") or line.lstrip().startswith(("```", "~~~", "|")):
        return ""
    code, strong_at = "", -1
    for match in _MARKUP.finditer(line):
        if match["code"]:
            if not code:
                code = match["code"]
            elif match["code"] == code:
                code = ""
        elif match["strong"] and not code:
            if strong_at >= 0:
                strong_at = -1
            elif line[match.end() :][:1].strip() and not _is_power(line, match):
                strong_at = match.end()
    if line[-1] == "*":  # half of a closing mark
        return "*" if strong_at >= 0 and not code else ""
    closing = code + ("**" if strong_at >= 0 else "")
    # A closing mark after a space would not close anything.
    return "" if closing == "**" and line[-1].isspace() else closing


def _is_power(line: str, stars: re.Match[str]) -> bool:
    return is_like_a_power(line[stars.start() - 1 : stars.start()], line[stars.end() : stars.end() + 1])
