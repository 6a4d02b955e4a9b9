"""What waits for an officer's approval (审签), all of it on one page, with the values in sight: one signature for those
that may stand and those that go back."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case
from models.organisations import Officer
from models.records import AuditEntry
from regulation.approvals import Opinion
from regulation.limits import APPROVED_AT_ONCE
from runtime import clock
from runtime.database import insert_many, reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import new_entry
from tasks.case.answers import ChangedError, checked, record_answer
from tasks.case.approvals import Approval
from tasks.case.kind import Brief, Compared
from tasks.case.questions import Asked
from tasks.case.step import locked_case
from tasks.desk.case_page import names
from tasks.desk.door import SignedIn
from tasks.desk.kinds import KINDS
from tasks.desk.to_do import DUE, Today, asked_of, of_cases, until
from tasks.objections.batch_rows import registered_in
from tasks.objections.endings import conclude
from tasks.objections.steps import take_outcome_approval
from tasks.office.signatures import sign

COMPARED = 2
"""How much of what a decision hangs on a row shows: the draft, and what it is about."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody drafted, as whoever approves it sees it."""

    case_no: str
    brief: Brief
    asks: str
    compared: Sequence[Compared]
    drafted_by: str
    until: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The drafts of a page; ``more`` wait beyond them. ``shown`` is the digest of what is decided on."""

    drafts: tuple[Draft, ...]
    more: int
    shown: str


@dataclass(frozen=True, slots=True)
class Approved:
    """What came of a page: how many were agreed to and returned, and which could not be, and why."""

    agreed: int
    returned: int
    refused: tuple[tuple[str, str], ...]
    case_nos: tuple[str, ...]
    """Those that have news."""


def to_approve(by: SignedIn) -> int:
    """How many drafts wait for somebody's approval, those of cases that rest too."""
    with reading() as session:
        return len(session.scalars(_waiting(session, by, "")).all())


def waiting(by: SignedIn, batch_no: str = "") -> Waiting:
    """What waits for somebody's approval, the most urgent first; of one batch only, where its number is given. That
    they looked is on record (Article 14)."""
    with transaction() as session:
        today, now, named = Today.of(session), clock.now(), names(session)
        case_nos = session.scalars(_waiting(session, by, batch_no)).all()
        shown = case_nos[: APPROVED_AT_ONCE.value]
        drafts = _drafts(session, shown)
        looked = [new_entry("case:sheet:read", case_no, by.staff_no, now, {}) for case_no in shown]
        insert_many(session, cast("Table", AuditEntry.__table__), looked)
        return Waiting(
            tuple(_shown(session, case, draft, today, named) for case, draft in drafts),
            len(case_nos) - len(shown),
            _digest(drafts),
        )


def _waiting(session: Session, by: SignedIn, batch_no: str) -> Any:
    of_batch: tuple[ColumnElement[bool], ...] = (registered_in(batch_no),) if batch_no else ()
    wanted = of_cases(select(Case.case_no)).where(
        Case.closed_at.is_(None), Today.of(session).to_approve(by.staff_no), *of_batch
    )
    return wanted.order_by(DUE.c.due_on.is_(None), DUE.c.due_on, Case.case_no)


def _drafts(session: Session, case_nos: Sequence[str]) -> list[tuple[Case, Answer]]:
    """The cases with what was drafted in each."""
    found = []
    for case_no in case_nos:
        case = session.get_one(Case, case_no)
        approval, turn = _asked(case)
        draft = select(Answer).where(
            Answer.case_no == case_no,
            Answer.question == approval.drafted.question,
            Answer.turn == turn,
            Answer.refusal.is_(None),
        )
        found.append((case, session.scalars(draft).one()))
    return found


def _asked(case: Case) -> tuple[type[Approval], int]:
    asked = asked_of(case)
    if asked is None or not issubclass(asked[0], Approval):
        raise RefusalError("现在不等审签。")
    return asked[0], asked[1]


