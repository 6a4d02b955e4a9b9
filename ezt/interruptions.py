"""What Ctrl-C, or being told to stop, does to a command: it ends, and ``ezt migrate`` says how things stand."""

import os
import signal
import sys
from types import FrameType

NOTHING_CHANGED = "已中断，数据库没有改动，请再运行 ezt migrate。"
_standing = NOTHING_CHANGED


def answer_signals() -> None:
    """Leave by an exception when a signal comes, which ends what was started and removes what was only for the
    moment."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)


def now_stands(what: str) -> None:
    """From here on ``ezt migrate`` says this when it is interrupted."""
    global _standing
    _standing = what


def _leave(number: int, _: FrameType | None) -> None:
    if sys.argv[1:2] == ["migrate"]:
        # Not by print: it may be what was interrupted.
        os.write(2, f"{_standing}\n".encode())
    sys.exit(128 + number)
