"""`qwen-tui ask`: stream one reply to standard output, and nothing else."""

import json
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict

from qwen_tui.chat.cleaning import Cleaner, clean
from qwen_tui.chat.files import why
from qwen_tui.chat.messages import Message, Role, Run
from qwen_tui.commands.arguments import USAGE_ERROR, Arguments
from qwen_tui.commands.output import STOPPED, guarded, tell, utf8
from qwen_tui.commands.progress import LoadLines
from qwen_tui.engine.base import (
    Engine,
    Finished,
    NotTaken,
    Request,
    StopFlag,
    TextDelta,
    ThinkingDelta,
    TriesAgain,
)
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.recent_models import note_use, recent_models
from qwen_tui.engine.opening import open_engine
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.session.prompt_plan import plan
from qwen_tui.session.streaming_reply import with_prompt
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import Settings
from qwen_tui.strings import DEFAULT
from qwen_tui.wording.decoding import slowed_in_words
from qwen_tui.wording.server import not_taken_in_words, reasons_in_words, tries_again_in_words

STDIN = "-"
"""Stands for standard input among the words."""


def run(given: Arguments, config: Config, where: Places) -> int:
    """Ask once; without words, or with `-` among them, read standard input. Returns the exit status."""
    try:
        question = Message(role=Role.USER, content=_question(given.text))
    except QwenTuiError as error:
        tell("ask", error)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return STOPPED
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    return guarded("ask", lambda: _ask(question, config.settings, where, stop, as_json=given.json))


def _ask(question: Message, settings: Settings, where: Places, stop: StopFlag, *, as_json: bool) -> int:
    quantized = QuantizedCache(where.quantized, settings.quantized_cache_bytes)
    try:
        engine = open_engine(
            settings.model_spec,
            where.log_file,
            LoadLines(),
            stop,
            quantized=quantized,
            used=recent_models(where.models),
        )
        if told := reasons_in_words(engine.info):
            tell("ask", told)
        note_use(where.models, engine.info)
        try:
            request = plan([question], settings, engine, stop=stop).request
            reason = _print_reply(engine, request, stop, as_json=as_json)
        finally:
            engine.close()
    except QwenTuiError as error:
        if error.code in ("engine.load_stopped", "engine.stopped_early"):
            return STOPPED
        raise
    return STOPPED if reason == "stopped" else 0


def _question(words: Sequence[str]) -> str:
    """Build the message: the words, with standard input as a separate paragraph in place of `-`."""
    words = words or (STDIN,)
    at = words.index(STDIN) if STDIN in words else len(words)
    parts = [" ".join(words[:at]), _standard_input() if at < len(words) else "", " ".join(words[at + 1 :])]
    question = "\n\n".join(part for part in (clean(part).strip() for part in parts) if part)
    if not question:
        raise QwenTuiError("cli.nothing_to_ask")
    return question


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise QwenTuiError("cli.not_text") from None
    except OSError as error:
        raise QwenTuiError("cli.not_read", detail=why(error)) from None


def _print_reply(engine: Engine, request: Request, stop: StopFlag, *, as_json: bool) -> str:
    """Print a reply as it streams, or whole as JSON; return the stop reason, or raise the error after printing."""
    out = utf8(sys.stdout)
    cleaner, thinking_cleaner = Cleaner(), Cleaner()
    parts: list[str] = []
    thoughts: list[str] = []
    receipt = Run(model="")
    failure: QwenTuiError | None = None
    try:
        for event in engine.stream(request, stop):
            match event:
                case TextDelta(text=text):
                    parts.append(cleaner.feed(text))
                    if not as_json:
                        print(parts[-1], end="", file=out, flush=True)
                case ThinkingDelta(text=text):
                    thoughts.append(thinking_cleaner.feed(text))
                case Reread(thinking, answer):
                    printed = "".join(parts)
                    parts, thoughts = [clean(answer)], [clean(thinking)]
                    cleaner, thinking_cleaner = Cleaner(), Cleaner()
                    if not as_json and parts[0].startswith(printed):  # else its thinking is already printed
                        print(parts[0].removeprefix(printed), end="", file=out, flush=True)
                case NotTaken():
                    tell("ask", not_taken_in_words(event))
                case TriesAgain():
                    tell("ask", tries_again_in_words(event))
                case Finished(run=run):
                    receipt = with_prompt(run, request)
    except QwenTuiError as error:
        failure = error
    parts.append(cleaner.flush())
    thoughts.append(thinking_cleaner.flush())
    if as_json:
        why_slowed = slowed_in_words(receipt.slowed, DEFAULT)  # in no language of the screen
        reply = {
            "text": "".join(parts),
            "thinking": "".join(thoughts),
            "decoding": {"path": receipt.decode_path, "slowed": why_slowed},
            "receipt": asdict(receipt),
        }
        if failure is not None:
            reply["error"] = failure.as_json()
        print(json.dumps(reply, ensure_ascii=False), file=out, flush=True)
    elif failure is None or any(parts):  # end the line, so that the error starts on a new one
        print(parts[-1], file=out, flush=True)
    if failure is not None:
        raise failure
    return receipt.stop_reason
