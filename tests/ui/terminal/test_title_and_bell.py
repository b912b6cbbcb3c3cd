"""The terminal's title, and the bell."""

import pytest
from textual.events import AppBlur, AppFocus

from qwen_tui.chat.messages import Message, Role, Run, Status
from qwen_tui.ui.terminal.title_and_bell import rings, title
from qwen_tui.ui.textual_patches.driver import ChatDriver


def reply(seconds: float, status: Status = Status.COMPLETE) -> Message:
    run = Run(model="m", device="cpu", first_token_seconds=1.0, decode_seconds=seconds - 1)
    return Message(role=Role.ASSISTANT, content="done", status=status, receipt=(run,))


def test_the_title_is_the_name_and_no_control_of_the_terminal() -> None:
    assert title("Rivers", is_busy=False) == "\x1b]2;Rivers · qwen-tui\x07"
    assert title("", is_busy=True) == "\x1b]2;● qwen-tui\x07"
    hostile = title("a\x1b]52;c;eA==\x07b\n\x9cc\u202e" + "长" * 200, is_busy=False)
    assert hostile[4:-1].isprintable()
    assert len(hostile) < 100


@pytest.mark.parametrize(
    ("bell", "has_focus", "expected"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("auto", None, False),
        ("always", True, True),
        ("always", None, True),
        ("never", False, False),
    ],
)
def test_a_long_reply_rings_where_nobody_looks(bell: str, has_focus: bool | None, expected: bool) -> None:
    assert rings(reply(12), bell, has_focus) is expected
    assert rings(reply(12, Status.FAILED), bell, has_focus) is expected
    assert not rings(reply(3), bell, has_focus)
    assert not rings(reply(12, Status.STOPPED), bell, has_focus)
    assert not rings(Message(role=Role.ASSISTANT, content=""), bell, has_focus)


def test_the_focus_is_noted_and_restyles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[object] = []
    monkeypatch.setattr(ChatDriver.__base__, "process_message", lambda _, message: passed.append(message))
    monkeypatch.setattr(ChatDriver, "has_focus", None)
    driver = object.__new__(ChatDriver)
    for message, has_focus in ((AppBlur(), False), (AppFocus(), True)):
        driver.process_message(message)
        assert ChatDriver.has_focus is has_focus
    assert passed == []
