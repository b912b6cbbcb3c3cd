"""The screen in Chinese, in the states that a person meets; `test_chinese_screens.py` runs this as a program.

A process speaks one language: key bindings read their descriptions when they are imported.

    python chinese_stories.py WHERE-THE-SNAPSHOTS-ARE WHERE-TO-WRITE WORKING-FOLDER
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qwen_tui import strings
from qwen_tui.strings import say as words

strings.choose("zh")

from doubles import INFO, Reply  # noqa: E402
from screenplay import Screenplay, say, shown, until  # noqa: E402
from screens import SIZES, screen_that_stays  # noqa: E402
from textual.pilot import Pilot  # noqa: E402

from qwen_tui.chat.messages import Conversation, Message, Role  # noqa: E402
from qwen_tui.chat.store import ConversationStore  # noqa: E402
from qwen_tui.engine.models import devices  # noqa: E402
from qwen_tui.engine.models.devices import Device  # noqa: E402
from qwen_tui.ui.composer.composer import Composer  # noqa: E402

GB = 10**9

Look = Callable[[Pilot[None], str], Awaitable[None]]


async def first_screen(play: Screenplay, look: Look) -> None:
    play.engine.info = replace(INFO, name="guide", model="guide", parameters=7_000_000, context_window=2048)
    async with play.running(size=SIZES[0]) as pilot:
        await until(pilot, lambda: "2,048 token" in shown(pilot))
        await look(pilot, "first-screen")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: words("command.help.help") in shown(pilot))
        await look(pilot, "commands")


async def talking(play: Screenplay, look: Look) -> None:
    play.engine.replies = [Reply(["它是一段文字，", "常常是一个词，", "有时更短。"], thinking=["想一想。"])]
    async with play.running(size=SIZES[0]) as pilot:
        await answered(pilot, "什么是 token？")
        await pilot.press("shift+tab")
        await until(pilot, lambda: words("chat.offer.receipt") in shown(pilot))
        await look(pilot, "reply-under-the-cursor")
        await pilot.press("i")
        await until(pilot, lambda: words("receipt.seed") in shown(pilot))
        await look(pilot, "receipt")
        await pilot.press("escape", "d")
        await until(pilot, lambda: words("screen.deleted", key="Ctrl+Z") in shown(pilot))
        await look(pilot, "message-deleted")


async def settings(play: Screenplay, look: Look) -> None:
    async with play.running(size=SIZES[0]) as pilot:
        await answered(pilot, "温度有什么用？")
        await pilot.press("f2", "down")
        await until(pilot, lambda: words("settings.temperature.label") in shown(pilot))
        await look(pilot, "settings")
    async with play.running(size=SIZES[0]) as pilot:
        await pilot.press("f2", "up")
        await until(pilot, lambda: words("settings.language.label") in shown(pilot))
        await look(pilot, "settings-below")


async def something_wrong(play: Screenplay, look: Look) -> None:
    async with play.running(size=SIZES[0]) as pilot:
        await answered(pilot, "什么是 token？")
        pilot.app.screen.query_one(Composer).give_back("word " * 500)
        await pilot.press("enter")
        await until(pilot, lambda: strings.in_force().ERRORS["chat.message_too_long"][0] in shown(pilot))
        await look(pilot, "message-too-long")


async def help_and_models(play: Screenplay, look: Look) -> None:
    here = (
        Device("cuda:0", "NVIDIA A10", 24 * GB, 23 * GB, True, 4096),
        Device("cpu", "x86_64", 64 * GB, 60 * GB, True, 256),
    )
    devices.usable = lambda: here
    async with play.running(size=SIZES[0]) as pilot:
        await pilot.press("f1")
        await until(pilot, lambda: "chat.newline" in shown(pilot))
        await look(pilot, "help")
        await pilot.press("escape", "f4")
        await until(pilot, lambda: "Qwen2.5-7B" in shown(pilot))
        await pilot.press("down", "down", "down", "enter")
        await look(pilot, "models")


async def conversations(play: Screenplay, look: Look) -> None:
    store = ConversationStore(play.where.conversations)
    for name, hours in (("分词器和 token", 1), ("广州美食", 27), ("一个星期的山间徒步计划，坐火车去", 71)):
        then = datetime.now(UTC) - timedelta(hours=hours, seconds=20)
        conversation = Conversation(name=name, named_by_person=True)
        for number in range(1, 9):
            role = Role.ASSISTANT if number % 2 == 0 else Role.USER
            message = Message(role=role, content=f"第 {number} 句。", parent=conversation.head)
            conversation = conversation.with_message(message)
        updated = then.isoformat(timespec="milliseconds")
        store.save(replace(conversation, overrides={"memory_turns": 3}, updated=updated))
    async with play.running(size=SIZES[0], conversation="广州美食") as pilot:
        await until(pilot, lambda: words("chat.memory", tokens="", budget="", older=1)[:9] in shown(pilot))
        await look(pilot, "memory-line")
        await pilot.press("f3")
        await until(pilot, lambda: "分词器" in shown(pilot))
        await look(pilot, "conversations")


async def answered(pilot: Pilot[None], text: str) -> None:
    await say(pilot, text)
    figures = words("chat.receipt.first", seconds=0)[:3]
    await until(pilot, lambda: figures in shown(pilot) and not pilot.app.screen.query_one(Composer).busy)


STORIES = (first_screen, talking, settings, something_wrong, help_and_models, conversations)


async def play_all(snapshots: Path, written: Path, work: Path) -> None:
    async def look(pilot: Pilot[None], name: str) -> None:
        for columns, rows in SIZES:
            await pilot.resize_terminal(columns, rows)
            file = f"{name}-{columns}x{rows}.txt"
            before = snapshots / file
            expected = before.read_text(encoding="utf-8") if before.exists() else ""
            (written / file).write_text(await screen_that_stays(pilot, expected), encoding="utf-8")

    for story in STORIES:
        await story(Screenplay(work / story.__name__), look)


if __name__ == "__main__":
    asyncio.run(play_all(*map(Path, sys.argv[1:])))
