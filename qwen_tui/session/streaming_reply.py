"""A reply while it is written: its text and thinking so far, and how it ended."""

from dataclasses import replace

from qwen_tui.chat.cleaning import Cleaner
from qwen_tui.chat.messages import Message, Role, Run, Status
from qwen_tui.engine.base import Request
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.prompt_plan import Plan

_STATUS = {"length": Status.LENGTH, "stopped": Status.STOPPED}
"""How a reply ends that does not end by itself."""


class Growing:
    """Takes what the model writes, cleaned where it enters, and gives the reply as it stands."""

    def __init__(self, begun: Message, planned: Plan) -> None:
        """`begun` is the reply as it is before this run: empty, or with the text that is continued."""
        self._reply = begun
        self._planned = planned
        self._text = [begun.content]
        self._thinking = [begun.thinking]
        self._text_cleaner, self._thinking_cleaner = Cleaner(), Cleaner()

    def add_text(self, delta: str) -> str:
        """More of the answer; returns what of it may be shown."""
        self._text.append(self._text_cleaner.feed(delta))
        return self._text[-1]

    def add_thinking(self, delta: str) -> str:
        """More of the thinking; returns what of it may be shown."""
        self._thinking.append(self._thinking_cleaner.feed(delta))
        return self._thinking[-1]

    def finish(self, run: Run) -> None:
        """The model has ended; its run gets what only this side knows of the prompt."""
        begun = self._reply
        run = replace(
            with_prompt(run, self._planned.request),
            first_sent=self._planned.first_sent,
            content_start=len(begun.content),
            thinking_start=len(begun.thinking),
        )
        status = _STATUS.get(run.stop_reason, Status.COMPLETE)
        self._reply = replace(begun, status=status, receipt=(*begun.receipt, run))

    def fail(self, error: QwenTuiError) -> None:
        """The model could not go on."""
        self._reply = replace(self._reply, status=Status.FAILED, error=error)

    def reply(self) -> Message:
        """The reply as it stands; what the cleaners still held back is let go."""
        self._text.append(self._text_cleaner.flush())
        self._thinking.append(self._thinking_cleaner.flush())
        return replace(self._reply, content="".join(self._text), thinking="".join(self._thinking))


def with_prompt(run: Run, request: Request) -> Run:
    """A run with what was asked of the model beside the conversation."""
    first = request.messages[0]
    system_prompt = first.content if first.role is Role.SYSTEM else ""
    return replace(run, system_prompt=system_prompt, thinking=request.thinking)
