"""What the command palette can do with the chat: the names of its sentences, and what does it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from qwen_tui.strings import say

if TYPE_CHECKING:
    from qwen_tui.ui.chat_screen import ChatScreen

Command = tuple[str, Callable[[], object]]
"""The name of the sentences `command.NAME` and `command.NAME.help`, and what it does."""


def commands(screen: "ChatScreen") -> Iterator[Command]:
    """What can be done now: to the chat, to the conversation that is shown, and to the message under the cursor."""
    conversations, panel = screen.conversations, screen.panels.go_to
    conversation = screen.chat.session.conversation
    yield "new", screen.action_new
    yield "regenerate", partial(_regenerate, screen)
    yield "stop", screen.chat.stop
    yield "find", screen.action_find
    yield "rename", partial(_rename, screen)
    if conversation.messages:
        yield "duplicate", partial(conversations.duplicate, conversation.id)
        yield "trash", partial(conversations.trash, conversation.id)
    yield "export", partial(_export, screen)
    yield "import", screen.files.import_file
    yield "settings", partial(panel, "settings")
    yield "conversations", partial(panel, "conversations")
    yield "undo", conversations.undo
    if (log := screen.chat.transcript.log_widget) is not None:
        yield from log.keys.commands()


def _regenerate(screen: "ChatScreen") -> None:
    if screen.chat.can_regenerate:
        screen.action_regenerate()
    else:
        screen.chat.notice.say(say("screen.nothing_to_regenerate"))


def _rename(screen: "ChatScreen") -> None:
    """Let the person write another name for the conversation that is shown, in the list."""
    screen.panels.show("conversations")
    screen.call_after_refresh(screen.conversations.rename, screen.chat.session.conversation.id)


def _export(screen: "ChatScreen") -> None:
    """Write the conversation that is shown to a file."""
    conversation = screen.chat.session.conversation
    if conversation.messages:
        settings = screen.settings.with_overrides(conversation.overrides)
        screen.files.export(conversation, settings.system_prompt)
    else:
        screen.chat.notice.say(say("files.nothing_to_export"))
