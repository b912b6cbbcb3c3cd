"""Hours of talk: memory, file handles, threads and processes stay as they are.

`pytest -m soak` has 2,000 turns; a short version runs with the other tests.
"""

import gc
import os
import random
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from doubles import Reply
from screenplay import Screenplay, until
from textual.widget import Widget

TURNS_A_CONVERSATION = 12


class Load(NamedTuple):
    """What the process takes."""

    resident_kilobytes: int
    widgets: int
    files: int
    threads: int
    children: int


def load() -> Load:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return Load(
        pages * os.sysconf("SC_PAGESIZE") // 1024,
        sum(isinstance(each, Widget) for each in gc.get_objects()),
        len(os.listdir("/proc/self/fd")),
        threading.active_count(),
        len(children),
    )


async def talk(play: Screenplay, turns: int, checks: int) -> list[Load]:
    """So many turns, with all that a person does between them; the load at evenly spaced moments."""
    chance = random.Random(turns)
    loads: list[Load] = []
    async with play.running(size=(150, 40)) as pilot:
        composer = pilot.app.screen.query_one("#composer")
        await until(pilot, lambda: pilot.app.screen.query("ConversationList"))
        for number in range(1, turns + 1):
            asked = len(play.engine.asked)
            answer = f"answer {number} " + chance.choice(
                ["short", "**long** " * 60, "```python\nx = 1\n```", "早茶 " * 40]
            )
            gate = threading.Event() if number % 9 == 0 else None
            play.engine.replies = [Reply([answer[at : at + 5] for at in range(0, len(answer), 5)], gate=gate)]
            regenerates = number % 7 == 0 and number % TURNS_A_CONVERSATION != 1
            if regenerates:
                await pilot.press("ctrl+r")
            else:
                composer.give_back(f"question {number}")
                composer.focus()
                await pilot.press("enter")
            await until(pilot, lambda asked=asked: len(play.engine.asked) > asked)
            if gate is not None:
                await until(pilot, lambda: composer.busy)
                await pilot.press("escape")
            await until(pilot, lambda: not composer.busy)
            play.engine.asked[:-1] = []
            if number % TURNS_A_CONVERSATION == 0:
                await pilot.press("ctrl+n")
                composer.give_back(f"draft {number}")
                await pilot.press("f3", *["down"] * chance.randrange(4), "enter")
                await pilot.pause(0.05)
                await pilot.press("ctrl+n")
                composer.put(composer.draft._replace(text=""))
            if number % (turns // checks) == 0:
                loads.append(load())
    return loads


def rise(values: list[int]) -> float:
    """The slope of the line of least squares, times the length of the row: by how much the values rise over all."""
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    over = sum((at - middle) * (value - mean) for at, value in enumerate(values))
    return over / sum((at - middle) ** 2 for at in range(len(values))) * (len(values) - 1)


def check(loads: list[Load], megabytes: float) -> None:
    warm = loads[len(loads) // 3 :]
    about = "\n".join(map(str, loads))
    assert rise([each.resident_kilobytes for each in warm]) < 1024 * megabytes, about
    assert abs(rise([each.widgets for each in warm])) < 2 * TURNS_A_CONVERSATION, about
    assert max(each.files for each in warm) <= warm[0].files + 2, about
    assert max(each.threads for each in warm) <= warm[0].threads + 1, about
    assert {each.children for each in warm} == {warm[0].children}, about


async def test_forty_turns_leave_nothing_behind(play: Screenplay) -> None:
    check(await talk(play, 42, 7), megabytes=10)


@pytest.mark.soak
async def test_two_thousand_turns_leave_nothing_behind(play: Screenplay) -> None:
    check(await talk(play, 2_000, 20), megabytes=8)


def test_the_rise_of_a_row_is_seen() -> None:
    assert rise([5, 5, 5, 5]) == 0
    assert rise([0, 10, 20, 30]) == pytest.approx(30)
    assert abs(rise([3, 1, 3, 1, 3])) < 1
