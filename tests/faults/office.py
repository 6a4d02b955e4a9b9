"""Everybody who takes part in the lives of objections, sixteen at a time: objectors over HTTP, officers at the desk or
by the application's own way. What fails because something is down, they try again."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from prefect.exceptions import PrefectException
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ezt.desk import HIDDEN, said_on
from models.cases import Case
from runtime.database import reading
from runtime.refusals import RefusalError
from tasks.case.answers import Signature, take_officer_answer
from tasks.desk.runs import nudge
from tasks.objections import questions as objection_questions
from tasks.office.signatures import DESK
from tests.conftest import APPROVER, SCAN
from tests.faults.lives import Life, Way
from tests.interface.conftest import Caller

AT_ONCE = 16
"""Objectors and officers at a time."""
PAGE = 200
DOWN = (httpx.HTTPError, PrefectException, SQLAlchemyError)
"""What says that something is down."""
QUESTIONS = {
    each.question: each
    for each in (
        objection_questions.InitialReview,
        objection_questions.LetterPosted,
        objection_questions.VerificationReply,
        objection_questions.OutcomeDecision,
        objection_questions.ReviewApproval,
        objection_questions.OutcomeApproval,
    )
}
SCANNED = {objection_questions.VerificationReply.question: SCAN}
"""What comes with an answer."""


class WrongError(AssertionError):
    """Somebody was refused who should not have been."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands."""

    waiting_for: str | None
    run_id: str | None
    officer_no: str
    closed: bool


