"""The tab Prompt: the text that the model reads, token by token, and how it fills the context window."""

from collections.abc import Sequence

from qwen_tui.engine.chat_format import ChatFormat
from qwen_tui.engine.inspection import PromptToken, PromptTokens
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import joined, say
from qwen_tui.ui.inside.budget import Budget, Share
from qwen_tui.ui.inside.page import Page, note
from qwen_tui.ui.inside.subject import Look, Prompted
from qwen_tui.ui.markdown.charts import bar, beside, padded
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.tokens import TokenText, pieces, visible
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import cells
from qwen_tui.wording.chat_template import SIGNS, template_findings

AUTHOR_INKS = {
    "template": "muted",
    "unasked": "warning",
    "system": "string",
    "user": "accent",
    "assistant": "",
}

SIGN_INKS = {"ok": "accent", "note": "warning", "fails": "error"}

_SIGN_CELLS = 2
_NAME_CELLS = 22
_COUNT_CELLS = 9


class PromptPage(Page):
    """A prompt as the model reads it."""

    name = "prompt"
    actions = frozenset(("earlier", "later", "template"))

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.is_bare = False
        """Whether the template is off."""
        self.at = 0
        """Index of the token looked at."""
        self._text: TokenText | None = None
        self._top = 0
        """The row in which the text begins."""
        self._laid_out: tuple[object, ...] = ()
        self._rows: list[Line] = []

    @property
    def tokens(self) -> Sequence[PromptToken]:
        """The tokens shown."""
        shown = self._shown
        return shown.tokens if shown is not None else ()

    @property
    def _shown(self) -> PromptTokens | None:
        prompt = self.look.prompt
        if not isinstance(prompt, Prompted):
            return None
        return prompt.bare if self.is_bare else prompt.text

    @property
    def _form(self) -> ChatFormat | None:
        info = self.look.subject.info if self.look.subject is not None else None
        return info.chat_format if info is not None else None

    def rows(self, width: int) -> Sequence[Line]:
        state = (self.look.prompt, self._form, self.is_bare, width)
        if self._laid_out != state:
            self._laid_out, self._rows = state, self._lay_out(width)
        return self._rows

    def _lay_out(self, width: int) -> list[Line]:
        self._text = None
        prompt = self.look.prompt
        if isinstance(prompt, QwenTuiError):
            return wrap([(str(prompt), "error")], width)
        shown = self._shown
        if prompt is None or shown is None:
            return note(
                "inside.reading" if self.look.subject and self.look.subject.engine else "inside.no_model",
                width,
            )
        self.at = max(0, min(self.at, len(shown.tokens) - 1))
        head = [*_facts(prompt, self.is_bare, width), *_legend(shown, width), BLANK]
        self._top = len(head)
        if not shown.tokens:
            return [*head, *note("inside.prompt.empty", width)]
        inks = [_ink(token) for token in shown.tokens]
        self._text = TokenText(pieces(token.text for token in shown.tokens), inks, width)
        below = [*budget_rows(prompt.budget, width), *template_rows(self._form, width)]
        return [*head, *self._text.lines, BLANK, *below]

    def highlighted(self, row: int) -> Line | None:
        text, inside = self._text, row - self._top
        if text is None or not 0 <= inside < len(text.lines) or not text.holds(inside, self.at):
            return None
        return text.chosen(inside, self.at)

    @property
    def cursor_row(self) -> int | None:
        if self._text is None:
            return None
        return 0 if self.at == 0 else self._top + self._text.row_of(self.at)

    def move(self, across: int, down: int) -> bool:
        if self._text is not None:
            if down:
                self.at = self._text.below(self.at, down)
            self.at = max(0, min(self.at + across, len(self.tokens) - 1))
        return False

    def click(self, row: int, column: int) -> bool:
        if self._text is not None and (found := self._text.token_at(row - self._top, column)) is not None:
            self.at = found
        return False

    def caption(self, width: int) -> Sequence[Line]:
        tokens = self.tokens
        if not tokens or self._text is None:
            return ()
        token = tokens[self.at]
        place = say("inside.token", number=self.at + 1, of=len(tokens), id=token.id)
        kind = say("inside.token.special") if token.is_special else ""
        return [
            Line(((text_of(token.text, width), "strong"),)),
            *wrap([(joined(place, kind), "muted")], width),
            *wrap([(joined(say(f"inside.author.{token.author}"), self._read()), "muted")], width),
        ]

    def _read(self) -> str:
        prompt = self.look.prompt
        if not isinstance(prompt, Prompted) or self.is_bare:
            return ""
        reused = prompt.budget.reused_tokens
        if reused is None:
            return say("inside.token.in_cache") if self.at < prompt.text.reused_tokens else ""
        return say("inside.token.reused" if self.at < reused else "inside.token.read")

    def switch_template(self) -> None:
        """Show the bare text instead of what the template makes of it, or the other way round."""
        self.is_bare = not self.is_bare
        self.at = 0


