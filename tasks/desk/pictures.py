"""Pages of a PDF as pictures, so that what people handed in is seen in place: nobody's browser opens a stranger's PDF,
and nothing of ours does but in a process that is shut in (``tasks.desk.pdf_renderer``)."""

import os
from collections.abc import Callable
from threading import BoundedSemaphore, Timer

from cachetools import LRUCache

from runtime.refusals import RefusalError
from tasks.tables.limited_processes import limited_process

PROGRAM = "import sys; from tasks.desk.pdf_renderer import main; sys.exit(main())"
MEMORY, SECONDS = 1 << 30, 10
"""Bytes of memory and seconds of computing that a page may take."""
PIXELS = 2_500_000
"""Of a picture: an A4 page at 150 dots an inch has 2,200,000."""
MOST_BYTES = 3 * PIXELS + (1 << 16)
SHOWN_PAGES = 30
"""Pages that are shown in place; of a longer file the rest is read in the file itself."""

_at_work = BoundedSemaphore(2)
"""So many are drawn at the same time in one web process; others wait."""
_counted: LRUCache[str, int] = LRUCache(4096)
"""By their digests, of how many pages files are; 0 of what cannot be shown."""


class NotShownError(RefusalError):
    """A page that cannot be shown."""


def count_pages(sha256: str, content: Callable[[], bytes]) -> None:
    """Find out how many pages a PDF has, by its digest; ``content`` reads it where that is not known yet."""
    if sha256 not in _counted:
        try:
            _counted[sha256] = int(_asked(content(), 0))
        except (NotShownError, ValueError):
            _counted[sha256] = 0


def known_pages(sha256: str) -> int:
    """How many pages a PDF has; 0 for one that cannot be shown, or that nobody has counted."""
    return _counted.get(sha256, 0)


def page_of(content: bytes, number: int) -> bytes:
    """A page of a PDF, counted from 1, as PNG. Raises ``NotShownError``."""
    return _asked(content, number)


def _asked(content: bytes, number: int) -> bytes:
    # In memory only: what is sealed in the database lies open on no disk.
    with _at_work, os.fdopen(os.memfd_create("page"), "w+b") as file:
        file.write(content)
        with limited_process(PROGRAM, file, MEMORY, SECONDS, str(number), str(PIXELS)) as process:
            assert process.stdout is not None  # noqa: S101
            # Who waits for ever does not compute.
            until = Timer(SECONDS * 2, process.kill)
            until.start()
            try:
                answer = process.stdout.buffer.read(MOST_BYTES + 1)  # type: ignore[attr-defined]
                if len(answer) > MOST_BYTES or process.wait() != 0 or not answer:
                    raise NotShownError("这个PDF加了密码、已损坏或过于复杂，不能在此显示，请下载后查看。")
            finally:
                until.cancel()
            return bytes(answer)
