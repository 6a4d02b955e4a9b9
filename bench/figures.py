"""What the benches measured, as all of them say it: one JSON file a bench in ``bench/results``.

A figure is a name, a unit, how many of what, one value a repetition, and which other figure of the same size it is held
against. ``bench.performance`` makes the table and the chart of docs/performance.md of them.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

RESULTS = Path(__file__).with_name("results")
TICKS = os.sysconf("SC_CLK_TCK")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Figure:
    """``values`` of a ``unit``, one a repetition, over ``size`` of whatever ``of`` names; ``ratio_to`` names the figure
    of the same size that it is divided by, and ``note`` says what a reader must know to compare the two. Who did not
    come to the end has no values, and ``failed`` says why."""

    name: str
    unit: str
    size: int
    of: str
    values: list[float]
    ratio_to: str | None = None
    note: str = ""
    failed: str = ""

    @property
    def median(self) -> float | None:
        return None if self.failed else statistics.median(self.values)


@contextmanager
def noted(failed: dict[K, str], who: K) -> Iterator[None]:
    """Note on one line why somebody could not go on, which ends nobody else."""
    try:
        yield
    except Exception as error:
        failed[who] = " ".join(f"{type(error).__name__}: {error}".split())[:300]


def arguments(doc: str | None, **numbers: int | list[int]) -> argparse.Namespace:
    """The command line of a bench: its numbers by name with their defaults, lists for sizes, and where results go."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in numbers.items():
        more = {"nargs": "+"} if isinstance(default, list) else {}
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}", **more)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON file")
    return parser.parse_args()


def rounds_at(size: int, sizes: list[int], rounds: int) -> int:
    """How often to measure a size: the largest of several once, where one round takes as long as all others."""
    return 1 if size == max(sizes) > min(sizes) else rounds


def save(results: Path, bench: str, figures: Iterable[Figure], skipped: Iterable[str] = ()) -> None:
    """Write a bench's figures to its file, and say them; ``skipped`` says what was not measured, and why.

    ``SystemExit`` afterwards when somebody failed."""
    known = {(figure.name, figure.size): figure for figure in figures}
    said = []
    for figure in known.values():
        beside = known[figure.ratio_to, figure.size].median if figure.ratio_to else None
        # Processor time is counted in hundredths of a second: what is too short for that has no ratio.
        ratio = figure.median / beside if beside and figure.median is not None else None
        said.append(asdict(figure) | {"median": figure.median, "ratio": ratio})
        of = f", {ratio:.3g} of {figure.ratio_to}" if ratio is not None else ""
        value = f"failed: {figure.failed}" if figure.median is None else f"{figure.median:.4g} {figure.unit}{of}"
        print(f"{bench}, {figure.size} {figure.of}: {figure.name} {value}", flush=True)
    for why in skipped:
        print(f"{bench}: skipped {why}", flush=True)
    machine = {"processors": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    file = {
        "bench": bench,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine | {"system": f"{platform.system()} {platform.machine()}"},
        "figures": said,
        "skipped": list(skipped),
    }
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{bench}.json").write_text(json.dumps(file, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if any(figure.failed for figure in known.values()):
        sys.exit(f"{bench}: not everybody came to the end.")


def processor_seconds(root: int) -> float:
    """Seconds of processor time of a process and of all that descend from it, ended ones that were waited for too."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
        spent[int(path.parent.name)] = sum(map(int, fields[11:15]))
    ours, found = {root}, -1
    while len(ours) != found:
        found = len(ours)
        ours |= {each for each, parent in parents.items() if parent in ours}
    return sum(spent.get(each, 0) for each in ours) / TICKS
