"""Rounds of faults: ``python -m tests.faults.rounds --cases 200 --rounds 10 --seed 330603``.

On an installation as the operator's guide describes a growing one, so many objections are open at once; in each round a
worker, Prefect's server, the web processes and PostgreSQL are killed (SIGKILL) at moments that the seed draws, and
started again as systemd does it. Afterwards every case must have reached its end with every step once, every notice
must have been sent, and the audit chain must verify: else the exit code is 1. Writes ``docs/faults.md``.
"""

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import psycopg
from aiosmtpd.controller import Controller
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from sqlalchemy import func, select

from ezt.engine.prefect_access import name_password
from ezt.samples import data as sample_data
from ezt.up import free_port
from gateways import stand_in
from gateways.stand_in import Callback, StandIn
from models.notices import NoticeState, OutgoingNotice
from regulation.objections import Bureau
from runtime import clock
from runtime.database import reading
from tasks.desk.runs import recover
from tests.conftest import ROOT, Mailbox, certificates_with_address, forget_settings
from tests.faults.afterwards import look
from tests.faults.lives import lives, proportions
from tests.faults.machine import Machine, machine
from tests.faults.office import DOWN, Office, office
from tests.faults.page import Played, page
from tests.faults.storm import Kill, Storm, kills, say
from tests.interface.conftest import caller_of
from tests.run_folders import make_run_folder, remove

DEPARTMENT = "KQ-SCJG"
HOLDERS = 10
"""For every objection: one in six holds a certificate that the city answers for and that shows an address."""
STILL = 60.0
"""Seconds without any progress after which the time of ten minutes is let pass that recovery waits for a leg."""
GIVEN_UP = 900.0
"""Seconds without any progress after which it is over."""


@contextmanager
def outside(folder: Path, web_port: int) -> Iterator[tuple[Mailbox, StandIn, dict[str, str]]]:
    """The mail server and the city's platform, which nobody kills here; the settings that reach them."""
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    key = sample_data.BUREAU_KEYS[Bureau.CITY]
    back = Callback(
        f"http://127.0.0.1:{web_port}/api/v1/verification-replies",
        key,
        sample_data.application_secret(sample_data.DEFAULT_SEED, key),
    )
    controller.start()
    try:
        with stand_in.running(StandIn("kq-app", "kq-secret", reply_after=0.5, callback=back)) as bureau:
            yield (
                box,
                bureau,
                {
                    "EZT_SMTP_HOST": "127.0.0.1",
                    "EZT_SMTP_PORT": str(port),
                    "EZT_CITY_GATEWAY__URL": bureau.url,
                    "EZT_CITY_GATEWAY__APP_KEY": bureau.app_key,
                    "EZT_CITY_GATEWAY__APP_SECRET": bureau.app_secret,
                    "EZT_ONE_TIME_CODES": "false",
                },
            )
    finally:
        controller.stop()


def play(ours: Machine, box: Mailbox, bureau: StandIn, seed: int, cases: int, rounds: int) -> tuple[Played, list[Kill]]:
    """Play all lives and all rounds to their end."""
    with ExitStack() as stack:
        given = lives(seed, cases, certificates_with_address())
        actions = sum(life.actions for life in given)
        planned = kills(seed, rounds, cases, actions)
        say(f"{cases} cases, {actions} actions: {dict(proportions(given))}")
        players = stack.enter_context(office(given, caller_of(ours.web, DEPARTMENT)))
        storm = Storm(ours, players, planned)
        thread = threading.Thread(target=storm.run, name="storm")
        thread.start()

        def end_storm() -> None:
            storm.stopped = True
            thread.join()

        stack.callback(end_storm)
        began = time.monotonic()
        players.register_all()
        say(f"all registered, {dict(players.answered)}")
        waited_out = _until_closed(players, storm)
        _until_sent()
        took = time.monotonic() - began
        say(f"all closed and all sent after {took:.0f} s")
        end_storm()
        assert not storm.failed, storm.failed
        _measure_legs(ours, planned)
        found = look(given, box.mails, bureau)
        return Played(round(took), waited_out, found, dict(players.answered)), planned


