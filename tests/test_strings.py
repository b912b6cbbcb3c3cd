"""The one place of all sentences."""

import string

from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.errors import QwenTuiError
from qwen_tui.strings.en import ERRORS, SENTENCES

values = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False))


@given(
    st.sampled_from(sorted(ERRORS)) | st.text(),
    st.dictionaries(st.sampled_from(["tokens", "path", "x"]), values),
)
def test_explaining_an_error_never_fails(code, parameters) -> None:
    assert all(isinstance(part, str) for part in QwenTuiError(code, **parameters).explanation)


def test_an_error_has_a_title_a_sentence_and_a_next_step() -> None:
    for code, (title, sentence, hint) in ERRORS.items():
        assert title.strip(), code
        assert sentence.strip().endswith((".", "}", "?")), code
        assert hint.strip(), code


def test_sentences_are_templates_that_can_be_filled() -> None:
    for code, sentence in SENTENCES.items():
        assert all(
            name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(sentence)
        ), code


@given(values)
def test_an_error_survives_its_json(value) -> None:
    error = QwenTuiError("chat.message_too_long", tokens=value)
    again = QwenTuiError.from_json(error.as_json())
    assert (again.code, again.parameters) == (error.code, error.parameters)
    assert QwenTuiError.from_json(value).code == "error.unknown"
