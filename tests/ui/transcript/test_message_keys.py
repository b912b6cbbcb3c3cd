"""What can be done to messages in the log is asked for by key, mouse and palette."""

from dataclasses import replace

import pytest
from log_host import RUN, LogHost, question, reply, running, screen_rows, screen_text, settled, talk

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Message, Role, Status
from qwen_tui.ui.transcript.message_actions import Situation, possible
from qwen_tui.ui.transcript.message_keys import Refused, Requested
from qwen_tui.ui.transcript.virtual_list import OPENED
from qwen_tui.ui.widgets.action_bar import ActionBar

CODE = "Two:\n\n```python\nprint(1)\nprint(2)\n```\n\nand\n\n- in a list\n\n  ```sh\n  ls\n  ```\n"


class ActionHost(LogHost):
    """The log, and what it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Requested] = []
        self.refused: list[str] = []

    def on_message_log_requested(self, event: Requested) -> None:
        self.asked.append(event)

    def on_message_log_refused(self, event: Refused) -> None:
        self.refused.append(event.reason)


async def shown(app: ActionHost, pilot, messages: list[Message], **variants: Variant) -> None:
    await app.log_.show_conversation(messages, variants)
    app.log_.focus()
    await settled(pilot)


@pytest.mark.parametrize(
    ("key", "message", "wanted"),
    [
        ("e", question(), "edit"),
        ("e", reply(), "edit"),
        ("r", reply(), "regenerate"),
        ("r", question(), "regenerate"),
        ("c", reply("half", status=Status.STOPPED), "continue"),
        ("d", reply(), "delete"),
        ("delete", question(), "delete"),
        ("i", reply("x", receipt=(RUN,)), "receipt"),
    ],
)
async def test_a_key_asks_for_what_it_does_to_the_message_under_the_cursor(key, message, wanted) -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first"), message])
        await pilot.press(key)
        await settled(pilot)
        assert [event.action for event in app.asked] == [wanted]
        assert app.asked[0].message == message


@pytest.mark.parametrize(
    ("message", "situation", "can"),
    [
        (question(), {}, "copy edit regenerate delete"),
        (reply(), {}, "copy edit regenerate receipt delete"),
        (reply("x", status=Status.LENGTH), {}, "copy continue edit regenerate receipt delete"),
        (reply("x", status=Status.FAILED), {}, "copy continue edit regenerate receipt delete"),
        (reply("x", edited=True), {}, "copy continue edit regenerate receipt delete"),
        (reply("x", status=Status.STOPPED), {"is_last": False}, "copy edit regenerate receipt delete"),
        (reply("", status=Status.STOPPED), {}, "regenerate receipt delete"),
        (reply("", thinking="hm", status=Status.STOPPED), {}, "continue regenerate receipt delete"),
        (reply(), {"is_busy": True}, "copy edit receipt"),
        (reply(), {"is_busy": True, "is_streaming": True}, "copy"),
        (reply(CODE), {"is_busy": True, "is_streaming": True}, "copy code save_code"),
        (question(), {"is_waiting": True}, "copy"),
        (reply(), {"variant": Variant(1, 3)}, "copy edit regenerate later_variant compare receipt delete"),
        (reply(), {"variant": Variant(3, 3)}, "copy edit regenerate earlier_variant compare receipt delete"),
        (Message(role=Role.SYSTEM, content="x"), {}, "copy delete"),
    ],
)
def test_only_what_applies_is_possible(message, situation, can) -> None:
    given = {"text": message.content, "is_last": True, **situation}
    assert " ".join(possible(message, Situation(**given))) == can


async def test_a_key_that_does_not_apply_asks_for_nothing_and_says_why() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first"), reply()])
        await pilot.press("c", "u", "s", "left", "right", "enter")
        app.log_.set_busy(True)
        await pilot.press("r", "d")
        app.log_.add(question("and then?"), waiting=True)
        app.log_.move_cursor(app.log_.messages[-1].id)
        await settled(pilot)
        await pilot.press("e")
        await settled(pilot)
        assert app.asked == []
        # What has to be asked for in the log's own turn comes after what is said at once.
        assert sorted(app.refused) == sorted(
            [
                "Only the last reply can be continued, and only if it is unfinished or edited.",
                "This message has no code block.",
                "This message has no code block.",
                "This is the first variant.",
                "This is the last variant.",
                "This message has no thinking to show.",
                "Not available while a reply is being written.",
                "Not available while a reply is being written.",
                "This message is still waiting to be sent.",
            ]
        )


async def test_a_reply_that_is_written_can_only_be_copied() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first")])
        answer = reply("")
        app.log_.set_busy(True)
        app.log_.add(answer, streaming=True)
        app.log_.list.view_of(answer.id).append_text("so far")
        app.log_.move_cursor(answer.id)
        assert app.log_.keys.possible() == ("copy",)
        await pilot.press("y")
        await settled(pilot)
        assert app.asked[0].text == "so far"


async def test_u_walks_through_the_code_blocks_and_says_which() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first"), reply(CODE)])
        await pilot.press("u", "u", "u")
        await settled(pilot)
        assert [(event.text, event.note) for event in app.asked] == [
            ("print(1)\nprint(2)", "python, 2 lines, block 1 of 2"),
            ("ls", "sh, 1 line, block 2 of 2"),
            ("print(1)\nprint(2)", "python, 2 lines, block 1 of 2"),
        ]


async def test_s_saves_the_block_that_was_copied_else_the_first() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first"), reply(CODE)])
        await pilot.press("s", "u", "u", "s")
        await settled(pilot)
        first, last = app.asked[0], app.asked[-1]
        assert (first.text, first.note) == ("print(1)\nprint(2)", "python, 2 lines, block 1 of 2")
        assert first.file_name == "code-1.py"
        assert (last.text, last.file_name) == ("ls", "code-2.sh")


@pytest.mark.parametrize("language", ["", "../../etc/passwd", "no-such-language", "\x1b[31m", "make"])
async def test_a_strange_language_makes_a_plain_file_name(language) -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first"), reply(f"```{language}\nx\n```")])
        await pilot.press("s")
        await settled(pilot)
        assert app.asked[0].file_name in ("code.txt", "code.mak")


async def test_ctrl_z_asks_for_undo() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, talk(4))
        await pilot.press("ctrl+z")
        await settled(pilot)
        assert [event.action for event in app.asked] == ["undo"]


async def test_keys_can_be_remapped() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        app.set_keymap({"log.edit": "f6"})
        await shown(app, pilot, talk(4))
        await pilot.press("e")
        await pilot.press("f6")
        await settled(pilot)
        assert [event.action for event in app.asked] == ["edit"]


# --- Variants ---


async def test_the_arrows_walk_the_variants() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        answer = reply()
        await shown(app, pilot, [question("first"), answer], **{answer.id: Variant(2, 3)})
        assert "Qwen  ‹ 2 / 3 ›" in screen_text(app)
        await pilot.press("left", "right")
        await settled(pilot)
        assert [(event.message, event.action) for event in app.asked] == [
            (answer, "earlier_variant"),
            (answer, "later_variant"),
        ]


@pytest.mark.parametrize(
    ("variant", "sign", "actions"),
    [
        (Variant(2, 3), "‹", ["earlier_variant"]),
        (Variant(2, 3), "›", ["later_variant"]),
        (Variant(1, 3), "‹", []),
        (Variant(3, 3), "›", []),
    ],
)
async def test_the_arrows_of_a_message_can_be_clicked(variant, sign, actions) -> None:
    app = ActionHost()
    async with running(app) as pilot:
        answer = reply()
        await shown(app, pilot, [question("first"), answer], **{answer.id: variant})
        rows = screen_rows(app)
        y = next(y for y, row in enumerate(rows) if "‹" in row)
        await pilot.click(offset=(rows[y].index(sign), y))
        await settled(pilot)
        assert [event.action for event in app.asked] == actions


async def test_another_number_of_variants_lays_nothing_else_out() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        messages = talk(6)
        await shown(app, pilot, messages)
        kept = [app.log_.list.view_of(message.id).rows[1:] for message in messages]
        app.log_.show_variants({messages[5].id: Variant(1, 2), messages[2].id: Variant(2, 2)})
        await settled(pilot)
        assert "‹ 1 / 2 ›" in screen_text(app)
        now = [app.log_.list.view_of(message.id).rows[1:] for message in messages]
        assert all(a is b for old, new in zip(kept, now, strict=True) for a, b in zip(old, new, strict=True))


async def test_a_message_that_is_mounted_later_shows_its_variants() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        messages = talk(OPENED + 20)
        await shown(app, pilot, messages, **{messages[0].id: Variant(7, 9)})
        await pilot.press("home")
        await settled(pilot)
        assert "‹ 7 / 9 ›" in screen_text(app)


async def test_an_edited_message_says_so() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first"), reply("mine", edited=True)])
        assert "Qwen  edited" in screen_text(app)


# --- Continue ---


async def test_a_reply_that_goes_on_loses_its_note_and_keeps_its_text() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        answer = reply("```python\nx = 1", status=Status.STOPPED)
        await shown(app, pilot, [question("first"), answer])
        assert "Stopped" in screen_text(app)
        app.log_.list.resume(answer.id)
        await settled(pilot)
        assert "Stopped" not in screen_text(app)
        assert "Reading the prompt" in screen_text(app)
        app.log_.list.view_of(answer.id).append_text("\ny = 2\n```\n\nThat **was")
        await settled(pilot)
        assert "Reading the prompt" not in screen_text(app)
        whole = "```python\nx = 1\ny = 2\n```\n\nThat **was it**"
        app.log_.list.view_of(answer.id).append_text(" it**")
        assert app.log_.list.view_of(answer.id).body.content == whole
        app.log_.list.finish(replace(answer, content=whole, status=Status.COMPLETE))
        await settled(pilot)
        rows = [row.strip(" ▌") for row in screen_rows(app)]
        assert {"x = 1", "y = 2", "That was it"} <= set(rows)


async def test_thinking_that_was_cut_short_goes_on() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        answer = reply("", thinking="the first half", status=Status.STOPPED)
        await shown(app, pilot, [question("first"), answer])
        app.log_.list.resume(answer.id)
        app.log_.list.view_of(answer.id).append_thinking(" and the second", 3)
        await settled(pilot)
        assert "the first half and the second" in screen_text(app)
        app.log_.list.view_of(answer.id).append_text("So:")
        await settled(pilot)
        assert "the first half" not in screen_text(app)
        assert "So:" in screen_text(app)


async def test_a_reply_out_of_sight_goes_on_too() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        messages = [*talk(OPENED * 3), question(), reply("half", status=Status.STOPPED)]
        await shown(app, pilot, messages)
        await pilot.press("home")
        await settled(pilot)
        app.log_.list.resume(messages[-1].id)
        app.log_.list.view_of(messages[-1].id).append_text(" and whole")
        await pilot.press("end")
        await settled(pilot)
        assert "half and whole" in screen_text(app)


# --- Palette ---


async def test_the_palette_acts_on_the_message_under_the_cursor_else_on_the_newest() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        messages = talk(6)
        await shown(app, pilot, messages)
        await pilot.press("up", "up")
        dict(app.log_.keys.commands())["message_edit"]()
        app.query_one("#elsewhere").focus()
        await settled(pilot)
        dict(app.log_.keys.commands())["message_edit"]()
        await settled(pilot)
        assert [event.message for event in app.asked] == [messages[3], messages[5]]


async def test_an_empty_log_has_no_commands() -> None:
    app = ActionHost()
    async with running(app):
        assert app.log_.keys.commands() == ()


# --- The action bar ---


def bar_of(app: ActionHost) -> str:
    """The row under the log."""
    return app.query_one(ActionBar).rows[0].text.strip()


async def test_the_bar_offers_what_applies_to_the_message_under_the_cursor() -> None:
    app = ActionHost()
    async with running(app, (120, 36)) as pilot:
        answer = reply(CODE, status=Status.STOPPED)
        await shown(app, pilot, [question("first"), answer], **{answer.id: Variant(2, 3)})
        assert bar_of(app) == (
            "y Copy  c Continue  u Copy code  e Edit  r Regenerate  ←  → Variants  w Compare  "
            "i Receipt  s Save code  d Delete"
        )
        assert bar_of(app) in screen_rows(app)[32]
        await pilot.press("up")
        await settled(pilot)
        assert bar_of(app) == "y Copy  e Edit  r Regenerate  d Delete"
        app.log_.set_busy(True)
        await settled(pilot)
        assert bar_of(app) == "y Copy  e Edit"
        app.query_one("#elsewhere").focus()
        await settled(pilot)
        assert bar_of(app) == ""


async def test_a_narrow_bar_leaves_out_what_is_needed_least() -> None:
    app = ActionHost()
    async with running(app, (60, 24)) as pilot:
        await shown(app, pilot, [question("first"), reply(CODE, status=Status.STOPPED)])
        assert bar_of(app) == "y Copy  c Continue  e Edit  r Regenerate  d Delete"


@pytest.mark.parametrize(
    ("label", "wanted"),
    [("Copy", "copy"), ("Edit", "edit"), ("Delete", "delete")],
)
async def test_an_offer_can_be_clicked(label, wanted) -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first"), reply()])
        row = app.query_one(ActionBar).region.y
        await pilot.click(offset=(screen_rows(app)[row].index(label), row))
        await settled(pilot)
        assert [event.action for event in app.asked] == [wanted]
        assert app.log_.has_focus


async def test_the_bar_names_keys_as_they_are_remapped() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        app.set_keymap({"log.edit": "f6"})
        await shown(app, pilot, [question("first"), reply()])
        assert bar_of(app).startswith("y Copy  f6 Edit")


async def test_the_bar_moves_no_text_when_it_comes() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await app.log_.show_conversation(talk(30))
        app.query_one("#elsewhere").focus()
        await settled(pilot)
        before = screen_rows(app)[:20]
        await pilot.click(app.log_.list.view_of(app.log_.messages[-1].id))
        await settled(pilot)
        assert screen_rows(app)[:20] == before
        assert bar_of(app).startswith("y Copy")


async def test_the_end_of_a_reply_brings_its_actions() -> None:
    app = ActionHost()
    async with running(app) as pilot:
        await shown(app, pilot, [question("first")])
        answer = reply("")
        app.log_.add(answer, streaming=True)
        await pilot.press("down")
        app.log_.move_cursor(answer.id)
        app.log_.list.view_of(answer.id).append_text("half")
        app.log_.list.finish(replace(answer, content="half", status=Status.STOPPED))
        await settled(pilot)
        assert bar_of(app).startswith("y Copy  c Continue")
