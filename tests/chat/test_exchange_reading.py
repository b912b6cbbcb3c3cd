"""What other programs have written is read: what it holds, and what is said of the rest."""

import io
import json

import pytest
from exports import chatgpt, guangzhou, imported, node, zipped
from samples import chat, texts

from qwen_tui.chat import codec
from qwen_tui.chat.branches import variants
from qwen_tui.chat.exchange import archive
from qwen_tui.chat.exchange.reading import MOST_CONVERSATIONS, read
from qwen_tui.chat.files import LONG_AGO
from qwen_tui.chat.messages import Role
from qwen_tui.errors import QwenTuiError

HELLO = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]


def refused(value) -> QwenTuiError:
    with pytest.raises(QwenTuiError) as caught:
        imported(value)
    return caught.value


# --- OpenAI -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [HELLO, {"messages": HELLO}, [{"messages": HELLO}], [HELLO]])
def test_a_message_list_is_a_conversation_with_or_without_its_object(value) -> None:
    (conversation,), notes = imported(value)
    assert [(m.role, m.content) for m in conversation.path()] == [("user", "Hello"), ("assistant", "Hi!")]
    assert conversation.name == "Hello"
    assert notes == ()


def test_the_system_prompt_becomes_that_of_the_conversation() -> None:
    messages = [
        {"role": "system", "content": "简短回答。"},
        {"role": "developer", "content": "In Chinese."},
        *HELLO,
        {"role": "system", "content": "Now in English."},
    ]
    (conversation,), notes = imported(messages)
    assert conversation.overrides == {"system_prompt": "简短回答。\n\nIn Chinese."}
    assert [m.role for m in conversation.path()] == [Role.USER, Role.ASSISTANT, Role.SYSTEM]
    assert notes == ("Developer messages imported as system messages: 1.",)


def test_text_parts_are_joined_and_what_is_no_text_is_counted() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "What is"}, picture, {"type": "text", "text": "this?"}, picture]
    sound = {"type": "input_audio", "input_audio": {}}
    (conversation,), notes = imported(
        [{"role": "user", "content": content}, {"role": "user", "content": [sound]}]
    )
    assert texts(conversation) == ["What is\nthis?"]
    assert notes == ("Images left out: 2.", "Audio recordings left out: 1.")


def test_tools_are_left_out_and_counted() -> None:
    messages = [
        HELLO[0],
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        {"role": "function", "name": "f", "content": "42"},
        HELLO[1],
    ]
    (conversation,), notes = imported(messages)
    assert texts(conversation) == ["Hello", "Hi!"]
    assert notes == ("Tool calls left out: 1.", "Tool results left out: 2.")


def test_thinking_and_the_model_are_kept() -> None:
    reply = {"role": "assistant", "content": "42", "reasoning_content": "Six times seven."}
    (conversation,), _ = imported({"messages": [HELLO[0], reply], "model": "qwen3-8b"})
    assert (conversation.path()[1].thinking, conversation.path()[1].model) == ("Six times seven.", "qwen3-8b")


def test_a_line_each_is_a_conversation_each() -> None:
    lines = [json.dumps({"messages": HELLO}), "", json.dumps({"messages": [*HELLO, *HELLO]}), ""]
    found, notes = imported("\n".join(lines).encode())
    assert [len(conversation.messages) for conversation in found] == [2, 4]
    assert notes == ()


def test_a_message_on_each_line_is_one_conversation() -> None:
    (conversation,), _ = imported("\n".join(map(json.dumps, HELLO)).encode())
    assert texts(conversation) == ["Hello", "Hi!"]


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_imported() -> None:
    lines = [json.dumps({"messages": HELLO}), '{"messages": [', json.dumps({"messages": 5})]
    (conversation,), notes = imported("\n".join(lines).encode())
    assert texts(conversation) == ["Hello", "Hi!"]
    assert notes == (
        "Conversation 2 in the file was left out: line 1 is not valid JSON.",
        "Conversation 3 in the file was left out: it contains no list of messages.",
    )


