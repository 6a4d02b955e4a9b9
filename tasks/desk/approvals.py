"""What waits for an officer's approval (审签), all of it on one page, with the values in sight: one signature for those
that may stand and those that go back."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case
from models.objections import Attachment, Objection
from models.organisations import Officer
from models.records import AuditEntry
from regulation.approvals import Opinion
from regulation.limits import APPROVED_AT_ONCE
from runtime import clock
from runtime.database import in_pieces, insert_many, reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import new_entry
from tasks.case.answers import ChangedError, checked, record_answer, taken_answer
from tasks.case.approvals import Approval
from tasks.case.kind import REMARK, Brief, Compared, Lines
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
FACTS_OF = 50
"""Drafts of a page up to which each shows all facts of its case. Nobody reads them of a whole table's, and to gather
them takes seconds a hundred."""
LOOKS = "%:read"
"""Tags of what changes nothing: somebody looked."""


class Put(StrEnum):
    """What is said of a draft on the page: an opinion, or nothing yet."""

    AGREED = str(Opinion.AGREED)
    RETURNED = str(Opinion.RETURNED)
    LATER = "暂不审签"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody drafted, as whoever approves it sees it."""

    case_no: str
    brief: Brief
    asks: str
    compared: Sequence[Compared]
    facts: Lines
    """All other facts of the case, unmasked; nothing on a page of more than ``FACTS_OF``."""
    files: int
    needs_reason: str
    """Why whoever agrees has to say why; empty: they need not."""
    drafted_by: str
    until: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The drafts of a page; ``more`` wait beyond them. ``shown`` is the digest of what is decided on."""

    drafts: tuple[Draft, ...]
    more: int
    shown: str


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of one draft, and why."""

    put: Put = Put.AGREED
    reason: str = ""


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
        waits = _waiting(by, Today.of(session)).order_by(None).subquery()
        return session.scalar(select(func.count()).select_from(waits)) or 0


def waiting(by: SignedIn, batch_no: str = "") -> Waiting:
    """What waits for somebody's approval, the most urgent first; of one batch only, where its number is given. That
    they looked is on record (Article 14)."""
    with transaction() as session:
        today, now, named = Today.of(session), clock.now(), names(session)
        case_nos = session.scalars(_waiting(by, today, batch_no)).all()
        shown = case_nos[: APPROVED_AT_ONCE.value]
        drafts = _drafts(session, shown)
        looked = [new_entry("case:sheet:read", case_no, by.staff_no, now, {}) for case_no in shown]
        insert_many(session, cast("Table", AuditEntry.__table__), looked)
        return Waiting(
            tuple(_shown(session, case, draft, today, named, len(drafts) <= FACTS_OF) for case, draft in drafts),
            len(case_nos) - len(shown),
            _digest(drafts, _last_news(session, drafts)),
        )


def _waiting(by: SignedIn, today: Today, batch_no: str = "") -> Any:
    of_batch: tuple[ColumnElement[bool], ...] = (registered_in(batch_no),) if batch_no else ()
    wanted = of_cases(select(Case.case_no)).where(Case.closed_at.is_(None), today.to_approve(by.staff_no), *of_batch)
    return wanted.order_by(DUE.c.due_on.is_(None), DUE.c.due_on, Case.case_no)


def _drafts(session: Session, case_nos: Sequence[str]) -> list[tuple[Case, Answer]]:
    """The cases with what was drafted in each."""
    found = []
    for case_no in case_nos:
        case = session.get_one(Case, case_no)
        approval, turn = _asked(case)
        draft = taken_answer(session, case_no, approval.drafted.question, turn)
        if draft is None:
            raise LookupError(f"{case_no}没有等待审签的拟稿。")
        found.append((case, draft))
    return found


def _asked(case: Case) -> tuple[type[Approval], int]:
    asked = asked_of(case)
    if asked is None or not issubclass(asked[0], Approval):
        raise RefusalError("现在不等审签。")
    return asked[0], asked[1]


def _last_news(session: Session, drafts: Sequence[tuple[Case, Answer]]) -> dict[str, int]:
    """By case, the last entry of the record about it or about what was joined to it, looks left out: whatever changes
    what is decided on leaves one."""
    case_nos = [case.case_no for case, _ in drafts]
    whose = dict(zip(case_nos, case_nos, strict=True))
    found: dict[str, int] = dict.fromkeys(case_nos, 0)
    for some in in_pieces(case_nos):
        joined = select(Objection.case_no, Objection.lead_case_no).where(Objection.lead_case_no.in_(some))
        whose |= {case_no: str(lead) for case_no, lead in session.execute(joined).tuples()}
    for some in in_pieces(list(whose)):
        last = select(AuditEntry.case_no, func.max(AuditEntry.id)).where(AuditEntry.case_no.in_(some))
        last = last.where(~AuditEntry.tag.like(LOOKS)).group_by(AuditEntry.case_no)
        for case_no, number in session.execute(last).tuples():
            found[whose[str(case_no)]] = max(found[whose[str(case_no)]], number)
    return found


