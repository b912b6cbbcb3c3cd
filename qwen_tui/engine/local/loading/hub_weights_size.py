"""Compute the memory requirements of a model on the hub from the headers of its weight files.

A header is some kilobytes at the beginning of a file. Sizes from the config alone are estimates, which must not
refuse a model that would load.
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
"""Time limit for all headers together; after that the download begins without them."""

AT_ONCE = 8
"""Number of concurrent header requests."""

MOST_BYTES = 8_000_000
"""How much of a file is requested. Few headers exceed 0.2 MB."""

PIECE_BYTES = 65_536
"""Read size, and so about how much is received beyond the header."""


def weigh(model: str, folder: Path) -> Checkpoint | None:
    """Return the checkpoint that a download would bring, or None if it cannot be determined.

    `folder`, named after the commit, contains `config.json` and the weight index, if there is one. Raises
    QwenTuiError if either is unusable.
    """
    config = config_of(folder)
    names = indexed_files(folder) if (folder / INDEX).exists() else [WEIGHTS]
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="headers")
    try:
        asked = [pool.submit(_header, model, name, folder.name) for name in names]
        headers = [each.result() for each in as_completed(asked, WEIGH_SECONDS)]
    except Exception as error:  # the hub, and proxies in front of it, may respond with anything
        log.info("the size of %s cannot be determined before the download: %s", model, error)
        return None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return checkpoint_of(folder, config, headers)


def _header(model: str, name: str, commit: str) -> dict[str, Any]:
    """Return the tensors of one file on the hub, reading no more than its header."""
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
