"""What tests of the command line share: running it, and seeing what it leaves running."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect.context import refresh_global_settings_context

from ezt.commands import main
from runtime.settings import settings
from tests.conftest import ROOT

COMMANDS = multiprocessing.get_context("forkserver")
# As legs are: each a process of its own, forked from one that has imported everything, which takes seconds. Unlike
# theirs it has read no settings: each command has others.
WORK = [
    str(file.relative_to(ROOT).with_suffix("")).replace("/", ".")
    for file in sorted((ROOT / "tasks").rglob("[a-z]*.py"))
]
COMMANDS.set_forkserver_preload([__name__, "ezt.backups", "ezt.doctor", "ezt.moving", "ezt.samples.data", *WORK])


def ezt(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``ezt`` to its end."""
    with TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("stdout", "stderr")]
        command = COMMANDS.Process(target=_carry_out, args=(arguments, os.environ | environment, said))
        command.start()
        command.join()
        assert command.exitcode is not None
        return subprocess.CompletedProcess(arguments, command.exitcode, *(each.read_text("utf-8") for each in said))


def _carry_out(arguments: tuple[str, ...], environment: dict[str, str], said: list[Path]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    refresh_global_settings_context()
    for number, file in enumerate(said, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    sys.stdout, sys.stderr = (open(number, "w", encoding=encoding, closefd=False) for number in (1, 2))  # noqa: SIM115
    sys.argv = ["ezt", *arguments]
    main()


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
