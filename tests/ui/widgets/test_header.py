"""The top line in words, from wide to narrow."""

import re
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult

from qwen_tui.engine.base import LoadProgress, ModelInfo, Reason
from qwen_tui.ui.widgets.header import Header
from qwen_tui.wording.load_progress import Pace
from qwen_tui.wording.units import in_bytes

QWEN = ModelInfo(
    name="Qwen2.5-7B-Instruct",
    model="Qwen/Qwen2.5-7B-Instruct",
    architecture="Qwen2ForCausalLM",
    parameters=7_615_616_512,
    context_window=32768,
    quantization="4bit",
    dtype="bfloat16",
    device="cuda:0",
)
GUIDE = replace(QWEN, name="guide", model="guide", quantization="none", dtype="float32", device="cpu")


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield Header()


async def line(width: int, **attributes: object) -> str:
    """The header as it is drawn at this width."""
    host = Host()
    async with host.run_test(size=(width, 3)) as pilot:
        header = host.query_one(Header)
        for name, value in attributes.items():
            setattr(header, name, value)
        await pilot.pause()
        strip = host.screen._compositor.render_strips()[0]
        assert strip.cell_length == width
        return strip.text


async def test_it_names_the_model_how_it_is_held_and_where_and_how_full_the_window_is() -> None:
    assert await line(100, info=QWEN, used_tokens=1204) == (
        " qwen-tui   Qwen2.5-7B-Instruct · nf4 · cuda:0" + " " * 24 + "1,204 / 32,768 tokens  ▰▱▱▱▱▱ "
    )


async def test_a_model_that_is_not_decoded_in_the_fastest_way_is_marked() -> None:
    slow = replace(QWEN, decode_path="graph", reasons=(Reason("engine.decoding.no_compiler"),))
    assert "· nf4 · cuda:0 · slow: CUDA graph " in await line(100, info=slow)
    assert " Qwen2.5-7B-Instruct " in await line(50, info=slow)


async def test_at_60_columns_model_and_count_are_still_there() -> None:
    text = await line(60, info=QWEN, used_tokens=1204)
    assert "Qwen2.5-7B-Instruct" in text
    assert "1,204 / 32,768" in text


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 140, 250])
async def test_it_fits_at_any_width_whatever_the_name(width: int) -> None:
    long = replace(QWEN, name="很长的模型名称-" * 12)
    await line(width, info=long, used_tokens=31_000)
    await line(width, progress=LoadProgress("downloading", long.name, 10**9, 10**10))
    await line(width, problem="Something went very wrong with the model " * 5)


async def test_a_count_that_is_not_known_is_a_dash() -> None:
    assert "– / 32,768 tokens  ▱▱▱▱▱▱" in await line(100, info=QWEN)


async def test_the_guide_is_named_as_what_it_is() -> None:
    assert "guide · a tiny built-in model · cpu" in await line(100, info=GUIDE)


async def test_weights_that_are_not_quantized_are_named_by_their_type() -> None:
    assert "· bfloat16 ·" in await line(100, info=replace(QWEN, quantization="none"))


async def test_a_name_is_text_and_not_markup() -> None:
    assert "[red]x[/]" in await line(100, info=replace(QWEN, name="[red]x[/]"))


async def test_without_a_model_it_says_why() -> None:
    assert "No room on the GPU" in await line(80, problem="No room on the GPU")
    assert "No model" in await line(80)


async def test_loading_says_what_is_happening_and_how_to_stop_it() -> None:
    text = await line(80, progress=LoadProgress("reading", "Qwen2.5-7B-Instruct"))
    assert "Qwen2.5-7B-Instruct · reading the weights" in text
    assert "Esc stop" in text


