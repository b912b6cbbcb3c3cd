"""The composer from inside: history, attachments, what is given back."""

from collections.abc import Iterator
from contextlib import asynccontextmanager

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import TextArea

from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.composer.attachment import Attachment
from qwen_tui.ui.composer.composer import Composer
from qwen_tui.wording.units import draft_in_words

LARGE = "\n".join(f"line {number}" for number in range(1204))


class Host(App[None]):
    """A composer, and what it has sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.drafts: list[str] = []
        self.failed: list[QwenTuiError] = []

    def compose(self) -> ComposeResult:
        yield Composer()

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def area(self) -> TextArea:
        return self.query_one(TextArea)

    @on(Composer.Submitted)
    def keep_sent(self, event: Composer.Submitted) -> None:
        self.sent.append(event.text)

    @on(Composer.DraftChanged)
    def keep_draft(self) -> None:
        self.drafts.append(self.query_one(Composer).text)

    @on(Composer.Failed)
    def keep_failed(self, event: Composer.Failed) -> None:
        self.failed.append(event.error)


@asynccontextmanager
async def composing(size: tuple[int, int] = (80, 24)) -> Iterator[tuple[Host, Pilot[None]]]:
    host = Host()
    async with host.run_test(size=size) as pilot:
        host.composer.focus()
        await pilot.pause()
        yield host, pilot


async def paste(host: Host, pilot: Pilot[None], text: str) -> None:
    host.area.post_message(Paste(text))
    await pilot.pause()
    await pilot.pause()


async def test_enter_sends_and_empties() -> None:
    async with composing() as (host, pilot):
        await pilot.press(*"hello", "enter")
        assert host.sent == ["hello"]
        assert host.composer.text == ""


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
async def test_an_empty_message_is_not_sent(text: str) -> None:
    async with composing() as (host, pilot):
        await paste(host, pilot, text)
        await pilot.press("enter")
        assert host.sent == []


async def test_a_backslash_before_enter_is_a_new_line_but_two_are_not() -> None:
    async with composing() as (host, pilot):
        await pilot.press("a", "\\", "enter", "b", "\\", "\\", "enter")
        assert host.sent == ["a\nb\\\\"]


async def test_up_and_down_walk_through_earlier_messages_and_keep_the_draft() -> None:
    async with composing() as (host, pilot):
        host.composer.history = ("first", "second\nwith two rows")
        await pilot.press(*"draft", "up")
        assert host.area.text == "second\nwith two rows"
        await pilot.press("up")
        assert host.area.text == "second\nwith two rows"
        await pilot.press("up")
        assert host.area.text == "first"
        await pilot.press("up")
        assert host.area.text == "first"
        await pilot.press("down", "down")
        assert host.area.text == "draft"
        await pilot.press("down")
        assert host.area.text == "draft"


async def test_what_is_changed_in_an_earlier_message_is_still_there_on_the_way_back() -> None:
    async with composing() as (host, pilot):
        host.composer.history = ("first", "second")
        await pilot.press("up", "!", "up", "down")
        assert host.area.text == "second!"
        await pilot.press("enter", "up")
        assert (host.sent, host.area.text) == (["second!"], "second")


async def test_up_moves_within_wrapped_rows_first() -> None:
    async with composing(size=(30, 24)) as (host, pilot):
        host.composer.history = ("earlier",)
        await paste(host, pilot, "很长的一行" * 8)
        await pilot.press("up")
        assert host.area.text == "很长的一行" * 8
        for _ in range(3):
            await pilot.press("up")
        assert host.area.text == "earlier"


@pytest.mark.parametrize("text", ["x" * 20_001, "x\n" * 400, "y" * 4_001])
async def test_a_paste_too_large_to_edit_becomes_an_attachment(text: str) -> None:
    async with composing() as (host, pilot):
        await paste(host, pilot, text)
        assert host.area.text == ""
        await pilot.press("enter")
        assert host.sent == [text.rstrip()]


@pytest.mark.parametrize("end", ["", "\n"])
async def test_an_attachment_says_what_it_is(end: str) -> None:
    async with composing() as (host, pilot):
        await paste(host, pilot, LARGE + end)
        assert "Pasted text · 1,204 lines · 11 KB" in str(host.query_one(Attachment).render())


async def test_attachments_are_sent_in_order_before_the_text() -> None:
    async with composing() as (host, pilot):
        await pilot.press(*"what?")
        await paste(host, pilot, LARGE)
        await paste(host, pilot, "x" * 5000)
        await pilot.press("enter")
        assert host.sent == [f"{LARGE}\n\n{'x' * 5000}\n\nwhat?"]
        assert not host.query(Attachment)


async def test_backspace_at_the_start_reaches_the_attachment_and_then_removes_it() -> None:
    async with composing() as (host, pilot):
        await paste(host, pilot, LARGE)
        await pilot.press("backspace")
        assert isinstance(host.focused, Attachment)
        await pilot.press("backspace")
        await pilot.pause()
        assert host.composer.text == ""
        assert host.focused is host.area


async def test_an_attachment_is_opened_into_the_text() -> None:
    async with composing() as (host, pilot):
        await pilot.press(*"end")
        await paste(host, pilot, LARGE)
        await pilot.press("home", "backspace", "enter")
        await pilot.pause()
        assert host.area.text == f"{LARGE}\n\nend"
        assert host.focused is host.area


async def test_an_attachment_too_large_for_the_text_stays_closed_and_says_why() -> None:
    async with composing() as (host, pilot):
        await paste(host, pilot, "x" * 300_000)
        await pilot.press("backspace", "enter")
        await pilot.pause()
        assert [error.code for error in host.failed] == ["composer.too_large_to_edit"]
        assert len(host.composer.text) == 300_000


async def test_what_is_given_back_stands_before_what_was_written_meanwhile() -> None:
    async with composing() as (host, pilot):
        await pilot.press(*"newer")
        host.composer.give_back("refused")
        await pilot.press("!")
        assert host.area.text == "refused\n\nnewer!"


async def test_what_is_given_back_to_an_empty_composer_can_be_typed_on() -> None:
    async with composing() as (host, pilot):
        host.composer.give_back("refused")
        await pilot.press("!")
        assert host.composer.text == "refused!"


async def test_a_large_message_is_given_back_as_an_attachment() -> None:
    async with composing() as (host, pilot):
        await pilot.press(*"newer")
        host.composer.give_back(LARGE)
        await pilot.pause()
        assert host.composer.text == f"{LARGE}\n\nnewer"
        assert host.composer.take() == f"{LARGE}\n\nnewer"
        assert host.composer.text == ""


@pytest.mark.parametrize("lines", [2, 10, 14])
async def test_undo_and_redo_of_more_lines_than_the_box_shows(lines: int) -> None:
    text = "\n".join(f"line {number}" for number in range(lines))
    async with composing() as (host, pilot):
        await pilot.press("a")
        host.post_message(Paste(text))
        await pilot.pause()
        assert host.area.text == f"a{text}"
        for _ in range(2):
            await pilot.press("ctrl+z")
            await pilot.pause()
            assert host.area.text == "a"
            assert host.area.cursor_location == (0, 1)
            await pilot.press("ctrl+y")
            await pilot.pause()
            assert host.area.text == f"a{text}"
        assert host.area.cursor_location == (lines - 1, len(f"line {lines - 1}"))


async def test_what_is_given_back_after_it_was_sent_is_as_it_was_written() -> None:
    async with composing() as (host, pilot):
        host.post_message(Paste(LARGE))
        await pilot.pause()
        await pilot.press("h", "i", "enter")
        await pilot.pause()
        (sent,) = host.sent
        host.composer.give_back(sent)
        await pilot.pause()
        assert host.area.text == "hi"
        assert [chip.text for chip in host.query(Attachment)] == [LARGE]
        assert host.composer.text == sent


async def test_undo_brings_back_what_was_deleted() -> None:
    async with composing() as (host, pilot):
        await paste(host, pilot, "one two")
        await pilot.press("ctrl+u", "ctrl+z")
        assert host.area.text == "one two"


async def test_pasted_text_is_cleaned() -> None:
    async with composing() as (host, pilot):
        await paste(host, pilot, "a\r\nb\x1b[31mc\x07\x9b5mé\u202e")
        assert host.area.text == "a\nbcé"


async def test_the_composer_grows_with_its_text_to_two_fifths_of_the_height() -> None:
    async with composing(size=(60, 20)) as (host, pilot):
        assert host.area.size.height == 1
        for _ in range(12):
            await pilot.press("ctrl+j")
        await pilot.pause()
        assert host.area.outer_size.height == 8


async def test_the_draft_is_told_once_it_rests() -> None:
    async with composing() as (host, pilot):
        # All at once: on a slow machine a draft would come to rest between two keys.
        for letter in "hello":
            host.post_message(Key(letter, letter))
        while not host.drafts:
            await pilot.pause(0.01)
        assert host.drafts == ["hello"]


async def test_the_count_of_tokens_is_shown_and_a_dash_while_unknown() -> None:
    async with composing() as (host, pilot):
        assert not host.area.border_subtitle
        await pilot.press("x")
        assert "– tokens" in str(host.area.border_subtitle)
        host.composer.draft_words = draft_in_words(1)
        assert "1 token" in str(host.area.border_subtitle)
        host.composer.draft_words = draft_in_words(1380)
        assert "1,380 tokens" in str(host.area.border_subtitle)
        host.composer.thinking = "thinking: low"
        assert str(host.area.border_subtitle).strip() == "thinking: low · 1,380 tokens"
        await pilot.press("backspace")
        assert str(host.area.border_subtitle).strip() == "thinking: low"


async def test_escape_is_left_to_the_screen() -> None:
    async with composing() as (host, pilot):
        seen = []
        host.bind("escape", "seen", description="seen")
        host.action_seen = lambda: seen.append(1)  # type: ignore[attr-defined]
        await pilot.press("x", "escape")
        assert seen == [1]
        assert host.composer.text == "x"
