"""Commands of the palette: for the chat, the conversation, its messages, and every setting."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import say
from qwen_tui.ui.settings.pane import LEFT_OUT

if TYPE_CHECKING:
    from qwen_tui.ui.chat_screen import ChatScreen


def command(name: str, run: Callable[[], object]) -> SystemCommand:
    """Create a command from the sentences `command.NAME` and `command.NAME.help`."""
    return SystemCommand(say(f"command.{name}"), say(f"command.{name}.help"), run)


def chat_commands(screen: "ChatScreen") -> Iterator[SystemCommand]:
    """Yield the commands that are currently available on the chat screen."""
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
    yield command("undo", conversations.undo)
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


def _go_to_setting(screen: "ChatScreen", name: str) -> None:
    screen.panels.show("settings")
    screen.call_after_refresh(screen.settings_pane.go_to, name)
