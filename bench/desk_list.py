"""The desk's list over many open cases, as an officer opens it, narrows it down and looks cases up, beside a page that
lists nothing: ``python -m bench.desk_list --cases 1000 10000 --rounds 20``.

Half of the cases are objections, a third are backfills of paper, the others are filings of liaison officers. The goal
is 300 ms for a page of 10,000.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count, islice
from typing import Any, cast

import httpx
from sqlalchemy import Table, select

from bench.bulk_objections import applications
from bench.figures import Figure, arguments, save
from ezt.samples import data as sample_data
from models.backfills import Backfill, BackfillEntry
from models.cases import Case, CaseKind, Deadline
from models.certificates import CertificateType
from models.liaisons import FilingKind, LiaisonFiling
from models.migrations import migrate
from models.organisations import Department, Officer, Role
from regulation.backfill.review import Stage as OnPaper
from regulation.liaisons import Stage as Filed
from regulation.limits import BACKFILL_REVIEW, INITIAL_REVIEW, LIAISON_CONFIRMATION, Limit
from runtime import clock
from runtime.database import in_pieces, insert_many, reading, transaction
from runtime.keys import ensure_keys, keys
from tasks.backfill.questions import BackfillReview
from tasks.case.marks import mark_cases
from tasks.case.numbers import locked_counter, new_case, next_numbers
from tasks.case.questions import Question
from tasks.desk import door
from tasks.desk.to_do import Wanted, Whose, choices
from tasks.liaisons.questions import LiaisonConfirmation
from tasks.objections.questions import InitialReview
from tasks.objections.registrations import Submission, register_all
from tests.conftest import forget_settings, web_in_this_process
from web.desk.door import cookie_name

OFFICERS = 20
TOGETHER = 1_000
NAME = "鲁国栋"
FLOOR = "a page of the desk that lists nothing"


def fill(cases: int) -> None:
    """Open cases of three kinds and as many officers as a center has, whose limits end from a week ago on."""
    with transaction() as session:
        for number in range(OFFICERS):
            person = {"name": f"经办{number}", "email": f"b{number}@example.cn", "code_secret": "x", "active": True}
            session.add(Officer(staff_no=f"KQ1{number:02}", role=Role.OFFICER, **person))
    given = islice(applications(), cases // 2)
    while some := list(islice(given, TOGETHER)):
        with transaction() as session:
            now = clock.now()
            register_all(session, [Submission(each, secrets.token_hex(8)) for each in some], "KQ001", now, now)
    fill_with(cases // 3, CaseKind.BACKFILL, OnPaper.ENTERED, BackfillReview, BACKFILL_REVIEW)
    fill_with(cases - cases // 2 - cases // 3, CaseKind.LIAISON, Filed.FILED, LiaisonConfirmation, LIAISON_CONFIRMATION)
    with transaction() as session:
        for place, case in enumerate(session.scalars(select(Case))):
            case.officer_no = f"KQ1{place % OFFICERS:02}"
            case.waiting_for = case.waiting_for or f"{InitialReview.question}-1"
        days = (clock.today() + timedelta(days=each % 60 - 7) for each in count())
        for deadline in session.scalars(select(Deadline).where(Deadline.limit_code == INITIAL_REVIEW.code)):
            deadline.due_on = next(days)


def fill_with(cases: int, kind: CaseKind, stage: str, question: type[Question], limit: Limit) -> None:
    now, index = clock.now(), keys().blind_index
    with reading() as session:
        usccs = session.scalars(select(Department.uscc)).all()
        types = session.scalars(select(CertificateType.code)).all()
    with transaction() as session:
        numbers = next_numbers(locked_counter(session, kind, clock.today().year), cases)
        waiting = {"waiting_for": f"{question.question}-1"}
        rows = [new_case(each, kind, stage, clock.today(), now, "KQ001") | waiting for each in numbers]
        run = {"turn": 1, "clock": limit.clock, "starts_on": clock.today(), "days": limit.value, "provisional": False}
        run |= {"limit_code": limit.code, "rule": limit.source}
        limits = [
            run | {"case_no": each, "due_on": clock.today() + timedelta(days=place % 60 - 7)}
            for place, each in enumerate(numbers)
        ]
        common = [
            {"case_no": each, "submission_key": secrets.token_hex(8), "department_uscc": usccs[place % len(usccs)]}
            for place, each in enumerate(numbers)
        ]
        written: list[tuple[type[Any], list[dict[str, Any]]]] = [(Case, rows), (Deadline, limits)]
        if kind is CaseKind.BACKFILL:
            own = [
                {"type_code": types[place % len(types)], "service_case_no": f"S{place}", "email": None}
                | {"token": each["case_no"], "token_index": index("bench", each["case_no"]), "identifier": None}
                for place, each in enumerate(common)
            ]
            paper = {"holder": "俞小云", "number": "330603199001011234", "issued_on": "2012-03-05"}
            entries = [
                {"case_no": each, "turn": 1, "given": paper, "entered_by": "KQ001", "at": now} for each in numbers
            ]
            written += [(Backfill, [a | b for a, b in zip(common, own, strict=True)]), (BackfillEntry, entries)]
        else:
            person = {"kind": FilingKind.APPOINTMENT, "name": NAME, "position": "科长", "phone": "0575-84120001"}
            person |= {"email": "a@example.cn", "replaces_id": None, "last_on": None}
            written.append((LiaisonFiling, [each | person for each in common]))
        for model, some in written:
            for piece in in_pieces(some):
                insert_many(session, cast("Table", model.__table__), piece)
        named = "俞小云" if kind is CaseKind.BACKFILL else NAME
        mark_cases(session, {each: [named] for each in numbers})


def timed(ask: Callable[[], httpx.Response], rounds: int) -> list[float]:
    """Milliseconds, without the first time, which compiles what it asks for."""
    took = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        answer = ask()
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.text
    return took[1:]


def measure(cases: int, rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as home:
        os.environ["EZT_HOME"] = home
        forget_settings()
        ensure_keys()
        migrate()
        # A certificate has several fields to object to.
        sample_data.load(sizes=sample_data.Sizes(departments=30, holders=max(100, cases // 4)))
        fill(cases)
        offered = choices("KQ004", Wanted(whose=Whose.ALL))
        department, officer = offered.departments[0][0], offered.officers[0][0]
        token = door.begin("KQ004", "127.0.0.1")
        form_key = door.signed_in(token).form_key

        def look_up(text: str) -> Callable[[], httpx.Response]:
            return lambda: client.post("/desk/search", data={"form_key": form_key, "q": text})

        asked: dict[str, Callable[[], httpx.Response]] = {
            FLOOR: lambda: client.get("/desk/matters"),
            "everybody's, first page": lambda: client.get("/desk?whose=all"),
            "everybody's, last page": lambda: client.get("/desk?whose=all&page=10000"),
            "an officer's": lambda: client.get(f"/desk?whose=all&officer={officer}"),
            "a department's": lambda: client.get(f"/desk?whose=all&department={department}"),
            "what a director sees to": lambda: client.get("/desk?whose=directors"),
            "found by a shortened number": look_up("12"),
            "found by a name": look_up(NAME),
            "the figures": lambda: client.get("/desk/figures"),
            "the list as a workbook": lambda: client.get("/desk/list.xlsx?whose=all"),
        }
        with web_in_this_process() as web, httpx.Client(base_url=web, headers={"Origin": web}, timeout=60) as client:
            client.cookies[cookie_name()] = token
            return [
                Figure(name, "ms", cases, "open cases", timed(ask, rounds), FLOOR if name != FLOOR else None)
                for name, ask in asked.items()
            ]


def main() -> None:
    given = arguments(__doc__, cases=[1_000, 10_000], rounds=20)
    save(given.results, "desk_list", [each for cases in given.cases for each in measure(cases, given.rounds)])


if __name__ == "__main__":
    main()
