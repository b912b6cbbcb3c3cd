"""Bytes from the terminal to keys and pastes."""

import pytest
from textual.events import Key, Paste
from textual.message import Message
from waiting import wait_for

import qwen_tui.ui.textual_patches.driver  # noqa: F401 - makes ESC CR alt+enter
from qwen_tui.ui.textual_patches.input_parser import HOLD_SECONDS, Keyboard


class Typist:
    """Feeds a keyboard by a clock of its own and notes what came of it: keys by name, pastes as `<text>`."""

    def __init__(self) -> None:
        self.now = 100.0
        self.keyboard = Keyboard(clock=lambda: self.now)
        self.seen: list[str] = []

    def feed(self, *pieces: str, after: float = 0.001) -> list[str]:
        for piece in pieces:
            self.now += after
            self._note(self.keyboard.feed(piece))
        return self.seen

    def wait(self, seconds: float = HOLD_SECONDS) -> list[str]:
        self.now += seconds
        self._note(self.keyboard.tick())
        return self.seen

    def _note(self, messages: object) -> None:
        for message in messages:  # type: ignore[attr-defined]
            assert isinstance(message, Message)
            if isinstance(message, Paste):
                self.seen.append(f"<{message.text}>")
            elif isinstance(message, Key):
                self.seen.append(message.character if message.is_printable else message.key)  # type: ignore[arg-type]


@pytest.fixture
def typist() -> Typist:
    return Typist()


def test_keys_pressed_one_after_the_other_are_keys(typist: Typist) -> None:
    assert typist.feed("h", "i", "\r", after=0.1) == ["h", "i", "enter"]


def test_a_commit_of_ten_chinese_characters_is_ten_characters(typist: Typist) -> None:
    assert typist.feed("中文中文中文中文中文") == list("中文中文中文中文中文")


@pytest.mark.parametrize("unseen", ["\u200c", "\u200d", "\u3000", "\xa0"])
def test_a_character_that_cannot_be_seen_is_text(typist: Typist, unseen: str) -> None:
    assert typist.feed("a", unseen, "b", after=0.1) == ["a", f"<{unseen}>", "b"]


def test_a_tab_among_text_that_came_at_once_is_text(typist: Typist) -> None:
    assert typist.feed("Ann\tx\t0.5") == []
    assert typist.wait() == ["<Ann\tx\t0.5>"]


@pytest.mark.parametrize("typed", ["ab\t", "\tab", "a\x1b[B\tb"])
def test_a_tab_beside_text_is_a_key(typist: Typist, typed: str) -> None:
    typist.feed(typed)
    assert "tab" in typist.wait()


def test_escape_and_return_together_are_alt_enter(typist: Typist) -> None:
    assert typist.feed("a\x1b\r", after=0.1) == ["a", "alt+enter"]


@pytest.mark.parametrize(
    ("sequence", "name"),
    [
        ("\x1b[13;2u", "shift+enter"),
        ("\x1b[13;5u", "ctrl+enter"),
        ("\x1b[27;2;13~", "shift+\r"),
        ("\n", "ctrl+j"),
    ],
)
def test_keys_for_a_new_line_are_told_apart(typist: Typist, sequence: str, name: str) -> None:
    assert typist.feed(sequence) == [name]


def test_a_bracketed_paste_is_one_paste_whatever_it_contains(typist: Typist) -> None:
    assert typist.feed("\x1b[200~red \x1b[31m\x1b]0;x\x07 text\r\nsecond\r\x1b[201~x", after=1) == [
        "<red \x1b[31m\x1b]0;x\x07 text\r\nsecond\r>",
        "x",
    ]


def test_a_bracketed_paste_may_be_cut_anywhere(typist: Typist) -> None:
    whole = "a\x1b[200~one\r\x1btwo\x1b[201~b"
    for first in range(1, len(whole) - 1):
        for second in range(first + 1, len(whole)):
            typist = Typist()
            typist.feed(whole[:first], whole[first:second], whole[second:])
            assert typist.wait() == ["a", "<one\r\x1btwo>", "b"], (first, second)


def test_a_bracketed_paste_arrives_one_character_at_a_time(typist: Typist) -> None:
    assert typist.feed(*"a\x1b[200~one\r\x1btwo\x1b[201~b") == ["a", "<one\r\x1btwo>", "b"]


def test_a_bracketed_paste_that_lost_its_end_is_given_up(typist: Typist) -> None:
    typist.feed("\x1b[200~half of it")
    assert typist.wait(2) == []
    assert typist.wait(2) == ["<half of it>"]
    assert typist.feed("x")[-1] == "x"


def test_nothing_behind_a_bracketed_paste_in_the_same_breath_sends(typist: Typist) -> None:
    typist.feed("\x1b[200~a\x1b[201~rm -rf\r\x1b[201~")
    assert "enter" not in typist.wait()


def test_enter_soon_after_a_bracketed_paste_is_enter(typist: Typist) -> None:
    typist.feed("\x1b[200~a\x1b[201~", "\r", after=0.02)
    assert typist.wait() == ["<a>", "enter"]


def test_several_lines_at_once_are_a_paste(typist: Typist) -> None:
    typist.feed("one\rtwo\r", after=1)
    assert typist.wait() == ["<one\rtwo\r>"]


def test_a_long_paste_without_brackets_is_one_paste(typist: Typist) -> None:
    typist.feed("one\rtwo", " and ", "\r", "three\r", "\r")
    assert typist.wait() == ["<one\rtwo and \rthree\r\r>"]


def test_an_unbracketed_paste_in_pieces_never_sends() -> None:
    whole = "first line\rsecond line\r\rlast\r"
    for first in range(1, len(whole) - 1):
        for second in range(first + 1, len(whole)):
            typist = Typist()
            typist.feed(whole[:first], whole[first:second], whole[second:])
            seen = typist.wait()
            kept = "".join(s[1:-1] if s.startswith("<") else s for s in seen)
            assert kept.removesuffix("enter").rstrip("\r") == whole.rstrip("\r"), (first, second, seen)
            assert "enter" not in seen[:-1], (first, second, seen)


def test_an_unbracketed_paste_one_character_at_a_time_is_not_sent_before_its_end(typist: Typist) -> None:
    typist.feed(*"one\rtwo\rthree")
    assert "enter" not in typist.wait()


def test_an_unbracketed_paste_with_escape_sequences_is_a_paste(typist: Typist) -> None:
    typist.feed("one\r\x1b[31mtwo\x1b[0m\r", after=1)
    assert typist.wait() == ["<one\r\x1b[31mtwo\x1b[0m\r>"]


def test_a_line_and_an_enter_at_once_are_typed_ahead(typist: Typist) -> None:
    assert typist.feed("hello\r", after=1) == list("hello")
    assert typist.wait() == [*"hello", "enter"]


def test_a_long_line_at_once_is_a_paste_and_its_enter_still_an_enter(typist: Typist) -> None:
    typist.feed("x" * 100 + "\r", after=1)
    assert typist.wait() == [f"<{'x' * 100}>", "enter"]


def test_keys_that_move_are_not_text(typist: Typist) -> None:
    typist.feed("ok\r\x1b[A\x1b[B", after=1)
    assert typist.wait() == ["o", "k", "enter", "up", "down"]


def test_esc_alone_is_escape_after_a_moment() -> None:
    keyboard = Keyboard()  # Textual's parser measures this moment by the real clock
    assert list(keyboard.feed("\x1b")) == []
    assert keyboard.is_waiting
    (key,) = wait_for(lambda: list(keyboard.tick()))
    assert isinstance(key, Key)
    assert key.key == "escape"
