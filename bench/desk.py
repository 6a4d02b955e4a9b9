"""What staff wait for at the desk, over so many open cases: ``python -m bench.desk --cases 1000 10000 --rounds 5``.

Milliseconds from a request over loopback until its answer is there, one request after the other, as one person's: the
list, a case's page, and an answer, signed with a fresh code, until it is on record. Each round asks ``answers`` times.
Pages stand beside one that looks nothing up, the answer beside recording it without page and form; before there was a
desk, it was on record 11 to 21 seconds after the click in the list (docs/adr/0018).

And seconds from an answer until the case asks its next question, for ``lives`` cases: what the case's run does in a
leg, with our worker and with Prefect's own.
"""

import os
import secrets
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from sqlalchemy import delete, select, update

from bench.bulk_objections import applications, table
from bench.figures import Figure, arguments, noted, save
from bench.legs import STOCK, WORKERS
from ezt.engine.prefect_access import name_password
from ezt.samples import data as samples
from ezt.up import System, free_port, running
from models.cases import Case, CaseKind, Deadline
from models.certificates import Certificate, CertificateType
from models.migrations import migrate
from models.notices import OutgoingNotice
from models.organisations import Role
from regulation.certificates import Level
from regulation.objections import Verdict
from runtime import clock
from runtime.database import in_pieces, reading, transaction
from runtime.keys import ensure_keys
from tasks.case.answers import Signature, take_officer_answer
from tasks.case.questions import Question
from tasks.desk.runs import nudge
from tasks.objections.batch_files import read_file
from tasks.objections.batches import chunks_to_register, receive_batch, register_chunk
from tasks.objections.questions import InitialReview, LetterPosted
from tasks.objections.registrations import register_objection
from tasks.office.signatures import DESK
from tests.conftest import (
    WorkedDesk,
    certificates_with_address,
    forget_settings,
    objection_about,
    wait_until,
    web_process,
)

NOTHING, ALONE = "a page that looks nothing up", "an answer recorded without page and form"
ANSWERED = "an answer until it is on record"
ONWARD = "from an answer to the next question"
BESIDE = {"the list": NOTHING, "a case's page": NOTHING, ANSWERED: ALONE}
PARTS = {"p50": 50, "p95": 95}
DAYS = range(-7, 53)
"""From a week ago to seven weeks ahead: on these days limits end."""
NOWHERE = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_CLIENT_MAX_RETRIES": "0"}
OFFICERS = [staff_no for staff_no, _, role in samples.OFFICERS if role is Role.OFFICER]


def fill(cases: int) -> list[tuple[str, str]]:
    """So many objections that wait for their review, each to another field of a certificate, by turns with each
    officer; (case, officer) of each."""
    given = list(islice(applications(), cases))
    assert len(given) == cases
    content = read_file("异议.csv", table(given))
    batch_no = receive_batch(content, "浙江省大数据局", "浙江省大数据局", "", "KQ001").case_no
    for chunk in chunks_to_register(batch_no):
        register_chunk.run(batch_no, chunk)
    with transaction() as session:
        wanted = select(Case.case_no).where(Case.kind == CaseKind.OBJECTION).order_by(Case.case_no)
        case_nos = session.scalars(wanted).all()
        for number, staff_no in enumerate(OFFICERS):
            for some in in_pieces(case_nos[number :: len(OFFICERS)]):
                waiting = {"at_rest": False, "waiting_for": f"{InitialReview.question}-1", "officer_no": staff_no}
                session.execute(update(Case).where(Case.case_no.in_(some)).values(**waiting))
        for number, day in enumerate(DAYS):
            due_on = clock.today() + timedelta(days=day)
            for some in in_pieces(case_nos[number :: len(DAYS)]):
                session.execute(update(Deadline).where(Deadline.case_no.in_(some)).values(due_on=due_on))
        # Nobody is told: what the web process would send meanwhile is no part of this.
        session.execute(delete(OutgoingNotice))
    return [(case_no, OFFICERS[number % len(OFFICERS)]) for number, case_no in enumerate(case_nos)]


@contextmanager
def desk_in(folder: str) -> Iterator[WorkedDesk]:
    """The desk of a web process; there is no Prefect, whose part is measured by itself."""
    os.environ |= NOWHERE
    with web_process(os.environ | {"EZT_HOME": folder}, free_port()) as (url, _):
        desk = WorkedDesk(None, web=url)  # type: ignore[arg-type]
        yield desk
        desk.close()


