"""Markdown documents for tests: pieces that Hypothesis puts together, and long ones of a kind."""

from hypothesis import strategies as st

_LINES = [
    "# Heading\n", "para with **bold** words\n", "中文段落，测试。\n", "\n", "\n", "- item\n", "- two **b** `c`\n",
    "  - nested\n", "1. one\n", "2. two\n", "   more\n", "```python\n", "def f():\n", "    return 1\n", "```\n",
    "> quote\n", "> - in it\n", "| a | 中 |\n", "|---|---|\n", "| 1 | two words |\n", "---\n", "===\n",
    "    code\n", "* star\n", "text", "**", " ", "`", "#", "-", "1", "\n\n", "[x](y)", "$a_b$", "<b>", "~~",
    "lazy\n", "+ plus\n", "![i](u)", "word " * 40 + "\n", "[1]: http://x\n", "\\", "&amp;", "👩‍💻", "　", "—",
    "$$\n", "\\[\n", "\\]\n", "x**2 ", "*a*", "2*3 ", "```md\n", "3. three\n", ">>> print\n", "~~x。~~中",
    "| x | y | z |\n",
]  # fmt: skip

documents = st.lists(st.sampled_from(_LINES) | st.text(max_size=3), max_size=30).map("".join)
"""Texts in which every construct meets every other."""

sizes = st.lists(st.integers(1, 60), min_size=1, max_size=30)
"""How a text is cut into deltas, over and over."""

PROSE = "The quick brown fox jumps over the lazy dog and **runs** away from `code` quickly. " * 6 + "\n\n"
CJK = "广州是一座历史悠久的城市，美食之都的称号当之无愧，早茶是广州人的生活方式。" * 4 + "\n\n"

KINDS = {
    "prose": ("", PROSE),
    "one paragraph": ("", PROSE.strip() + " "),
    "CJK": ("", CJK),
    "CJK, one paragraph": ("", CJK.strip()),
    "bullet list": ("", "- an item of a list with **bold** words and more\n"),
    "ordered list": ("", "1. an item of a list with words\n"),
    "two levels": ("", "- an outer item\n  - an inner item with **bold** words\n"),
    "python fence": ("```python\ndef f():\n", "    result = compute(value, other_value)  # comment\n"),
    "plain fence": ("```\n", "some output that no lexer knows 12345\n"),
    "table": ("| a | b | c |\n|---|---|---|\n", "| alpha beta | 广州美食 | 12345 |\n"),
}
"""What a long reply may consist of: how it begins, and what is repeated."""


def of_kind(kind: str, length: int) -> str:
    """A text of at least `length` characters."""
    head, unit = KINDS[kind]
    return head + unit * (length // len(unit) + 1)


def cut(text: str, lengths: list[int]) -> list[str]:
    """The text in pieces of these lengths, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(text):
        size = lengths[turn % len(lengths)]
        pieces.append(text[at : at + size])
        at, turn = at + size, turn + 1
    return pieces
