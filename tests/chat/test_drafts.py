"""What was being written survives the end of the program, and is nobody else's to read."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.drafts import Drafts, SavedDraft, Waiting
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import places

ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "drafts"


@pytest.fixture
def drafts(folder: Path) -> Drafts:
    return Drafts(folder)


def test_a_draft_is_there_for_the_next_program(drafts: Drafts, folder: Path) -> None:
    draft = SavedDraft(
        "早茶\nand 烧鹅", ("a pasted text",), (Waiting("1", "sent too early"),), is_new=True, name="广州"
    )
    drafts.save(ID, draft)
    assert Drafts(folder).load(ID) == draft
    assert [path.name for path in folder.iterdir()] == [f"{ID}.json"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / f"{ID}.json").stat().st_mode) == 0o600


def test_an_empty_draft_leaves_no_file(drafts: Drafts, folder: Path) -> None:
    drafts.save(ID, SavedDraft())
    assert not folder.exists()
    drafts.save(ID, SavedDraft("x"))
    drafts.save(ID, SavedDraft())
    drafts.save(ID, SavedDraft())
    assert drafts.load(ID) is None
    assert list(folder.iterdir()) == []


def test_the_newest_conversation_that_was_never_begun_comes_first(drafts: Drafts, folder: Path) -> None:
    for second, own_id in enumerate(["old", "new", "newest", "begun"]):
        drafts.save(own_id, SavedDraft(own_id, is_new=own_id != "begun"))
        path = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(path, (second + 1, second + 1))
    (folder / "damaged.json").write_text("{")
    assert [left.own_id for left in drafts.left_behind()] == ["newest", "new", "old"]


def test_an_id_is_not_a_path(drafts: Drafts, folder: Path) -> None:
    for own_id in ("../outside", "/etc/passwd", "a" * 5000, "\x00", "\ud800", ""):
        drafts.save(own_id, SavedDraft(f"of {own_id[:20]!r}"))
        assert drafts.load(own_id) == SavedDraft(f"of {own_id[:20]!r}")
    assert {path.name for path in folder.parent.iterdir()} == {"drafts"}
    assert len(list(folder.iterdir())) == 6


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff\x00", b"[" * 100_000, b'{"conversation": 5}', b'{"text": "x"}']
)
def test_a_damaged_draft_is_none_and_the_next_one_does_not_take_its_place(
    drafts: Drafts, folder: Path, data: bytes
) -> None:
    drafts.save(ID, SavedDraft("x"))
    (folder / f"{ID}.json").write_bytes(data)
    assert drafts.load(ID) is None
    assert (folder / "damaged" / f"{ID}.json").read_bytes() == data
    drafts.save(ID, SavedDraft("y"))
    assert drafts.load(ID) == SavedDraft("y")


def test_a_draft_under_the_name_of_another_is_not_its_own(drafts: Drafts, folder: Path) -> None:
    drafts.save("other", SavedDraft("not mine"))
    [path] = folder.iterdir()
    path.rename(folder / f"{ID}.json")
    assert drafts.load(ID) is None
    assert "not mine" in (folder / "damaged" / f"{ID}.json").read_text()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner | st.fixed_dictionaries({"id": inner, "text": inner}), max_size=3),
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: json_values
            for key in ("text", "attachments", "waiting", "edits", "editing", "is_new", "name", "overrides")
        },
    )
)
def test_whatever_a_draft_holds_only_clean_text_comes_of_it(tmp_path_factory, value) -> None:
    folder = tmp_path_factory.mktemp("drafts")
    (folder / f"{ID}.json").write_text(json.dumps({"conversation": ID, **value}))
    draft = Drafts(folder).load(ID)
    assert draft is not None
    for text in (draft.text, *draft.attachments, *(text for waiting in draft.waiting for text in waiting)):
        assert clean(text) == text


def test_a_draft_that_cannot_be_saved_is_said_and_the_old_one_stands(drafts: Drafts, tmp_path: Path) -> None:
    drafts.save(ID, SavedDraft("before"))
    refused = Drafts(tmp_path / "file" / "drafts")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(QwenTuiError) as raised:
        refused.save(ID, SavedDraft("x"))
    assert raised.value.code == "store.draft_not_saved"
    assert refused.load(ID) is None
    assert refused.left_behind() == ()
    refused.remove(ID)
    assert drafts.load(ID) == SavedDraft("before")


def test_drafts_stand_beside_the_conversations(tmp_path: Path) -> None:
    where = places(data_dir=str(tmp_path))
    assert where.drafts == tmp_path / "drafts"
    assert where.drafts.parent == where.conversations.parent
