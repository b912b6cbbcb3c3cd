"""For which models and GPUs there are kernels of our own: known without importing them, which takes Triton."""

KERNELS_CAPABILITY = (8, 0)
"""Before this a GPU has no bf16, and the kernels were not tried."""

KERNEL_MODELS = {
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "qwen3_moe": "Qwen3MoeForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
}
"""Classes by model type: they are the same but for biases, for norms of queries and keys, and for experts."""
