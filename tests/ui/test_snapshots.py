"""The screen in the states that a person meets, each a story, compared as text with what it looked like before.

Every story is played once and looked at in two sizes: `snapshots/NAME-80x24.txt` and `snapshots/NAME-120x36.txt`.
When a screen is meant to look different now, look at the new one and accept it:

    pytest tests/ui/test_snapshots.py --accept-screens && git diff tests/ui/snapshots
"""

import difflib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from doubles import INFO, Reply
from screenplay import Screenplay, press, say, shown, until
from screens import SIZES, screen_that_stays
from textual.pilot import Pilot

from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.models import devices
from qwen_tui.engine.models.devices import Device
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.composer.composer import Composer
from qwen_tui.ui.conversations.list import ConversationList
from qwen_tui.ui.conversations.rename_field import RenameField

SNAPSHOTS = Path(__file__).parent / "snapshots"
GB = 10**9

HOW_TO_ACCEPT = "If it is meant to look so: pytest tests/ui/test_snapshots.py --accept-screens"

Look = Callable[[Pilot[None], str], Awaitable[None]]


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Look:
    """Compare the screen, in both sizes, with the files of this name; or write them."""
    accepts = request.config.getoption("--accept-screens")

    async def look(pilot: Pilot[None], name: str) -> None:
        differences: list[str] = []
        for columns, rows in SIZES:
            await pilot.resize_terminal(columns, rows)
            file = SNAPSHOTS / f"{name}-{columns}x{rows}.txt"
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            now = await screen_that_stays(pilot, "" if accepts else before)
            if accepts:
                file.parent.mkdir(exist_ok=True)
                file.write_text(now, encoding="utf-8")
            elif now != before:
                differences += difflib.unified_diff(
                    before.splitlines(), now.splitlines(), file.name, "the screen now", n=2, lineterm=""
                )
        if differences:
            pytest.fail(
                "\n".join((f"The screen has changed.\n{HOW_TO_ACCEPT}\n", *differences)), pytrace=False
            )

    return look


def talk(name: str, *texts: str, **about: object) -> Conversation:
    """A conversation in which a person and a model take turns, and what else there is to know about it."""
    conversation = Conversation(name=name, named_by_person=True)
    for number, text in enumerate(texts):
        role = Role.ASSISTANT if number % 2 else Role.USER
        conversation = conversation.with_message(Message(role=role, content=text, parent=conversation.head))
    return replace(conversation, **about)


def ago(**time: float) -> str:
    """When something happened that the list says was so long ago, and goes on to while it is looked at."""
    then = datetime.now(UTC) - timedelta(**time) - timedelta(seconds=20)
    return then.isoformat(timespec="milliseconds")


@pytest.fixture
def some_talks(play: Screenplay) -> Screenplay:
    """Four conversations, one of them pinned."""
    store = ConversationStore(play.where.conversations)
    for conversation in (
        talk("Tokens and words", "What is a token?", "A piece of text.", updated=ago(hours=1)),
        talk(
            "广州美食",
            "广州有什么好吃的？",
            "肠粉、虾饺和双皮奶。早茶要喝 Pu-erh tea。",
            updated=ago(hours=3),
        ),
        talk(
            "A plan for the week in the mountains",
            "Where to?",
            "To the Dolomites, by train; the tea house at the pass is open.",
            updated=ago(days=2),
        ),
        talk("Shopping", "A list, please.", "Bread, milk, tea.", updated=ago(days=5), pinned=True),
    ):
        store.save(conversation)
    return play


async def answered(pilot: Pilot[None], text: str) -> None:
    """Send a message, and wait until its reply is finished and its figures are drawn."""
    await say(pilot, text)
    await until(pilot, lambda: "to first token" in shown(pilot) and not composer(pilot).busy)


def composer(pilot: Pilot[None]) -> Composer:
    return pilot.app.screen.query_one(Composer)


# --- Talking -----------------------------------------------------------------------------------------------


async def test_the_first_screen_says_where_you_are_and_what_to_try(play, look: Look) -> None:
    play.engine.info = replace(INFO, name="guide", model="guide", parameters=7_000_000, context_window=2048)
    async with play.running(size=SIZES[0]) as pilot:
        await until(pilot, lambda: "2,048 tokens" in shown(pilot))
        await look(pilot, "first-screen")


