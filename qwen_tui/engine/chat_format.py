"""What a model's chat template and tokenizer do with a conversation, as found by rendering small ones.

Everything that depends on a template reads it here; nothing goes by a model's name. The probe is
`engine/local/prompts/probe.py`.
"""

from typing import NamedTuple


class Marks(NamedTuple):
    """The text around a thought in a reply, with the white space that the template puts there."""

    open: str
    """Written before the thought: `<think>` and a newline, `[THINK]`, `<|channel|>analysis<|message|>`."""
    close: str
    """Written between the thought and the answer."""
    answer: str = ""
    """Written before an answer without a thought, by models that label every part of a reply."""

    @property
    def names_channels(self) -> bool:
        """Whether each part of a reply begins with a header that names its channel, as gpt-oss writes it."""
        return bool(self.answer)


USUAL_MARKS = Marks("<think>\n", "\n</think>\n\n")
"""Marks of models whose template and tokenizer name none, but which may have learned these."""


class ChatFormat(NamedTuple):
    """Properties of a chat template."""

    marks: Marks | None = None
    """None if neither the template nor the tokenizer names any."""
    opens_thought: bool = False
    """Whether a prompt ends in an opened thought unless asked otherwise."""
    thought_key: str = ""
    """The key of a message under which the template expects its thought; empty if it has none."""
    keeps_thoughts: bool = False
    """Whether the thoughts of earlier turns stay in the prompt."""
    switch: str = ""
    """The template's variable that turns thinking on and off, such as `enable_thinking`; empty if there is none."""
    effort_name: str = ""
    """The template's variable for the effort, such as `reasoning_effort`."""
    efforts: tuple[str, ...] = ()
    """Its values that change the rendered text, from the least on."""
    keeps_system: bool = True
    """Whether a system prompt appears in the prompt."""
    reads_parts: bool = False
    """Whether the template reads contents only as a list of parts."""
    loses_text: str = ""
    """The role whose text does not appear in the prompt in any form; empty if none is lost."""
    headers: tuple[tuple[str, str], ...] = ()
    """By role, the text that the template puts before a message."""
    end_of_turn: str = ""
    """The token right behind an assistant's text; empty if there is none."""
    adds: str = ""
    """Text at the beginning of a prompt that nobody typed, such as a default system prompt."""
    adds_date: bool = False
    """Whether that text contains today's date."""
    extends_prefix: bool = True
    """Whether a prompt with its reply is the beginning of the next turn's prompt."""
    named: str = ""
    """The name of this template, if the tokenizer has several and none of them is the default."""
    refusal: str = ""
    """Why the template rejects even one message and its reply; empty if it does not."""
