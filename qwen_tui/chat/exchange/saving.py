"""Write an export to a file chosen by a person."""

import stat
from pathlib import Path

from qwen_tui.chat.files import shown, why, write_whole
from qwen_tui.errors import QwenTuiError


def save(path: Path, data: bytes, *, overwrites: bool) -> None:
    """Write the data to a file; raises `QwenTuiError`.

    An existing file is an error (`exchange.is_there`) unless `overwrites`. A regular file is replaced whole or
    not at all. Anything else, such as a pipe or /dev/null, is written to directly.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        elif path.exists() and overwrites:
            mode = stat.S_IMODE(path.stat().st_mode)
            write_whole(path, data)
            path.chmod(mode)  # keep its permissions, the executable bit included
        else:
            _create(path, data)
    except FileExistsError:
        raise QwenTuiError("exchange.is_there", path=shown(path)) from None
    except (OSError, ValueError) as error:
        detail = why(error) if isinstance(error, OSError) else str(error)
        raise QwenTuiError("files.not_written", path=shown(path), detail=detail) from error


def _create(path: Path, data: bytes) -> None:
    """Create a file; fail without touching it if it already exists."""
    with path.open("xb") as file:
        try:
            file.write(data)
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
