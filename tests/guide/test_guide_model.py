"""The shipped folder: complete, small, and loaded by transformers as it stands."""

import json

import torch

from qwen_tui.guide import model_folder

FILES = {
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "generation_config.json",
}


def render(tokenizer, messages, prompt=False):
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)


def test_the_folder_is_complete_and_small():
    files = [path for path in model_folder().iterdir() if path.is_file()]
    assert {path.name for path in files} >= FILES
    assert sum(path.stat().st_size for path in files) <= 15_000_000


def test_all_weights_are_found_and_none_is_left_over(loaded):
    model, info = loaded
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"))
    assert type(model).__name__ == "Qwen2ForCausalLM"
    assert model.dtype is torch.bfloat16
    assert model.config.max_position_embeddings == 2048


def test_the_model_has_a_row_for_every_token_and_no_more(loaded, tokenizer):
    model, _ = loaded
    assert model.config.vocab_size == len(tokenizer)


def test_a_reply_ends_at_the_end_of_a_message(loaded, tokenizer):
    ends = loaded[0].generation_config.eos_token_id
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") in ends
    assert tokenizer.convert_tokens_to_ids("<|endoftext|>") in ends


def test_the_template_is_chatml_without_a_system_prompt_of_its_own(tokenizer):
    text = render(tokenizer, [{"role": "user", "content": "hi"}], prompt=True)
    assert text == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


def test_a_given_system_prompt_stands_first(tokenizer):
    text = render(tokenizer, [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}])
    assert text.startswith("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n")


def test_a_longer_chat_extends_a_shorter_one(tokenizer):
    chat = [{"role": "user", "content": "你好"}]
    asked = render(tokenizer, chat, prompt=True)
    chat += [{"role": "assistant", "content": "你好！"}, {"role": "user", "content": "什么是 token？"}]
    assert render(tokenizer, chat).startswith(asked)


def test_every_byte_is_a_token_so_any_text_comes_back(tokenizer):
    for text in (
        "naïve café 🎉👩‍👩‍👧 Ωμέγα привет こんにちは 한국어 ﷽ \t\n\n  tabs",
        "".join(map(chr, range(32, 591))).replace("\u0340", ""),
        "龘靐齉爩 王小明·O'Brien-Łukasz",
    ):
        ids = tokenizer(text, add_special_tokens=False).input_ids
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_a_name_is_the_same_tokens_wherever_it_stands(tokenizer):
    alone = tokenizer("欧阳小慧", add_special_tokens=False).input_ids
    within = tokenizer("我叫欧阳小慧。", add_special_tokens=False).input_ids
    assert any(within[at : at + len(alone)] == alone for at in range(len(within)))


def test_the_tokenizer_file_cuts_text_as_the_class_that_loads_it_does(tokenizer):
    from tokenizers import Tokenizer

    plain = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    for text in ("I'm Thorvald，你好! ctrl+r\n\n 3.5", "请将以下新闻分类为体育、科技："):
        assert tokenizer(text, add_special_tokens=False).input_ids == plain.encode(text).ids


def test_the_config_names_the_architecture_plainly():
    config = json.loads((model_folder() / "config.json").read_text())
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    assert config["tie_word_embeddings"] is True
