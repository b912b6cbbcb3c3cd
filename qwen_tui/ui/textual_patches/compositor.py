"""Drawing panes over each other without losing characters.

Textual cuts every line of the screen wherever any widget begins or ends, also one that is covered by another. A
wide character across such a cut becomes two spaces.
"""

from textual._compositor import Compositor  # where a screen says that it is drawn, there is no public way
from textual.screen import Screen


def cut_where_it_is_seen(screen: Screen[None]) -> None:
    """Let a screen be drawn by `WholeCharacters`."""
    screen._compositor = WholeCharacters()


class WholeCharacters(Compositor):
    """Cuts only where something that is seen begins or ends."""

    @property
    def cuts(self) -> list[list[int]]:
        if self._cuts is None:
            width, height = self.size
            lines = [{0, width} for _ in range(height)]
            covered: list[list[tuple[int, int]]] = [[] for _ in range(height)]
            for region, clip in self.visible_widgets.values():  # the ones in front first
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
