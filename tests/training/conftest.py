import pytest
from transformers import AutoTokenizer

from qwen_tui.guide import model_folder
from qwen_tui.training.conversations import Conversations
from qwen_tui.training.screen_words import of_the_program


@pytest.fixture(scope="session")
def tokenizer():
    return AutoTokenizer.from_pretrained(model_folder())


@pytest.fixture(scope="session")
def words():
    return of_the_program()


@pytest.fixture(scope="session")
def conversations(words):
    return Conversations(words)
