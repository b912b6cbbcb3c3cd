"""Counting with a server's tokenizer: what belongs to a message, what to the template; and estimates without."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from loopback_server import Script, delta, end, one_after_the_other, with_events, with_json
from remote_requests import HELLO, reply

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Finished, PromptMessage, TextDelta
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.prompt_frame import ANSWER, QUESTION, opening_of
from qwen_tui.engine.remote.token_counts import estimated_tokens
from qwen_tui.errors import QwenTuiError

Connect = Callable[..., RemoteEngine]

TALK = (
    PromptMessage(Role.SYSTEM, "Be brief."),
    PromptMessage(Role.USER, "What is a token? " * 20),
    PromptMessage(Role.ASSISTANT, "A piece of text."),
    PromptMessage(Role.USER, "And 上海?"),
)


def test_a_server_with_a_tokenizer_counts(connect: Connect, script: Script) -> None:
    def tokenize(handler, body) -> None:
        opens = body.get("add_generation_prompt", True)
        count = sum(len(each["content"].split()) + 4 for each in body["messages"]) + 3 * opens
        with_json({"count": count, "tokens": [0] * count})(handler, body)

    script.answers["/tokenize"] = tokenize
    engine = connect()
    assert engine.info.counts_exactly
    counts = engine.count(TALK)
    assert counts.total == 2 + 80 + 4 + 2 + 4 * 4 + 3
    assert sum(counts.per_message) + counts.overhead == counts.total
    assert (len(counts.per_message), counts.overhead) == (4, 3)
    assert max(counts.per_message) == counts.per_message[1]


def test_while_it_is_away_tokens_are_estimated_and_the_request_is_tried_again(
    connect: Connect, script: Script
) -> None:
    def gone(handler, _) -> None:
        handler.close_connection = True
        handler.connection.close()

    script.answers["/tokenize"] = with_json({"count": 9})
    engine = connect()
    assert engine.count(TALK).total == 9
    answers = script.answers["/v1/chat/completions"]
    script.answers["/tokenize"] = gone
    script.replies(one_after_the_other(with_json({"error": "loading"}, 503), answers))
    counts = engine.count(TALK)
    assert 80 < counts.total < 250
    assert not counts.is_exact
    assert reply(engine)[0] == "Hello there."
    script.answers["/tokenize"] = with_json({"count": 9})
    counts = engine.count(TALK)
    assert (counts.total, counts.is_exact) == (9, True)


class LlamaCpp:
    """Renders and counts as llama.cpp's server does: ChatML with a system prompt of its own, replies left open."""

    def __init__(self, script: Script, lead: str = "<s> system Be good <e> ") -> None:
        self.lead = lead
        script.serves({"id": "m", "owned_by": "llamacpp"})
        script.answers["/apply-template"] = lambda handler, body: with_json({"prompt": self.rendered(body)})(
            handler, body
        )
        script.answers["/tokenize"] = lambda handler, body: with_json({"tokens": body["content"].split()})(
            handler, body
        )

    def rendered(self, body) -> str:
        said, last = body["messages"], body["messages"][-1]
        lead = "" if said[0]["role"] == "system" else self.lead
        prompt = lead + "".join(f"<s> {each['role']} {each['content']} <e> " for each in said)
        if last["role"] == "assistant":
            return prompt.removesuffix(" <e> ")
        return prompt + "<s> assistant " * body.get("add_generation_prompt", True)


@pytest.mark.parametrize("lead", ["<s> system Be good <e> ", "<bos> ", ""])
def test_llama_cpps_counts_are_those_of_the_prompts_to_come(
    connect: Connect, script: Script, lead: str
) -> None:
    LlamaCpp(script, lead)
    engine, own = connect(), len(lead.split())
    assert engine.info.counts_exactly
    draft = engine.count((TALK[3],))
    assert draft == (
        own + 5 + 2,
        (5,),
        True,
    )  # neither the default system prompt nor the model's turn is in it
    assert engine.count(TALK).total == 5 + 83 + 7 + 5 + 2
    # What stands in the header after a reply, and the next draft, are the next prompt.
    replied = engine.count(TALK[1:3])
    assert replied.total == own + 83 + 7 + 2
    assert replied.total + sum(draft.per_message) == engine.count(TALK[1:]).total
    continued = engine.count((TALK[1], TALK[2]), continues=True)
    assert (continued.total, continued.overhead) == (own + 83 + 6, own)


def test_a_template_that_does_not_show_its_frame_leaves_a_draft_an_estimate(
    connect: Connect, script: Script
) -> None:
    server = LlamaCpp(script)
    server.rendered = lambda body: "nothing of it"
    engine = connect()
    assert engine.info.counts_exactly
    assert not engine.count((TALK[3],)).is_exact
    assert not engine.count(TALK[1:3]).is_exact


@pytest.mark.parametrize(
    ("alone", "talk", "opening"),
    [
        ("<s>[INST] {q}[/INST]", "<s>[INST] {q}[/INST] {a}</s>[INST] {q}[/INST]", "[INST] "),
        ("USER: {q}\n", "USER: {q}\nASSISTANT: {a}\nUSER: {q}\n", "USER: "),
        ("{a} and no question", "{q}{a}", None),
        (None, "{q}{a}{q}", None),
    ],
)
def test_what_opens_a_question_is_found_in_any_template(
    alone: str | None, talk: str, opening: str | None
) -> None:
    words = {"q": QUESTION.content, "a": ANSWER.content}
    assert opening_of(alone and alone.format(**words), talk.format(**words)) == opening


def test_a_stopped_reply_keeps_the_count_of_its_prompt(connect: Connect, script: Script) -> None:
    def reply_until_dropped(handler, _) -> None:
        handler.begin()
        handler.write(delta("Hello"))
        handler.wait_for_the_drop()

    LlamaCpp(script)
    script.replies(reply_until_dropped)
    engine, stop = connect(), threading.Event()
    total = engine.count(TALK).total
    engine.count((PromptMessage(Role.USER, "a draft meanwhile"),))
    events = engine.stream(replace(HELLO, messages=TALK), stop)
    while not isinstance(next(events), TextDelta):
        pass
    stop.set()
    *_, finished = events
    assert isinstance(finished, Finished)
    assert (finished.run.prompt_tokens, finished.run.stop_reason) == (total, "stopped")


def test_without_one_tokens_are_estimated_and_that_is_known(connect: Connect, script: Script) -> None:
    engine = connect()
    assert not engine.info.counts_exactly
    assert engine.count(()) == (0, (), False)
    counts = engine.count(TALK)
    assert counts.total == sum(counts.per_message) + counts.overhead
    before = counts.total
    script.replies(with_events(delta("Yes"), end(prompt_tokens=2 * before)))
    list(engine.stream(replace(HELLO, messages=TALK), threading.Event()))
    assert engine.count(TALK).total == pytest.approx(2 * before, rel=0.1)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("The year 2025 had 365 days.", 14),
        ("大语言模型是什么？请用一句话解释。", 10),
        ("def add(a, b):\n    return a + b\n", 14),
    ],
)
def test_an_estimate_is_near(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == pytest.approx(tokens, rel=0.35)


def test_counting_can_be_stopped(connect: Connect, script: Script) -> None:
    script.answers["/tokenize"] = with_json({"count": 5})
    engine = connect()
    script.answers["/tokenize"] = lambda handler, _: handler.wait_for_the_drop(3)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(QwenTuiError) as caught:
        engine.count(TALK, stop=stop)
    assert caught.value.code == "engine.stopped_early"
