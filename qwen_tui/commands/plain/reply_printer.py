"""Print a reply while it streams: a heading in brackets before the thoughts, another before the answer."""

from collections.abc import Callable

from qwen_tui.chat.messages import Message
from qwen_tui.session.streaming_reply import Place, StreamingReply
from qwen_tui.strings import say


class ReplyPrinter:
    """Writes the new part of one reply at every look, and at its end what is still missing."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._place = Place()
        self._thinking = ""
        self._answer = ""
        self._last = "\n"
        self._has_heading = False

    def look(self, streaming: StreamingReply) -> None:
        """Print what was added since the last look."""
        news = streaming.since(self._place)
        self._place = news.place
        self._think(news.thinking)
        self._say(news.text)

    def end(self, reply: Message, begun: Message | None) -> None:
        """Print the rest of an ended reply, and end its line.

        `begun` is the reply before this run. An engine may divide a text into thoughts and answer only at its
        end: then the answer is printed again, whole.
        """
        thinking = reply.thinking.removeprefix(begun.thinking if begun is not None else "")
        answer = reply.content.removeprefix(begun.content if begun is not None else "")
        if answer.startswith(self._answer):
            if thinking.startswith(self._thinking):
                self._think(thinking[len(self._thinking) :])
            self._say(answer[len(self._answer) :])
        else:
            self._heading("plain.answer")
            self._put(answer)
        self.end_line()

    def end_line(self) -> None:
        """End the line, if it has begun."""
        if self._last != "\n":
            self._put("\n")

    def _think(self, text: str) -> None:
        if text and not self._thinking:
            self._heading("plain.thinking")
        self._thinking += text
        self._put(text)

    def _say(self, text: str) -> None:
        if text and not self._answer and self._has_heading:
            self._heading("plain.answer")
        self._answer += text
        self._put(text)

    def _heading(self, code: str) -> None:
        self.end_line()
        self._has_heading = True
        self._put(f"{say(code)}\n")

    def _put(self, text: str) -> None:
        if text:
            self._last = text[-1]
            self._write(text)
