"""Online supervision (电子督查, Article 17): every night the rules judge the days before, and what is seen is noted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

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
from tasks.audit import record
from tasks.case.kind import Table
from tasks.case.numbers import locked_counter
from tasks.office.departments import department_names
from tasks.rectifications.findings import Found, Noted, note_findings
from tasks.supervision.tallies import tallies_of

SUPERVISED = "supervision:night:supervised"
"""The tag of the entry that a day was supervised. Its detail is what the night came to, so that whoever comes next can
report it: ``until`` is the last day that was judged."""


class Seen(NamedTuple):
    """A sign as it is put on record: without its particulars."""

    rule: str
    department: str
    facts: str


@dataclass(frozen=True, slots=True)
class Night:
    """What a night came to: the last day that was judged, what was seen, and what became of it."""

    day: date
    at: datetime
    seen: tuple[Seen, ...]
    noted: Noted


def supervise(at: datetime) -> int:
    """Judge every day up to yesterday that has not been judged, at most ``NIGHTS_MADE_UP``, in order; how many."""
    yesterday = clock.local_date(at) - timedelta(days=1)
    last = last_nights(1)
    done = last[0].day if last else yesterday - timedelta(days=1)
    first = max(done, yesterday - timedelta(days=NIGHTS_MADE_UP.value)) + timedelta(days=1)
    return sum(_supervise(first + timedelta(days=n), at) for n in range((yesterday - first).days + 1))


def last_nights(number: int = NIGHTS_MADE_UP.value) -> list[Night]:
    """The last nights on record, the newest first, whichever run judged them."""
    wanted = select(AuditEntry).where(AuditEntry.tag == SUPERVISED).order_by(AuditEntry.id.desc()).limit(number)
    with reading() as session:
        return [
            Night(
                date.fromisoformat(said["until"]),
                entry.at,
                tuple(Seen(*sign) for sign in said["seen"]),
                Noted(tuple(said["opened"]), said["again"], tuple(said["cleared"])),
            )
            for entry in session.scalars(wanted)
            for said in [entry.detail]
        ]


def _supervise(day: date, at: datetime) -> bool:
    """Judge the period up to a day, as it would have been on the morning after; whether nobody else has meanwhile."""
    # The record is read before anything is locked: it takes a while, and steps have to write.
    with reading() as session:
        signs = signs_of(session, looking_back(day))
    with transaction() as session:
        locked_counter(session, "online-supervision", day.year)
        known = select(AuditEntry.id).where(
            AuditEntry.tag == SUPERVISED, AuditEntry.detail["until"].as_string() == str(day)
        )
        if session.scalar(known.limit(1)) is not None:
            return False
        noted = note_findings(
            session, Source.ONLINE, [Found(*sign) for sign in signs], at, list(JUDGES), day + timedelta(days=1)
        )
        seen = [Seen(sign.rule, sign.department, sign.facts) for sign in signs]
        record(session, SUPERVISED, None, "system", at, until=str(day), seen=seen, **asdict(noted))
        return True


def signs_of(session: Session, period: Period) -> tuple[Sign, ...]:
    """What the rules see in a period. What was cleared meanwhile is judged by what happened since."""
    tallies = tallies_of(session, period)
    departments = set(session.scalars(select(Department.uscc)))
    cleared = _cleared(session, period)
    signs = []
    for code, judge in JUDGES.items():
        # In an order that does not depend on how the uses were counted.
        for sign in sorted(judge(tallies, period), key=lambda each: (each.department, each.subject)):
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
    """The same sign, if what happened from that day on gives it too: who cleared it knew the days before."""
    if cleared_on > period.last:
        return None
    later = replace(period, judged_from=cleared_on, in_full=True)
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
"""By the rule's code, for what happened in the last days; whether somebody is on file is looked up at once."""


def report_of(nights: Sequence[Night]) -> str:
    """Nights as Markdown, with nothing of a person in them."""
    with reading() as session:
        names = department_names(session)
    parts = []
    for night in nights:
        rows = tuple(
            (names[seen.department], RULES[seen.rule].title, f"第{RULES[seen.rule].article}条", seen.facts)
            for seen in night.seen
        )
        table = Table(("部门", "问题", "依据", "情况"), rows).markdown() if rows else "没有发现问题。"
        noted = night.noted
        said = f"新发现{len(noted.opened)}个，仍在{noted.again}个，已消除{len(noted.cleared)}个"
        parts.append(f"## {night.day} 电子督查日报\n\n{said}\n\n{table}")
    return "\n\n".join(parts)
