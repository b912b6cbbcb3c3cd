"""Decoding on CUDA at the speed of its memory: one captured graph a token, and kernels of our own where they fit.

`generate` stays what this is compared with, and what decodes wherever this cannot.
"""
