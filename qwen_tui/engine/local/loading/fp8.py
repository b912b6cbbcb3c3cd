"""Read checkpoints in fine-grained FP8 (Qwen's own `-FP8`): every weight is dequantized as it is read.

Format: e4m3 weights in blocks (128 x 128 unless `weight_block_size` says otherwise), and a factor for each block
in `…_scale_inv`. Computing in FP8 would need the package `kernels`, which fetches code from the hub at run time.
"""

from collections.abc import Mapping, Sequence
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
    def convert(self, input_dict: dict[str, Any], **more: Any) -> Any:
        """Dequantize weights `[R, C]` by the factors `[ceil(R / r), ceil(C / c)]` of their blocks.

        The library (5.23) takes the blocks to divide a matrix evenly: of 192 rows in blocks of 128 it reads the
        first 96 with the first factor, and says nothing. It gets a factor for each value there.
        """
        block = self.hf_quantizer.quantization_config.weight_block_size
        given = dict(input_dict)
        for key in [key for key in given if block and f"{key}_scale_inv" in given]:
            weights, factors = _listed(given[key]), _listed(given[f"{key}_scale_inv"])
            if len(weights) == len(factors):
                spread = [_spread(*pair, block) for pair in zip(weights, factors, strict=True)]
                given[f"{key}_scale_inv"] = spread
        return super().convert(given, **more)


def _listed(value: Any) -> list[torch.Tensor]:
    return value if isinstance(value, list) else [value]


def _spread(weight: torch.Tensor, factors: torch.Tensor, block: Sequence[int]) -> torch.Tensor:
    """Return a factor for each value of a weight that its blocks do not divide, else the factors as they are."""
    rows, columns = weight.shape[-2:]
    if factors.shape[-2:] != (-(-rows // block[0]), -(-columns // block[1])):
        return factors
    if rows % block[0] == 0 and columns % block[1] == 0:
        return factors
    by_row = factors.repeat_interleave(block[0], -2)[..., :rows, :]
    return by_row.repeat_interleave(block[1], -1)[..., :columns]


class _Quantizer(FineGrainedFP8HfQuantizer):  # type: ignore[misc]
    def get_load_operations(self) -> dict[str, Any]:
        return {"dequantize": _Dequantize}
