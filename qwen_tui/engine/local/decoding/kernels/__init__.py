"""Triton kernels for decoding Llama-like models: matrix-vector products at memory bandwidth."""
