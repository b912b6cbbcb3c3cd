"""Draw overlapping panels without losing characters.

Textual cuts every line of the screen wherever any widget starts or ends, even a covered one. A wide character
across such a cut becomes two spaces.
"""

from textual._compositor import Compositor  # there is no public way to replace a screen's compositor
from textual.screen import Screen


def cut_where_it_is_seen(screen: Screen[None]) -> None:
    """Replace a screen's compositor by `WholeCharacters`."""
    screen._compositor = WholeCharacters()


class WholeCharacters(Compositor):
    """Cuts lines only at visible edges of widgets."""

    @property
    def cuts(self) -> list[list[int]]:
        if self._cuts is None:
            width, height = self.size
            lines = [{0, width} for _ in range(height)]
            covered: list[list[tuple[int, int]]] = [[] for _ in range(height)]
            for region, clip in self.visible_widgets.values():  # front to back
                x, y, across, down = region.intersection(clip)
                if across and down:
                    for line in range(max(y, 0), min(y + down, height)):
                        over = covered[line]
                        for edge in (x, x + across):
                            if not any(left < edge < right for left, right in over):
                                lines[line].add(edge)
                        over.append((x, x + across))
            self._cuts = [sorted(line) for line in lines]
        return self._cuts
