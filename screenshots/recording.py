"""The program on a pseudo-terminal, with every picture that it drew and how long each is shown."""

import select
from pathlib import Path

from paint import Cells, paint
from PIL import Image
from pseudo_terminal import Terminal

PAUSE = 0.005
"""Seconds without output after which a picture is whole."""
FRAME_MS, KEY_MS = 90, 45
"""How long a picture is shown, and one that followed a key."""
COLOURS = 128
"""How many a moving picture has."""


class Recording(Terminal):
    """A terminal that remembers its pictures from `start` on."""

    def __init__(self, columns: int, rows: int, arguments: list[str], data: Path) -> None:
        self.frames: list[tuple[Cells, int]] = []
        """Each picture with the milliseconds for which it is shown."""
        self._is_on = False
        self._frame_ms = FRAME_MS
        super().__init__(columns, rows, arguments, data)

    def start(self) -> None:
        """Begin with what the screen shows now."""
        self._is_on = True
        self._keep()

    def write(self, text: str) -> None:
        """Type a text at the pace of a person, and let each character be drawn."""
        self._frame_ms = KEY_MS
        for number, character in enumerate(text):
            self.type(character)
            self.settle(0.05 if number else 0.3)  # until the tokens of the draft are counted
        self.settle(0.3)
        self._frame_ms = FRAME_MS
        self.hold(0.4)

    def hold(self, seconds: float) -> None:
        """Show the last picture for longer."""
        cells, milliseconds = self.frames[-1]
        self.frames[-1] = (cells, milliseconds + round(seconds * 1000))

    def cells(self) -> Cells:
        """The screen as it stands."""
        columns = range(self.screen.columns)
        return [[self.screen.buffer[y][x] for x in columns] for y in range(self.screen.lines)]

    def save_picture(self, path: Path) -> None:
        """Save the screen as it stands as a PNG."""
        paint(self.cells()).save(path, optimize=True)

    def save_frames(self, path: Path) -> None:
        """Save what was recorded as a GIF that plays for ever."""
        palette = self._palette()
        images = [
            paint(cells).quantize(palette=palette, dither=Image.Dither.NONE) for cells, _ in self.frames
        ]
        durations = [milliseconds for _, milliseconds in self.frames]
        images[0].save(
            path,
            save_all=True,
            append_images=images[1:],
            duration=durations,
            loop=0,
            disposal=1,
            optimize=True,
        )

    def _palette(self) -> Image.Image:
        """The colours of a few pictures from all over the recording."""
        samples = [paint(cells) for cells, _ in self.frames[:: max(1, len(self.frames) // 6)]]
        samples.append(paint(self.frames[-1][0]))
        width, height = samples[0].size
        together = Image.new("RGB", (width, height * len(samples)))
        for number, sample in enumerate(samples):
            together.paste(sample, (0, number * height))
        return together.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)

    def _keep(self) -> None:
        cells = self.cells()
        if not self.frames or self.frames[-1][0] != cells:
            self.frames.append((cells, self._frame_ms))

    def _read(self, seconds: float) -> bool:
        """Read as a terminal does, and remember what is shown when no more comes at once: a whole picture."""
        has_read = super()._read(seconds)
        if self._is_on and has_read and not select.select([self._master], [], [], PAUSE)[0]:
            self._keep()
        return has_read