def milliseconds(browser: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    answer = browser.get(path)
    took = time.perf_counter() - started
    assert answer.status_code == 200, answer
    return took * 1000


def decided(desk: WorkedDesk, case_no: str, by: str) -> float:
    """Milliseconds of an answer over the desk's form, as it stands on the case's page."""
    form = desk.asked(case_no, InitialReview.question, by) | {"verdict": Verdict.ACCEPT, "code": desk.sign(by)["code"]}
    started = time.perf_counter()
    sent = desk.browser(by).post(f"/desk/cases/{case_no}/answers", data=form)
    took = time.perf_counter() - started
    assert sent.status_code == 303, sent.text
    return took * 1000


def recorded(desk: WorkedDesk, case_no: str, by: str) -> float:
    """Milliseconds of the same answer where it is recorded."""
    signature = Signature(by, desk.sign(by)["code"], DESK)
    started = time.perf_counter()
    take_officer_answer(case_no, InitialReview, 1, secrets.token_hex(8), {"verdict": Verdict.ACCEPT}, signature)
    return (time.perf_counter() - started) * 1000


def one_round(desk: WorkedDesk, waiting: list[tuple[str, str]], answers: int) -> dict[str, list[float]]:
    """What each request of a round took; as many of those that are ``waiting`` as it decides wait no more."""
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(answers):
        (case_no, by), (other, another) = waiting.pop(), waiting.pop()
        browser = desk.browser(by)
        took[NOTHING].append(milliseconds(browser, "/desk/matters"))
        took["the list"].append(milliseconds(browser, "/desk?whose=all"))
        took["a case's page"].append(milliseconds(browser, f"/desk/cases/{case_no}"))
        took[ANSWERED].append(decided(desk, case_no, by))
        took[ALONE].append(recorded(desk, other, another))
    return took


def measure(cases: int, rounds: int, answers: int) -> list[Figure]:
    """p50 and p95 of each round, over so many open cases."""
    took: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="ezt-desk-") as folder:
        os.environ |= {"EZT_HOME": folder}
        forget_settings()
        ensure_keys()
        migrate()
        samples.load(sizes=samples.Sizes(holders=60 + cases // 10))
        waiting = fill(cases)
        with desk_in(folder) as desk:
            for by in OFFICERS:
                desk.browser(by).get("/desk")
            for _ in range(rounds):
                for what, values in one_round(desk, waiting, answers).items():
                    for name, part in PARTS.items():
                        found = statistics.quantiles(values, n=100, method="inclusive")[part - 1]
                        took[f"{what}, {name}"].append(found)
    return [
        Figure(f"{what}, {name}", "ms", cases, "open cases", took[f"{what}, {name}"], beside and f"{beside}, {name}")
        for what, beside in ((NOTHING, None), (ALONE, None), *BESIDE.items())
        for name in PARTS
    ]


def onward(lives: int) -> list[Figure]:
    """Seconds of each of so many cases until the next question is asked, with each kind of worker."""
    with tempfile.TemporaryDirectory(prefix="ezt-desk-") as folder:
        os.environ |= {
            "EZT_HOME": str(Path(folder) / "var"),
            "EZT_PREFECT_PORT": str(free_port()),
            "EZT_WEB_PORT": str(free_port()),
        }
        for name in NOWHERE:
            os.environ.pop(name, None)
        forget_settings()
        with running(samples=True) as system:
            os.environ |= {"PREFECT_API_URL": system.api_url, "EZT_PREFECT_URL": system.prefect_url}
            forget_settings()
            name_password()
            with get_client(sync_client=True) as client:
                for each in client.read_deployments(limit=200):
                    client.pause_deployment(each.id) if each.schedules else None
                desk = WorkedDesk(client, web=system.web_url)
                figures = list(by_worker(system, desk, lives))
                desk.close()
                return figures


def by_worker(system: System, desk: WorkedDesk, lives: int) -> Iterator[Figure]:
    # There is no gateway here: after the review, a letter is asked for.
    certificates = iter(certificates_with_address(CertificateType.source == Level.CITY))
    for name, module in WORKERS.items():
        failed: dict[str, str] = {}
        took: list[float] = []
        with noted(failed, name):
            system.processes.pop("worker").terminate()
            system.start("worker", *module)
            # The first one finds a worker that is still beginning.
            for case_no in [begun(desk.client, *held) for held in islice(certificates, lives + 1)]:
                started = time.perf_counter()
                desk.decide(case_no, InitialReview.question, verdict=Verdict.ACCEPT)
                wait_until(partial(is_asked, case_no, LetterPosted), "no next question", 120)
                took.append(time.perf_counter() - started)
        beside = f"{ONWARD}, {STOCK}" if name != STOCK else None
        yield Figure(f"{ONWARD}, {name}", "s", lives, "cases", took[1:], beside, "", failed.get(name, ""))


def begun(client: SyncPrefectClient, held: Certificate, kind: CertificateType) -> str:
    """An objection that waits for its review, with its run suspended."""
    case_no = register_objection(objection_about(held, kind), [], secrets.token_hex(8), "KQ001").case_no
    nudge(case_no)
    wait_until(partial(is_asked, case_no, InitialReview), "no question", 120)
    with reading() as session:
        run = UUID(session.get_one(Case, case_no).flow_run_id)
    wait_until(lambda: client.read_flow_run(run).state.type is StateType.PAUSED, "not suspended", 120)  # type: ignore[union-attr]
    return case_no


def is_asked(case_no: str, question: type[Question]) -> bool:
    with reading() as session:
        return session.get_one(Case, case_no).waiting_for == f"{question.question}-1"


def main() -> None:
    given = arguments(__doc__, cases=[1_000, 10_000], answers=40, rounds=5, lives=10)
    figures = [figure for cases in given.cases for figure in measure(cases, given.rounds, given.answers)]
    save(given.results, "desk", [*figures, *(onward(given.lives) if given.lives else ())])


if __name__ == "__main__":
    main()
