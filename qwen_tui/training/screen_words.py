"""What the screen calls things now, filled into the corpus: `python -m qwen_tui.training.screen_words FILE`.

The corpus never spells out a key or the name of a setting. It says `{key:chat.new}` for the default key of a
binding, `{label:temperature}` for a setting, and `{say:command.export}` for any other sentence of the screen, up to
its first ` · `. An id or a code that does not exist is an error. A machine without Textual can train with a FILE
that was written elsewhere.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

LANGUAGES = ("en", "zh")

_PLACEHOLDER = re.compile(r"\{(key|label|say):([^{}]*)\}")

_TYPED = {
    "en": {
        "enter": "[enter|enter|return]", "esc": "[esc|esc|escape]", "del": "[delete|del]",
        "↑": "[up|the up arrow]", "↓": "[down|the down arrow]", "←": "left", "→": "right",
    },
    "zh": {
        "enter": "[enter|回车|回车键]", "esc": "[esc|Esc|ESC]", "del": "[delete|del|删除键]",
        "↑": "[上箭头|向上键|上键]", "↓": "[下箭头|向下键|下键]", "←": "左箭头", "→": "右箭头",
    },
}  # fmt: skip
"""How people type keys whose names on the screen are signs or short, in lower case."""


@dataclass(frozen=True)
class ScreenWords:
    """Names on the screen, with no dependency on it: it can be sent to other processes and machines."""

    keys: Mapping[str, str]
    """Binding id to the name of its first default key."""
    sentences: Mapping[str, Mapping[str, str]]
    """Language to code to sentence."""

    def fill(self, text: str, language: str, typed: bool = False) -> str:
        """Replace the placeholders of a line of the corpus; raises `KeyError` for one that names nothing.

        In what a person types (`typed`), a key becomes a choice between the usual ways to write it.
        """

        def word(found: re.Match[str]) -> str:
            kind, name = found[1], found[2]
            if kind == "key":
                return _spellings(self.keys[name], language) if typed else self.keys[name]
            whole = self.sentences[language][f"settings.{name}.label" if kind == "label" else name]
            sentence = whole.partition(" · ")[0]
            if re.search(r"[{}\[\]|]", sentence):
                raise KeyError(f"{name} has parameters or brackets, so it cannot be quoted: {sentence}")
            return sentence

        return _PLACEHOLDER.sub(word, text)

    def write(self, path: Path) -> None:
        """Save the names for a machine without the screen."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "ScreenWords":
        """Read names that `write` saved."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def of_the_program() -> ScreenWords:
    """Return the default keys and the sentences of the program as it is; imports every part of the screen."""
    from qwen_tui.strings import languages
    from qwen_tui.ui.widgets.keys import import_every_room, key_label, own_bindings

    import_every_room()
    keys: dict[str, str] = {}
    for _, binding in own_bindings():
        if binding.id:
            keys.setdefault(binding.id, key_label(binding.key.split(",")[0].strip()))
    return ScreenWords(keys, {language: languages.texts(language).SENTENCES for language in LANGUAGES})


def _spellings(key: str, language: str) -> str:
    """Return the grammar of how a person types a key."""
    named = _TYPED[language].get(key.lower())
    if named:
        return named
    modifiers, plus, last = key.lower().rpartition("+")
    if plus and modifiers == "ctrl":
        return f"[ctrl+{last}|ctrl+{last}|Ctrl+{last.upper()}|ctrl {last}|ctrl-{last}|control {last}]"
    return key


if __name__ == "__main__":
    of_the_program().write(Path(sys.argv[1]))
