"""Wrap sentences in widgets: Textual breaks lines only at spaces, of which Chinese has few."""

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions

from qwen_tui.ui.markdown.wrap import wrap


class Prose(Content):
    """A text without styles of its own that also breaks between Han characters, as messages do."""

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Return the number of lines at this width in cells."""
        return self._broken(width).get_height(rules, width)

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """Return the wrapped lines, rendered."""
        return self._broken(width).render_strips(width, height, style, options)

    def _broken(self, width: int) -> Content:
        return Content("\n".join(line.text for line in wrap([(self.plain, "")], width)))
