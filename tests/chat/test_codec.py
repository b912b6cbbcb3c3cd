"""Conversation files: what is written is read again, and whatever else a file holds is explained."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import answer, chat, comparable, conversations, json_values, question, texts

from qwen_tui.chat.branches import siblings
from qwen_tui.chat.codec import decode, encode
from qwen_tui.chat.messages import Conversation, Role, Run, Status
from qwen_tui.errors import QwenTuiError


def read(value: Any) -> Conversation:
    return decode(json.dumps(value).encode(), "chat.json")


def reading(value: Any) -> QwenTuiError:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(QwenTuiError) as raised:
        decode(data, "chat.json")
    return raised.value


@given(conversations())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_again(conversation: Conversation) -> None:
    assert comparable(decode(encode(conversation), "x")) == comparable(conversation)


def test_a_linear_chat_reads_as_a_list_of_roles_and_contents() -> None:
    messages = json.loads(encode(chat(turns=2)))["messages"]
    assert [list(message)[:2] for message in messages] == [["role", "content"]] * 4
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2


def test_each_message_stands_on_a_line_of_its_own_in_its_own_script() -> None:
    conversation = chat().with_message(question("它有什么\n好吃的？"))
    lines = encode(conversation).decode().splitlines()
    assert sum('"role"' in line for line in lines) == 3
    assert any("它有什么\\n好吃的？" in line for line in lines)


def test_a_list_written_by_hand_is_a_conversation() -> None:
    conversation = read(
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    )
    assert texts(conversation) == ["Hi", "Hello"]
    assert texts(decode(encode(conversation), "x")) == ["Hi", "Hello"]


def test_unknown_keys_and_kinds_survive() -> None:
    run = {"model": "m", "future": 1}
    message = {"role": "tool", "content": "42", "status": "paused", "tool": {"id": 7}, "receipt": [run]}
    again = json.loads(encode(read({"version": 1, "folder": "work", "messages": [message]})))
    assert again["folder"] == "work"
    assert again["messages"][0]["role"] == "tool"
    assert again["messages"][0]["status"] == "paused"
    assert again["messages"][0]["tool"] == {"id": 7}
    assert again["messages"][0]["receipt"][0]["future"] == 1


def test_an_unknown_status_gives_way_to_one_that_is_known() -> None:
    conversation = read({"messages": [{"role": "assistant", "content": "", "status": "paused"}]})
    stopped = replace(conversation.messages[0], status=Status.STOPPED)
    assert decode(encode(conversation.with_message(stopped)), "x").messages[0].status is Status.STOPPED


def test_unknown_keys_never_stand_in_for_known_ones() -> None:
    conversation = replace(chat("right"), extra={"name": "wrong", "id": "wrong"})
    assert decode(encode(conversation), "x").name == "right"


def test_half_a_surrogate_pair_in_an_unknown_key_is_no_reason_to_lose_the_file() -> None:
    conversation = replace(chat(), extra={"x": "half \ud83d"})
    assert decode(encode(conversation), "x").extra == {"x": "half \ud83d"}


def test_control_characters_from_a_file_do_not_come_through() -> None:
    conversation = read(
        {
            "name": "a\u001b[31mb\nc",
            "overrides": {"system_prompt": "\u001b[2Jhi"},
            "messages": [{"role": "user", "content": "\u001b]0;title\u0007x", "thinking": "\u009b2Jy"}],
        }
    )
    assert conversation.name == "ab c"
    assert conversation.overrides == {"system_prompt": "hi"}
    assert (conversation.messages[0].content, conversation.messages[0].thinking) == ("x", "y")


def test_an_error_and_a_receipt_come_back() -> None:
    run = Run(model="m", sampling={"temperature": 0.6}, token_ids=(1, 2, 3))
    failed = answer("half", status=Status.FAILED, error=QwenTuiError("store.gone", name="x"), receipt=(run,))
    message = decode(encode(Conversation(name="x", messages=(failed,), head=failed.id)), "x").messages[0]
    assert message.receipt == (run,)
    assert message.error is not None
    assert message.error.as_json() == {"code": "store.gone", "parameters": {"name": "x"}}


def test_times_become_utc_and_a_missing_one_is_that_of_the_file() -> None:
    written = "2026-01-02T03:04:05.000+00:00"
    value = {"created": "2026-01-01T08:00:00+08:00", "updated": "yesterday", "messages": []}
    conversation = decode(json.dumps(value).encode(), "x", written=written)
    assert conversation.created == "2026-01-01T00:00:00.000+00:00"
    assert conversation.updated == written


def test_a_missing_head_is_the_last_message() -> None:
    value = json.loads(encode(chat(turns=2)))
    assert texts(read(value | {"head": "gone"})) == texts(chat(turns=2))


def test_a_message_whose_parent_is_gone_follows_the_one_before_it() -> None:
    value = json.loads(encode(chat(turns=2)))
    del value["messages"][1]
    assert texts(read(value)) == ["question 1", "question 2", "answer 2"]


def test_a_parent_that_stands_after_its_child_is_put_before_it() -> None:
    value = json.loads(encode(chat(turns=2)))
    value["messages"].reverse()
    conversation = read(value)
    assert texts(conversation) == texts(chat(turns=2))
    seen: set[str | None] = {None}
    for message in conversation.messages:
        assert message.parent in seen
        seen.add(message.id)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"\x00\x01\x02", "line 1 is not valid JSON"),
        (b'{\n"messages": [{"role": "us', "line 2 is not valid JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"messages": [], "x": ' + b"[" * 500 + b"]" * 500 + b"}", "nested"),
        ([], "no list of messages"),
        ({}, "no list of messages"),
        ({"messages": {}}, "no list of messages"),
        ({"messages": [], "name": 5}, "name"),
        ({"messages": [], "version": "1"}, "version"),
        ({"messages": [], "version": True}, "version"),
        ({"messages": ["hello"]}, "messages"),
        ({"messages": [{"role": "user"}]}, "content"),
        ({"messages": [{"role": 1, "content": ""}]}, "role"),
        ({"messages": [{"role": [], "content": ""}]}, "role"),
        ({"messages": [{"role": "user", "content": "", "id": {}}]}, "id"),
        ({"messages": [{"role": "user", "content": "", "receipt": [1]}]}, "receipt"),
        ({"messages": [{"role": "user", "content": "", "receipt": [{"token_ids": ["1"]}]}]}, "token_ids"),
        ({"messages": [{"role": "user", "content": "", "receipt": [{"seed": True}]}]}, "seed"),
        ({"messages": [{"role": "user", "content": "", "id": "a"}] * 2}, "message 2 has the same id"),
        ({"messages": [{"role": "user", "content": "", "id": "a", "parent": "a"}]}, "circle"),
        (
            {
                "messages": [
                    {"role": "user", "content": "", "id": "a", "parent": "b"},
                    {"role": "user", "content": "", "id": "b", "parent": "a"},
                ]
            },
            "circle",
        ),
    ],
)
def test_a_file_that_is_no_conversation_says_why(value: Any, detail: str) -> None:
    error = reading(value)
    assert error.code == "store.damaged"
    assert detail in str(error)
    assert "chat.json" in str(error)


def test_a_newer_version_is_not_damaged() -> None:
    error = reading({"version": 2, "messages": "of another kind"})
    assert error.code == "store.newer_version"
    assert "version 2" in str(error)


SAMPLE = encode(
    chat(turns=2).with_message(
        answer(
            "早茶",
            thinking="hm",
            error=QwenTuiError("store.gone", name="x"),
            receipt=(Run(model="m", sampling={"top_k": 3}, token_ids=(5, 6)),),
        )
    )
)


def survives(data: bytes) -> None:
    """Reading gives a conversation that can be used and written again, or a QwenTuiError: nothing else."""
    try:
        conversation = decode(data, "x")
    except QwenTuiError:
        return
    assert len(conversation.path()) <= len(conversation.messages)
    assert comparable(decode(encode(conversation), "x")) == comparable(conversation)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_explained(data: bytes) -> None:
    survives(data)


@given(st.integers(0, len(SAMPLE)), st.integers(0, 40), st.binary(max_size=8))
@settings(max_examples=300)
def test_a_file_with_any_stretch_overwritten_is_read_or_explained(at: int, length: int, new: bytes) -> None:
    survives(SAMPLE[:at] + new + SAMPLE[at + length :])


@given(st.data(), json_values)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_a_file_with_any_value_replaced_is_read_or_explained(data: st.DataObject, new: Any) -> None:
    value = json.loads(SAMPLE)
    at: Any = value
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
            at = at[key]
            continue
        if data.draw(st.booleans()):
            at[key] = new
        else:
            del at[key]
        break
    survives(json.dumps(value).encode())


def test_a_conversation_of_many_branches_keeps_them() -> None:
    conversation = chat(turns=1)
    first = conversation.path()[0]
    for number in range(3):
        conversation = conversation.with_message(answer(f"variant {number}", first.id))
    again = decode(encode(conversation), "x")
    assert [message.content for message in siblings(again, again.head or "")] == [
        "answer 1",
        "variant 0",
        "variant 1",
        "variant 2",
    ]
    assert again.messages[0].role is Role.USER
