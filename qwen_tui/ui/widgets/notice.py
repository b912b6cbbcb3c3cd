"""The line above the composer that says what just happened or went wrong, until the next thing does."""

from typing import ClassVar

from textual.widgets import Static

from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import joined, say
from qwen_tui.ui.widgets.prose import Prose

MOST_ERRORS = 4
"""How many errors are named at once; the log file has them all."""


class Notice(Static):
    """A sentence or an error; takes no room while there is nothing to say."""

    DEFAULT_CSS: ClassVar[str] = """
    Notice {
        height: auto;
        max-height: 6;
        padding: 0 2;
        color: $text-muted;
        display: none;
        &.-shown { display: block; }
        &.-error { color: $text-error; }
    }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self.text = ""
        """What it says; empty while it says nothing."""
        self._topic = ""
        """What that is about."""

    def say(self, text: str, topic: str = "", *, seconds: float | None = None) -> None:
        """Show a sentence: for so long, or with a `topic` until `retract` says that it is no longer true."""
        self._show(text, topic, is_error=False)
        if seconds is not None:
            self.set_timer(seconds, lambda: self.retract(topic))

    def explain(self, *errors: QwenTuiError, topic: str = "") -> None:
        """Show an error: what happened and what to do. Of several, what each of the first few says.

        Of none it shows nothing.
        """
        if len(errors) == 1:
            title, sentence, hint = errors[0].explanation
            words = say("sentences.title", title=title, rest=joined(sentence, hint))
            self._show(words, topic, is_error=True)
            return
        sentences = [error.explanation.sentence for error in errors[:MOST_ERRORS]]
        if len(errors) > MOST_ERRORS:
            sentences.append(say("screen.more_problems", count=len(errors) - MOST_ERRORS))
        self._show("\n".join(sentences), topic, is_error=bool(errors))

    def tell(self, what: QwenTuiError | str | None, topic: str = "") -> None:
        """Show an error or a sentence; of None and of no words nothing, and what stands there stays."""
        if isinstance(what, QwenTuiError):
            self.explain(what, topic=topic)
        elif what:
            self.say(what, topic)

    @property
    def is_error(self) -> bool:
        return self.has_class("-error")

    def is_about(self, topic: str) -> bool:
        """Whether that is what it says something about now."""
        return self._topic == topic

    def retract(self, topic: str) -> None:
        """What was said about this is no longer true."""
        if self._topic == topic:
            self.clear()

    def clear(self) -> None:
        self._show("", "", is_error=False)

    def _show(self, text: str, topic: str, *, is_error: bool) -> None:
        self.text, self._topic = text, topic
        self.set_class(bool(text), "-shown")
        self.set_class(is_error, "-error")
        self.update(Prose(text))
