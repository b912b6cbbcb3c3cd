"""Chat templates that behave as those of well-known models, and a tokenizer for each."""

from typing import NamedTuple

from tiny_models import CHATML, CHATML_THINKING, byte_level
from transformers import PreTrainedTokenizerBase


class Kind(NamedTuple):
    """A template, and the added tokens that it is made of."""

    template: str
    special: tuple[str, ...]
    """The first one ends a text, as far as the tokenizer says."""
    others: tuple[str, ...] = ()
    """Added tokens that are not special."""


_IM = ("<|im_end|>", "<|im_start|>", "<|endoftext|>")
_THINK = ("<think>", "</think>")

_ALWAYS_THINKS = (
    "{%- set effort = reasoning_effort | default('xhigh') %}"
    "{%- set asked = {'low': 'Think little.', 'medium': 'Think some.'}.get(effort, '') %}"
    "{%- set told = messages[0].content if messages[0].role == 'system' else '' %}"
    "{%- if asked or told %}{{- '<|im_start|>system\\n' + asked + told + '<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages if message.role != 'system' %}"
    "{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.role == 'assistant' and KEEPS %}"
    "{{- '<think>\\n' + (message.reasoning_content or '') + '\\n</think>\\n\\n' }}{%- endif %}"
    "{{- message.content + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}"
    "{%- if enable_thinking is defined and not enable_thinking %}{{- '\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"
)

_CHANNELS = (
    "{{- '<|start|>system<|message|>Cutoff: ' + strftime_now('%Y-%m-%d') + '\\nReasoning: '"
    " + (reasoning_effort or 'medium') + '<|end|>' }}"
    "{%- for message in messages %}"
    "{%- if message.role == 'system' %}{{- '<|start|>developer<|message|>' + message.content + '<|end|>' }}"
    "{%- elif message.role == 'assistant' %}"
    "{%- if loop.last and not add_generation_prompt %}{%- if message.thinking %}"
    "{{- '<|start|>assistant<|channel|>analysis<|message|>' + message.thinking + '<|end|>' }}{%- endif %}"
    "{{- '<|start|>assistant<|channel|>final<|message|>' + message.content + '<|return|>' }}"
    "{%- else %}{{- '<|start|>assistant<|channel|>final<|message|>' + message.content + '<|end|>' }}{%- endif %}"
    "{%- else %}{{- '<|start|>user<|message|>' + message.content + '<|end|>' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start|>assistant' }}{%- endif %}"
)

_BRACKETS = (
    "{%- macro told(content) %}{%- if content is string %}{{- content }}{%- else %}{%- for part in content %}"
    "{%- if part.type == 'thinking' %}{{- '[THINK]' + part.thinking + '[/THINK]' }}"
    "{%- else %}{{- part.text }}{%- endif %}{%- endfor %}{%- endif %}{%- endmacro %}"
    "{{- bos_token }}{%- if messages[0].role != 'system' %}"
    "{{- '[SYSTEM_PROMPT]First [THINK]your thoughts[/THINK], then the answer.[/SYSTEM_PROMPT]' }}{%- endif %}"
    "{%- for message in messages %}"
    "{%- if message.role == 'user' %}{{- '[INST]' + told(message.content) + '[/INST]' }}"
    "{%- elif message.role == 'system' %}{{- '[SYSTEM_PROMPT]' + told(message.content) + '[/SYSTEM_PROMPT]' }}"
    "{%- else %}{{- told(message.content) + eos_token }}{%- endif %}{%- endfor %}"
)

KINDS = {
    "qwen2.5": Kind(CHATML, _IM),
    "qwen3": Kind(CHATML_THINKING, _IM, _THINK),
    "qwen3.5": Kind(_ALWAYS_THINKS.replace("KEEPS", "loop.last"), _IM, _THINK),
    "qwen3.8": Kind(_ALWAYS_THINKS.replace("KEEPS", "true"), _IM, _THINK),
    "first phi-3": Kind(
        "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}"
        "{{ '<|user|>\\n' + message.content + '<|end|>\\n<|assistant|>\\n' }}"
        "{% elif message.role == 'assistant' %}{{ message.content + '<|end|>\\n' }}{% endif %}{% endfor %}",
        ("<|endoftext|>", "<s>", "<|user|>", "<|assistant|>", "<|end|>"),
    ),
    "first llama-3": Kind(
        "{% for message in messages %}{{ bos_token if loop.first else '' }}"
        "{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim }}"
        "{{ '<|eot_id|>' }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}",
        ("<|end_of_text|>", "<s>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    ),
    "magistral": Kind(
        _BRACKETS,
        ("</s>", "<s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[THINK]", "[/THINK]"),
    ),
    "gpt-oss": Kind(
        _CHANNELS, ("<|return|>", "<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|endoftext|>")
    ),
    "deepseek-r1": Kind(
        "{{ bos_token }}{% for message in messages %}"
        "{% if message.role == 'system' %}{{ message.content }}"
        "{% elif message.role == 'user' %}{{ '<｜User｜>' + message.content }}"
        "{% else %}{{ '<｜Assistant｜>' + message.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}",
        ("<｜end▁of▁sentence｜>", "<s>", "<｜User｜>", "<｜Assistant｜>"),
        _THINK,
    ),
    "deepseek-v3.1": Kind(
        "{{ bos_token }}{% for message in messages %}"
        "{% if message.role == 'system' %}{{ message.content }}"
        "{% elif message.role == 'user' %}{{ '<｜User｜>' + message.content }}"
        "{% else %}{{ '<｜Assistant｜></think>' + message.content + '<｜end▁of▁sentence｜>' }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}"
        "{{ '<｜Assistant｜>' + ('<think>' if thinking else '</think>') }}{% endif %}",
        ("<｜end▁of▁sentence｜>", "<s>", "<｜User｜>", "<｜Assistant｜>"),
        _THINK,
    ),
    "gemma 4": Kind(
        "{{ bos_token }}{% if enable_thinking or messages[0].role == 'system' %}{{ '<|turn>system\n' }}"
        "{{ '<|think|>' if enable_thinking else '' }}"
        "{{ messages[0].content if messages[0].role == 'system' else '' }}{{ '<turn|>\n' }}{% endif %}"
        "{% for message in messages if message.role != 'system' %}"
        "{{ '<|turn>' + {'assistant': 'model'}.get(message.role, message.role) + '\n' }}"
        "{{ message.content + '<turn|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|turn>model\n' }}"
        "{{ '' if enable_thinking else '<|channel>thought\n<channel|>' }}{% endif %}",
        ("<turn|>", "<s>", "<|turn>", "<|think|>", "<|channel>", "<channel|>"),
    ),
    "parts only": Kind(
        "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}{% for part in message.content %}"
        "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
        _IM,
    ),
}


def tokenizer_of(kind: str) -> PreTrainedTokenizerBase:
    """Return a tokenizer with this template and its tokens."""
    template, special, others = KINDS[kind]
    tokenizer = byte_level(list(special), list(others))
    tokenizer.eos_token = special[0]
    tokenizer.bos_token = "<s>" if "<s>" in special else None
    tokenizer.chat_template = template
    return tokenizer
