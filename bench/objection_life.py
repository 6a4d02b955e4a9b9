"""What an objection costs from its registration to its last notice, beside what one would use instead, in one run on
SQLite and on PostgreSQL, both of which wait for the disk: ``python -m bench.objection_life --cases 20 --rounds 5``.

Eight durable steps, and waits for people in between. Processor milliseconds a case of the contender's process and of
the servers that it needs: PostgreSQL's, Prefect's. Contenders take turns, so that what else the machine does meets all
of them. Our own figures are without Prefect, which a story adds a leg at a time: ``bench.legs`` has its cost.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, arguments, noted, processor_seconds, save
from bench.lives.player import ENGINE_ONLY
from ezt import children
from ezt.up import PREFECT, free_port
from tests.conftest import is_healthy, wait_until
from tests.postgresql_server import create_database, postgresql_server

ROOT = Path(__file__).parents[1]
OTHERS = ROOT / ".venv-bench" / "bin" / "python"
WHOLE = "writes case, answers, limits, audit trail and outbox, encrypted"
LONGEST = 900
"""Seconds that a contender may take for a round, many times what it takes."""
FLOOR, OURS = "SQLAlchemy Core by hand", "this program's steps"


@dataclass(frozen=True)
class Contender:
    """Who plays: the module in ``bench.lives`` with what it is told, beside whom it is put, and what it writes."""

    name: str
    module: str
    note: str
    ratio_to: str | None = OURS
    way: str = ""
    ours: bool = False
    """Whether it runs where the program runs; the others have an environment of their own."""
    kinds: tuple[str, ...] = ("sqlite", "postgresql")


CONTENDERS = (
    Contender(FLOOR, "floor", f"{WHOLE}; decides, renders and looks up nothing", None, ours=True),
    Contender(OURS, "durable_steps", WHOLE, FLOOR, "at-once", ours=True),
    Contender(
        f"{OURS}, replayed at each wait",
        "durable_steps",
        f"{WHOLE}; the story begins again from its first line after each of its four waits",
        FLOOR,
        "in-legs",
        ours=True,
    ),
    Contender("DBOS", "dbos_workflow", ENGINE_ONLY),
    Contender("SpiffWorkflow", "spiff", ENGINE_ONLY, kinds=("sqlite",)),
    Contender("django-viewflow", "viewflow_requests", f"{ENGINE_ONLY}; with Django's requests, sessions and forms"),
    Contender(
        "plain Prefect",
        "prefect_flow",
        f"{ENGINE_ONLY}; worker and server, with what the server does by itself meanwhile; legs are not watched",
        ours=True,
    ),
)


class Player:
    """A contender at work: its process, and the servers whose time it answers for."""

    def __init__(self, contender: Contender, home: Path, url: str, servers: list[int], **environment: str) -> None:
        python = sys.executable if contender.ours else str(OTHERS)
        command = [python, "-m", f"bench.lives.{contender.module}", str(home), url]
        self.contender = contender
        self.process = children.start(
            [*command, contender.way] if contender.way else command,
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._servers = servers

    def wait_until_ready(self) -> None:
        """All may start at once, before any of them is measured. ``RuntimeError`` when it could not."""
        assert self._read() == "ready"

    def _read(self) -> str:
        """The next line that it says; it says one at a time."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], LONGEST)[0]:
            self.process.kill()
            raise RuntimeError(f"said nothing for {LONGEST} s")
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"ended with {self.process.wait()}")
        return str(line)

    def milliseconds(self, cases: int) -> float:
        """Processor time a case, all in all."""
        before = sum(map(processor_seconds, self._servers))
        assert self.process.stdin is not None
        # Who has ended is found out by reading.
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{cases}\n")
            self.process.stdin.flush()
        own = float(self._read())
        return (own + sum(map(processor_seconds, self._servers)) - before) * 1000 / cases

    def stop(self) -> None:
        # Leaving closes its input, at which it ends, and waits for that.
        with suppress(BrokenPipeError), self.process:
            pass


