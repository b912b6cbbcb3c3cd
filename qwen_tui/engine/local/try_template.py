"""Read a model's tokenizer and chat template, without its weights, in a separate process for `models --lint`.

Prints one line of JSON: what was found, or the error.
"""

import gc
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from qwen_tui.engine.models.hub_address import NAME, repository_in
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder


def main() -> None:
    """Examine the model on the command line, print the result, and end the process."""
    gc.disable()  # nothing imported becomes garbage
    logging.disable(logging.WARNING)
    model, trust = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        try:
            said = _found(model, Path(folder), trust_remote_code=trust == "trust")
        except QwenTuiError as error:
            said = {"error": error.as_json()}
        except Exception as error:  # a tokenizer's own code may raise anything
            detail = one_line(f"{type(error).__name__}: {error}")
            said = {"error": QwenTuiError("error.unknown", detail=detail).as_json()}
    print("\n" + json.dumps(said), flush=True)
    os._exit(0)  # tearing down the libraries would take another second


def _found(model: str, scratch: Path, *, trust_remote_code: bool) -> dict[str, object]:
    from qwen_tui.engine.local.loading.tokenizer import read_tokenizer
    from qwen_tui.engine.local.prompts.probe import probe
    from qwen_tui.engine.local.prompts.template import chat_template

    tokenizer, unlike = read_tokenizer(_folder(model, scratch), trust_remote_code=trust_remote_code)
    template = chat_template(tokenizer)
    return {
        "has_template": template is not None,
        "unlike_file": unlike,
        "format": probe(template, tokenizer)._asdict(),
    }


def _folder(model: str, scratch: Path) -> Path:
    """Return the folder with the model's tokenizer; `scratch` is for a model that is not on this machine."""
    if model == "guide":
        return model_folder()
    path = Path(model).expanduser()
    if path.is_dir():
        return path.resolve()
    model = repository_in(model)
    if not NAME.fullmatch(model) or model.startswith((".", "/", "~")):
        raise QwenTuiError("engine.folder_missing", path=one_line(model))
    from qwen_tui.engine.local.loading.hub_download import fetch_tokenizer

    return fetch_tokenizer(model, scratch)
