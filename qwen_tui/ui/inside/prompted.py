"""Find out what the model was sent for a reply, or would be sent next; asks the engine, and may take a while."""

from collections.abc import Sequence

from qwen_tui.chat.branches import path_to
from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Message, Role
from qwen_tui.engine.base import Engine, Request
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.prompt_plan import Plan, survey
from qwen_tui.session.replay import request_again
from qwen_tui.ui.inside.budget import budget
from qwen_tui.ui.inside.subject import Prompted, Subject


def prompted(subject: Subject, engine: Engine, reply: Message | None) -> Prompted:
    """Return the prompt of a reply, or of the next message with its draft; raises `QwenTuiError`."""
    plan, path = plan_of(subject, engine, reply)
    run = reply.receipt[0] if reply is not None and reply.receipt else None
    is_as_sent = reply is None or plan.request.reuse is False
    newest = [message for message in plan.request.messages if message.role is Role.USER][-1:]
    bare = Request(messages=tuple(newest))
    return Prompted(
        engine.inspect(plan.request),
        engine.inspect(bare, template=False),
        budget(plan, subject.settings, engine, path, run if is_as_sent else None),
        is_as_sent,
    )


def plan_of(subject: Subject, engine: Engine, reply: Message | None) -> tuple[Plan, Sequence[Message]]:
    """Return what was sent for a reply or would be sent next, and the path up to its end.

    A prompt that cannot be made again, because another model is loaded or a message is gone, is planned with
    today's settings; the request of one that can is a replay's, which reuses no cache.
    """
    conversation = subject.conversation
    if reply is None and subject.path and subject.path[-1].role is Role.USER:  # its reply is being written
        return survey(subject.path, subject.settings, engine), subject.path
    if reply is None:
        path = (*subject.path, Message(role=Role.USER, content=subject.draft, parent=conversation.head))
        return survey(path, subject.settings, engine), path
    path = path_to(conversation, reply.parent)
    if reply.receipt:
        try:
            request = request_again(conversation, reply, 0, engine.info)
        except QwenTuiError:
            pass
        else:
            run = reply.receipt[0]
            start = next((n for n, message in enumerate(path) if message.id == run.first_sent), 0)
            now = survey(path, subject.settings, engine)
            window = Window(start, run.prompt_tokens, now.window.budget_tokens)
            return Plan(request=request, window=window, first_sent=run.first_sent), path
    return survey(path, subject.settings, engine), path
