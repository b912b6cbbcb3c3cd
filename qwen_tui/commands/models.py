"""`qwen-tui models`: list the models and whether they fit; examine or delete one; clear the quantized cache."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.messages import Json
from qwen_tui.commands.arguments import Arguments
from qwen_tui.commands.lint import lint
from qwen_tui.commands.output import guarded, print_lines
from qwen_tui.engine.models import devices as devices_here
from qwen_tui.engine.models.choices import ModelChoice, best_first, model_choices, named
from qwen_tui.engine.models.deletion import delete, repository_of
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import Fit, allowed
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.recent_models import recent_models
from qwen_tui.engine.models.size import FORMS
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import Settings
from qwen_tui.strings import DEFAULT, explain, say, say_in
from qwen_tui.wording.cell_width import cells, cropped, displayed, padded_left
from qwen_tui.wording.models import context_in_words, disk_in_words, dtype_in_words, verdict_in_words
from qwen_tui.wording.units import in_bytes

LEAST_COLUMNS = 72
"""Minimum width for shortened names; in a narrower terminal lines wrap, and other output is never shortened."""


def run(given: Arguments, config: Config, where: Places) -> int:
    """Print all models, examine or delete one, or clear the quantized cache; return the exit status."""
    if given.lint is not None:
        model, trusts = given.lint, config.settings.trust_remote_code
        return guarded("models", lambda: lint(model, trust_remote_code=trusts, as_json=given.json))
    cache = QuantizedCache(where.quantized, config.settings.quantized_cache_bytes)
    if given.clear:
        return guarded("models", lambda: _clear(cache))
    if given.delete is not None:
        model, is_sure = given.delete, given.yes
        return guarded("models", lambda: _delete(model, cache, is_sure=is_sure))
    return guarded("models", lambda: _print(config.settings, where, cache, as_json=given.json))


def _print(settings: Settings, where: Places, cache: QuantizedCache, *, as_json: bool) -> int:
    there = devices_here.usable()
    allowed(there, settings.device)  # raises if there is no such device
    found = model_choices(used=recent_models(where.models))
    here = [entry for entry in found if entry.group == "here"]
    known = best_first(found[len(here) :], there, settings.device, settings.dtype)
    entries = [*here, *known, *_served(settings)]
    if as_json:
        said = {
            "devices": [device._asdict() for device in there],
            "models": [_entry_json(entry, there, settings) for entry in entries],
            "quantized": _cache_json(cache),
        }
        print_lines([json.dumps(said, ensure_ascii=False, indent=1)])
    else:
        print_lines([*_table(entries, there, settings), *_cache_lines(cache)])
    return 0


def _served(settings: Settings) -> Sequence[ModelChoice]:
    """Return the models of the server in the settings, if there is one."""
    if settings.server is None:
        return ()
    from qwen_tui.engine.remote.server_check import served_by  # importing HTTP takes a while

    return served_by(settings.server)


def _clear(cache: QuantizedCache) -> int:
    print_lines([say("models.cleared", size=in_bytes(cache.clear()), path=cache.folder)])
    if left := cache.taken_bytes():
        raise QwenTuiError("models.not_cleared", size=in_bytes(left), path=one_line(str(cache.folder), 200))
    return 0


def _delete(model: str, cache: QuantizedCache, *, is_sure: bool) -> int:
    """Delete a model from the hub's cache, after asking at the terminal unless the person is sure."""
    choice = named(model)
    repository = repository_of(choice)
    name = displayed(one_line(choice.model))
    size = in_bytes(choice.local.disk_bytes) if choice.local is not None else ""
    if not is_sure:
        if not sys.stdin.isatty():
            raise QwenTuiError("models.not_confirmed", name=name)
        question = say("models.delete_question", name=name, size=size, path=one_line(str(repository), 200))
        if input(question).strip().lower() not in ("y", "yes"):
            return 1
    print_lines([say("models.deleted", size=in_bytes(delete(repository, cache)))])
    return 0


# --- Text output ------------------------------------------------------------------------------------------


def _table(entries: Iterable[ModelChoice], there: Sequence[Device], settings: Settings) -> list[str]:
    lines = [say("models.devices"), *(f"  {_device_line(device)}" for device in there), ""]
    head = [say(f"models.column.{name}") for name in ("model", "size", "dtype", "context")]
    rows: list[list[str] | str] = []
    group = ""
    for entry in entries:
        if entry.group != group:
            group = entry.group
            host = displayed(one_line(entry.server.partition("://")[2] or entry.server))
            rows.append(say(f"models.group.{group}", host=host))
        if entry.unreachable is not None:
            title, sentence, hint = entry.unreachable.explanation
            said = say("sentences.title", title=title, rest=sentence)
            rows.append(f"{rows.pop()}\n  {said}\n  {hint}")
        else:
            rows.append(_row(entry, there, settings))
    lines += _aligned([*head, *(say(f"models.form.{form}") for form in FORMS)], rows)
    return [*lines, "", say("models.legend")]


