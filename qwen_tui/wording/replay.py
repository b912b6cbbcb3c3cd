"""Describe the progress and the result of a replay."""

from qwen_tui.chat.cleaning import one_line
from qwen_tui.session.replay import NotReplayed, Replayed, ReplayEvent, Replaying
from qwen_tui.strings import joined, say


def replay_words(event: ReplayEvent) -> str:
    """Return one or two sentences on the event."""
    match event:
        case Replaying(_, done, total):
            return say("replay.running", done=done, total=total)
        case NotReplayed(error=error):
            return str(error)
        case Replayed(_, compared, total, differs_at=None):
            return say(
                "replay.same" if compared == total else "replay.same_so_far", count=compared, total=total
            )
        case Replayed(_, _, total, differs_at, was, became, reused_tokens):
            differs = say(
                "replay.differs", number=differs_at, total=total, was=_quoted(was), became=_quoted(became)
            )
            return joined(differs, say("replay.reused", reused=reused_tokens) if reused_tokens else "")


def _quoted(text: str) -> str:
    return say("replay.quoted", text=one_line(text)) if text else say("replay.end")
