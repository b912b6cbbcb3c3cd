"""Whatever a file holds, importing it gives conversations that can be kept, or an error in words."""

import copy
import io
import json
from typing import Any

from exports import guangzhou, zipped
from hypothesis import given
from hypothesis import strategies as st
from samples import chat, comparable, json_values

from qwen_tui.chat import codec
from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.exchange.formats import Format, export
from qwen_tui.chat.exchange.reading import read
from qwen_tui.chat.names import file_stem
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings.languages import texts

ERRORS = texts("en").ERRORS

PARTS = [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {}}]
TOOLS = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
OPENAI = {
    "model": "qwen3-8b",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": PARTS, "name": "ada"},
        {"role": "assistant", "content": None, "tool_calls": TOOLS},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        {"role": "assistant", "content": "It is 42.", "reasoning_content": "Hm."},
    ],
}
OWN = json.loads(codec.encode(chat(turns=2)))
SAMPLES = st.sampled_from(
    [OPENAI, OPENAI["messages"], [OPENAI, OPENAI], OWN, [OWN, OPENAI], [guangzhou()], [guangzhou(), OWN]]
)

ODD = json_values | st.sampled_from(
    [
        None,
        True,
        "",
        0,
        -1,
        1e308,
        [],
        {},
        [[]],
        "user",
        "root",
        "asked",
        "last",
        "\ud800",
        "\x1b[31m",
        "m1",
        10**400,
    ]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A file with some of its values replaced, taken out, doubled, or put where others were."""
    value = {"it": copy.deepcopy(draw(SAMPLES))}
    for _ in range(draw(st.integers(1, 4))):
        *way, key = draw(st.sampled_from(places(value)[1:]))
        holder: Any = value
        for step in way:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "remove", "move", "wrap"])):
            case "replace":
                holder[key] = copy.deepcopy(draw(ODD))  # the next change may be inside it
            case "remove" if way:
                del holder[key]
            case "move":
                other: Any = value
                for step in draw(st.sampled_from(places(value)[1:])):
                    other = other[step]
                holder[key] = copy.deepcopy(other)
            case "wrap":
                holder[key] = [holder[key]]
    return value["it"]


def check(data: bytes) -> None:
    """Import the bytes and keep what comes of it."""
    try:
        found, notes = read(io.BytesIO(data), "it")
    except QwenTuiError as error:
        if error.code not in ERRORS:
            raise
        return
    assert found
    assert all(note.endswith(".") for note in notes)
    for conversation in found:
        again = codec.decode(codec.encode(conversation), "it")
        assert comparable(again) == comparable(conversation)
        assert file_stem(conversation.name)
        for to in Format:
            text = export(conversation, to, "").decode()
            assert to is not Format.MARKDOWN or clean(text) == text


@given(mutated())
def test_values_of_the_wrong_kind_in_the_wrong_place(value) -> None:
    check(json.dumps(value).encode())


@given(st.lists(mutated() | json_values, min_size=1, max_size=3))
def test_lines_of_them(values) -> None:
    check("\n".join(json.dumps(value) for value in values).encode())


@given(SAMPLES, st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3)), max_size=5), st.floats(0, 1))
def test_bytes_that_were_changed_or_cut_off(value, changes, end) -> None:
    for data in (json.dumps(value).encode(), zipped(conversations_json=json.dumps(value).encode())):
        harmed = bytearray(data)
        for place, new in changes:
            at = int(place * len(harmed))
            harmed[at : at + len(new)] = new
        check(bytes(harmed))
        check(bytes(harmed[: int(end * len(harmed))]))


@given(json_values)
def test_any_json_at_all(value) -> None:
    check(json.dumps(value).encode())
