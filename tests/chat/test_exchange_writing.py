"""Exported conversations say what was said, and nothing that was said can break out of its place."""

import io
import json
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from samples import answer, chat, comparable, conversations, question

from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.exchange import markdown, openai
from qwen_tui.chat.exchange.formats import Format, export, format_of
from qwen_tui.chat.exchange.reading import read
from qwen_tui.chat.messages import Conversation, Role, Run, Status

commonmark = MarkdownIt("commonmark")

MARKUP = r"""
```
````
  ```
   ```
    ```
~~~
~~~~
```python
` ``` `
- a
- ```
1. a
> ```
# You
## You · now
===
---
<div>
</details>
<!--
<pre>
a `<b>` c
<b>x
<script>
<?php
    code
text
[a]: /url 'title
| a | b |
\`<div>`
"""
lines = st.sampled_from(MARKUP.split("\n"))
nasty = st.lists(lines, min_size=1, max_size=12).map("\n".join) | st.text(alphabet="`~ \n->#ab<!", min_size=1)
visible = nasty.map(clean).filter(str.strip)


def headings(text: str) -> list[str]:
    """The headings of the second level that stand in no list, quote or fence."""
    tokens = commonmark.parse(text)
    return [
        tokens[i + 1].content
        for i, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2" and token.level == 0
    ]


def fenced(text: str) -> list[str]:
    return [token.content for token in commonmark.parse(text) if token.type == "fence" and token.level == 0]


@given(visible, visible, visible)
@example("x", "x", "- a\n  ```\nthe list and its fence have ended\n  ```")
def test_whatever_is_said_markdown_keeps_every_message_under_its_own_heading(
    asked, thought, answered
) -> None:
    conversation = Conversation(name="x").with_message(question(asked))
    reply = answer(answered, conversation.head, thinking=thought, receipt=(Run(model="m/Marked"),))
    conversation = conversation.with_message(reply)
    conversation = conversation.with_message(question("the end", reply.id))
    text = markdown.export(conversation, "")
    authors = [heading.partition(" · ")[0] for heading in headings(text) if " · 20" in heading]
    assert authors == ["You", "Marked", "You"]
    fences = fenced(text)
    assert fences[:2] == [asked + "\n", thought + "\n"]
    assert fences[-1] == "the end\n"
    assert answered.strip("\n") in text


def test_markdown_has_the_title_the_speakers_and_the_system_prompt() -> None:
    conversation = Conversation(name="广州 *美食* <b>")
    conversation = conversation.with_message(
        replace(question("它有什么好吃的？"), created="2026-05-01T12:00:00.000+00:00")
    )
    conversation = conversation.with_message(
        answer(
            "**早茶**",
            conversation.head,
            created="2026-05-01T12:00:09.000+00:00",
            receipt=(Run(model="Qwen/Qwen2.5-7B-Instruct"),),
            status=Status.STOPPED,
        )
    )
    assert export(conversation, Format.MARKDOWN, "简短回答。").decode() == (
        "# 广州 \\*美食\\* \\<b\\>\n\n"
        "## System prompt\n\n```text\n简短回答。\n```\n\n"
        "## You · 2026-05-01 12:00 UTC\n\n```text\n它有什么好吃的？\n```\n\n"
        "## Qwen2.5-7B-Instruct · 2026-05-01 12:00 UTC\n\n**早茶**\n\n"
        "*(Stopped)*\n"
    )


def test_only_the_branch_that_is_shown_is_written_for_others_and_all_of_them_for_ourselves() -> None:
    conversation = chat(turns=1).with_message(answer("first", "none"))
    asked = conversation.messages[0]
    conversation = conversation.with_message(answer("another answer", asked.id))
    assert b"another answer" in export(conversation, Format.MARKDOWN, "")
    for shown_only in (Format.MARKDOWN, Format.OPENAI):
        assert b"answer 1" not in export(conversation, shown_only, "")
    assert b"answer 1" in export(conversation, Format.JSON, "")


def test_an_openai_list_begins_with_the_system_prompt() -> None:
    written = json.loads(export(chat(turns=1), Format.OPENAI, "Be brief."))
    assert written == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "question 1"},
            {"role": "assistant", "content": "answer 1"},
        ]
    }


def test_a_reply_that_never_began_is_not_in_an_openai_list() -> None:
    conversation = chat(turns=1)
    conversation = conversation.with_message(answer("", conversation.head, status=Status.FAILED))
    written = json.loads(openai.export(conversation, ""))
    assert [message["content"] for message in written["messages"]] == ["question 1", "answer 1"]


def test_the_ending_of_a_file_tells_the_format() -> None:
    assert format_of("a.md") is Format.MARKDOWN
    assert format_of("a.JSON") is Format.JSON
    assert format_of("a.openai.json") is Format.OPENAI
    assert format_of("a.txt") is None


@given(conversations())
def test_our_own_format_comes_back_as_it_was(conversation) -> None:
    (again,) = read(io.BytesIO(export(conversation, Format.JSON, "")), "it").conversations
    assert comparable(replace(again, name=conversation.name)) == comparable(conversation)


@given(conversations(), st.text().map(clean))
def test_an_openai_list_comes_back_with_what_was_said(conversation, system_prompt) -> None:
    said = [(m.role, m.content) for m in conversation.path() if m.content.strip()]
    opening = 0
    while opening < len(said) and said[opening][0] is Role.SYSTEM:
        opening += 1
    if opening == len(said):
        return
    (again,) = read(io.BytesIO(export(conversation, Format.OPENAI, system_prompt)), "it").conversations
    assert [(m.role, m.content) for m in again.path()] == said[opening:]
    prompts = [system_prompt, *(content for _, content in said[:opening])]
    assert again.overrides.get("system_prompt", "") == "\n\n".join(p for p in prompts if p.strip())


@given(conversations())
def test_no_conversation_is_too_strange_for_markdown(conversation) -> None:
    text = export(conversation, Format.MARKDOWN, "").decode()
    assert clean(text) == text
    assert all(m.content in text for m in conversation.path() if m.role is Role.USER and m.content.strip())
