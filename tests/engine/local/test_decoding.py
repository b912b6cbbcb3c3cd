"""Token ids to text while they stream."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.detokenizer import (
    ByteDecoder,
    TextDecoder,
    TokenBytes,
    WindowDecoder,
    is_byte_level,
)

MIXED = "Hello! 你好，世界。こんにちは 🦀👩‍👩‍👧 สวัสดี\n\n    x = {1: 'a'}  # done\thttps://example.org/a?b=c  "


def streamed(decoder: TextDecoder, ids: list[int]) -> str:
    return "".join([*(decoder.push(token_id) for token_id in ids), decoder.flush()])


def test_qwens_tokenizer_is_byte_level_and_llamas_is_not(qwen2: Loaded, llama: Loaded) -> None:
    assert is_byte_level(qwen2.tokenizer)
    assert not is_byte_level(llama.tokenizer)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(0, 120))
def test_any_ids_stream_to_what_the_tokenizer_decodes(qwen3: Loaded, seed: int, length: int) -> None:
    ids = random.Random(seed).choices(range(len(qwen3.tokenizer)), k=length)
    text = streamed(ByteDecoder(TokenBytes(qwen3.tokenizer)), ids)
    assert text == qwen3.tokenizer.decode(ids, skip_special_tokens=True)


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="�"), max_size=60))
def test_any_text_comes_back_whole(qwen2: Loaded, llama: Loaded, text: str) -> None:
    for loaded in (qwen2, llama):
        ids = loaded.tokenizer.encode(text, add_special_tokens=False)
        whole = loaded.tokenizer.decode(ids, skip_special_tokens=True)
        table = loaded.token_bytes
        decoder = ByteDecoder(table) if table else WindowDecoder(loaded.tokenizer)
        assert streamed(decoder, ids) == whole


@pytest.mark.parametrize("model", ["qwen2", "llama"])
def test_a_character_is_out_as_soon_as_its_last_byte_is_in(
    model: str, request: pytest.FixtureRequest
) -> None:
    loaded: Loaded = request.getfixturevalue(model)
    table = loaded.token_bytes
    decoder = ByteDecoder(table) if table else WindowDecoder(loaded.tokenizer)
    held = []
    for token_id in loaded.tokenizer.encode(MIXED, add_special_tokens=False):
        held.append("" if decoder.push(token_id) else "held")
        assert held[-4:] != ["held"] * 4


def test_an_unfinished_character_shows_at_the_end_and_not_before(qwen2: Loaded) -> None:
    crab = qwen2.tokenizer.encode("\U0001f995", add_special_tokens=False)
    assert len(crab) > 1
    decoder = ByteDecoder(TokenBytes(qwen2.tokenizer))
    assert [decoder.push(token_id) for token_id in crab[:-1]] == [""] * (len(crab) - 1)
    assert decoder.flush() == "�"


@pytest.mark.parametrize("broken", [[0x80] * 300, [0xE4, 0xBD] * 150, [0xFF, 0x41] * 150])
def test_broken_bytes_do_not_stall_the_text(llama: Loaded, broken: list[int]) -> None:
    ids = llama.tokenizer.convert_tokens_to_ids([f"<0x{byte:02X}>" for byte in broken])
    decoder = WindowDecoder(llama.tokenizer)
    assert sum(1 for token_id in ids if decoder.push(token_id)) >= len(ids) // 10


def test_special_tokens_are_hidden(qwen2: Loaded) -> None:
    ids = qwen2.tokenizer.encode("a<|im_start|>b<|im_end|>", add_special_tokens=False)
    assert len(ids) == 4
    assert streamed(ByteDecoder(TokenBytes(qwen2.tokenizer)), ids) == "ab"
