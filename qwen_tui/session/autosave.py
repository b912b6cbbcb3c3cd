"""Save conversations and drafts every second, and report when saving starts to fail and when it works again."""

from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.storage import Storage
from qwen_tui.strings import say


class Autosave:
    """Saves changed conversations and drafts on the storage thread; failures are retried."""

    def __init__(self, library: Library, drafts: DraftKeeper, storage: Storage) -> None:
        self._library = library
        self._drafts = drafts
        self._storage = storage
        self.problem: QwenTuiError | None = None
        """Why the last attempt to save failed, or None."""
        self._is_saving = False
        self._is_leaving = False
        self._has_warned = False

    async def save(self) -> QwenTuiError | str | None:
        """Save everything unless a save is running; return a notice when saving starts to fail or recovers."""
        if self._is_saving:
            return None
        self._is_saving = True
        try:
            return await self._storage.run(self._save)
        finally:
            self._is_saving = False

    async def before_leaving(self) -> QwenTuiError | None:
        """Save everything; return a warning, once, if quitting now would lose something.

        If called again while the disk is still busy, the warning is returned at once.
        """
        if not self._is_leaving:
            self._is_leaving = True
            try:
                await self._storage.run(self._save)
            finally:
                self._is_leaving = False
            if self.problem is None:
                return None
        if self._has_warned:
            return None
        self._has_warned = True
        return QwenTuiError("screen.not_saved")

    def _save(self) -> QwenTuiError | str | None:
        # A failed save may have been reported by a turn, too.
        was_missing = self.problem is not None or self._library.has_failed_to_save
        draft_error = self._drafts.write()
        error = self._library.save_changes() or draft_error
        before, self.problem = self.problem, error
        if error is not None:
            return None if before is not None else error
        return say("screen.saved_again") if was_missing else None
