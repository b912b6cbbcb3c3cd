"""Settings: one declaration a field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import OPTIONS, Settings, valid

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("top_p", "7"), ("top_p", "0"), ("top_p", "nan"), ("temperature", "-1"), ("temperature", "hot"),
        ("top_k", "1.5"), ("top_k", "-1"), ("min_p", "2"), ("repetition_penalty", "0"), ("max_new_tokens", "0"),
        ("max_new_tokens", ""), ("seed", "-1"), ("seed", "9" * 400), ("greedy", "perhaps"),
        ("quantization", "3bit"),
    ],
)  # fmt: skip
def test_a_value_out_of_bounds_is_explained(name: str, text: str) -> None:
    with pytest.raises(QwenTuiError) as caught:
        OPTIONS[name].parse(text)
    assert OPTIONS[name].label in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("top_p", "0.8", 0.8), ("top_k", " 20 ", 20), ("temperature", "0", 0.0), ("greedy", "on", True),
     ("seed", "", None), ("system_prompt", "", ""), ("system_prompt", " a\n b ", " a\n b ")],
)  # fmt: skip
def test_what_a_person_types_becomes_a_value(name: str, text: str, value: object) -> None:
    assert OPTIONS[name].parse(text) == value


@given(st.dictionaries(st.sampled_from(sorted(OPTIONS)) | st.text(), anything))
def test_overrides_from_a_file_never_fail_and_only_usable_ones_count(overrides) -> None:
    settings = Settings().with_overrides(overrides)
    for name, option in OPTIONS.items():
        assert option.check(getattr(settings, name)) == getattr(settings, name)
    good, errors = valid(overrides)
    assert len(good) + len(errors) == len(overrides)


@pytest.mark.parametrize(
    ("typed", "strings"),
    [
        (None, ()),
        (" , ", ()),
        ("###, User:", ("###", "User:")),
        (r"\n\n,<|im_end|>", ("\n\n", "<|im_end|>")),
        (r"a\, b, \\, \t", ("a, b", "\\", "\t")),
        ("\n\n", ("\n\n",)),
    ],
)
def test_stop_strings_are_separated_by_commas(typed: str | None, strings: tuple[str, ...]) -> None:
    assert Settings(stop=typed).sampling.stop == strings


def test_every_setting_has_words() -> None:
    assert all(option.label and option.help for option in OPTIONS.values())


def test_a_conversation_cannot_choose_the_model() -> None:
    assert Settings().with_overrides({"model": "other", "top_k": 3}) == Settings(top_k=3)
