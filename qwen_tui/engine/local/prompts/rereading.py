"""Find which settings change the first tokens of a prompt, so that nothing read before can be used."""

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import PromptMessage, Thinking
from qwen_tui.engine.local.cache.kv_cache import common_prefix
from qwen_tui.engine.local.prompts.prompt import PromptBuilder
from qwen_tui.errors import QwenTuiError


def rereads(prompts: PromptBuilder) -> tuple[str, ...]:
    """Return the settings of thinking with a value that changes the prompt before the first message's text."""
    tried: dict[str, tuple[Thinking, ...]] = {"thinking": (True, False), "effort": prompts.form.efforts}
    try:
        one, other = (_rendered(prompts, text) for text in ("a b", "1 2"))
        before = common_prefix(one, other)
        return tuple(
            setting
            for setting, values in tried.items()
            if any(common_prefix(one, _rendered(prompts, "a b", value)) < before for value in values)
        )
    except QwenTuiError:  # a template that needs other messages
        return ()


def _rendered(prompts: PromptBuilder, text: str, thinking: Thinking = None) -> list[int]:
    return prompts.build((PromptMessage(Role.USER, text),), thinking).ids
