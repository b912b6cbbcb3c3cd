"""What stands in a checkpoint's generation_config: followed where a streamed reply can, and never in its way."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from loaded_models import loaded_from, with_decoder
from test_generation import asking, reply, run_of

from qwen_tui.engine.local.decoding.decode_path import Choice
from qwen_tui.engine.local.loading.generation_defaults import followed
from qwen_tui.engine.local.loading.load import Loaded, _decode_path


def checkpoint(folder: Path, **said: Any) -> Loaded:
    """A model whose generation_config.json says this, too, with a decoder."""
    file = tiny_models.qwen2(folder / "model") / "generation_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **said}), "utf-8")
    return with_decoder(loaded_from(file.parent))


@pytest.mark.parametrize(
    "said",
    [
        {"num_beams": 1, "typical_p": 1.0, "no_repeat_ngram_size": 0, "length_penalty": 1.0},
        {"output_attentions": False, "epsilon_cutoff": 0.0, "suppress_tokens": [], "min_length": 0},
        {"trust_remote_code": True, "chat_format": "chatml", "max_window_size": 6144},
    ],
)
def test_what_changes_nothing_keeps_nothing_from_being_decoded_fast(
    said: dict[str, Any], tmp_path: Path
) -> None:
    loaded = checkpoint(tmp_path, **said)
    assert _decode_path(Choice(loaded.decoder), loaded.defaults) == ("graph", None)
    assert run_of(reply(loaded, asking())).decode_path == "graph"


@pytest.mark.parametrize(
    "said",
    [
        {"num_beams": 4},
        {"num_return_sequences": 2},
        {"stop_strings": ["foo"]},
        {"prompt_lookup_num_tokens": 3},
        {"penalty_alpha": 0.6},
        {"dola_layers": "high"},
        {"token_healing": True},
        {"max_time": 0.0001},
        {"is_assistant": True},
        {"min_p": 2.0, "temperature": -0.5, "repetition_penalty": 0, "top_p": "high"},
        {"typical_p": 3},
    ],
)
def test_what_cannot_be_done_is_left_out_and_the_log_names_it(
    said: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        loaded = checkpoint(tmp_path, **said)
    for name in said:
        assert name in caplog.text
    plain = loaded_from(tmp_path / "model")
    for each in (loaded, plain):
        assert run_of(reply(each, asking(seed=1))).new_tokens == 24


@pytest.mark.parametrize(("said", "holds"), [(-1, 0), (20.0, 20), (0, 0)])
def test_a_top_k_as_other_programs_write_it_is_understood(said: float, holds: int, tmp_path: Path) -> None:
    loaded = checkpoint(tmp_path, top_k=said)
    for each in (loaded, loaded_from(tmp_path / "model")):
        assert run_of(reply(each, asking(seed=1))).sampling["top_k"] == holds


def test_what_only_the_library_does_is_done_by_it_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = checkpoint(tmp_path, no_repeat_ngram_size=2)
    path, reason = _decode_path(Choice(loaded.decoder), loaded.defaults)
    assert (path, reason.code) == ("generate", "engine.decoding.generation_config")
    assert "no_repeat_ngram_size" in dict(reason.parameters)["names"]
    assert "no_repeat_ngram_size" in caplog.text
    run = run_of(reply(loaded, asking(greedy=True)))
    pairs = list(zip(run.token_ids, run.token_ids[1:], strict=False))
    assert (run.decode_path, len(set(pairs))) == ("generate", len(pairs))


def test_the_values_that_people_see_are_kept_as_they_are(tmp_path: Path) -> None:
    loaded = checkpoint(tmp_path, top_p=1.0, min_p=0.0, repetition_penalty=1.0)
    shown = loaded.info.sampling_defaults
    assert (shown["top_p"], shown["min_p"], shown["repetition_penalty"]) == (1.0, 0.0, 1.0)
    assert followed(loaded.defaults).to_diff_dict() == loaded.defaults.to_diff_dict()


def test_a_checkpoint_with_temperature_0_answers_though_greedy_is_switched_off(tmp_path: Path) -> None:
    loaded = checkpoint(tmp_path, do_sample=True, temperature=0.0)
    run = run_of(reply(loaded, asking(greedy=False)))
    assert run.new_tokens
    assert run.sampling["do_sample"] is False
