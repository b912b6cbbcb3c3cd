"""How a model is decoded, in words: the path, and why it is not the fastest one."""

from collections.abc import Mapping

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import DECODE_PATHS, ModelInfo
from qwen_tui.engine.slowed import SLOWED, slowed
from qwen_tui.strings import joined, language, say, say_in


def path_in_words(path: str) -> str:
    """Name a decode path; one that this version does not know stays as it is."""
    return say(f"receipt.decoding.{path}") if path in DECODE_PATHS else path


def slowed_in_words(why: Mapping[str, Json], in_language: str | None = None) -> str:
    """Say why a decode path is not the fastest, as `Run.slowed` has it; empty if it is, or if nothing fits."""
    code = why.get("code")
    if not isinstance(code, str) or not code.startswith(SLOWED):
        return ""
    values = {name: value for name, value in why.items() if name != "code"}
    try:
        return say_in(in_language or language(), code, **values)
    except (KeyError, ValueError, TypeError):  # a file may contain anything
        return ""


def decoding_in_words(info: ModelInfo) -> str:
    """Say how a loaded model is decoded and, if that is not the fastest way, why; empty on a server."""
    if info.server:
        return ""
    said = say("models.decoding", path=path_in_words(info.decode_path))
    reason = slowed(info)
    return joined(said, "" if reason is None else say(reason.code, **dict(reason.parameters)))