def test_of_many_that_cannot_be_read_only_some_are_named() -> None:
    _, notes = imported([{"messages": HELLO}, *[{"messages": []}] * 30])
    assert len(notes) == 6
    assert notes[-1] == "25 more conversations were left out."


# --- Our own ------------------------------------------------------------------------------------------------


def test_our_own_file_is_known_by_what_it_holds() -> None:
    conversation = chat("广州", turns=2)
    (again,), notes = imported(codec.encode(conversation))
    assert again == conversation
    assert notes == ()


def test_several_of_our_own_files_may_stand_in_a_list() -> None:
    first, second = chat("one"), chat("two")
    value = [json.loads(codec.encode(each)) for each in (first, second)]
    assert imported(value).conversations == (first, second)


def test_the_version_of_another_program_is_not_ours() -> None:
    (conversation,), _ = imported({"version": "2.1", "messages": HELLO})
    assert texts(conversation) == ["Hello", "Hi!"]


def test_a_file_of_a_newer_version_is_not_guessed_at() -> None:
    assert refused({"version": 99, "messages": []}).code == "store.newer_version"


# --- ChatGPT ------------------------------------------------------------------------------------------------


def test_a_chatgpt_export_keeps_its_branches_and_says_what_is_left_out() -> None:
    (conversation,), notes = imported([guangzhou()])
    assert conversation.name == "广州美食"
    assert conversation.created == "2023-11-14T22:13:20.250+00:00"
    assert texts(conversation) == ["广州有什么好吃的？", "肠粉。", "这是哪里？", "广州塔。"]
    reply = conversation.path()[1]
    assert variants(conversation) == {reply.id: (2, 2)}
    assert (reply.model, reply.created) == ("gpt-4o", "2023-11-14T22:13:22.000+00:00")
    assert set(notes) == {
        "Hidden messages left out: 1.",
        "Images left out: 1.",
        "Tool calls left out: 1.",
        "Tool results left out: 1.",
    }


def test_a_reply_without_a_recipient_is_kept_and_has_the_model_of_the_conversation() -> None:
    value = chatgpt(
        a=node(None, "user", "hi"), b=node("a", "assistant", "hello", recipient=None, metadata={})
    )
    (conversation,), _ = imported(value | {"default_model_slug": "gpt-5"})
    _, reply = conversation.messages
    assert (reply.content, reply.model) == ("hello", "gpt-5")


def test_the_branch_that_was_shown_there_is_shown_here() -> None:
    value = guangzhou() | {"current_node": "first"}
    (conversation,), _ = imported([value])
    assert texts(conversation) == ["广州有什么好吃的？", "早茶。"]
    assert len(conversation.messages) == 5


def test_a_node_that_was_shown_last_but_is_passed_over_gives_way_to_the_one_before_it() -> None:
    (conversation,), _ = imported([guangzhou() | {"current_node": "found"}])
    assert texts(conversation)[-1] == "这是哪里？"


def test_without_a_node_that_was_shown_the_newest_is() -> None:
    (conversation,), _ = imported([guangzhou() | {"current_node": None}])
    assert texts(conversation)[-1] == "广州塔。"


def test_a_node_may_have_any_key() -> None:
    nodes = {"": node("0", "user", "second"), "0": node(None, "user", "first")}
    (conversation,), _ = imported([chatgpt(**nodes) | {"current_node": ""}])
    assert texts(conversation) == ["first", "second"]


def test_a_zip_archive_is_looked_into() -> None:
    data = zipped(chat_html=b"<html>", export__conversations_json=json.dumps([guangzhou()]).encode())
    (conversation,), _ = imported(data)
    assert conversation.name == "广州美食"


def test_times_that_are_none_do_no_harm() -> None:
    for time in (None, "yesterday", 1e300, float("nan"), -1e18, [], True):
        value = chatgpt(a=node(None, "user", "Hello", create_time=time)) | {
            "create_time": time,
            "update_time": time,
        }
        (conversation,), _ = imported([value])
        assert conversation.created == LONG_AGO


