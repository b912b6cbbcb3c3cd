"""Commands of the palette: for the chat, the conversation, its messages, and every setting."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import say
from qwen_tui.ui.settings.pane import LEFT_OUT, SettingsPane

if TYPE_CHECKING:
    from qwen_tui.ui.chat_screen import ChatScreen


def command(name: str, run: Callable[[], object]) -> SystemCommand:
    """Create a command from the sentences `command.NAME` and `command.NAME.help`."""
    return SystemCommand(say(f"command.{name}"), say(f"command.{name}.help"), run)


def chat_commands(screen: "ChatScreen") -> Iterator[SystemCommand]:
    """Yield the commands that are currently available on the chat screen."""
    from qwen_tui.ui.inside.lessons import LESSONS  # the first frame does not need it

    conversations, panel = screen.conversations, screen.panels.go_to
    conversation = screen.chat.session.conversation
    yield command("new", screen.action_new)
    yield command("regenerate", partial(_regenerate, screen))
    yield command("stop", screen.chat.stop)
    yield command("answer_now", partial(_answer_now, screen))
    yield command("find", screen.action_find)
    yield command("rename", partial(_rename, screen))
    if conversation.messages:
        yield command("duplicate", partial(conversations.duplicate, conversation.id))
        yield command("trash", partial(conversations.trash, conversation.id))
    yield command("export", partial(_export, screen))
    yield command("import", screen.files.import_file)
    yield command("settings", partial(panel, "settings"))
    yield command("conversations", partial(panel, "conversations"))
    yield command("make_defaults", partial(_make_defaults, screen))
    yield command("inside", screen.inside.open)
    yield command("heat", screen.inside.colour)
    yield command("undo", conversations.undo)
    for lesson in LESSONS:
        title, about = say("command.lesson", name=lesson.title), say(f"lesson.{lesson.name}.about")
        yield SystemCommand(title, about, partial(screen.inside.learn, lesson.name))
    if (log := screen.chat.transcript.log_widget) is not None:
        for name, run in log.keys.commands():
            yield command(name, run)
    for name, option in OPTIONS.items():
        if name not in LEFT_OUT:
            title = say("command.setting", name=option.label[0].lower() + option.label[1:])
            yield SystemCommand(title, option.help, partial(_go_to_setting, screen, name))


def _regenerate(screen: "ChatScreen") -> None:
    if screen.chat.can_regenerate:
        screen.action_regenerate()
    else:
        screen.chat.notice.say(say("screen.nothing_to_regenerate"))


def _answer_now(screen: "ChatScreen") -> None:
    if screen.chat.thinks:
        screen.action_answer_now()
    else:
        screen.chat.notice.say(say("screen.not_thinking"))


def _rename(screen: "ChatScreen") -> None:
    """Let the person rename the shown conversation in the list."""
    screen.panels.show("conversations")
    screen.call_after_refresh(screen.conversations.rename, screen.chat.session.conversation.id)


def _export(screen: "ChatScreen") -> None:
    """Export the shown conversation to a file."""
    conversation = screen.chat.session.conversation
    if conversation.messages:
        settings = screen.settings.with_overrides(conversation.overrides)
        screen.files.export(conversation, settings.system_prompt)
    else:
        screen.chat.notice.say(say("files.nothing_to_export"))


def _make_defaults(screen: "ChatScreen") -> None:
    """Make the settings of the shown conversation the defaults, so that it has none of its own any more."""
    session = screen.chat.session
    overrides = session.conversation.overrides
    for name, value in overrides.items():
        screen.settings_pane.post_message(SettingsPane.DefaultsChanged(name, value))
    session.adjust(lambda conversation: replace(conversation, overrides={}))
    screen.watch_shown()
    screen.chat.notice.say(say("preset.defaults_made" if overrides else "preset.nothing_changed"))


def _go_to_setting(screen: "ChatScreen", name: str) -> None:
    screen.panels.show("settings")
    screen.call_after_refresh(screen.settings_pane.go_to, name)
