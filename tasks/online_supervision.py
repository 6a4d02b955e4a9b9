"""Online supervision (电子督查, Article 17): every night the rules judge the days before, and what is seen is noted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import Deadline
from models.findings import Finding
from models.organisations import Department
from models.records import AuditEntry
from regulation.finding_rules import RULES
from regulation.findings import Source
from regulation.limits import NIGHTS_MADE_UP, RECHECKED_DAYS, RECTIFICATION
from regulation.online_supervision import JUDGES, LIAISON_MISSING, OPERATOR, Period, Sign, Tallies, looking_back
from runtime import clock
from runtime.database import reading, transaction
from tasks.cases import locked_counter
from tasks.departments import department_names
from tasks.findings import Found, Noted, note_findings
from tasks.online_tallies import tallies_of
from tasks.sheet_kinds import Table
from tasks.step import record

SUPERVISED = "supervision:night:supervised"
"""The tag of the entry that a day was supervised; its detail's ``until`` is the last day that was judged."""


@dataclass(frozen=True, slots=True)
class Night:
    """What a night came to: the last day that was judged, what was seen, and what became of it."""

    day: date
    signs: tuple[Sign, ...]
    noted: Noted


def supervise(at: datetime) -> list[Night]:
    """Judge every day up to yesterday that has not been judged, at most ``NIGHTS_MADE_UP`` of them, in order."""
    yesterday = clock.local_date(at) - timedelta(days=1)
    with reading() as session:
        wanted = select(AuditEntry).where(AuditEntry.tag == SUPERVISED).order_by(AuditEntry.id.desc())
        last = session.scalar(wanted.limit(1))
    done = date.fromisoformat(last.detail["until"]) if last is not None else yesterday - timedelta(days=1)
    first = max(done, yesterday - timedelta(days=NIGHTS_MADE_UP.value)) + timedelta(days=1)
    days = (first + timedelta(days=n) for n in range((yesterday - first).days + 1))
    return [night for day in days if (night := _supervise(day, at)) is not None]


def _supervise(day: date, at: datetime) -> Night | None:
    """Judge the period up to a day; ``None`` when somebody else has meanwhile."""
    # The record is read before anything is locked: it takes a while, and steps have to write.
    with reading() as session:
        signs = signs_of(session, looking_back(day))
    with transaction() as session:
        locked_counter(session, "online-supervision", day.year)
        known = select(AuditEntry.id).where(
            AuditEntry.tag == SUPERVISED, AuditEntry.detail["until"].as_string() == str(day)
        )
        if session.scalar(known.limit(1)) is not None:
            return None
        found = [Found(sign.rule, sign.department, sign.subject, sign.facts, sign.seen_on) for sign in signs]
        noted = note_findings(session, Source.ONLINE, found, at, list(JUDGES))
        record(session, SUPERVISED, None, "system", at, until=str(day), signs=len(signs), opened=len(noted.opened))
        return Night(day, signs, noted)


def signs_of(session: Session, period: Period) -> tuple[Sign, ...]:
    """What the rules see in a period. What was cleared meanwhile is judged by what happened since."""
    tallies = tallies_of(session, period)
    departments = set(session.scalars(select(Department.uscc)))
    cleared = _cleared(session, period)
    signs = []
    for code, judge in JUDGES.items():
        for sign in judge(tallies, period):
            since = cleared.get((code, sign.department, sign.subject))
            seen = sign if since is None else _since(tallies, period, sign, since)
            if seen is not None and sign.department in departments:
                signs.append(seen)
    return tuple(signs)


def _cleared(session: Session, period: Period) -> dict[tuple[str, str, str], date]:
    """When what was found before was cleared, where that was in the period."""
    matter = (Finding.rule, Finding.department_uscc, Finding.subject)
    wanted = (
        select(*matter, func.max(Finding.cleared_on))
        .where(Finding.rule.in_(JUDGES), Finding.cleared_on >= period.first)
        .group_by(*matter)
    )
    return {(rule, uscc, subject): on for rule, uscc, subject, on in session.execute(wanted).tuples() if on is not None}


def _since(tallies: Tallies, period: Period, sign: Sign, cleared_on: date) -> Sign | None:
    """The same sign, if what happened after a day gives it too."""
    if cleared_on >= period.last:
        return None
    later = replace(period, judged_from=cleared_on + timedelta(days=1), in_full=True)
    seen = JUDGES[sign.rule](tallies.since(later.judged_from), later)
    return next((each for each in seen if (each.department, each.subject) == (sign.department, sign.subject)), None)


def recheck(session: Session, finding: Finding, today: date) -> str | None:
    """Judge again what happened since the department was told, in the last ``RECHECKED_DAYS`` full days.

    Where no full day has passed since, nothing speaks against the department.
    """
    told_on = session.scalar(
        select(func.min(Deadline.starts_on)).where(
            Deadline.case_no == finding.case_no, Deadline.limit_code == RECTIFICATION.code
        )
    )
    last = today - timedelta(days=1)
    first = max(last - timedelta(days=RECHECKED_DAYS.value - 1), (told_on or finding.first_on) + timedelta(days=1))
    if first > last:
        return None
    # Whether an operator's day is unusual shows only beside their other days.
    from_on = looking_back(last).first if finding.rule == OPERATOR.code else first
    period = Period(from_on, last, first)
    for sign in JUDGES[finding.rule](tallies_of(session, period), period):
        if (sign.department, sign.subject) == (finding.department_uscc, finding.subject):
            return sign.facts
    return None


RECHECKS: Mapping[str, Callable[[Session, Finding, date], str | None]] = {
    code: recheck for code in JUDGES if code != LIAISON_MISSING.code
}
"""The rules of this file that look at what happened; whether somebody is on file is looked up at once."""


def report_of(nights: Sequence[Night]) -> str:
    """The nights as Markdown, with nothing of a person in them."""
    with reading() as session:
        names = department_names(session)
    parts = []
    for night in nights:
        rows = tuple(
            (names[sign.department], RULES[sign.rule].title, f"第{RULES[sign.rule].article}条", sign.facts)
            for sign in night.signs
        )
        table = Table(("部门", "问题", "依据", "情况"), rows).markdown() if rows else "没有发现问题。"
        noted = night.noted
        said = f"新发现{len(noted.opened)}个，仍在{noted.again}个，已消除{len(noted.cleared)}个"
        parts.append(f"## {night.day} 电子督查日报\n\n{said}\n\n{table}")
    return "\n\n".join(parts)
