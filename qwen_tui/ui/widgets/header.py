"""The top line: the model, its device and the use of its context window; while loading, the progress."""

import math
from typing import ClassVar

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from qwen_tui.engine.base import LoadProgress, ModelInfo
from qwen_tui.engine.slowed import slowed
from qwen_tui.session.token_counter import WindowUse
from qwen_tui.strings import say
from qwen_tui.ui.widgets.keys import key_of
from qwen_tui.wording.load_progress import Pace, amounts_in_short, amounts_in_words, stage_in_words
from qwen_tui.wording.units import in_tokens

NAME = "qwen-tui"
GUIDE = "guide"
BAR_CELLS = 6
NEARLY_FULL = 0.9
"""Share of the budget from which the meter warns."""

TICK_SECONDS = 0.5

_GAP = "   "


class Header(Widget):
    """One line, from which the least important parts are dropped until it fits."""

    DEFAULT_CSS: ClassVar[str] = """
    Header {
        height: 1;
        width: 1fr;
        padding: 0 1;
        background: $background;
        color: $foreground;
    }
    """

    FRONT: ClassVar[Content] = Content.assemble(Content.styled(NAME, "bold $text-accent"), _GAP)
    """The start of the line."""

    info: reactive[ModelInfo | None] = reactive(None)
    """The loaded model."""
    used_tokens: reactive[int | None] = reactive(None)
    """The size of the next prompt; None if unknown."""
    budget: reactive[int | None] = reactive(None)
    """The maximum prompt size: the window minus the room for the reply. None is the whole window."""
    is_exact: reactive[bool] = reactive(True)
    """Whether `used_tokens` is counted, not estimated."""
    progress: reactive[LoadProgress | None] = reactive(None)
    """The progress of the model that is loading."""
    asleep: reactive[str] = reactive("")
    """The name of a model that is unloaded until the next message."""
    problem: reactive[str] = reactive("")
    """Why there is no model, in a few words."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pace = Pace()

    def on_mount(self) -> None:
        """Start a timer that keeps the download rate current: a stalled download sends no updates."""
        self.set_interval(TICK_SECONDS, self._tick)

    def show_use(self, use: WindowUse) -> None:
        self.used_tokens, self.budget, self.is_exact = use

    def watch_progress(self, progress: LoadProgress | None) -> None:
        if progress is not None:
            self._pace.note(progress)

    def render(self) -> Content:
        width, front = self.content_size.width, self.FRONT
        for left, right in self._forms():
            gap = width - front.cell_length - left.cell_length - right.cell_length
            if gap >= (len(_GAP) if right else 0):
                return Content.assemble(front, left, " " * gap, right)
        room = width - front.cell_length - right.cell_length - 1
        if room < 8:
            return left.truncate(width, ellipsis=True)
        return Content.assemble(front, left.truncate(room, ellipsis=True, pad=True), " ", right)

    def _tick(self) -> None:
        if self.progress is not None and self.progress.stage == "downloading":
            self.refresh()

    def _forms(self) -> list[tuple[Content, Content]]:
        if self.progress is not None:
            return self._loading_forms(self.progress)
        if self.asleep:
            long, short = (say(f"header.asleep{form}") for form in (".long", ""))
            forms = (_dotted(self.asleep, long), _dotted(self.asleep, short), Content(self.asleep))
            return [(form, Content()) for form in forms]
        if self.info is None:
            words = self.problem or say("header.no_model")
            style = "$text-error" if self.problem else "$text-muted"
            return [(Content.styled(words, style), Content())]
        model, meter = _model_forms(self.info), self._meter_forms(self.info)
        return [(model[min(i, len(model) - 1)], meter[min(j, 2)]) for i, j in _ORDER]

    def _loading_forms(self, progress: LoadProgress) -> list[tuple[Content, Content]]:
        """Return the forms while loading; figures matter more than the name, which the person has just chosen."""
        stage = stage_in_words(progress)
        short = Content(stage)
        long = _dotted(progress.name, stage) if progress.name else short
        esc = Content.styled(say("header.esc", key=key_of(self, "chat.stop")), "$text-muted")
        if not progress.total:
            return [(long, esc), (short, esc)]
        share = min(1.0, progress.done / progress.total)
        rate = self._pace.bytes_per_second
        amounts = amounts_in_words(progress, rate)
        percent = say("header.percent", count=int(100 * share))
        figures = [" · ".join(amounts[:count]) for count in range(len(amounts), 0, -1)]

        def end(text: str) -> Content:
            return Content("  ").join((Content.styled(text, "$text-muted"), _bar(share, "$text-accent"), esc))

        rich, bare = [end(text) for text in figures[:-1]], [end(figures[-1]), end(percent)]
        return [
            *((long, each) for each in rich[:2]),
            *((short, each) for each in rich[:2]),
            *((short, end(amounts_in_short(progress, rate))) for _ in rich[:1]),
            *((short, each) for each in rich[2:]),
            *((left, each) for each in bare for left in (long, short)),
            (short, esc),
        ]

    def _meter_forms(self, info: ModelInfo) -> list[Content]:
        used, window = self.used_tokens, info.context_window
        is_tight = used is not None and used >= NEARLY_FULL * (self.budget or window)
        figures = {"used": in_tokens(used, is_exact=self.is_exact), "window": in_tokens(window)}
        style = "$text-warning" if is_tight else "$text-muted"
        long = Content.styled(say("header.tokens", **figures), style)
        short = Content.styled(say("header.tokens.short", **figures), style)
        bar = _bar((used or 0) / window if window else 0.0, "$text-warning" if is_tight else "$text-accent")
        return [Content.assemble(long, "  ", bar), Content.assemble(short, "  ", bar), short]


class LoadLine(Header):
    """The progress or error of a load; hidden if there is neither."""

    FRONT: ClassVar[Content] = Content()
    DEFAULT_CSS: ClassVar[str] = """
    LoadLine {
        padding: 0 2;
        display: none;
        &.-shown { display: block; }
    }
    """

    def watch_progress(self, progress: LoadProgress | None) -> None:
        super().watch_progress(progress)
        self.watch_problem()

    def watch_problem(self) -> None:
        self.set_class(self.progress is not None or bool(self.problem), "-shown")


_ORDER = ((0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (3, 2))
"""Pairs of model form and meter form, from the longest to the shortest line."""


def _model_forms(info: ModelInfo) -> list[Content]:
    """Return the model with precision and device, in shorter and shorter forms down to its name."""
    if info.model == GUIDE:
        return [_dotted(say("header.guide"), info.device), Content(info.name)]
    if info.server:
        return [_dotted(info.name, info.device), Content(info.name)]
    held = {"4bit": "nf4", "8bit": "int8"}.get(info.quantization, info.dtype.removeprefix("torch."))
    precise = _dotted(info.name, held, info.device)
    forms = [precise, _dotted(info.name, held), Content(info.name)]
    if slowed(info) is None:
        return forms
    slow = Content.styled(
        say("header.slow", path=say(f"header.decoding.{info.decode_path}")), "$text-warning"
    )
    return [Content.assemble(precise, Content.styled(" · ", "$text-muted"), slow), *forms]


def _dotted(first: str, *others: str) -> Content:
    """Join parts with dots; only the first one has the foreground colour."""
    return Content.assemble(first, Content.styled("".join(f" · {part}" for part in others), "$text-muted"))


def _bar(share: float, style: str) -> Content:
    filled = min(BAR_CELLS, math.ceil(share * BAR_CELLS))
    return Content.assemble(
        Content.styled("▰" * filled, style), Content.styled("▱" * (BAR_CELLS - filled), "$text-disabled")
    )
