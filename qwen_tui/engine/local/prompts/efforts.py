"""Find the efforts of thinking that change the prompt which a template renders."""

import re
from collections.abc import Sequence
from typing import Any

from qwen_tui.engine.local.prompts.template import Refused, Template

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Names in use, from the least effort on."""

USUAL = ("low", "medium", "high")
"""Efforts of a template that writes any name into the prompt."""

NONSENSE = "eff0rt"
"""An effort that no template knows."""


def efforts_of(template: Template, messages: Sequence[dict[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """Return the template's variable for the effort and its values, from the least on; both empty without one."""
    names = dict.fromkeys(re.findall(r"\b\w*effort\w*\b", template.text))
    for name in sorted(names, key=lambda name: name != "reasoning_effort"):
        values = _values(template, messages, name)
        if len(values) > 1:
            return name, values
    return "", ()


def _values(template: Template, messages: Sequence[dict[str, Any]], name: str) -> tuple[str, ...]:
    unknown = _render(template, messages, name, NONSENSE)
    if unknown is not None and NONSENSE in unknown:
        return USUAL
    by_text: dict[str, str] = {}
    for effort in EFFORTS:
        text = _render(template, messages, name, effort)
        is_named = f'"{effort}"' in template.text or f"'{effort}'" in template.text
        # An unknown name renders the default: only a name that the template has may stand for that.
        if text is None or (text == unknown and not is_named):
            continue
        by_text.setdefault(text, effort)
    return tuple(by_text.values())


def _render(template: Template, messages: Sequence[dict[str, Any]], name: str, effort: str) -> str | None:
    try:
        return template.render(messages, {name: effort})
    except Refused:
        return None
