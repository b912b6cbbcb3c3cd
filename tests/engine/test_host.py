"""How the engine of a running program comes and goes."""

import threading
from dataclasses import replace
from pathlib import Path

from doubles import ScriptedEngine
from waiting import wait_for

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec
from qwen_tui.engine.host import Asleep, Closed, EngineHost, Failed, Opening, Ready
from qwen_tui.errors import QwenTuiError

GOOD, OTHER, BAD = ModelSpec(model="good"), ModelSpec(model="other"), ModelSpec(model="bad")


class Openings:
    """Opens scripted engines; `bad` fails, `nowhere` is not found, and `slow` waits to be stopped."""

    def __init__(self) -> None:
        self.made: list[ScriptedEngine] = []
        self.wanted: list[str | None] = []
        self.freed: list[ModelInfo | None] = []

    def __call__(self, spec, report, stop, make_room):
        self.wanted.append(spec.model)
        self.freed.append(make_room.freed)
        if spec.model == "nowhere":
            raise QwenTuiError("engine.no_such_model")
        make_room.free(Path("/models") / spec.model)
        report(LoadProgress("reading", spec.model or "", 1, 2))
        if spec.model == "slow":
            stop.wait(10)
            raise QwenTuiError("engine.load_stopped")
        if spec.model == "bad":
            raise QwenTuiError("engine.no_such_model")
        self.made.append(ScriptedEngine())
        return self.made[-1]


def host_of(openings, *, fits_beside=False, is_answering=lambda _: False):
    used = []
    return EngineHost(openings, used.append, is_answering, lambda *_: fits_beside), used


def opened(host, spec):
    """Open a model and wait for it."""
    host.open(spec)
    return wait_for(lambda: isinstance(host.state, Ready) and host.state)


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
    assert not state.has_stayed
    assert openings.made[0].closed
    assert openings.wanted == ["good", "bad", "good"]


def test_who_opens_a_model_knows_which_one_makes_room_for_it() -> None:
    openings = Openings()
    host, _ = host_of(openings)
    opened(host, GOOD)
    host.open(OTHER)
    wait_for(lambda: len(openings.made) == 2)
    assert openings.freed == [None, openings.made[0].info]


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

    def slowly(spec, report, stop, make_room):
        gate.wait(10)
        made.append(ScriptedEngine())
        return made[-1]

    host = EngineHost(slowly, lambda engine: None)
    host.open(GOOD)
    host.close()
    gate.set()
    wait_for(lambda: made and made[0].closed)
    assert isinstance(host.state, Closed)


# --- With room for two ------------------------------------------------------------------------------------


def test_with_room_for_both_the_model_before_stays_until_the_new_one_answers() -> None:
    openings = Openings()
    host, used = host_of(openings, fits_beside=True)
    opened(host, GOOD)
    host.open(ModelSpec(model="slow"))
    wait_for(lambda: isinstance(host.state, Opening) and host.state.progress.total == 2)
    assert not openings.made[0].closed
    state = opened(host, OTHER)
    assert state.engine is openings.made[1] is used[-1]
    wait_for(lambda: openings.made[0].closed)
    assert not openings.made[1].closed


def test_with_room_for_both_a_model_that_fails_leaves_the_one_before_as_it_is() -> None:
    openings = Openings()
    host, used = host_of(openings, fits_beside=True)
    before = opened(host, GOOD).engine
    state = opened(host, BAD)
    assert (state.engine, state.spec, state.has_stayed) == (before, GOOD, True)
    assert state.fallback.code == "engine.no_such_model"
    assert used[-1] is before
    assert not before.closed
    assert openings.wanted == ["good", "bad"]


def test_a_model_that_is_not_even_found_costs_nothing() -> None:
    openings = Openings()
    host, _ = host_of(openings, fits_beside=False)
    before = opened(host, GOOD).engine
    state = opened(host, ModelSpec(model="nowhere"))
    assert state.engine is before
    assert state.has_stayed
    assert not before.closed


