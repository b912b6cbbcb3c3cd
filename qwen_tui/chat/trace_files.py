"""The saved traces of replies, in the files `traces/CONVERSATION/REPLY.trace` next to the conversations.

They are large and never needed to read a conversation, so they are files of their own. What a trace is, only the
engine knows: here it is bytes.
"""

import logging
import os
import shutil
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from qwen_tui.chat.files import make_folder, write_whole
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.names import id_stem

log = logging.getLogger(__name__)

FOLDER = "traces"

ENDING = ".trace"

KEY = "traces"
"""Key of the traces in an exported conversation: in base64, by the ids of the replies."""

MOST_EXPORTED = 10_000

LARGEST_BYTES = 64 * 2**20
"""Size limit for a file; a larger one is not ours."""


class TraceFiles:
    """The traces in one folder of conversations."""

    def __init__(self, conversations: Path) -> None:
        self._folder = conversations / FOLDER

    def save(self, conversation_id: str, reply_id: str, data: bytes) -> None:
        """Save a reply's trace; a failure is logged, because the reply itself is saved."""
        try:
            folder = self._of(conversation_id)
            make_folder(self._folder)
            make_folder(folder)
            write_whole(folder / (id_stem(reply_id) + ENDING), reply_id.encode() + b"\n" + data)
        except OSError as error:
            log.warning("a trace could not be saved: %s", error)

    def newest(self, conversation_id: str, most: int) -> list[tuple[str, bytes]]:
        """Return the newest traces of a conversation with the ids of their replies, oldest first."""
        found: list[tuple[str, bytes]] = []
        with suppress(OSError), os.scandir(self._of(conversation_id)) as entries:
            files = [(each.stat().st_mtime, each.path) for each in entries if each.name.endswith(ENDING)]
            for _, path in sorted(files)[-most:]:
                with suppress(OSError):
                    if os.path.getsize(path) <= LARGEST_BYTES:
                        reply_id, _, data = Path(path).read_bytes().partition(b"\n")
                        found.append((reply_id.decode(errors="replace"), data))
        return found

    def attached(self, conversation: Conversation) -> Conversation:
        """Return the conversation with its saved traces, for export in this program's own format."""
        found = {each: b64encode(data).decode() for each, data in self.newest(conversation.id, MOST_EXPORTED)}
        return replace(conversation, extra={**conversation.extra, KEY: found}) if found else conversation

    def detached(self, conversation: Conversation) -> Conversation:
        """Save the traces that an imported conversation carries, and return it without them."""
        carried = conversation.extra.get(KEY)
        if not isinstance(carried, dict):
            return conversation
        for reply_id, text in carried.items():
            with suppress(ValueError, TypeError):
                self.save(conversation.id, str(reply_id), b64decode(text, validate=True))
        extra = {key: value for key, value in conversation.extra.items() if key != KEY}
        return replace(conversation, extra=extra)

    def remove(self, conversation_id: str) -> None:
        """Remove all traces of a conversation."""
        shutil.rmtree(self._of(conversation_id), ignore_errors=True)

    def _of(self, conversation_id: str) -> Path:
        return self._folder / id_stem(conversation_id)