async def test_a_reply_is_read_while_it_is_written_and_what_is_sent_meanwhile_waits(play, look: Look) -> None:
    gate = threading.Event()
    play.engine.replies = [
        Reply(["It is a piece of text,\n\n1. often a word,\n2. some", "times less."], gate=gate)
    ]
    async with play.running(size=SIZES[0]) as pilot:
        await say(pilot, "What is a token?")
        await until(pilot, lambda: "2. some" in shown(pilot))
        await look(pilot, "reply-streaming")
        await say(pilot, "And a context window?")
        await until(pilot, lambda: "waiting" in shown(pilot))
        await look(pilot, "message-waiting")
        gate.set()
        await until(pilot, lambda: "echo: And a context window?" in shown(pilot) and not composer(pilot).busy)


async def test_a_finished_reply_has_its_figures_and_offers_what_can_be_done_to_it(play, look: Look) -> None:
    play.engine.replies = [Reply(["It is a piece of text, ", "often a word, ", "sometimes less."])]
    async with play.running(size=SIZES[0]) as pilot:
        await answered(pilot, "What is a token?")
        await look(pilot, "reply-finished")
        await pilot.press("shift+tab")
        await until(pilot, lambda: "Receipt" in shown(pilot))
        await look(pilot, "reply-under-the-cursor")
        await pilot.press("up", "e")
        await until(pilot, lambda: composer(pilot).text == "What is a token?")
        await look(pilot, "message-edited")


async def test_thoughts_come_and_are_folded_to_a_line_above_the_answer(play, look: Look) -> None:
    gate = threading.Event()
    thoughts = ["The person asks for the capital.", " It is easy:", " Paris.\n\nNo need to say more."]
    play.engine.replies = [Reply(["**Paris.**"], thinking=thoughts, gate=gate)]
    async with play.running(size=SIZES[0]) as pilot:
        await say(pilot, "What is the capital of France?")
        await until(pilot, lambda: "No need to say more" in shown(pilot))
        await look(pilot, "thinking")
        gate.set()
        await until(pilot, lambda: "to first token" in shown(pilot) and not composer(pilot).busy)
        await look(pilot, "thoughts-folded")


async def test_a_table_a_list_and_code_are_laid_out(play, look: Look) -> None:
    play.engine.replies = [Reply([TABLE_LIST_AND_CODE])]
    async with play.running(size=SIZES[0]) as pilot:
        await say(pilot, "Compare them")
        await until(pilot, lambda: "print(" in shown(pilot) and not composer(pilot).busy)
        await look(pilot, "table-list-code")


async def test_a_chinese_conversation_stands_in_line(play, look: Look) -> None:
    play.engine.replies = [Reply(["广州的早茶很有名：\n\n| 点心 | 价格 |\n|---|---:|\n", CHINESE_REST])]
    async with play.running(size=SIZES[0]) as pilot:
        await answered(pilot, "请介绍一下广州的美食，并说明哪些是早茶里最常见的点心，以及它们大概的价格。")
        await press(pilot, "还有呢？")
        await look(pilot, "chinese")


async def test_a_line_shows_from_where_the_model_remembers(play, look: Look) -> None:
    texts = [text for number in range(1, 6) for text in (f"Question {number}?", f"Answer {number}.")]
    conversation = talk("A long talk", *texts, overrides={"memory_turns": 3})
    ConversationStore(play.where.conversations).save(conversation)
    async with play.running(size=SIZES[0], conversation="A long talk") as pilot:
        await until(pilot, lambda: "Answer 5" in shown(pilot) and "odel" in shown(pilot))
        await look(pilot, "memory-line")


# --- When it does not work ---------------------------------------------------------------------------------


async def test_a_message_that_is_too_long_comes_back_and_is_explained(play, look: Look) -> None:
    async with play.running(size=SIZES[0]) as pilot:
        await answered(pilot, "What is a token?")
        composer(pilot).give_back("word " * 500)
        await pilot.press("enter")
        await until(pilot, lambda: "Too long for this model" in shown(pilot))
        await look(pilot, "message-too-long")


