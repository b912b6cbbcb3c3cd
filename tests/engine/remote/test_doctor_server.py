"""`qwen-tui doctor` with a server: whether it answers, what it is and has, and what to do where it does not."""

import socket
from pathlib import Path

import pytest
from loopback_server import Script, with_json

from qwen_tui.commands.doctor.server import server_checks
from qwen_tui.engine.remote.api_key import VARIABLE
from qwen_tui.strings import say


def looked_at(address: str, model: str | None = None) -> dict[str, tuple[str, str, str]]:
    return {check.name: (check.state, check.said, check.hint) for check in server_checks(address, model)}


def test_it_says_what_a_server_is_and_has(
    served: tuple[str, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, script = served
    monkeypatch.setenv(VARIABLE, "sk-averysecretkey")
    checks = looked_at(address)
    assert checks["server"][0] == "ok"
    assert address.removeprefix("http://") in checks["server"][1]
    assert checks["served"][1].startswith("1: Qwen/Qwen2.5-72B-Instruct")
    assert checks["key"] == ("ok", say("doctor.key.set"), "")
    assert "averysecret" not in str(checks)
    script.serves(*({"id": f"model-{n}"} for n in range(9)))
    assert looked_at(address)["served"][1] == "9: model-0, model-1, model-2, model-3, …"


def test_a_server_without_models_says_to_name_one(served: tuple[str, Script]) -> None:
    address, script = served
    script.serves()
    assert looked_at(address)["served"][0] == "note"
    assert "--model" in looked_at(address)["served"][2]
    assert looked_at(address, "mine")["served"][2] == ""


def test_a_server_that_wants_a_key_or_is_away_fails_with_what_to_do(served: tuple[str, Script]) -> None:
    address, script = served
    script.answers["/v1/models"] = with_json({"error": "no"}, 401)
    state, _, hint = looked_at(address)["server"]
    assert (state, VARIABLE in hint) == ("fails", True)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = looked_at(f"http://me:verysecret@127.0.0.1:{nobody.getsockname()[1]}")
    assert away["server"][0] == "fails"
    assert away["server"][2]
    assert "verysecret" not in str(away)
    assert looked_at("gopher://what")["server"][0] == "fails"


def test_a_silent_server_is_given_up_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        checks = looked_at(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert checks["server"][0] == "fails"


def test_the_command_has_a_section_for_it(
    served: tuple[str, Script],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from qwen_tui import cli
    from qwen_tui.commands import doctor
    from qwen_tui.engine.library_check import PARTS, Part

    monkeypatch.setattr(doctor, "examine", lambda: dict.fromkeys(PARTS, Part(True, "")))
    places = ("--data-dir", str(tmp_path / "data"), "--config", str(tmp_path / "none.toml"))
    assert cli.main(["doctor", *places, "--server", served[0]]) == 0
    assert "\nServer\n  ✓ Server" in capsys.readouterr().out
