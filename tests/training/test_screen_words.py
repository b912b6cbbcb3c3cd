"""What the corpus says of keys and settings comes from the program."""

import subprocess
import sys
from random import Random

import pytest

from qwen_tui.training.corpus import CORPUS, LANGUAGES, read_corpus
from qwen_tui.training.screen_words import ScreenWords

SAID = ("a", "more", "why", "ex")


def renamed(words, **keys):
    """The program with other keys."""
    return ScreenWords({**words.keys, **keys}, words.sentences)


def fields(line):
    return line.partition(":")[0].strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_of_the_corpus_names_something_on_the_screen(words, language):
    corpus = read_corpus(language, words)
    assert corpus.topics["app"]["send"].answers


def test_an_unknown_key_is_an_error_that_names_the_line(words, tmp_path):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "app.txt").write_text("# send\na: Press {key:chat.sned}.\n")
    with pytest.raises(ValueError, match=r"app\.txt:2.*chat\.sned"):
        read_corpus("en", words, tmp_path)


@pytest.mark.parametrize("placeholder", ["{label:temprature}", "{say:command.exprot}"])
def test_an_unknown_name_is_an_error(words, placeholder):
    with pytest.raises(KeyError):
        words.fill(placeholder, "en")


def test_a_sentence_with_parameters_cannot_be_quoted(words):
    with pytest.raises(KeyError, match="parameters"):
        words.fill("{say:screen.press_again_to_quit}", "en")


def test_a_long_sentence_is_quoted_up_to_its_first_dot(words):
    assert "{" not in words.fill("{say:chat.memory.short}", "en")


def test_another_key_comes_into_the_answers_by_itself(words):
    other = read_corpus("en", renamed(words, **{"chat.regenerate": "F9"}))
    assert all("F9" in answer for answer in other.topics["app"]["regenerate"].answers)


def test_a_person_types_a_key_in_several_ways(words):
    corpus = read_corpus("en", words)
    questions, slots = corpus.topics["app"]["regenerate"].questions, corpus.slots()
    asked = {questions.draw(Random(seed), slots).lower() for seed in range(4000)}
    assert {f"what does {key} do" for key in ("ctrl+r", "ctrl r", "control r")} <= asked


def test_the_names_of_settings_come_in_the_language_of_the_conversation(words):
    for language in LANGUAGES:
        said = words.fill("{label:temperature}", language)
        assert said == words.sentences[language]["settings.temperature.label"]


def test_no_answer_spells_out_a_key_that_has_a_placeholder(words):
    spelled = {key for key in words.keys.values() if "+" in key or key[:1] == "F"} - {"shift+→", "shift+←"}
    for path in CORPUS.glob("*/*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if fields(line) in SAID:
                assert not [key for key in spelled if key in line], f"{path.name}: {line}"


def test_the_names_travel_as_a_file(words, tmp_path):
    words.write(tmp_path / "words.json")
    assert ScreenWords.read(tmp_path / "words.json") == words


def test_training_needs_no_screen_when_it_is_given_the_names(words, tmp_path):
    words.write(tmp_path / "words.json")
    script = (
        "import sys; sys.modules['textual'] = None\n"
        "from pathlib import Path\n"
        "from random import Random\n"
        "from qwen_tui.training.train import tokenizer_texts\n"
        "from qwen_tui.training.screen_words import ScreenWords\n"
        f"assert tokenizer_texts(ScreenWords.read(Path({str(tmp_path / 'words.json')!r})), 3, 1)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
