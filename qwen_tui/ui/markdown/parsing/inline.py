"""Convert markdown-it's inline tokens to runs of text and ink."""

import re
from collections.abc import Iterable, Sequence

from markdown_it.token import Token

from qwen_tui.ui.markdown.lines import Run, add_run
from qwen_tui.ui.markdown.parsing.literal import PIPE
from qwen_tui.wording.cell_width import displayed

_OPENS = {"strong_open": "strong", "em_open": "emphasis", "s_open": "strike", "link_open": "link"}
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)


def runs_of(tokens: Sequence[Token]) -> tuple[Run, ...]:
    """Convert inline tokens to runs; a line break in the source stays one, because models mean it so."""
    runs: list[Run] = []
    inks: list[str] = []
    link, link_at = "", 0
    for token in tokens:
        kind = token.type
        if kind in _OPENS:
            inks.append(_OPENS[kind])
            if kind == "link_open":
                link, link_at = _address(token, "href"), len(runs)
        elif kind.endswith("_close"):
            if inks:
                inks.pop()
            if kind == "link_close":
                _add_address(runs, link, link_at)
        elif kind == "code_inline":
            _add(runs, token.content.replace("\n", " "), [*inks, "code"])
        elif kind in ("softbreak", "hardbreak"):
            _add(runs, "\n", inks)
        elif kind == "image":
            address = _address(token, "src")
            at = len(runs)
            _add(runs, token.content or address, [*inks, "image"])
            _add_address(runs, address, at)
        else:
            _add(runs, token.content, inks)
    return tuple(runs)


def with_breaks(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Replace `<br>` in the runs of a table cell by line breaks: cells have no other way to write them."""
    return tuple(
        ((_BREAK.sub("\n", text) if "code" not in ink else text).replace(PIPE, "|"), ink)
        for text, ink in runs
    )


def _address(token: Token, attribute: str) -> str:
    title = token.attrs.get("title")
    return f'{token.attrs.get(attribute, "")} "{title}"' if title else str(token.attrs.get(attribute, ""))


def _add_address(runs: list[Run], address: str, since: int) -> None:
    shown = "".join(text for text, _ in runs[since:])
    bare = address.removeprefix("mailto:")
    if address and shown != bare and not address.startswith("#"):
        _add(runs, f" ({address})", ["address"])


def _add(runs: list[Run], text: str, inks: Sequence[str]) -> None:
    add_run(runs, displayed(text), " ".join(dict.fromkeys(inks)))
