"""Kinds of servers: what each supports beyond the common protocol, and under which names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Continuing = Literal["no", "flag", "by_itself"]
"""How to continue a reply: with vLLM's `continue_final_message`, or by sending it as the last message."""

TokenCounting = Literal["no", "messages", "text"]
"""What the server can tokenize: messages (vLLM's `/tokenize`), or text rendered by `/apply-template` first."""

SAMPLERS = ("top_k", "min_p", "repetition_penalty")
"""Samplers outside the protocol, which has `temperature`, `top_p`, `seed` and `max_tokens`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Server software, and what it supports."""

    name: str
    samplers: Mapping[str, str] = field(default_factory=dict)
    """The supported `SAMPLERS`, with their names in a request."""
    is_known: bool = True
    """False for software that was not identified: it is sent everything, and may ignore some."""
    takes_generation_config: bool = False
    """Whether it supports `SAMPLERS` in one JSON string, as in transformers' GenerationConfig."""
    takes_penalties: bool = True
    """Whether it supports `presence_penalty` and `frequency_penalty` as the protocol defines them."""
    takes_template_arguments: bool = False
    """Whether it supports `chat_template_kwargs`, including `enable_thinking`."""
    thinking_budget: str = ""
    """The name of the limit on the tokens of a thought; empty if there is none for a single request."""
    continuing: Continuing = "no"
    counting: TokenCounting = "no"


_SAME = {name: name for name in SAMPLERS}

VLLM = Kind(
    name="vLLM",
    samplers=_SAME,
    takes_template_arguments=True,
    thinking_budget="thinking_token_budget",
    continuing="flag",
    counting="messages",
)
SGLANG = Kind(name="SGLang", samplers=_SAME, takes_template_arguments=True, continuing="flag")
LLAMA_CPP = Kind(
    name="llama.cpp",
    samplers=_SAME | {"repetition_penalty": "repeat_penalty"},
    takes_template_arguments=True,
    thinking_budget="reasoning_budget_tokens",
    continuing="by_itself",
    counting="text",
)
OLLAMA = Kind(name="Ollama", continuing="by_itself")
TRANSFORMERS = Kind(
    name="transformers serve",
    takes_generation_config=True,
    takes_penalties=False,  # it refuses one, and turns the other into a repetition penalty
    takes_template_arguments=True,
)
OTHER = Kind(name="OpenAI-compatible", samplers=_SAME, is_known=False, takes_template_arguments=True)
