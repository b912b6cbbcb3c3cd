"""A small app around the log, and ways to look at it."""

from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from qwen_tui.chat.messages import Message, Role, Run
from qwen_tui.ui.transcript.message_keys import Requested
from qwen_tui.ui.transcript.message_log import MessageLog
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.transcript.pane import TranscriptPane

RUN = Run(model="Qwen/Qwen2.5-7B-Instruct", new_tokens=512, first_token_seconds=0.19, decode_seconds=3.6)


class LogHost(App[None]):
    """The pane with the log, of no conversation in particular, and a field that can have the focus instead."""

    def __init__(self) -> None:
        super().__init__()
        self.pane = TranscriptPane(None, None, None)
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.pane
        yield Input(id="elsewhere")

    async def on_mount(self) -> None:
        await self.pane.complete()
        self.log_.assistant_name = "Qwen"
        self.log_.focus()

    @property
    def log_(self) -> MessageLog:
        return self.pane.log_widget

    def on_message_log_requested(self, event: Requested) -> None:
        if event.action == "copy":
            self.copied.append(event.text)


class ViewHost(App[None]):
    """One message alone."""

    CSS = "MessageView { margin: 0; }"

    def __init__(self, view: MessageView) -> None:
        super().__init__()
        self.view = view

    def compose(self) -> ComposeResult:
        yield self.view


@asynccontextmanager
async def running(app: App[None], size: tuple[int, int] = (80, 24)):
    """The app at work."""
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[None]) -> None:
    """Until everything that was asked for is on the screen."""
    await pilot.pause()
    await pilot.pause()


def screen_rows(app: App[None]) -> list[str]:
    """What is on the screen, row by row, but for the column of the scrollbar."""
    strips = app.screen._compositor.render_strips()
    return [strip.crop(0, app.size.width - 1).text.rstrip() for strip in strips]


def screen_text(app: App[None]) -> str:
    """All that is on the screen."""
    return "\n".join(screen_rows(app))


def question(text: str = "a question") -> Message:
    return Message(role=Role.USER, content=text)


def reply(text: str = "an answer", **fields: object) -> Message:
    return Message(role=Role.ASSISTANT, content=text, **fields)


def talk(count: int) -> list[Message]:
    """A conversation of numbered messages of different heights."""
    return [
        question(f"question {number} " + "why? " * (number % 7 * 9))
        if number % 2 == 0
        else reply(
            f"answer {number}\n\n" + "- point\n" * (number % 5) + "\n广州美食。" * (number % 3),
            receipt=(RUN,),
        )
        for number in range(count)
    ]
