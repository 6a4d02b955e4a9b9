"""A rectification on its sheets (Article 17)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.findings import Finding
from models.organisations import Department
from regulation.finding_rules import RULES
from tasks.sheet_kinds import Happened, KindSheet, Lines


def _finding(session: Session, case: Case) -> Finding:
    return session.scalars(select(Finding).where(Finding.case_no == case.case_no)).one()


def _department(session: Session, case: Case) -> str:
    return session.get_one(Department, _finding(session, case).department_uscc).name


def _lines(session: Session, case: Case) -> Lines:
    finding = _finding(session, case)
    rule = RULES[finding.rule]
    lines = [
        ("部门", _department(session, case)),
        ("问题", f"{rule.title}（第{rule.article}条）"),
        ("来源", finding.source),
        ("严重程度", finding.severity),
        ("情况", finding.facts),
        ("发现", f"首次{finding.first_on}，最近{finding.last_on}，共{finding.times}次"),
    ]
    if finding.repeats_id is not None:
        before = session.get_one(Finding, finding.repeats_id)
        lines.append(("重复发生", f"{before.first_on}已发现过（{before.case_no}）"))
    if finding.cleared_on is not None:
        lines.append(("问题消除", f"{finding.cleared_on}起不再发现"))
    return lines


_HAPPENED: Happened = {
    "supervision:finding:opened": "{source}发现问题，严重程度{severity}",
    "supervision:finding:cleared": "问题不再发现",
}

RECTIFICATION = KindSheet("督促整改", _department, _lines, _lines, _HAPPENED)
