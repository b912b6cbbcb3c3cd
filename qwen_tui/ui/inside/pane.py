"""The panel of the view inside: five tabs on one reply of the conversation shown."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from qwen_tui.chat.cleaning import one_line
from qwen_tui.session.requests import Regenerate
from qwen_tui.strings import say
from qwen_tui.ui.inside.branch_page import BranchPage
from qwen_tui.ui.inside.compare import changed_since
from qwen_tui.ui.inside.heat_page import HeatPage
from qwen_tui.ui.inside.looking import Looking
from qwen_tui.ui.inside.memory_page import MemoryPage
from qwen_tui.ui.inside.page import Page
from qwen_tui.ui.inside.prompt_page import PromptPage
from qwen_tui.ui.inside.sampling_page import SamplingPage
from qwen_tui.ui.inside.sheet import FixedRows, Sheet, TabNames
from qwen_tui.ui.inside.subject import Subject
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.textual_patches.focus import focus_at_once
from qwen_tui.wording.cell_width import cells, cropped, displayed

LOOK_SECONDS = 1 / 8
"""How often the open panel looks at the chat."""

CAPTION_ROWS = 4
"""Height of the description below a tab; fixed, so that nothing jumps."""


class InsidePane(Vertical):
    """The tabs, the one in front, and a description of what is chosen in it.

    While it is closed it does nothing and keeps nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab('prompt')", say("inside.key.prompt"), id="inside.prompt", show=False),
        Binding("2", "tab('sampling')", say("inside.key.sampling"), id="inside.sampling", show=False),
        Binding("3", "tab('branch')", say("inside.key.branch"), id="inside.branch", show=False),
        Binding("4", "tab('heat')", say("inside.key.heat"), id="inside.heat", show=False),
        Binding("enter", "press('branch')", say("inside.key.go"), id="inside.go"),
        Binding("5", "tab('memory')", say("inside.key.memory"), id="inside.memory", show=False),
        Binding("enter", "press('pick')", say("inside.key.pick"), id="inside.pick"),
        Binding("enter", "press('round')", say("inside.key.round"), id="inside.round"),
        Binding("y", "press('choose')", say("inside.key.choose"), id="inside.choose"),
        Binding("f", "press('finish')", say("inside.key.finish"), id="inside.finish"),
        Binding("backspace", "press('undo')", say("inside.key.undo"), id="inside.undo"),
        Binding("plus,equals_sign", "press('more')", say("inside.key.more"), id="inside.more"),
        Binding("minus", "press('less')", say("inside.key.less"), id="inside.less"),
        Binding("backspace", "press('reset')", say("inside.key.reset"), id="inside.reset"),
        Binding("c", "press('compare')", say("inside.key.compare"), id="inside.compare"),
        Binding("u", "press('use')", say("inside.key.use"), id="inside.use"),
        Binding("l", "press('least')", say("inside.key.least"), id="inside.least"),
        Binding("r", "press('trace')", say("inside.key.trace"), id="inside.trace"),
        Binding("m", "press('colour')", say("inside.key.colour"), id="inside.colour"),
        Binding("p", "press('earlier')", say("inside.key.earlier"), id="inside.earlier"),
        Binding("n", "press('later')", say("inside.key.later"), id="inside.later"),
        Binding("t", "press('template')", say("inside.key.template"), id="inside.template"),
    ]

    DEFAULT_CSS = """
    InsidePane {
        height: 100%;
        & > #inside-title { height: 1; padding: 0 1; }
        & > #inside-caption { dock: bottom; height: 5; padding: 0 1; border-top: solid $foreground 15%; }
        & > Sheet { margin: 1 0 0 0; }
        &:ansi > #inside-caption { border-top: solid $border-blurred; }
    }
    """

    def __init__(
        self,
        subject: Callable[[], Subject],
        submit: Callable[[Regenerate], None],
        colour: Callable[[], None],
        *,
        id: str | None = None,
    ) -> None:
        """Create the panel.

        `subject` returns the state of the chat, `submit` asks for another variant of a reply, and `colour` colors
        the messages or stops it.
        """
        super().__init__(id=id)
        self._submit = submit
        self._colour = colour
        self._looking = Looking(subject, self.show)
        look = self._looking.look
        self._prompt, self._sampling, self._heat = PromptPage(look), SamplingPage(look), HeatPage(look)
        self._branch, self._memory = BranchPage(look), MemoryPage(look)
        pages = (self._prompt, self._sampling, self._branch, self._heat, self._memory)
        self._pages: dict[str, Page] = {page.name: page for page in pages}
        self.page: Page = self._prompt
        """The tab in front."""
        self._title = FixedRows(self._title_row, id="inside-title")
        self.keeps_tracing = False
        """Whether replies are also traced while the panel is closed, for a lesson."""
        self._names = TabNames(tuple(self._pages), self.action_tab)
        self._sheet = Sheet(self.tell)
        self._caption = FixedRows(self._caption_rows, id="inside-caption")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._names
        yield self._sheet
        yield self._caption

    def on_mount(self) -> None:
        self._timer = self.set_interval(LOOK_SECONDS, self._look_again, pause=True)

    def on_show(self) -> None:
        self._timer.resume()
        self._look_again()

    def on_hide(self) -> None:
        self._timer.pause()
        self._looking.forget(keeps_tracing=self.keeps_tracing)

    def _look_again(self) -> None:
        self._looking.again(self.page.name)

    # --- Showing -------------------------------------------------------------------------------------

    def show(self) -> None:
        """Lay everything out again, after what it looks at has changed."""
        self._title.lay_out_again()
        self._sheet.show(self.page)

    def tell(self) -> None:
        """Describe what is chosen now."""
        self._caption.lay_out_again()
        self.refresh_bindings()

    def _title_row(self, width: int) -> Sequence[Line]:
        look = self._looking.look
        if look.reply is None or look.subject is None:
            is_running = look.subject is not None and look.subject.session.streaming is not None
            words = say("inside.title.running" if is_running else "inside.title.next")
            return [Line(((cropped(words, width), "strong"),))]
        replies = look.subject.replies
        number = next((n for n, each in enumerate(replies, 1) if each.id == look.reply.id), 0)
        asked = next((m.content for m in look.subject.path if m.id == look.reply.parent), "")
        asked = displayed(one_line(asked, 80)) if asked else ""
        words = say("inside.title.reply", number=number, of=len(replies), words=asked)
        is_other = bool(changed_since(look.reply, look.subject.settings, look.subject.info))
        mark = "  " + say("inside.title.other_values") if is_other else ""
        return [Line(((cropped(words, max(1, width - cells(mark))), "strong"), (mark, "warning")))]

    def _caption_rows(self, width: int) -> list[Line]:
        rows = list(self.page.caption(width))[:CAPTION_ROWS]
        return rows + [BLANK] * (CAPTION_ROWS - len(rows))

    def go_to(self, tab: str, *, looks_ahead: bool = False) -> None:
        """Focus a tab; `looks_ahead` looks at the next message."""
        focus_at_once(self._sheet)
        if looks_ahead:
            self._look_again()
            self._looking.look_ahead()
        self.action_tab(tab)

    # --- Keys ----------------------------------------------------------------------------------------

    def action_tab(self, name: str) -> None:
        self.page = self._pages[name]
        self._names.show(name)
        self._look_again()
        self.show()

    def action_press(self, action: str) -> None:
        match action:
            case "earlier" | "later":
                self._looking.step(-1 if action == "earlier" else 1)
            case "template":
                self._prompt.switch_template()
            case "more" | "less":
                self._sampling.turn(1 if action == "more" else -1)
            case "reset":
                self._looking.look.trial.clear()
            case "use":
                self._looking.use_trial()
            case "trace":
                self._looking.trace_again()
            case "round":
                self._looking.measure_rounding(self._memory.matrix)
            case "choose":
                self._branch.begin_choosing()
            case "undo" if self._branch.choosing is not None:
                self._branch.choosing.undo()
            case "pick" if self._branch.choosing is not None:
                self._looking.pick(self._branch.choosing, self._branch.taken())
            case "branch" | "finish":
                self._start_branch()
            case "compare":
                self._start_comparison()
            case "colour":
                self._colour()
            case "least":
                self._heat.go_to_least()
        self._look_again()
        self.show()

    def _start_branch(self) -> None:
        """Have a variant written that begins with the reply so far and the chosen candidate, or with all picks."""
        look, candidate, choosing = self._looking.look, self._branch.candidate, self._branch.choosing
        if look.reply is None:
            return
        if choosing is not None:
            self._looking.given, ids = choosing.picked, choosing.ids
            self._branch.begin_choosing()  # which ends it
        elif candidate is not None:
            so_far = [i for run in look.reply.receipt for i in run.token_ids][: look.at]
            self._looking.given, ids = self._branch.given(), (*so_far, candidate.id)
        else:
            return
        self._submit(Regenerate(look.reply.id, ids))

    def _start_comparison(self) -> None:
        """Have a variant written with the tried values and the same seed, to be compared."""
        look = self._looking.look
        if look.reply is not None and look.reply.receipt and look.trial:
            values = {"greedy": None, **look.trial, "seed": look.reply.receipt[0].seed}
            self._submit(Regenerate(look.reply.id, (), tuple(values.items())))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable only the keys that do something on this tab."""
        return action != "press" or parameters[0] in self.page.enabled()
