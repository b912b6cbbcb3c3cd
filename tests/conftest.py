"""What every test gets: a home of its own, and no way to the network; nor to a GPU, unless it is asked for."""

import atexit
import gc
import os
import sys
import tempfile
from pathlib import Path

import forked_popen
import pytest

from qwen_tui import strings

if not Path("/dev/nvidiactl").exists():
    # Triton's kernels run on the processor then. It looks at this when it is imported, by whatever comes first.
    os.environ["TRITON_INTERPRET"] = "1"

# Several test processes take all cores as it is. Threads of one that wait for each other meanwhile turn in circles:
# that took half of the processor time. torch looks at this when it is imported, and so do the workers.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept-screens",
        action="store_true",
        help="let the screen look as it does now: see tests/ui/test_snapshots.py",
    )


def pytest_configure(config: pytest.Config) -> None:
    if "not gpu" in config.option.markexpr or "gpu" not in config.option.markexpr:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        os.environ.pop(
            name, None
        )  # or what starts a program for several tests would have another one than they
    if config.getoption("numprocesses", None) and can_fork():
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        forked_popen.offer_server(Path(folder.name), config.args)


def can_fork() -> bool:
    """Whether processes can be forked: a GPU's driver does not outlive it."""
    return sys.platform == "linux" and os.environ.get("CUDA_VISIBLE_DEVICES") == ""


LOOK_FOR_GARBAGE = (100_000, 5, 10)
"""After how many new objects, and how rarely among older ones.

What was imported is left out, so that the few objects that are left are always many more than before: with
Python's own numbers all of them are looked through several times in each test of the screen, which takes a third of
its processor time.
"""


def pytest_collection_finish() -> None:
    if "textual" in sys.modules:
        import parsed_styles

        parsed_styles.keep()
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # and not before: pytest looks for garbage several times at its end
    gc.set_threshold(*LOOK_FOR_GARBAGE)


@pytest.fixture(autouse=True)
def english_that_nobody_chose(home_of_its_own: Path) -> None:
    """Every test begins as the program does in a locale that names no language."""
    strings.choose()


@pytest.fixture(scope="session", autouse=True)
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Processes of the program start at once: see `fork_server.py`."""
    if can_fork():
        forked_popen.offer_server(tmp_path_factory.mktemp("nobody"))


@pytest.fixture
def plain_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of the program start as they do for a person."""
    monkeypatch.setenv(forked_popen.STARTS_PLAINLY, "1")


@pytest.fixture(autouse=True)
def home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in forked_popen.LEFT_OUT:
        monkeypatch.delenv(name, raising=False)
    # The program is started a few hundred times: where nothing may be kept, each start compiles it anew.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return home
