"""After a reviewed system has gone live (Article 17): departments say when, are reminded before, and what they promised
is compared with what stands on the use list and what was really called."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import Case
from models.findings import Finding
from models.organisations import Officer
from models.records import AuditEntry
from models.system_reviews import PromisedEntry, SystemReview
from models.use_lists import UseListEntry
from notifications.notices import EntryLine, GoLiveNear
from regulation.certificate_use import ANSWERED
from regulation.findings import Source
from regulation.limits import GO_LIVE_GRACE, GO_LIVE_REMINDER
from regulation.system_reviews import (
    RULES,
    Broken,
    Promise,
    broken_promises,
    check_live_day,
    check_planned_day,
)
from regulation.working_days import WorkingDays
from runtime import clock
from runtime.database import transaction
from runtime.refusals import NotFoundError, RefusalError
from tasks.audit import record
from tasks.case.calendars import working_days
from tasks.case.numbers import case_numbered, locked_counter
from tasks.case.step import Step
from tasks.rectifications.findings import Found, Noted, note_findings
from tasks.register.trial_holders import REAL
from tasks.register.types import type_names
from tasks.system_reviews.steps import LINES_IN_A_NOTICE, tell
from tasks.system_reviews.submissions import GoLive, GoLiveForm
from tasks.use_list.standing import Identity, identity_of, in_force

LATE_ENTRIES = timedelta(hours=1)
"""How far the audit trail is looked through again: an entry is written a moment after the use that it is about."""


def report_go_live(session: Session, department_uscc: str | None, case_no: str, form: GoLiveForm, actor: str) -> None:
    """Note that a passed project went live, or is planned for another day; saying the same again changes nothing.

    ``department_uscc`` of ``None`` may speak for any department. Raises ``NotFoundError`` for another department's
    case, ``RefusalError`` for a project that was not passed or is live already, ``InputError`` for a day that cannot
    be.
    """
    review = session.get(SystemReview, case_no.strip().upper(), with_for_update=True)
    if review is None or department_uscc not in {None, review.department_uscc}:
        raise NotFoundError("没有本部门的这一系统评审，请核对办件编号。")
    if review.passed_on is None:
        raise RefusalError("该项目没有评审通过，不能登记上线或改期。")
    if review.live_on is not None:
        if form.kind is GoLive.LIVE and form.on == review.live_on:
            return
        raise RefusalError(f"该系统已登记为{review.live_on}上线；有误的请联系综合管理单位。")
    now = clock.now()
    if form.kind is GoLive.LIVE:
        check_live_day(form.on, review.passed_on, clock.local_date(now))
        review.live_on = form.on
        record(session, "system-review:go-live:reported", review.case_no, actor, now, on=str(form.on))
    elif form.on != review.go_live_on:
        check_planned_day(form.on, clock.local_date(now))
        moved = {"from_on": str(review.go_live_on), "to_on": str(form.on)}
        review.go_live_on = form.on
        record(session, "system-review:go-live:moved", review.case_no, actor, now, **moved)
    for line in promises_of(session, review.case_no):
        # The promises count from another day now: the trail is looked through from there.
        line.looked_until = None


def report_for_staff(case_no: str, form: GoLiveForm, by: Officer) -> None:
    """``report_go_live`` as a form asks for it."""
    with transaction() as session:
        passed = Case.case_no.in_(select(SystemReview.case_no).where(SystemReview.passed_on.is_not(None)))
        report_go_live(session, None, case_numbered(session, case_no, passed), form, by.staff_no)


def promises_of(session: Session, case_no: str) -> Sequence[PromisedEntry]:
    """What a project promised, in its order."""
    wanted = select(PromisedEntry).where(PromisedEntry.case_no == case_no).order_by(PromisedEntry.line)
    return session.scalars(wanted).all()


def listed_promises(session: Session, review: SystemReview, *days: date) -> set[int]:
    """The lines of a project's promises that stand on the use list on one of these days."""
    listed = {
        identity_of(entry)
        for day in days
        for entry, _ in in_force(session, day, UseListEntry.department_uscc == review.department_uscc)
    }
    lines = promises_of(session, review.case_no)
    return {
        line.line
        for line in lines
        if Identity(review.department_uscc, line.item_code, line.type_code, line.scenario) in listed
    }


def remind_before_go_live(at: datetime) -> int:
    """Remind departments whose system goes live within ``GO_LIVE_REMINDER`` working days, once for each planned day:
    what is not on the use list yet, and to report the day. How many projects."""
    today = clock.local_date(at)
    with transaction() as session:
        # One watch at a time, or two of them would remind the same department twice.
        locked_counter(session, "go-live-check", today.year)
        until = working_days(session).due_on(today, GO_LIVE_REMINDER.value)
        reminded = {
            (entry.case_no, entry.detail["go_live_on"])
            for entry in session.scalars(select(AuditEntry).where(AuditEntry.tag == "system-review:go-live:reminded"))
        }
        wanted = select(SystemReview).where(
            SystemReview.passed_on.is_not(None),
            SystemReview.live_on.is_(None),
            SystemReview.go_live_on.between(today, until),
        )
        due = [
            review
            for review in session.scalars(wanted.order_by(SystemReview.case_no))
            if (review.case_no, str(review.go_live_on)) not in reminded
        ]
        for review in due:
            _remind(session, review, at)
        return len(due)


