"""What a model on the hub will take of the memory, by the headers of its weight files, before those are downloaded.

A header is some kilobytes at the beginning of a file. Sizes by the config alone are estimates, and nothing may be
refused by those that a load would accept.
"""

import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from qwen_tui.engine.models.checkpoint import (
    INDEX,
    LENGTH_BYTES,
    WEIGHTS,
    Checkpoint,
    checkpoint_of,
    config_of,
    header_length,
    indexed_files,
    tensors_in,
)

log = logging.getLogger(__name__)

WEIGH_SECONDS = 30.0
"""How long all headers together may take; after that the download begins without them."""

AT_ONCE = 8
"""How many files are asked for their headers at the same time."""

MOST_BYTES = 8_000_000
"""How much of a file is asked for. Few headers are longer than 0.2 MB."""

PIECE_BYTES = 65_536
"""How much is read at a time, and so about how much more than the header comes."""


def weigh(model: str, folder: Path) -> Checkpoint | None:
    """The checkpoint that a download would bring; None when that cannot be known.

    `folder`, which is named after the commit, holds its `config.json`, and its index where it has one. Raises
    QwenTuiError when one of those two cannot be used.
    """
    config = config_of(folder)
    names = indexed_files(folder) if (folder / INDEX).exists() else [WEIGHTS]
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="headers")
    try:
        asked = [pool.submit(_header, model, name, folder.name) for name in names]
        headers = [each.result() for each in as_completed(asked, WEIGH_SECONDS)]
    except Exception as error:  # a hub, and what stands before it, may answer with anything
        log.info("how large %s is cannot be told before it is here: %s", model, error)
        return None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return checkpoint_of(folder, config, headers)


def _header(model: str, name: str, commit: str) -> dict[str, Any]:
    """The tensors of one file on the hub; no more of it is taken than its header."""
    headers = {**build_hf_headers(), "Range": f"bytes=0-{MOST_BYTES - 1}", "Accept-Encoding": "identity"}
    url = huggingface_hub.hf_hub_url(model, name, revision=commit)
    text, needed, seconds = bytearray(), LENGTH_BYTES, constants.HF_HUB_ETAG_TIMEOUT
    with get_session().stream("GET", url, headers=headers, timeout=seconds) as answer:
        hf_raise_for_status(answer)
        for piece in answer.iter_bytes(PIECE_BYTES):
            text += piece
            if needed == LENGTH_BYTES <= len(text):
                needed += header_length(bytes(text[:LENGTH_BYTES]))
            if needed <= min(len(text), MOST_BYTES) and needed > LENGTH_BYTES:
                return tensors_in(bytes(text[LENGTH_BYTES:needed]))[0]
    raise ValueError(f"{name} ends before its header does")
