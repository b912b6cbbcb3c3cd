"""What the settings pane says of greedy is what the engine does."""

from dataclasses import replace
from itertools import product

import pytest
from doubles import QWEN
from transformers import GenerationConfig

from qwen_tui.engine.base import ModelInfo, Request, Sampling
from qwen_tui.engine.local.generation import generate
from qwen_tui.engine.local.loading import generation_defaults, traits
from qwen_tui.settings import resolution
from qwen_tui.settings.options import Settings


class Loaded:
    """As much of a loaded model as the configuration of a reply looks at."""

    end_ids = (1,)

    def __init__(self, defaults: GenerationConfig, info: ModelInfo) -> None:
        self.defaults, self.info = defaults, info


@pytest.mark.parametrize(
    "own", [{}, {"do_sample": True}, {"do_sample": True, "temperature": 0.0}, {"temperature": 0.7}]
)
def test_a_reply_is_sampled_exactly_when_the_pane_says_so(own) -> None:
    defaults = generation_defaults.followed(GenerationConfig(**own))
    info = replace(QWEN, sampling_defaults=traits.sampling_defaults(defaults))
    for greedy, temperature in product((None, True, False), (None, 0.0, 0.00005, 1e-4, 0.7)):
        request = Request(messages=(), sampling=Sampling(greedy=greedy, temperature=temperature))
        config = generate._configured(Loaded(defaults, info), request)
        settings = Settings(greedy=greedy, temperature=temperature)
        assert (
            not config.do_sample
            or config.temperature is None
            or config.temperature >= resolution.LEAST_TEMPERATURE
        )
        assert config.do_sample is not resolution.is_greedy(settings, info), (greedy, temperature)
    assert resolution.LEAST_TEMPERATURE == generation_defaults.LEAST_TEMPERATURE