def _digest(drafts: Sequence[tuple[Case, Answer]]) -> str:
    """64 hex digits over which drafts there are: each is never changed."""
    seen = [[case.case_no, case.waiting_for, draft.id] for case, draft in drafts]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _shown(session: Session, case: Case, draft: Answer, today: Today, named: Any) -> Draft:
    kind = KINDS[case.kind].sheet
    due_on = session.scalar(of_cases(select(DUE.c.due_on)).where(Case.case_no == case.case_no))
    return Draft(
        case.case_no,
        kind.briefs(session, [case.case_no])[case.case_no],
        _asked(case)[0].called(),
        kind.compared(session, case)[:COMPARED],
        named(str(draft.officer_no)),
        until(due_on, today.day, today.calendar),
    )


def decide(by: SignedIn, batch_no: str, shown: str, returned: Collection[str], reason: str, code: str) -> Approved:
    """Agree to all that a page showed (``shown``) but those that are ``returned``, signed once; ``reason`` is for those
    that need one.

    What is wrong is said before the code is looked at: ``InputError``, by field; ``ChangedError`` where something else
    waits by now; then what ``sign`` raises. After that each is by itself: one that is not possible any more keeps no
    other back.
    """
    with reading() as session:
        case_nos = list(session.scalars(_waiting(session, by, batch_no)).all())[: APPROVED_AT_ONCE.value]
        drafts = _drafts(session, case_nos)
        if _digest(drafts) != shown:
            raise ChangedError("列表在您打开之后有变动，已重新显示；请看过后再提交。")
        if not drafts:
            raise RefusalError("没有等您审签的拟稿。")
        given = {case.case_no: _given(case.case_no in returned, reason) for case, _ in drafts}
        _check(session, by, drafts, given)
    officer = sign(by.staff_no, code, by.source)
    done, refused = list[str](), list[tuple[str, str]]()
    for case, draft in drafts:
        try:
            with transaction() as session:
                _record(session, case.case_no, str(case.waiting_for), officer, draft.id, given[case.case_no])
            done.append(case.case_no)
        except RefusalError as why:
            refused.append((case.case_no, str(why)))
    back = sum(case_no in returned for case_no in done)
    return Approved(len(done) - back, back, tuple(refused), tuple(done))


def _given(returned: bool, reason: str) -> dict[str, Any]:
    return {"opinion": Opinion.RETURNED if returned else Opinion.AGREED, "reason": reason}


def _check(
    session: Session, by: SignedIn, drafts: Sequence[tuple[Case, Answer]], given: Mapping[str, dict[str, Any]]
) -> None:
    """Raise ``InputError`` for what is wrong with the opinions, one sentence for all of which it is."""
    wrong: dict[str, list[str]] = {}
    today = clock.today()
    for case, _ in drafts:
        try:
            checked(Asked(session, case, by.staff_no, today), _asked(case)[0], given[case.case_no])
        except InputError as why:
            field = "reason" if "reason" in why.wrong else "returned"
            wrong.setdefault(f"{field}:{why}", []).append(case.case_no)
    found: dict[str, str] = {}
    for key, case_nos in wrong.items():
        field, _, sentence = key.partition(":")
        which = "、".join(case_nos[:3]) + (f"等{len(case_nos)}件" if len(case_nos) > 3 else "")
        found[field] = found.get(field, "") + f"{which}：{sentence}"
    if found:
        raise InputError("".join(found.values()), found)


def _record(
    session: Session, case_no: str, waited_for: str, officer: Officer, draft_id: int, given: Mapping[str, Any]
) -> None:
    """Put the opinion on one draft on record; a case that rests goes on to its end at once."""
    case, now = locked_case(session, case_no), clock.now()
    if case.closed_at is not None or case.waiting_for != waited_for:
        raise RefusalError("已由他人审签，或者不再等审签。")
    approval, turn = _asked(case)
    today, rested = clock.local_date(now), case.at_rest
    approval.check_officer(session, officer, case, today)
    answer = checked(Asked(session, case, officer.staff_no, today), approval, given)
    key = f"approval:{case_no}:{waited_for}:{draft_id}"
    said_no = record_answer(session, case, approval, turn, AnswerSource.OFFICER, key, answer, now, officer.staff_no)
    if said_no is not None:
        raise RefusalError(said_no)
    if rested and take_outcome_approval.within(session, case, now, turn):
        conclude(lambda step: step.within(session, case, now))