def _digest(drafts: Sequence[tuple[Case, Answer]], news: Mapping[str, int]) -> str:
    """64 hex digits over which drafts there are, each of which is never changed, and the last news of their cases."""
    seen = [[case.case_no, case.waiting_for, draft.id, news[case.case_no]] for case, draft in drafts]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _shown(
    session: Session, case: Case, draft: Answer, today: Today, named: Callable[[str], str], whole: bool
) -> Draft:
    kind = KINDS[case.kind].sheet
    due_on = session.scalar(of_cases(select(DUE.c.due_on)).where(Case.case_no == case.case_no))
    compared = tuple(islice(kind.compared(session, case), COMPARED))
    above = {value for each in compared for _, value in each.lines}
    facts = list[tuple[str, str]]()
    if whole:
        facts = [*kind.full_lines(session, case), *(line for line in kind.lines(session, case) if line[0] == REMARK)]
    files = select(func.count(Attachment.id)).where(Attachment.case_no.in_(kind.files_of(session, case)))
    return Draft(
        case.case_no,
        kind.briefs(session, [case.case_no])[case.case_no],
        _asked(case)[0].called(),
        compared,
        [line for line in facts if line[1] not in above],
        session.scalar(files) or 0,
        _asked(case)[0].needs_reason(session, case.case_no),
        named(str(draft.officer_no)),
        until(due_on, today.day, today.calendar),
    )


def decide(by: SignedIn, batch_no: str, shown: str, said: Mapping[str, Said], code: str) -> Approved:
    """Put what somebody says of each draft of a page (by case; of others they agree) on record, signed once; ``shown``
    is what they looked at.

    What is wrong is said before the code is looked at: ``InputError``, by ``reason-`` and case; ``ChangedError`` where
    something else waits, or something new has come, by now; then what ``sign`` raises. After that each is by itself:
    one that is not possible any more keeps no other back.
    """
    with reading() as session:
        case_nos = list(session.scalars(_waiting(by, Today.of(session), batch_no)).all())[: APPROVED_AT_ONCE.value]
        drafts = _drafts(session, case_nos)
        news = _last_news(session, drafts)
        if _digest(drafts, news) != shown:
            raise ChangedError("这些办件在您打开之后有了新的内容，或者列表有变动，已重新显示；请看过后再提交。")
        taken = [each for each in drafts if said.get(each[0].case_no, Said()).put is not Put.LATER]
        if not taken:
            raise RefusalError("没有要审签的拟稿：都选了“暂不审签”，或者已经没有等您审签的。")
        given = {case.case_no: _given(session, case, said.get(case.case_no, Said())) for case, _ in taken}
        _check(session, by, taken, given)
    officer = sign(by.staff_no, code, by.source)
    done, refused = list[str](), list[tuple[str, str]]()
    for case, draft in taken:
        try:
            with transaction() as session:
                _record(session, case.case_no, str(case.waiting_for), officer, draft, news, given[case.case_no])
            done.append(case.case_no)
        except RefusalError as why:
            refused.append((case.case_no, str(why)))
    back = sum(given[case_no]["opinion"] == Opinion.RETURNED for case_no in done)
    return Approved(len(done) - back, back, tuple(refused), tuple(done))


def _given(session: Session, case: Case, said: Said) -> dict[str, Any]:
    """The opinion as its question takes it. A reason stands where one is asked for: nothing of one case belongs into
    the record of another."""
    wanted = said.put is Put.RETURNED or _asked(case)[0].needs_reason(session, case.case_no)
    return {"opinion": Opinion(str(said.put)), "reason": said.reason if wanted else ""}


def _check(
    session: Session, by: SignedIn, drafts: Sequence[tuple[Case, Answer]], given: Mapping[str, dict[str, Any]]
) -> None:
    """Raise ``InputError`` for what is wrong with the opinions."""
    wrong: dict[str, str] = {}
    today = clock.today()
    for case, _ in drafts:
        try:
            checked(Asked(session, case, by.staff_no, today), _asked(case)[0], given[case.case_no])
        except InputError as why:
            wrong[f"reason-{case.case_no}"] = f"{case.case_no}：{why}"
    if wrong:
        raise InputError("".join(wrong.values()), wrong)


def _record(
    session: Session,
    case_no: str,
    waited_for: str,
    officer: Officer,
    draft: Answer,
    news: Mapping[str, int],
    given: Mapping[str, Any],
) -> None:
    """Put the opinion on one draft on record; a case that rests goes on to its end at once."""
    case, now = locked_case(session, case_no), clock.now()
    if case.closed_at is not None or case.waiting_for != waited_for:
        raise RefusalError("已由他人审签，或者不再等审签。")
    if _last_news(session, [(case, draft)])[case_no] != news[case_no]:
        raise RefusalError("本件刚刚有了新的内容，请看过后再审签。")
    approval, turn = _asked(case)
    today, rested = clock.local_date(now), case.at_rest
    approval.check_officer(session, officer, case, today)
    answer = checked(Asked(session, case, officer.staff_no, today), approval, given)
    key = f"approval:{case_no}:{waited_for}:{draft.id}"
    said_no = record_answer(session, case, approval, turn, AnswerSource.OFFICER, key, answer, now, officer.staff_no)
    if said_no is not None:
        raise RefusalError(said_no)
    if rested and take_outcome_approval.within(session, case, now, turn):
        conclude(lambda step: step.within(session, case, now))
