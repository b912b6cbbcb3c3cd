"""Have the engine read the conversation before the next message is sent."""

from collections.abc import Callable, Sequence

from qwen_tui.chat.branches import path_to
from qwen_tui.chat.messages import Conversation, Message, Role, Status
from qwen_tui.engine.base import Engine, StopFlag
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.prompt_plan import Plan
from qwen_tui.settings.options import Settings

Planner = Callable[[Sequence[Message], Settings, Engine, StopFlag | None], Plan | QwenTuiError]
"""What the model would see of a path, or why it cannot be asked: `ChatSession.plan`."""


def read_ahead(
    conversation: Conversation, settings: Settings, engine: Engine, plan: Planner, stop: StopFlag
) -> None:
    """Read ahead in a conversation whose last message is a reply; return early if `stop` is set."""
    last = conversation.message(conversation.head or "")
    if last is not None and last.role is Role.ASSISTANT and last.content:
        _prepare(conversation, last, settings, engine, plan, stop)


def prepare_next(
    conversation: Conversation, reply_id: str, settings: Settings, engine: Engine, plan: Planner
) -> None:
    """Read ahead after a reply that ended by itself, because a stopped one is likely to be regenerated."""
    reply = conversation.message(reply_id)
    if reply is not None and reply.status is Status.COMPLETE:
        _prepare(conversation, reply, settings, engine, plan, None)


def _prepare(
    conversation: Conversation,
    reply: Message,
    settings: Settings,
    engine: Engine,
    plan: Planner,
    stop: StopFlag | None,
) -> None:
    if not engine.reads_ahead:
        return
    next_message = Message(role=Role.USER, content="?", parent=reply.id)
    planned = plan((*path_to(conversation, reply.id), next_message), settings, engine, stop)
    if isinstance(planned, Plan):
        engine.prepare(planned.request.messages[:-1], planned.request.thinking)
