"""One message shows who wrote it, what it says, and how it came about."""

import pytest
from log_host import RUN, ViewHost, question, reply, running, screen_rows, screen_text, settled

from qwen_tui.chat.messages import Run, Status
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.markdown.plain import missing_lines
from qwen_tui.ui.transcript.message_lines import receipt_text
from qwen_tui.ui.transcript.message_rows import GROWTH, MessageRows
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.wording.cell_width import cells

FIGURES = "142 tok/s · 0.19 s to first token · 512 tokens"


async def test_a_reply_is_markdown_with_its_figures_beside_its_author() -> None:
    app = ViewHost(MessageView(reply("**bold** words", receipt=(RUN,)), "Qwen"))
    async with running(app):
        rows = [row.strip(" ▌") for row in screen_rows(app)]
        assert rows[0].split(maxsplit=1) == ["Qwen2.5-7B-Instruct", FIGURES]
        assert rows[1:3] == ["bold words", ""]


@pytest.mark.parametrize(("width", "figures"), [(60, "142 tok/s · 0.19 s to first token"), (36, "142 tok/s")])
def test_in_little_room_the_figures_are_fewer_and_the_name_stays(width, figures) -> None:
    rows = MessageRows(reply("words", receipt=(RUN,)), "Qwen")
    rows.lay_out(width)
    assert rows.lines[0].text.split(maxsplit=1) == ["Qwen2.5-7B-Instruct", figures]
    assert cells(rows.lines[0].text) == width


async def test_a_question_stays_as_it_was_typed() -> None:
    app = ViewHost(MessageView(question("# not a *heading*\n    indented\n```sh\nls\n```\nso?")))
    async with running(app):
        text = screen_text(app)
        assert "# not a *heading*" in text
        assert "     indented" in text
        assert "sh\n" in text
        assert "```" not in text


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (reply("half", status=Status.STOPPED), "Stopped"),
        (reply("half", status=Status.INTERRUPTED), "Interrupted"),
        (reply("half", status=Status.LENGTH), "max new tokens"),
        (reply("half", status=Status.FAILED, error=QwenTuiError("error.unknown", detail="[/]")), "[/]"),
    ],
)
async def test_how_it_ended_stands_below(message, words) -> None:
    app = ViewHost(MessageView(message, "Qwen"))
    async with running(app):
        assert words in screen_text(app)
        assert "half" in screen_text(app)


async def test_a_failure_shows_what_to_do_and_colours_the_edge() -> None:
    error = QwenTuiError("error.unknown", detail="boom")
    app = ViewHost(MessageView(reply("", status=Status.FAILED, error=error), "Qwen"))
    async with running(app):
        text = screen_text(app)
        assert error.explanation.title in text
        assert error.explanation.hint in text
        assert app.view.has_class("-failed")


async def test_while_the_prompt_is_read_it_says_how_far() -> None:
    app = ViewHost(MessageView(reply(""), "Qwen", streaming=True))
    async with running(app) as pilot:
        assert "Reading the prompt" in screen_text(app)
        app.view.show_progress(512, 1204)
        await settled(pilot)
        assert "512 / 1,204 tokens" in screen_text(app)
        app.view.append_text("Now")
        await settled(pilot)
        assert "Reading" not in screen_text(app)
        assert "Now▌" in screen_text(app)


async def test_a_queued_message_waits() -> None:
    app = ViewHost(MessageView(question("next"), waiting=True))
    async with running(app) as pilot:
        assert "You  waiting" in screen_text(app)
        app.view.finish(app.view.message)
        await settled(pilot)
        assert "waiting" not in screen_text(app)


async def test_thoughts_show_their_end_and_fold_when_the_answer_begins() -> None:
    app = ViewHost(MessageView(reply(""), "Qwen", streaming=True))
    async with running(app) as pilot:
        for number in range(30):
            app.view.append_thinking(f"thought {number}\n", tokens=3)
        await settled(pilot)
        assert "thought 29" in screen_text(app)
        assert "thought 3\n" not in screen_text(app)
        assert "90 tokens" in screen_text(app)
        app.view.append_text("The answer")
        await settled(pilot)
        assert "thought 29" not in screen_text(app)
        assert "▸ Thought for" in screen_text(app)
        assert "The answer" in screen_text(app)


async def test_folded_thoughts_unfold_with_a_click() -> None:
    app = ViewHost(MessageView(reply("The answer", thinking="first\nsecond"), "Qwen"))
    async with running(app) as pilot:
        assert "second" not in screen_text(app)
        await pilot.click(MessageView, offset=(6, 1))
        await settled(pilot)
        assert "│ second" in screen_text(app)
        await pilot.click(MessageView, offset=(6, 1))
        await settled(pilot)
        assert "second" not in screen_text(app)


async def test_a_growing_message_gets_taller_in_steps_and_is_exact_in_the_end() -> None:
    app = ViewHost(MessageView(reply(""), "Qwen", streaming=True))
    async with running(app) as pilot:
        heights = set()
        for number in range(30):
            app.view.append_text(f"line {number}\n\n")
            await pilot.pause()
            heights.add(app.view.content_size.height)
        assert all(height % GROWTH == 0 for height in heights)
        message = reply(app.view.body.content, receipt=(RUN,))
        app.view.finish(message)
        await settled(pilot)
        assert app.view.content_size.height == len(app.view.rows)
        assert not app.view.has_class("-streaming")


