"""Give keys of the person's config file priority over unnamed bindings of text fields."""

from collections.abc import Mapping

from textual.app import App
from textual.binding import BindingsMap
from textual.dom import DOMNode
from textual.screen import Screen


def keymap_of(app: App[object]) -> Mapping[str, str]:
    """Return the keys set for bindings by id; Textual lets them be set but not read."""
    return app._keymap


class GivenKeysFirst(Screen[None]):
    """A screen on which the keys of the config file work wherever the focus is.

    Textual asks the focused widget first, and its text fields bind ctrl+d, f7 and others without an id, so
    the person could not rebind them.
    """

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        """Textual's chain from the focused widget up, without unnamed bindings that shadow a configured key."""
        chain = super()._binding_chain  # the maps are copies
        keymap, given = keymap_of(self.app), set[str]()
        for _, bindings in reversed(chain):
            of_keys = bindings.key_to_bindings
            for key in given & of_keys.keys():
                of_keys[key] = [binding for binding in of_keys[key] if binding.id is not None]
            given |= {key for key, bound in of_keys.items() if any(each.id in keymap for each in bound)}
        return chain
