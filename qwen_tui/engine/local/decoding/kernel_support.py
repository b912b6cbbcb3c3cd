"""Models and GPUs supported by our kernels, listed separately because importing the kernels needs Triton."""


class Unsupported(Exception):
    """Why a model cannot be decoded by the kernels."""


KERNELS_CAPABILITY = (8, 0)
"""Earlier GPUs lack bf16, and the kernels are untested on them."""

KERNEL_MODELS = {
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "qwen3_moe": "Qwen3MoeForCausalLM",
    "qwen3_5": "Qwen3_5ForCausalLM",
    "qwen3_5_text": "Qwen3_5ForCausalLM",
    "qwen3_5_moe": "Qwen3_5MoeForCausalLM",
    "qwen3_5_moe_text": "Qwen3_5MoeForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
}
"""Classes by model type. They differ in biases, query and key norms, gates, linear attention and experts."""

ZERO_CENTRED_NORMS = ("Qwen3_5RMSNorm", "Qwen3_5MoeRMSNorm")
"""Norms that multiply by one plus their weights."""
