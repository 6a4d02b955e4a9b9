"""Programs of ours that look at what strangers sent, each in a process of its own with limits on memory and time.

A small file can unfold to anything or take for ever, and where native code reads it, its end would be the end of
whoever called it.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_KEEP_WITHIN = "from tasks.tables.limited_processes import keep_within; keep_within({memory}, {seconds}); {program}"


@contextmanager
def limited_process(
    program: str, file: BinaryIO, memory: int, seconds: int, *arguments: str
) -> Iterator["subprocess.Popen[str]"]:
    """A process that runs ``program``, a line of Python of ours, with ``file`` from its beginning as standard input,
    until the block ends; in at most so many bytes of ``memory`` and ``seconds`` of computing."""
    # Where our own buffer stands is not where the file itself does.
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    command = [sys.executable, "-P", "-c", _KEEP_WITHIN.format(memory=memory, seconds=seconds, program=program)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    # Our own program, with arguments of ours.
    with subprocess.Popen(  # noqa: S603
        [*command, *arguments],
        env=environment,
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
    ) as process:
        try:
            yield process
        finally:
            # Whoever has seen enough does not wait for the rest.
            process.kill()


def keep_within(memory: int, seconds: int) -> None:
    """Limit this process to so many bytes of memory and seconds of computing, without a dump of what it held."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
