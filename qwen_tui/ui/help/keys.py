"""What the help shows: the keys of every part of the screen, from the bindings themselves."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from textual.binding import BindingType

from qwen_tui.paths import Places
from qwen_tui.strings import say
from qwen_tui.ui.composer.composer import Composer
from qwen_tui.ui.composer.text_area import MessageArea
from qwen_tui.ui.conversations.list import ConversationList
from qwen_tui.ui.conversations.pane import ConversationsPane
from qwen_tui.ui.help.screen import Place, place
from qwen_tui.ui.models.list import ModelList
from qwen_tui.ui.models.screen import ModelScreen
from qwen_tui.ui.settings.number_row import NumberRow
from qwen_tui.ui.settings.pane import SettingsPane
from qwen_tui.ui.settings.row import SettingRow
from qwen_tui.ui.side_panels import Panes
from qwen_tui.ui.transcript.message_log import MessageLog


def help_places(everywhere: Iterable[BindingType], keymap: Mapping[str, str]) -> list[Place]:
    """The parts of the screen with their keys; `everywhere` are those of screen and app."""
    return [
        place(title, bindings, dict(keymap))
        for title, bindings in (
            (say("help.place.composer"), [*MessageArea.BINDINGS, *Composer.BINDINGS]),
            (say("help.place.everywhere"), everywhere),
            (say("help.place.log"), MessageLog.BINDINGS),
            (
                say("help.place.conversations"),
                [*ConversationList.BINDINGS, *ConversationsPane.BINDINGS, *Panes.BINDINGS],
            ),
            (say("help.place.models"), [*ModelList.BINDINGS, *ModelScreen.BINDINGS]),
            (
                say("help.place.settings"),
                [*SettingsPane.BINDINGS, *NumberRow.BINDINGS, *SettingRow.BINDINGS, *Panes.BINDINGS],
            ),
        )
    ]


def help_files(where: Places) -> list[tuple[str, Path]]:
    """Where the person's files are."""
    return [
        (say("help.conversations"), where.conversations),
        (say("help.config"), where.config_file),
        (say("help.log"), where.log_file),
    ]
