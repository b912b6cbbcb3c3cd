"""Model folders made on the spot: the real architectures with random weights, and templates like the real ones."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2Tokenizer,
    Qwen3_5ForCausalLM,
    Qwen3_5TextConfig,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    Qwen3NextConfig,
    Qwen3NextForCausalLM,
)

TEXT = [
    "The quick brown fox jumps over the lazy dog. It doesn't stop, does it? 1234567890",
    "What is a token? A token is a piece of text that a model reads and writes.\n\n    indented = True\n",
    "广州的美食有很多：早茶、肠粉、烧腊、云吞面。它有什么好吃的美食吗？请分类：体育、科技、政治、娱乐。",
    "こんにちは、世界。カタカナとひらがな。 สวัสดีชาวโลก 🦀🎉👩‍👩‍👧 naïve café",
]

CHATML = (
    "{%- if messages[0]['role'] != 'system' %}"
    "{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
"""As Qwen2.5's, with its default system prompt."""

CHATML_THINKING = (
    "{%- set ns = namespace(last=-1) %}"
    "{%- for message in messages %}"
    "{%- if message.role == 'user' %}{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}"
    "{%- for message in messages %}"
    "{%- if message.role == 'assistant' and message.reasoning_content and loop.index0 > ns.last %}"
    "{{- '<|im_start|>assistant\\n<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n'"
    " + message.content + '<|im_end|>\\n' }}"
    "{%- else %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"
)
"""As Qwen3's: earlier thinking is left out, and thinking can be turned off."""

INST = (
    "{{- bos_token }}{%- for message in messages %}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{- raise_exception('Conversation roles must alternate user/assistant') }}{%- endif %}"
    "{%- if message['role'] == 'user' %}{{- '[INST] ' + message['content'] + ' [/INST]' }}"
    "{%- else %}{{- ' ' + message['content'] + eos_token }}{%- endif %}{%- endfor %}"
)
"""As early Mistral's and Llama's: no system message, and the roles must alternate."""


def qwen2(
    folder: Path,
    template: str | None = CHATML,
    window: int = 512,
    rows: int | None = None,
    dtype: torch.dtype = torch.float32,
    tokenizer: Any = None,
    **config: Any,
) -> Path:
    """A Qwen2, by default with a byte-level tokenizer; without `rows` its output layer has 61 more than tokens."""
    if tokenizer is None:
        tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], [])
        tokenizer.chat_template = template
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    torch.set_default_dtype(dtype)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=rows or len(tokenizer) + 61,
            num_key_value_heads=2,
            max_position_embeddings=window,
            initializer_range=0.2,
            **{**sizes, "tie_word_embeddings": True, **config},
        )
    )
    torch.set_default_dtype(torch.float32)
    return _saved(folder, model, tokenizer, do_sample=True, temperature=0.7, top_p=0.8, top_k=20)


def qwen3(folder: Path) -> Path:
    """A Qwen3 whose template takes `enable_thinking`; the tags are added tokens that are not special."""
    tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], ["<think>", "</think>"])
    tokenizer.chat_template = CHATML_THINKING
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=1024,
        initializer_range=0.2,
    )
    return _saved(folder, Qwen3ForCausalLM(config), tokenizer, do_sample=True, temperature=0.6)


def qwen3_moe(folder: Path, **config: Any) -> Path:
    """A Qwen3 whose second layer has experts; with `mlp_only_layers=[]` both have."""
    tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], [])
    tokenizer.chat_template = CHATML
    torch.manual_seed(0)
    sizes = {"intermediate_size": 1024, "moe_intermediate_size": 32, "mlp_only_layers": [0]}
    model = Qwen3MoeForCausalLM(
        Qwen3MoeConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            num_experts=4,
            num_experts_per_tok=2,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            max_position_embeddings=1024,
            initializer_range=0.2,
            **{**sizes, **config},
        )
    )
    return _saved(folder, model, tokenizer)


def qwen3_next(folder: Path) -> Path:
    """A Qwen3-Next: a layer of linear attention and one of full attention."""
    tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], [])
    tokenizer.chat_template = CHATML
    torch.manual_seed(0)
    config = Qwen3NextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        moe_intermediate_size=32,
        shared_expert_intermediate_size=32,
        num_experts=4,
        num_experts_per_tok=2,
        num_hidden_layers=2,
        layer_types=["linear_attention", "full_attention"],
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=16,
        linear_value_head_dim=16,
        max_position_embeddings=1024,
        initializer_range=0.2,
    )
    return _saved(folder, Qwen3NextForCausalLM(config), tokenizer)


def qwen3_5(folder: Path, **config: Any) -> Path:
    """A Qwen3.5: three layers of linear attention, then one of full attention with an output gate."""
    tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], [])
    tokenizer.chat_template = CHATML
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "max_position_embeddings": 1024,
        "initializer_range": 0.2,
    }
    return _saved(folder, Qwen3_5ForCausalLM(Qwen3_5TextConfig(**{**sizes, **config})), tokenizer)


def mamba(folder: Path) -> Path:
    """A Mamba: no attention, and a cache of its own."""
    tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], [])
    tokenizer.chat_template = CHATML
    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=2, state_size=8, initializer_range=0.6
    )
    return _saved(folder, MambaForCausalLM(config), tokenizer)


def llama(folder: Path) -> Path:
    """A Llama with a SentencePiece-like tokenizer that falls back to bytes."""
    tokenizer = sentencepiece_like()
    tokenizer.chat_template = INST
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
    )
    return _saved(folder, LlamaForCausalLM(config), tokenizer)


def sentencepiece_like() -> PreTrainedTokenizerFast:
    """BPE over words that begin with `▁`; what it has no piece for becomes `<0xNN>` tokens."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>", "<s>", "</s>", *bytes_], show_progress=False
    )
    learned = Tokenizer(models.BPE(unk_token="<unk>"))
    learned.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    learned.train_from_iterator(TEXT[:2], trainer)
    parts = json.loads(learned.to_str())["model"]
    backend = Tokenizer(
        models.BPE(
            vocab=parts["vocab"],
            merges=[tuple(pair) for pair in parts["merges"]],
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    backend.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        clean_up_tokenization_spaces=False,
    )


def byte_level(special: list[str], added: list[str]) -> Qwen2Tokenizer:
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learned.train_from_iterator(TEXT, trainer)
    parts = json.loads(learned.to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=parts["vocab"],
        merges=[tuple(pair) for pair in parts["merges"]],
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in added])
    return tokenizer


def _saved(folder: Path, model: Any, tokenizer: Any, **sampling: Any) -> Path:
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, **sampling)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
