"""Read and write the message lists of the OpenAI API and compatible programs.

```
{"messages": [{"role": "system", "content": "…"}, {"role": "user", "content": "…"}, …]}
```

An export contains the shown branch and its system prompt. An import also accepts a bare list, and content
that is a string or a list of parts. The system prompt becomes that of the conversation. Tools and pictures
are not supported: they are left out and counted.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

from qwen_tui.chat.cleaning import clean, one_line
from qwen_tui.chat.exchange.notes import Notes
from qwen_tui.chat.fields import DamagedError, get, moment
from qwen_tui.chat.files import LONG_AGO
from qwen_tui.chat.message_text import UNKNOWN_MODEL
from qwen_tui.chat.messages import Conversation, Json, Message, Role
from qwen_tui.chat.names import name_from, tidy

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,  # the API's name for the system prompt of its newer models
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
TOOLS = {"tool", "function"}

TEXT_PARTS = {"text", "input_text", "output_text"}
PICTURES = {"image", "image_url", "input_image"}
SOUNDS = {"audio", "input_audio", "output_audio"}

THOUGHTS = ("reasoning_content", "reasoning")
"""Where servers of reasoning models put the thinking."""


def export(conversation: Conversation, system_prompt: str) -> str:
    """Export the shown branch as a message list, without messages that have no text."""
    said = [(message.role.value, message.content) for message in conversation.path()]
    prompt = [(Role.SYSTEM.value, system_prompt)] if system_prompt.strip() else []
    messages = [{"role": role, "content": content} for role, content in (*prompt, *said) if content.strip()]
    return json.dumps({"messages": messages}, ensure_ascii=False, indent=2) + "\n"


def read(value: Json, notes: Notes) -> Conversation:
    """Read the conversation in a message list, or in an object that contains one; raises `DamagedError`."""
    holder = value if isinstance(value, dict) else {}
    messages = holder.get("messages") if holder else value
    if not isinstance(messages, list):
        raise DamagedError("not_a_conversation")
    title, model = (_word(holder.get(key)) for key in ("title", "model"))
    return _conversation(_said(messages, model or UNKNOWN_MODEL, notes), title)


def _conversation(said: Iterable[Message], title: str) -> Conversation:
    prompts: list[str] = []
    messages: list[Message] = []
    for each in said:
        if each.role is Role.SYSTEM and not messages:
            prompts.append(each.content)
        else:
            parent = messages[-1].id if messages else None
            messages.append(replace(each, id=f"m{len(messages) + 1}", parent=parent))
    if not messages:
        raise DamagedError("no_messages")
    name = tidy(title)
    first = next((message for message in messages if message.role is Role.USER), messages[0])
    return Conversation(
        name=name or name_from(first.content),
        named_by_person=bool(name),
        overrides={"system_prompt": "\n\n".join(prompts)} if prompts else {},
        messages=tuple(messages),
        head=messages[-1].id,
    )


def _said(messages: list[Json], model: str, notes: Notes) -> Iterable[Message]:
    for message in messages:
        if not isinstance(message, dict):
            raise DamagedError("wrong_type", key="messages")
        role = get(message, "role", str)
        if role in TOOLS:
            notes.add("tool_results")
            continue
        if role not in ROLES:
            notes.add("roles")
            continue
        if role == "developer":
            notes.add("developer")
        if message.get("tool_calls") or message.get("function_call"):
            notes.add("tool_calls")
        said = Message(
            role=ROLES[role],
            content=text_of(message.get("content"), notes),
            created=moment(message.get("created"), LONG_AGO),
        )
        if said.role is Role.ASSISTANT:
            said = replace(said, thinking=_thinking(message), model=model)
        if said.content.strip() or said.thinking.strip():
            yield said


def text_of(content: Json, notes: Notes) -> str:
    """Return the text of a message's content: the string itself, or the text parts of a list, joined by newlines.

    Other parts are counted in `notes`. Raises `DamagedError` if it is not valid content.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return clean(content)
    if not isinstance(content, list):
        raise DamagedError("wrong_type", key="content")
    return "\n".join(text for part in content if (text := _part(part, notes)))


def _part(part: Json, notes: Notes) -> str:
    if isinstance(part, str):
        return clean(part)
    if not isinstance(part, dict):
        raise DamagedError("wrong_type", key="content")
    kind, text = part.get("type", "text"), part.get("text")
    kind = kind if isinstance(kind, str) else ""
    if isinstance(text, str) and kind in TEXT_PARTS:
        return clean(text)
    notes.add("images" if kind in PICTURES else "sounds" if kind in SOUNDS else "parts")
    return ""


def _word(value: Json) -> str:
    return one_line(value) if isinstance(value, str) else ""


def _thinking(message: dict[str, Json]) -> str:
    found = next((message[key] for key in THOUGHTS if isinstance(message.get(key), str)), "")
    return clean(found)
