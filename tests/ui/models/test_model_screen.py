"""The model screen: choosing, watching it arrive, and stopping it."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import tiny_models
from loopback_hub import loopback_hub
from screenplay import Screenplay, shown, until
from waiting import HANGS

from qwen_tui.engine.base import LoadProgress
from qwen_tui.engine.models import choices, devices, hub_model
from qwen_tui.engine.models.cache_scan import cache_folder
from qwen_tui.engine.models.catalogue import known
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.load_plan import plan
from qwen_tui.engine.models.recent_models import remember
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.models.list import ModelList
from qwen_tui.ui.models.screen import ModelScreen
from qwen_tui.wording.units import in_bytes

GB = 10**9


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Screenplay:
    """A machine with a GPU of 24 GB, a model in the cache and one in a folder with a Chinese name."""
    gpu = Device("cuda:0", "NVIDIA A10", 24 * GB, 23 * GB, True, 4096)
    monkeypatch.setattr(devices, "usable", lambda: (gpu, devices.cpu()))
    play = Screenplay(tmp_path / "data")
    folder = tiny_models.qwen2(tmp_path / "我的模型")
    repository = cache_folder() / "models--me--tiny"
    shutil.copytree(folder, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    remember(play.where.models, str(folder), now=5e9)
    return play


async def opened(pilot) -> ModelList:
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(pilot.app.screen, ModelScreen) and "我的模型" in shown(pilot))
    return pilot.app.screen.query_one(ModelList)


def row_of(pilot, text: str) -> list[str]:
    """The words of the row with this text, without what stands beside the screen's box."""
    parts = (part for line in shown(pilot).splitlines() for part in line.split("│"))
    return next(part.split() for part in parts if text in part)


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (140, 50)])
async def test_it_lists_what_is_here_and_what_is_known_with_what_fits(play, size) -> None:
    async with play.running(size=size) as pilot:
        models = await opened(pilot)
        assert "On this machine" in shown(pilot)
        while models.row.entry.model != "Qwen/Qwen2.5-14B-Instruct":
            await pilot.press("down")
        await until(pilot, lambda: "14.8 B parameters" in shown(pilot))
        row = row_of(pilot, " Qwen2.5-14B")
        assert (row[-3], row[-1]) == ("–", "32k")
        assert (row[-4] == "32k") == (size[0] > 60)
        details = str(pilot.app.screen.query_one("#models-details").content)
        assert "Fits on cuda:0 with 32,768 tokens" in details
        assert "4bit: 10.3 GB of weights; in bfloat16 the 29.5 GB" in details
        assert all(len(line) <= size[0] for line in shown(pilot).splitlines() if line.isascii())


async def test_enter_loads_what_is_here_and_the_conversation_stays(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        composer = pilot.app.screen.query_one("#composer")
        composer.give_back("half a thought")
        models = await opened(pilot)
        assert models.row.entry.name == "我的模型" or await pilot.press("down") is None
        chosen = models.row.entry.model
        await pilot.press("right")
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ModelScreen))
        assert len(play.loads) == 2
        assert (play.loads[1].model, play.loads[1].quantization) == (chosen, "none")
        assert composer.text == "half a thought"
        assert not play.where.config_file.exists()


