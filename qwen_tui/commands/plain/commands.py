"""The commands of the line mode: a slash and a name, and what they do."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from qwen_tui.commands.conversations.by_name import nearest
from qwen_tui.commands.plain import conversations, replies, settings
from qwen_tui.commands.plain.chat import PlainChat
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.requests import Send
from qwen_tui.strings import say

SLASH = "/"

LEAVING = ("quit", "exit", "退出")
"""Messages that leave, as on the screen."""


class Command(NamedTuple):
    """A command: what is typed after it, and what it does with that."""

    name: str
    words: str
    run: Callable[[PlainChat, str], None]


def obey(chat: PlainChat, line: str) -> None:
    """Run the command on the line, or send the line as a message; raises `QwenTuiError`."""
    line = line.strip()
    if not line:
        return
    if line.lower() in LEAVING:
        _leave(chat, "")
    elif line.startswith(SLASH) and not line.startswith(SLASH * 2):
        name, _, words = line.removeprefix(SLASH).partition(" ")
        _command(name).run(chat, words.strip())
    else:
        chat.answer(Send(line.removeprefix(SLASH)))


def _command(name: str) -> Command:
    known = {command.name: command for command in COMMANDS}
    if name.lower() in known:
        return known[name.lower()]
    close = next(iter(nearest(name, known)), "help")
    raise QwenTuiError("plain.unknown", name=name, close=close)


def _help(chat: PlainChat, _: str) -> None:
    chat.lines.show(_help_lines())


def _help_lines() -> Iterator[str]:
    for command in COMMANDS:
        typed = f"{SLASH}{command.name} {command.words}".rstrip()
        yield say("plain.help.line", command=typed, text=say(f"plain.help.{command.name}"))
    yield say("plain.help.rest")


def _leave(chat: PlainChat, _: str) -> None:
    chat.is_left = True


COMMANDS = (
    Command("help", "", _help),
    Command("new", "", conversations.new),
    Command("list", "", conversations.list_all),
    Command("search", "WORDS", conversations.search),
    Command("open", "N|NAME", conversations.open_one),
    Command("show", "", conversations.show),
    Command("rename", "NAME", conversations.rename),
    Command("delete", "", conversations.delete),
    Command("undo", "", conversations.undo),
    Command("export", "[FILE]", conversations.export),
    Command("regenerate", "", replies.regenerate),
    Command("continue", "", replies.go_on),
    Command("edit", "[TEXT]", replies.edit),
    Command("settings", "[NAME]", settings.show),
    Command("set", "NAME [VALUE]", settings.set_here),
    Command("default", "NAME [VALUE]", settings.set_default),
    Command("model", "[NAME]", settings.choose_model),
    Command("quit", "", _leave),
)
