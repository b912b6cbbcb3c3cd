"""Make the pictures of the README from the running program: `python screenshots/make.py [NAME …]`.

Each picture is a story: the program is started on a pseudo-terminal of a given size, keys are typed, and what it
has drawn by then is painted cell by cell. Needs the `dev` extras, Pillow, and the fonts Fira Code, DejaVu Sans Mono
and Noto Sans Mono CJK (Debian: fonts-firacode, fonts-dejavu-core, fonts-noto-cjk).
"""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from pseudo_terminal import Terminal  # noqa: E402 - lies with the tests

CELL = (10, 21)
"""Width and height of one cell in pixels."""
BACKGROUND, FOREGROUND = "#121317", "#d8dadf"
FONT = "/usr/share/fonts/truetype/firacode/FiraCode-{weight}.ttf"
SIGNS_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
SIGNS = "▰▱▴⏎"
"""What Fira Code does not have."""
CJK_FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-{weight}.ttc"
BLOCKS = {"█": 8, "▉": 7, "▊": 6, "▋": 5, "▌": 4, "▍": 3, "▎": 2, "▏": 1}
"""Left blocks, and how many eighths of the cell they fill."""
MONO_CJK_INDEX = 7
"""Noto Sans Mono CJK SC within the collection."""


def paint(screen: pyte.Screen) -> Image.Image:
    """The screen as a picture; wide characters take two cells."""
    width, height = CELL
    image = Image.new("RGB", (screen.columns * width + 24, screen.lines * height + 24), BACKGROUND)
    draw = ImageDraw.Draw(image)
    signs = ImageFont.truetype(SIGNS_FONT, 15)
    fonts = {
        bold: (
            ImageFont.truetype(FONT.format(weight="Bold" if bold else "Regular"), 16),
            ImageFont.truetype(
                CJK_FONT.format(weight="Bold" if bold else "Regular"), 17, index=MONO_CJK_INDEX
            ),
        )
        for bold in (False, True)
    }
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            foreground, background = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
            if cell.reverse:
                foreground, background = background, foreground
            x, y = 12 + column * width, 12 + row * height
            wide = column + 1 < screen.columns and screen.buffer[row][column + 1].data == ""
            if cell.data:
                draw.rectangle((x, y, x + width * (2 if wide else 1) - 1, y + height - 1), fill=background)
            if cell.data in BLOCKS:  # drawn, so that they meet without gaps
                draw.rectangle(
                    (x, y, x + width * BLOCKS[cell.data] // 8 - 1, y + height - 1), fill=foreground
                )
            elif cell.data.strip():
                latin, cjk = fonts[cell.bold]
                font = cjk if wide or ord(cell.data[0]) > 0x2E7F else latin
                font = signs if cell.data in SIGNS else font
                anchor = x + width if wide else x
                draw.text(
                    (anchor, y + 16), cell.data, font=font, fill=foreground, anchor="ms" if wide else "ls"
                )
            if cell.underscore:
                draw.line((x, y + height - 3, x + width - 1, y + height - 3), fill=foreground)
    return image


_NAMED = {
    "black": "#1c1d21", "red": "#d0605e", "green": "#79a978", "brown": "#c9a35c", "blue": "#6a94c9",
    "magenta": "#a982b8", "cyan": "#6aa9ac", "white": "#d8dadf",
}  # fmt: skip


def _colour(name: str, otherwise: str) -> str:
    if name == "default":
        return otherwise
    return _NAMED.get(name) or (f"#{name}" if re.fullmatch("[0-9a-fA-F]{6}", name) else otherwise)


# --- The stories -----------------------------------------------------------------------------------------

F2, F3, F4, DOWN, BACK_TAB, CTRL_N = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[B", "\x1b[Z", "\x0e"


def ask(terminal: Terminal, data: Path, text: str) -> None:
    """Send a message and wait until its reply is finished and drawn."""
    before = finished_replies(data)
    terminal.type(text + "\r")
    terminal.until(lambda _: finished_replies(data) > before)
    terminal.settle(0.5)


def finished_replies(data: Path) -> int:
    """How many replies stand in the conversation files."""
    files = (data / "conversations").glob("[!.]*.json")
    return sum(file.read_text(encoding="utf-8").count('"role": "assistant"') for file in files)


def chat(data: Path) -> Terminal:
    """A talk about models."""
    terminal = started(120, 36, data)
    ask(terminal, data, "Hello, my name is Ada. What is a token?")
    ask(terminal, data, "And how much memory does a 7B model take in 4 bits?")
    ask(terminal, data, "Why does it remember what I said before?")
    ask(terminal, data, "What was my name?")
    return terminal


def chinese(data: Path) -> Terminal:
    """The follow-up question of the beginner's guide, in Chinese, on a small terminal."""
    terminal = started(80, 24, data)
    ask(terminal, data, "你好，我叫小明。")
    ask(terminal, data, "请介绍一下广州。")
    ask(terminal, data, "它有什么好吃的美食吗？")
    return terminal


def settings(data: Path) -> Terminal:
    """The settings, one of them set for this conversation and one being typed wrongly."""
    terminal = started(120, 36, data)
    ask(terminal, data, "What does temperature do?")
    for keys in (F2, DOWN, "0.9\r", DOWN, "7"):
        terminal.type(keys)
        terminal.settle()
    return terminal


def models(data: Path) -> Terminal:
    """The models to choose from, on a known one of which the weights do not fit whole."""
    terminal = started(104, 40, data)
    terminal.type(F4)
    terminal.until("Qwen2.5-14B-Instruct")
    terminal.type(DOWN * 5)
    terminal.until("14.8 B parameters")
    terminal.until("in bfloat16 it has 29.5 GB")  # the last line of what is drawn
    return terminal


def loading(data: Path) -> Terminal:
    """A message that waits for the model."""
    terminal = Terminal(100, 28, ["--model", "guide", "--device", "cpu"], data)
    terminal.until("Temperature")
    terminal.type("What is the KV cache?\r")
    terminal.until(lambda shown: all(words in shown for words in ("waiting", "KV cache", "Message…")))
    return terminal


def wide(data: Path) -> Terminal:
    """Everything at once on a large terminal."""
    terminal = started(160, 44, data)
    ask(terminal, data, "什么是量化？")
    terminal.type(CTRL_N)
    ask(
        terminal,
        data,
        "Sort this into sports, technology, politics or entertainment: The striker scored twice in the final.",
    )
    terminal.type(CTRL_N)
    ask(terminal, data, "What is the context window?")
    ask(terminal, data, "What happens when it is full?")
    return terminal


def variants(data: Path) -> Terminal:
    """The second of two answers, and what can be done to it."""
    terminal = started(100, 28, data)
    ask(terminal, data, "Hello, my name is Ada. What is a token?")
    ask(terminal, data, "How do I change an answer?")
    terminal.type(BACK_TAB)
    terminal.settle()
    terminal.type("r")
    terminal.until("2 / 2")
    terminal.until(lambda shown: shown.count("tok/s") == 2)
    terminal.settle(1.0)
    return terminal


def receipt(data: Path) -> Terminal:
    """How a reply came about, and that the same tokens come again."""
    terminal = started(100, 34, data)
    ask(terminal, data, "What is top-p?")
    terminal.type(BACK_TAB)
    terminal.settle()
    terminal.type("i")
    terminal.until("token ids")
    terminal.type("p")
    terminal.until("same tokens")
    terminal.settle()
    return terminal


def search(data: Path) -> Terminal:
    """Conversations in which a word was said."""
    terminal = started(150, 30, data)
    for text in ("What is a token?", "为什么要用 4-bit 量化？", "What is the context window?", "Why 4 bits?"):
        ask(terminal, data, text)
        terminal.type(CTRL_N)
        terminal.settle()
    terminal.type(F3)
    terminal.settle()
    terminal.type("/model")
    terminal.settle()  # not longer: the cursor of the field blinks
    return terminal


STORIES: dict[str, Callable[[Path], Terminal]] = {
    story.__name__: story
    for story in (chat, chinese, settings, models, loading, wide, variants, receipt, search)
}


def started(columns: int, rows: int, data: Path) -> Terminal:
    """The program with the guide, ready."""
    terminal = Terminal(columns, rows, ["--model", "guide", "--device", "cpu"], data)
    terminal.until("2,048 tokens")
    return terminal


def main(names: list[str]) -> None:
    """Make these pictures, or all."""
    for name in names or STORIES:
        with tempfile.TemporaryDirectory() as folder, STORIES[name](Path(folder) / "data") as terminal:
            paint(terminal.screen).save(HERE / f"{name}.png", optimize=True)
            print(HERE / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