async def test_a_finished_stream_looks_like_the_stored_message() -> None:
    source = (
        "# 标题\n\n1. **a**\n   - b\n\n```python\nx = '''\n"
        + "y\n" * 50
        + "'''\n```\n\n| a | b |\n|---|---|\n"
        + "| 1 | 2 |\n" * 20
    )
    message = reply(source, receipt=(RUN,))
    app = ViewHost(MessageView(reply("", id=message.id), "Qwen", streaming=True))
    async with running(app) as pilot:
        for at in range(0, len(source), 7):
            app.view.append_text(source[at : at + 7])
        app.view.finish(message)
        await settled(pilot)
        fresh = MessageView(message, "Qwen")
        fresh.lay_out(app.view.content_size.width)
        assert list(app.view.rows) == list(fresh.rows)


async def test_what_is_drawn_while_streaming_is_never_stale() -> None:
    app = ViewHost(MessageView(reply(""), "Qwen", streaming=True))
    async with running(app, (60, 40)) as pilot:
        for delta in (
            "Some **bo",
            "ld** text\n",
            "Title\n",
            "===",
            "\n\n- a",
            "\n- b\n",
            "\n| a | b |\n|--",
            "-|---|\n| 1 | 2",
        ):
            app.view.append_text(delta)
            await settled(pilot)
            drawn = [row.removeprefix("▌").strip() for row in screen_rows(app)]
            rows = [app.view.row_at(y).text.strip() for y in range(len(app.view.rows))]
            assert drawn[: len(rows)] == rows


async def test_another_width_lays_a_growing_message_out_again() -> None:
    app = ViewHost(MessageView(reply(""), "Qwen", streaming=True))
    async with running(app) as pilot:
        app.view.append_text("word " * 30)
        await settled(pilot)
        before = len(app.view.rows)
        await pilot.resize_terminal(40, 24)
        await settled(pilot)
        assert len(app.view.rows) > before
        app.view.append_text("and **more**")
        await settled(pilot)
        assert "and more▌" in screen_text(app)


async def test_another_width_lays_the_message_out_again() -> None:
    app = ViewHost(MessageView(reply("word " * 40), "Qwen"))
    async with running(app) as pilot:
        before = len(app.view.rows)
        await pilot.resize_terminal(40, 24)
        await settled(pilot)
        assert len(app.view.rows) > before


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "ansi-light"])
async def test_every_theme_draws_every_ink(theme) -> None:
    source = "# h\n**b** `c` [l](u)\n\n> q\n\n```python\ndef f(): return '1', 2 # c\n```\n|a|\n|-|\n|b|"
    app = ViewHost(MessageView(reply(source, thinking="t", receipt=(RUN,)), "Qwen"))
    async with running(app) as pilot:
        app.theme = theme
        app.view.set_class(theme.endswith("light"), "-dimmed")
        await settled(pilot)
        assert "def f(): return '1', 2 # c" in screen_text(app)


async def test_a_dimmed_message_is_drawn_in_other_colours() -> None:
    app = ViewHost(MessageView(reply("words"), "Qwen"))
    async with running(app) as pilot:
        bright = app.view.render_line(1)
        app.view.set_class(True, "-dimmed")
        await settled(pilot)
        dimmed = app.view.render_line(1)
        assert bright.text == dimmed.text
        assert [s.style.color for s in bright] != [s.style.color for s in dimmed]


async def test_a_new_theme_recolours_without_a_new_layout() -> None:
    app = ViewHost(MessageView(reply("**words**"), "Qwen"))
    async with running(app) as pilot:
        rows, dark = app.view.rows, app.view.render_line(1)
        app.theme = "textual-light"
        await settled(pilot)
        assert app.view.rows is rows
        assert [s.style for s in app.view.render_line(1)] != [s.style for s in dark]


def test_the_receipt_adds_up_the_tokens_of_all_runs() -> None:
    first = Run(model="m", new_tokens=100, first_token_seconds=0.5, decode_seconds=1)
    last = Run(model="m", new_tokens=11, first_token_seconds=0.25, decode_seconds=2)
    assert receipt_text((first, last)) == "5.0 tok/s · 0.25 s to first token · 111 tokens"


def test_a_receipt_without_figures_says_no_more_than_it_knows() -> None:
    assert receipt_text((Run(model="m", new_tokens=1),)) == "1 token"


async def test_thoughts_are_laid_out_anew_for_another_width() -> None:
    app = ViewHost(MessageView(reply(""), "Qwen", streaming=True))
    async with running(app, (60, 24)) as pilot:
        app.view.append_thinking("one two three four five six seven eight nine ten", 3)
        await settled(pilot)
        await pilot.resize_terminal(30, 24)
        await settled(pilot)
        app.view.append_thinking(" eleven", 1)
        await settled(pilot)
        shown = " ".join(row.strip("▌│ ") for row in screen_rows(app))
        assert "one two three four five six seven eight nine ten eleven" in shown
        app.view.finish(reply("So.", thinking="one two three four five six seven eight nine ten"))
        app.view.toggle_thinking()
        await settled(pilot)
        await pilot.resize_terminal(60, 24)
        await settled(pilot)
        assert "│ one two three four five six seven eight nine ten" in screen_text(app)


async def test_one_token_of_thoughts_is_one_token() -> None:
    app = ViewHost(MessageView(reply(""), "Qwen", streaming=True))
    async with running(app) as pilot:
        app.view.append_thinking("hm", tokens=1)
        await settled(pilot)
        assert "Thinking · 1 token\n" in screen_text(app)
        app.view.append_text("So:")
        await settled(pilot)
        assert "s · 1 token\n" in screen_text(app)


def test_one_line_that_is_not_shown_is_one_line() -> None:
    said = [line.text.strip() for line in missing_lines(1, 100)]
    assert "1 more line not shown (copying includes it)" in said
