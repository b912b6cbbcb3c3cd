"""Each layer is asked for its next word; the last one says what the model says."""

from dataclasses import replace
from typing import Any

import pytest
import tiny_models
import torch
from loaded_models import loaded_from
from test_generation import asking

from qwen_tui.engine.local import lens as lenses
from qwen_tui.engine.local.lens import layer_logits, lens
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder


@pytest.fixture(scope="module")
def guide() -> Loaded:
    return loaded_from(model_folder())


def test_layer_by_layer_the_guide_comes_to_the_word_it_says(guide: Loaded) -> None:
    request = replace(asking(), given_ids=(2851, 15))
    layers = lens(guide, request).layers
    prompt = guide.prompts.build(request.messages, request.thinking)
    ids = torch.tensor([[*prompt.ids, 2851, 15]])
    with torch.no_grad():
        output = guide.model(input_ids=ids, output_hidden_states=True)
    own = output.logits[0, -1].softmax(0)
    assert [each.layer for each in layers] == list(range(len(output.hidden_states)))
    assert layers[-1].id == int(own.argmax())
    assert layers[-1].probability == pytest.approx(float(own.max()), rel=1e-4)
    assert layers[-1].final_rank == 1
    for each, hidden in zip(layers[:-1], output.hidden_states, strict=False):
        logits = guide.model.lm_head(guide.model.model.norm(hidden[0, -1]))
        assert each.id == int(logits.argmax())
        assert each.final_rank == int((logits > logits[layers[-1].id]).sum()) + 1
        assert each.text == guide.token_text[each.id]


@pytest.mark.parametrize("kind", ["qwen3_5", "llama"])
def test_other_architectures_are_read_in_the_same_way(kind: str, tmp_path: object) -> None:
    model = loaded_from(getattr(tiny_models, kind)(tmp_path / "model")).model  # type: ignore[operator]
    with torch.no_grad():
        logits = layer_logits(model, torch.tensor([[5, 6, 7, 8]]))
        own = model(input_ids=torch.tensor([[5, 6, 7, 8]])).logits[0, -1]
    assert len(logits) == model.config.get_text_config().num_hidden_layers + 1
    assert torch.allclose(logits[-1], own.float(), atol=1e-4)


def test_a_model_that_changes_its_logits_afterwards_has_no_lens(
    guide: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def divide(_module: object, _inputs: object, output: Any) -> None:
        output.logits = output.logits / 16

    with guide.model.register_forward_hook(divide), pytest.raises(QwenTuiError) as caught:
        lens(guide, asking())
    assert caught.value.code == "engine.no_lens"
    monkeypatch.setitem(lenses.MOST_WORK, "cpu", 10)
    with pytest.raises(QwenTuiError) as caught:
        lens(guide, asking())
    assert caught.value.code == "engine.lens_too_long"
