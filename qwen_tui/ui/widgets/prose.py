"""Sentences as a widget shows them: Textual breaks lines at spaces only, which Chinese has few of."""

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions

from qwen_tui.ui.markdown.wrap import wrap


class Prose(Content):
    """A text without styles of its own that also breaks between Han characters, as messages do."""

    def get_height(self, rules: RulesMap, width: int) -> int:
        """How many lines it takes in so many cells."""
        return self._broken(width).get_height(rules, width)

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """Its lines."""
        return self._broken(width).render_strips(width, height, style, options)

    def _broken(self, width: int) -> Content:
        return Content("\n".join(line.text for line in wrap([(self.plain, "")], width)))
