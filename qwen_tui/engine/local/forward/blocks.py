"""The blocks of a model, which its hidden state passes one after another, whatever its class calls them."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel


def blocks(model: PreTrainedModel) -> Sequence[torch.nn.Module]:
    """Return the outermost list of as many modules as the model has layers; the model itself if there is none."""
    count = model.config.get_text_config(decoder=True).num_hidden_layers
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            return list(module)
    return [model]
