"""Keys that come together are handled one after another, each by whoever has the keyboard then."""

import asyncio
import time

from textual import events
from textual.app import ComposeResult
from textual.widgets import Input
from waiting import HANGS

from qwen_tui.ui.textual_patches.key_queue import PATIENCE_SECONDS, KeysInOrder


class Field(Input):
    """Gives the keyboard to the next field at a 1, goes away at a 2, is held up and then does as at a 1 at a 3."""

    async def on_key(self, event: events.Key) -> None:
        fields = list(self.app.query(Field))
        following = fields[(fields.index(self) + 1) % len(fields)]
        if event.key in ("1", "3"):
            event.prevent_default().stop()
            if event.key == "3":
                time.sleep(1.5 * PATIENCE_SECONDS)  # nothing of the program runs meanwhile
            await asyncio.sleep(0.02)
            self.screen.set_focus(following)
        elif event.key == "2":
            event.prevent_default().stop()
            self.screen.set_focus(following)
            await self.remove()


class Fields(KeysInOrder):
    def compose(self) -> ComposeResult:
        yield Field(id="a", select_on_focus=False)
        yield Field(id="b", select_on_focus=False)


async def typed(app: Fields, text: str, *then: str) -> None:
    """Type this in one go; in the end, these are in the fields."""
    for character in text:
        event = events.Paste("paste") if character == "P" else events.Key(character, character)
        app.post_message(event)
    end = time.monotonic() + HANGS
    while (values := [field.value for field in app.query(Field)]) != list(then):
        assert time.monotonic() < end, values
        await asyncio.sleep(0.005)


async def test_each_key_meets_the_field_that_the_one_before_gave_the_keyboard_to() -> None:
    app = Fields()
    async with app.run_test():
        await typed(app, "xy1zP1w", "xyw", "zpaste")


async def test_a_key_is_waited_for_while_the_program_is_held_up() -> None:
    app = Fields()
    async with app.run_test():
        await typed(app, "x3yz", "x", "yz")


async def test_a_field_that_goes_away_with_a_key_does_not_hold_up_the_next_one() -> None:
    app = Fields()
    async with app.run_test():
        await typed(app, "x2yz", "yz")
