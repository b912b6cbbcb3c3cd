"""Logit lens: what each layer of a model would say next, by the final norm and output layer on its hidden state."""

import inspect
from contextlib import ExitStack
from typing import Any

import torch
from transformers import PreTrainedModel

from qwen_tui.engine.base import Request
from qwen_tui.engine.inspection import Lens, LensLayer
from qwen_tui.engine.local.forward.blocks import blocks
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.errors import QwenTuiError

MOST_WORK = {"cpu": 1e12}
"""Limit of parameters times tokens by device: a few seconds, in which no reply can begin."""

MOST_WORK_ELSEWHERE = 1e14
"""The same on other devices, all of which are faster."""

TOLERANCE = 0.02
"""How far, relative to the model's logits, those from its last layer may be off: what bf16 rounds away."""


def lens(loaded: Loaded, request: Request) -> Lens:
    """Return what each layer would say after a request's prompt and the tokens given with it.

    The whole text is read again, without the KV cache. Raises `QwenTuiError`: `engine.lens_too_long` where that
    would take too long, `engine.no_lens` if the model's logits are not those of its last layer.
    """
    prompt = loaded.prompts.build(request.messages, request.thinking, continues=request.continues)
    ids = [*prompt.ids, *request.given_ids]
    model = loaded.model
    if len(ids) * loaded.info.parameters > MOST_WORK.get(model.device.type, MOST_WORK_ELSEWHERE):
        raise QwenTuiError("engine.lens_too_long", tokens=len(ids))
    with torch.no_grad():
        logits = layer_logits(model, torch.tensor([ids], device=model.device))
        if loaded.padded_ids is not None:
            logits[:, loaded.padded_ids.to(logits.device)] = -torch.inf
        final = int(logits[-1].argmax())
        ranks = (logits > logits[:, final : final + 1]).sum(1) + 1
        best, best_ids = logits.softmax(1).max(1)
    found = zip(best_ids.tolist(), best.tolist(), ranks.tolist(), strict=True)
    return Lens(
        tuple(
            LensLayer(layer, token, loaded.token_text[token], probability, rank)
            for layer, (token, probability, rank) in enumerate(found)
        )
    )


def layer_logits(model: PreTrainedModel, ids: torch.Tensor) -> torch.Tensor:
    """Return logits (L + 1, V) after the last of these tokens (1, T): of the embedding, then of each layer.

    Raises `QwenTuiError` (`engine.no_lens`) if those of the last layer are not the model's own.
    """
    states: list[torch.Tensor] = []
    norms: list[torch.nn.Module] = []
    layers = blocks(model)
    head = model.get_output_embeddings()
    if layers[0] is model or head is None:
        raise QwenTuiError("engine.no_lens")

    def keep_input(_module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        states.append((args[0] if args else kwargs["hidden_states"])[0, -1])

    def keep_output(_module: torch.nn.Module, _args: object, output: Any) -> None:
        states.append((output[0] if isinstance(output, tuple) else output)[0, -1])

    def note_norm(module: torch.nn.Module, args: tuple[Any, ...], _output: object) -> None:
        is_after = len(states) == len(layers) + 1
        if (
            is_after
            and args
            and isinstance(args[0], torch.Tensor)
            and torch.equal(args[0][0, -1], states[-1])
        ):
            norms.append(module)

    keeps_last = "logits_to_keep" in inspect.signature(model.forward).parameters
    last_only = {"logits_to_keep": 1} if keeps_last else {}
    with ExitStack() as hooks:
        hooks.enter_context(layers[0].register_forward_pre_hook(keep_input, with_kwargs=True))
        for layer in layers:
            hooks.enter_context(layer.register_forward_hook(keep_output))
        for module in _beside(model, layers[0]):
            hooks.enter_context(module.register_forward_hook(note_norm))
        own = model(input_ids=ids, use_cache=False, **last_only).logits[0, -1].float()
    hidden = torch.stack([state.to(states[-1].device) for state in states])[None]
    normed = norms[0](hidden) if norms else hidden
    logits: torch.Tensor = head(normed)[0].float()
    if not (logits[-1] - own.to(logits.device)).norm() <= TOLERANCE * own.norm():
        raise QwenTuiError("engine.no_lens")
    return logits


def _beside(model: PreTrainedModel, layer: torch.nn.Module) -> list[torch.nn.Module]:
    """Return the modules that stand next to the list of layers, one of which is the final norm."""
    for parent in model.modules():
        children = list(parent.children())
        if any(isinstance(child, torch.nn.ModuleList) and layer in list(child) for child in children):
            return [child for child in children if not isinstance(child, torch.nn.ModuleList)]
    return []
