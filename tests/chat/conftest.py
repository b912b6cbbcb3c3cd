"""A folder of conversations, and a store that works in it."""

from pathlib import Path

import pytest

from qwen_tui.chat.store import ConversationStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations"


@pytest.fixture
def store(folder: Path) -> ConversationStore:
    return ConversationStore(folder)
