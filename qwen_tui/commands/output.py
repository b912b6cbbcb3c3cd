"""Output of commands: results to standard output, everything else to standard error."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from qwen_tui.chat.files import why
from qwen_tui.errors import QwenTuiError

FAILED = 1
STOPPED = 130
"""128 + SIGINT, as in shells."""


def utf8(stream: TextIO) -> TextIO:
    """Make the stream write UTF-8, whatever the locale."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-8", errors="replace")
    return stream


def silence(stream: TextIO) -> None:
    """Prevent the interpreter's complaint about a closed pipe when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(command: str, *what: object) -> None:
    """Print messages to standard error, one line each."""
    for each in what:
        print(f"qwen-tui {command}: {each}", file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    """Print results, one line each."""
    out = utf8(sys.stdout)
    for line in lines:
        print(line, file=out)


def guarded(command: str, run: Callable[[], int]) -> int:
    """Run a command and return its exit status; errors become one sentence, never a traceback."""
    try:
        status = run()
        sys.stdout.flush()
    except QwenTuiError as error:
        tell(command, error)
        return FAILED
    except BrokenPipeError:  # the reader has closed the pipe
        silence(sys.stdout)
        return FAILED
    except OSError as error:
        silence(sys.stdout)
        tell(command, QwenTuiError("cli.not_printed", detail=why(error)))
        return FAILED
    except KeyboardInterrupt:
        return STOPPED
    return status
