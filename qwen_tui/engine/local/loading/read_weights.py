"""Read a model's weights into memory, from its own files or from the cache of quantized weights."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from qwen_tui.engine.base import ModelSpec, Stage
from qwen_tui.engine.local.faults import free_memory, in_plain_words, is_out_of_memory
from qwen_tui.engine.local.loading import placement as placing
from qwen_tui.engine.local.loading.placement import Placement
from qwen_tui.engine.local.loading.quantized_weights import Kept
from qwen_tui.engine.models.checkpoint import Checkpoint, inspect, weight_files
from qwen_tui.engine.models.weight_formats import is_dequantized
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.05
"""Minimum interval between progress reports."""

ReportRead = Callable[[Stage, int, int], None]
"""Called with the stage, the bytes done and the total."""


def read_model(
    checkpoint: Checkpoint, placement: Placement, spec: ModelSpec, kept: Kept | None, report: ReportRead
) -> tuple[PreTrainedModel, Iterator[None]]:
    """Read a model that has not computed anything yet; `kept` is its entry in the cache. Raises QwenTuiError.

    Also returns the steps that save its quantized weights; empty if there is nothing to save.
    """
    if kept is not None and (model := _read_kept(placement, spec, kept, report)) is not None:
        return model, iter(())
    arguments = placing.quantization_arguments(placement)
    stage: Stage = "quantizing" if arguments else "reading"
    if is_dequantized(checkpoint.config):
        from qwen_tui.engine.local.loading.fp8 import dequantizing_arguments  # imports more of the library

        arguments = dequantizing_arguments(checkpoint.config)
    model = _read(checkpoint, placement, spec, arguments, stage, report)
    return model, kept.save(model) if kept is not None else iter(())


def _read_kept(
    placement: Placement, spec: ModelSpec, kept: Kept, report: ReportRead
) -> PreTrainedModel | None:
    """Read the model from the cache; None if it is not there or turns out to be unusable."""
    entry = kept.cache.find(kept.name, kept.key)
    if entry is None:
        return None
    try:
        return _read(inspect(entry.folder), placement, spec, {}, "reading", report)
    except QwenTuiError as error:
        if error.code == "engine.out_of_memory":
            raise
        why = str(error)
    kept.cache.drop(entry.folder, why)
    free_memory()
    return None


def _read(
    checkpoint: Checkpoint,
    placement: Placement,
    spec: ModelSpec,
    arguments: Mapping[str, Any],
    stage: Stage,
    report: ReportRead,
) -> PreTrainedModel:
    sizes = _by_parameter(checkpoint.tensor_bytes)
    total = checkpoint.weight_bytes
    report(stage, 0, total)
    try:
        with _weights_reported(sizes, lambda done: report(stage, done, total)):
            model, found = AutoModelForCausalLM.from_pretrained(
                checkpoint.folder,
                local_files_only=True,
                use_safetensors=True,
                # If unset, the library asks on stdin whether a model's own code may run.
                trust_remote_code=spec.trust_remote_code,
                dtype=placement.dtype,
                device_map=placement.device_map,
                max_memory=placement.max_memory or None,
                **arguments,
                # Mismatches are reported below as an error with a name, instead of in a table.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:
        raise _in_plain_words(error, checkpoint, placement) from error
    _check_tensors(found)
    report(stage, total, total)
    model.eval()
    return model


def _check_tensors(found: Mapping[str, Any]) -> None:
    """Raise QwenTuiError for missing or mismatched tensors, which the library fills with random numbers."""
    missing = sorted(str(name) for name in found["missing_keys"])
    if missing:
        raise QwenTuiError("engine.missing_tensors", tensor=one_line(missing[0]), tensors=len(missing))
    mismatched = found["mismatched_keys"]
    if mismatched:
        name, there, wanted = min(mismatched)
        shapes = {"found": str(list(there)), "wanted": str(list(wanted))}
        raise QwenTuiError("engine.other_shapes", tensor=one_line(name), **shapes, tensors=len(mismatched))


def _by_parameter(tensor_bytes: Mapping[str, int]) -> Mapping[str, int]:
    """Sum the sizes by parameter: parts of a quantized one (`…weight.absmax`) count towards it."""
    sizes: Counter[str] = Counter()
    for name, size in tensor_bytes.items():
        head, mark, _ = name.partition(".weight.")
        sizes[f"{head}.weight" if mark else name] += size
    return sizes


def _in_plain_words(error: Exception, checkpoint: Checkpoint, placement: Placement) -> QwenTuiError:
    detail = one_line(error)
    if is_out_of_memory(error):
        return QwenTuiError("engine.out_of_memory", detail=detail)
    if placement.quantization != "none" and ("bitsandbytes" in detail or isinstance(error, ImportError)):
        return QwenTuiError("engine.bitsandbytes", device=str(placement.device), detail=detail)
    if isinstance(error, ImportError):
        return QwenTuiError("engine.package_missing", detail=detail)
    if isinstance(error, SafetensorError | LookupError | ValueError | TypeError | AttributeError):
        detail = one_line(f"{type(error).__name__}: {error}")
        return _broken_file(checkpoint) or QwenTuiError("engine.cannot_build", detail=detail)
    return in_plain_words(error)


def _broken_file(checkpoint: Checkpoint) -> QwenTuiError | None:
    """Find the weight file that cannot be opened; the error that it causes later does not name it."""
    for file in weight_files(checkpoint.folder):
        try:
            safe_open(file, "pt")
        except SafetensorError as error:
            return QwenTuiError("engine.corrupt_weights", file=one_line(file.name), detail=one_line(error))
    return None


@contextmanager
def _weights_reported(sizes: Mapping[str, int], read: Callable[[int], None]) -> Iterator[None]:
    """Call `read` with the number of bytes of weights loaded so far."""

    def hook(factory: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if kwargs.get("desc") != "Loading weights":
            return factory(*args, **kwargs)
        return _counted(args[0] if args else kwargs["iterable"], sizes, read)

    previous = transformers_logging.set_tqdm_hook(hook)
    try:
        yield
    finally:
        transformers_logging.set_tqdm_hook(previous)


def _counted(tensors: Any, sizes: Mapping[str, int], read: Callable[[int], None]) -> Iterator[Any]:
    """Replace tqdm over (tensor name, mapping), counting the bytes of finished tensors."""
    done = 0
    reported_at = 0.0
    for item in tensors:
        yield item
        done += sizes.get(item[0], 0)
        if time.monotonic() - reported_at >= REPORT_SECONDS:
            reported_at = time.monotonic()
            read(done)
