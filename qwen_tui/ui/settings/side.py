"""The right side of the screen: the settings, and what changing one of them does."""

from collections.abc import Mapping
from dataclasses import replace

from textual import on
from textual.containers import Vertical
from textual.message import Message as Posted

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import ModelInfo
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings
from qwen_tui.ui.settings.pane import SettingsPane


class SettingsSide(Vertical):
    """Shows the settings of a conversation and the person's defaults. The conversation's own it changes itself."""

    class DefaultsChanged(Posted):
        """The person changed a default; None takes it back."""

        def __init__(self, name: str, value: Json) -> None:
            super().__init__()
            self.name = name
            self.value = value

    class Overridden(Posted):
        """The conversation has other settings of its own now."""

    def __init__(self, session: ChatSession, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._pane = SettingsPane()

    def complete(self) -> None:
        """Mount the settings: for after the first picture, which need not wait for them."""
        self.mount(self._pane)

    def show_defaults(self, settings: Settings) -> None:
        """These are the person's defaults."""
        self._pane.settings = settings

    def show_model(self, info: ModelInfo | None) -> None:
        """This model answers; None while none does."""
        self._pane.info = info

    def show_session(self, session: ChatSession, *, busy: bool) -> None:
        """This conversation is shown; `busy` while a reply is written in it."""
        self._session = session
        self._pane.overrides = session.conversation.overrides
        self._pane.busy = busy

    @on(SettingsPane.Changed)
    def _change(self, event: SettingsPane.Changed) -> None:
        event.stop()
        if event.layer == "defaults":
            self.post_message(self.DefaultsChanged(event.name, event.value))
        else:
            self._override({**self._session.conversation.overrides, event.name: event.value})

    @on(SettingsPane.Reset)
    def _reset(self, event: SettingsPane.Reset) -> None:
        event.stop()
        if event.layer == "defaults":
            self.post_message(self.DefaultsChanged(event.name, None))
        else:
            overrides = self._session.conversation.overrides
            self._override({name: value for name, value in overrides.items() if name != event.name})

    def _override(self, overrides: Mapping[str, Json]) -> None:
        self._session.adjust(lambda conversation: replace(conversation, overrides=overrides))
        self._pane.overrides = overrides
        self.post_message(self.Overridden())
