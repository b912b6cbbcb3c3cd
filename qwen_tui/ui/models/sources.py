"""Sources of models: this machine, the catalogue, servers and the hub; and the results so far."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.models import devices as devices_here
from qwen_tui.engine.models.choices import ModelChoice, best_first, from_hub, model_choices
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import Fit, freed
from qwen_tui.engine.models.recent_models import recent_models
from qwen_tui.engine.models.size import Form
from qwen_tui.engine.remote.address import is_address
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Settings

MOST_SERVERS = 4
"""How many previously used servers are queried."""


class ModelRow(NamedTuple):
    """A model and the formats that fit."""

    entry: ModelChoice
    fits: dict[Form, Fit]


class Found(NamedTuple):
    """The models to choose from, and the devices to run them on."""

    entries: Sequence[ModelChoice]
    devices: Sequence[Device]
    servers: Sequence[str] = ()
    """The addresses of previously used servers; they are queried when the list is shown."""


def find_models(models_file: Path) -> Found:
    """Scan the model cache, previously opened folders and the devices; may take seconds."""
    used = recent_models(models_file)
    return Found(
        model_choices(used=used), devices_here.usable(), list(filter(is_address, used))[:MOST_SERVERS]
    )


def on_server(address: str) -> tuple[ModelChoice, ...]:
    """Return the models of a server, or one entry with the error; takes seconds."""
    from qwen_tui.engine.remote.server_check import served_by  # importing HTTP takes a while

    return served_by(address)


def on_hub(model: str) -> ModelChoice | QwenTuiError:
    """Look up a model on the hub; takes seconds."""
    try:
        return from_hub(model)
    except QwenTuiError as error:
        return error


@dataclass
class Sources:
    """The models found so far."""

    found: Found = Found((), ())
    named: tuple[ModelChoice, ...] = ()
    """Models typed by name, listed first."""
    served: dict[str, tuple[ModelChoice, ...]] = field(default_factory=dict)
    """The answers of servers, by address."""

    def devices(self, in_use: ModelInfo | None) -> tuple[Device, ...]:
        """Return the devices with the memory of the model in use counted as free."""
        return freed(self.found.devices, in_use)

    def rows(self, in_use: ModelInfo | None, settings: Settings) -> tuple[ModelRow, ...]:
        """Return the models in list order, with what fits on the device and in the dtype of the settings."""
        devices = self.devices(in_use)

        def fits(entry: ModelChoice) -> dict[Form, Fit]:
            try:
                return entry.fits(devices, settings.device, settings.dtype)
            except QwenTuiError:  # no such device here; the details report it
                return {}

        here = [each for each in self.found.entries if each.group == "here"]
        known = self.found.entries[len(here) :]
        with suppress(QwenTuiError):
            known = best_first(known, devices, settings.device, settings.dtype)
        entries = (*self.named, *here, *self._on_servers(in_use), *known)
        return tuple(ModelRow(entry, fits(entry)) for entry in entries)

    def _on_servers(self, in_use: ModelInfo | None) -> Iterator[ModelChoice]:
        """Yield the models of the servers, and the model in use, even if its server has not listed it."""
        first: dict[str, tuple[ModelChoice, ...]] = {in_use.server: ()} if in_use and in_use.server else {}
        for server, entries in {**first, **self.served}.items():
            if in_use is None or server not in first or in_use.model in [each.model for each in entries]:
                yield from entries
                continue
            window = in_use.context_window
            yield ModelChoice(in_use.model, "served", None, None, server=server, window=window)
            yield from (each for each in entries if each.model)
