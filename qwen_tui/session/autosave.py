"""Keeping on disk what the person has, second by second, and saying when that fails and when it works again."""

from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.strings import say


class Autosave:
    """Saves conversations and drafts that have changed; what cannot be saved is tried again."""

    def __init__(self, library: Library, drafts: DraftKeeper) -> None:
        self._library = library
        self._drafts = drafts
        self.problem: QwenTuiError | None = None
        """Why something could not be saved when that was last tried."""
        self._has_warned = False

    def keep(self) -> QwenTuiError | str | None:
        """Save everything; returns what is to be said: an error when that begins to fail, words when it is over."""
        was_missing = self.problem is not None or self._library.has_failed_to_save  # a turn may have said so
        draft_error = self._drafts.keep()
        error = self._library.save_changes() or draft_error
        before, self.problem = self.problem, error
        if error is not None:
            return None if before is not None else error
        return say("screen.saved_again") if was_missing else None

    def before_leaving(self) -> QwenTuiError | None:
        """Save everything; returns the warning that leaving now would lose something, which is given once."""
        self.keep()
        if self.problem is None or self._has_warned:
            return None
        self._has_warned = True
        return QwenTuiError("screen.not_saved")
