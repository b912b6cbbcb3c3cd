"""The model screen: choose a local, known or named model, see whether it fits, and load it."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.base import ModelInfo, Quantization
from qwen_tui.engine.host import EngineState, Failed, Opening, Ready
from qwen_tui.engine.models.choices import ModelChoice, key, named
from qwen_tui.engine.models.hub_address import repository_in
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.remote.address import is_address
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.models.details import CHOICES, details
from qwen_tui.ui.models.list import ModelList
from qwen_tui.ui.models.questions import before_deleting, before_download, deleted
from qwen_tui.ui.models.sources import Found, Sources, find_models, on_hub, on_server
from qwen_tui.ui.widgets.header import LoadLine
from qwen_tui.ui.widgets.keys import key_of, keys_of
from qwen_tui.ui.widgets.prose import Prose
from qwen_tui.wording.load_progress import fallback_in_words

T = TypeVar("T")

_KEYS = {
    "load": "models.load",
    "name": "models.name",
    "previous": "models.previous_form",
    "next": "models.next_form",
    "delete": "models.delete",
    "close": "models.back",
}
"""The keys on the lower border."""


class ModelScreen(ModalScreen[None]):
    """A screen for choosing a model: posts `Chosen`, and is updated with `engine_state`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", say("models.key.back"), id="models.back"),
        Binding("f4", "dismiss", say("models.key.close"), id="models.close", show=False),
        Binding("left", "form(-1)", say("models.key.previous_form"), id="models.previous_form", show=False),
        Binding("right", "form(1)", say("models.key.next_form"), id="models.next_form", show=False),
        Binding("delete", "delete", say("models.key.delete"), id="models.delete"),
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
        #models-details { height: 9; padding: 1 2 0 2; border-top: solid $foreground 12%; }
        #models-said { height: auto; max-height: 3; padding: 0 2; }
        #models-said.-problem { color: $text-error; }
        #models-said.-nothing { display: none; }
    }
    """

    @dataclass
    class Chosen(Posted):
        """The person wants this model loaded in this format."""

        model: str | None
        server: str | None
        quantization: Quantization

    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """The state of the engine; None before it was requested."""

    def __init__(self, settings: Settings, where: Places) -> None:
        super().__init__()
        self._settings = settings
        self._form = settings.quantization
        self._find = partial(find_models, where.models)
        self._quantized = QuantizedCache(where.quantized)
        self._sources = Sources()
        self._confirming = ""
        """The model whose download or deletion awaits confirmation."""
        self._awaited = ""
        """The model that was chosen here and is loading."""

    def compose(self) -> ComposeResult:
        with Vertical(id="models-box") as box:
            box.border_title = Content(say("models.title"))
            box.border_subtitle = Content(say("models.keys", **keys_of(self, **_KEYS)))
            yield LoadLine(id="models-load")
            yield ModelList(id="models-list")
            yield Input(
                placeholder=say("models.by_name", key=key_of(self, "models.name")),
                id="models-name",
                compact=True,
                select_on_focus=False,
            )
            yield Static(id="models-details", markup=False)
            yield Static(id="models-said", classes="-nothing", markup=False)

    def on_mount(self) -> None:
        self.query_one(ModelList).focus()
        self._say(say("models.searching"))
        self._ask(self._find, self._take_found)
        self.watch_engine_state(None, self.engine_state)

    def watch_engine_state(self, before: EngineState | None, state: EngineState | None) -> None:
        """Show the load progress, and close once the model chosen here is ready."""
        if not self.query(ModelList):
            return
        load, models = self.query_one(LoadLine), self.query_one(ModelList)
        info = self._in_use
        load.progress = state.progress if isinstance(state, Opening) else None
        load.problem = state.error.explanation.title if isinstance(state, Failed) else ""
        models.loaded = key(info.model, info.server) if info is not None else ""
        if self._awaited and isinstance(state, Ready | Failed):
            self._arrived(state)
        elif isinstance(before, Opening) and not isinstance(state, Opening):
            self._ask(self._find, self._take_found)

    def _arrived(self, state: Ready | Failed) -> None:
        match state:
            case Ready(fallback=None, spec=spec, engine=engine):
                info = engine.info
                if self._awaited in (key(spec.model, spec.server), key(info.model, info.server)):
                    self.dismiss()
                return  # else the previous model, which just became ready
            case Ready(fallback=QwenTuiError() as problem, has_stayed=has_stayed):
                words = fallback_in_words(problem, has_stayed=has_stayed)
            case Failed(error):
                words = str(error)
        self._awaited = ""
        self._say(words, is_problem=True)
        self._ask(self._find, self._take_found)

    # --- Finding models -------------------------------------------------------------------------------

    def _ask(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run `work` on a daemon thread, then `then` with its result on the event loop."""

        def asking() -> None:
            result = work()
            with suppress(RuntimeError):  # the screen was closed meanwhile
                self.call_later(then, result)

        threading.Thread(target=asking, name="models", daemon=True).start()

    def _take_found(self, found: Found) -> None:
        self._sources.found = found
        self._list()
        for server in {*found.servers, *filter(None, [self._settings.server])}:
            self._ask(partial(on_server, server), self._take_served)
        if self.query_one("#models-said", Static).content == say("models.searching"):
            self._say("")

    def _take_served(self, entries: tuple[ModelChoice, ...]) -> None:
        self._sources.served[entries[0].server] = entries
        self._list()

    def _take_wanted(self, entries: tuple[ModelChoice, ...]) -> None:
        self._take_served(entries)
        self._say("")
        self.query_one(ModelList).go_to(entries[0].key)

    def _take_named(self, answer: ModelChoice | QwenTuiError) -> None:
        if isinstance(answer, QwenTuiError):
            self._say(str(answer), is_problem=True)
        elif [entry.model for entry in self._sources.named] == [answer.model]:
            self._say("")
            self._name_one(answer)

    @property
    def _in_use(self) -> ModelInfo | None:
        return self.engine_state.engine.info if isinstance(self.engine_state, Ready) else None

    def _list(self) -> None:
        self.query_one(ModelList).rows = self._sources.rows(self._in_use, self._settings)

    @on(ModelList.OptionHighlighted)
    def _show_details(self) -> None:
        row = self.query_one(ModelList).row
        if row is not None:
            in_use = self._in_use
            words = details(row.entry, self._sources.devices(in_use), self._form, self._settings, in_use)
            self.query_one("#models-details", Static).update(words)
            if self._confirming and self._confirming not in (row.entry.key, f"delete {row.entry.key}"):
                self._confirming = ""
                self._say("")

    # --- Choosing a model -----------------------------------------------------------------------------

    @on(ModelList.OptionSelected)
    def _choose(self) -> None:
        row = self.query_one(ModelList).row
        if row is None:
            return
        entry = row.entry
        if entry.is_to_be_downloaded and self._confirming != entry.key:
            self._confirming = entry.key
            devices, key = self._sources.devices(self._in_use), key_of(self, "models.load")
            self._say(before_download(entry, devices, self._form, self._settings, key))
            return
        self._confirming = ""
        self._awaited = entry.key
        self._say("")
        self.post_message(self.Chosen(entry.model or None, entry.server or None, self._form))

    def action_delete(self) -> None:
        """Delete a model from the cache, at the second press."""
        row = self.query_one(ModelList).row
        if row is None:
            return
        entry, asked = row.entry, f"delete {row.entry.key}"
        is_sure, self._confirming = self._confirming == asked, asked
        try:
            question = before_deleting(entry, self.engine_state, key_of(self, "models.delete"))
        except QwenTuiError as error:
            self._say(str(error), is_problem=True)
            return
        self._say(say("models.deleting") if is_sure else question)
        if is_sure:
            self._confirming = ""
            self._ask(partial(deleted, entry, self._quantized), self._take_deleted)

    def _take_deleted(self, said: tuple[str, bool]) -> None:
        self._say(said[0], is_problem=said[1])
        self._sources.named = ()
        self._ask(self._find, self._take_found)

    @on(Input.Submitted)
    def _look_up(self, event: Input.Submitted) -> None:
        event.stop()
        name = repository_in(event.value.strip())
        if not name:
            return
        if is_address(name):
            self.set_focus(self.query_one(ModelList))
            self._say(say("models.asking_server", host=one_line(name.partition("://")[2])))
            self._ask(partial(on_server, name), self._take_wanted)
            return
        listed = next((each for each in self._sources.found.entries if each.model == name), None)
        entry = listed or named(name)
        self._name_one(entry, is_listed=listed is not None)
        self.set_focus(self.query_one(ModelList))
        if entry.size is None and entry.local is None and entry.problem is None:
            self._say(say("models.asking"))
            self._ask(partial(on_hub, entry.model), self._take_named)

    def _name_one(self, entry: ModelChoice, *, is_listed: bool = False) -> None:
        self._sources.named = () if is_listed else (entry,)
        self._list()
        self.query_one(ModelList).go_to(entry.key)

    def action_name(self) -> None:
        # Without delay: a typed path sends its own slash right after this one.
        self.set_focus(self.query_one(Input))

    def action_form(self, by: int) -> None:
        self._form = CHOICES[(CHOICES.index(self._form) + by) % len(CHOICES)]
        self._show_details()

    def action_back(self) -> None:
        if isinstance(self.engine_state, Opening):
            self.call_later(self.run_action, "app.stop_loading")
        elif self.query_one(Input).has_focus:
            self.set_focus(self.query_one(ModelList))
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the arrow keys and the slash to the field while the person types in it."""
        is_typing = bool(self.query(Input)) and self.query_one(Input).has_focus
        return not (is_typing and action in ("form", "name", "delete"))

    def _say(self, words: str, *, is_problem: bool = False) -> None:
        said = self.query_one("#models-said", Static)
        said.update(Prose(words))
        said.set_class(not words, "-nothing")
        said.set_class(is_problem, "-problem")
