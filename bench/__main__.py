"""Every bench, one after the other, and docs/performance.md of what they measured: ``python -m bench``.

One that does not come to its end is a line that says so; the others go on. The exit code is 1 then.
"""

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired

from bench.figures import RESULTS, Figure, save
from bench.performance import DOCS, write
from ezt import children
from tests.run_folders import make_run_folder, remove

BENCHES = (
    "working_days",
    "record_sealing",
    "deadline_watch",
    "desk_list",
    "paper_backfill",
    "bulk_objections",
    "online_supervision",
    "certificate_use",
    "desk",
    "mail",
    "objection_life",
    "legs",
)
LONGEST = 3600
"""Seconds that a bench may take, many times what it takes on two quiet cores."""


def run(bench: str, results: Path, *options: str, seconds: float = LONGEST) -> bool:
    """Whether a bench measured all that it was to measure. Where it ended before it could say anything, that is its
    result."""
    saved = results / f"{bench}.json"
    began = time.time()
    process = children.start([sys.executable, "-m", f"bench.{bench}", "--results", results, *options])
    try:
        ended = f"ended with {process.wait(seconds)}"
    except TimeoutExpired:
        ended = f"not done after {seconds:g} s"
    finally:
        process.kill()
        process.wait()
    if not saved.exists() or saved.stat().st_mtime < began:
        with suppress(SystemExit):
            save(results, bench, [Figure(bench.replace("_", " "), "", 1, "bench", [], failed=ended)])
    return process.returncode == 0


def main() -> None:
    folder = make_run_folder(Path(tempfile.gettempdir()))
    try:
        done = [run(bench, RESULTS) for bench in BENCHES]
    finally:
        remove(folder)
    write(RESULTS, DOCS)
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
