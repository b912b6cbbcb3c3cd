"""Read the texts to import from a file, or from the zip archive of a ChatGPT export."""

import re
import zlib
from io import BytesIO
from typing import IO, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from qwen_tui.errors import QwenTuiError

LARGEST_BYTES = 256 * 2**20
"""Size limit for import files; parsed values take several times that much memory."""

_ZIP = b"PK\x03\x04"
_WANTED = re.compile(r"(?:.*/)?conversations(?:-\d+)?\.json")
_KNOWN = (ZIP_STORED, ZIP_DEFLATED)


def texts_in(file: BinaryIO, name: str) -> list[bytes]:
    """Return the bytes of each text in an open file.

    Pictures in an archive are skipped. Raises OSError, and `QwenTuiError` with this name.
    """
    if not file.seekable():
        file = BytesIO(_bounded(file, LARGEST_BYTES, name))
    is_zip = file.read(len(_ZIP)) == _ZIP
    file.seek(0)
    if not is_zip:
        return [_bounded(file, LARGEST_BYTES, name)]
    try:
        with ZipFile(file) as archive:
            wanted = [each for each in archive.infolist() if _WANTED.fullmatch(each.filename)]
            texts = _unpacked(archive, wanted, name)
    except (BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        # `zipfile` raises RuntimeError for encrypted archives and unknown compression methods.
        raise QwenTuiError("exchange.damaged_archive", path=name) from None
    if not texts:
        raise QwenTuiError("exchange.other_archive", path=name)
    return texts


def _unpacked(archive: ZipFile, wanted: list[ZipInfo], name: str) -> list[bytes]:
    texts: list[bytes] = []
    room = LARGEST_BYTES
    for each in sorted(wanted, key=lambda info: info.filename):
        if each.compress_type not in _KNOWN:
            raise BadZipFile
        with archive.open(each) as member:
            texts.append(_bounded(member, room, name))
        room -= len(texts[-1])
    return texts


def _bounded(file: IO[bytes], limit: int, name: str) -> bytes:
    """Read to the end of the file, up to a limit: a small archive can unpack to any size."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise QwenTuiError("exchange.too_large", path=name, megabytes=LARGEST_BYTES // 2**20)
    return data
