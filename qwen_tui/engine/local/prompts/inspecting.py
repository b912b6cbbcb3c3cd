"""Show a prompt token by token: who put each of them there."""

from qwen_tui.engine.base import Request
from qwen_tui.engine.inspection import PromptToken
from qwen_tui.engine.local.prompts.prompt import PromptBuilder
from qwen_tui.engine.local.prompts.token_text import TokenText
from qwen_tui.engine.prompt_spans import authored, bare_spans, spans_of


def inspected(
    prompts: PromptBuilder, text_of: TokenText, request: Request, template: bool = True
) -> list[PromptToken]:
    """Return the tokens of a request's prompt; without `template`, of the bare text. Raises as `build` does."""
    messages = list(request.messages)
    begun = 0
    if not template or prompts.template is None:
        ids, spans = prompts.bare(messages), bare_spans(messages)
    else:
        prompt = prompts.build(messages, request.thinking, continues=request.continues)
        ids, begun = prompt.ids, len(prompt.begun_ids)
        text, marked = prompts.rendered(messages[:-1] if begun else messages, request.thinking)
        spans = spans_of(text, marked, messages, prompts.opener, dict(prompts.form.headers))
    shown = [(token_id, text_of[token_id], token_id in prompts.control_ids) for token_id in ids]
    until = len(shown) - begun
    own = [PromptToken(*token, "assistant", len(messages) - 1) for token in shown[until:]]
    return [*authored(shown[:until], spans), *own]
