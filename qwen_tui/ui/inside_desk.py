"""Open the comparison of variants, which is imported when it is first asked for."""

from textual.dom import DOMNode

from qwen_tui.chat.branches import siblings
from qwen_tui.chat.messages import Message
from qwen_tui.session.session import ChatSession


class InsideDesk:
    """Opens dialogs about replies; until then nothing of them is imported."""

    def __init__(self, parent: DOMNode) -> None:
        self._parent = parent

    def compare(self, message: Message, session: ChatSession) -> None:
        """Show a reply next to another variant of it."""
        from qwen_tui.ui.inside.compare_screen import Comparison  # the first frame does not need it

        variants = siblings(session.conversation, message.id)
        number = next((n for n, each in enumerate(variants) if each.id == message.id), 0)
        if len(variants) > 1:
            self._parent.app.push_screen(Comparison(variants, number))
