"""The screen with a model on a server: chosen, talked to, broken off, continued."""

from dataclasses import replace
from pathlib import Path

import pytest
from loopback_server import Script, delta, end, one_after_the_other, with_events, with_json
from screenplay import Screenplay, say, shown, until

from qwen_tui.engine.models.recent_models import remember
from qwen_tui.engine.opening import open_engine
from qwen_tui.ui.models.list import ModelList
from qwen_tui.ui.models.screen import ModelScreen

Served = tuple[str, Script]


class RemotePlay(Screenplay):
    """Opens servers for real, and everything else as ever."""

    def open_engine(self, spec, report, stop, make_room):
        if spec.server is None:
            return super().open_engine(spec, report, stop, make_room)
        self.loads.append(spec)
        return open_engine(spec, self.where.log_file, report, stop)


@pytest.fixture
def play(tmp_path: Path) -> RemotePlay:
    return RemotePlay(tmp_path / "data")


async def use_server(pilot, address: str) -> None:
    await pilot.press("f4")
    await until(
        pilot,
        lambda: isinstance(pilot.app.screen, ModelScreen) and pilot.app.screen.query_one(ModelList).rows,
    )
    field = pilot.app.screen.query_one("#models-name")
    field.focus()
    field.value = address
    await pilot.press("enter")
    host = address.removeprefix("http://")
    await until(pilot, lambda: f"On {host}" in shown(pilot))
    await pilot.press("enter")
    await until(pilot, lambda: not isinstance(pilot.app.screen, ModelScreen))


async def test_a_server_is_typed_chosen_and_talked_to(play: RemotePlay, served: Served) -> None:
    address, script = served
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        await use_server(pilot, address)
        await until(pilot, lambda: "(vLLM)" in shown(pilot))
        assert f"Qwen2.5-72B-Instruct · {address.removeprefix('http://')}" in shown(pilot)
        await say(pilot, "hello")
        await until(pilot, lambda: "Hello there." in shown(pilot) and "first token" in shown(pilot))
        assert "≈" in shown(pilot).splitlines()[0]
        await pilot.press("shift+tab", "i")
        await until(
            pilot, lambda: "Server" in shown(pilot) and address.removeprefix("http://") in shown(pilot)
        )
        assert "not quantized" not in shown(pilot)
    assert script.bodies()[-1]["messages"][-1] == {"role": "user", "content": "hello"}


async def test_f4_begins_at_the_model_in_use_and_its_server_need_not_answer_for_that(play, served) -> None:
    address, script = served
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        await use_server(pilot, address)
        await until(pilot, lambda: "(vLLM)" in shown(pilot))
        script.answers["/v1/models"] = with_json({"error": "busy"}, 503)
        await pilot.press("f4")
        await until(pilot, lambda: pilot.app.screen.query(ModelList) and "On this machine" in shown(pilot))
        entry = pilot.app.screen.query_one(ModelList).row.entry
        assert (entry.server, entry.name) == (address, "Qwen2.5-72B-Instruct")
        assert "4bit" not in next(
            line for line in shown(pilot).splitlines() if f"On {entry.server[7:]}" in line
        )


async def test_the_server_of_the_settings_is_listed_though_it_never_answered(play: RemotePlay) -> None:
    async with play.running() as pilot:
        pilot.app.settings = replace(pilot.app.settings, server="http://127.0.0.1:9")
        await until(pilot, lambda: play.loads)
        await pilot.press("f4")
        await until(
            pilot, lambda: "On 127.0.0.1:9" in shown(pilot) and "Cannot reach the server" in shown(pilot)
        )


async def test_servers_used_before_are_listed_and_one_that_is_gone_says_so(
    play: RemotePlay, served: Served
) -> None:
    remember(play.where.models, served[0])
    remember(play.where.models, "http://127.0.0.1:9")
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        await pilot.press("f4")
        await until(
            pilot,
            lambda: "Qwen2.5-72B-Instruct  " in shown(pilot) and "Cannot reach the server" in shown(pilot),
        )
        models = pilot.app.screen.query_one(ModelList)
        while models.row.entry.unreachable is None:
            await pilot.press("down")
        await until(pilot, lambda: "Cannot connect to 127.0.0.1:9" in shown(pilot))


async def test_a_reply_that_broke_off_is_kept_and_continued(play: RemotePlay, served: Served) -> None:
    address, script = served
    script.replies(
        one_after_the_other(
            with_events(delta("Once upon"), delta(" a time")), with_events(delta(" there was."), end())
        )
    )
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        await use_server(pilot, address)
        await say(pilot, "tell me")
        await until(pilot, lambda: "Connection lost" in shown(pilot))
        assert "Once upon a time" in shown(pilot)
        await pilot.press("shift+tab", "c")
        await until(pilot, lambda: "Once upon a time there was." in shown(pilot))
    body = script.bodies()[-1]
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert body["messages"][-1] == {"role": "assistant", "content": "Once upon a time"}


async def test_what_a_server_does_not_take_is_said(play: RemotePlay, served: Served) -> None:
    address, script = served
    script.serves({"id": "qwen3:8b", "owned_by": "library"})
    script.answers["/api/version"] = with_json({"version": "0.12"})
    async with play.running() as pilot:
        pilot.app.settings = replace(pilot.app.settings, top_k=5)
        await until(pilot, lambda: play.loads)
        await use_server(pilot, address)
        await say(pilot, "hello")
        await until(pilot, lambda: "Not supported by Ollama and ignored: Top-k" in shown(pilot))


async def test_a_refused_message_comes_back(play: RemotePlay, served: Served) -> None:
    address, script = served
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        await use_server(pilot, address)
        script.replies(with_json({"error": {"message": "no such key"}}, 401))
        await say(pilot, "hello")
        await until(pilot, lambda: "QWEN_TUI_API_KEY" in shown(pilot))
        script.replies(with_events(delta("Welcome back."), end()))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Welcome back." in shown(pilot))


async def test_a_server_that_is_away_is_asked_again_in_sight_and_left_on_esc(
    play: RemotePlay, served: Served
) -> None:
    """One that counts exactly, too, which it cannot do meanwhile."""
    address, script = served

    def gone(handler, _) -> None:
        handler.close_connection = True
        handler.connection.close()

    script.answers["/tokenize"] = with_json({"count": 9})
    async with play.running() as pilot:
        await until(pilot, lambda: play.loads)
        await use_server(pilot, address)
        await until(pilot, lambda: "(vLLM)" in shown(pilot) and "≈" not in shown(pilot))
        script.answers["/tokenize"] = gone
        script.replies(gone)
        await say(pilot, "are you there")
        await until(pilot, lambda: "is not responding. Retrying in" in shown(pilot))
        await until(pilot, lambda: "≈" in shown(pilot).splitlines()[0])
        await until(pilot, lambda: "attempt 3 of 5" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Retrying" not in shown(pilot))
        assert "are you there" in shown(pilot)
        script.answers["/tokenize"] = with_json({"count": 9})
        busy = with_json({"error": "later"}, 503, **{"Retry-After": "2"})
        script.replies(one_after_the_other(busy, with_events(delta("I am."), end())))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "is busy (HTTP 503)" in shown(pilot))
        await until(pilot, lambda: "I am." in shown(pilot) and "Retrying" not in shown(pilot))
