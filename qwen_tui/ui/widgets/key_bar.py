"""The last line of the screen: the keys that do something now.

Textual's own footer makes a widget for each of them whenever the keyboard moves, and keeps the old ones for good:
after some hours of switching between panes that is tens of thousands. It also cuts a key off in the middle.
"""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from qwen_tui.ui.widgets.action_bar import ActionBar, Offer

FIRST = "close_drawer"
"""What is declared behind all that a pane can do, and must not be left out."""


class KeyBar(Horizontal):
    """Keys in the order in which they are declared; where there is no room, the last ones are left out."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        ActionBar { padding: 0 1; }
        #palette-key { width: auto; border-left: vkey $foreground 20%; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys = ActionBar()
        self._palette = ActionBar(id="palette-key")

    def compose(self) -> ComposeResult:
        """The keys, and at the right edge the one that leads to everything else."""
        yield self._keys
        yield self._palette

    def on_mount(self) -> None:
        """Follow what is possible."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def on_unmount(self) -> None:
        """Follow it no longer."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    @on(ActionBar.Chosen)
    def _press(self, event: ActionBar.Chosen) -> None:
        event.stop()
        self.app.simulate_key(event.name)

    def _follow(self, screen: Screen[object]) -> None:
        offers: dict[str, Offer] = {}
        palette: list[Offer] = []
        for _, binding, enabled, _ in screen.active_bindings.values():
            offer = Offer(binding.key, self.app.get_key_display(binding), binding.description)
            if binding.key == self.app.COMMAND_PALETTE_BINDING:
                palette.append(offer)
            elif binding.show and enabled:
                offers.setdefault(binding.action, offer)
        self._keys.show(
            tuple(offers[action] for action in sorted(offers, key=lambda action: action != FIRST))
        )
        self._palette.show(palette)
