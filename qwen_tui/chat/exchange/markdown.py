"""Export the shown branch of a conversation as a Markdown document to read, print or send.

~~~
# Title

## You · 2026-05-01 12:00 UTC

```text
what the person wrote, exactly
```

## Qwen2.5-7B-Instruct · 2026-05-01 12:00 UTC

what the model answered, which is Markdown itself
~~~

A person's text is not Markdown, so it is put in a fence longer than any inside it. A reply is written as is,
unless it would affect what follows (an unclosed fence, HTML): then it is fenced too.
"""

import re
from collections.abc import Iterator

from qwen_tui.chat.message_text import author, remarks, when
from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.strings import say

_FENCE = re.compile(r"(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_HTML = re.compile(r"<(?!https?:)[A-Za-z/!?]")
_SPECIAL = re.compile(r"[\\`*_\[\]<>&#~|!$]")


def export(conversation: Conversation, system_prompt: str) -> str:
    """Return the document; `system_prompt` is the effective one and may be empty."""
    blocks = [f"# {_escaped(conversation.name)}"]
    if system_prompt.strip():
        blocks += [f"## {_escaped(say('receipt.system_prompt'))}", _fenced(system_prompt, "text")]
    for message in conversation.path():
        blocks += _message(message)
    return "\n\n".join(blocks) + "\n"


def _message(message: Message) -> Iterator[str]:
    yield "## " + " · ".join(filter(None, (_escaped(author(message)), when(message.created))))
    if message.thinking.strip():
        yield f"<details>\n<summary>{say('chat.thought')}</summary>"
        yield _fenced(message.thinking, "text")
        yield "</details>"
    if message.content.strip():
        is_reply = message.role is Role.ASSISTANT
        if is_reply and _stands_alone(message.content):
            yield message.content.strip("\n")
        else:
            yield _fenced(message.content, "markdown" if is_reply else "text")
    for remark in remarks(message):
        yield f"*{say('exchange.remark', remark=_escaped(remark))}*"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _fenced(text: str, info: str) -> str:
    """Fence a text with backticks or tildes, whichever gives the shorter fence."""
    fences = (sign * (1 + max([2, *map(len, re.findall(f"{sign}+", text))])) for sign in "`~")
    fence = min(fences, key=len)
    return f"{fence}{info}\n{text}\n{fence}"


def _stands_alone(text: str) -> bool:
    """Return whether Markdown after this text and an empty line is parsed independently of it.

    Conservative: a fence in a list ends where the list does, which only a full parser can tell.
    """
    opened: re.Match[str] | None = None
    for line in text.split("\n"):
        found = _FENCE.fullmatch(line)
        if opened is None:
            if found and not (found["fence"][0] == "`" and "`" in found["info"]):
                opened = found
            elif _HTML.search(_CODE_SPAN.sub("", line)):
                return False
        elif line.strip() and not line.startswith(opened["indent"]):
            return False
        elif found and found["fence"].startswith(opened["fence"]) and not found["info"].strip():
            opened = None
    return opened is None
