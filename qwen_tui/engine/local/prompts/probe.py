"""Find out what a chat template does with a conversation, by rendering small ones: see `ChatFormat`.

Every text here is a word that no template contains, so that what stands around it is the template's own.
"""

import re
from collections.abc import Mapping
from datetime import date
from itertools import takewhile
from typing import Any

from transformers import PreTrainedTokenizerBase

from qwen_tui.engine.chat_format import ChatFormat, Marks
from qwen_tui.engine.local.prompts.efforts import efforts_of
from qwen_tui.engine.local.prompts.mark_names import default_marks, named_pair
from qwen_tui.engine.local.prompts.template import NOTHING, PARTS, Refused, Template, seen

SYSTEM, USER, REPLY, THOUGHT, MORE = "syst3m", "qu3stion", "r3ply", "th0ught", "f0llowup"

THOUGHT_KEYS = ("reasoning_content", "thinking", "reasoning", "thoughts", PARTS)
"""Keys of a message under which templates expect a thought."""

SWITCHES = ("enable_thinking", "thinking", "think", "enable_reasoning")
"""Variables with which templates turn thinking on and off."""


def probe(template: Template | None, tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    """Return what the template does; for a base model, only the marks that its tokenizer names."""
    added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.content.strip()]
    if template is None:
        return ChatFormat(marks=default_marks(named_pair(added)))
    try:
        return _Probe(template, added, str(tokenizer.bos_token or "")).found()
    except Refused as refusal:
        marks = default_marks(named_pair(added, template.text))
        return ChatFormat(marks=marks, named=template.name, refusal=str(refusal))


