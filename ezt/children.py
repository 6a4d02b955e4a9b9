"""Processes that end with this one, however it ends: a server must not be left behind by whoever was killed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any

from ezt import child

_STARTER = ThreadPoolExecutor(1, "children")
"""The kernel looks at the thread that forked, which therefore has to live as long as the process does."""


def start(
    command: Sequence[str | Path], *, at_my_end: Signals = SIGKILL, user: tuple[int, int] | None = None, **how: Any
) -> "subprocess.Popen[Any]":
    """Start a program, as ``subprocess.Popen`` does with ``how``; it is sent the signal ``at_my_end``.

    One that starts others should hear a signal at which it ends them. ``user`` is whom it runs as, by the numbers of
    user and group. A program that is not there shows by its exit code.
    """
    uid, gid = user or (os.geteuid(), os.getegid())
    launched = [
        sys.executable,
        "-I",
        "-S",
        child.__file__,
        *map(str, (os.getpid(), int(at_my_end), uid, gid)),
        *command,
    ]
    return _STARTER.submit(lambda: subprocess.Popen(launched, **how)).result()
