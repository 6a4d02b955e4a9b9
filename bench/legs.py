"""What a leg of a case costs: forked from a process that has everything imported, and by Prefect's own process worker,
in one run on PostgreSQL: ``python -m bench.legs --cases 10``.

Two legs of an objection: from its registration to the question that it is suspended on, and from the answer that it is
not accepted to its end. Processor time of worker and legs, of Prefect's server, and of PostgreSQL, less what each of
them uses while nothing happens.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType

from bench.figures import Figure, arguments, noted, processor_seconds, save
from ezt.desk import Desk
from ezt.engine.prefect_access import name_password
from ezt.up import POOL, System, free_port, running
from models.cases import Case
from models.certificates import Certificate, CertificateType
from regulation.objections import Verdict
from runtime.database import reading
from tasks.desk.runs import nudge
from tasks.objections.questions import InitialReview
from tasks.objections.registrations import register_objection
from tests.conftest import certificates_with_address, objection_about, wait_until
from tests.postgresql_server import create_database, postgresql_server

STOCK = "process worker"
START, CLOSE = "start to suspend", "answer to close"
WORKERS = {
    "forked": ("ezt.engine.worker", "--pool", POOL, "--name", "bench"),
    STOCK: ("prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", "bench"),
}


class Meter:
    """The processor time of processes and their descendants by name, less what they use while nothing happens."""

    def __init__(self, processes: dict[str, int], quiet: int) -> None:
        self._processes = processes
        before = self._read()
        time.sleep(quiet)
        self._idle = {name: (now - before[name]) / quiet for name, now in self._read().items()}

    def _read(self) -> dict[str, float]:
        return {name: processor_seconds(process) for name, process in self._processes.items()}

    def measure(self, work: Callable[[], None]) -> dict[str, float]:
        before, began = self._read(), time.monotonic()
        work()
        lasted = time.monotonic() - began
        return {name: now - before[name] - lasted * self._idle[name] for name, now in self._read().items()}


@dataclass
class Office:
    """Objections on their way, and the desk at which they are decided."""

    client: SyncPrefectClient
    desk: Desk
    certificates: Iterator[tuple[Certificate, CertificateType]]
    """Each objected to once: a second objection to the same is joined to the first and has no run."""
    runs: dict[UUID, str] = field(default_factory=dict)

    def register(self, number: int) -> None:
        """So many objections, each to the question that its run is suspended on."""
        for held in islice(self.certificates, number):
            done = register_objection(objection_about(*held), [], secrets.token_hex(8), "KQ001")
            nudge(done.case_no)
            with reading() as session:
                self.runs[UUID(session.get_one(Case, done.case_no).flow_run_id)] = done.case_no
        self.wait(StateType.PAUSED)

    def decline(self) -> None:
        """The answer to each that ends it."""
        for case_no in self.runs.values():
            reason = "所述内容不属于证照登记事项，建议向许可机关反映。"
            self.desk.decide(case_no, InitialReview.question, verdict=Verdict.DECLINE, reason=reason)
        self.wait(StateType.COMPLETED)

    def wait(self, state: StateType) -> None:
        """Until all runs are in this state, seen in Prefect's database: asking the server would be measured too."""
        wanted = "SELECT count(*) FROM flow_run WHERE id = ANY(%s) AND state_type = %s"
        with prefect_database() as prefect:
            wait_until(
                lambda: prefect.execute(wanted, (list(self.runs), state.name)).fetchone() == (len(self.runs),),
                f"not all runs are {state.name}",
                600,
            )


def main() -> None:
    """Processor time of each leg in seconds, per process that spends it, once; ``quiet`` are the seconds in which
    nothing happens before each measurement."""
    given = arguments(__doc__, cases=10, quiet=20)
    with tempfile.TemporaryDirectory(prefix="ezt-legs-") as folder:
        data = Path(folder) / "postgresql"
        data.mkdir()
        with postgresql_server(data) as url:
            for name in ("ezt", "prefect"):
                create_database(url, name)
            os.environ |= {
                "EZT_HOME": str(Path(folder) / "var"),
                "EZT_DATABASE_URL": f"{url}/ezt",
                "EZT_PREFECT_PORT": str(free_port()),
                "EZT_WEB_PORT": str(free_port()),
                "EZT_ONE_TIME_CODES": "false",
                "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"{url.replace('psycopg', 'asyncpg')}/prefect",
            }
            postmaster = int((data / "postmaster.pid").read_text().split()[0])
            with running(samples=True) as system:
                figures = compare(system, postmaster, given.cases, given.quiet)
    save(given.results, "legs", figures)


def compare(system: System, postmaster: int, number: int, quiet: int) -> list[Figure]:
    os.environ |= {"PREFECT_API_URL": system.api_url, "EZT_PREFECT_URL": system.prefect_url}
    figures = []
    name_password()
    with get_client(sync_client=True) as client:
        for each in client.read_deployments(limit=200):
            client.pause_deployment(each.id) if each.schedules else None
        office = Office(client, Desk(client, system.web_url), iter(certificates_with_address()))
        for name, module in WORKERS.items():
            works = {START: lambda: office.register(number), CLOSE: office.decline}
            took: dict[str, tuple[float, str]] = {}
            failed: dict[str, str] = {}
            with noted(failed, name):
                system.processes.pop("worker").terminate()
                system.start("worker", *module)
                processes = {each: system.processes[each].pid for each in ("worker", "prefect")}
                office.runs.clear()
                office.register(1)
                meter = Meter(processes | {"postgresql": postmaster}, quiet)
                for leg, work in works.items():
                    begun = legs_begun()
                    used = meter.measure(work)
                    legs = legs_begun() - begun
                    both = (used["worker"] + used["prefect"]) / legs
                    each_one = ", ".join(f"{who} {seconds / legs:.3f}" for who, seconds in used.items())
                    took[leg] = both, f"worker and server; {each_one} of {legs} legs"
            for leg in works:
                value, note = took.get(leg, (0.0, ""))
                beside = f"{leg}, {STOCK}" if name != STOCK else None
                ended = "" if leg in took else failed[name]
                unit, of = "CPU s a leg", "objections"
                figures.append(Figure(f"{leg}, {name}", unit, number, of, [value], beside, note, ended))
    return figures


def prefect_database() -> psycopg.Connection[tuple[Any, ...]]:
    url = os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"].replace("+asyncpg", "")
    return psycopg.connect(url, autocommit=True)


def legs_begun() -> int:
    """How many legs of any run have begun, by what Prefect keeps."""
    with prefect_database() as prefect:
        return int(prefect.execute("SELECT count(*) FROM flow_run_state WHERE type = 'RUNNING'").fetchone()[0])


if __name__ == "__main__":
    main()
