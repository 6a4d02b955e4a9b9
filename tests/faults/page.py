"""docs/faults.md: what rounds of faults came to, and where the other faults are tested."""

import os
import platform
from dataclasses import dataclass

from runtime import clock
from tests.faults.afterwards import Found
from tests.faults.storm import LATEST, Kill

OTHERS = """\
## Other faults

Each is a test, which `make test` runs.

| fault | tests |
| --- | --- |
| SIGKILL right before and right after every step | `tests/faults/test_kill_at_every_step.py` |
| a short round of these kills | `tests/faults/test_rounds.py` |
| disk full | `tests/faults/test_disk_full.py` |
| database locked, restarted, killed | `tests/faults/test_database_away.py` |
| mail server and bureau away for a day, then coming and going | `tests/faults/test_outside_away.py` |
| a bureau that answers garbage, without end, or by drops | `tests/faults/test_outside_away.py` |
| a bureau whose signatures, secrets or replies are wrong | `tests/gateways/`, `tests/articles/` |
| mail server that refuses, is slow, breaks off | `tests/notices/test_sender.py` |
| the clock set back an hour | `tests/faults/test_clock_set_back.py` |
| Prefect's database deleted; a run cancelled or deleted | `tests/stories/test_recovery.py` |
| two recoveries, two legs of one run at once | `tests/faults/test_two_at_once.py` |
| two dispatchers at once; one killed before it could mark | `tests/notices/test_sender.py` |
| a poisoned template; a poisoned notice | `tests/faults/test_poisoned_template.py`, `tests/notices/test_sender.py` |
| sixteen registrations at once, over two web processes | `tests/faults/test_numbers.py` |
| a worker killed with its legs | `tests/desk/test_worker.py` |
| a move to PostgreSQL that fails half way | `tests/operation/test_moving.py` |
"""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it; ``waited_out`` are the cases for which the time was let pass that recovery waits."""

    seconds: float
    waited_out: int
    found: Found
    answers: dict[str, int]


def page(seed: int, played: Played, planned: list[Kill]) -> str:
    """The table as Markdown."""
    found = played.found
    where = f"{len(os.sched_getaffinity(0))} processors, {platform.system()} {platform.machine()}, "
    where += f"Python {platform.python_version()}"
    rounds = sorted({kill.round for kill in planned})
    lines = [
        "# Rounds of faults",
        "",
        f"Written by `make faults` on {clock.today()}: {where}.",
        "",
        f"{found.cases} objections are open at once on PostgreSQL, with two workers and two web processes as the",
        "operator's guide starts them; everybody answers, and in each round a worker, Prefect's server, the web",
        "processes and PostgreSQL are killed with SIGKILL and started again. What is killed when is drawn from the",
        f"seed {seed}: after so many registrations and answers, and up to {LATEST:g} s later.",
        "",
        "| round | killed | after actions | s until it worked again | legs under way | s until they had gone on |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for kill in planned:
        cells = (kill.round, kill.what, kill.done, f"{kill.back:.1f}", kill.legs, f"{kill.gone_on:.1f}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += [
        "",
        "| afterwards | |",
        "| --- | ---: |",
        f"| kills in {len(rounds)} rounds | {len(planned)} |",
        f"| seconds from the first registration to the last mail | {played.seconds} |",
        f"| cases, each at its end, numbers without a gap | {found.cases} |",
        f"| steps, each once | {found.steps} |",
        f"| requests that the bureau took, each once | {found.requests} |",
        f"| notices, each sent | {found.notices} |",
        f"| mails that came again, with the same Message-ID | {found.again} |",
        f"| steps, entries, notices that happened twice | {found.doubles} |",
        f"| entries of the audit chain, which verifies | {found.entries} |",
        f"| cases that recovery had to wait ten minutes for (let pass) | {played.waited_out} |",
        "",
        OTHERS,
    ]
    return "\n".join(lines)
