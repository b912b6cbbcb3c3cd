"""What is said of the model's memory after a reply is what the next message will be sent with."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from doubles import QWEN, ScriptedEngine

from qwen_tui.chat.messages import Json, Message, Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.chat_format import ChatFormat, Marks
from qwen_tui.session.prompt_plan import budget_tokens, plan, survey, upcoming
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings

LIMITS = [
    Settings(memory=False),
    Settings(memory_turns=1),
    Settings(memory_turns=2),
    Settings(memory_turns=3),
    Settings(memory_turns=50),
    Settings(),
]


@pytest.mark.parametrize("system_prompt", ["", "Be brief and kind."])
@pytest.mark.parametrize("settings", LIMITS, ids=lambda each: f"{each.memory} {each.memory_turns}")
@pytest.mark.parametrize("turns", [0, 1, 4])
def test_it_is_what_the_next_message_is_sent_with(
    turns: int, settings: Settings, system_prompt: str, tmp_path: Path
) -> None:
    engine = ScriptedEngine()
    settings = settings.with_overrides({"system_prompt": system_prompt})
    store = ConversationStore(tmp_path / "conversations")
    session = ChatSession(store.create(), store)
    for number in range(turns):
        list(session.send(f"question {number}", settings, engine, threading.Event()))
    path = session.conversation.path()
    said = upcoming(path, settings, engine)
    question = Message(role=Role.USER, content="the next one")
    sent = plan([*path, question], settings, engine)
    seen = path[said.window.start :]
    assert said.first_sent == (seen[0].id if seen else "")
    assert [m.content for m in sent.request.messages if m.role is not Role.SYSTEM] == [
        *(message.content for message in seen),
        "the next one",
    ]
    if seen or system_prompt:
        assert said.window.used_tokens == sent.window.used_tokens - 3 - 3
    assert said.window.budget_tokens == sent.window.budget_tokens


def test_a_question_that_was_not_answered_is_the_next_one_itself() -> None:
    engine, settings = ScriptedEngine(), Settings(memory=False)
    path = [
        Message(role=Role.USER, content="a"),
        Message(role=Role.ASSISTANT, content="b"),
        Message(role=Role.USER, content="c"),
    ]
    assert upcoming(path, settings, engine) == survey(path, settings, engine)
    assert upcoming(path, settings, engine).first_sent == path[2].id


THINKER = ChatFormat(
    marks=Marks("<think>\n", "\n</think>\n\n"), switch="enable_thinking", efforts=("low", "high")
)


@pytest.mark.parametrize(
    ("chosen", "budget"),
    [
        ({}, 32_768 - 2048 - 8192),
        ({"max_new_tokens": 100_000}, 32_768 - 8192 - 8192),
        ({"thinking": False}, 32_768 - 2048),
        ({"thinking_budget": 500}, 32_768 - 2048 - 500),
        ({"thinking_budget": 100_000}, 32_768 - 2048 - 16_384),
        ({"thinking": False, "thinking_budget": 500}, 32_768 - 2048),
    ],
)
def test_thoughts_and_answer_have_room_next_to_each_other(chosen: dict[str, Json], budget: int) -> None:
    info = replace(QWEN, chat_format=THINKER)
    assert budget_tokens(Settings(**chosen), ScriptedEngine(info=info)) == budget


def test_a_model_that_does_not_think_needs_no_room_for_it() -> None:
    assert budget_tokens(Settings(), ScriptedEngine(info=replace(QWEN, chat_format=ChatFormat()))) == 30_720
    assert budget_tokens(Settings(), ScriptedEngine(info=replace(QWEN, thinks=True))) == 30_720 - 8192


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [
        ({}, None),
        ({"effort": "low"}, "low"),
        ({"effort": "medium"}, None),  # its template does not know it
        ({"effort": "medium", "thinking": True}, True),
        ({"effort": "low", "thinking": False}, False),
    ],
)
def test_an_effort_is_asked_for_where_the_template_knows_it(
    chosen: dict[str, Json], asked: bool | str | None
) -> None:
    engine = ScriptedEngine(info=replace(QWEN, chat_format=THINKER))
    request = plan([Message(role=Role.USER, content="hi")], Settings(**chosen), engine).request
    assert request.thinking == asked
