"""The notice above the message box: what just happened or went wrong, until the next event."""

from typing import ClassVar

from textual.widgets import Static

from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import joined, say
from qwen_tui.ui.widgets.prose import Prose

MOST_ERRORS = 4
"""How many errors are shown at once."""


class Notice(Static):
    """A sentence or an error; hidden while empty."""

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
        """The shown text, or empty."""
        self._topic = ""
        """The topic of the shown text."""

    def say(self, text: str, topic: str = "", *, seconds: float | None = None) -> None:
        """Show a sentence, for a number of seconds, or with a `topic` until it is retracted."""
        self._show(text, topic, is_error=False)
        if seconds is not None:
            self.set_timer(seconds, lambda: self.retract(topic))

    def explain(self, *errors: QwenTuiError, topic: str = "") -> None:
        """Show one error with its title, sentence and hint, or the sentences of the first few of several errors.

        Without errors, keeps what is shown.
        """
        if not errors:
            return
        if len(errors) == 1:
            title, sentence, hint = errors[0].explanation
            words = say("sentences.title", title=title, rest=joined(sentence, hint))
            self._show(words, topic, is_error=True)
            return
        sentences = [error.explanation.sentence for error in errors[:MOST_ERRORS]]
        if len(errors) > MOST_ERRORS:
            sentences.append(say("screen.more_problems", count=len(errors) - MOST_ERRORS))
        self._show("\n".join(sentences), topic, is_error=True)

    def tell(self, what: QwenTuiError | str | None, topic: str = "") -> None:
        """Show an error or a sentence; for None or an empty text, keep what is shown."""
        if isinstance(what, QwenTuiError):
            self.explain(what, topic=topic)
        elif what:
            self.say(what, topic)

    @property
    def is_error(self) -> bool:
        return self.has_class("-error")

    def is_about(self, topic: str) -> bool:
        """Return whether the shown text is about this topic."""
        return self._topic == topic

    def retract(self, topic: str) -> None:
        """Clear the notice if it is about this topic."""
        if self._topic == topic:
            self.clear()

    def clear(self) -> None:
        self._show("", "", is_error=False)

    def _show(self, text: str, topic: str, *, is_error: bool) -> None:
        self.text, self._topic = text, topic
        self.set_class(bool(text), "-shown")
        self.set_class(is_error, "-error")
        self.update(Prose(text))
