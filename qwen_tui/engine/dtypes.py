"""The dtypes that can be asked for, by their short names and by torch's."""

from typing import Literal

Dtype = Literal["auto", "bf16", "fp16", "fp32"]

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
"""torch's names."""