def text_of(text: bytes, width: int) -> str:
    """Return a token's text on one line, in quotation marks; as bytes if it is a part of a character."""
    try:
        shown = say("inside.token.text", text=visible(text.decode("utf-8")))
    except UnicodeDecodeError:
        shown = say("inside.token.bytes", bytes=text.hex(" ").upper())
    return shown if cells(shown) <= width else shown[: width - 1] + "…"


def _ink(token: PromptToken) -> str:
    ink = AUTHOR_INKS[token.author]
    return f"{ink} strong".strip() if token.is_special else ink


def _facts(prompt: Prompted, is_bare: bool, width: int) -> list[Line]:
    """Say how long the prompt is, what was in the cache, what was left out, and whether this is certain."""
    budget = prompt.budget
    if is_bare:
        return wrap([(say("inside.prompt.bare", tokens=len(prompt.bare.tokens)), "")], width)
    if budget.reused_tokens is None:
        said = say("inside.prompt.next", tokens=budget.prompt_tokens, reused=prompt.text.reused_tokens)
    else:
        read = budget.prompt_tokens - budget.reused_tokens
        said = say("inside.prompt.sent", tokens=budget.prompt_tokens, reused=budget.reused_tokens, read=read)
    rows = wrap([(said, "")], width)
    if budget.left_out is not None:
        out = budget.left_out
        said = say(f"inside.left_out.{out.reason}", count=out.messages, limit=out.limit)
        rows += wrap([(said, "warning")], width)
    if not prompt.is_as_sent:
        rows += note("inside.prompt.not_as_sent", width)
    if not prompt.text.is_exact:
        rows += note("inside.prompt.not_exact", width)
    return rows


def _legend(shown: PromptTokens, width: int) -> list[Line]:
    authors = {token.author for token in shown.tokens}
    runs = [
        (say(f"inside.legend.{author}") + "  ", ink)
        for author, ink in AUTHOR_INKS.items()
        if author in authors
    ]
    return wrap(runs, width) if runs else []


def budget_rows(budget: Budget, width: int) -> list[Line]:
    """Draw the context window as bars."""
    title = say("inside.budget", tokens=budget.window_tokens)
    room = max(4, width - _NAME_CELLS - _COUNT_CELLS - 2)
    rows = [Line(((title, "strong"),))]
    for share in budget.shares:
        ink = "muted" if share.name in ("free", "thoughts", "answer") else "accent"
        runs = (
            (padded(_named(share), _NAME_CELLS), "muted"),
            (f"{share.tokens:>{_COUNT_CELLS - 1},}  ", ""),
            (bar(share.tokens / max(1, budget.window_tokens), room), ink),
        )
        rows.append(Line(runs))
    return rows


def template_rows(form: ChatFormat | None, width: int) -> list[Line]:
    """Tick off what the chat template does; empty for a model without one, or whose template is not known."""
    if form is None:
        return []
    rows = [BLANK, Line(((say("inside.template"), "strong"),))]
    for finding in template_findings(form):
        sign = Line(((f"{SIGNS[finding.state]} ", SIGN_INKS[finding.state]),))
        words = wrap([(finding.sentence, "muted")], max(1, width - _SIGN_CELLS))
        rows += beside([sign], words, _SIGN_CELLS, gap=0)
    return rows


def _named(share: Share) -> str:
    return say(f"inside.budget.{share.name}", first=share.first, last=share.last)
