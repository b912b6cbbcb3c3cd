"""The keys as tables in `qwen_tui/ui/README.md`: `python -m qwen_tui.ui.help.key_table` writes them there."""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from qwen_tui.ui.help.keys import Place, help_places

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- keys: written by qwen_tui/ui/help/key_table.py -->", "<!-- end of keys -->"


def key_tables() -> str:
    """Every key by the place where it works, as Markdown."""
    return "\n\n".join(
        "\n".join([f"### {place.title}", "", "| key | action | id |", "|---|---|---|", *_rows(place)])
        for place in help_places({})
        if place.rows
    )


def with_tables(text: str) -> str:
    """The text of a README with the tables of today between its two marks."""
    return re.sub(
        f"(?<={BEGIN}\n).*?(?={END})", lambda _: f"\n{key_tables()}\n\n", text, count=1, flags=re.DOTALL
    )


def _rows(place: Place) -> Iterator[str]:
    """A row for each id and its keys, whatever they do at the moment: send, save or resend."""
    for (keys, name), rows in groupby(place.rows, key=lambda row: (row.keys, row.id)):
        yield f"| {keys} | {', '.join(row.what for row in rows)} | `{name}` |"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
