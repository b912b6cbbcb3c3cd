"""Conversations go to files and come from them by the command palette."""

import json
import os
import stat

from doubles import Reply
from screenplay import press, say, shown, until

from qwen_tui.chat.store import ConversationStore
from qwen_tui.ui.composer.composer import Composer
from qwen_tui.ui.files.dialog import FileDialog


async def choose(pilot, command: str) -> None:
    """Find a command in the palette and take it."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: "Search for commands" in shown(pilot))
    await press(pilot, command)
    await until(pilot, lambda: shown(pilot).count(command) >= 2)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, FileDialog))


async def name_file(pilot, path) -> None:
    """Write a file's name into the dialog and press enter."""
    field = pilot.app.screen.query_one("Input")
    field.value = str(path)
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


async def test_what_is_shown_is_exported_in_the_format_of_the_ending(play, tmp_path) -> None:
    play.engine.replies = [Reply(["**早茶** and more"])]
    async with play.running() as pilot:
        await say(pilot, "what is good to eat")
        await until(pilot, lambda: "to first token" in shown(pilot))
        for name, begins in (
            ("a.md", "# what is good"),
            ("a.json", '{\n  "version"'),
            ("a.openai.json", '{\n  "messages"'),
        ):
            await choose(pilot, "Export")
            assert ".openai.json for a message list" in " ".join(shown(pilot).split())
            await name_file(pilot, tmp_path / name)
            await until(pilot, lambda: "Saved to" in shown(pilot))
            text = (tmp_path / name).read_text()
            assert text.startswith(begins)
            assert "**早茶** and more" in text


async def test_another_ending_is_refused_where_it_is_typed(play, tmp_path) -> None:
    async with play.running() as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "to first token" in shown(pilot))
        await choose(pilot, "Export")
        assert pilot.app.screen.query_one("Input").value == "hello.md"
        await name_file(pilot, tmp_path / "a.pdf")
        await until(pilot, lambda: "a.pdf must end in" in shown(pilot))
        await name_file(pilot, tmp_path / "a.md")
        await until(pilot, lambda: "Saved to" in shown(pilot))
        assert not (tmp_path / "a.pdf").exists()


async def test_a_file_is_written_over_only_when_enter_is_pressed_twice_and_stays_as_open_as_it_was(
    play, tmp_path
) -> None:
    file = tmp_path / "a.md"
    file.write_text("mine")
    os.chmod(file, 0o640)
    async with play.running() as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "to first token" in shown(pilot))
        await choose(pilot, "Export")
        await name_file(pilot, file)
        await until(pilot, lambda: "already exists. Press Enter again" in shown(pilot))
        assert file.read_text() == "mine"
        await pilot.press("enter")
        await until(pilot, lambda: "Saved to" in shown(pilot))
        assert file.read_text().startswith("# hello")
        assert stat.S_IMODE(file.stat().st_mode) == 0o640


async def test_an_empty_conversation_is_not_exported(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await pilot.press("ctrl+p")
        await press(pilot, "export")
        await until(pilot, lambda: "Export the conversation" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing to export" in shown(pilot))


async def test_what_is_imported_is_opened_and_can_be_talked_in(play, tmp_path) -> None:
    picture = {"type": "image_url", "image_url": {}}
    said = [{"role": "user", "content": [{"type": "text", "text": "它有什么好吃的？"}, picture]}]
    said.append({"role": "assistant", "content": "早茶。"})
    file = tmp_path / "广州.json"
    file.write_text(
        json.dumps({"title": "广州美食", "messages": [{"role": "system", "content": "简短。"}, *said]})
    )
    async with play.running() as pilot:
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await choose(pilot, "Import")
        await name_file(pilot, file)
        await until(pilot, lambda: "早茶。" in shown(pilot) and "Imported “广州美食”." in shown(pilot))
        assert "Images left out: 1." in shown(pilot)
        assert "Assistant" in shown(pilot)
        assert pilot.app.screen.query_one(Composer).has_focus_within
        await say(pilot, "and then")
        await until(pilot, lambda: "echo: and then" in shown(pilot))
        sent = [(message.role.value, message.content) for message in play.engine.asked[-1].messages]
        assert sent == [
            ("system", "简短。"),
            ("user", "它有什么好吃的？"),
            ("assistant", "早茶。"),
            ("user", "and then"),
        ]
    (entry,) = ConversationStore(play.where.conversations).list()
    assert (entry.name, entry.messages) == ("广州美食", 4)


async def test_of_many_the_first_is_opened_and_all_are_listed(play, tmp_path) -> None:
    file = tmp_path / "many.jsonl"
    lines = [json.dumps({"messages": [{"role": "user", "content": f"talk number {i}"}]}) for i in range(3)]
    file.write_text("\n".join(lines))
    async with play.running(size=(150, 36)) as pilot:
        await until(pilot, lambda: "Things to try" in shown(pilot))
        await choose(pilot, "Import")
        await name_file(pilot, file)
        await until(pilot, lambda: "Imported 3 conversations; showing “talk number 0”." in shown(pilot))
        assert all(f"talk number {i}" in shown(pilot) for i in range(3))


async def test_what_cannot_be_imported_is_told_and_changes_nothing(play, tmp_path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no JSON at all")
    async with play.running() as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "to first token" in shown(pilot))
        await choose(pilot, "Import")
        await name_file(pilot, file)
        await until(pilot, lambda: "Nothing imported" in shown(pilot))
        assert "line 1 is not valid JSON" in " ".join(shown(pilot).split())
        assert "echo: hello" in shown(pilot)
