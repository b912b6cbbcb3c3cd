"""How the engine of a running program comes and goes."""

import threading

from doubles import ScriptedEngine
from waiting import wait_for

from qwen_tui.engine.base import LoadProgress, ModelSpec
from qwen_tui.engine.host import Closed, EngineHost, Failed, Opening, Ready
from qwen_tui.errors import QwenTuiError

GOOD, OTHER, BAD = ModelSpec(model="good"), ModelSpec(model="other"), ModelSpec(model="bad")


class Openings:
    """Opens scripted engines; `bad` fails, and `slow` waits to be stopped."""

    def __init__(self) -> None:
        self.made: list[ScriptedEngine] = []
        self.wanted: list[str | None] = []

    def __call__(self, spec, report, stop):
        self.wanted.append(spec.model)
        report(LoadProgress("reading", spec.model or "", 1, 2))
        if spec.model == "slow":
            stop.wait(10)
            raise QwenTuiError("engine.load_stopped")
        if spec.model == "bad":
            raise QwenTuiError("engine.no_such_model")
        self.made.append(ScriptedEngine())
        return self.made[-1]


def host_of(openings):
    used = []
    return EngineHost(openings, used.append), used


def test_opening_ends_with_an_engine_that_is_handed_on() -> None:
    openings = Openings()
    host, used = host_of(openings)
    assert isinstance(host.state, Closed)
    host.open(GOOD)
    state = wait_for(lambda: isinstance(host.state, Ready) and host.state)
    assert state.engine is openings.made[0]
    assert used[-1] is state.engine


def test_a_model_that_fails_is_said_and_the_one_before_comes_back() -> None:
    openings = Openings()
    host, _ = host_of(openings)
    host.open(GOOD)
    wait_for(lambda: isinstance(host.state, Ready))
    host.open(BAD)
    state = wait_for(lambda: isinstance(host.state, Ready) and host.state)
    assert state.spec == GOOD
    assert state.fallback is not None
    assert state.fallback.code == "engine.no_such_model"
    assert openings.made[0].closed


def test_without_a_model_before_a_failure_stands() -> None:
    host, used = host_of(Openings())
    host.open(BAD)
    assert (
        wait_for(lambda: isinstance(host.state, Failed) and host.state).error.code == "engine.no_such_model"
    )
    assert used[-1] is None


def test_a_new_wish_ends_the_opening_under_way() -> None:
    openings = Openings()
    host, _ = host_of(openings)
    host.open(ModelSpec(model="slow"))
    wait_for(lambda: isinstance(host.state, Opening) and host.state.progress.total == 2)
    host.open(OTHER)
    assert wait_for(lambda: isinstance(host.state, Ready) and host.state).spec == OTHER


def test_loading_can_be_stopped() -> None:
    host, _ = host_of(Openings())
    host.open(ModelSpec(model="slow"))
    host.stop_opening()
    assert wait_for(lambda: isinstance(host.state, Failed) and host.state).error.code == "engine.load_stopped"


def test_an_engine_that_has_died_is_opened_again() -> None:
    openings = Openings()
    host, _ = host_of(openings)
    host.open(GOOD)
    wait_for(lambda: isinstance(host.state, Ready))
    assert not host.revive()
    openings.made[0].alive = False
    assert host.revive()
    state = wait_for(lambda: isinstance(host.state, Ready) and host.state)
    assert state.engine is openings.made[1]
    assert openings.wanted == ["good", "good"]


def test_an_engine_that_arrives_after_closing_is_closed_too() -> None:
    gate, made = threading.Event(), []

    def slowly(spec, report, stop):
        gate.wait(10)
        made.append(ScriptedEngine())
        return made[-1]

    host = EngineHost(slowly, lambda engine: None)
    host.open(GOOD)
    host.close()
    gate.set()
    wait_for(lambda: made and made[0].closed)
    assert isinstance(host.state, Closed)
