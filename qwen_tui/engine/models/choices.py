"""List the models to choose from, local and from the catalogue, each with whether it fits."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from qwen_tui.engine.models.cache_scan import LocalModel, in_cache, looked_at, scan
from qwen_tui.engine.models.catalogue import KNOWN, TAUGHT, Known, known
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import CPU_PARAMETERS, Fit, fits
from qwen_tui.engine.models.hub_address import NAME, repository_in
from qwen_tui.engine.models.hub_model import HubModel, hub_model
from qwen_tui.engine.models.load_plan import LoadPlan, plan
from qwen_tui.engine.models.size import Form, ModelSize
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder

GUIDE = "guide"
"""Name of the built-in model."""

Group = Literal["here", "served", "known", "named"]


class ModelChoice(NamedTuple):
    """One model to choose."""

    model: str
    """What loads it."""
    group: Group
    local: LocalModel | None
    """The local files, if any."""
    known: Known | None
    """The catalogue entry, if any."""
    on_hub: HubModel | None = None
    """The hub's information, if it was requested."""
    server: str = ""
    """Address of the server that offers it; empty for this machine."""
    window: int = 0
    """Context window on that server in tokens; 0 if unknown."""
    unreachable: QwenTuiError | None = None
    """Why the server cannot be used."""

    @property
    def key(self) -> str:
        """Unique key: the same model may be local and on a server."""
        return key(self.model, self.server)

    @property
    def name(self) -> str:
        """Display name."""
        if not self.model:
            return self.server.partition("://")[2]
        return self.local.name if self.local else self.model.rpartition("/")[2]

    @property
    def size(self) -> ModelSize | None:
        """Memory requirements, from local files if there are any; None if unknown."""
        if self.local is not None and self.local.size is not None:
            return self.local.size
        if self.on_hub is not None:
            return self.on_hub.size
        return self.known.shape.size if self.known is not None else None

    @property
    def is_here(self) -> bool:
        """Whether it can be loaded without a download."""
        return self.local is not None and self.local.is_complete

    @property
    def is_to_be_downloaded(self) -> bool:
        """Whether loading it starts with a download."""
        if self.local is None:
            return not self.server
        return self.local.problem is not None and self.local.problem.code == "engine.half_downloaded"

    @property
    def download_bytes(self) -> int | None:
        """Approximate download size when it is loaded; None if unknown."""
        if not self.is_to_be_downloaded:
            return 0
        if self.on_hub is not None:
            return self.on_hub.download_bytes
        return self.known.download_bytes if self.known is not None and self.local is None else None

    @property
    def problem(self) -> QwenTuiError | None:
        """Why it cannot be loaded as it is, or why its server is unusable."""
        return self.local.problem if self.local is not None else self.unreachable

    @property
    def context_window(self) -> int:
        """In tokens; 0 if unknown."""
        if self.server or self.size is None:
            return self.local.context_window if self.local else self.window
        return self.size.context_window

    def fits(self, devices: Sequence[Device], device: str = "auto", dtype: str = "auto") -> dict[Form, Fit]:
        """Check each form for whether it fits; empty if the size is unknown. Raises as `fit.fits` does."""
        return fits(self.size, devices, device, dtype) if self.size is not None else {}

    def plan(
        self, devices: Sequence[Device], quantization: str, device: str, dtype: str = "auto"
    ) -> LoadPlan | None:
        """Return how it would be loaded; None if the size is unknown. Raises as `plan` does."""
        return plan(self.size, devices, quantization, device, dtype) if self.size is not None else None


def key(model: str | None, server: str | None) -> str:
    """Return the key of a model on a server or this machine; see `ModelChoice.key`."""
    return f"{server or ''} {model or ''}".strip()


def model_choices(used: Mapping[str, float] | None = None) -> list[ModelChoice]:
    """Return the guide, then local models by last use, then the rest of the catalogue."""
    here = [ModelChoice(model.model, "here", model, known(model.model)) for model in scan(used=used)]
    names = {entry.model.lower() for entry in here}
    rest = (ModelChoice(each.model, "known", None, each) for each in KNOWN if each.model.lower() not in names)
    return [_guide(), *here, *rest]


def best_first(
    choices: Sequence[ModelChoice], devices: Sequence[Device], device: str = "auto", dtype: str = "auto"
) -> list[ModelChoice]:
    """Return the models of the catalogue with those first that run well here, else in its order: newest first.

    The one that the beginner's guide uses comes no later than second. Raises as `fit.fits` does.
    """
    suited = {each.model: _is_suited(each, each.fits(devices, device, dtype)) for each in choices}
    ordered = sorted(choices, key=lambda each: not suited[each.model])
    taught = next((each for each in ordered[1:] if each.model == TAUGHT), None)
    return (
        [*ordered[:1], taught, *(each for each in ordered[1:] if each is not taught)] if taught else ordered
    )


def _is_suited(choice: ModelChoice, found: Mapping[Form, Fit]) -> bool:
    """Whether some form fits one device with room for long conversations, and is not slow there."""
    return any(
        fit.is_comfortable
        and not fit.is_spread
        and (fit.devices[0].is_gpu or (choice.size is not None and choice.size.parameters <= CPU_PARAMETERS))
        for fit in found.values()
    )


def named(model: str) -> ModelChoice:
    """Return the choice for what was typed: a folder is inspected, a hub id looked up in the cache and catalogue.

    A pasted address of the hub counts as the name in it. A name found in none of them gets a choice without a size.
    """
    if model == GUIDE:
        return _guide()
    folder = Path(model).expanduser()
    if folder.is_dir():
        local = looked_at(folder.absolute(), str(folder.absolute()))
    else:
        model = repository_in(model)
        local = in_cache(model) if NAME.fullmatch(model) else None
    return ModelChoice(local.model if local else model, "named", local, known(model))


def from_hub(model: str) -> ModelChoice:
    """Return the choice for a model on the hub. Raises QwenTuiError as `hub_model` does."""
    return ModelChoice(model, "named", None, None, hub_model(model))


def _guide() -> ModelChoice:
    return ModelChoice(GUIDE, "here", looked_at(model_folder(), GUIDE), None)
