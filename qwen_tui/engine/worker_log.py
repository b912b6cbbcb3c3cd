"""Copy the worker's output to the log file, redacted and limited in size.

The worker's stdout and stderr are a pipe emptied by a thread of this process rather than the file itself, so
that everything a library prints is redacted here and the last output of a crash is kept.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from qwen_tui.engine.redaction import known_secrets, redacted

MOST_BYTES = 10_000_000
"""How much of one worker's output is kept."""

LARGE_BYTES = 5_000_000
"""A larger log file is renamed to `NAME.1` before a worker starts to write to it."""

_LONGEST_LINE = 65_536


def keep_prints(log_file: Path) -> tuple[int, threading.Thread]:
    """Return a descriptor for the worker's output and the thread that reads it.

    The caller closes the descriptor once the worker has it. The thread ends when the last process closes it.
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
                continue  # keep reading: a full pipe would block the worker
            # Write whole lines: the end of a chunk may cut a secret in two.
            lines, newline, held = (held + chunk).rpartition(b"\n")
            if len(held) > _LONGEST_LINE:
                lines, newline, held = lines + newline + held, b"\n", b""
            left -= _write(log, lines + newline, secrets)
            if left <= 0:
                held = b""
                _write(log, b"... the engine prints more, which is left out\n", ())
        _write(log, held, secrets)


def _write(log: IO[bytes], lines: bytes, secrets: tuple[str, ...]) -> int:
    """Write redacted lines and return their length; a write error is ignored, since this is only the log."""
    if lines:
        with suppress(OSError):
            log.write(redacted(lines.decode("utf-8", "replace"), secrets).encode("utf-8", "replace"))
            log.flush()
    return len(lines)


def _open(log_file: Path) -> IO[bytes]:
    """Open the log file for appending, readable by its owner only; fall back to the null device."""
    try:
        log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log_file.exists() and log_file.stat().st_size > LARGE_BYTES:
            log_file.replace(log_file.with_name(f"{log_file.name}.1"))
        descriptor = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "ab", buffering=0)
    except OSError:
        return open(os.devnull, "wb", buffering=0)
