"""What the worker prints, on its way to the log file: without secrets, and not without end.

The worker's stdout and stderr are a pipe that a thread of this process empties, rather than the file itself: so
that whatever a library prints passes through here, and so that its last words are kept when it crashes.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from qwen_tui.engine.redaction import known_secrets, redacted

MOST_BYTES = 10_000_000
"""How much of one worker's prints is kept."""

LARGE_BYTES = 5_000_000
"""A log file that has grown beyond this is put aside as `NAME.1` before a worker begins to write to it."""

_LONGEST_LINE = 65_536


def keep_prints(log_file: Path) -> tuple[int, threading.Thread]:
    """A descriptor for the worker to print to, to be closed here once it has it, and the thread that reads it.

    The thread ends when the last process that holds the descriptor does.
    """
    reading, writing = os.pipe()
    log = _open(log_file)
    secrets = known_secrets()
    thread = threading.Thread(target=_copy, args=(reading, log, secrets), name="engine log", daemon=True)
    thread.start()
    return writing, thread


def _copy(reading: int, log: IO[bytes], secrets: tuple[str, ...]) -> None:
    left = MOST_BYTES
    held = b""
    with log, os.fdopen(reading, "rb", buffering=0) as prints:
        while chunk := prints.read(_LONGEST_LINE):
            if left <= 0:
                continue  # still read: a worker that nobody reads would stand still
            # Whole lines, since a secret may be cut by the end of a chunk.
            lines, newline, held = (held + chunk).rpartition(b"\n")
            if len(held) > _LONGEST_LINE:
                lines, newline, held = lines + newline + held, b"\n", b""
            left -= _write(log, lines + newline, secrets)
            if left <= 0:
                held = b""
                _write(log, b"... the engine prints more, which is left out\n", ())
        _write(log, held, secrets)


def _write(log: IO[bytes], lines: bytes, secrets: tuple[str, ...]) -> int:
    """How much was to be written; what a full disk does not take is lost, as it is only the log."""
    if lines:
        with suppress(OSError):
            log.write(redacted(lines.decode("utf-8", "replace"), secrets).encode("utf-8", "replace"))
            log.flush()
    return len(lines)


def _open(log_file: Path) -> IO[bytes]:
    """The log file for appending, readable by its owner alone; nowhere when it cannot be opened."""
    try:
        log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log_file.exists() and log_file.stat().st_size > LARGE_BYTES:
            log_file.replace(log_file.with_name(f"{log_file.name}.1"))
        descriptor = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "ab", buffering=0)
    except OSError:
        return open(os.devnull, "wb", buffering=0)