def test_a_load_that_is_stopped_leaves_the_model_before_where_it_has_stayed() -> None:
    openings = Openings()
    host, _ = host_of(openings, fits_beside=True)
    before = opened(host, GOOD).engine
    host.open(ModelSpec(model="slow"))
    wait_for(lambda: openings.wanted == ["good", "slow"])
    host.stop_opening()
    state = wait_for(lambda: isinstance(host.state, Ready) and host.state)
    assert state.engine is before
    assert state.fallback.code == "engine.load_stopped"


def test_a_running_reply_is_written_to_its_end_before_its_engine_goes() -> None:
    openings, answering = Openings(), [True]
    host, _ = host_of(openings, fits_beside=True, is_answering=lambda engine: answering[0])
    before = opened(host, GOOD).engine
    opened(host, OTHER)
    assert not before.closed
    answering[0] = False
    wait_for(lambda: before.closed)


def test_leaving_the_program_ends_what_is_still_there() -> None:
    openings = Openings()
    host, _ = host_of(openings, fits_beside=True, is_answering=lambda engine: True)
    opened(host, GOOD)
    opened(host, OTHER)
    host.open(ModelSpec(model="slow"))
    wait_for(lambda: "slow" in openings.wanted)
    host.close()
    wait_for(lambda: all(engine.closed for engine in openings.made))


def test_a_second_wish_while_one_is_opened_keeps_the_model_that_answers() -> None:
    openings = Openings()
    host, _ = host_of(openings, fits_beside=True)
    before = opened(host, GOOD).engine
    host.open(ModelSpec(model="slow"))
    wait_for(lambda: "slow" in openings.wanted)
    assert opened(host, BAD).engine is before
    host.open(ModelSpec(model="slow"))
    wait_for(lambda: openings.wanted.count("slow") == 2)
    state = opened(host, GOOD)  # back to what is there
    assert state.engine is before
    assert state.fallback is None
    assert openings.wanted.count("good") == 1


def test_opening_the_same_model_again_starts_it_afresh() -> None:
    openings = Openings()
    host, _ = host_of(openings, fits_beside=True)
    before = opened(host, GOOD).engine
    host.open(GOOD)
    state = wait_for(lambda: isinstance(host.state, Ready) and host.state.engine is not before and host.state)
    assert before.closed
    assert state.engine is openings.made[1]


# --- A model that nobody asks -----------------------------------------------------------------------------


def asleep(host):
    """Let the model be unloaded, and wait for its engine to be gone."""
    host.rest(0)
    assert isinstance(host.state, Asleep)
    wait_for(lambda: not host.state.engine.alive)
    return host.state


def test_a_model_that_rests_is_unloaded_and_wakes_as_it_was() -> None:
    openings = Openings()
    host, used = host_of(openings)
    opened(host, GOOD)
    host.rest(60)
    assert isinstance(host.state, Ready)  # it has not been there for so long
    state = asleep(host)
    assert (state.spec, state.engine.closed, used[-1]) == (GOOD, True, None)
    assert not host.revive()
    host.wake()
    state = wait_for(lambda: isinstance(host.state, Ready) and host.state)
    assert (state.spec, state.fallback) == (GOOD, None)
    assert state.engine is openings.made[1] is used[-1]
    host.wake()
    assert host.state is state


def test_a_model_that_answers_does_not_go_to_sleep() -> None:
    host, used = host_of(Openings(), is_answering=lambda engine: True)
    engine = opened(host, GOOD).engine
    host.rest(0)
    assert isinstance(host.state, Ready)
    assert used[-1] is engine
    assert not engine.closed


def test_a_servers_model_does_not_go_to_sleep() -> None:
    openings = Openings()
    host, _ = host_of(openings)
    engine = opened(host, GOOD).engine
    engine.info = replace(engine.info, server="http://127.0.0.1:1")
    host.rest(0)
    assert isinstance(host.state, Ready)
    assert not engine.closed


def test_where_another_model_fails_the_one_asleep_comes_back() -> None:
    host, _ = host_of(Openings())
    opened(host, GOOD)
    asleep(host)
    state = opened(host, BAD)
    assert (state.spec, state.has_stayed) == (GOOD, False)
    assert state.fallback is not None
