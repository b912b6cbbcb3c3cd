"""Say of every token of a prompt who put it there: the template, or the author of a message."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from transformers import PreTrainedTokenizerBase

from qwen_tui.engine.base import PromptMessage, Request
from qwen_tui.engine.inspection import Author, PromptToken, PromptTokens
from qwen_tui.engine.local.cache.kv_cache import KVCache
from qwen_tui.engine.local.prompts.prompt import PromptBuilder
from qwen_tui.engine.local.prompts.token_text import TokenText


def inspected(
    prompts: PromptBuilder,
    tokenizer: PreTrainedTokenizerBase,
    cache: KVCache,
    request: Request,
    *,
    template: bool = True,
) -> PromptTokens:
    """Return the tokens of a request's prompt; see `Engine.inspect`. Raises as `PromptBuilder.build` does."""
    texts = TokenText(tokenizer)
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    if not template:
        bare = prompts.encode_bare("\n".join(message.content for message in request.messages))
        author: Author = request.messages[-1].role.value if request.messages else "user"
        return PromptTokens(tuple(PromptToken(i, texts[i], i in special, author, 0) for i in bare))
    built = prompts.build(request.messages, request.thinking, continues=request.continues)
    tokens = [texts[i] for i in built.ids]
    blocks = prompts.blocks(built, request.messages, continues=request.continues)
    authors: list[tuple[Author, int]] = [("template", -1)] * len(tokens)
    if blocks is None:  # a template without blocks: what is not found in it is the template's
        blocks = [range(len(tokens))] * len(request.messages)
    else:
        for place in range(blocks[0].start if blocks else 0):
            authors[place] = ("unasked", -1)
    masked = [b"\0" * len(text) if i in special else text for i, text in zip(built.ids, tokens, strict=True)]
    for number, (message, block) in enumerate(zip(request.messages, blocks, strict=True)):
        if len(block) < len(tokens) or len(request.messages) == 1:
            for place in block:
                authors[place] = ("template", number)
        for place in _of_author(message, masked, block):
            authors[place] = (message.role.value, number)
    reused = cache.reusable(built.ids) if built.ids else 0
    return PromptTokens(
        tuple(
            PromptToken(i, text, i in special, who, number)
            for i, text, (who, number) in zip(built.ids, tokens, authors, strict=True)
        ),
        reused,
    )


def _of_author(message: PromptMessage, tokens: Sequence[bytes], block: range) -> list[int]:
    """Return the places of a block's tokens in which a message's content or thinking is, even in part."""
    starts = [0, *accumulate(len(tokens[place]) for place in block)]
    text = b"".join(tokens[place] for place in block)
    found: list[int] = []
    end = len(text)
    for part in (message.content, message.thinking):
        raw = part.strip().encode("utf-8", "replace")
        at = text.rfind(raw, 0, end) if raw else -1
        if at >= 0:
            # A token that also has text of the template, such as a line break, is the author's.
            found += [
                place
                for place, (start, stop) in zip(block, pairwise(starts), strict=True)
                if start < at + len(raw) and stop > at
            ]
            end = at
    return found
