"""Writing an export to the file that a person has named."""

import stat
from pathlib import Path

from qwen_tui.chat.files import shown, why, write_whole
from qwen_tui.errors import QwenTuiError


def save(path: Path, data: bytes, *, overwrites: bool) -> None:
    """Put the data into a file; raises `QwenTuiError`, `exchange.is_there` unless it may be written over.

    A file is replaced whole or not at all. What is no file, as a pipe or /dev/null, is written to as it stands.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        elif path.exists() and overwrites:
            mode = stat.S_IMODE(path.stat().st_mode)
            write_whole(path, data)
            path.chmod(mode)  # as open to others as it was, and a program that may be run
        else:
            _create(path, data)
    except FileExistsError:
        raise QwenTuiError("exchange.is_there", path=shown(path)) from None
    except (OSError, ValueError) as error:
        detail = why(error) if isinstance(error, OSError) else str(error)
        raise QwenTuiError("files.not_written", path=shown(path), detail=detail) from error


def _create(path: Path, data: bytes) -> None:
    """Write a new file; one that is there by now is not touched."""
    with path.open("xb") as file:
        try:
            file.write(data)
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
