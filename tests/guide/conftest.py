import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from qwen_tui.guide import model_folder
from qwen_tui.training.evaluate import Guide


@pytest.fixture(scope="session")
def tokenizer():
    return AutoTokenizer.from_pretrained(model_folder())


@pytest.fixture(scope="session")
def loaded():
    return AutoModelForCausalLM.from_pretrained(model_folder(), output_loading_info=True)


@pytest.fixture(scope="session")
def guide():
    return Guide(model_folder(), "cpu")
