"""What tests start often, commands and Prefect's server, forked from a process that has imported everything: to import
takes seconds each time. As legs are, but without settings read: each has others."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect.context import refresh_global_settings_context

from ezt.child import end_with
from runtime.settings import settings

ROOT = Path(__file__).parents[1]
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        __name__,
        "ezt.backups",
        "ezt.commands",
        "ezt.doctor",
        "ezt.engine.prefect_server",
        "ezt.moving",
        "ezt.samples.data",
        *(
            str(file.relative_to(ROOT).with_suffix("")).replace("/", ".")
            for file in sorted((ROOT / "tasks").rglob("[a-z]*.py"))
        ),
    ]
)


class Forked:
    """A running process, of which the same can be asked as of one that ``subprocess`` has started."""

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], *said: Path) -> None:
        """``module``'s ``main`` in a process of its own; what it says is added to a file, or two."""
        self._process = FORKED.Process(target=_carry_out, args=(module, arguments, dict(environment), said))
        self._process.start()

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code; ``TimeoutError`` when it has not ended after so many seconds."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError(f"{self._process.pid} has not ended")
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()


def _carry_out(module: str, arguments: Sequence[str], environment: dict[str, str], said: Sequence[Path]) -> None:
    # The one that it was forked from ends with the tests.
    end_with(os.getppid(), signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    settings.cache_clear()
    refresh_global_settings_context()
    for number, file in enumerate([said[0], said[-1]], start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    sys.stdout, sys.stderr = (open(number, "w", encoding=encoding, closefd=False) for number in (1, 2))  # noqa: SIM115
    sys.argv = ["ezt", *arguments]
    sys.modules[module].main()