@dataclass
class Office:
    """The players of ``lives``, through the ``department``'s own system, which registers what it is handed."""

    lives: list[Life]
    department: Caller
    answered: Counter[str] = field(default_factory=Counter)
    """How often HTTP calls of objectors were answered how, what was down included."""
    stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _signing: threading.Lock = field(default_factory=threading.Lock)
    _browsers: dict[str, httpx.Client] = field(default_factory=dict)
    _under_way: dict[tuple[int, str], Future[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self.by_case: dict[str, Life] = {}

    @property
    def actions(self) -> int:
        """How much has been done so far."""
        return sum(len(life.done) for life in self.lives)

    def register_all(self) -> None:
        """Register everything, so many at a time."""
        list(self._pool.map(self._register, self.lives))

    def _register(self, life: Life) -> None:
        given = life.application | {"submission_no": f"life-{life.number}"}
        answer = self._until_done(lambda: self.department.post("/api/v1/objections", given), 201)
        life.case_no, life.token = answer["case_no"], answer["token"]
        with self._lock:
            self.by_case[life.case_no] = life
        life.done.add("registered")

    def go_on(self) -> bool:
        """Let everybody who is asked something answer it, unless they are at it; whether every case is closed."""
        try:
            cases = self._cases()
        except DOWN:
            return False
        for case_no, life in list(self.by_case.items()):
            case = cases.get(case_no)
            if case is None or case.closed or case.waiting_for not in life.end.answers:
                continue
            asked = str(case.waiting_for)
            if asked in life.done:
                continue
            at_it = self._under_way.get((life.number, asked))
            if at_it is not None:
                if not at_it.done():
                    continue
                at_it.result()
            self._under_way[life.number, asked] = self._pool.submit(self._act, life, asked, case)
        return len(cases) == len(self.lives) and all(case.closed for case in cases.values())

    def _cases(self) -> dict[str, Standing]:
        with reading() as session:
            rows = session.execute(
                select(Case.case_no, Case.waiting_for, Case.flow_run_id, Case.officer_no, Case.closed_at)
            ).tuples()
            return {number: Standing(asked, run, officer, at is not None) for number, asked, run, officer, at in rows}

    def _act(self, life: Life, asked: str, case: Standing) -> None:
        question, _, turn = asked.rpartition("-")
        given = dict(life.end.answers[asked] or {})
        officer = APPROVER if question.startswith("approve-") else case.officer_no
        match life.ways[asked]:
            case Way.DESK:
                if not self._decide(life.case_no, asked, given, officer):
                    return
            case Way.OWN:
                key = f"{life.case_no}:{asked}:own"
                self._record(life.case_no, question, int(turn), key, given, officer)
                nudge(life.case_no)
            case Way.OBJECTOR:
                self._objector(life, asked)
        life.done.add(asked)

    def _record(self, case_no: str, question: str, turn: int, key: str, given: dict[str, Any], officer: str) -> None:
        by, files = Signature(officer, "", DESK), [SCANNED[question]] if question in SCANNED else []
        while not self.stopped:
            try:
                take_officer_answer(case_no, QUESTIONS[question], turn, key, given, by, files=files)
            except SQLAlchemyError:
                time.sleep(0.3)
                continue
            except RefusalError as why:
                raise WrongError(f"{case_no} {question}: {why}") from None
            return

    def _decide(self, case_no: str, asked: str, given: dict[str, Any], officer: str) -> bool:
        """Answer at the desk's page; whether it was taken. Whoever does not know sends the same form again."""
        with self._signing:
            if officer not in self._browsers:
                try:
                    self._browsers[officer] = signed_in(self.department.base, officer)
                except httpx.HTTPError:
                    return False
        browser, where = self._browsers[officer], f"/desk/cases/{case_no}"
        try:
            page = browser.get(where)
            self._count(str(page.status_code))
            hidden = dict(HIDDEN.findall(page.text.rpartition('id="asks"')[2]))
            if hidden.get("asked") != asked:
                return False
            scan = SCANNED.get(asked.rpartition("-")[0])
            files = {"files": (scan.name, scan.content)} if scan is not None else None
            while not self.stopped:
                sent = browser.post(f"{where}/answers", data=hidden | given, files=files)
                self._count(str(sent.status_code))
                if sent.status_code == 303:
                    return True
                if sent.status_code not in {409, 429, 500, 502, 503}:
                    raise WrongError(f"{case_no} {asked}: {sent.status_code} {said_on(sent.text)}")
                if sent.status_code == 409:
                    # Something has come in between, or an answer of which nobody knew whether it arrived is there.
                    return False
                time.sleep(0.3)
        except httpx.HTTPError:
            self._count("no answer")
        return False

    def _objector(self, life: Life, asked: str) -> None:
        path = f"{self.department.base}/api/v1/objections/{life.token}"
        if life.end.objector == "withdraws":
            self._until_done(lambda: httpx.post(f"{path}/withdrawal", timeout=30), 200)
        else:
            given = {"submission_no": asked, "text": "门牌证照片已寄出"}
            self._until_done(lambda: httpx.post(f"{path}/supplements", json=given, timeout=30), 200)

    def _until_done(self, call: Callable[[], httpx.Response], wanted: int) -> dict[str, Any]:
        while not self.stopped:
            try:
                answer = call()
            except httpx.HTTPError:
                self._count("no answer")
            else:
                self._count(str(answer.status_code))
                if answer.status_code == wanted:
                    done: dict[str, Any] = answer.json()
                    return done
                if answer.status_code not in {429, 500, 502, 503}:
                    raise WrongError(f"{answer.status_code}: {answer.text}")
                if not any("一" <= letter <= "鿿" for letter in answer.text):
                    raise WrongError(f"an error that is not Chinese: {answer.text[:200]}")
            time.sleep(0.3)
        raise WrongError("stopped")

    def _count(self, what: str) -> None:
        with self._lock:
            self.answered[what] += 1

    def stop(self) -> None:
        self.stopped = True
        self._pool.shutdown(cancel_futures=True)


def signed_in(web: str, officer: str) -> httpx.Client:
    """A browser in which an officer is signed in at the desk, on a trial without one-time codes."""
    browser = httpx.Client(base_url=web, headers={"Origin": web}, timeout=30)
    answer = browser.post("/desk/sign-in", data={"staff_no": officer})
    if answer.status_code != 303:
        raise httpx.HTTPError(f"{officer} was not let in: {answer.status_code}")
    return browser


@contextmanager
def office(lives: list[Life], department: Caller) -> Iterator[Office]:
    """The players while the block runs."""
    made = Office(lives, department)
    try:
        yield made
    finally:
        made.stop()
