"""The corpus and what is made of it, the questions held out of it, and the figures on the model card."""

import json
import re
from random import Random

import pytest

from qwen_tui.training.batches import LEARNT, Encoder
from qwen_tui.training.evaluate import CARD, HELD_OUT, Case, cases_in, with_figures
from qwen_tui.training.grammar import Pool, Wording
from qwen_tui.training.state import State

FOLLOWING = ("more", "why", "ex", "what_it", "in_other", "cold_it")


def every(wordings):
    return [text for wording in wordings for text in wording.all()]


def plain(text):
    return re.sub(r"[\W_]+", "", text.lower())


def test_a_wording_chooses_and_fills_slots():
    wording = Wording("[a|b[c|]] {x}")
    drawn = {wording.draw(Random(seed), {"x": lambda rng: "y"}) for seed in range(50)}
    assert drawn == {"a y", "b y", "bc y"}


def test_both_languages_hold_the_same_topics(conversations):
    english, chinese = (conversations.speakers[language].corpus.topics for language in ("en", "zh"))
    for kind, topics in english.items():
        assert topics.keys() == chinese[kind].keys()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_question_has_two_answers(conversations, language):
    speaker = conversations.speakers[language]
    follow_ups = {plain(text) for name in FOLLOWING for text in every(speaker.frames[name].wordings)}
    owners = {}
    for kind in ("app", "screen", "ideas", "deeper", "guangzhou", "talk"):
        for name, topic in speaker.corpus.topics[kind].items():
            alone = map(Wording, (*topic.nouns, *topic.actions))
            for asked in every((*topic.questions.wordings, *alone)):
                owners.setdefault(plain(asked), set()).add(name)
    owners.pop("", None)
    assert {asked: names for asked, names in owners.items() if len(names) > 1} == {}
    assert not follow_ups & owners.keys()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_follow_up_that_opens_a_conversation_is_asked_back(conversations, language):
    speaker = conversations.speakers[language]
    asked_back = {*speaker.replies["cold"], *speaker.replies["cold_place"]}
    rng, follow_ups = Random(5), 0
    for _ in range(1500):
        _, turns = conversations.draw(rng, 1)
        if plain(turns[0][0]) in speaker.leaning:
            follow_ups += 1
            assert turns[0][1] in asked_back, turns[0]
    assert follow_ups > 5


def test_guangzhou_is_never_the_answer_to_there_when_nobody_named_it(conversations):
    rng = Random(23)
    for language in ("en", "zh"):
        for _ in range(200):
            _, answer = conversations._cold(State(language), rng)
            assert "Guangzhou" not in answer
            assert "广州" not in answer


def test_the_same_seed_draws_the_same_conversation(conversations):
    assert conversations.draw(Random(3), 12) == conversations.draw(Random(3), 12)


def test_no_answer_is_left_with_a_gap(conversations):
    rng = Random(11)
    for _ in range(300):
        for asked, answered in conversations.draw(rng, 12)[1]:
            assert asked.strip()
            assert answered.strip()
            assert "{" not in answered
            assert not re.search("[\ue000-\uf8ff]", asked + answered)


def test_only_what_the_guide_says_is_learnt(tokenizer):
    encoder = Encoder(tokenizer.backend_tokenizer)
    row = encoder.row("", [("hi", "Hello!")], 64)
    learnt = [int(token) % LEARNT for token in row if token >= LEARNT]
    encoder.tokenizer.encode_special_tokens = False
    assert tokenizer.decode(learnt) == "Hello!<|im_end|>"


def test_no_held_out_question_occurs_in_the_training_text(conversations):
    held = {plain(case.turns[-1]) for case in cases_in(HELD_OUT) if not case.group.startswith("names")}
    rng = Random(17)
    seen = {plain(asked) for _ in range(2500) for asked, _ in conversations.draw(rng, 20)[1]}
    for speaker in conversations.speakers.values():
        for topic in (*speaker.taught, *speaker.talk, *speaker.off_topics):
            if topic.questions:
                for wording in topic.questions.wordings:
                    seen |= {plain(wording.draw(rng, speaker.slots)) for _ in range(4)}
        for pool in speaker.frames.values():
            if isinstance(pool, Pool) and pool:
                seen |= {plain(wording.source) for wording in pool.wordings}
    assert not held & seen


def test_enough_is_held_out_in_each_language():
    groups = [case.group for case in cases_in(HELD_OUT)]
    assert groups.count("questions en") >= 60
    assert groups.count("questions zh") >= 60
    assert groups.count("news en") + groups.count("news zh") >= 40
    assert groups.count("names en") + groups.count("names zh") >= 40


def test_a_wrong_topic_does_not_count_as_right():
    case = Case("questions en", ("q",), (("15 gb", "15 GB"), ("bf16",)), ("T4",))
    assert case.right("It takes 15 GB in bf16.")
    assert not case.right("It takes 15 GB.")
    assert not case.right("It takes 15 GB in bf16 on a T4.")


def test_the_card_states_the_recorded_score():
    card = CARD.read_text(encoding="utf-8")
    for decoding, groups in json.loads((HELD_OUT / "score.json").read_text()).items():
        assert decoding in card
        for tally in groups.values():
            assert f"{tally['right']} of {tally['of']} ({tally['right'] / tally['of']:.1%})" in card


def test_a_new_score_is_written_into_the_table_of_the_card():
    scores = json.loads((HELD_OUT / "score.json").read_text())
    for groups in scores.values():
        groups["news zh"] = {"right": 1, "of": 3}
    card = with_figures(CARD.read_text(encoding="utf-8"), scores)
    assert "| news lines, Chinese | 1 of 3 (33.3%) | 1 of 3 (33.3%) |" in card


@pytest.mark.xfail(strict=True, reason="English questions and news lines are below the goal")
def test_the_recorded_score_reaches_the_goal():
    scores = json.loads((HELD_OUT / "score.json").read_text())
    for groups in scores.values():
        for group, tally in groups.items():
            goal = {"names": 0.95, "questions": 0.92}.get(group.split()[0], 0.85)
            assert tally["right"] / tally["of"] >= goal, group
