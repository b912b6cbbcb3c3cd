"""Recover replies that were interrupted by a crash."""

from collections.abc import Iterable
from pathlib import Path

from qwen_tui.chat import trash
from qwen_tui.chat.codec import encode
from qwen_tui.chat.fields import DamagedError
from qwen_tui.chat.files import shown, why, write_whole
from qwen_tui.chat.folder import Folder
from qwen_tui.chat.merge import with_recovered
from qwen_tui.chat.partial import Recovered, orphan, recover
from qwen_tui.errors import QwenTuiError


def recover_replies(folder: Folder, partials: Iterable[Path]) -> tuple[QwenTuiError, ...]:
    """Add the replies in orphaned partials to their conversations; return the errors.

    The folder must have been refreshed: a conversation without an entry counts as missing. A partial is
    removed only when its reply is in the conversation's file. If that cannot be saved now, the partial stays
    for the next attempt; a damaged partial, or one whose conversation is gone, is set aside.
    """
    problems = (_recover_reply(folder, path) for path in partials)
    return tuple(problem for problem in problems if problem is not None)


def _recover_reply(folder: Folder, path: Path) -> QwenTuiError | None:
    try:
        with orphan(path) as data:
            if data is None:
                return None
            found = recover(data)
            if found is not None:
                _add(folder, found)
            path.unlink()
            return None
    except DamagedError as error:
        damaged = QwenTuiError("store.damaged", path=shown(path), detail=str(error))
        return folder.set_aside(path.name, damaged)
    except QwenTuiError as error:
        return error
    except OSError as error:
        return QwenTuiError("store.not_recovered", path=shown(path), detail=why(error))


def _add(folder: Folder, found: Recovered) -> None:
    known = folder.entries.get(found.conversation_id)
    if known is None:
        _add_in_trash(folder, found)
        return
    conversation = folder.load(known)
    whole = with_recovered(conversation, found.reply)
    if whole is not conversation:
        folder.write(whole, known.file)


def _add_in_trash(folder: Folder, found: Recovered) -> None:
    """Add the reply to a conversation that was trashed while it was written; `restore` brings back both."""
    there = trash.find(folder.path, found.conversation_id)
    if there is None:
        raise DamagedError("no_conversation")
    path, conversation = there
    whole = with_recovered(conversation, found.reply)
    if whole is not conversation:
        write_whole(path, encode(whole))
