"""The bar below the log: actions on the message under the cursor, by key or click."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from textual import events
from textual.message import Message as Posted

from qwen_tui.ui.markdown.lines import Line, Run
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.wording.cell_width import cells

_GAP = "  "


class Offer(NamedTuple):
    """An action, its key and its label."""

    name: str
    key: str
    label: str
    need: int = 0
    """Priority: if space is short, offers with the lowest need are left out, the last of them first."""


class ActionBar(LinesView):
    """One row such as `y copy  e edit  r regenerate  …`, with as many offers as fit."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    ActionBar {
        width: 1fr;
        height: 1;
        padding: 0 2;
    }
    """

    @dataclass
    class Chosen(Posted):
        """The person clicked on an offer."""

        name: str

    def __init__(self) -> None:
        super().__init__(self._row_at)
        self._offers: tuple[Offer, ...] = ()
        self._places: list[tuple[range, Offer]] = []
        self._under_mouse: Offer | None = None

    def show(self, offers: Sequence[Offer]) -> None:
        if tuple(offers) != self._offers:
            self._offers = tuple(offers)
            self._under_mouse = None
            self.lay_out_again()

    def _row_at(self, width: int) -> list[Line]:
        self._places = []
        runs: list[Run] = []
        at = 0
        for offer in _fitting(self._offers, width):
            gap = _GAP if runs else ""
            key = f"{offer.key} " if offer.label else offer.key
            lit = " underline" if offer is self._under_mouse else ""
            runs += [(gap, ""), (key, "accent"), (offer.label, f"muted{lit}")]
            start, at = at + cells(gap), at + cells(gap) + cells(key) + cells(offer.label)
            self._places.append((range(start, at), offer))
        return [Line(tuple(run for run in runs if run[0]))]

    def on_resize(self) -> None:
        self.lay_out_again()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if offer := self._at(event.x):
            self.post_message(self.Chosen(offer.name))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._light(self._at(event.x))

    def on_leave(self) -> None:
        self._light(None)

    def _at(self, x: int) -> Offer | None:
        column = x - self.gutter.left
        return next((offer for columns, offer in self._places if column in columns), None)

    def _light(self, offer: Offer | None) -> None:
        if offer is not self._under_mouse:
            self._under_mouse = offer
            self.lay_out_again()


def _width(offers: Sequence[Offer]) -> int:
    widths = [cells(f"{offer.key} {offer.label}".rstrip()) for offer in offers]
    return sum(widths) + cells(_GAP) * max(0, len(widths) - 1)


def _fitting(offers: Sequence[Offer], width: int) -> list[Offer]:
    """Return the offers that fit."""
    kept = list(offers)
    while kept and _width(kept) > width:
        del kept[max(range(len(kept)), key=lambda at: (-kept[at].need, at))]
    return kept