@contextmanager
def prefect_server(home: Path, database: str) -> Iterator[tuple[str, int]]:
    """Prefect's own server on a database; its API's address and its process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    more = {"PREFECT_HOME": str(home), "PREFECT_SERVER_DATABASE_CONNECTION_URL": database, "PREFECT_API_URL": url}
    with (home / "server.log").open("ab") as log:
        server = children.start(
            [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)],
            # It has started another process, which it then ends.
            at_my_end=signal.SIGTERM,
            env=os.environ | PREFECT | more,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: is_healthy(url), "Prefect没有启动", 180)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait(60)


def players(
    stack: ExitStack,
    kind: str,
    contenders: Iterable[Contender],
    folder: Path,
    servers: dict[str, int],
    failed: dict[Contender, str],
) -> dict[Contender, Player]:
    """The contenders, each with a database of its own, ready to play; ``servers`` are database servers by URL. Who
    could not begin is among those who ``failed``."""
    ready: dict[Contender, Player] = {}
    for number, contender in enumerate(contenders):
        home = folder / f"{kind}-{number}"
        home.mkdir()
        url = f"sqlite:///{home / 'bench.db'}"
        for server in servers:
            create_database(server, f"bench_{number}")
            url = f"{server}/bench_{number}"
        processes = list(servers.values())
        reached: dict[str, str] = {}
        if contender.module == "prefect_flow":
            theirs = url.replace("sqlite:", "sqlite+aiosqlite:").replace("psycopg", "asyncpg")
            with noted(failed, contender):
                address, process = stack.enter_context(prefect_server(home, theirs))
            if contender in failed:
                continue
            processes.append(process)
            reached = PREFECT | {"PREFECT_HOME": str(home), "PREFECT_API_URL": address}
        ready[contender] = Player(contender, home, url, processes, **reached)
        stack.callback(ready[contender].stop)
    for contender, player in ready.items():
        with noted(failed, contender):
            player.wait_until_ready()
    return ready


def measure(kind: str, contenders: Sequence[Contender], cases: int, rounds: int) -> list[Figure]:
    """All on one kind of database, by turns."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ezt-life-")))
        servers: dict[str, int] = {}
        if kind == "postgresql":
            data = folder / "server"
            data.mkdir()
            url = stack.enter_context(postgresql_server(data))
            servers[url] = int((data / "postmaster.pid").read_text().split()[0])
        failed: dict[Contender, str] = {}
        ready = players(stack, kind, contenders, folder, servers, failed)
        took: dict[Contender, list[float]] = {contender: [] for contender in contenders}
        for _ in range(rounds):
            for contender, player in ready.items():
                if contender not in failed:
                    with noted(failed, contender):
                        took[contender].append(player.milliseconds(cases))
    return [
        Figure(
            f"{contender.name}, {kind}",
            "CPU ms a case",
            cases,
            "objections a round",
            [] if contender in failed else values,
            contender.ratio_to and f"{contender.ratio_to}, {kind}",
            contender.note,
            failed.get(contender, ""),
        )
        for contender, values in took.items()
    ]


def able(kind: str) -> tuple[list[Contender], list[str]]:
    """Who can play on a kind of database here, and why somebody who could cannot."""
    theirs = [contender for contender in CONTENDERS if kind in contender.kinds]
    missing = [contender for contender in theirs if not contender.ours and not OTHERS.exists()]
    said = [f"{contender.name} on {kind}: .venv-bench is not there, `make bench` makes it" for contender in missing]
    return [contender for contender in theirs if contender not in missing], said


def main() -> None:
    given = arguments(__doc__, cases=20, rounds=5)
    figures, skipped = [], []
    for kind in ("sqlite", "postgresql"):
        contenders, missing = able(kind)
        skipped += missing
        figures += measure(kind, contenders, given.cases, given.rounds)
    save(given.results, "objection_life", figures, skipped)


if __name__ == "__main__":
    main()
