"""How far long work has come, for who waits for it at a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

SECONDS_BETWEEN_LINES = 10


@contextmanager
def progress(verb: str) -> Iterator[Callable[[int, int], None]]:
    """How far work on rows has come, ``verb`` being what is done to them: on a terminal a bar that goes again,
    elsewhere a line now and then, since a million rows take minutes; both on standard error, so that what is printed
    stays what it is."""
    if sys.stderr is None:
        yield lambda _rows, _of: None
        return
    started = said = time.monotonic()
    if not sys.stderr.isatty():

        def tell(rows: int, of: int) -> None:
            nonlocal said
            now = time.monotonic()
            if now - said >= SECONDS_BETWEEN_LINES:
                said, rate = now, rows / (now - started)
                left = timedelta(seconds=round(max(of - rows, 0) / rate))
                print(f"已{verb}{rows}行，共约{of}行，每秒{rate:.0f}行，约剩{left}", file=sys.stderr, flush=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    shown = Progress(
        TextColumn(f"正在{verb}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}行，每秒{task.fields[rate]:.0f}行，约剩"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

    def move(rows: int, of: int) -> None:
        shown.update(task, visible=True, completed=rows, total=of, rate=rows / max(time.monotonic() - started, 0.001))

    with shown:
        task = shown.add_task("", total=None, visible=False, rate=0.0)
        yield move