async def test_a_download_is_asked_about_first(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        models.go_to("Qwen/Qwen3-4B")
        await pilot.press("enter")
        await until(pilot, lambda: "Press Enter again to download 8.0 GB" in shown(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "Press Enter again" not in shown(pilot))
        await pilot.press("up", "enter")
        assert len(play.loads) == 1
        await pilot.press("enter")
        await until(pilot, lambda: len(play.loads) == 2)
        assert play.loads[1].model == "Qwen/Qwen3-4B"
        models = await opened(pilot)
        models.go_to("Qwen/Qwen2.5-72B-Instruct")
        await pilot.press("enter")
        await until(pilot, lambda: "does not fit in this format" in shown(pilot))


async def test_the_cursor_is_on_the_model_in_use_until_the_person_moves_it(play) -> None:
    play.engine.info = replace(play.engine.info, model="Qwen/Qwen3-8B")
    play.may_open.clear()
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        assert models.row.entry.model == "guide"
        play.may_open.set()
        await until(pilot, lambda: models.row.entry.model == "Qwen/Qwen3-8B")
        await pilot.press("down")
        moved_to = models.row.entry.key
        models.rows = models.rows[1:]
        assert models.row.entry.key == moved_to


async def test_a_click_goes_to_a_model_and_a_second_one_chooses_it(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        top = models.region.y
        y = next(y for y, line in enumerate(shown(pilot).splitlines()) if " tiny" in line) - top
        await pilot.click(models, offset=(10, y))
        assert models.row.entry.model == "me/tiny"
        assert len(play.loads) == 1
        await pilot.click(models, offset=(10, y))
        await until(pilot, lambda: len(play.loads) == 2)
        assert play.loads[1].model == "me/tiny"


async def test_it_repeats_neither_the_name_of_the_program_nor_its_meter(play) -> None:
    async with play.running(size=(60, 20)) as pilot:  # the models stand over all of it
        await until(pilot, lambda: type(pilot.app.engine_state).__name__ == "Ready")
        await opened(pilot)
        await until(pilot, lambda: "On this machine" in shown(pilot))
        assert "qwen-tui" not in shown(pilot)
        assert "▱" not in shown(pilot)


async def test_a_load_is_watched_and_esc_stops_it(play) -> None:
    reports = []
    scripted = play.open_engine

    def open_engine(spec, report, stop, make_room):
        reports.append(report)
        return scripted(spec, report, stop, make_room)

    play.open_engine = open_engine
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        play.may_open.clear()
        play.open_error = QwenTuiError("engine.load_stopped")
        models.go_to("me/tiny")
        await pilot.press("enter")
        await until(pilot, lambda: len(reports) == 2)
        reports[1](LoadProgress("reading", "tiny", 3_000_000, 4_000_000))
        await until(pilot, lambda: "3.0 MB of 4.0 MB" in shown(pilot))
        assert isinstance(pilot.app.screen, ModelScreen)
        await pilot.press("escape")
        await until(pilot, lambda: "The model was not loaded" in shown(pilot))
        assert isinstance(pilot.app.screen, ModelScreen)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ModelScreen))


async def test_a_model_that_cannot_be_loaded_is_explained_where_it_was_chosen(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        play.open_error = QwenTuiError("engine.bitsandbytes", device="cuda:0", detail="no kernel")
        models.go_to("me/tiny")
        await pilot.press("enter")
        await until(pilot, lambda: "no kernel" in shown(pilot))
        assert isinstance(pilot.app.screen, ModelScreen)


async def test_any_other_model_is_named(play, tmp_path) -> None:
    another = tiny_models.qwen2(tmp_path / "another")
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        await pilot.press("slash")
        field = pilot.app.screen.query_one("#models-name")
        field.value = str(another)
        await pilot.press("left", "slash", "backspace", "enter")
        assert models.has_focus
        assert "By name" in shown(pilot)
        assert (models.row.entry.model, models.row.entry.is_here) == (str(another), True)
        await pilot.press("slash")
        field.value = "  https://huggingface.co/somebody/some-model "
        await pilot.press("enter")
        assert models.row.entry.model == "somebody/some-model"
        await pilot.press("enter")
        await until(pilot, lambda: "download what is missing" in shown(pilot))
        await pilot.press("slash")
        field.value = "Qwen/Qwen3-8B"
        await pilot.press("enter")
        assert models.row.entry.group == "known"
        field.focus()
        await pilot.press("escape")
        assert models.has_focus


async def test_a_model_that_is_loaded_makes_room_for_the_next(play) -> None:
    play.engine.info = replace(play.engine.info, device="cuda:0", memory_bytes=8 * GB)
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        # 23 GB are free beside it: with its 8 the 29.5 GB of the 14B would fit, but not on a GPU of 24.
        fits = {row.entry.model: row.fits for row in models.rows}
        free = {fit.devices[0].free_bytes for fit in fits["Qwen/Qwen3-4B"].values()}
        assert free == {24 * GB}


async def test_an_empty_conversation_says_why_the_model_is_held_as_it_is(play) -> None:
    chosen = plan(known("Qwen/Qwen2.5-14B-Instruct").shape.size, devices.usable())
    play.engine.info = replace(play.engine.info, reasons=chosen.reasons)
    async with play.running() as pilot:
        await until(pilot, lambda: "4bit: 10.3 GB of weights; in bfloat16 the 29.5 GB" in shown(pilot))


async def test_the_palette_and_the_help_know_it(play) -> None:
    async with play.running(size=(120, 60)) as pilot:
        await until(pilot, lambda: play.loads)
        await pilot.press("ctrl+p")
        await pilot.press(*"models")
        await until(pilot, lambda: "Choose a model on this machine" in shown(pilot))
        await pilot.press("escape")
        await pilot.press("f1")
        await until(pilot, lambda: "F4" in shown(pilot))


async def test_a_name_on_the_hub_is_told_with_its_size_before_it_is_downloaded(
    play, tmp_path, monkeypatch
) -> None:
    with loopback_hub({"somebody/tiny": tmp_path / "我的模型"}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        # A busy machine may need longer for an answer than a person would be made to wait for it.
        monkeypatch.setattr(hub_model, "NETWORK_SECONDS", HANGS)
        monkeypatch.setattr(choices, "hub_model", partial(hub_model.hub_model, seconds=HANGS))
        async with play.running() as pilot:
            await until(pilot, lambda: play.loads)
            models = await opened(pilot)
            field = pilot.app.screen.query_one("#models-name")
            for name, said in (
                ("somebody/nothing", "does not exist on the hub"),
                ("somebody/tiny", "Fits on"),
            ):
                field.focus()
                field.value = name
                await pilot.press("enter")
                await until(pilot, lambda said=said: said in shown(pilot))
            assert models.row.entry.model == "somebody/tiny"
            assert set(models.row.fits) == {"none", "8bit", "4bit"}
            await pilot.press("enter")
            size = in_bytes((tmp_path / "我的模型" / "model.safetensors").stat().st_size)
            await until(pilot, lambda: f"download {size}" in shown(pilot))
        assert not any(".safetensors" in request for request in hub.requests)


async def test_a_model_of_the_cache_is_deleted_at_the_second_press_unless_it_is_in_use(play) -> None:
    repository = cache_folder() / "models--me--tiny"

    async def pressed(*keys: str) -> str:
        await pilot.press(*keys)
        return str(pilot.app.screen.query_one("#models-said").content)

    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        models.go_to("me/tiny")
        question = await pressed("delete")
        assert question.startswith("Press Del again to delete me/tiny (")
        assert str(repository) in question
        assert await pressed("down") == ""
        models.go_to(next(row.entry.key for row in models.rows if row.entry.name == "我的模型"))
        assert "Delete this folder yourself" in await pressed("delete")
        models.go_to("me/tiny")
        await pressed("delete", "delete")
        await until(pilot, lambda: " freed." in shown(pilot) and not repository.exists())
        await until(pilot, lambda: all(row.entry.model != "me/tiny" for row in models.rows))


async def test_the_model_in_use_is_not_deleted(play) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        models = await opened(pilot)
        models.go_to("me/tiny")
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ModelScreen))
        models = await opened(pilot)
        models.go_to("me/tiny")
        await pilot.press("delete")
        assert "me/tiny is in use." in str(pilot.app.screen.query_one("#models-said").content)
        await pilot.press("delete")
        assert (cache_folder() / "models--me--tiny" / "refs" / "main").exists()
