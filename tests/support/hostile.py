"""Text that tries to control the terminal, and what of the program's output is neither text nor its own."""

import re

MARK = "4242"
"""Stands in hostile sequences that are otherwise such as the program writes itself; it never writes this number."""

SEQUENCE = re.compile(rb"\x1b\[([<>=?]?)([0-9;:]*)([ !\"$']?)([@-~])")
"""A control sequence: private marker, parameters, intermediate, final byte."""

OWN = {
    b"m": "colours",
    b"H": "cursor position",
    b"A": "cursor up",
    b"B": "cursor down",
    b"C": "cursor right",
    b"D": "cursor left",
    b"J": "erase",
    b"K": "erase",
    b"h": "modes",
    b"l": "modes",
    b"u": "keyboard protocol",
    b"p": "question about a mode",
    b"c": "question about the terminal",
    b"t": "question about the size",
    b"q": "cursor shape",
}
OWN_MODES = {1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2031, 2048, 25, 7}

OWN_STRING = re.compile(rb"\x1b\](?:22;[a-z-]+|2;[^\x00-\x1f\x7f]*qwen-tui)\x07")
"""The shape of the mouse pointer, and the title."""

HOSTILE = {
    "title": "\x1b]0;owned\x07after",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07after",
    "clipboard, ended otherwise": "\x1b]52;c;b3duZWQ=\x1b\\after",
    "C1 clipboard": "\x9d52;c;b3duZWQ=\x9cafter",
    "alternate screen left": "\x1b[?1049lafter",
    "mouse off": "\x1b[?1000l\x9b?1003lafter",
    "reset": "\x1bcafter\x1b[!p",
    "device control": "\x1bP+q544e\x1b\\after\x90$q\x9c",
    "private message": "\x1b^pm\x1b\\\x1b_apc\x1b\\\x1bXsos\x1b\\",
    "questions": "\x1b[6n\x1b[c\x1b[>q\x05",
    "never ended": "\x1b]8;;http://example.invalid",
    "colours and cursor": f"\x1b[{MARK}mred\x1b[{MARK};1Hmoved\x1b[{MARK}Jgone\x9b{MARK}m\x1b[{MARK}t",
    "link": "\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\",
    "control characters": "a\x00b\x07c\x08d\x0be\x0cf\x0eg\x0fh\x7fi\x85j\x84k",
    "carriage returns": "first\rsecond\r\nthird",
    "directions": "abc \u202edcba\u202c \u2066x\u2069 \u200f\u200e",
    "markup": "[red]no[/red] [@click=app.quit]x[/] [link='a']b[/link] [/] [bold",
    "zero width": "a" + "\u200b\u200d\u0301" * 3000 + "b",
    "tags": "a\U000e0041\U000e0042b\ufeffc",
    "a megabyte without a space": "x" * 1_000_000,
    "quotes": ">" * 10_000 + " deep",
    "open fence": "```python\n\x1b[31mprint(1)",
    "entities": "&#27;[31mred&#x9b;31m&NewLine;",
    "lone surrogate": "a\ud800b",
}


def control_of(raw: bytes) -> tuple[list[str], str]:
    """What is neither text nor a sequence of the program's own, and all of the text."""
    raw = OWN_STRING.sub(b"", raw)
    strange: list[str] = []
    text: list[str] = []
    at = 0
    for match in SEQUENCE.finditer(raw):
        text.append(raw[at : match.start()].decode("utf-8"))
        at = match.end()
        marker, parameters, _, final = match.groups()
        if final not in OWN or MARK.encode() in parameters:
            strange.append(repr(match.group()))
        elif marker == b"?" and final in (b"h", b"l"):
            unknown = [number for number in parameters.split(b";") if int(number) not in OWN_MODES]
            strange += [repr(match.group())] if unknown else []
    text.append(raw[at:].decode("utf-8"))
    whole = "".join(text)
    strange += [
        repr(found)
        for found in re.findall(r"\x1b.{0,20}|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]", whole)
    ]
    strange += [repr(found) for found in re.findall(r"[\u202a-\u202e\u2066-\u2069\u200e\u200f]", whole)]
    return strange, whole
