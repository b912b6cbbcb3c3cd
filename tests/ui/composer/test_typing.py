"""Bytes into a real terminal, messages out of the composer."""

import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from on_a_pty import LittleApp


def test_a_commit_of_ten_chinese_characters_arrives_whole_and_a_cluster_goes_at_once(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        app.write("中文中文中文中文中文".encode())
        app.until(lambda: app.draft == "中文中文中文中文中文")
        assert b"\x1b[>1u" in app.raw
        assert app.screen.cursor.x == 2 + 20
        app.write(b"\r")
        app.until(lambda: app.sent == ["中文中文中文中文中文"])
        app.write("❤️👍🏽a\u200cb".encode())
        app.until(lambda: app.draft == "❤️👍🏽a\u200cb")
        app.settle()
        assert app.screen.cursor.x == 2 + 5
        assert "\ufe0f".encode() not in app.raw
        app.write(b"\x7f" * 2)
        app.until(lambda: app.draft == "❤️👍🏽")
        app.write(b"\x7f")
        app.until(lambda: app.draft == "❤️")
        app.write(b"\x1b[Dx")
        app.until(lambda: app.draft == "x❤️")


def test_the_cursor_of_the_terminal_stands_in_the_composer(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        app.settle()
        assert (app.screen.cursor.x, app.screen.cursor.y) == (2, 22)
        for _ in range(3):
            app.write(b"\n")
        app.write("第四行".encode())
        app.until(lambda: app.draft.endswith("第四行"))
        app.settle()
        assert (app.screen.cursor.x, app.screen.cursor.y) == (8, 22)


@pytest.mark.parametrize(
    "newline", [b"\n", b"\x1b\r", b"\x1b[13;2u", b"\x1b[13;5u", b"\x1b[27;2;13~", b"\\\r"]
)
def test_every_other_enter_is_a_new_line(tmp_path: Path, newline: bytes) -> None:
    with LittleApp(tmp_path, answers=False) as app:
        app.write(b"one")
        app.until(lambda: app.draft == "one")
        app.write(newline)
        app.settle(0.1)
        app.write(b"two")
        app.until(lambda: app.draft == "one\ntwo")
        assert app.sent == []


def test_a_bracketed_paste_with_escapes_lands_whole_and_does_nothing(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        app.write(
            b"\x1b[200~one\r\n\x1b[31mtwo\x1b[0m \x1b]52;c;ZXZpbA==\x07three\r\n\x1b[13~four\r\x1b[201~"
        )
        app.until(lambda: app.draft == "one\ntwo three\nfour")
        app.settle()
        assert app.sent == []
        assert b"\x1b]52" not in app.raw


def test_an_unbracketed_paste_of_lines_is_not_sent(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        app.write(b"first\rsecond\r\rthird\r")
        app.until(lambda: app.draft == "first\nsecond\n\nthird")
        app.settle()
        assert app.sent == []


def test_a_megabyte_without_brackets_is_not_sent(tmp_path: Path) -> None:
    lines = "\r".join(f"line {number} of a long paste" for number in range(30_000))
    with LittleApp(tmp_path) as app:
        app.write(lines.encode())
        app.until(lambda: "Pasted text" in app.text())
        app.settle()
        assert app.sent == []


def test_what_is_typed_ahead_with_an_enter_is_sent(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        app.write("你好\r".encode())
        app.until(lambda: app.sent == ["你好"])


def test_what_is_typed_in_one_go_keeps_its_order(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        app.write(b"abx\x7fc\x1b[D\x1b[DX\x05\x0ad")
        app.until(lambda: app.draft == "aXbc\nd")


def test_a_large_paste_is_attached_and_sent_whole_in_order(tmp_path: Path) -> None:
    paste = "\n".join(f"{number}: 一二三四五" for number in range(20_000))
    with LittleApp(tmp_path) as app:
        app.write(b"\x1b[200~" + paste.replace("\n", "\r").encode() + b"\x1b[201~")
        app.until(lambda: "Pasted text · 20,000 lines" in app.text())
        app.write(b"What is this?")
        app.until(lambda: app.draft.endswith("this?"))
        app.write(b"\r")
        app.until(lambda: bool(app.sent))
        assert app.sent == [f"{paste}\n\nWhat is this?"]


def test_descriptors_lead_to_a_log_file_of_the_owner(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        app.write(b"\x11")
        assert app.ended() == 0
        assert "native noise" in app.log.read_text()
        assert b"native noise" not in app.raw
        assert stat.S_IMODE(app.log.stat().st_mode) == 0o600
        app.assert_sane()


def test_chinese_is_drawn_in_a_plain_locale(tmp_path: Path) -> None:
    with LittleApp(tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0") as app:
        app.write("广州美食".encode())
        app.until(lambda: "广" in app.text())


def test_in_tmux_modified_keys_are_asked_for_and_given_back(tmp_path: Path) -> None:
    with LittleApp(tmp_path, TMUX="/tmp/none,1,0", TERM_PROGRAM="tmux", TERM_PROGRAM_VERSION="3.3a") as app:
        app.until(lambda: b"\x1b[>4;1m" in app.raw)
        app.write(b"\x11")
        assert app.ended() == 0
        assert app.raw.rfind(b"\x1b[>4;0m") > app.raw.rfind(b"\x1b[>4;1m")


def test_the_editor_edits_the_message(tmp_path: Path) -> None:
    editor = tmp_path / "an editor"
    editor.write_text('#!/bin/sh\necho editing > /dev/tty\nread answer < /dev/tty\necho "$answer" >> "$1"\n')
    editor.chmod(0o755)
    with LittleApp(tmp_path, EDITOR=f"'{editor}'") as app:
        app.write("一".encode())
        app.until(lambda: app.draft == "一")
        app.write(b"\x0f")
        app.until(lambda: "editing" in app.text())
        os.kill(app.pid, signal.SIGINT)  # ctrl+c in the editor is not meant for us
        app.write(b"from outside\n")
        app.until(lambda: app.draft == "一from outside")
        app.until(lambda: "from outside" in app.text())
        app.write(b"\x1a")
        app.until(lambda: app.draft == "一")
        app.write(b"\x11")
        assert app.ended() == 0
        app.assert_sane()


@pytest.mark.parametrize("editor", ["no-such-editor --wait", "'unbalanced", "false"])
def test_an_editor_that_fails_leaves_the_text(tmp_path: Path, editor: str) -> None:
    with LittleApp(tmp_path, VISUAL=editor) as app:
        app.write(b"kept")
        app.until(lambda: app.draft == "kept")
        app.write(b"\x0f")
        app.until(lambda: any(event.startswith("failed") for event in app.events))
        app.write(b"\r")
        app.until(lambda: app.sent == ["kept"])


def test_without_a_terminal_it_says_so_and_ends_with_2(tmp_path: Path) -> None:
    import subprocess

    app = str(Path(__file__).parents[2] / "support" / "little_app.py")
    done = subprocess.run(
        [sys.executable, app, str(tmp_path / "log")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
