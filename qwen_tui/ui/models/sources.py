"""Where models are found: on this machine, in the catalogue, on servers, on the hub; and what is known by now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.models import devices as devices_here
from qwen_tui.engine.models.choices import ModelChoice, from_hub, model_choices
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import Fit, freed
from qwen_tui.engine.models.recent_models import recent_models
from qwen_tui.engine.models.size import Form
from qwen_tui.engine.remote.address import is_address
from qwen_tui.errors import QwenTuiError

MOST_SERVERS = 4
"""How many of the servers that were used before are asked."""


class ModelRow(NamedTuple):
    """A model with what was found out about it."""

    entry: ModelChoice
    fits: dict[Form, Fit]


class Found(NamedTuple):
    """What there is to choose from, and on what it could run."""

    entries: Sequence[ModelChoice]
    devices: Sequence[Device]
    servers: Sequence[str] = ()
    """The addresses of servers that were used before; what they have is asked when it is shown."""


def find_models(models_file: Path) -> Found:
    """Look at the cache, at the folders that were opened before, and at the devices; may take seconds."""
    used = recent_models(models_file)
    return Found(
        model_choices(used=used), devices_here.usable(), list(filter(is_address, used))[:MOST_SERVERS]
    )


def on_server(address: str) -> tuple[ModelChoice, ...]:
    """What a server has, or one entry that says why it cannot be asked; takes seconds."""
    from qwen_tui.engine.remote.server_check import served_by  # late: HTTP takes a while to import

    return served_by(address)


def on_hub(model: str) -> ModelChoice | QwenTuiError:
    """What the hub says of a model; takes seconds."""
    try:
        return from_hub(model)
    except QwenTuiError as error:
        return error


@dataclass
class Sources:
    """What is known by now of the models there are."""

    found: Found = Found((), ())
    named: tuple[ModelChoice, ...] = ()
    """What was typed, in front of all others."""
    served: dict[str, tuple[ModelChoice, ...]] = field(default_factory=dict)
    """What servers have answered, by their addresses."""

    def devices(self, in_use: ModelInfo | None) -> tuple[Device, ...]:
        """As they will be when the model in use has made room."""
        return freed(self.found.devices, in_use)

    def rows(self, in_use: ModelInfo | None, device: str) -> tuple[ModelRow, ...]:
        """The models in the order of the list, with what fits on the device of the settings."""
        devices = self.devices(in_use)

        def fits(entry: ModelChoice) -> dict[Form, Fit]:
            try:
                return entry.fits(devices, device)
            except QwenTuiError:  # there is no such device here; the details say so
                return {}

        here = [each for each in self.found.entries if each.group == "here"]
        entries = (*self.named, *here, *self._on_servers(in_use), *self.found.entries[len(here) :])
        return tuple(ModelRow(entry, fits(entry)) for entry in entries)

    def _on_servers(self, in_use: ModelInfo | None) -> Iterator[ModelChoice]:
        """What the servers have; and the model in use, which its server need not list nor have answered for."""
        first: dict[str, tuple[ModelChoice, ...]] = {in_use.server: ()} if in_use and in_use.server else {}
        for server, entries in {**first, **self.served}.items():
            if in_use is None or server not in first or in_use.model in [each.model for each in entries]:
                yield from entries
                continue
            window = in_use.context_window
            yield ModelChoice(in_use.model, "served", None, None, server=server, window=window)
            yield from (each for each in entries if each.model)
