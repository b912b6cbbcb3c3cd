"""`qwen-tui --plain`: the same chat line by line."""

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from doubles import Reply, ScriptedEngine

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.messages import Conversation, Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.arguments import parse
from qwen_tui.commands.plain import chat_in_lines
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places, places
from qwen_tui.settings import config_file

Chat = Callable[..., "Said"]


class Said:
    """What a chat has printed, and what it has left on the disk."""

    def __init__(self, status: int, out: str, notices: str, where: Places) -> None:
        self.status = status
        self.out = out
        self.notices = notices
        self.where = where

    @property
    def saved(self) -> list[Conversation]:
        store = ConversationStore(self.where.conversations, Drafts(self.where.drafts))
        return [store.load(entry) for entry in store.list()]

    @property
    def texts(self) -> list[str]:
        (conversation,) = self.saved
        return [message.content for message in conversation.path()]


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Chat:
    where = places(str(tmp_path), str(tmp_path / "config.toml"))

    def run(
        *lines: str, engine: ScriptedEngine | QwenTuiError | None = None, flags: tuple[str, ...] = ()
    ) -> Said:
        def load(*_: object) -> ScriptedEngine:
            if isinstance(engine, QwenTuiError):
                raise engine
            return engine or ScriptedEngine()

        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        given = parse(["--plain", *flags])
        status = chat_in_lines(given, config_file.load(where.config_file), where, load)
        return Said(status, *capsys.readouterr(), where)

    return run


def test_every_line_is_a_message_and_its_reply_is_saved(chat: Chat) -> None:
    said = chat("hi", "two\\", "lines", "//etc is a folder")
    assert said.out == "echo: hi\necho: two\nlines\necho: /etc is a folder\n"
    assert said.texts[::2] == ["hi", "two\nlines", "/etc is a folder"]
    assert said.status == 0


def test_thoughts_and_the_answer_have_headings(chat: Chat) -> None:
    engine = ScriptedEngine([Reply(["Four."], thinking=["Two ", "and two."])])
    assert chat("2+2?", engine=engine).out == "[thinking]\nTwo and two.\n[answer]\nFour.\n"


def test_an_answer_that_is_divided_only_at_its_end_is_printed_again(chat: Chat) -> None:
    engine = ScriptedEngine([Reply(["Hm.</think>", "Four."], reread=Reread("Hm.", "Four."))])
    assert chat("2+2?", engine=engine).out.endswith("[answer]\nFour.\n")


def test_conversations_are_opened_by_number_or_name_and_renamed(chat: Chat) -> None:
    chat("first", "/rename One", "/new", "second", "/rename Two")
    said = chat("/list", "/open 2", "again", "/open two", "/show")
    assert "1. Two (2 messages" in said.out
    assert "second" in said.out
    assert {each.name: len(each.messages) for each in said.saved} == {"One": 4, "Two": 2}


def test_the_flags_choose_the_first_conversation(chat: Chat) -> None:
    chat("first", flags=("--conversation", "广州"))
    said = chat("more", flags=("--last",))
    assert said.saved[0].name == "广州"
    assert said.texts == ["first", "echo: first", "more", "echo: more"]


def test_the_last_message_is_answered_again_and_edited(chat: Chat) -> None:
    engine = ScriptedEngine([Reply(["a"]), Reply(["b"]), Reply(["c"])])
    said = chat("hi", "/regenerate", "/edit hello", engine=engine)
    assert said.out == "a\nb\nc\n"
    assert said.texts == ["hello", "c"]
    assert len(said.saved[0].messages) == 5


def test_settings_are_those_of_the_screen(chat: Chat) -> None:
    engine = ScriptedEngine()
    said = chat("/set temperature 0.3", "/default top-k 5", "hi", "/settings temperature", engine=engine)
    asked = engine.asked[0].sampling
    assert (asked.temperature, asked.top_k) == (0.3, 5)
    assert said.saved[0].overrides == {"temperature": 0.3}
    assert "top_k = 5" in said.where.config_file.read_text()
    assert "temperature: 0.30" in said.out
    assert "/set temperature" not in chat("/set temperature", flags=("--last",)).notices
    assert said.saved[0].overrides == {}


def test_a_deleted_conversation_can_be_brought_back(chat: Chat) -> None:
    chat("hi")
    assert chat("/delete", flags=("--last",)).saved == []
    assert chat("hi", "/delete", "/undo").texts == ["hi", "echo: hi"]


def test_an_export_has_the_format_of_its_name(chat: Chat, tmp_path: Path) -> None:
    said = chat("hi", f"/export {tmp_path / 'it.openai.json'}", "/export")
    assert "hi" in json.dumps(json.loads((tmp_path / "it.openai.json").read_text()))
    assert "echo: hi" in said.out.removeprefix("echo: hi")


@pytest.mark.parametrize(
    "line",
    ["/lits", "/open 7", "/open", "/set", "/set temprature 1", "/set top_p 3", "/regenerate", "/edit x"],
)
def test_what_cannot_be_done_is_a_notice_and_the_chat_goes_on(chat: Chat, line: str) -> None:
    said = chat(line, "hi")
    assert said.out == "echo: hi\n"
    assert said.notices.startswith("qwen-tui: ")
    assert said.status == 1


def test_ctrl_c_stops_a_reply_and_keeps_its_text(chat: Chat) -> None:
    def interrupt(_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    engine = ScriptedEngine([Reply(["Wait", "never"], gate=threading.Event())], on_ask=interrupt)
    said = chat("hi", "not sent", engine=engine)
    (conversation,) = said.saved
    assert [message.status for message in conversation.path()] == [Status.COMPLETE, Status.STOPPED]
    assert said.texts == ["hi", "Wait"]
    assert said.out == "Wait\n"
    assert said.status == 130


def test_a_signal_saves_the_reply_and_ends_the_program(chat: Chat, tmp_path: Path) -> None:
    def end(_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    engine = ScriptedEngine([Reply(["Wait", "never"], gate=threading.Event())], on_ask=end)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        chat("hi", engine=engine)
    assert ended.value.code == 128 + signal.SIGTERM
    (conversation,) = Said(0, "", "", places(str(tmp_path))).saved
    assert conversation.path()[-1].status is Status.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_message_that_no_model_can_answer_becomes_a_draft(chat: Chat) -> None:
    said = chat("hi", engine=QwenTuiError("engine.load_stopped"))
    (left,) = Drafts(said.where.drafts).left_behind()
    assert left.has_words
    assert said.status == 1
    assert chat().status == 0  # nobody is there to be offered the draft
    assert len(Drafts(said.where.drafts).left_behind()) == 1


def test_it_needs_no_terminal_and_the_screen_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from qwen_tui.ui.terminal import launch

    with pytest.raises(QwenTuiError, match="--plain"):
        launch.check_tty()
    monkeypatch.setattr(launch, "_is_terminal", lambda _: True)
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(QwenTuiError, match="--plain"):
        launch.check_tty()