async def test_a_download_says_bytes_rate_and_what_is_left_once() -> None:
    now = [0.0]
    host = Host()
    async with host.run_test(size=(120, 3)) as pilot:
        header = host.query_one(Header)
        header._pace = Pace(lambda: now[0])
        for second in range(5):
            now[0] = float(second)
            header.progress = LoadProgress(
                "downloading", "Qwen", 1_000_000_000 + second * 84_000_000, 15_200_000_000
            )
        await pilot.pause()
        text = host.screen._compositor.render_strips()[0].text
    assert "Qwen · downloading" in text
    assert "1.3 GB of 15.2 GB · 84 MB/s · 3 min left  ▰▱▱▱▱▱  Esc stop" in text


@pytest.mark.parametrize(
    ("columns", "figures"),
    [
        (130, "Qwen2.5-7B-Instruct · downloading  1.3 GB of 15.2 GB · 84 MB/s · 3 min left · 3 of 12 files"),
        (105, "downloading  1.3 GB of 15.2 GB · 84 MB/s · 3 min left · 3 of 12 files"),
        (90, "downloading  1.3 GB of 15.2 GB · 84 MB/s · 3 min left"),
        (80, "downloading  1.3/15.2 GB · 84 MB/s · 3 min"),
        (70, "downloading  1.3 GB of 15.2 GB"),
        (56, "downloading  8 %"),
    ],
)
async def test_a_narrow_line_gives_up_the_least_important_figures_of_a_download(
    columns: int, figures: str
) -> None:
    text = await downloading(columns, seconds=4.0, files=12)
    assert re.split(" {2,}", text.strip())[1:] == [*figures.split("  "), "▰▱▱▱▱▱", "Esc stop"]


async def test_a_download_has_no_rate_before_one_is_measured_and_none_when_nothing_comes() -> None:
    assert "1.0 GB of 15.2 GB · –/s  ▰" in await downloading(100, seconds=0.0)
    assert "1.3 GB of 15.2 GB · 0 B/s  ▰" in await downloading(100, seconds=4.0, still_seconds=20.0)


async def downloading(columns: int, seconds: float, still_seconds: float = 0.0, files: int = 0) -> str:
    """The line after a download at 84 MB/s for so long, and nothing of it since for so long."""
    now = 0.0
    host = Host()
    async with host.run_test(size=(columns, 3)) as pilot:
        header = host.query_one(Header)
        header._pace = Pace(lambda: now)
        for second in range(int(seconds) + 1):
            now = float(second)
            done = 1_000_000_000 + second * 84_000_000
            header.progress = LoadProgress("downloading", QWEN.name, done, 15_200_000_000, 3, files)
        now += still_seconds
        header.refresh()
        await pilot.pause()
        return host.screen._compositor.render_strips()[0].text


async def test_at_60_columns_a_download_keeps_its_bar_and_the_way_out() -> None:
    text = await line(60, progress=LoadProgress("downloading", "Qwen2.5-7B-Instruct", 3 * 10**9, 10**10))
    assert "30 %  ▰▰▱▱▱▱  Esc stop" in text


async def test_the_meter_warns_when_the_budget_is_nearly_used() -> None:
    host = Host()
    async with host.run_test(size=(100, 3)) as pilot:
        header = host.query_one(Header)
        header.info, header.budget = QWEN, 30_720
        styles = []
        for used in (20_000, 28_000):
            header.used_tokens = used
            await pilot.pause()
            strip = host.screen._compositor.render_strips()[0]
            styles.append(next(s.style for s in strip if "tokens" in s.text))
        assert styles[0] != styles[1]


def test_a_pace_begins_anew_with_every_stage() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    for second, done in enumerate((0, 100, 200)):
        now[0] = float(second)
        pace.note(LoadProgress("downloading", "a", done, 1000))
    assert pace.bytes_per_second == 100
    pace.note(LoadProgress("reading", "a", 0, 1000))
    assert pace.bytes_per_second is None


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (48_200, "48 KB"),
        (999_600, "1.0 MB"),
        (84e6, "84 MB"),
        (15.23e9, "15.2 GB"),
    ],
)
def test_sizes_are_read_as_people_say_them(count: float, words: str) -> None:
    assert in_bytes(count) == words
