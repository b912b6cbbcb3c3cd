"""Read checkpoints in fine-grained FP8 (Qwen's own `-FP8`): every weight is dequantized as it is read.

Format: e4m3 weights in blocks (128 x 128 unless `weight_block_size` says otherwise), and a factor for each block
in `…_scale_inv`. Computing in FP8 would need the package `kernels`, which fetches code from the hub at run time.
"""

from collections.abc import Mapping
from typing import Any

import torch
from transformers import FineGrainedFP8Config
from transformers.integrations.finegrained_fp8 import Fp8Dequantize
from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING
from transformers.quantizers.quantizer_finegrained_fp8 import FineGrainedFP8HfQuantizer

from qwen_tui.engine.models.weight_formats import quantization_in


def dequantizing_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `from_pretrained` that dequantize the checkpoint with this `config.json`."""
    AUTO_QUANTIZER_MAPPING["fp8"] = _Quantizer
    saved = quantization_in(config)
    skipped = saved.get("modules_to_not_convert", saved.get("ignored_layers"))
    return {"quantization_config": FineGrainedFP8Config(dequantize=True, modules_to_not_convert=skipped)}


class _Dequantize(Fp8Dequantize):  # type: ignore[misc]  # has no types
    def _dequantize_one(
        self, quantized: torch.Tensor, scales: torch.Tensor, output_dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        """Return `quantized [..., R, C]` times its blocks' `scales [..., ceil(R / r), ceil(C / c)]`.

        The library (5.23) takes the blocks to divide the matrix evenly: of 192 rows in blocks of 128 it reads the
        first 96 with the first factor, and says nothing.
        """
        block = self.hf_quantizer.quantization_config.weight_block_size
        rows, columns = quantized.shape[-2:]
        grid = (-(-rows // block[0]), -(-columns // block[1])) if block else ()
        if quantized.dtype != torch.float8_e4m3fn or scales.shape[-2:] != grid:
            even: torch.Tensor = super()._dequantize_one(quantized, scales, output_dtype)
            return even
        if scales.dtype == torch.uint8:  # exponents of two
            scales = (scales.float() - 127).exp2()
        factors = scales.float().repeat_interleave(block[0], -2)[..., :rows, :]
        factors = factors.repeat_interleave(block[1], -1)[..., :columns]
        return (quantized.float() * factors).to(output_dtype or torch.bfloat16)


class _Quantizer(FineGrainedFP8HfQuantizer):  # type: ignore[misc]
    def get_load_operations(self) -> dict[str, Any]:
        return {"dequantize": _Dequantize}
