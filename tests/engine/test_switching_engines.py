"""From one model to another with real engine processes: beside each other, and one after the other."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_models
from waiting import wait_for

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Engine, Event, Finished, ModelSpec, PromptMessage, Request, Sampling
from qwen_tui.engine.host import EngineHost, Ready
from qwen_tui.engine.opening import open_engine


class Program:
    """A running program's engine; says whether there is room for two."""

    def __init__(self, log_file: Path) -> None:
        self.has_room = True
        self.answering: list[Engine] = []
        self.stages: list[tuple[str, bool]] = []
        """What was reported of each load, and whether the engine before was alive then."""
        self.before: Engine | None = None
        self.host = EngineHost(
            lambda spec, report, stop, make_room: open_engine(
                spec, log_file, lambda progress: self._note(progress, report), stop, make_room=make_room
            ),
            lambda _: None,
            lambda engine: engine in self.answering,
            lambda *_: self.has_room,
        )

    def open(self, model: Path | str) -> Ready:
        state = self.host.state
        self.before = state.engine if isinstance(state, Ready) else None
        self.host.open(ModelSpec(model=str(model), device="cpu"))
        return wait_for(lambda: isinstance(self.host.state, Ready) and self.host.state, 60)

    def here(self, model: Path) -> Engine:
        """The engine of this model: the one that is there already, if it is this one."""
        state = self.host.state
        is_here = isinstance(state, Ready) and state.spec.model == str(model) and state.engine.alive
        return state.engine if isinstance(state, Ready) and is_here else self.open(model).engine

    def _note(self, progress, report) -> None:
        self.stages.append((progress.stage, self.before is not None and self.before.alive))
        report(progress)


@pytest.fixture(scope="module")
def running(log_file: Path) -> Iterator[Program]:
    running = Program(log_file)
    yield running
    running.host.close()


@pytest.fixture
def program(running: Program) -> Program:
    """With room for two, and with whatever model another test has left."""
    running.has_room = True
    running.answering.clear()
    running.stages.clear()
    return running


@pytest.fixture
def broken(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A model of which a tensor is missing: that is found out when its weights have been read."""
    folder = tiny_models.qwen2(tmp_path / "broken")
    config = json.loads((folder / "config.json").read_text())
    layers = {"num_hidden_layers": 3, "layer_types": ["full_attention"] * 3}
    (folder / "config.json").write_text(json.dumps({**config, **layers}))
    return folder


def ask(engine: Engine, tokens: int) -> Iterator[Event]:
    messages = (PromptMessage(Role.USER, "hello"),)
    sampling = Sampling(greedy=True, max_new_tokens=tokens)
    return engine.stream(Request(messages=messages, sampling=sampling), threading.Event())


def test_a_reply_goes_on_while_another_model_is_loaded_beside_it(
    program: Program, folders: dict[str, Path]
) -> None:
    first = program.open(folders["base"]).engine
    program.answering.append(first)
    reply = ask(first, 400)
    next(reply)
    second = program.open(folders["qwen3"])
    assert second.engine.info.name == "qwen3"
    assert all(is_there for _, is_there in program.stages[-3:])
    *_, last = reply
    assert isinstance(last, Finished)
    assert last.run.stop_reason != "stopped"
    program.answering.clear()
    wait_for(lambda: not first.alive)
    assert isinstance([*ask(second.engine, 3)][-1], Finished)


def test_one_that_fails_leaves_the_one_that_stayed(
    program: Program, folders: dict[str, Path], broken: Path
) -> None:
    first = program.here(folders["qwen2"])
    state = program.open(broken)
    assert (state.engine, state.has_stayed) == (first, True)
    assert state.fallback is not None
    assert state.fallback.code == "engine.missing_tensors"
    assert isinstance([*ask(state.engine, 3)][-1], Finished)


def test_without_room_for_two_the_first_goes_before_anything_is_read_and_comes_back(
    program: Program, folders: dict[str, Path], broken: Path
) -> None:
    first = program.here(folders["qwen2"])
    program.has_room = False
    program.stages.clear()
    state = program.open(broken)
    assert not first.alive
    assert ("resolving", True) in program.stages
    assert {is_there for stage, is_there in program.stages if stage == "reading"} == {False}
    assert (state.spec.model, state.has_stayed) == (str(folders["qwen2"]), False)
    assert state.fallback is not None
    assert isinstance([*ask(state.engine, 3)][-1], Finished)


def test_a_name_that_is_wrong_does_not_cost_the_model_even_without_room(
    program: Program, folders: dict[str, Path]
) -> None:
    first = program.here(folders["qwen2"])
    program.has_room = False
    state = program.open("me/nothing")
    assert (state.engine, state.has_stayed, first.alive) == (first, True, True)
