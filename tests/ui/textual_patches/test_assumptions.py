"""What is taken for granted of Textual's insides, in words, so that a new version says which of it it breaks."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._compositor import Compositor, CompositorUpdate
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.command import CommandPalette
from textual.containers import VerticalScroll
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, Paste
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

import qwen_tui
from qwen_tui.ui.textual_patches.compositor import WholeCharacters, cut_where_it_is_seen
from qwen_tui.ui.textual_patches.focus import focus_at_once
from qwen_tui.ui.textual_patches.frames import watch_frames
from qwen_tui.ui.textual_patches.keymap_first import GivenKeysFirst, keymap_of
from qwen_tui.ui.textual_patches.scrolling import is_anchor_released, lay_out_now
from qwen_tui.ui.textual_patches.text_area import WritingArea
from qwen_tui.ui.widgets.keys import import_every_room

ROOM = "ui/textual_patches/"


def assume(holds: object, that: str) -> None:
    assert holds, f"Textual changed: {that}"


def sets(kind: type, name: str) -> bool:
    """Whether a class, or one that it inherits from, sets this on itself."""
    sources = (inspect.getsource(each) for each in kind.__mro__ if each.__module__.startswith("textual"))
    return any(re.search(rf"self\.{name}\b.*=", source) for source in sources)


# --- One a patch -------------------------------------------------------------------------------------------


def test_a_palette_counts_down_to_saying_that_nothing_matches_and_is_left_with_esc() -> None:
    assume(
        "_start_no_matches_countdown" in CommandPalette.__dict__ and sets(CommandPalette, "_list_visible"),
        "the command palette no longer begins with `_start_no_matches_countdown` to say that nothing matches.",
    )
    assume(
        [each for each in CommandPalette.BINDINGS if isinstance(each, Binding) and each.key == "escape"],
        "the command palette no longer has a binding of esc to be named.",
    )


async def test_a_screen_is_drawn_by_a_compositor_that_cuts_lines_where_widgets_begin() -> None:
    class Two(Screen[None]):
        def compose(self) -> ComposeResult:
            yield Static("x")

    class Host(App[None]):
        def get_default_screen(self) -> Screen[None]:
            return screen

    screen = Two()
    assume(
        isinstance(screen._compositor, Compositor),
        "a screen no longer keeps its compositor in `_compositor`.",
    )
    cut_where_it_is_seen(screen)
    async with Host().run_test(size=(20, 4)):
        compositor = screen._compositor
        assume(
            isinstance(compositor, WholeCharacters),
            "a screen makes itself another compositor when it is shown.",
        )
        assume(
            sets(Compositor, "_cuts"),
            "a compositor no longer remembers its cuts in `_cuts`, which it forgets on reflow.",
        )
        assume(
            isinstance(Compositor.__dict__.get("cuts"), property) and compositor.cuts[0] == [0, 20],
            "lines are no longer cut at `Compositor.cuts`, a list of columns for each line.",
        )


@pytest.mark.parametrize(
    "name",
    [
        "_sigtstp_application",
        "_sigcont_application",
        "_get_terminal_size",
        "run_input_thread",
        "process_message",
    ],
)
def test_the_driver_calls_what_is_replaced_in_it(name: str) -> None:
    source = inspect.getsource(LinuxDriver) + inspect.getsource(LinuxDriver.__mro__[1])
    assume(len(re.findall(rf"\b{name}\b", source)) > 1, f"the terminal's driver no longer calls `{name}`.")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("_writer_thread", "the thread that writes, which tells that the terminal was taken"),
        ("_must_signal_resume", "whether to say that the program goes on"),
        ("_auto_restart", "whether it handles ctrl+z itself"),
        ("_debug", "whether it logs keys"),
        ("_loop", "the event loop"),
    ],
)
def test_the_driver_keeps_what_is_read_from_it(name: str, what: str) -> None:
    assume(sets(LinuxDriver, name), f"the terminal's driver no longer keeps in `{name}` {what}.")


def test_the_kitty_protocol_is_asked_for_with_constants_of_the_driver() -> None:
    source = inspect.getsource(LinuxDriver.start_application_mode) + inspect.getsource(linux_driver)
    for name in ("KITTY_REPORT_ALL_KEYS", "KITTY_REPORT_ASSOCIATED_TEXT"):
        assume(
            hasattr(linux_driver, name) and source.count(name) > 1,
            f"the flags of the kitty keyboard protocol no longer come from `{name}`.",
        )
    assume(
        ANSI_SEQUENCES_KEYS["\x1b[A"][0].value == "up",
        "sequences of keys no longer stand in ANSI_SEQUENCES_KEYS.",
    )


def test_the_parser_of_input_can_be_fed_and_asked_what_it_waits_for() -> None:
    parser = XTermParser()
    assume(
        parser._timeout_time is None and not list(parser.feed("\x1b")) and parser._timeout_time is not None,
        "the parser no longer tells by `_timeout_time` that it waits for what follows an esc.",
    )
    pasted = list(XTermParser().feed(f"{BRACKETED_PASTE_START}x{BRACKETED_PASTE_END}"))
    assume(
        [type(each) for each in pasted] == [Paste] and pasted[0].text == "x",
        "a paste is no longer what stands between BRACKETED_PASTE_START and BRACKETED_PASTE_END.",
    )


async def test_the_keymap_can_be_read_and_bindings_come_from_a_chain_of_copies() -> None:
    class Host(App[None]):
        def get_default_screen(self) -> Screen[None]:
            return GivenKeysFirst()

        def compose(self) -> ComposeResult:
            yield TextArea()

    app = Host()
    async with app.run_test():
        app.set_keymap({"chat.new": "f7"})
        assume(keymap_of(app) == {"chat.new": "f7"}, "the app no longer keeps its keymap in `_keymap`.")
        chain = Screen._binding_chain.fget(app.screen)  # type: ignore[attr-defined]
        assume(
            isinstance(chain[0][0], TextArea) and chain[0][1] is not app.query_one(TextArea)._bindings,
            "`Screen._binding_chain` no longer lists widgets from the focused one up, with copies of bindings.",
        )
        chain[0][1].key_to_bindings.clear()
        assume(
            "f7" in app.screen.active_bindings,
            "the bindings of `Screen._binding_chain` are no longer copies: what is taken out is gone for good.",
        )


async def test_a_key_goes_to_the_focused_widget_once_it_is_given_to_the_app() -> None:
    class Field(Input):
        async def on_key(self, event: Key) -> None:
            forwarded.append(event.is_forwarded)

    class Host(App[None]):
        def compose(self) -> ComposeResult:
            yield Field()

        async def on_event(self, event: events.Event) -> None:
            if isinstance(event, Key):
                seen.append(event.is_forwarded)
            await super().on_event(event)

    seen: list[bool] = []
    forwarded: list[bool] = []
    async with Host().run_test() as pilot:
        await pilot.press("x")
        assume(
            seen[0] is False and forwarded == [True],
            "keys no longer come to `App.on_event` first, with `is_forwarded` set on the way to a widget.",
        )


async def test_a_widget_is_focused_at_once_when_its_styles_are_worked_out() -> None:
    class Host(App[None]):
        CSS = "Input { display: none; } .-open Input { display: block; }"

        def compose(self) -> ComposeResult:
            yield VerticalScroll(Input())

    app = Host()
    async with app.run_test():
        field = app.query_one(Input)
        app.query_one(VerticalScroll).add_class("-open")
        focus_at_once(field)
        assume(
            app.focused is field,
            "`Stylesheet.update_nodes` no longer works the styles of a widget out at once.",
        )


async def test_a_view_knows_that_the_person_has_scrolled_away_from_its_end() -> None:
    class Host(App[None]):
        def compose(self) -> ComposeResult:
            yield VerticalScroll(*(Static(str(number)) for number in range(100)))

    app = Host()
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.query_one(VerticalScroll)
        view.anchor()
        await pilot.pause()
        assume(
            not is_anchor_released(view), "`_anchor_released` is set on a view that is anchored to its end."
        )
        view.scroll_to(y=0, animate=False, immediate=True)
        await pilot.pause()
        assume(
            is_anchor_released(view), "`_anchor_released` no longer tells that the person has scrolled away."
        )


async def test_the_screen_can_be_laid_out_at_once() -> None:
    class Host(App[None]):
        def compose(self) -> ComposeResult:
            yield VerticalScroll(Static("x"))

    app = Host()
    async with app.run_test():
        view, more = app.query_one(VerticalScroll), Static("one\ntwo")
        await view.mount(more)
        lay_out_now(app.screen)
        assume(
            more.virtual_region.height == 2,
            "`Screen._refresh_layout` no longer places what was just mounted.",
        )


async def test_a_text_area_names_what_f6_and_f7_do_and_scrolls_to_a_cursor_beyond_its_text() -> None:
    keys = {each.key: each.action for each in TextArea.BINDINGS}
    assume(
        (keys.get("f6"), keys.get("f7")) == ("select_line", "select_all"),
        "f6 and f7 no longer do `select_line` and `select_all` in a text area.",
    )
    assume(
        issubclass(WritingArea, TextArea) and "scroll_cursor_visible" in vars(TextArea),
        "a text area no longer scrolls with `scroll_cursor_visible`.",
    )


async def test_without_a_terminal_frames_come_to_the_app_all_the_same() -> None:
    app, frames = App(), []
    watch_frames(app, lambda: frames.append(1))
    async with app.run_test() as pilot:
        await pilot.pause()
        assume(frames, "frames no longer pass through `App._display`.")
        assume(
            hasattr(CompositorUpdate, "render_segments"), "a frame is no longer made by `render_segments`."
        )


# --- Nowhere else ------------------------------------------------------------------------------------------


def modules() -> list[tuple[Path, ast.Module]]:
    root = Path(qwen_tui.__file__).parent
    return [
        (path, ast.parse(path.read_text()))
        for path in sorted(root.rglob("*.py"))
        if ROOM not in path.as_posix() and "textual" in path.read_text()
    ]


def test_no_private_module_of_textual_is_imported_outside_this_room() -> None:
    found = [
        f"{path.name}: {node.module}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual._")
    ]
    assert found == []


def test_no_private_name_of_another_object_is_used_outside_this_room() -> None:
    allowed = {"_replace", "_asdict", "_exit"}  # of named tuples and of os
    found = []
    for path, tree in modules():
        own = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        own |= {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        found += [
            f"{path.name}:{node.lineno} {node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and re.match(r"_[a-z]", node.attr)
            and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
            and not (isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()")
            and node.attr not in own | allowed
        ]
    assert found == []


def test_no_class_outside_this_room_replaces_a_private_name_of_textual() -> None:
    import_every_room()
    made_by_textual = set(vars(type("Plain", (Widget,), {}))) | {"_abc_impl", "_inherit_css"}
    found = []
    for kind in every(MessagePump):
        if not kind.__module__.startswith("qwen_tui.") or "textual_patches" in kind.__module__:
            continue
        textuals = [each for each in kind.__mro__ if each.__module__.startswith("textual.")]
        private = {name for each in textuals for name in vars(each) if re.match(r"_[a-z]", name)}
        private |= {name for each in textuals for name in set_by(each)}
        own = {name for name in vars(kind) if re.match(r"_[a-z]", name)} | set_by(kind)
        found += [f"{kind.__qualname__}.{name}" for name in sorted((own & private) - made_by_textual)]
    assert found == []


@cache
def set_by(kind: type) -> frozenset[str]:
    """The private names that the methods of a class set on itself."""
    return frozenset(re.findall(r"self\.(_[a-z]\w*)\s*(?::[^=\n]*)?=[^=]", inspect.getsource(kind)))


def every(kind: type) -> list[type]:
    return [below for each in kind.__subclasses__() for below in (each, *every(each))]
