"""Parse a Markdown text to blocks."""

import re
from dataclasses import dataclass, replace

from markdown_it.token import Token

from qwen_tui.ui.markdown.lines import Run
from qwen_tui.ui.markdown.parsing.blocks import (
    AsWritten,
    Block,
    Code,
    Heading,
    Item,
    List,
    Paragraph,
    Placed,
    Quote,
    Rule,
    Table,
)
from qwen_tui.ui.markdown.parsing.inline import runs_of, with_breaks
from qwen_tui.ui.markdown.parsing.syntax import parser
from qwen_tui.wording.cell_width import displayed


@dataclass(frozen=True, slots=True)
class Parsed:
    """A top-level block and its position in the parsed text."""

    block: Block
    start: int
    """Its first line, counted from 0."""
    item_starts: tuple[int, ...] = ()
    """For a list, the first line of each item."""


def parse(source: str) -> list[Parsed]:
    """Parse a text to blocks. Lines are counted by LF alone, so a remaining CR is read as a space."""
    source = source.replace("\r", " ")
    return _Reader(parser().parse(source), source.split("\n")).blocks()


class _Reader:
    """Walks markdown-it's flat list of tokens."""

    def __init__(self, tokens: list[Token], lines: list[str]) -> None:
        self._tokens = tokens
        self._lines = lines
        self._at = 0
        self._lists = 0
        self._item_starts: list[int] = []

    def blocks(self) -> list[Parsed]:
        result: list[Parsed] = []
        while self._at < len(self._tokens):
            start = (self._tokens[self._at].map or [0])[0]
            block = self._block()
            items = tuple(self._item_starts) if isinstance(block, List) else ()
            result.append(Parsed(block, start, items))
        return result

    def _block(self) -> Block:
        token = self._next()
        match token.type:
            case "paragraph_open":
                return Paragraph(self._inline_until_close())
            case "heading_open":
                return Heading(int(token.tag[1]), self._inline_until_close())
            case "fence" | "code_block":
                words = token.info.split()
                text = token.content.removesuffix("\n")
                return Code(words[0] if words else "", text, " ".join(words))
            case "as_written":
                return AsWritten(displayed(token.content))
            case "hr":
                return Rule()
            case "blockquote_open":
                return Quote(self._placed("blockquote_close"))
            case "bullet_list_open" | "ordered_list_open":
                return self._list(token)
            case "table_open":
                return self._table()
            case _:
                return Paragraph(((token.content, ""),))

    def _inline_until_close(self) -> tuple[Run, ...]:
        runs = runs_of(self._next().children or [])
        self._next()
        return runs

    def _placed(self, closing: str) -> tuple[Placed, ...]:
        placed: list[Placed] = []
        while self._tokens[self._at].type != closing:
            line = (self._tokens[self._at].map or [0])[0]
            block = self._block()
            placed.append(Placed(block, bool(placed) and self._is_gap(line)))
        self._next()
        return tuple(placed)

    def _list(self, opening: Token) -> List:
        start = int(opening.attrs.get("start", 1)) if opening.type == "ordered_list_open" else None
        level, self._lists = self._lists, self._lists + 1
        items: list[Item] = []
        starts: list[int] = []
        while self._tokens[self._at].type == "list_item_open":
            token = self._next()
            line = (token.map or [0])[0]
            starts.append(line)
            blocks = self._placed("list_item_close")
            number = int(token.info) if start is not None else None
            items.append(_as_task(Item(blocks, bool(items) and self._is_gap(line), number=number)))
        self._next()
        self._lists = level
        self._item_starts = starts
        return List(tuple(items), start, level, opening.markup)

    def _table(self) -> Table:
        rows: list[tuple[tuple[Run, ...], ...]] = []
        aligns: list[str] = []
        cells: list[tuple[Run, ...]] = []
        while (token := self._next()).type != "table_close":
            if token.type in ("th_open", "td_open"):
                if token.type == "th_open":
                    style = str(token.attrs.get("style", ""))
                    aligns.append(style.removeprefix("text-align:") or "left")
                cells.append(with_breaks(runs_of(self._next().children or [])))
            elif token.type == "tr_close":
                rows.append(tuple(cells))
                cells = []
        return Table(rows[0], tuple(rows[1:]), tuple(aligns))

    def _is_gap(self, line: int) -> bool:
        """Return whether the line before this one is empty, apart from the bars of a quote."""
        return line > 0 and not self._lines[line - 1].strip(" \t>")

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]


_TASK = re.compile(r"\[([ xX])\] ")


def _as_task(item: Item) -> Item:
    first = item.blocks[0].block if item.blocks else None
    if not isinstance(first, Paragraph) or not first.runs:
        return item
    text, ink = first.runs[0]
    match = _TASK.match(text)
    if match is None:
        return item
    runs = ((text[match.end() :], ink), *first.runs[1:])
    blocks = (replace(item.blocks[0], block=Paragraph(runs)), *item.blocks[1:])
    return replace(item, blocks=blocks, ticked=match[1] != " ")
