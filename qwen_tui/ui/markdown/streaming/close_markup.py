"""Close unfinished markup in a growing text, so that `**Guang` is already bold."""

import re

_MARKUP = re.compile(r"\\.|(?P<code>`+)|(?P<strong>\*\*)(?!\*)")


def closing_of(source: str) -> str:
    """Return what would close the markup open at the end of a text; empty inside code.

    Only the last line is checked, and only for code spans and `**`, which models write in mid-sentence.
    """
    line = source[source.rfind("\n") + 1 :]
    if not line or line[-1] in "*`\\" or line.lstrip().startswith(("```", "~~~", "|")):
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
            elif line[match.end() :][:1].strip():
                strong_at = match.end()
    closing = code + ("**" if strong_at >= 0 else "")
    # A closing mark after a space would not close anything.
    return "" if closing == "**" and line[-1].isspace() else closing