def _cache_lines(cache: QuantizedCache) -> list[str]:
    taken = cache.taken_bytes()
    if not taken:
        return []
    names = ", ".join(dict.fromkeys(displayed(one_line(entry.name, 60)) for entry in cache.entries()))
    return ["", say("models.kept", size=in_bytes(taken), names=names)]


def _device_line(device: Device) -> str:
    return say(
        "models.device",
        name=device.name,
        label=one_line(device.label, 60),
        free=in_bytes(device.free_bytes),
        total=in_bytes(device.total_bytes),
    )


def _row(entry: ModelChoice, there: Sequence[Device], settings: Settings) -> list[str]:
    found = entry.fits(there, settings.device, settings.dtype)
    if entry.problem is not None:
        verdicts = [entry.problem.explanation.title]
    elif len(found) == 1:  # saved quantized: only one format
        verdicts = [verdict_in_words(found["none"]), "", ""]
    else:
        verdicts = [verdict_in_words(found[form]) if form in found else "" for form in FORMS]
    name = displayed(one_line(entry.model, 200))
    return [name, disk_in_words(entry), dtype_in_words(entry), context_in_words(entry), *verdicts]


def _aligned(head: list[str], rows: Sequence[list[str] | str]) -> list[str]:
    """Align rows below their headings, figures to the right; a row that is a plain string is a group heading.

    The last cell of a row with fewer cells than headings spans the remaining columns.
    """
    tables = [head, *(row for row in rows if isinstance(row, list))]
    own = [row if len(row) == len(head) else row[:-1] for row in tables]
    widths = [max(cells(row[index]) for row in own if index < len(row)) for index in range(len(head))]
    columns = shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() else 0
    if columns >= LEAST_COLUMNS:
        # Only the name is shortened, never the figures.
        widths[0] = max(20, min(widths[0], columns - sum(widths[1:]) - 2 * len(widths) - 1))
    lines = [_line(head, widths)]
    for row in rows:
        lines += ["", row] if isinstance(row, str) else [_line(row, widths)]
    return lines


def _line(row: list[str], widths: list[int]) -> str:
    name = cropped(row[0], widths[0])
    parts = [name + " " * (widths[0] - cells(name))]
    last = len(row) - 1
    widths = [*widths[:last], sum(widths[last:]) + 2 * (len(widths) - len(row))]
    parts += [padded_left(text, width) for text, width in zip(row[1:], widths[1:], strict=True)]
    return ("  " + "  ".join(parts)).rstrip()


# --- JSON output ------------------------------------------------------------------------------------------


def _cache_json(cache: QuantizedCache) -> dict[str, Any]:
    kept = [
        {
            "model": each.source,
            "path": str(each.folder),
            "bytes": each.disk_bytes,
            "last_used": each.last_used,
        }
        for each in cache.entries()
    ]
    return {"path": str(cache.folder), "bytes": cache.taken_bytes(), "entries": kept}


def _entry_json(entry: ModelChoice, there: Sequence[Device], settings: Settings) -> dict[str, Json]:
    local, size = entry.local, entry.size
    return {
        "model": entry.model,
        "group": entry.group,
        "server": entry.server or None,
        "path": str(local.folder) if local else None,
        "revision": (local.revision or None) if local else None,
        "complete": entry.is_here,
        "problem": _in_english(entry.problem) if entry.problem else None,
        "disk_bytes": local.disk_bytes if local else None,
        "download_bytes": entry.download_bytes or None,
        "last_used": (local.last_used or None) if local else None,
        "architecture": local.architecture if local else None,
        "parameters": size.parameters if size and not size.packed_bytes else None,
        "dtype": size.dtype if size and local else None,
        "context_window": entry.context_window or None,
        "fits": {
            form: _fit_json(fit) for form, fit in entry.fits(there, settings.device, settings.dtype).items()
        },
        "plan": _plan_json(entry, there, settings),
    }


def _fit_json(fit: Fit) -> dict[str, Json]:
    return {
        "fits": fit.fits,
        "context_tokens": fit.context_tokens if fit.fits else 0,
        "devices": [device.name for device in fit.devices] if fit.fits else [],
        "dtype": fit.dtype,
        "weight_bytes": fit.weight_bytes,
    }


def _plan_json(entry: ModelChoice, there: Sequence[Device], settings: Settings) -> dict[str, Json] | None:
    """Return the plan for loading the model with these settings."""
    try:
        plan = entry.plan(there, settings.quantization, settings.device, settings.dtype)
    except QwenTuiError as error:
        return {"error": _in_english(error)}
    if plan is None:
        return None
    why = " ".join(say_in(DEFAULT, reason.code, **dict(reason.parameters)) for reason in plan.reasons)
    return {"quantization": plan.fit.form, **_fit_json(plan.fit), "why": why}


def _in_english(error: QwenTuiError) -> str:
    """The sentence and the hint; what programs read does not depend on the language."""
    explanation = explain(error.code, error.parameters, DEFAULT)
    return f"{explanation.sentence} {explanation.hint}"
