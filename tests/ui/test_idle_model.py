"""A model that nobody asks is unloaded, and wakes when somebody does."""

from screenplay import press, say, shown, until

from qwen_tui.engine.host import Asleep, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings import config_file

SECONDS = 0.3


def set_idle_seconds(play, seconds: float) -> None:
    config_file.save(play.where.config_file, {"idle_unload_minutes": seconds / 60})


def is_asleep(pilot) -> bool:
    return isinstance(pilot.app.engine_state, Asleep)


async def test_a_model_that_nobody_asks_goes_to_sleep_and_a_message_wakes_it_and_is_answered(play) -> None:
    set_idle_seconds(play, SECONDS)
    async with play.running() as pilot:
        await until(pilot, lambda: is_asleep(pilot))
        await until(pilot, lambda: "scripted · unloaded · your next message reloads it" in shown(pilot))
        assert "scripted is unloaded; your next message reloads it." in shown(pilot)
        assert play.engine.closed
        await say(pilot, "good morning")
        await until(pilot, lambda: "echo: good morning" in shown(pilot))
        assert len(play.loads) >= 2
        await until(pilot, lambda: is_asleep(pilot))
        assert "echo: good morning" in shown(pilot)


async def test_a_model_stays_while_somebody_writes(play) -> None:
    set_idle_seconds(play, 3)
    async with play.running() as pilot:
        await until(pilot, lambda: isinstance(pilot.app.engine_state, Ready))
        for _ in range(10):
            await press(pilot, "a")
            await pilot.pause(0.4)
            assert not is_asleep(pilot)
        await until(pilot, lambda: is_asleep(pilot))


async def test_without_the_setting_it_stays(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: isinstance(pilot.app.engine_state, Ready))
        await pilot.pause(2 * SECONDS)
        assert not is_asleep(pilot)


async def test_a_model_that_does_not_wake_gives_the_message_back(play) -> None:
    set_idle_seconds(play, SECONDS)
    async with play.running() as pilot:
        await until(pilot, lambda: is_asleep(pilot))
        play.open_error = QwenTuiError("engine.out_of_memory", detail="taken by others")
        await say(pilot, "good morning")
        await until(pilot, lambda: "memory" in shown(pilot))
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").text == "good morning")
