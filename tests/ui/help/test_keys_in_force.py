"""Keys as they are in force: the help lists all of them, sentences name them, and a clash is said."""

import re

import pytest
from screenplay import Screenplay, say, shown, until

from qwen_tui.commands import doctor
from qwen_tui.settings import config_file
from qwen_tui.settings.config_file import Config
from qwen_tui.strings.languages import texts as texts_of
from qwen_tui.ui.config_check import unknown_names
from qwen_tui.ui.help.keys import help_places
from qwen_tui.ui.help.screen import Help
from qwen_tui.ui.widgets.keys import import_every_room, own_bindings
from qwen_tui.ui.widgets.notice import Notice

_, _, SENTENCES, ERRORS = texts_of("en")

KEY = re.compile(
    r"\b(enter|esc|escape|backspace|del|(ctrl|shift|alt)\+\S+|F\d+)\b|\^[a-z]\b|[←→]", re.IGNORECASE
)
ABOUT_TERMINALS = re.compile(r"doctor\.keys\.|config\.not_keys$|plain\.")
"""What a terminal sends is called by its own name, and so is an example of how a key is written.

In line mode, keys are those of the terminal."""

NOT_KEYS = {
    "files.keys.save": "the arrow of the field itself, which has no id",
    "files.keys.open": "the same",
}


def give(play: Screenplay, **keys: str) -> None:
    lines = [f'"{name.replace("__", ".")}" = "{key}"' for name, key in keys.items()]
    play.where.config_file.parent.mkdir(parents=True, exist_ok=True)
    play.where.config_file.write_text("\n".join(["[keys]", *lines]))


async def test_the_help_lists_every_binding_of_every_room_with_its_id() -> None:
    import_every_room()
    listed = {row.id for place in help_places({}) for row in place.rows}
    assert listed >= {binding.id for _, binding in own_bindings()}
    assert listed >= {
        "log.previous", "log.next", "log.thinking", "find.earlier", "find.later", "receipt.copy", "attachment.open",
        "attachment.remove", "settings.more", "welcome.choose", "files.cancel", "help.close", "app.commands",
    }  # fmt: skip


def test_every_binding_has_an_id_and_says_what_it_does() -> None:
    import_every_room()
    assert [binding for _, binding in own_bindings() if not binding.id or not binding.description] == []


async def test_f1_shows_the_keys_that_the_person_has_given_and_what_the_config_file_calls_them(play) -> None:
    give(play, log__previous="ctrl+up", receipt__copy="f8")
    async with play.running() as pilot:
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(pilot.app.screen, Help))
        await until(pilot, lambda: "chat.send" in shown(pilot))
        seen = shown(pilot)
        while "receipt.copy" not in seen:
            await pilot.press("pagedown")
            await pilot.pause()
            seen += shown(pilot)
        assert re.search(r"Ctrl\+↑ +Previous message +log\.previous", seen)
        assert re.search(r"F8 +\S.* +receipt\.copy", seen)


async def test_a_sentence_names_the_key_that_is_in_force(play) -> None:
    give(play, chat__interrupt="f9", app__help="f10", chat__stop="ctrl+g", chat__send="ctrl+s")
    async with play.running() as pilot:
        await until(pilot, lambda: "^S Send  F10 Help" in shown(pilot))
        await pilot.press("f9")
        await until(pilot, lambda: "Press F9 again to quit." in shown(pilot))


def test_no_sentence_names_a_key_itself() -> None:
    found = [
        code
        for code, texts in {**{code: (text,) for code, text in SENTENCES.items()}, **ERRORS}.items()
        if any(KEY.search(re.sub(r"\{[^}]*\}", "", text)) for text in texts)
        and not ABOUT_TERMINALS.match(code)
        and code not in NOT_KEYS
    ]
    assert found == []


@pytest.mark.parametrize("words", ["/help", "?"])
async def test_asking_for_help_in_a_message_opens_it_and_sends_nothing(play, words: str) -> None:
    async with play.running() as pilot:
        await until(pilot, lambda: "scripted" in shown(pilot))
        for key in ("/", "h", "e", "l", "p") if words == "/help" else ("question_mark",):
            await pilot.press(key)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Help))
        await until(pilot, lambda: "opens this help" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").text == "")
        assert play.engine.asked == []


async def test_two_actions_on_one_key_are_said_at_start_with_the_key_and_the_place(play) -> None:
    give(play, log__delete="y")
    async with play.running() as pilot:
        await until(pilot, lambda: "Selected message: y" in shown(pilot))
        said = pilot.app.screen.query_one(Notice).text
        assert "“Copy” (log.copy)" in said
        assert "“Delete” (log.delete)" in said
        await say(pilot, "still works")
        await until(pilot, lambda: "echo: still works" in shown(pilot))


def clashes(**keys: str) -> list[str]:
    config = Config(keys={name.replace("__", "."): key for name, key in keys.items()})
    return [str(problem) for problem in unknown_names(config) if problem.code == "config.key_clash"]


def test_a_key_that_works_everywhere_clashes_with_one_of_a_place() -> None:
    (said, _) = clashes(chat__find="n")  # the other place is the view inside
    assert "Conversations: n is assigned to both" in said
    (said,) = clashes(chat__new="f3")
    assert "Everywhere: F3 is assigned to both" in said


def test_keys_that_cannot_meet_do_not_clash() -> None:
    assert not clashes(chat__new="f8")
    assert not clashes(receipt__copy="n")  # in a dialog
    assert not clashes(settings__more="f8", settings__next="f8")  # rows of different kinds
    assert not clashes(chat__send="ctrl+s")  # to send, to save and to send again
    assert not clashes(chat__stop="escape,ctrl+g")  # esc closes other things first, as ever


def test_doctor_says_a_clash_too(play) -> None:
    give(play, log__delete="y")
    checks = doctor._files(config_file.load(play.where.config_file), play.where)
    (said,) = [check.hint for check in checks if check.name == "config"]
    assert "y is assigned to both" in said
