"""What we use of libraries beyond their public names stands in one place, and is still there."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import torch
import transformers

import qwen_tui
from qwen_tui.engine.local import library_internals

PACKAGE = Path(qwen_tui.__file__).parent

MODULES = {
    "transformers.cache_utils": {
        "DynamicLayer", "DynamicSlidingWindowLayer", "LinearAttentionAndFullAttentionLayer", "LinearAttentionLayer",
    },
    "transformers.convert_slow_tokenizer": {"bytes_to_unicode"},
    "transformers.integrations.finegrained_fp8": {"Fp8Dequantize"},
    "transformers.quantizers.auto": {
        "AUTO_QUANTIZATION_CONFIG_MAPPING", "AUTO_QUANTIZER_MAPPING", "AutoHfQuantizer",
    },
    "transformers.quantizers.quantizer_finegrained_fp8": {"FineGrainedFP8HfQuantizer"},
    "transformers.generation.streamers": {"BaseStreamer"},
    "transformers.models.auto.modeling_auto": {"MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"},
    "transformers.utils": {"logging"},
}  # fmt: skip
"""Names that transformers does not offer at its top level."""

OURS = ("self", "cls", "os")
"""Names whose underscored attributes are not a library's: `os._exit` is documented."""

NAMED_TUPLES = ("_replace", "_asdict", "_fields")


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for file in sorted((PACKAGE / "engine" / "local").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            yield file, node


def test_private_names_stand_in_one_file() -> None:
    internals = Path(library_internals.__file__)
    ours = {
        node.attr
        for file, node in sources()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in OURS
    }
    found = {
        f"{file.relative_to(PACKAGE)}:{node.lineno} {node.attr}"
        for file, node in sources()
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in (*NAMED_TUPLES, *ours)
        and file != internals
    }
    assert not found, "These belong in library_internals.py"


def test_what_is_not_at_the_top_level_of_transformers_is_listed_and_there() -> None:
    used: dict[str, set[str]] = {}
    for _, node in sources():
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("transformers."):
            used.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
    assert used == MODULES
    for module, names in MODULES.items():
        assert all(hasattr(import_module(module), name) for name in names), module


def test_the_private_names_still_mean_what_they_meant() -> None:
    config = transformers.Qwen2Config(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1,
        vocab_size=8,
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    assert library_internals.attention_name(model.config) == "eager"
    library_internals.set_attention_name(model.config, "sdpa")
    assert model.config._attn_implementation == "sdpa"
    assert library_internals.accepts_dynamic_cache(model)
    assert "inv_freq" in library_internals.computed_buffers(model.model.rotary_emb)
