"""The one place of all sentences: every language has them all, the program uses them all, and they read well."""

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qwen_tui
from qwen_tui import strings
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings.languages import LANGUAGES, texts

_, _, SENTENCES, ERRORS = texts("en")

values = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False))

PACKAGE = Path(qwen_tui.__file__).parent
AREAS = sorted(file.stem for file in (PACKAGE / "strings" / "en").glob("[a-z]*.py"))
TRANSLATIONS = [language for language in LANGUAGES if language != "en"]


@given(
    st.sampled_from(sorted(ERRORS)) | st.text(),
    st.dictionaries(st.sampled_from(["tokens", "path", "x"]), values),
)
def test_explaining_an_error_never_fails(code, parameters) -> None:
    assert all(isinstance(part, str) for part in QwenTuiError(code, **parameters).explanation)


@given(values)
def test_an_error_survives_its_json(value) -> None:
    error = QwenTuiError("chat.message_too_long", tokens=value)
    again = QwenTuiError.from_json(error.as_json())
    assert (again.code, again.parameters) == (error.code, error.parameters)
    assert QwenTuiError.from_json(value).code == "error.unknown"


# --- What a language has ------------------------------------------------------------------------------------


def texts_of(language: str, area: str) -> dict[str, tuple[str, ...]]:
    """The texts that a file of a language has, by code: one of a sentence, three of an error."""
    module = import_module(f"qwen_tui.strings.{language}.{area}")
    sentences = {code: (text,) for code, text in module.SENTENCES.items()}
    return {**sentences, **module.ERRORS}


def all_texts(language: str) -> Iterator[tuple[str, str]]:
    """Code and text of everything that a language says."""
    for area in AREAS:
        for code, each in texts_of(language, area).items():
            yield from ((code, text) for text in each)


def placeholders(texts: tuple[str, ...]) -> dict[str, bool]:
    """The placeholders of texts, and whether each is needed for more than to choose between two words."""
    needed: dict[str, bool] = {}
    for text in texts:
        for _, name, spec, _ in string.Formatter().parse(text):
            if name is not None:
                needed[name] = needed.get(name, False) or "|" not in (spec or "")
    return needed


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_has_a_title_a_sentence_and_a_next_step(language: str) -> None:
    for area in AREAS:
        for code, (title, sentence, hint) in import_module(
            f"qwen_tui.strings.{language}.{area}"
        ).ERRORS.items():
            assert title.strip(), code
            assert not title.endswith((".", "。")), code
            assert sentence.strip().endswith((".", "}", "?", "。", "？")), code
            assert hint.strip(), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_templates_that_can_be_filled(language: str) -> None:
    for code, text in all_texts(language):
        assert all(name.isidentifier() for name in placeholders((text,))), code


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_text_is_missing_in_a_language_and_placeholders_agree(language: str, area: str) -> None:
    english, translated = texts_of("en", area), texts_of(language, area)
    if not translated:
        pytest.skip("not translated yet")
    assert english.keys() == translated.keys()
    for code, each in english.items():
        theirs = placeholders(translated[code])
        assert theirs.keys() <= placeholders(each).keys(), code
        assert {name for name, is_needed in placeholders(each).items() if is_needed} <= theirs.keys(), code


# --- What the program uses ----------------------------------------------------------------------------------


@cache
def program() -> tuple[ast.Module, ...]:
    files = [file for file in PACKAGE.rglob("*.py") if not file.is_relative_to(PACKAGE / "strings")]
    files.append(PACKAGE / "strings" / "__init__.py")
    return tuple(ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files))


def test_every_text_is_used() -> None:
    """By its whole code; or by one with names in it that the program has, as in `settings.{name}.label`."""
    whole: set[str] = set()
    with_names: set[str] = set()
    for tree in program():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(each.value) if isinstance(each, ast.Constant) else "(.*)"
                    for each in node.values
                ]
                if re.match(r"[a-z_]+\\\.", parts[0]):
                    with_names.add("".join(parts))
    with_names |= {re.escape(prefix) + "(.*)" for prefix in whole if re.fullmatch(r"([a-z_]+\.)+", prefix)}
    names = set(re.findall(r"\w+", " ".join(ast.unparse(tree) for tree in program())))

    def is_name(word: str) -> bool:
        """One of the program's, or put together from two of them."""
        return word in names or any(
            word[:at] in names and word[at:] in names for at in range(3, len(word) - 2)
        )

    def is_used(code: str) -> bool:
        found = (re.fullmatch(pattern, code) for pattern in with_names)
        return code in whole or any(
            match and all(map(is_name, re.findall(r"\w+", " ".join(match.groups())))) for match in found
        )

    assert [code for code in (*SENTENCES, *ERRORS) if not is_used(code)] == []


def test_whoever_says_something_fills_its_placeholders() -> None:
    wrong = []
    for tree in program():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            given = {keyword.arg for keyword in call.keywords}
            if name not in ("say", "QwenTuiError") or None in given or not call.args:
                continue
            code = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
            texts = (
                ERRORS.get(code)
                if name == "QwenTuiError"
                else (SENTENCES[code],)
                if code in SENTENCES
                else None
            )
            if texts is not None and not placeholders(texts).keys() <= given:
                wrong.append((code, placeholders(texts).keys() - given))
    assert wrong == []


# --- How it is said -----------------------------------------------------------------------------------------

HAN = "[\u4e00-\u9fff]"
WORDS = (
    "bounds",
    "error",
    "hint",
    "kind",
    "label",
    "more",
    "problem",
    "rest",
    "text",
    "title",
    "was",
    "became",
)
"""Placeholders for what is Chinese itself: no space parts them from what stands before and behind."""


def filled(text: str) -> str:
    """A text with `X` for what stands in it as a name, a figure or a key."""
    parts = string.Formatter().parse(text)
    return "".join(
        said + ("" if name is None else "\0" if name in WORDS else "X") for said, name, _, _ in parts
    )


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        ("narrow punctuation beside Han", rf"{HAN}[,;:!?()\"]|[,;!?(\"]{HAN}|{HAN}\.(?!\w)"),
        ("no space between Han and Latin or figures", rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%]{HAN}"),
        ("a space beside full-width punctuation", r"[，。；：！？、] |\w [，。；：！？、]"),
        ("a too polite pronoun", "您"),
    ],
)
def test_chinese_is_written_as_chinese_is(fault: str, pattern: str) -> None:
    assert [(code, text) for code, text in all_texts("zh") if re.search(pattern, filled(text))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_and_items_are_parted_as_the_language_does(language: str) -> None:
    strings.choose(language)
    try:
        assert strings.joined("One.", "", "Two.") == {"en": "One. Two.", "zh": "One.Two."}.get(language)
        assert strings.listed(["a", "b"]) == {"en": "a, b", "zh": "a、b"}.get(language)
    finally:
        strings.choose("en")


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 token"), (2, "2 tokens"), (0, "0 tokens"), (1204, "1,204 tokens")]
)
def test_one_thing_is_said_in_the_singular(count: int, words: str) -> None:
    assert strings.say("chat.receipt.tokens", tokens=count) == words
