"""A folder for all that a run writes. A run that was killed leaves it; the next one takes it away."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from multiprocessing.util import Finalize
from pathlib import Path

import pytest

MARK = "ezt-run-"
"""How the folders of our runs begin."""
MEMORY = Path("/dev/shm")  # noqa: S108
ROOM = 8 * 2**30
"""Bytes, several times what the suite leaves lying about."""
RUN_FOLDER = pytest.StashKey[Path]()


def make_run_folder(within: Path) -> Path:
    """A new folder, which is locked for as long as this process lives; whatever asks for a temporary folder gets it in
    there, in this process and those that it starts. What runs that are over have left beside it goes."""
    for left in within.glob(f"{MARK}*"):
        # Locked by its run, or somebody else's.
        with suppress(OSError):
            os.close(_locked(left))
            remove(left)
    # Under another name until it is locked: nobody must take it for left.
    made = Path(tempfile.mkdtemp(prefix=f".{MARK}", dir=within))
    _locked(made)
    folder = made.rename(made.with_name(made.name.removeprefix(".")))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def _locked(folder: Path) -> int:
    """The file that holds a folder's lock; ``BlockingIOError`` when another process holds it."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise
    return held


def remove(folder: Path) -> None:
    """Remove a run's folder, and the small disk that a test may have given an installation."""
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        if (there := line.split()[1]).startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", there], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Keep in a folder of this run, in memory where it has room, what tests write: to make a file ext4 goes through
    what was deleted in the last seconds, and a PostgreSQL database has a thousand files."""
    # Hundreds of processes of the program start here: compiled once is enough, whatever this machine likes otherwise.
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    # Whoever is told to end ends what it has started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
        within = os.environ.get("PYTEST_DEBUG_TEMPROOT", MEMORY if memory else tempfile.gettempdir())
        config.stash[RUN_FOLDER] = make_run_folder(Path(within))
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(config.stash[RUN_FOLDER])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What failing tests have written is left to look into, until the next run."""
    folder = session.config.stash.get(RUN_FOLDER, None)
    if folder is not None and exitstatus != pytest.ExitCode.TESTS_FAILED:
        # After multiprocessing has removed its own in there, which it would miss.
        Finalize(None, remove, args=[folder], exitpriority=-200)
