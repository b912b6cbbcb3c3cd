"""The receipt dialog shows how a reply came about, whatever its file says, and asks for it to be replayed."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_host import question, reply, running, screen_text, settled
from rendered import widest
from textual.app import App
from textual.widgets import Static
from work import pieces

from qwen_tui.chat.messages import Message, Run, Status
from qwen_tui.session.requests import Replay
from qwen_tui.strings import say
from qwen_tui.ui.receipt.lines import rows_of, sheets, text_of
from qwen_tui.ui.receipt.screen import Receipt
from qwen_tui.ui.transcript.message_lines import receipt_text
from qwen_tui.ui.widgets.action_bar import ActionBar

WHOLE = Run(
    model="Qwen/Qwen2.5-7B-Instruct",
    revision="a09a35458c702b33eeacc393d103063234e8bc28",
    quantization="nf4",
    dtype="bfloat16",
    device="cuda:0",
    decode_path="cuda-graph",
    seed=12345,
    sampling={"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05},
    prompt_tokens=1204,
    reused_tokens=1100,
    new_tokens=512,
    first_token_seconds=0.19,
    decode_seconds=3.6,
    stop_reason="eos",
    token_ids=tuple(range(100, 612)),
    first_sent="q1",
    system_prompt="You are a helpful assistant. " * 3,
    thinking=False,
    prompt_digest="0123456789abcdef",
)


class DialogHost(App[None]):
    """The dialog over an empty screen."""

    def __init__(self, message: Message) -> None:
        super().__init__()
        self.animation_level = "none"  # as in the program
        self.wanted: list[Replay] = []
        path = [question("Where is Guangzhou?"), message]
        self.dialog = Receipt(message, path, self.wanted.append, lambda: None)
        self.clipboard_text: list[str] = []

    async def on_mount(self) -> None:
        await self.push_screen(self.dialog)

    def copy_to_clipboard(self, text: str) -> None:
        self.clipboard_text.append(text)


def offers(app: DialogHost) -> str:
    return app.dialog.query_one(ActionBar).rows[0].text


def outcome(app: DialogHost) -> str:
    return str(app.dialog.query_one("#receipt-outcome", Static).content)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)])
async def test_it_shows_how_the_reply_came_about(size) -> None:
    app = DialogHost(reply("x", receipt=(WHOLE,)))
    async with running(app, size):
        text = screen_text(app)
        for words in ("Qwen/Qwen2.5-7B-Instruct", "nf4, bfloat16 on cuda:0", "12345", "temperature 0.7"):
            assert words in text
        assert "y Copy" in text
        assert "p Replay" in text


def test_it_says_why_decoding_was_not_faster_and_ignores_what_a_file_makes_up() -> None:
    reason = {"code": "engine.decoding.graph_failed", "detail": "out of {memory}"}
    assert "graph (out of {memory})" in text_of(reply("x", receipt=(replace(WHOLE, slowed=reason),)))
    for made_up in ({"code": "engine.decoding.graph_failed"}, {"code": 3}, {"code": "engine.decoding.x"}):
        text = text_of(reply("x", receipt=(replace(WHOLE, slowed=made_up),)))
        assert say("receipt.slowed") not in text


async def test_the_token_ids_can_be_scrolled_to() -> None:
    app = DialogHost(reply("x", receipt=(WHOLE,)))
    async with running(app, (80, 24)) as pilot:
        await pilot.press("end")
        await settled(pilot)
        assert " 611" in screen_text(app)


async def test_one_token_id_is_one() -> None:
    app = DialogHost(reply("x", receipt=(Run(model="m", token_ids=(7,)),)))
    async with running(app, (80, 40)):
        assert "1 token ID\n" in "\n".join(row.rstrip(" │") for row in screen_text(app).split("\n")) + "\n"
        assert "1 token IDs" not in screen_text(app)


async def test_a_continued_reply_has_a_sheet_for_each_run() -> None:
    second = Run(model="Qwen/Qwen2.5-7B-Instruct", content_start=1200, new_tokens=1, stop_reason="length")
    app = DialogHost(reply("x", receipt=(Run(model="a/b", token_ids=(1, 2)), second)))
    async with running(app, (100, 50)):
        text = screen_text(app)
        assert "Run 1 of 2" in text
        assert "Run 2 of 2" in text
        assert "after 1,200 characters" in text


async def test_a_hundred_thousand_token_ids_are_no_burden() -> None:
    run = Run(model="m", token_ids=tuple(range(100_000)))
    app = DialogHost(reply("x", receipt=(run,)))
    began = time.process_time()
    async with running(app, (120, 36)) as pilot:
        assert pieces(time.process_time() - began) < 200
        began = time.process_time()
        await pilot.press("pagedown", "end", "home")
        await settled(pilot)
        assert pieces(time.process_time() - began) < 65


@pytest.mark.parametrize("message", [
    reply("half", status=Status.INTERRUPTED), reply("", status=Status.FAILED), reply("x"),
    reply("x", edited=True), reply("", status=Status.STOPPED),
])  # fmt: skip
async def test_a_reply_without_a_receipt_says_why(message) -> None:
    app = DialogHost(message)
    async with running(app):
        assert "No receipt" in screen_text(app)
        assert "Replay" not in offers(app)


async def test_replaying_is_asked_for_once_and_its_outcome_is_shown() -> None:
    message = reply("x", receipt=(WHOLE,))
    app = DialogHost(message)
    async with running(app, (80, 24)) as pilot:
        await pilot.press("p")
        app.dialog.show_replay("142 of 512 tokens · same so far", is_running=True)
        await settled(pilot)
        assert "142 of 512 tokens · same so far" in screen_text(app)
        assert "Replay" not in offers(app)
        await pilot.press("p")
        app.dialog.show_replay("First differs at token 57: 「foo」 instead of 「[/]」.")
        await settled(pilot)
        assert "「[/]」" in screen_text(app)
        assert app.wanted == [Replay(message.id)]
        await pilot.press("p")
        await settled(pilot)
        assert app.wanted == [Replay(message.id), Replay(message.id)]


async def test_its_offers_can_be_clicked() -> None:
    app = DialogHost(reply("x", receipt=(WHOLE,)))
    async with running(app) as pilot:
        bar = app.dialog.query_one(ActionBar)
        await pilot.click(bar, offset=(bar.gutter.left + offers(app).index("Replay"), 0))
        await settled(pilot)
        assert len(app.wanted) == 1
        await pilot.click(bar, offset=(bar.gutter.left + offers(app).index("Close"), 0))
        await settled(pilot)
        assert app.screen is not app.dialog


async def test_y_copies_all_of_it(monkeypatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = DialogHost(reply("x", receipt=(WHOLE,)))
    async with running(app) as pilot:
        await pilot.press("y")
        await settled(pilot)
        assert "Seed: 12345" in app.clipboard_text[0]
        assert "610 611" in app.clipboard_text[0]
        assert outcome(app)


@pytest.mark.parametrize("key", ["escape", "i"])
async def test_a_key_closes_it(key) -> None:
    app = DialogHost(reply("x"))
    async with running(app) as pilot:
        await pilot.press(key)
        await settled(pilot)
        assert app.screen is not app.dialog
        app.dialog.show_replay("too late")


texts = st.text(max_size=30) | st.just("\x1b[31m[/]中" * 5)
numbers = st.integers() | st.sampled_from([10**400, -(10**400), 0, 1])
figures = st.floats() | numbers
values = st.recursive(st.none() | st.booleans() | figures | texts, lambda each: st.lists(each, max_size=3))
runs = st.builds(
    Run, model=texts, revision=texts, quantization=texts, dtype=texts, device=texts, decode_path=texts,
    seed=numbers, sampling=st.dictionaries(texts, values, max_size=4), prompt_tokens=numbers,
    reused_tokens=numbers, new_tokens=numbers, first_token_seconds=figures, decode_seconds=figures,
    stop_reason=texts, token_ids=st.lists(numbers, max_size=20).map(tuple), first_sent=texts, system_prompt=texts,
    content_start=numbers, thinking_start=numbers, prompt_digest=texts,
    extra=st.dictionaries(texts, values, max_size=3),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(runs, min_size=1, max_size=3), st.integers(18, 90))
def test_nothing_in_a_file_can_break_it(receipt, width) -> None:
    message = reply("x", receipt=tuple(receipt))
    rows = [row for sheet in sheets(message, [message]) for row in rows_of(sheet, width)]
    assert widest(rows) <= max(width, 24)
    assert "\x1b" not in "".join(row.text for row in rows)
    assert text_of(message)
    assert receipt_text(receipt)


def test_it_says_how_the_model_was_asked_to_think_and_who_ended_that() -> None:
    run = replace(WHOLE, thinking=True, effort="xhigh", thought_closed_at=300, stop_reason="stop_string")
    said = text_of(reply("x", receipt=(run,)))
    assert "very high, ended by qwen-tui after 300 tokens" in said
    assert "by a stop string" in said
