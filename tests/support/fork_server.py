"""A process that has torch and the whole program imported, and forks a child for each Python process a test starts.

Importing takes four seconds of processor time, and the tests start a few hundred processes. A child is what a new
interpreter would be: with descriptors, environment, folder, arguments, and session of its own. It becomes the
child of whoever asked for it, since a process in the middle ends (`forked_popen` has the other half).

The processes of pytest-xdist are forked too, by a server that has collected the tests: their modules are imported
then, and imports take four fifths of the time before the first test.

This file is the server's program; what it is asked comes in on the socket whose descriptor is its first argument.
What pytest is to collect is in the others.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import io
import os
import pickle
import pkgutil
import random
import runpy
import signal
import socket
import struct
import sys
import termios
import threading
import types
from pathlib import Path
from typing import NamedTuple, NoReturn

NAME = b"fork server"
"""What the system calls it."""

FIRST_FREE = 512
"""Descriptors from here on are put aside while the ones below are given their places."""

MODELS = ("llama", "mistral", "qwen2", "qwen3")
"""Architectures of transformers that most tests load."""

GIVEN = dict(os.environ)
"""The environment before anything was imported: libraries set variables of their own (TORCHINDUCTOR_CACHE_DIR)."""


class Wanted(NamedTuple):
    """What a child is to be."""

    arguments: list[str]
    """What follows the interpreter: `-m qwen_tui …`, `-P -c …`, a script, or `-u -c …` of pytest-xdist."""
    environment: dict[str, str]
    folder: str
    descriptors: list[int]
    """The numbers that the descriptors sent with this have in the child."""
    has_session: bool
    takes_terminal: bool
    """Whether what it reads is to be its controlling terminal."""
    umask: int
    """Who may not do what with the files that it makes."""


def send(connection: socket.socket, wanted: Wanted, descriptors: list[int]) -> int:
    """Ask for a child; its process id."""
    data = pickle.dumps(tuple(wanted))
    socket.send_fds(connection, [struct.pack("!i", len(data))], descriptors)
    connection.sendall(data)
    (pid,) = struct.unpack("!i", _received(connection, 4))
    return pid


def serve(connection: socket.socket) -> tuple[Wanted, list[int]]:
    """Fork a child for whatever is asked; returns in the child. Ends the process when nobody can ask any more."""
    while True:
        header, descriptors, _, _ = socket.recv_fds(connection, 4, 64)
        if not header:
            os._exit(0)
        wanted = Wanted(*pickle.loads(_received(connection, *struct.unpack("!i", header))))
        reading, writing = os.pipe()
        middle = os.fork()
        if middle == 0:
            child = os.fork()
            if child == 0:
                connection.close()
                return wanted, descriptors
            os.write(writing, struct.pack("!i", child))
            os._exit(0)
        os.waitpid(middle, 0)
        connection.sendall(os.read(reading, 4))
        for each in (reading, writing, *descriptors):
            os.close(each)


def _received(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise EOFError("the fork server, or who asked it, has ended")
        data += more
    return data


def import_all() -> None:
    """Import what the program and its worker import, at once and later."""
    for architecture in MODELS:
        importlib.import_module(f"transformers.models.{architecture}.modeling_{architecture}")
    import qwen_tui

    for module in pkgutil.walk_packages(qwen_tui.__path__, "qwen_tui."):
        if ".training" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def import_tests(paths: list[str]) -> None:
    """Import the modules of these tests as pytest does, and leave the rest as it was."""
    import pytest

    path, threshold = list(sys.path), gc.get_threshold()
    pytest.main(["--collect-only", "--quiet", "-n0", "-p", "no:cacheprovider", *paths])
    sys.path[:] = path
    gc.set_threshold(*threshold)


def become(wanted: Wanted, descriptors: list[int]) -> None:
    """Make of this process, a moment after it was forked, what was wanted."""
    aside = [fcntl.fcntl(each, fcntl.F_DUPFD, FIRST_FREE) for each in descriptors]
    os.closerange(0, FIRST_FREE)
    for each, number in zip(aside, wanted.descriptors, strict=True):
        os.dup2(each, number)
    os.closerange(FIRST_FREE, FIRST_FREE + len(aside))
    if wanted.has_session:
        os.setsid()
    if wanted.takes_terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    named(b"python")
    os.chdir(wanted.folder)
    os.umask(wanted.umask)
    homes = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted.environment)
    _read_environment_again(homes)
    random.seed()
    sys.orig_argv = [sys.executable, *wanted.arguments]
    is_unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = sys.__stdin__ = _stream(sys.__stdin__, 0, "rb")
    sys.stdout = sys.__stdout__ = _stream(sys.__stdout__, 1, "wb", is_unbuffered)
    sys.stderr = sys.__stderr__ = _stream(sys.__stderr__, 2, "wb", is_unbuffered, by_line=True)


def _read_environment_again(before: dict[str, str]) -> None:
    """What libraries took from the environment when they were imported: take it from that of this process."""
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is None:
        return
    old = dict(vars(constants))
    importlib.reload(constants)
    changed = {
        name: value for name, value in vars(constants).items() if name.isupper() and old[name] != value
    }
    homes = [name for name in ("HF_HOME", "XDG_CACHE_HOME", "HOME") if name in os.environ]
    moved = [(before[name], os.environ[name]) for name in homes]
    for path, module in list(sys.modules.items()):
        if path.partition(".")[0] not in ("huggingface_hub", "transformers", "accelerate"):
            continue
        for name, value in list(vars(module).items()):
            if name in changed and value == old[name]:
                setattr(module, name, changed[name])
            elif isinstance(value, str):
                here = next(
                    (there + value[len(was) :] for was, there in moved if value.startswith(was)), value
                )
                if here != value:
                    setattr(module, name, here)
    sys.modules["huggingface_hub.hf_api"].api.endpoint = constants.ENDPOINT


def _stream(
    like: io.TextIOWrapper, descriptor: int, mode: str, is_unbuffered: bool = False, by_line: bool = False
) -> io.TextIOWrapper:
    raw = open(descriptor, mode, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(
        raw,
        like.encoding,
        like.errors,
        line_buffering=by_line or raw.isatty(),
        write_through=is_unbuffered,
    )


def named(name: bytes) -> None:
    """Have the system call this process so."""
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)  # PR_SET_NAME


def serving_beside() -> socket.socket:
    """Leave a copy of this process behind that forks the children of this one; how it is asked."""
    ours, theirs = socket.socketpair()
    if os.fork():
        theirs.close()
        return ours
    os.setsid()
    os.dup2(theirs.fileno(), 3)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.closerange(4, FIRST_FREE)
    named(NAME)
    run(*serve(socket.socket(fileno=3)))


def run(wanted: Wanted, descriptors: list[int]) -> NoReturn:
    """Be the process that was wanted, to its end."""
    if wanted.arguments[0] == "-u":
        beside = serving_beside()
        kept = fcntl.fcntl(beside.detach(), fcntl.F_DUPFD_CLOEXEC, 2 * FIRST_FREE)
        import forked_popen

        forked_popen.ask(socket.socket(fileno=kept), GIVEN)
    become(wanted, descriptors)
    code = 1
    try:
        _start(wanted.arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        code = 120  # as Python does
    os._exit(code & 0xFF)


def _start(arguments: list[str]) -> None:
    if arguments[0] == "-m":
        import forked_popen

        forked_popen.ask(serving_beside(), dict(os.environ))
        sys.argv = ["-m", *arguments[2:]]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    if arguments[0] not in ("-P", "-u"):
        sys.argv = list(arguments)
        sys.path.insert(0, str(Path(arguments[0]).parent))
        runpy.run_path(arguments[0], run_name="__main__")
        return
    code, *rest = arguments[2:]
    sys.argv = ["-c", *rest]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(code, "<string>", "exec"), vars(main))


if __name__ == "__main__":
    named(NAME)
    sys.path.append(str(Path(__file__).parent))
    if paths := sys.argv[2:]:
        import_tests(paths)
    import_all()
    (alone,) = os.listdir("/proc/self/task")  # a thread would be missing in each child
    gc.collect()
    gc.freeze()
    run(*serve(socket.socket(fileno=int(sys.argv[1]))))
