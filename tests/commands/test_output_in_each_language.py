"""What another program reads of a command is the same in every language."""

import errno
import json
import os
import re
import sys
from pathlib import Path

import pytest

from qwen_tui import cli, strings
from qwen_tui.chat.exchange.formats import Format, export
from qwen_tui.chat.exchange.reading import read_file
from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.models.cache_scan import cache_folder
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings.languages import LANGUAGES, texts

SENTENCES = texts("en").SENTENCES


@pytest.fixture(autouse=True)
def english_afterwards():
    yield
    strings.choose("en")


@pytest.fixture
def told(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The exit status and the standard output of a command, by the language."""

    def told(*line: str) -> dict[str, tuple[int, str]]:
        command, *rest = line
        found = {}
        for language in LANGUAGES:
            status = cli.main([command, "--data-dir", str(tmp_path), "--language", language, *rest])
            found[language] = (status, capfd.readouterr().out)
        return found

    return told


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    store = ConversationStore(tmp_path / "conversations")
    error = QwenTuiError("server.stalled", host="gpubox:8000")
    messages = (
        Message(role=Role.USER, content="早茶", id="1"),
        Message(role=Role.ASSISTANT, content="烧鹅", id="2", parent="1", error=error),
    )
    store.save(Conversation(name="广州", messages=messages, head="2"))
    return store


@pytest.mark.parametrize(
    "line",
    [
        ("list",),
        ("list", "--json"),
        ("list", "--trash"),
        ("search", "早茶"),
        ("search", "早茶", "--json"),
        ("search", "nowhere", "--json"),
        ("export", "广州", "--format", "json"),
        ("export", "广州", "--format", "openai"),
    ],
)
def test_conversations(told, store, line) -> None:
    english, chinese = told(*line).values()
    assert english == chinese


def test_models_with_their_problems_and_plans(told) -> None:
    half = cache_folder() / "models--me--half" / "snapshots" / "abc"
    half.mkdir(parents=True)
    (half / "config.json").write_text('{"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}')
    (half.parents[1] / "blobs").mkdir()
    (half.parents[1] / "blobs" / "x.incomplete").write_bytes(b"")
    (half.parents[1] / "refs").mkdir()
    (half.parents[1] / "refs" / "main").write_text("abc")
    by_language = told("models", "--json").values()
    assert [status for status, _ in by_language] == [0, 0]
    english, chinese = (json.loads(out, parse_int=lambda _: 0) for _, out in by_language)
    assert any(model["problem"] for model in english["models"])
    assert any("error" in (model["plan"] or {}) for model in english["models"])
    # How much memory is free is another figure each time.
    assert re.sub("[0-9,.]+", "N", str(chinese)) == re.sub("[0-9,.]+", "N", str(english))


def test_a_reply_with_its_receipt(told) -> None:
    english, chinese = told(
        "ask", "--model", "guide", "--json", "--seed", "1", "--max-new-tokens", "8", "hi"
    ).values()
    replies = [json.loads(out) for _, out in (english, chinese)]
    for reply in replies:
        for name in ("first_token_seconds", "decode_seconds"):
            del reply["receipt"][name]
    assert replies[0] == replies[1]
    assert english[0] == chinese[0] == 0


def test_the_exit_status_of_doctor(told) -> None:
    assert len({status for status, _ in told("doctor").values()}) == 1


def test_an_imported_conversation_is_stored_alike(tmp_path) -> None:
    file = tmp_path / "chat.json"
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    file.write_text(json.dumps({"messages": messages}))
    stored = []
    for language in LANGUAGES:
        strings.choose(language)
        (conversation,) = read_file(file).conversations
        stored.append([(message.content, message.model) for message in conversation.messages])
    assert stored[0] == stored[1]


def test_a_markdown_export_is_in_the_language_of_its_reader(tmp_path) -> None:
    file = tmp_path / "chat.json"
    file.write_text(
        json.dumps([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}])
    )
    (conversation,) = read_file(file).conversations
    for language in LANGUAGES:
        strings.choose(language)
        text = export(conversation, Format.MARKDOWN, "").decode()
        for role in ("user", "assistant"):
            assert f"\n## {strings.say(f'chat.author.{role}')}" in text


def test_an_error_that_is_stored_has_no_words_of_one_language() -> None:
    error = QwenTuiError("engine.worker_died", how="engine.ended.code", code=7)
    stored = json.dumps(error.as_json())
    said = {}
    for language in LANGUAGES:
        strings.choose(language)
        said[language] = str(QwenTuiError.from_json(json.loads(stored)))
    assert "(exit code 7)" in said["en"]
    assert "（退出码 7）" in said["zh"]


def test_what_the_system_says_of_a_failure_is_translated() -> None:
    error = QwenTuiError("exchange.not_read", path="a.json", detail=os.strerror(errno.EACCES))
    other = QwenTuiError("exchange.not_read", path="a.json", detail="something of a library")
    strings.choose("zh")
    assert "权限不足" in str(error)
    assert "something of a library" in str(other)
    strings.choose("en")
    assert os.strerror(errno.EACCES) in str(error)


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own words")
def test_the_words_of_the_system_are_known_by_the_names_of_its_errors() -> None:
    known = {name: SENTENCES[f"system.{name}"] for name in strings.FAILURES}
    system = {name: os.strerror(getattr(errno, name)) for name in known if hasattr(errno, name)}
    assert {name: known[name] for name in system} == system
    assert len(system) > 15
