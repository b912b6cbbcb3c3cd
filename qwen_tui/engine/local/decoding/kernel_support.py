"""For which models and GPUs there are kernels of our own: known without importing them, which takes Triton."""

KERNELS_CAPABILITY = (8, 0)
"""Before this a GPU has no bf16, and the kernels were not tried."""

KERNEL_MODELS = {
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "qwen3_moe": "Qwen3MoeForCausalLM",
    "qwen3_5": "Qwen3_5ForCausalLM",
    "qwen3_5_text": "Qwen3_5ForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
}
"""Classes by model type: alike but for biases, norms of queries and keys, gates, linear attention and experts."""

ZERO_CENTRED_NORMS = ("Qwen3_5RMSNorm",)
"""Norms that multiply by one more than their weights."""