def _remind(session: Session, review: SystemReview, at: datetime) -> None:
    listed = listed_promises(session, review, review.go_live_on)
    kinds = type_names(session)
    missing = [
        EntryLine(
            line=line.line,
            item=f"{line.item_name}（{line.item_code}）",
            certificate=kinds[line.type_code],
            scenario=line.scenario,
            what="尚未列入用证清单",
        )
        for line in promises_of(session, review.case_no)
        if line.line not in listed
    ]
    step = Step(session, session.get_one(Case, review.case_no), "remind_before_go_live", 1, "system", at)
    tell(
        step,
        GoLiveNear,
        # Once for each planned day.
        about=str(review.go_live_on),
        go_live_on=review.go_live_on,
        missing=missing[:LINES_IN_A_NOTICE],
        more=max(0, len(missing) - LINES_IN_A_NOTICE),
    )
    step.audit("system-review:go-live:reminded", go_live_on=str(review.go_live_on), missing=len(missing))


def check_promises(at: datetime) -> Noted:
    """Compare what went live with what was promised, for every project whose days of grace are over, and note what is
    not kept as findings."""
    today = clock.local_date(at)
    with transaction() as session:
        locked_counter(session, "go-live-check", today.year)
        reviews = _due(session, today)
        _note_uses(session, reviews, at)
        found = [
            Found(broken.rule, review.department_uscc, broken.subject, broken.facts)
            for review in reviews
            for broken in _broken(session, review, today)
        ]
        # Two projects may promise the same line; it is one finding.
        once = {(each.rule, each.department_uscc, each.subject): each for each in found}
        return note_findings(session, Source.GO_LIVE, once.values(), at, [rule.code for rule in RULES])


def _due(session: Session, on: date, department_uscc: str | None = None) -> list[SystemReview]:
    """The projects, of one department or all, whose days of grace are over."""
    went_live, calendar = func.coalesce(SystemReview.live_on, SystemReview.go_live_on), working_days(session)
    wanted = select(SystemReview).where(SystemReview.passed_on.is_not(None), went_live <= on)
    if department_uscc is not None:
        wanted = wanted.where(SystemReview.department_uscc == department_uscc)
    reviews = session.scalars(wanted.order_by(SystemReview.case_no))
    return [review for review in reviews if _grace_ends(calendar, review) <= on]


def _grace_ends(calendar: WorkingDays, review: SystemReview) -> date:
    return calendar.due_on(review.went_live_on, GO_LIVE_GRACE.value)


def _broken(session: Session, review: SystemReview, today: date) -> list[Broken]:
    """What a project does not keep. A line that stood on the list when the grace ended was kept, whatever the
    department has said of it since (Article 9); else it is kept as soon as it is there."""
    listed = listed_promises(session, review, _grace_ends(working_days(session), review), today)
    kinds = type_names(session)
    promises = [
        Promise(
            item_code=line.item_code,
            item_name=line.item_name,
            certificate=kinds[line.type_code],
            scenario=line.scenario,
            listed=line.line in listed,
            used=line.used_on is not None,
        )
        for line in promises_of(session, review.case_no)
    ]
    return broken_promises(review.project_name, promises, review.went_live_on, today)


def _note_uses(session: Session, reviews: Sequence[SystemReview], at: datetime) -> None:
    """Note of the promised lines that were never used whether they are now, going through the trail once from where it
    was looked through last. What a mystery application calls is no use."""
    unused = [
        (review.department_uscc, line, max(line.looked_until or began, began))
        for review in reviews
        for began in [clock.start_of(review.went_live_on)]
        for line in promises_of(session, review.case_no)
        if line.used_on is None
    ]
    if not unused:
        return
    said = AuditEntry.detail
    matter = (said["department"].as_string(), said["type"].as_string(), said["entry"].as_integer())
    wanted = (
        select(*matter, func.max(AuditEntry.at))
        .where(
            AuditEntry.tag.in_(ANSWERED),
            AuditEntry.at >= min(since for *_, since in unused),
            AuditEntry.at <= at,
            said["department"].as_string().in_({department for department, *_ in unused}),
            REAL,
        )
        .group_by(*matter)
    )
    last = {(uscc, kind, entry): when for uscc, kind, entry, when in session.execute(wanted).tuples()}
    for department, line, since in unused:
        which = select(UseListEntry.id).where(
            UseListEntry.department_uscc == department,
            UseListEntry.item_code == line.item_code,
            UseListEntry.type_code == line.type_code,
            UseListEntry.scenario == line.scenario,
        )
        used_at = last.get((department, line.type_code, session.scalar(which) or 0))
        if used_at is not None and used_at >= since:
            line.used_on = clock.local_date(used_at)
        line.looked_until = at - LATE_ENTRIES


def _recheck(session: Session, finding: Finding, on: date) -> str | None:
    """Look again at what one finding is about; what is still not kept, or ``None``."""
    reviews = _due(session, on, finding.department_uscc)
    _note_uses(session, reviews, clock.now())
    broken = (each for review in reviews for each in _broken(session, review, on))
    return next((each.facts for each in broken if (each.rule, each.subject) == (finding.rule, finding.subject)), None)


RECHECKS: Mapping[str, Callable[[Session, Finding, date], str | None]] = {rule.code: _recheck for rule in RULES}
"""How a program looks again at what a rule found: the facts while they hold, ``None`` once they do not."""
