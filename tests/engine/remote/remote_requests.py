"""What is asked of the servers, and what comes of it."""

import threading

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Finished, PromptMessage, Request, Sampling, TextDelta, ThinkingDelta
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError

HELLO = Request(messages=(PromptMessage(Role.USER, "hello"),), sampling=Sampling(seed=3, max_new_tokens=50))


def reply(
    engine: RemoteEngine,
    request=HELLO,
    stop: threading.Event | None = None,
    began: threading.Event | None = None,
):
    """The text, the thinking and the run of a reply; `began` is set when there is text."""
    events = []
    for each in engine.stream(request, stop or threading.Event()):
        events.append(each)
        if began is not None and isinstance(each, TextDelta):
            began.set()
    text = "".join(each.text for each in events if isinstance(each, TextDelta))
    thinking = "".join(each.text for each in events if isinstance(each, ThinkingDelta))
    for each in events:
        if isinstance(each, Reread):
            thinking, text = each
    assert isinstance(events[-1], Finished)
    return text, thinking, events[-1].run


def failure(engine: RemoteEngine, request=HELLO) -> tuple[str, QwenTuiError]:
    """What came before a reply failed, and why it did."""
    text = ""
    try:
        for each in engine.stream(request, threading.Event()):
            text += each.text if isinstance(each, TextDelta) else ""
    except QwenTuiError as error:
        return text, error
    raise AssertionError("it did not fail")
