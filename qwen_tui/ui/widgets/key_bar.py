"""The key bar, the last line of the screen: the keys that do something now.

Textual's own footer creates a widget for each key whenever the focus moves, and keeps the old ones forever:
tens of thousands after some hours of switching panels. It also cuts off keys in the middle.
"""

from textual import on
from textual.screen import Screen

from qwen_tui.ui.widgets.action_bar import ActionBar, Offer

ELSEWHERE = (
    "app.help",
    "app.settings",
    "app.conversations",
    "app.models",
    "app.commands",
    "app.inside",
    "chat.new",
    "chat.newline",
    "chat.find",
    "chat.regenerate",
)
"""Ids of bindings that lead away from the focus, most needed first; they come after the focused widget's own."""


class KeyBar(ActionBar):
    """The keys of the focused widget and the way out of it, then `ELSEWHERE`, as far as they fit.

    Follows the active screen: while a dialog is open, only its keys work.
    """

    DEFAULT_CSS = """
    KeyBar { dock: bottom; padding: 0 1; }
    """

    def on_mount(self) -> None:
        self._followed = self.screen
        self.app.screen_change_signal.subscribe(self, self._follow_screen)
        self._follow_screen(self.screen)

    def on_unmount(self) -> None:
        self._followed.bindings_updated_signal.unsubscribe(self)
        self.app.screen_change_signal.unsubscribe(self)

    @on(ActionBar.Chosen)
    def _press(self, event: ActionBar.Chosen) -> None:
        event.stop()
        self.app.simulate_key(event.name)

    def _follow_screen(self, _: Screen[object]) -> None:
        self._followed.bindings_updated_signal.unsubscribe(self)
        self._followed = self.app.screen
        self._followed.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self._followed)

    def _follow(self, screen: Screen[object]) -> None:
        offers: dict[str, tuple[int, Offer]] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and enabled:
                key, need = self.app.get_key_display(binding), int(binding.key == "escape")
                offer = Offer(binding.key, key, binding.description, need)
                rank = 1 + ELSEWHERE.index(binding.id) if binding.id in ELSEWHERE else 0
                offers.setdefault(binding.action, (rank, offer))
        self.show([offer for _, offer in sorted(offers.values(), key=lambda ranked: ranked[0])])