class _Probe:
    """The renderings of one template, each made once, and what they show."""

    def __init__(self, template: Template, added: list[str], bos: str) -> None:
        """`added` are the tokenizer's added tokens. Raises `Refused` if the template rejects one message."""
        self._template = template
        self._added = sorted(added, key=len, reverse=True)
        self._bos = bos
        self._form = ChatFormat(named=template.name)
        self._form = self._form._replace(reads_parts=self._loses_plain_text())
        self._alone = self._render("u")
        """A question and the generation prompt."""
        self._turn = self._render_or("uam")
        """A question, a reply, and another question."""
        self._said = self._render_or("ua", with_prompt=False)
        """A question and a reply, finished."""

    def found(self) -> ChatFormat:
        """Return everything that the renderings show."""
        self._find_marks()
        form = self._form
        lost = [
            role
            for role, word, text in (("user", USER, self._alone), ("assistant", REPLY, self._turn or REPLY))
            if word not in text
        ]
        user_header = self._user_header()
        effort_name, efforts = efforts_of(self._template, self._messages("u"))
        return form._replace(
            switch=self._switch(),
            effort_name=effort_name,
            efforts=efforts,
            keeps_system=SYSTEM in self._render_or("su"),
            loses_text=lost[0] if lost else "",
            headers=self._headers(user_header, self._trimmed(self._header())),
            end_of_turn=self._end_of_turn(),
            **self._added_text(user_header),
            extends_prefix=self._extends_prefix(),
        )

    # --- Renderings -------------------------------------------------------------------------------------------

    def _messages(self, who: str, form: ChatFormat | None = None) -> list[dict[str, Any]]:
        """Return a conversation of `s`ystem prompt, `u`ser, `a`ssistant, assistant who has `t`hought, `m`ore."""
        said = {
            "s": ("system", SYSTEM, ""),
            "u": ("user", USER, ""),
            "a": ("assistant", REPLY, ""),
            "t": ("assistant", REPLY, THOUGHT),
            "m": ("user", MORE, ""),
        }
        return [seen(*said[letter], form or self._form) for letter in who]

    def _render(
        self, who: str, variables: Mapping[str, str | bool] = NOTHING, *, with_prompt: bool = True
    ) -> str:
        return self._template.render(self._messages(who), variables, with_prompt=with_prompt)

    def _render_or(
        self, who: str, variables: Mapping[str, str | bool] = NOTHING, *, with_prompt: bool = True
    ) -> str:
        """Render, or return an empty text if the template rejects the conversation."""
        try:
            return self._render(who, variables, with_prompt=with_prompt)
        except Refused:
            return ""

    def _loses_plain_text(self) -> bool:
        """Whether a content appears in the prompt only as a list of parts. Raises `Refused`."""
        plain = self._render_or("u")
        if USER in plain:
            return False
        in_parts = self._messages("u", form=self._form._replace(reads_parts=True))
        try:
            return USER in self._template.render(in_parts)
        except Refused:
            if not plain:
                self._render("u")  # raises what the template says of plain text
            return False

    # --- Thinking ---------------------------------------------------------------------------------------------

    def _find_marks(self) -> None:
        """Set what the renderings show of thinking."""
        marks = None
        for key in THOUGHT_KEYS:
            form = self._form._replace(thought_key=key)
            try:
                text = self._template.render(self._messages("ut", form=form), with_prompt=False)
            except Refused:
                continue
            # A template that reads no parts writes the list itself.
            if "'type'" not in text and 0 <= text.find(THOUGHT) < text.rfind(REPLY):
                self._form = form
                marks = self._marks_around(text)
                break
        tail = self._tail(self._alone)
        if marks is None:
            switched = [
                self._tail(self._render_or("u", {name: is_on}))
                for name in SWITCHES
                if self._mentions(name)
                for is_on in (False, True)
            ]
            pair = named_pair(self._added, self._template.text)
            marks = default_marks(pair, (tail, *switched)) or self._labelled_marks([tail, *switched])
        last = tail.rfind(marks.open.strip()) if marks is not None else -1
        opens = marks is not None and last >= 0 and marks.close.strip() not in tail[last:]
        keeps = bool(self._form.thought_key) and THOUGHT in self._render_or("utm")
        self._form = self._form._replace(marks=marks, opens_thought=opens, keeps_thoughts=keeps)

    def _marks_around(self, text: str) -> Marks | None:
        """Return the marks around the thought in the rendering of a reply that has one."""
        before = _between(text, USER, THOUGHT)[len(self._header(text)) :]
        after = _between(text, THOUGHT, REPLY)
        answer = _between(self._turn, USER, REPLY)[len(self._header(text)) :]
        if not before.strip() or not after.strip():
            return None
        return Marks(before, after, answer if answer.strip() and after.endswith(answer) else "")

    def _labelled_marks(self, tails: list[str]) -> Marks | None:
        """Return the marks of an empty thought that has a label instead of a telling name: `<a>thought<b>`."""
        for tail in tails:
            empty = tail.removeprefix(self._header()).rstrip()
            opening = next((token for token in self._added if empty.startswith(token)), "")
            closing = next((token for token in self._added if empty.endswith(token)), "")
            if opening and closing and len(empty) > len(opening) + len(closing) and opening != closing:
                return Marks(empty.removesuffix(closing), closing)
        return None

    def _tail(self, text: str) -> str:
        """Return what follows the question."""
        return text[text.find(USER) + len(USER) :] if USER in text else ""

    def _switch(self) -> str:
        """Return the variable that turns thinking on and off, if it changes the prompt."""
        for name in SWITCHES:
            if self._mentions(name):
                on, off = self._render_or("u", {name: True}), self._render_or("u", {name: False})
                if on and off and on != off:
                    return name
        return ""

    def _mentions(self, name: str) -> bool:
        return re.search(rf"\b{name}\b", self._template.text) is not None

    # --- Structure --------------------------------------------------------------------------------------------

    def _header(self, thoughtful: str = "") -> str:
        """Return the text between a question and whatever the assistant writes first."""
        texts = [self._tail(self._alone)]
        if REPLY in self._turn:
            texts.append(_between(self._turn, USER, REPLY))
        if THOUGHT in thoughtful:
            texts.append(_between(thoughtful, USER, THOUGHT))
        header = _shared_start(*texts)
        # A template that opens a thought in every turn does so behind the header.
        opened = re.search(
            r"[<\[◁][^<>\[\]◁▷]*(think|thought|reason)[^<>\[\]◁▷]*[>\]▷]\s*$", header, re.IGNORECASE
        )
        return header[: opened.start()] if opened else header

    def _end_of_turn(self) -> str:
        """Return the added token right behind an assistant's text, unless it means something else as well."""
        marks = self._form.marks
        for text in (self._said, self._turn):
            token = self._token_behind(text, REPLY)
            if token and token not in self._trimmed(self._header()) and not (marks and token in marks.close):
                return token
        return ""

    def _user_header(self) -> str:
        """Return the text before a question, without what only begins the prompt."""
        before = self._beginning(self._alone, USER)
        later = _between(self._turn, REPLY, MORE)
        cut = len(before) - len(_shared_start(before[::-1], later[::-1])) if later else 0
        overlapping = (
            found.end()
            for token in self._added
            for found in re.finditer(re.escape(token), before)
            if found.start() < cut < found.end()
        )
        return self._trimmed(before[max(overlapping, default=cut) :])

    def _headers(self, user_header: str, assistant_header: str) -> tuple[tuple[str, str], ...]:
        headers = [("user", user_header), ("assistant", assistant_header)]
        if system_header := self._beginning(self._render_or("su"), SYSTEM):
            headers.insert(0, ("system", system_header))
        return tuple(headers)

    def _added_text(self, user_header: str) -> dict[str, Any]:
        """Return the text at the beginning of a prompt that nobody typed, and whether it has a date."""
        text = self._beginning(self._alone, USER).removesuffix(user_header).strip()
        with_system = self._render_or("su")
        text = text.removeprefix(self._beginning(with_system, SYSTEM).strip())
        text = text.removesuffix(_between(with_system, SYSTEM, USER).removesuffix(user_header).strip())
        has_date = "strftime_now" in self._template.text and str(date.today().year) in text
        return {"adds": text.strip(), "adds_date": has_date}

    def _beginning(self, text: str, word: str) -> str:
        """Return the text before a word, without the token that begins every text; empty without the word."""
        return text[: text.find(word)].removeprefix(self._bos) if word in text else ""

    def _extends_prefix(self) -> bool:
        """Whether the next turn's prompt begins with this one's and the reply as the model writes it."""
        marks = self._form.marks
        if marks is None or not (self._form.thought_key or self._form.opens_thought):
            return self._turn.startswith(self._alone + REPLY)
        written = ("" if self._form.opens_thought else marks.open) + THOUGHT + marks.close + REPLY
        return self._render_or("utm").startswith(self._alone + written)

    def _trimmed(self, header: str) -> str:
        """Return a header without the end of the message before it."""
        header = header.lstrip()
        return header.removeprefix(self._token_behind(self._turn, REPLY)).lstrip() or header

    def _token_behind(self, text: str, word: str) -> str:
        """Return the added token right behind a word, or an empty text."""
        after = text[text.rfind(word) + len(word) :].lstrip() if word in text else ""
        return next((token for token in self._added if after.startswith(token)), "")


def _between(text: str, first: str, last: str) -> str:
    """Return what stands between these two words; empty if one of them is missing."""
    begin, end = text.find(first), text.rfind(last)
    return text[begin + len(first) : end] if 0 <= begin < end else ""


def _shared_start(*texts: str) -> str:
    """Return the longest text that all of these begin with."""
    same = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts, strict=False))
    return "".join(characters[0] for characters in same)
