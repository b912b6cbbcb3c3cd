"""Triton kernels for one token of a Llama-like model: products of matrix and vector at the speed of the memory."""
