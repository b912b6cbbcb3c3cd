"""What the program of 30 November 2026 wrote is opened as it was, and what people have named keeps its name.

`tests/older/` holds what that program wrote: a config file, a conversation with variants, thoughts, receipts and
settings of its own, a draft with a pasted text, a waiting message and an edit, and the draft of a conversation that
was not begun. `names.json` has the ids of its bindings, its settings and the codes of its errors.
"""

import json
import shutil
from pathlib import Path

import pytest
from screenplay import Screenplay, shown, until

from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.settings import config_file
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings.languages import texts
from qwen_tui.ui.widgets.keys import import_every_room, own_bindings

ERRORS = texts("en").ERRORS

OLDER = Path(__file__).parents[1] / "older"
NAMES = json.loads((OLDER / "names.json").read_text())


@pytest.fixture
def moved_in(play) -> Screenplay:
    """A folder of that program's, taken over by this one."""
    shutil.copytree(OLDER / "conversations", play.where.conversations)
    shutil.copytree(OLDER / "drafts", play.where.drafts)
    play.where.config_file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(OLDER / "config.toml", play.where.config_file)
    return play


async def test_an_older_conversation_its_draft_and_its_settings_are_there(moved_in) -> None:
    async with moved_in.running(size=(150, 40), conversation="广州美食") as pilot:
        await until(pilot, lambda: "what else" in shown(pilot) and "‹ 2 / 2 ›" in shown(pilot))
        box = pilot.app.screen.query_one("#composer")
        assert "half a thought" in box.text
        assert "pasted" in box.text
        assert "waits" in box.text
        assert pilot.app.settings.temperature == 0.6
        assert pilot.app.settings.memory_turns == 8
        # the conversation's own temperature
        await until(pilot, lambda: "0.50" in shown(pilot))
        await pilot.press("f12")  # as its config file has it, for a new conversation
        await until(pilot, lambda: box.text == "for a new one")


def test_an_older_conversation_is_read_to_the_last_field_and_saved_without_loss(moved_in) -> None:
    store = ConversationStore(moved_in.where.conversations)
    (entry,) = store.list()
    before = store.load(entry)
    assert (before.name, before.pinned, before.named_by_person) == ("广州美食", True, True)
    first, second = (m for m in before.messages if m.parent == before.messages[0].id)
    assert (first.thinking, first.content, second.content) == (
        "hm so",
        "The **answer** is 42.",
        "另一个回答。",
    )
    assert first.receipt[0].token_ids == (20712, 30371, 11819, 16898)
    assert first.status is Status.COMPLETE
    store.save(before)
    assert ConversationStore(moved_in.where.conversations).load(entry).messages == before.messages


def test_an_older_config_file_has_no_problem_and_keeps_its_comments(moved_in) -> None:
    config = config_file.load(moved_in.where.config_file)
    assert not config.problems
    assert (config.settings.seed, config.settings.system_prompt, config.settings.quantization) == (
        7,
        "你好",
        "4bit",
    )
    config_file.save(moved_in.where.config_file, {"temperature": 0.7})
    assert moved_in.where.config_file.read_text().startswith("# mine\n")


def test_what_people_have_named_keeps_its_name() -> None:
    import_every_room()
    assert set(NAMES["binding ids"]) <= {binding.id for _, binding in own_bindings()}
    assert {name: [o.group, o.kind] for name, o in OPTIONS.items()}.items() >= NAMES["settings"].items()
    assert set(NAMES["error codes"]) <= set(ERRORS)
