"""Fast decoding on CUDA: one captured graph per token, with Triton kernels for the models they support.

`generate` is the reference for it, and the fallback wherever it is unavailable.
"""