# --- What is wrong ------------------------------------------------------------------------------------------


def circle():
    return chatgpt(a=node("b", "user", "1"), b=node("a", "assistant", "2"))


def hidden_circle():
    return chatgpt(a=node("b"), b=node("a"), c=node("b", "user", "1"))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xff\xfe{\x00", "not UTF-8 text"),
        (b"# A heading\n\nand prose", "not valid JSON"),
        (b'{"messages": [', "not valid JSON"),
        (b"[" * 200_000, "too deeply"),
        ({"hello": "world"}, "no list of messages"),
        ([], "is empty"),
        ([[]], "no message with text"),
        ("text", "no list of messages"),
        (17, "no list of messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "“content”"),
        ({"messages": [{"role": 5, "content": "x"}]}, "“role”"),
        ({"messages": ["x"]}, "“messages”"),
        ({"messages": [{"role": "system", "content": "only rules"}]}, "no message with text"),
        ({"mapping": []}, "“mapping”"),
        ({"mapping": {}}, "no message with text"),
        ([circle()], "in a circle"),
        ([hidden_circle()], "in a circle"),
        (chatgpt(a=node(None, "user", "x") | {"parent": 5}), "“parent”"),
        (chatgpt(a=node(None, "user", "x", content=5)), "“content”"),
        (chatgpt(a=node(None, "user", "x", content={"content_type": []})), "“content_type”"),
        (b"PK\x03\x04 and no more", "zip archive"),
        (zipped(notes_json=b"[]"), "does not contain conversations.json"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_the_reason(value, words) -> None:
    error = refused(value)
    assert words in str(error)
    assert "a file" in str(error)


def test_a_tree_as_deep_as_an_export_can_be_is_read() -> None:
    nodes = {f"n{i}": node(f"n{i - 1}" if i else None, "user", str(i)) for i in range(20_000)}
    (conversation,), _ = imported([chatgpt(**nodes)])
    assert len(conversation.path()) == 20_000


def test_a_long_line_of_hidden_nodes_is_read_in_one_go() -> None:
    hidden = {f"h{i}": node(f"h{i - 1}" if i else None) for i in range(20_000)}
    said = {f"s{i}": node("h19999", "user", str(i)) for i in range(2_000)}
    (conversation,), _ = imported([chatgpt(**hidden, **said)])
    assert len(conversation.messages) == 2_000


def test_no_more_is_read_than_there_is_room_for(monkeypatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_BYTES", 1000)
    assert refused([{"messages": HELLO}] * 100).code == "exchange.too_large"
    bomb = zipped(conversations_json=b" " * 10_000)
    assert len(bomb) < 1000
    assert refused(bomb).code == "exchange.too_large"


def test_a_data_set_is_not_taken_for_conversations() -> None:
    assert refused([0] * (MOST_CONVERSATIONS + 1)).code == "exchange.too_many"


def test_control_characters_stay_outside() -> None:
    evil = "a\x1b]0;owned\x07\x1b[31mb\u202e\x00"
    value = chatgpt(a=node(None, "user", evil), b=node("a", "assistant", evil, metadata={"model_slug": evil}))
    value["title"] = evil
    messages = [
        {"role": "system", "content": evil},
        {"role": "user", "content": [{"type": "text", "text": evil}]},
    ]
    other = {
        "messages": [*messages, {"role": "assistant", "content": evil, "reasoning": evil}],
        "model": evil,
    }
    data = b"".join(map(codec.encode, imported([value, other]).conversations)).decode()
    assert "\x1b" not in data
    assert "\\u001b" not in data
    assert "\u202e" not in data


def test_a_pipe_can_be_read_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_):
            raise OSError("not here")

    data = zipped(conversations_json=json.dumps([guangzhou()]).encode())
    assert len(read(Pipe(data), "-").conversations) == 1


def test_an_error_of_the_system_is_told_as_one() -> None:
    class Broken(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    with pytest.raises(QwenTuiError, match="Input/output error"):
        read(Broken(), "a file")