async def test_a_model_that_cannot_be_loaded_is_said_with_what_to_do(play, look: Look) -> None:
    play.open_error = QwenTuiError("engine.out_of_memory", detail="CUDA out of memory")
    async with play.running(size=SIZES[0]) as pilot:
        await until(pilot, lambda: "Out of memory." in shown(pilot))
        await look(pilot, "load-failed")


# --- The panes ---------------------------------------------------------------------------------------------


async def test_the_settings_stand_beside_the_log_or_are_drawn_over_it(play, look: Look) -> None:
    async with play.running(size=SIZES[0]) as pilot:
        await answered(pilot, "What does temperature do?")
        await pilot.press("f2")
        await until(pilot, lambda: "Temperature" in shown(pilot))
        await look(pilot, "settings")


async def test_the_list_of_conversations_is_searched(some_talks, look: Look) -> None:
    async with some_talks.running(size=SIZES[0], conversation="Shopping") as pilot:
        await in_the_list(pilot)
        await look(pilot, "conversations")
        await pilot.press("slash")
        await press(pilot, "tea")
        await until(pilot, lambda: "Tokens and" not in shown(pilot) and "tea house" in shown(pilot))
        await look(pilot, "conversations-searched")


async def test_a_conversation_is_renamed_in_its_row(some_talks, look: Look) -> None:
    async with some_talks.running(size=SIZES[0], conversation="Shopping") as pilot:
        await in_the_list(pilot)
        await pilot.press("down", "down", "r")
        await until(pilot, lambda: isinstance(pilot.app.focused, RenameField))
        await look(pilot, "conversation-renamed")


async def in_the_list(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: pilot.app.screen.query(ConversationList) and "Bread" in shown(pilot))
    await pilot.press("f3")
    await until(pilot, lambda: isinstance(pilot.app.focused, ConversationList) and "Tokens" in shown(pilot))


async def test_words_are_found_in_the_conversation(some_talks, look: Look) -> None:
    async with some_talks.running(size=SIZES[0], conversation="Tokens and words") as pilot:
        await until(pilot, lambda: "A piece of text" in shown(pilot))
        await pilot.press("ctrl+f")
        await press(pilot, "piece")
        await until(pilot, lambda: "1 / 1" in shown(pilot))
        await look(pilot, "find-bar")


# --- Over the screen ---------------------------------------------------------------------------------------


async def test_the_receipt_says_how_a_reply_came_about(play, look: Look) -> None:
    async with play.running(size=SIZES[0]) as pilot:
        await say(pilot, "What is a token?")
        await until(pilot, lambda: "echo: What is a token?" in shown(pilot) and not composer(pilot).busy)
        await pilot.press("shift+tab", "i")
        await until(pilot, lambda: "Seed" in shown(pilot))
        await look(pilot, "receipt")


async def test_the_help_lists_the_keys_that_are_in_force(play, look: Look) -> None:
    async with play.running(size=SIZES[0]) as pilot:
        await pilot.press("f1")
        await until(pilot, lambda: "chat.stop" in shown(pilot))
        await look(pilot, "help")


async def test_the_models_are_listed_with_what_fits(
    play, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = (
        Device("cuda:0", "NVIDIA A10", 24 * GB, 23 * GB, True, 4096),
        Device("cpu", "x86_64", 64 * GB, 60 * GB, True, 256),
    )
    monkeypatch.setattr(devices, "usable", lambda: here)
    async with play.running(size=SIZES[0]) as pilot:
        await pilot.press("f4")
        await until(pilot, lambda: "Qwen2.5-7B" in shown(pilot))
        await pilot.press("down", "down", "down")
        await look(pilot, "models")


TABLE_LIST_AND_CODE = """\
## Three ways to store a weight

| form | bytes a weight | a 7B takes | loss |
|---|---:|---:|---|
| bf16 | 2 | 15.2 GB | none |
| 8 bits | 1 | 8.2 GB | hardly any |
| nf4 | 0.5 | 5.5 GB | small, more in long chains of thought |

* **bf16** where it fits,
* else *nf4*:
  - twice as fast to read
  - `bitsandbytes` does it

```python
for form in ("bf16", "nf4"):
    print(form, size(form))  # in bytes
```
"""

CHINESE_REST = "| 虾饺 | 32 元 |\n| 肠粉（鲜虾） | 28 元 |\n\n1. 先**洗茶**，\n2. 再点 `一盅两件`。"
