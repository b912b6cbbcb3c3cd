"""Models and GPUs supported by our kernels, listed separately because importing the kernels needs Triton."""

KERNELS_CAPABILITY = (8, 0)
"""Earlier GPUs lack bf16, and the kernels are untested on them."""

KERNEL_MODELS = {
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "qwen3_moe": "Qwen3MoeForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
}
"""Classes by model type. They differ only in biases, query and key norms, and experts."""
