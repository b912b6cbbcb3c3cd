"""The model screen: what is on this machine, what is known, and any other by its name; whether it fits; load it."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.base import Quantization
from qwen_tui.engine.host import EngineState, Failed, Opening, Ready
from qwen_tui.engine.models import devices as devices_here
from qwen_tui.engine.models.choices import ModelChoice, from_hub, key, model_choices, named
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import Fit, freed
from qwen_tui.engine.models.recent_models import recent_models
from qwen_tui.engine.models.size import Form
from qwen_tui.engine.remote.address import is_address
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.models.details import CHOICES, details
from qwen_tui.ui.models.list import ModelList, ModelRow
from qwen_tui.ui.models.servers import ServedModels
from qwen_tui.ui.widgets.header import LoadLine
from qwen_tui.wording.load_progress import fallback_in_words
from qwen_tui.wording.units import in_bytes

LOOK_SECONDS = 0.1
"""How often it looks whether what was searched for has been found."""


class Found(NamedTuple):
    """What there is to choose from, and on what it could run."""

    entries: Sequence[ModelChoice]
    devices: Sequence[Device]
    servers: Sequence[str] = ()
    """The addresses of servers that were used before; what they have is asked when it is shown."""


MOST_SERVERS = 4
"""How many of the servers that were used before are asked."""


def find_models(models_file: Path) -> Found:
    """Look at the cache, at the folders that were opened before, and at the devices; may take seconds."""
    used = recent_models(models_file)
    return Found(
        model_choices(used=used), devices_here.usable(), list(filter(is_address, used))[:MOST_SERVERS]
    )


class ModelScreen(ModalScreen[None]):
    """Chooses a model. `Chosen` and `StopWanted` go up; `engine_state` and `settings` come down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", say("models.key.back"), id="models.back"),
        Binding("f4", "dismiss", say("models.key.close"), id="models.close", show=False),
        Binding("left", "form(-1)", say("models.key.previous_form"), id="models.previous_form", show=False),
        Binding("right", "form(1)", say("models.key.next_form"), id="models.next_form", show=False),
        Binding("slash", "name", say("models.key.name"), id="models.name"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    ModelScreen {
        align: center middle;
        #models-box {
            width: 104;
            max-width: 100%;
            height: 100%;
            max-height: 52;
            border: round $border;
            border-title-color: $text-accent;
            border-subtitle-color: $text-muted;
            background: $background;
        }
        #models-list { height: 1fr; }
        #models-name { margin: 0 1; }
        #models-details { height: 8; padding: 1 2 0 2; border-top: solid $foreground 12%; }
        #models-said { height: auto; max-height: 3; padding: 0 2; }
        #models-said.-problem { color: $text-error; }
        #models-said.-nothing { display: none; }
    }
    """

    class Chosen(Message):
        """The person wants this model loaded, in this form."""

        def __init__(self, entry: ModelChoice, quantization: Quantization) -> None:
            super().__init__()
            self.model = entry.model or None
            self.server = entry.server or None
            self.quantization = quantization

    class StopWanted(Message):
        """The person does not want to wait for the model."""

    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """Whether there is something that answers."""

    def __init__(self, settings: Settings, find: Callable[[], Found]) -> None:
        """`find` takes a while and is called on a thread of its own."""
        super().__init__()
        self._device = settings.device
        self._form = settings.quantization
        self._find = find
        self._inbox: list[Found] = []
        self._answers: list[ModelChoice | QwenTuiError] = []
        """Of the hub."""
        self._found = Found((), ())
        self._named: tuple[ModelChoice, ...] = ()
        """What was typed, in front of all others."""
        self._served = ServedModels()
        self._confirming = ""
        """The model whose download the person is asked about."""
        self._awaited = ""
        """The model that was chosen here and is on its way."""

    def compose(self) -> ComposeResult:
        """How a load goes, the list, a field for any other name, and what is known of the chosen one."""
        with Vertical(id="models-box") as box:
            box.border_title = Content(say("models.title"))
            box.border_subtitle = Content(say("models.keys"))
            yield LoadLine(id="models-load")
            yield ModelList(id="models-list")
            yield Input(
                placeholder=say("models.by_name"), id="models-name", compact=True, select_on_focus=False
            )
            yield Static(id="models-details", markup=False)
            yield Static(id="models-said", classes="-nothing", markup=False)

    def on_mount(self) -> None:
        """Let the arrow keys walk, and search."""
        self.query_one(ModelList).focus()
        self._say(say("models.searching"))
        threading.Thread(target=self._search, name="models", daemon=True).start()
        self.set_interval(LOOK_SECONDS, self._take)
        self.watch_engine_state(None, self.engine_state)

    def watch_engine_state(self, before: EngineState | None, state: EngineState | None) -> None:
        """Show how far a load has come, and leave once the model that was chosen here answers."""
        if not self.query(ModelList):
            return
        load, models = self.query_one(LoadLine), self.query_one(ModelList)
        info = state.engine.info if isinstance(state, Ready) else None
        load.progress = state.progress if isinstance(state, Opening) else None
        load.problem = state.error.explanation.title if isinstance(state, Failed) else ""
        models.loaded = key(info.model, info.server) if info is not None else ""
        if self._awaited and isinstance(state, Ready | Failed):
            self._arrived(state)
        elif isinstance(before, Opening) and not isinstance(state, Opening):
            threading.Thread(target=self._search, name="models", daemon=True).start()

    def _arrived(self, state: Ready | Failed) -> None:
        problem = state.fallback if isinstance(state, Ready) else state.error
        is_this = isinstance(state, Ready) and self._awaited in (
            key(state.spec.model, state.spec.server),
            key(state.engine.info.model, state.engine.info.server),
        )
        if isinstance(state, Ready) and problem is None and not is_this:
            return  # the one from before, which became ready just now
        self._awaited = ""
        if problem is None:
            self.dismiss()
            return
        words = str(problem)
        if isinstance(state, Ready):
            words = fallback_in_words(problem, has_stayed=state.has_stayed)
        self._say(words, is_problem=True)
        threading.Thread(target=self._search, name="models", daemon=True).start()

    # --- What there is --------------------------------------------------------------------------------

    def _search(self) -> None:
        self._inbox.append(self._find())

    def _take(self) -> None:
        if self._inbox:
            self._found = self._inbox.pop()
            self._inbox.clear()
            self._list()
            for server in self._found.servers:
                self._served.ask(server, is_wanted=False)
            if self.query_one("#models-said", Static).content == say("models.searching"):
                self._say("")
        if self._answers:
            answer = self._answers.pop(0)
            if isinstance(answer, QwenTuiError):
                self._say(str(answer), is_problem=True)
            elif [entry.model for entry in self._named] == [answer.model]:
                self._say("")
                self._name_one(answer)
        if (said := self._served.take()) is not None:
            self._list()
            if said.is_wanted:
                self._say("")
                self.query_one(ModelList).go_to(said.entries[0].key)

    @property
    def _devices(self) -> tuple[Device, ...]:
        """As they will be when the model that is loaded has made room."""
        state = self.engine_state
        return freed(self._found.devices, state.engine.info if isinstance(state, Ready) else None)

    def _list(self) -> None:
        devices = self._devices
        here = [each for each in self._found.entries if each.group == "here"]
        info = self.engine_state.engine.info if isinstance(self.engine_state, Ready) else None
        served = self._served.entries(info)
        entries = (*self._named, *here, *served, *self._found.entries[len(here) :])
        self.query_one(ModelList).rows = tuple(
            ModelRow(entry, self._fits(entry, devices)) for entry in entries
        )

    def _fits(self, entry: ModelChoice, devices: Sequence[Device]) -> dict[Form, Fit]:
        try:
            return entry.fits(devices, self._device)
        except QwenTuiError:  # the device of the settings is not here; the details say so
            return {}

    @on(ModelList.Moved)
    def _show_details(self) -> None:
        row = self.query_one(ModelList).row
        if row is not None:
            words = details(row.entry, self._devices, self._form, self._device)
            self.query_one("#models-details", Static).update(words)
            if self._confirming and row.entry.key != self._confirming:
                self._confirming = ""
                self._say("")

    # --- Choosing -------------------------------------------------------------------------------------

    @on(ModelList.Chosen)
    def _choose(self) -> None:
        row = self.query_one(ModelList).row
        if row is None:
            return
        entry = row.entry
        if entry.is_to_be_downloaded and self._confirming != entry.key:
            self._confirming = entry.key
            self._say(self._question(entry))
            return
        self._confirming = ""
        self._awaited = entry.key
        self._say("")
        self.post_message(self.Chosen(entry, self._form))

    def _question(self, entry: ModelChoice) -> str:
        """What is asked before anything is downloaded; a model that will not fit costs the same."""
        try:
            entry.plan(self._devices, self._form, self._device)
        except QwenTuiError as error:
            return say("models.confirm_in_vain", problem=error.explanation.title)
        if entry.download_bytes is None:
            return say("models.confirm_unknown")
        return say("models.confirm", size=in_bytes(entry.download_bytes))

    @on(Input.Submitted)
    def _look_up(self, event: Input.Submitted) -> None:
        event.stop()
        name = event.value.strip()
        if not name:
            return
        if is_address(name):
            self.set_focus(self.query_one(ModelList))
            self._say(say("models.asking_server", host=one_line(name.partition("://")[2])))
            self._served.ask(name, is_wanted=True)
            return
        listed = next((each for each in self._found.entries if each.model == name), None)
        entry = listed or named(name)
        self._name_one(entry, is_listed=listed is not None)
        self.set_focus(self.query_one(ModelList))
        if entry.size is None and entry.local is None and entry.problem is None:
            self._say(say("models.asking"))
            threading.Thread(target=self._ask, args=(entry.model,), name="hub", daemon=True).start()

    def _name_one(self, entry: ModelChoice, *, is_listed: bool = False) -> None:
        self._named = () if is_listed else (entry,)
        self._list()
        self.query_one(ModelList).go_to(entry.key)

    def _ask(self, model: str) -> None:
        """Ask the hub; on a thread of its own."""
        try:
            self._answers.append(from_hub(model))
        except QwenTuiError as error:
            self._answers.append(error)

    def action_name(self) -> None:
        """Let the person type the name of a model that is not listed."""
        # At once, not after what is waiting: the slash that begins a path follows on the heels of this one.
        self.set_focus(self.query_one(Input))

    def action_form(self, by: int) -> None:
        """Choose the next form, or the previous one."""
        self._form = CHOICES[(CHOICES.index(self._form) + by) % len(CHOICES)]
        self._show_details()

    def action_back(self) -> None:
        """Stop a load, else leave the field, else close."""
        if isinstance(self.engine_state, Opening):
            self.post_message(self.StopWanted())
        elif self.query_one(Input).has_focus:
            self.set_focus(self.query_one(ModelList))
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the arrow keys and the slash to the field while it is typed in."""
        is_typing = bool(self.query(Input)) and self.query_one(Input).has_focus
        return not (is_typing and action in ("form", "name"))

    def _say(self, words: str, *, is_problem: bool = False) -> None:
        said = self.query_one("#models-said", Static)
        said.update(Content(words))
        said.set_class(not words, "-nothing")
        said.set_class(is_problem, "-problem")
