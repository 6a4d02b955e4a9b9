"""What tests of the command line share: running it, and seeing what it leaves running."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.forked import Forked


def ezt(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``ezt`` to its end."""
    with TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("stdout", "stderr")]
        code = Forked("ezt.commands", arguments, os.environ | environment, *said).wait()
        return subprocess.CompletedProcess(arguments, code, *(each.read_text("utf-8") for each in said))


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It said no as a command does: one Chinese line with these words on standard error, nothing else, exit code 2."""
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done
    assert any("一" <= letter <= "鿿" for letter in done.stderr)
    for word in words:
        assert word in done.stderr


def running_in(folder: Path) -> list[str]:
    """The command lines of the processes, other than this one, whose environment speaks of a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            speaks = str(folder).encode() in (process / "environ").read_bytes()
            command = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # It has ended meanwhile.
        if speaks and process.name != str(os.getpid()):
            found.append(command)
    return found
