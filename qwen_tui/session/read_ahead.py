"""Have the engine read the conversation before the next message is sent."""

from typing import TYPE_CHECKING

from qwen_tui.chat.branches import path_to
from qwen_tui.chat.messages import Message, Role, Status
from qwen_tui.engine.base import Engine, StopFlag
from qwen_tui.session.prompt_plan import Plan
from qwen_tui.settings.options import Settings

if TYPE_CHECKING:  # avoids a cycle: the session calls `prepare_next` after a reply
    from qwen_tui.session.session import ChatSession


def read_ahead(session: "ChatSession", settings: Settings, engine: Engine, stop: StopFlag) -> None:
    """Read ahead in a conversation whose last message is a reply; return early if `stop` is set."""
    last = session.conversation.message(session.conversation.head or "")
    if last is not None and last.role is Role.ASSISTANT and last.content:
        _prepare(session, last, settings, engine, stop)


def prepare_next(session: "ChatSession", reply_id: str, settings: Settings, engine: Engine) -> None:
    """Read ahead after a reply that ended by itself, because a stopped one is likely to be regenerated."""
    reply = session.conversation.message(reply_id)
    if reply is not None and reply.status is Status.COMPLETE:
        _prepare(session, reply, settings, engine, None)


def _prepare(
    session: "ChatSession", reply: Message, settings: Settings, engine: Engine, stop: StopFlag | None
) -> None:
    if not engine.reads_ahead:
        return
    next_message = Message(role=Role.USER, content="?", parent=reply.id)
    planned = session.plan((*path_to(session.conversation, reply.id), next_message), settings, engine, stop)
    if isinstance(planned, Plan):
        engine.prepare(planned.request.messages[:-1], planned.request.thinking)
