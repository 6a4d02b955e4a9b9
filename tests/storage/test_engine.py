"""One engine a process: a second one's connections would be nobody's to close."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from runtime.database import engine


def test_threads_that_ask_at_once_get_the_same_engine(home: Path) -> None:
    together = Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        return id(engine())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1
