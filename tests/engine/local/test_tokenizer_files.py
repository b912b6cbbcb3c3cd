"""A tokenizer encodes as its own file says, whatever class the library chooses for it."""

from pathlib import Path

import pytest
import tiny_models
from huggingface_hub import constants
from loopback_hub import LoopbackHub
from tokenizers import Regex, Tokenizer, pre_tokenizers

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.local.loading import tokenizer as loading
from qwen_tui.engine.local.loading.hub_download import fetch_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.qwen2(tmp_path_factory.mktemp("model"))


def test_a_file_that_splits_texts_in_its_own_way_is_loaded_as_it_is(folder: Path) -> None:
    before = loading.load_tokenizer(folder, ModelSpec())
    file = folder / loading.FILE
    own = Tokenizer.from_file(str(file))
    digits_in_threes = r"\p{N}{1,3}| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+"
    own.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(digits_in_threes), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    own.save(str(file))
    loaded = loading.load_tokenizer(folder, ModelSpec())
    expected = own.encode(loading.PROBE, add_special_tokens=False).ids
    assert loaded.encode(loading.PROBE, add_special_tokens=False) == expected
    assert before.encode(loading.PROBE, add_special_tokens=False) != expected
    assert (loaded.eos_token, loaded.chat_template) == (before.eos_token, before.chat_template)
    assert loaded.added_tokens_encoder == before.added_tokens_encoder


@pytest.mark.parametrize("kind", ["qwen3", "llama"])
def test_a_class_that_encodes_as_the_file_says_stays(kind: str, folders: dict[str, Path]) -> None:
    loaded = loading.load_tokenizer(folders[kind], ModelSpec())
    alone = Tokenizer.from_file(str(folders[kind] / loading.FILE))
    assert loaded.encode(loading.PROBE, add_special_tokens=False) == (
        alone.encode(loading.PROBE, add_special_tokens=False).ids
    )
    assert loading._agrees_with_file(loaded, folders[kind] / loading.FILE)


def test_a_tokenizer_is_read_without_the_weights_beside_it(hub_here: LoopbackHub, tmp_path: Path) -> None:
    fetched = fetch_tokenizer("me/tiny", tmp_path / "scratch")
    assert loading.load_tokenizer(fetched, ModelSpec()).chat_template == tiny_models.CHATML
    assert not list(fetched.glob("*.safetensors"))
    assert not Path(constants.HF_HUB_CACHE).exists()
