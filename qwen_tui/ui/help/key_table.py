"""Write the tables of keys in `qwen_tui/ui/README.md`; run as `python -m qwen_tui.ui.help.key_table`."""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from qwen_tui.ui.help.keys import Place, help_places

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- keys: written by qwen_tui/ui/help/key_table.py -->", "<!-- end of keys -->"


def key_tables() -> str:
    """Return all keys as Markdown tables, one for each place where they work."""
    return "\n\n".join(
        "\n".join([f"### {place.title}", "", "| key | action | id |", "|---|---|---|", *_rows(place)])
        for place in help_places({})
        if place.rows
    )


def with_tables(text: str) -> str:
    """Return the text of a README with the current tables between its two markers."""
    return re.sub(
        f"(?<={BEGIN}\n).*?(?={END})", lambda _: f"\n{key_tables()}\n\n", text, count=1, flags=re.DOTALL
    )


def _rows(place: Place) -> Iterator[str]:
    """Yield one row per id, with its keys and all actions of that id, such as send, save and resend."""
    for (keys, name), rows in groupby(place.rows, key=lambda row: (row.keys, row.id)):
        yield f"| {keys} | {', '.join(row.what for row in rows)} | `{name}` |"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
