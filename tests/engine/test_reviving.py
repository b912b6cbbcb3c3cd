"""An engine that keeps dying is not started again and again."""

from doubles import ScriptedEngine
from waiting import wait_for

from qwen_tui.engine import host as hosting
from qwen_tui.engine.base import MakeRoom, ModelSpec, ReportProgress, StopFlag
from qwen_tui.engine.host import EngineHost, Failed, Ready
from qwen_tui.errors import QwenTuiError

SPEC = ModelSpec(model="fragile")


class Openings:
    """Opens engines that are dead on arrival; remembers them."""

    def __init__(self) -> None:
        self.made: list[ScriptedEngine] = []

    def __call__(
        self, spec: ModelSpec, report: ReportProgress, stop: StopFlag, _: MakeRoom
    ) -> ScriptedEngine:
        self.made.append(ScriptedEngine(alive=False))
        return self.made[-1]


def kept_alive(host: EngineHost) -> Failed:
    """What becomes of it when it is looked after as the screen does it, many times a second."""

    def look() -> object:
        host.revive()
        return isinstance(host.state, Failed) and host.state

    failed = wait_for(look)
    assert isinstance(failed, Failed)
    return failed


def test_an_engine_that_dies_at_once_each_time_is_given_up_with_an_error() -> None:
    openings = Openings()
    used: list[object] = []
    host = EngineHost(openings, used.append)
    host.open(SPEC)
    assert kept_alive(host).error.code == "engine.keeps_dying"
    assert len(openings.made) == hosting.MOST_DEATHS
    assert not host.revive()
    assert used[-1] is None


def test_someone_who_opens_it_again_has_it_tried_again() -> None:
    openings = Openings()
    host = EngineHost(openings, lambda _: None)
    host.open(SPEC)
    kept_alive(host)
    host.open(SPEC)
    kept_alive(host)
    assert len(openings.made) == 2 * hosting.MOST_DEATHS


def test_a_load_that_fails_is_not_tried_again_by_itself() -> None:
    wanted = []

    def fail(spec: ModelSpec, report: ReportProgress, stop: StopFlag, _: MakeRoom) -> ScriptedEngine:
        wanted.append(spec)
        if len(wanted) == 1:
            return ScriptedEngine(alive=False)
        raise QwenTuiError("engine.worker_died", how="engine.ended.code", code=1)

    host = EngineHost(fail, lambda _: None)
    host.open(SPEC)
    assert kept_alive(host).error.code == "engine.worker_died"
    assert len(wanted) == 2
    assert not host.revive()


def test_an_engine_that_dies_after_a_long_time_is_always_started_again() -> None:
    openings = Openings()
    host = EngineHost(openings, lambda _: None)
    host.open(SPEC)
    for lives in range(1, 2 * hosting.MOST_DEATHS):
        wait_for(lambda: isinstance(host.state, Ready))
        host._ready_at -= hosting.SOON_SECONDS
        assert host.revive()
        wait_for(lambda lives=lives: len(openings.made) == lives + 1)
