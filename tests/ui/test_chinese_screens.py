"""The screen in Chinese, compared as text with what it looked like before: `snapshots/chinese/NAME-80x24.txt`.

When a screen is meant to look different now, look at the new one and accept it:

    pytest tests/ui/test_chinese_screens.py --accept-screens && git diff tests/ui/snapshots
"""

import difflib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import screens
from noon import zone_of_noon

SNAPSHOTS = Path(__file__).parent / "snapshots" / "chinese"
HOW_TO_ACCEPT = "If it is meant to look so: pytest tests/ui/test_chinese_screens.py --accept-screens"


def test_the_screens_are_in_chinese_and_stand_in_line(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    accepts = request.config.getoption("--accept-screens")
    written = tmp_path / "screens"
    written.mkdir()
    support = str(Path(screens.__file__).parent)
    played = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("chinese_stories.py")),
            str(tmp_path if accepts else SNAPSHOTS),
            str(written),
            str(tmp_path / "work"),
        ],
        env={
            **os.environ,
            "TZ": zone_of_noon(),
            "PYTHONPATH": os.pathsep.join(filter(None, (support, os.environ.get("PYTHONPATH")))),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    now = {file.name: file.read_text(encoding="utf-8") for file in sorted(written.iterdir())}
    before = {file.name: file.read_text(encoding="utf-8") for file in sorted(SNAPSHOTS.glob("*.txt"))}
    if accepts:
        SNAPSHOTS.mkdir(exist_ok=True)
        for name in before.keys() - now.keys():
            (SNAPSHOTS / name).unlink()
        for name, text in now.items():
            (SNAPSHOTS / name).write_text(text, encoding="utf-8")
        return
    differences = [
        line
        for name in sorted(now.keys() | before.keys())
        for line in difflib.unified_diff(
            before.get(name, "").splitlines(),
            now.get(name, "").splitlines(),
            name,
            "the screen now",
            n=2,
            lineterm="",
        )
    ]
    if differences:
        pytest.fail("\n".join((f"The screens have changed.\n{HOW_TO_ACCEPT}\n", *differences)), pytrace=False)
