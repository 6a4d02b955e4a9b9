"""A case is handed over to another officer, with those joined to it."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.backfills import BackfillEntry
from models.cases import Case, Deadline, Handover
from models.objections import Objection
from models.organisations import Officer, Role
from models.records import AuditEntry
from notifications.notices import CasesHandedOver
from notifications.outbox import queue
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.answers import Signature
from tasks.case.numbers import case_numbered, desk_address, tell_officer
from tasks.case.step import locked_case
from tasks.office.officers import absence, acting_officer, check_may_act, officer_named
from tasks.office.signatures import SignatureError, look_at

FILED = "liaison:filing:registered"
REFUSED, NAMED = 10, 100
"""Cases that a refusal, and a letter, name."""


def hand_over(session: Session, case_no: str, to: str, why: str, by: Officer, at: datetime) -> str:
    """Give a case, and those joined to it, to another officer; its number in full. Reminders follow because they read
    the case's officer.

    The reason is kept. Raises ``RefusalError`` for a closed or unknown case, an unknown officer or an auditor, and
    whoever may not act on the case.
    """
    officer = officer_named(session, to, "接收人")
    case = _passable(session, case_no, officer, by, clock.local_date(at))
    _pass_on(session, case, officer, why, by, at)
    tell_officer(session, case, f"由工号{by.staff_no}移交：{why}", f"{case.case_no}:hand-over:{at.isoformat()}", at)
    return case.case_no


def _passable(session: Session, case_no: str, to: Officer, by: Officer, on: date) -> Case:
    """An open case that may go to an officer, locked."""
    case = _open_case(session, case_no)
    check_may_act(session, by, case, on)
    check_receiver(session, case, to)
    return case


def check_receiver(session: Session, case: Case, to: Officer) -> None:
    """Raise ``RefusalError`` for whoever cannot have a case: an auditor, who has it already, and who entered what
    somebody else has to review (Articles 11 and 13)."""
    if to.role is Role.AUDITOR:
        raise RefusalError(f"工号{to.staff_no}是审计人员，只能查看，不能接收办件；请另选接收人。")
    if to.staff_no == case.officer_no:
        raise RefusalError(f"本件已由工号{to.staff_no}办理，无需移交。")
    if to.staff_no in entered_by(session, case.case_no):
        raise RefusalError(f"本件是工号{to.staff_no}登记的，须由另一人审核；请另选接收人。")


def entered_by(session: Session, case_no: str) -> frozenset[str]:
    """Who entered the paper certificates of a backfill or a batch, or the filing of a liaison officer; of any other
    case nobody."""
    one = select(BackfillEntry.entered_by).where(BackfillEntry.case_no == case_no)
    many = select(BackfillBatch.entered_by).where(BackfillBatch.case_no == case_no)
    filed = select(AuditEntry.actor).where(AuditEntry.case_no == case_no, AuditEntry.tag == FILED)
    return frozenset(session.scalars(one.union_all(many, filed)))


def _pass_on(session: Session, case: Case, officer: Officer, why: str, by: Officer, at: datetime) -> None:
    """As ``hand_over``, but tell nobody."""
    joined = select(Case).join(Objection, Objection.case_no == Case.case_no)
    joined = joined.where(Objection.lead_case_no == case.case_no, Case.closed_at.is_(None)).with_for_update(of=Case)
    for given in (case, *session.scalars(joined)):
        change = {"from_no": given.officer_no, "to_no": officer.staff_no}
        session.add(Handover(case_no=given.case_no, **change, why=why, by_no=by.staff_no, at=at))
        record(session, "case:officer:changed", given.case_no, by.staff_no, at, **change)
        _keep_limits(session, given, clock.local_date(at))
        given.officer_no = officer.staff_no


def _keep_limits(session: Session, case: Case, today: date) -> None:
    """Note on the limits that have ended, or whose day has come, that it was this officer who met or missed them: what
    is handed over on its last day was left until then. What still runs in time goes along with the case."""
    ended = or_(Deadline.met_on.is_not(None), Deadline.lapsed_on.is_not(None), Deadline.due_on <= today)
    theirs = update(Deadline).where(Deadline.case_no == case.case_no, Deadline.officer_no.is_(None), ended)
    session.execute(theirs.values(officer_no=case.officer_no))


def _open_case(session: Session, text: str) -> Case:
    case = locked_case(session, case_numbered(session, text, Case.closed_at.is_(None)))
    if case.closed_at is not None:
        raise RefusalError(f"办件{case.case_no}已办结，不能移交。")
    return case


def give_cases(case_nos: Collection[str], to: str, why: str, by: Signature, though_away: str = "") -> int:
    """Give many cases to another officer for one reason, all of them or none; how many.

    ``by`` is a director's signature, ``though_away`` the number of a receiver of whom they know that they are away.
    Raises ``InputError``, which says which field is wrong: ``cases`` names every case that cannot be given and why,
    ``though_away`` until when the receiver is away and who acts for them; ``RefusalError`` for anybody else;
    ``SignatureError`` once nothing else is wrong.
    """
    with transaction() as session:
        director = session.get_one(Officer, by.staff_no)
        if director.role is not Role.DIRECTOR:
            raise RefusalError("多件一并移交由负责人办理；本人的办件请逐件移交。")
        if not case_nos:
            raise InputError.of("cases", "请至少选择一件要移交的办件。")
        try:
            officer = officer_named(session, to, "接收人")
        except InputError as wrong:
            raise InputError.of("to", str(wrong)) from None
        if officer.role is Role.AUDITOR:
            raise InputError.of("to", "接收人：审计人员只能查看，不能办理，请选择其他工作人员。")
        now, given, refused = clock.now(), list[Case](), list[str]()
        away = absence(session, officer.staff_no, clock.local_date(now))
        if away is not None and though_away != officer.staff_no:
            raise InputError.of(
                "though_away", f"{away.of(officer)}。请另选接收人；仍要移交的，请勾选“知道接收人休假，仍然移交”。"
            )
        for case_no in sorted(set(case_nos)):
            try:
                given.append(_passable(session, case_no, officer, director, clock.local_date(now)))
            except RefusalError as refusal:
                refused.append(f"{case_no}：{refusal}")
        if refused:
            more = f"另有{len(refused) - REFUSED}件也不能移交。" if len(refused) > REFUSED else ""
            raise InputError.of("cases", "\n".join(["没有移交任何一件。", *refused[:REFUSED], more]).strip())
        signed = look_at(session, by.staff_no, by.code, by.source)
        if not isinstance(signed, SignatureError):
            for case in given:
                # One that was joined to another of these has gone along with it.
                if case.officer_no != officer.staff_no:
                    _pass_on(session, case, officer, why, director, now)
            _tell_of(session, [case.case_no for case in given], officer.staff_no, why, director, now)
    # Only now, because a wrong code has to be counted.
    if isinstance(signed, SignatureError):
        raise signed
    return len(given)


def _tell_of(session: Session, case_nos: Sequence[str], to: str, why: str, by: Officer, at: datetime) -> None:
    """Tell whoever acts for an officer today that these cases are theirs now, all in one letter."""
    officer = acting_officer(session, to, clock.local_date(at))
    earliest = select(func.min(Deadline.due_on)).where(Deadline.case_no.in_(case_nos), Deadline.running)
    notice = CasesHandedOver(
        case_nos=case_nos[:NAMED],
        more=max(0, len(case_nos) - NAMED),
        officer=officer.name,
        by_no=by.staff_no,
        due_on=session.scalar(earliest) or clock.local_date(at),
        why=why,
        desk=desk_address(),
    )
    queue(session, notice, officer.email, key=f"{case_nos[0]}:hand-over:{at.isoformat()}", case_no=None, at=at)


def give_case(case_no: str, to: str, why: str, by: Officer) -> str:
    """A hand-over as a form asks for it. Raises ``RefusalError`` as ``hand_over`` does."""
    with transaction() as session:
        return hand_over(session, case_no, to, why, by, clock.now())
