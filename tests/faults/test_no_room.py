"""A disk that is full, read-only or cleared while the program runs: it says so, and saves everything later."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_program import messages_in
from waiting import wait_for

WORDS = [f"word{number}-{'long' * 12} " for number in range(100)]
"""A reply of some pages of the disk, in a hundred pieces."""
PACE = 0.02


class Disk:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (4096, 1):
                try:
                    while filler.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        (self.path / "filler").unlink()

    def forbid(self, name: str) -> None:
        """Let nothing be written in a folder from now on, not even by root."""
        folder = str(self.path / name)
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)

    def allow(self, name: str) -> None:
        subprocess.run(["umount", "--lazy", str(self.path / name)], check=True)

    def drafts(self) -> str:
        """All drafts on the disk."""
        return " ".join(file.read_text() for file in self.path.glob("drafts/*.json"))

    def contents(self) -> list[str]:
        """What was said in the only conversation; nothing while there is none."""
        files = list((self.path / "conversations").glob("[!.]*.json"))
        return [str(message["content"]) for message in messages_in(files[0])] if files else []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "data"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {getattr(error, 'stderr', '') or error}")
    yield Disk(path)
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def has_ended(text: str) -> bool:
    """Whether the end of the reply is on the screen, and nothing can be stopped."""
    return WORDS[-1].strip() in text and "Stop" not in text.rstrip().splitlines()[-1]


def test_a_disk_that_fills_up_while_a_reply_is_written_and_stays_full(disk, scripted) -> None:
    terminal = scripted([WORDS], PACE)
    terminal.type("Count.\r")
    terminal.until("word7")
    disk.fill()
    terminal.until("Running reply not saved", 3)
    terminal.until(has_ended)
    terminal.until("Conversation not saved", 3)
    terminal.settle(1.5)
    assert "recovered" not in terminal.text()
    disk.make_room()
    terminal.until("Saving works again", 3)
    assert disk.contents() == ["Count.", "".join(WORDS)]
    assert not list(disk.path.glob("conversations/*.partial"))


def test_a_disk_that_has_room_again_before_the_reply_ends(disk, scripted) -> None:
    terminal = scripted([WORDS], PACE)
    terminal.type("Count.\r")
    terminal.until("word7")
    disk.fill()
    terminal.until("Running reply not saved", 3)
    disk.make_room()
    terminal.until("Saving works again", 5)
    assert disk.contents() == ["Count.", "".join(WORDS)]


def test_killed_on_a_full_disk_it_comes_back_with_what_the_disk_took(disk, scripted) -> None:
    terminal = scripted([WORDS], PACE)
    terminal.type("Count.\r")
    terminal.until("word7")
    disk.fill()
    terminal.until(has_ended)
    terminal.close()
    again = scripted([])  # on a disk that is still full
    again.until("Reply not recovered")
    disk.make_room()
    again.type("\x11")
    again.wait()
    scripted([]).until("Things to try")
    question, reply = wait_for(lambda: len(disk.contents()) == 2 and disk.contents())
    assert question == "Count."
    assert reply.startswith("word0-")
    assert "".join(WORDS).startswith(reply)


def test_sending_while_the_disk_is_full(disk, scripted) -> None:
    terminal = scripted([["one"], ["two"]])
    disk.fill()
    terminal.type("First.\r")
    terminal.until("one")
    terminal.until("not saved", 3)
    terminal.type("Second.\r")
    terminal.until("two")
    terminal.type("half a thought")
    terminal.settle(1.5)
    disk.make_room()
    terminal.until("Saving works again")
    assert disk.contents() == ["First.", "one", "Second.", "two"]
    wait_for(lambda: "half a thought" in disk.drafts())


def test_a_draft_that_cannot_be_kept_is_said(disk, scripted) -> None:
    terminal = scripted([])
    disk.fill()
    terminal.type("half a thought")
    terminal.until("Draft not saved", 3)
    disk.make_room()
    terminal.until("Saving works again", 3)
    assert "half a thought" in disk.drafts()


def test_a_folder_that_becomes_read_only(disk, scripted) -> None:
    terminal = scripted([["one"], ["two"]])
    terminal.type("First.\r")
    wait_for(lambda: len(disk.contents()) == 2)
    disk.forbid("conversations")
    terminal.type("Second.\r")
    terminal.until("two")
    terminal.until("not saved", 3)
    disk.allow("conversations")
    terminal.until("Saving works again", 3)
    assert disk.contents() == ["First.", "one", "Second.", "two"]


@pytest.mark.parametrize("name", ["conversations", "drafts", "."])
def test_a_folder_that_is_removed_is_made_again(scripted, tmp_path, name) -> None:
    disk = Disk(tmp_path / "data")
    terminal = scripted([WORDS], PACE)
    terminal.type("Count.\r")
    terminal.until("word7")
    terminal.type("half a thought")
    wait_for(lambda: "thought" in disk.drafts())
    shutil.rmtree(disk.path / name)
    terminal.until(has_ended)
    terminal.type(" more")
    terminal.until(lambda _: disk.contents() == ["Count.", "".join(WORDS)], 5)
    terminal.until(lambda _: "half a thought more" in disk.drafts(), 5)
    assert "not saved" not in terminal.text()
