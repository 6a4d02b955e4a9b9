"""Findings of supervision (Article 17): each matter once, with a rectification of its own, until its cause is gone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.findings import Finding
from regulation.finding_rules import RULES
from regulation.findings import Source, severity_of
from regulation.limits import FINDING_DECISION
from regulation.rectifications import Stage
from runtime import clock
from tasks.audit import record
from tasks.case.numbers import announce, locked_counter, next_number, opening
from tasks.rectifications.steps import finding_cleared


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found at a department, in sentences that its head understands and with nothing of a person in them.

    ``subject`` is what within the department it is about: the same matter has the same one every time.
    """

    rule: str
    department_uscc: str
    subject: str
    facts: str
    seen_on: date | None = None
    """The last day on which it was seen, where what is looked at reaches back: what was seen before the day on which
    the matter was cleared is no news. ``None``: it is so now."""
    particulars: str = ""
    """Whom and which business cases it is about, for the department alone."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of what was found: rectifications opened and findings cleared (both case numbers), and how many were
    known already."""

    opened: tuple[str, ...]
    again: int
    cleared: tuple[str, ...]


def note_findings(
    session: Session,
    source: Source,
    found: Iterable[Found],
    at: datetime,
    ran: Collection[str] = (),
    as_of: date | None = None,
) -> Noted:
    """Note what was found: a matter that is open already is found again, another opens a rectification, linked to the
    finding before about the same.

    ``ran`` are the codes of the rules that looked at every department: what they do not find any more is cleared.
    ``as_of`` is the day on which that would have been noted, where it is made up for later; cases and their limits
    begin ``at`` all the same. The caller nudges the cases once the transaction has committed.
    """
    today = clock.local_date(at)
    on = as_of or today
    # One at a time, or two of them would both find a matter new.
    counter = locked_counter(session, CaseKind.RECTIFICATION, today.year)
    opened: list[str] = []
    seen: set[tuple[str, str, str]] = set()
    for each in found:
        matter = (each.rule, each.department_uscc, each.subject)
        before = _last_about(session, *matter)
        # Whoever clears a matter knows the full days before: that day itself nobody has looked at.
        if before is not None and before.cleared_on is not None and each.seen_on and each.seen_on < before.cleared_on:
            continue
        if before is not None and before.cleared_on is None:
            if matter not in seen:
                before.times += before.last_on < on
            before.last_on, before.facts, before.particulars = max(on, before.last_on), each.facts, each.particulars
        else:
            case_no = next_number(counter)
            opened.append(case_no)
            _open(session, case_no, source, each, _last_about(session, *matter, upheld=True), at, on)
        seen.add(matter)
    again = len(seen) - len(opened)
    cleared = _clear(session, ran, seen, at, on)
    return Noted(tuple(opened), again, tuple(cleared))


def _last_about(
    session: Session, rule: str, department_uscc: str, subject: str, upheld: bool = False
) -> Finding | None:
    """The last finding about a matter; where only what was ``upheld`` counts, none that was dismissed."""
    wanted = select(Finding).where(
        Finding.rule == rule, Finding.department_uscc == department_uscc, Finding.subject == subject
    )
    if upheld:
        wanted = wanted.join(Case, Case.case_no == Finding.case_no).where(Case.stage != Stage.DISMISSED)
    return session.scalar(wanted.order_by(Finding.id.desc()).limit(1))


def _open(
    session: Session, case_no: str, source: Source, found: Found, before: Finding | None, at: datetime, on: date
) -> None:
    step = opening(session, case_no, Stage.FOUND, "note_findings", "system", at)
    severity = severity_of(RULES[found.rule], repeated=before is not None)
    finding = Finding(
        rule=found.rule,
        source=source,
        department_uscc=found.department_uscc,
        subject=found.subject,
        severity=severity,
        facts=found.facts,
        particulars=found.particulars,
        first_on=on,
        last_on=on,
        times=1,
        repeats_id=before.id if before is not None else None,
        case_no=case_no,
    )
    session.add(finding)
    session.flush()
    detail = {"rule": found.rule, "department": found.department_uscc, "severity": severity}
    step.audit("supervision:finding:opened", source=source, **detail)
    announce(step, f"{source}发现的问题", FINDING_DECISION)


def _clear(
    session: Session, ran: Collection[str], seen: Collection[tuple[str, str, str]], at: datetime, on: date
) -> list[str]:
    wanted = select(Finding).where(Finding.rule.in_(ran), Finding.cleared_on.is_(None)).order_by(Finding.id)
    cleared = []
    for finding in session.scalars(wanted):
        if (finding.rule, finding.department_uscc, finding.subject) not in seen:
            finding.cleared_on = on
            record(session, "supervision:finding:cleared", finding.case_no, "system", at, rule=finding.rule)
            finding_cleared(session, finding.case_no, at)
            cleared.append(finding.case_no)
    return cleared