def _until_closed(players: Office, storm: Storm) -> int:
    """Let everybody go on until all cases are closed and all is over; how many cases recovery was told to take for
    dead at once, not after ten minutes."""
    waited_out = 0
    before, since, let_pass, recovered = (0, 0), time.monotonic(), time.monotonic(), False
    while not (players.go_on() and storm.over):
        assert not storm.failed, storm.failed
        now = (players.actions, len(storm.planned) - sum(kill.at is None for kill in storm.planned))
        if now != before:
            before, since = now, time.monotonic()
            let_pass = since
        if storm.over and not recovered:
            # As whoever has just started everything again does (`ezt up`), not to wait for its five minutes.
            recovered = _recover(timedelta()) is not None
        if storm.over and time.monotonic() - let_pass > STILL:
            let_pass = time.monotonic()
            _say_what_is_under_way()
            started = _recover(timedelta(minutes=11))
            waited_out += started or 0
            say(f"ten minutes let pass for {started} cases")
        assert time.monotonic() - since < GIVEN_UP, "no case goes on"
        time.sleep(0.5)
    return waited_out


def _recover(later: timedelta) -> int | None:
    """A recovery as at a later time; how many cases it started, or ``None`` where something is down."""
    try:
        with get_client(sync_client=True) as client:
            return len(recover(client, clock.now() + later).started)
    except DOWN:
        return None


def _say_what_is_under_way() -> None:
    """What is taken for alive though nothing goes on."""
    under_way = FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING])
    with suppress(*DOWN), get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=under_way))):
            say(f"{run.name} is {run.state!r} since {run.state and run.state.timestamp}")


def _until_sent() -> None:
    """Notices that are still queued leave with the next scheduled dispatch."""
    queued = select(func.count()).where(OutgoingNotice.state == NoticeState.QUEUED)
    until = time.monotonic() + GIVEN_UP
    while True:
        with reading() as session:
            if not session.scalar(queued):
                return
        assert time.monotonic() < until, "notices are not sent"
        time.sleep(1)


def _measure_legs(ours: Machine, planned: list[Kill]) -> None:
    """Of every kill: the legs that were under way, and how long until the last of them had ended or was tried again."""
    url = ours.host.environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"].replace("+asyncpg", "")
    under_way = """
        SELECT count(*), max(extract(epoch FROM next - %(at)s)) FROM (
            SELECT type, timestamp, lead(timestamp) OVER (PARTITION BY flow_run_id ORDER BY timestamp) AS next
            FROM flow_run_state) AS states
        WHERE type IN ('PENDING', 'RUNNING') AND timestamp <= %(at)s AND next > %(at)s"""
    with psycopg.connect(url) as prefect:
        for kill in planned:
            legs, seconds = prefect.execute(under_way, {"at": kill.at}).fetchone() or (0, None)
            kill.legs, kill.gone_on = legs, round(float(seconds or 0), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=330603)
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "faults.md", help="the Markdown file to write")
    parser.add_argument("--results", type=Path, help="a JSON file to write, too")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the installation, to look into it")
    given = parser.parse_args()
    # The stand-in tries replies again while nobody takes them, and says so.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    # Told to stop, it stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        if given.keep:
            folder = Path(tempfile.mkdtemp(prefix="ezt-faults-"))
            say(f"in {folder}")
        else:
            folder = make_run_folder(Path(tempfile.gettempdir()))
            stack.callback(remove, folder)
        web_port = free_port()
        box, bureau, reached = stack.enter_context(outside(folder, web_port))
        ours = stack.enter_context(machine(folder, web_port, HOLDERS * given.cases, **reached))
        say("the installation runs")
        os.environ |= {"EZT_HOME": str(ours.home), "PREFECT_API_URL": ours.host.api}
        forget_settings()
        name_password()
        played, planned = play(ours, box, bureau, given.seed, given.cases, given.rounds)
    for wrong in played.found.wrong:
        say(f"WRONG: {wrong}")
    say(f"{played}")
    if given.results:
        content = {"seed": given.seed, "played": asdict(played), "kills": [asdict(kill) for kill in planned]}
        given.results.write_text(
            json.dumps(content, default=str, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    if played.found.wrong:
        sys.exit(1)
    given.page.write_text(page(given.seed, played, planned), encoding="utf-8")


if __name__ == "__main__":
    main()
