"""Keys that the person has given to something, which win over those that a text field has without a name."""

from collections.abc import Mapping

from textual.app import App
from textual.binding import BindingsMap
from textual.dom import DOMNode
from textual.screen import Screen


def keymap_of(app: App[object]) -> Mapping[str, str]:
    """The keys that were given to bindings by their ids; Textual lets them be set and not be read."""
    return app._keymap


class GivenKeysFirst(Screen[None]):
    """A screen on which a key of the config file works wherever the keyboard is.

    Textual asks the widget that has the keyboard first, and its text fields have bindings for ctrl+d, f7 and
    others, which have no id: the person could not give them another key.
    """

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        """Textual's, from the focused widget up, without the unnamed bindings that stand before a given key."""
        chain = super()._binding_chain  # of copies
        keymap, given = keymap_of(self.app), set[str]()
        for _, bindings in reversed(chain):
            of_keys = bindings.key_to_bindings
            for key in given & of_keys.keys():
                of_keys[key] = [binding for binding in of_keys[key] if binding.id is not None]
            given |= {key for key, bound in of_keys.items() if any(each.id in keymap for each in bound)}
        return chain
