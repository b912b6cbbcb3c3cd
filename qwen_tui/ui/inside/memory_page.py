"""The tab Memory: what stands on the device, what each precision takes, and how many tokens still fit."""

from collections.abc import Sequence

from qwen_tui.engine.inspection import MemoryFacts, Rounding
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say
from qwen_tui.ui.inside.page import Page, note
from qwen_tui.ui.inside.subject import Look
from qwen_tui.ui.markdown.charts import bar, padded
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import cropped, padded_left
from qwen_tui.wording.units import in_bytes, in_millions

_NAME_CELLS = 24
_SIZE_CELLS = 9


class MemoryPage(Page):
    """Memory of the loaded model; one of its matrices can be rounded to see the error."""

    name = "memory"
    actions = frozenset(("round",))

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._number = 0
        self._shown: Rounding | QwenTuiError | None = None
        """The measurement that was in sight before."""

    @property
    def matrix(self) -> str:
        """The name of the matrix looked at; empty if none can be measured."""
        facts = self.look.memory
        names = facts.matrices if isinstance(facts, MemoryFacts) else ()
        return names[min(self._number, len(names) - 1)] if names else ""

    def rows(self, width: int) -> Sequence[Line]:
        facts = self.look.memory
        if isinstance(facts, QwenTuiError):
            return wrap([(str(facts), "error")], width)
        if facts is None:
            return note(
                "inside.reading" if self.look.subject and self.look.subject.engine else "inside.no_model",
                width,
            )
        rows = [
            *self._device(facts, width),
            BLANK,
            *self._precisions(facts, width),
            BLANK,
            *self._cache(facts, width),
        ]
        if self.matrix:
            rows.append(BLANK)
            rows += self._matrix(width)
        return rows

    def _device(self, facts: MemoryFacts, width: int) -> list[Line]:
        weights = sum(part.bytes for part in facts.weights)
        cache = facts.cache.allocated_bytes + facts.cache.state_bytes
        others = max(0, facts.total_bytes - facts.free_bytes - weights - cache)
        whole = max(1, facts.total_bytes)
        rows = [_title(say("inside.memory.device", device=facts.device, size=in_bytes(facts.total_bytes)))]
        for part in facts.weights:
            name = say("inside.memory.weights", dtype=part.dtype, count=in_millions(part.parameters))
            rows.append(_row(name, part.bytes, part.bytes / whole, width, "accent"))
        rows.append(_row(say("inside.memory.cache"), cache, cache / whole, width, "accent"))
        rows.append(_row(say("inside.memory.others"), others, others / whole, width, "muted"))
        rows.append(
            _row(say("inside.memory.free"), facts.free_bytes, facts.free_bytes / whole, width, "muted")
        )
        return rows

    def _precisions(self, facts: MemoryFacts, width: int) -> list[Line]:
        most = max(facts.as_16_bits, facts.as_8_bits, facts.as_4_bits, 1)
        rows = [_title(say("inside.memory.precisions"))]
        for bits, size in ((16, facts.as_16_bits), (8, facts.as_8_bits), (4, facts.as_4_bits)):
            rows.append(_row(say("inside.memory.bits", bits=bits), size, size / most, width, "accent"))
        return rows

    def _cache(self, facts: MemoryFacts, width: int) -> list[Line]:
        cache = facts.cache
        rows = [_title(say("inside.memory.kv"))]
        used = cache.tokens * cache.bytes_per_token
        said = [
            say("inside.memory.per_token", size=in_bytes(cache.bytes_per_token)),
            say(
                "inside.memory.kept",
                tokens=cache.tokens,
                used=in_bytes(used),
                size=in_bytes(cache.allocated_bytes),
            ),
            say("inside.memory.left", tokens=facts.tokens_left),
        ]
        if cache.state_layers:
            size = in_bytes(cache.state_bytes)
            said.append(
                say("inside.memory.states", layers=cache.state_layers, size=size, others=cache.token_layers)
            )
        for sentence in said:
            rows += wrap([(sentence, "")], width)
        return rows

    def _matrix(self, width: int) -> list[Line]:
        rows = [
            _title(say("inside.memory.rounding")),
            Line((("‹ ", "accent"), (cropped(self.matrix, width - 4), ""), (" ›", "accent"))),
        ]
        measured = self.look.rounding
        self.goes_to_end = measured is not None and measured is not self._shown
        self._shown = measured
        if isinstance(measured, QwenTuiError):
            return [*rows, *wrap([(str(measured), "error")], width)]
        if measured is None or measured.name != self.matrix:
            return [*rows, *note("inside.memory.round_hint", width)]
        return [*rows, *_rounding_rows(measured, width)]

    @property
    def cursor_row(self) -> int | None:
        return None

    def move(self, across: int, down: int) -> bool:
        facts = self.look.memory
        if isinstance(facts, MemoryFacts) and facts.matrices and across:
            self._number = max(0, min(self._number + across, len(facts.matrices) - 1))
            return True
        return False

    def caption(self, width: int) -> Sequence[Line]:
        return note("inside.memory.caption", width)


def _rounding_rows(measured: Rounding, width: int) -> list[Line]:
    rows = wrap([(say("inside.memory.shape", rows=measured.rows, columns=measured.columns), "muted")], width)
    sizes = (
        (16, measured.bytes_16, 0.0),
        (8, measured.bytes_8, measured.error_8),
        (4, measured.bytes_4, measured.error_4),
    )
    for bits, size, error in sizes:
        name = say("inside.memory.bits", bits=bits)
        said = say("inside.memory.error", error=error * 100) if bits < 16 else ""
        rows.append(
            Line(
                (
                    (padded(name, 10), "muted"),
                    (padded_left(in_bytes(size), _SIZE_CELLS), ""),
                    (f"  {said}", "muted"),
                )
            )
        )
    heading = "".join(padded_left(say("inside.memory.bits", bits=bits), 12) for bits in (16, 8, 4))
    rows.append(Line(((heading, "muted"),)))
    rows += [Line((("".join(f"{value:>12.5f}" for value in values), ""),)) for values in measured.sample[:4]]
    return rows


def _title(words: str) -> Line:
    return Line(((words, "strong"),))


def _row(name: str, size: int, share: float, width: int, ink: str) -> Line:
    room = max(3, width - _NAME_CELLS - _SIZE_CELLS - 2)
    shown = (padded_left(in_bytes(size), _SIZE_CELLS) + "  ", "")
    return Line(((padded(name, _NAME_CELLS), "muted"), shown, (bar(share, room), ink)))
