"""Render a growing Markdown text: closed blocks are laid out once, and only the open end is parsed again.

A token therefore costs the same however long the text is. Parsing in parts gives the same result as parsing
the whole, with few exceptions (highlighting across two windows of code, the columns of a long table, markup
across the parts of a very long paragraph); `finish` lays the whole text out again, so the final lines are
those of `render`.
"""

from collections.abc import Sequence

from qwen_tui.ui.markdown.document import MOST_CHARACTERS, MOST_LINES, render
from qwen_tui.ui.markdown.layout import block_lines
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.parsing.blocks import Block, Code, List, Quote
from qwen_tui.ui.markdown.parsing.parse import Parsed, parse
from qwen_tui.ui.markdown.plain import PlainStream
from qwen_tui.ui.markdown.streaming.close_markup import closing_of
from qwen_tui.ui.markdown.streaming.commit import commit_paragraph, commit_part, start_of_line
from qwen_tui.ui.markdown.streaming.resume import Resumed

_LONG_END = 5000
"""An open end longer than this, in characters, is laid out again only after growing by a thirty-second."""


class Stream:
    """The lines of a growing text; `append` and `finish` return the index of the first changed line."""

    def __init__(self, width: int) -> None:
        self.lines: list[Line] = []
        """All lines so far."""
        self._width = width
        self._source: list[str] = []
        self._done = 0
        """How many of the lines are final."""
        self._end = ""
        """The source after the final lines."""
        self._resumed: Resumed | None = None
        self._laid_out = 0
        """The length of `_end` when it was last laid out."""
        self._characters = self._source_lines = 0
        self._rest: PlainStream | None = None
        """The rest beyond the Markdown limits (see `document`), shown from line `_done` on."""

    @property
    def source(self) -> str:
        if len(self._source) > 1:
            self._source = ["".join(self._source)]
        return self._source[0] if self._source else ""

    @property
    def open_length(self) -> int:
        """Number of characters at the end of the source whose meaning may still change."""
        return len(self._end)

    def append(self, text: str) -> int:
        if not text:
            return len(self.lines)
        self._source.append(text)
        if self._rest is not None:
            return self._append_plain(text)
        self._end += text
        changed = self._lay_out()
        self._characters += len(text)
        self._source_lines += text.count("\n")
        is_long = self._characters > MOST_CHARACTERS or self._source_lines > MOST_LINES
        if is_long and self._end.endswith("\n"):
            self._done = len(self.lines)
            self._rest = PlainStream(self._width)
        return changed

    def _append_plain(self, text: str) -> int:
        rest = self._rest
        assert rest is not None
        before = len(rest.lines)
        rest.append(text)
        self.lines[self._done :] = [BLANK, *rest.lines]
        return self._done + max(0, before - 1)

    def finish(self) -> int:
        """Lay out the complete text again, once nothing more will be added."""
        before, self.lines = self.lines, render(self.source, self._width)
        return _first_difference(before, self.lines, 0)

    def _lay_out(self) -> int:
        if not self._resumed:
            self._end = self._end.lstrip("\n")
        if self._laid_out > _LONG_END and len(self._end) - self._laid_out < self._laid_out // 32:
            return len(self.lines)
        since = self._done
        before = self.lines[since:]
        if "\n" in self._end:
            self._commit_blocks()
        if (part := commit_paragraph(self._end, self._resumed, self._width)) is not None:
            self._leave(*part)
        self.lines[self._done :] = self._end_lines()
        self._laid_out = len(self._end)
        return _first_difference(before, self.lines, since)

    def _commit_blocks(self) -> None:
        """Commit every closed block, and what is final of the last one.

        Only complete lines count: `#` alone is a heading, but `#5` is not.
        """
        complete = self._end[: self._end.rindex("\n") + 1]
        prefix = self._resumed.prefix if self._resumed else ""
        blocks = parse(prefix + complete)
        if not blocks:
            return
        last = blocks[-1]
        at = max(0, start_of_line(prefix + complete, last.start) - len(prefix))
        if len(blocks) > 1:
            self._leave(self._laid(blocks[:-1]), at, None)
        else:
            self._end = self._end[at:]
        part = commit_part(last, complete[at:], self._resumed, self._width)
        if part is not None:
            self._leave(*part)

    def _leave(self, lines: list[Line], source_length: int, resumed: Resumed | None) -> None:
        gap = [BLANK] if self._done and self._resumed is None else []
        self.lines[self._done :] = gap + lines
        self._done = len(self.lines)
        self._end = self._end[source_length:]
        self._resumed = resumed

    def _end_lines(self) -> list[Line]:
        prefix = self._resumed.prefix if self._resumed else ""
        blocks = parse(prefix + self._end)
        if blocks and not _ends_in_code(blocks[-1].block) and (closing := closing_of(self._end)):
            blocks = parse(prefix + self._end + closing)
        lines = self._laid(blocks)
        return [BLANK, *lines] if self._done and self._resumed is None and lines else lines

    def _laid(self, blocks: list[Parsed]) -> list[Line]:
        lines: list[Line] = []
        for number, parsed in enumerate(blocks):
            resumed = self._resumed if number == 0 else None
            rest = resumed.lines(parsed.block, self._width) if resumed is not None else None
            if rest is None:
                gap = [BLANK] if number or resumed is not None else []
                rest = [*gap, *block_lines(parsed.block, self._width)]
            lines.extend(rest)
        return lines


def _ends_in_code(block: Block) -> bool:
    while isinstance(block, Quote | List):
        blocks = block.blocks if isinstance(block, Quote) else block.items[-1].blocks
        if not blocks:
            return False
        block = blocks[-1].block
    return isinstance(block, Code)


def _first_difference(before: Sequence[Line], after: Sequence[Line], since: int) -> int:
    """Return the index of the first line that differs; `before` starts at line `since`."""
    for index, line in enumerate(before, since):
        if index >= len(after) or line != after[index]:
            return index
    return since + len(before)
