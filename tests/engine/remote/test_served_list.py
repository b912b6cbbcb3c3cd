"""`qwen-tui models` with a server: what it has stands in the list, too."""

import json
from pathlib import Path

import pytest
from loopback_server import Script, with_json

from qwen_tui import cli


def listed(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> str:
    places = ("--data-dir", str(tmp_path / "data"), "--config", str(tmp_path / "none.toml"))
    assert cli.main(["models", *places, *arguments]) == 0
    return capsys.readouterr().out


def test_what_a_server_has_is_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, served: tuple[str, Script]
) -> None:
    address = served[0]
    lines = listed(capsys, tmp_path, "--server", address).splitlines()
    at = lines.index(f"On {address.removeprefix('http://')}")
    assert lines[at + 1].split() == ["Qwen/Qwen2.5-72B-Instruct", "32,768"]
    said = json.loads(listed(capsys, tmp_path, "--server", address, "--json"))
    (entry,) = (entry for entry in said["models"] if entry["server"])
    assert (entry["model"], entry["server"]) == ("Qwen/Qwen2.5-72B-Instruct", address)


def test_a_server_that_cannot_be_asked_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, served: tuple[str, Script]
) -> None:
    address, script = served
    script.answers["/v1/models"] = with_json({"error": "no"}, 401)
    assert "API key required" in listed(capsys, tmp_path, "--server", address)
    said = json.loads(listed(capsys, tmp_path, "--server", address, "--json"))
    (entry,) = (entry for entry in said["models"] if entry["server"])
    assert "QWEN_TUI_API_KEY" in entry["problem"]
