"""What the token figures on the screen cost: a draft is counted with each key, and what it follows is not."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event

from doubles import ScriptedEngine
from waiting import wait_for

from qwen_tui.chat.messages import Message, Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import PromptMessage, TokenCounts
from qwen_tui.session.session import ChatSession
from qwen_tui.session.token_counter import Figures, TokenCounter, _Counting, _Question
from qwen_tui.settings.options import Settings


class Recording(ScriptedEngine):
    """Records which texts it was asked to count, and may be out of reach."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[str] = []
        self.is_exact = True

    def count(self, messages: Sequence[PromptMessage], *args: object, **how: object) -> TokenCounts:
        self.counted += [message.content for message in messages]
        return super().count(messages)._replace(is_exact=self.is_exact)


class Slow(ScriptedEngine):
    """Counts when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = Event()
        self.may_answer.set()

    def count(self, messages: Sequence[PromptMessage], *args: object, **how: object) -> TokenCounts:
        assert self.may_answer.wait(20)
        return super().count(messages)


UNSET = Settings()

PATH = (Message(role=Role.USER, content="question"), Message(role=Role.ASSISTANT, content="answer"))


def test_a_key_counts_the_draft_and_nothing_else() -> None:
    engine, count = Recording(), _Counting()

    def figures(draft: str, path: tuple[Message, ...] = PATH, settings: Settings = UNSET) -> Figures:
        engine.counted.clear()
        return count(_Question("c", path, settings, draft, engine))

    first = figures("w")
    assert engine.counted == ["question", "answer", "w"]
    second = figures("what is")
    assert engine.counted == ["what is"]
    assert second == first._replace(draft_tokens=second.draft_tokens)
    assert figures("").draft_tokens == 0
    assert engine.counted == []
    # Whatever else changes, all of it is counted again.
    longer = (*PATH, Message(role=Role.USER, content="more"))
    assert figures("", longer).window.used_tokens > second.window.used_tokens
    assert "question" in engine.counted
    figures("", longer, Settings(system_prompt="Be brief."))
    assert "Be brief." in engine.counted
    engine = Recording()
    figures("", longer, Settings(system_prompt="Be brief."))
    assert "question" in engine.counted


def test_an_estimate_of_a_server_out_of_reach_does_not_last() -> None:
    engine, count = Recording(), _Counting()
    engine.is_exact = False
    assert not count(_Question("c", PATH, Settings(), "", engine)).window.is_exact
    engine.is_exact = True
    assert count(_Question("c", PATH, Settings(), "", engine)).window.is_exact


def test_no_draft_is_zero_tokens_long_while_it_is_counted(tmp_path: Path) -> None:
    engine, counter = Slow(), TokenCounter()
    store = ConversationStore(tmp_path)
    session = ChatSession(store.create(), store)
    counter.ask(session, UNSET, "", engine)
    wait_for(lambda: counter.figures is not None)
    assert counter.draft == (0, True)
    engine.may_answer.clear()
    counter.ask(session, UNSET, "what", engine)
    assert counter.draft == (None, True)
    engine.may_answer.set()
    wait_for(lambda: counter.draft[0])
    engine.may_answer.clear()
    counter.ask(session, UNSET, "", engine)
    assert counter.draft == (0, True)
    engine.may_answer.set()
