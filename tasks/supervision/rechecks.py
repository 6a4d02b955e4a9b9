"""Rechecks (复查, Article 17): whether a finding's cause is gone, by running its rule again or by an officer's look."""

from collections.abc import Callable, Mapping
from datetime import date

from sqlalchemy.orm import Session

from models.findings import Finding
from regulation.limits import RECHECK
from regulation.rectifications import Verdict
from tasks.case.answers import answered
from tasks.case.deadlines import meet_deadline
from tasks.case.numbers import tell_officer
from tasks.case.step import Step, durable
from tasks.guides import guides
from tasks.office.recipients import liaison_on_file
from tasks.rectifications.questions import Recheck
from tasks.rectifications.steps import failed, finding_of, mended
from tasks.supervision import nights
from tasks.system_reviews import go_live


def _liaison_missing(session: Session, finding: Finding, today: date) -> str | None:
    if liaison_on_file(session, finding.department_uscc, today):
        return None
    return f"截至{today}，本部门仍没有在册的电子证照管理专人（第十三条）。"


RECHECKS: Mapping[str, Callable[[Session, Finding, date], str | None]] = {
    "liaison-missing": _liaison_missing,
    **go_live.RECHECKS,
    **nights.RECHECKS,
    **guides.RECHECKS,
}
"""By the rule's code: ``None`` when the cause of the finding is gone on a day, else the fact that remains, in Chinese
and without personal data. A rule that is not here is rechecked by a person."""


@durable("程序复查")
def recheck_by_rule(step: Step) -> str | None:
    """Recheck by running the rule again; the stage that the case is in now, ``None`` where a person has to look."""
    finding = finding_of(step.session, step.case.case_no)
    remains = None
    if finding.cleared_on is None:
        again = RECHECKS.get(finding.rule)
        if again is None:
            why = "部门已答复整改情况，请复查"
            tell_officer(step.session, step.case, why, f"{step.case.case_no}:recheck:{step.turn}", step.now)
            return None
        remains = again(step.session, finding, step.today)
    meet_deadline(step.session, step.case.case_no, RECHECK, step.today)
    step.audit("rectification:case:rechecked", by="rule", mended=remains is None)
    return mended(step, "复查时问题的原因已经消除。") if remains is None else failed(step, remains, None)


@durable("人工复查")
def carry_out_recheck(step: Step) -> str:
    """Carry out what the officer found at the recheck; the stage that the case is in now."""
    found = answered(step, Recheck, RECHECK)
    is_mended = found.verdict is Verdict.MENDED
    step.audit("rectification:case:rechecked", by="officer", mended=is_mended)
    return mended(step, found.reason or "经复查，已整改到位。") if is_mended else failed(step, found.reason, found.days)
