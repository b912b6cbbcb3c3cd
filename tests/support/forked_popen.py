"""`subprocess.Popen`, but the program, its worker and those of pytest-xdist are forked by a `fork_server`, at once.

Everything else is started as ever, and so are they where a test asks for it (`STARTS_PLAINLY` in the environment)
or where they would have another interpreter: another path to import from, another locale.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from execnet.gateway_io import popen_bootstrapline
from fork_server import Wanted, send

from qwen_tui.ui.terminal import launch

STARTS_PLAINLY = "TESTS_START_PLAINLY"
"""A variable of the environment: nothing is forked where it is set."""

OF_THE_INTERPRETER = (
    "PYTHON",
    "LC_",
    "LANG",
    "TEXTUAL",
    "ESCDELAY",
    "TERM_PROGRAM",
    "TORCH",
    "TRITON",
    "CUDA_VIS",
)
"""Variables that begin so mean something before or while a program is imported."""

SCRIPTS = (str(Path(__file__).parents[1] / "faults" / "scripted_program.py"),)

LEFT_OUT = ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_CACHE", "TMUX", "NO_COLOR", "LC_ALL", "LC_MESSAGES", "LANG")
"""What whoever runs the tests may have in the environment, and no test has; nor has the server."""

LATER = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE")
"""What an interpreter or pytest may set for itself: LC_CTYPE where there is no other locale (PEP 538)."""

_asking = threading.Lock()
_connection: socket.socket | None = None
_environment: dict[str, str] = {}
"""What the server was started with, or is to be."""
_folder: Path | None = None
"""Where the server is to be at home, as long as it has not been started."""
_tests: list[str] = []
"""What the server is to collect."""


def take_terminal() -> None:
    """Make of a new session's terminal, at 0, the one that controls it, as a shell does."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def ask(connection: socket.socket, environment: dict[str, str]) -> None:
    """From now on, let this server fork what is started here."""
    global _connection, _environment
    _connection, _environment = connection, environment
    subprocess.Popen = ForkedPopen  # type: ignore[misc]


def offer_server(folder: Path, tests: Sequence[str] = ()) -> None:
    """From now on, start a server for this process when the first of its children is to be forked.

    It collects these tests, if any. A process that was forked itself has got a server.
    """
    global _environment, _folder
    if _connection is not None:
        return
    _tests[:] = tests
    environment = dict(os.environ)
    # Told apart from what a child is to have in their place.
    environment |= {name: f"{folder}/{name}" for name in ("HOME", "HF_HOME", "XDG_CACHE_HOME")}
    # A library for sums starts threads when it is imported, and threads are lost in a fork.
    environment |= {"HF_HUB_OFFLINE": "1", "OPENBLAS_NUM_THREADS": "1"} | launch.ENVIRONMENT
    for name in ("PYTHONDONTWRITEBYTECODE", *LEFT_OUT):
        environment.pop(name, None)
    _environment, _folder = environment, folder
    subprocess.Popen = ForkedPopen  # type: ignore[misc]


def _server() -> socket.socket:
    """How the server is asked; it is started the first time. To be called with the lock held."""
    global _connection
    if _connection is not None:
        return _connection
    assert _folder is not None
    _connection, theirs = socket.socketpair()
    with theirs, (_folder / "log").open("wb") as log:
        server = Path(__file__).with_name("fork_server.py")
        command = [sys.executable, "-P", str(server), str(theirs.fileno()), *_tests]
        subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=_environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    return _connection


def _meant(environment: Mapping[str, str], first: str) -> dict[str, str]:
    environment = launch.ENVIRONMENT | dict(environment)
    # What a script imports, the server finds as well.
    without = (*LATER, "PYTHONPATH") if first in SCRIPTS else LATER
    return {k: v for k, v in environment.items() if k.startswith(OF_THE_INTERPRETER) and k not in without}


def _is_of_ours(first: str, *more: str) -> bool:
    """Whether an interpreter with these arguments is the program, its worker, or a script of the tests."""
    is_worker = first == "-P" and more[0] == "-c" and "qwen_tui.engine" in more[1]
    return (first, *more)[:2] == ("-m", "qwen_tui") or is_worker or first in SCRIPTS


def _runs_tests(*arguments: str) -> bool:
    """Whether an interpreter with these arguments is one of pytest-xdist's; its environment is that of this one."""
    return bool(_tests) and arguments == ("-u", "-c", popen_bootstrapline)


def _is_forked(args: Any, preexec_fn: Any, environment: Mapping[str, str]) -> bool:
    if not isinstance(args, list) or args[0] != sys.executable:
        return False
    return _runs_tests(*args[1:]) or (
        _is_of_ours(*args[1:4])
        and preexec_fn in (None, take_terminal)
        and STARTS_PLAINLY not in environment
        and _meant(environment, args[1]) == _meant(_environment, args[1])
    )


def _umask() -> int:
    """The one of this process, which can be asked for otherwise only by setting another one."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Umask:")), 8)


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Meanwhile, what is forked for this process by its server becomes its child."""
    prctl = ctypes.CDLL(None).prctl
    prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    try:
        yield
    finally:
        prctl(36, 0, 0, 0, 0)


class ForkedPopen(subprocess.Popen):  # type: ignore[type-arg]
    """A process, started by way of the server if it is one of ours."""

    def _execute_child(  # type: ignore[override]
        self,
        args: Any,
        executable: Any,
        preexec_fn: Any,
        close_fds: bool,
        pass_fds: Any,
        cwd: Any,
        env: Any,
        startupinfo: Any,
        creationflags: Any,
        shell: bool,
        p2cread: int,
        p2cwrite: int,
        c2pread: int,
        c2pwrite: int,
        errread: int,
        errwrite: int,
        restore_signals: bool,
        gid: Any,
        gids: Any,
        uid: Any,
        umask: int,
        start_new_session: bool,
        process_group: int,
    ) -> None:
        environment = os.environ if env is None else env
        if not _is_forked(args, preexec_fn, environment):
            super()._execute_child(  # type: ignore[misc]
                args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell,
                p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, restore_signals, gid, gids, uid, umask,
                start_new_session, process_group,
            )  # fmt: skip
            return
        given = [own if own != -1 else number for number, own in enumerate((p2cread, c2pwrite, errwrite))]
        wanted = Wanted(
            args[1:],
            dict(environment),
            os.fspath(cwd or os.getcwd()),
            [0, 1, 2, *pass_fds],
            start_new_session,
            preexec_fn is take_terminal,
            _umask(),
        )
        try:
            with _asking, _adopting():
                self.pid = send(_server(), wanted, [*given, *pass_fds])
            self._child_created = True
        finally:
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]
