"""A folder of conversations, and a store that works in it."""

from pathlib import Path

import pytest
from hypothesis import settings

from qwen_tui.chat.store import ConversationStore

# A shared machine pauses a test for as long as it likes; how long one example takes says nothing.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations"


@pytest.fixture
def store(folder: Path) -> ConversationStore:
    return ConversationStore(folder)
