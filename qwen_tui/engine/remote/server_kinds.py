"""Which program serves, as far as it matters: what it takes beside what all of them do, and how it names that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Continuing = Literal["no", "flag", "by_itself"]
"""Whether a reply can be continued: with vLLM's `continue_final_message`, or just because it stands last."""

TokenCounting = Literal["no", "messages", "text"]
"""Whether it counts tokens: of messages (vLLM's `/tokenize`), or of text, with `/apply-template` before it."""

SAMPLERS = ("top_k", "min_p", "repetition_penalty")
"""What the protocol itself does not know; `temperature`, `top_p`, `seed` and `max_tokens` it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A program that serves models."""

    name: str
    samplers: Mapping[str, str] = field(default_factory=dict)
    """What it takes of `SAMPLERS`, and under which name."""
    is_known: bool = True
    """False: what it takes was not looked up; it is sent everything, and may ignore some of it."""
    takes_generation_config: bool = False
    """It takes `SAMPLERS` in one JSON string, as transformers' GenerationConfig has them."""
    takes_template_arguments: bool = False
    """It takes `chat_template_kwargs`, `enable_thinking` among them."""
    continuing: Continuing = "no"
    counting: TokenCounting = "no"


_SAME = {name: name for name in SAMPLERS}

VLLM = Kind(
    name="vLLM", samplers=_SAME, takes_template_arguments=True, continuing="flag", counting="messages"
)
SGLANG = Kind(name="SGLang", samplers=_SAME, takes_template_arguments=True, continuing="flag")
LLAMA_CPP = Kind(
    name="llama.cpp",
    samplers=_SAME | {"repetition_penalty": "repeat_penalty"},
    takes_template_arguments=True,
    continuing="by_itself",
    counting="text",
)
OLLAMA = Kind(name="Ollama", continuing="by_itself")
TRANSFORMERS = Kind(name="transformers serve", takes_generation_config=True, takes_template_arguments=True)
OTHER = Kind(name="OpenAI-compatible", samplers=_SAME, is_known=False, takes_template_arguments=True)
