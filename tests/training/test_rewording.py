"""A question in another form: indirect, in keywords, in another order."""

from random import Random

import pytest

from qwen_tui.training.rewording import gerund, in_keywords, reshaped, third


def test_a_verb_phrase_becomes_a_noun():
    phrases = (
        "stop a reply",
        "make a line",
        "quit",
        "see my chats",
        "edit a message",
        "pin it",
        "tie a knot",
    )
    nouns = ["stopping a reply", "making a line", "quitting", "seeing my chats", "editing a message"]
    assert [gerund(phrase) for phrase in phrases] == [*nouns, "pinning it", "tying a knot"]


def test_a_verb_phrase_is_said_of_it():
    assert [third(phrase) for phrase in ("do", "have a trash", "push it", "carry on")] == [
        "does",
        "has a trash",
        "pushes it",
        "carries on",
    ]


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("how do I stop a reply", "stop"),
        ("what is a token", "a token is"),
        ("what does min-p do", "min-p does"),
    ],
)
def test_a_question_is_asked_indirectly(asked, kept):
    asked_again = {reshaped(asked, "en", Random(seed)) for seed in range(60)}
    assert len(asked_again) > 10
    assert all(kept.split()[0] in text for text in asked_again)
    assert any(kept in text for text in asked_again)


def test_a_chinese_question_changes_its_order():
    asked_again = {reshaped("怎么停止回复", "zh", Random(seed)) for seed in range(60)}
    assert "停止回复的方法" in asked_again
    assert all("停止回复" in text for text in asked_again)


def test_a_sentence_without_a_known_form_stays():
    assert reshaped("the reply is too long", "en", Random(1)) == "the reply is too long"


def test_keywords_stand_without_small_words():
    short = in_keywords("how do I delete a conversation", "en", Random(1))
    assert short.startswith("delete conversation")
    assert in_keywords("why is that", "en", Random(1)) == "why is that"
    assert in_keywords("请问怎么删除对话", "zh", Random(1)) == "删除对话"
