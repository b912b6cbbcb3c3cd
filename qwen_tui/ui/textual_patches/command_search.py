"""Show the few texts of Textual's command palette in the language of the screen."""

from dataclasses import replace

from textual.command import CommandList, CommandPalette
from textual.content import Content
from textual.widgets.option_list import Option

from qwen_tui.strings import say


class CommandSearch(CommandPalette):
    """A command palette whose key label and “no match” text are in the language of the screen."""

    def on_mount(self) -> None:
        """Label the Esc key in the key bar, as in every other dialog."""
        self._bindings.key_to_bindings["escape"] = [
            replace(binding, description=say("screen.key.close"))
            for binding in self._bindings.key_to_bindings["escape"]
        ]

    def _start_no_matches_countdown(self, search_value: str) -> None:
        self._stop_no_matches_countdown()

        def show_no_matches() -> None:
            if search_value:
                words = Option(Content(say("palette.none")), disabled=True, id=self._NO_MATCHES)
                self.query_one(CommandList).add_option(words)
            self._list_visible = bool(search_value)

        self._no_matches_timer = self.set_timer(self._NO_MATCHES_COUNTDOWN, show_no_matches)
