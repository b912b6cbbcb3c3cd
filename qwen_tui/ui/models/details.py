"""Details of the highlighted model, and the result of loading it in the chosen format."""

import time
from collections.abc import Sequence

from textual.content import Content

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.base import ModelInfo, Quantization
from qwen_tui.engine.models.choices import ModelChoice, key
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.slowed import slowed
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Settings
from qwen_tui.strings import listed, say
from qwen_tui.wording.cell_width import displayed
from qwen_tui.wording.decoding import decoding_in_words
from qwen_tui.wording.units import in_bytes, in_millions

CHOICES: tuple[Quantization, ...] = ("auto", "none", "8bit", "4bit")
"""The weight formats to choose from, by their names in the setting."""

_DAY_SECONDS = 86_400


def details(
    entry: ModelChoice,
    devices: Sequence[Device],
    form: Quantization,
    settings: Settings,
    in_use: ModelInfo | None = None,
) -> Content:
    """Describe a model: name, location, the formats with the chosen one marked, and the plan or a problem.

    Of the model `in_use`, how it is decoded as well.
    """
    decoding = decoding_in_words(in_use) if in_use and entry.key == key(in_use.model, in_use.server) else ""
    lines = [
        Content.styled(displayed(one_line(entry.model or entry.server, 300)), "bold"),
        Content.styled(_whereabouts(entry), "$text-muted"),
        *(() if entry.server else (_forms(form),)),
        *(
            (Content.styled(decoding, "$text-warning" if in_use and slowed(in_use) else ""),)
            if decoding
            else ()
        ),
        *_verdict(entry, devices, form, settings),
    ]
    return Content("\n").join(lines)


def _whereabouts(entry: ModelChoice) -> str:
    parts = [say("models.on_server", server=one_line(entry.server))] if entry.server and entry.model else []
    size = entry.size
    if size is not None and not size.packed_bytes:
        parts.append(say("models.parameters", count=in_millions(size.parameters)))
    if entry.context_window:
        parts.append(say("models.window", tokens=entry.context_window))
    if entry.is_here and entry.local is not None:
        parts.append(say("models.here", size=in_bytes(entry.local.disk_bytes)))
        days = (time.time() - entry.local.last_used) / _DAY_SECONDS
        if entry.local.last_used and days >= 0:
            parts.append(say("models.used.today") if days < 1 else say("models.used.days", count=int(days)))
    elif entry.download_bytes:
        parts.append(say("models.not_here", size=in_bytes(entry.download_bytes)))
    return " · ".join(parts)


def _forms(chosen: str) -> Content:
    parts = [
        Content.styled(f" {say(f'models.form.{form}')} ", "reverse" if form == chosen else "$text-muted")
        for form in CHOICES
    ]
    return Content.assemble(*parts)


def _verdict(
    entry: ModelChoice, devices: Sequence[Device], form: Quantization, settings: Settings
) -> list[Content]:
    if entry.problem is not None:
        return [Content.styled(str(entry.problem), "$text-warning")]
    if entry.server:
        return [
            Content.styled(say("models.served" if entry.model else "models.served.nameless"), "$text-muted")
        ]
    try:
        plan = entry.plan(devices, form, settings.device, settings.dtype)
    except QwenTuiError as error:
        return [Content.styled(str(error), "$text-warning")]
    if plan is None:
        return [Content.styled(say("models.size_unknown"), "$text-muted")]
    fits = say(
        "models.fits",
        devices=listed(place.name for place in plan.fit.devices),
        tokens=plan.fit.context_tokens,
    )
    reasons = [say(reason.code, **dict(reason.parameters)) for reason in plan.reasons]
    return [Content.styled(fits, "$text-success"), *(Content(reason) for reason in reasons)]
