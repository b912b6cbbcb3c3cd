"""Where a value stands, how it is worded and stepped: the functions behind the rows."""

from dataclasses import replace

import pytest
from doubles import QWEN
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.chat_format import ChatFormat, Marks
from qwen_tui.settings.options import OPTIONS, Option, Settings
from qwen_tui.settings.resolution import ResolvedSetting, is_greedy, is_loaded, own_value, resolve
from qwen_tui.wording.settings import is_unfinished, stepped, typed, worded

NUMBERS = [option for option in OPTIONS.values() if option.kind in ("number", "integer")]
numbers = st.sampled_from(NUMBERS)


def usable(option: Option) -> st.SearchStrategy[float | int]:
    low, high = option.minimum or 0, option.maximum or 0
    if option.kind == "integer":
        return st.integers(int(low), int(high))
    return st.floats(low, high, exclude_min=option.above_minimum)


@given(st.data(), numbers, st.sampled_from([-10, -1, 1, 10]))
def test_every_step_from_a_usable_number_is_usable(data: st.DataObject, option: Option, steps: int) -> None:
    value = stepped(option, data.draw(usable(option)), steps)
    assert option.check(value) == value


@given(numbers, st.sampled_from([-10, -1, 1, 10]))
def test_every_step_from_nothing_is_usable(option: Option, steps: int) -> None:
    value = stepped(option, None, steps)
    assert option.check(value) == value


@given(st.data(), numbers)
def test_a_value_opened_for_typing_is_the_same_when_it_is_kept(data: st.DataObject, option: Option) -> None:
    value = data.draw(usable(option))
    assert option.parse(typed(option, value)) == value


@given(st.data(), numbers)
def test_typing_a_usable_number_never_looks_wrong_on_the_way(data: st.DataObject, option: Option) -> None:
    text = typed(option, data.draw(st.integers(int(option.minimum or 0) + 1, int(option.maximum or 1))))
    assert all(is_unfinished(option, text[:end]) for end in range(1, len(text)))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("temperature", 0.7, "0.70"),
        ("temperature", 0.725, "0.725"),
        ("top_p", 1.0, "1.00"),
        ("max_new_tokens", 2048, "2,048"),
        ("seed", 1234567, "1234567"),
        ("greedy", True, "on"),
        ("model", "a\x1b[31m\nb", "a b"),
    ],
)
def test_values_are_worded_for_reading(name: str, value: object, text: str) -> None:
    assert worded(OPTIONS[name], value) == text


def test_what_is_unset_in_the_conversation_comes_from_the_defaults() -> None:
    settings = Settings(top_k=40)
    here = resolve("top_k", "conversation", settings, {}, QWEN)
    assert (here.value, here.own, here.mark, here.resettable) == (40, 20, "default", False)
    there = resolve("top_k", "defaults", settings, {"top_k": 5}, QWEN)
    assert (there.value, there.resettable, there.overridden_elsewhere) == (40, True, True)


def test_a_conversation_cannot_override_the_model() -> None:
    assert (
        resolve("model", "conversation", Settings(model="guide"), {"model": "other"}, QWEN).value == "guide"
    )


def test_greedy_is_told_from_the_checkpoints_sampling() -> None:
    assert own_value("greedy", Settings(), QWEN) is False
    assert not is_greedy(Settings(), QWEN)
    assert is_greedy(Settings(temperature=0.0), QWEN)
    assert not is_greedy(Settings(), None)


@pytest.mark.parametrize(
    ("own", "chosen", "is_on"),
    [
        ({"do_sample": False}, {}, True),
        ({"do_sample": False}, {"temperature": 0.7}, False),
        ({"do_sample": False, "temperature": 0.7}, {}, True),
        ({"do_sample": True, "temperature": 0.0}, {}, True),
        ({"do_sample": True}, {"temperature": 0.00005}, True),
        ({"do_sample": True}, {"greedy": False, "temperature": 0.0}, True),
        ({"do_sample": False}, {"greedy": False}, False),
        ({}, {}, False),
    ],
)
def test_whether_a_reply_is_greedy_follows_the_engine(own, chosen, is_on) -> None:
    assert is_greedy(Settings(**chosen), replace(QWEN, sampling_defaults=own)) is is_on


def test_what_a_checkpoint_says_wrongly_counts_as_unknown() -> None:
    odd = replace(
        QWEN, sampling_defaults={"temperature": "0.7", "top_p": 3, "top_k": 20.0, "do_sample": None}
    )
    assert [
        own_value(name, Settings(), odd) for name in ("temperature", "top_p", "top_k", "greedy", "min_p")
    ] == [
        None,
        None,
        20,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("settings", "loaded"),
    [
        (Settings(), True),
        (Settings(model="Qwen/Qwen3-4B"), True),
        (Settings(model="Qwen3-4B"), True),
        (Settings(model="guide"), False),
        (Settings(quantization="none"), True),
        (Settings(quantization="4bit"), False),
        (Settings(device="cuda"), True),
        (Settings(device="cuda:1"), False),
        (Settings(device="cpu"), False),
    ],
)
def test_what_is_loaded_is_compared_with_what_is_wanted(settings: Settings, loaded: bool) -> None:
    assert is_loaded(settings, QWEN) is loaded
    assert not is_loaded(settings, None)


def test_both_modes_of_thinking_have_their_own_sampling_defaults() -> None:
    def own(defaults: dict[str, float], thinking: bool | None) -> list[object]:
        info = replace(QWEN, sampling_defaults={"do_sample": True, **defaults})
        names = ("temperature", "top_p", "presence_penalty")
        return [own_value(name, Settings(thinking=thinking), info) for name in names]

    third = {"temperature": 0.6, "top_p": 0.95, "top_k": 20}
    assert own(third, None) == own(third, True) == [0.6, 0.95, None]
    assert own(third, False) == [0.7, 0.8, None]
    later = {"temperature": 1.0, "top_p": 0.95, "top_k": 20}
    assert own(later, True) == [1.0, 0.95, None]
    assert own(later, False) == [0.7, 0.8, 1.5]
    other = {"temperature": 0.6, "top_p": 0.9, "top_k": 20}
    assert own(other, False) == [0.6, 0.9, None]


def test_the_efforts_of_the_loaded_model_are_offered_and_a_change_says_what_it_costs() -> None:
    form = ChatFormat(marks=Marks("<think>", "</think>"), efforts=("low", "xhigh"), opens_thought=True)
    info = replace(QWEN, chat_format=form, rereads=("effort",))

    def row(name: str, info: ModelInfo | None, **chosen: Json) -> ResolvedSetting:
        return resolve(name, "conversation", Settings(**chosen), {}, info)

    effort = row("effort", info)
    assert (effort.applies, effort.choices, effort.rereads) == (True, ("low", "xhigh"), True)
    assert not row("effort", QWEN).applies
    assert not row("effort", None).applies
    assert row("thinking_budget", info).applies
    assert not row("thinking_budget", replace(QWEN, can_think=False)).applies
    assert row("thinking_budget", info, thinking=False).idle == "thoughtless"
    assert row("system_prompt", None).rereads
    assert not row("temperature", info).rereads
