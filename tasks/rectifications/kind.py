"""A rectification on its sheets (Article 17)."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Answer, Case, CaseKind
from models.certificates import CertificateType
from models.findings import Finding
from models.mystery_applications import Visit
from models.organisations import Department
from models.rectifications import Rectification
from regulation import limits
from regulation.finding_rules import RULES
from regulation.rectifications import STAGES, Stage, bounds, suggested_days
from regulation.service_guides import VISIT_RULES, subject_of
from runtime import clock
from tasks.case.deadlines import running_deadline
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines
from tasks.case.questions import Question, in_short
from tasks.rectifications.questions import (
    DepartmentResponse,
    ExtensionDecision,
    FinalStanding,
    FindingDecision,
    LateResponse,
    Recheck,
)
from tasks.rectifications.steps import finding_of, first_of


def _department(session: Session, case: Case) -> str:
    return session.get_one(Department, finding_of(session, case.case_no).department_uscc).name


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(Finding.case_no, Department.name, Finding.rule)
    wanted = wanted.join(Department, Department.uscc == Finding.department_uscc)
    rows = session.execute(wanted.where(Finding.case_no.in_(case_nos))).tuples()
    return {case_no: Brief(name, detail=RULES[rule].title) for case_no, name, rule in rows}


def _lines(session: Session, case: Case) -> Lines:
    finding = finding_of(session, case.case_no)
    rule = RULES[finding.rule]
    row = session.get(Rectification, case.case_no)
    lines = [
        ("部门", _department(session, case)),
        ("问题", f"{rule.title}（第{rule.article}条）"),
        ("来源", finding.source),
        ("情况", finding.facts),
        ("发现", f"首次{finding.first_on}，最近{finding.last_on}，共{finding.times}次"),
        ("严重程度", row.severity if row else finding.severity),
    ]
    if (earlier := first_of(session, finding)) is not None:
        lines.append(("重复发生", f"{earlier.first_on}已发现过（{earlier.case_no}）"))
    if case.stage == Stage.FOUND:
        fewest, most = bounds(finding.severity)
        days = suggested_days(finding.severity, finding.repeats_id is not None)
        lines.append(("规则建议", f"督促整改，{finding.severity}，{days}个工作日（可在{fewest}至{most}之间）"))
    if finding.cleared_on is not None and case.closed_at is None:
        lines.append(("请注意", f"巡查发现问题的原因已于{finding.cleared_on}消除"))
    if row is not None and row.failures:
        lines.append(("整改不到位", f"{row.failures}次"))
    return lines


_ASKED: dict[str, tuple[str, type[Question]]] = {
    FindingDecision.question: ("处置", FindingDecision),
    DepartmentResponse.question: ("部门答复", DepartmentResponse),
    ExtensionDecision.question: ("延期审核", ExtensionDecision),
    Recheck.question: ("复查", Recheck),
    LateResponse.question: ("督查通报后的答复", DepartmentResponse),
    FinalStanding.question: ("最后情况", FinalStanding),
}
"""What each answer is called, and the question by whose fields it is read."""


def _full_lines(session: Session, case: Case) -> Lines:
    wanted = select(Answer).where(Answer.case_no == case.case_no, Answer.question.in_(_ASKED), Answer.refusal.is_(None))
    answers = session.scalars(wanted.order_by(Answer.id))
    remarks = _remarks(session, finding_of(session, case.case_no))
    return [*_lines(session, case), *remarks, *(_answer(answer) for answer in answers)]


def _remarks(session: Session, finding: Finding) -> Lines:
    """What those who were at the counter noted beside the facts, visit by visit, since the finding before about the
    same was cleared: for staff, not for the department."""
    demands = [demand for demand, rule in VISIT_RULES.items() if rule.code == finding.rule]
    wanted = select(Visit, CertificateType.name).join(CertificateType, CertificateType.code == Visit.type_code)
    wanted = wanted.where(Visit.department_uscc == finding.department_uscc, Visit.demand.in_(demands))
    wanted = wanted.where(Visit.at >= session.get_one(Case, finding.case_no).opened_at)
    if finding.cleared_on is not None:
        wanted = wanted.where(Visit.visited_on < finding.cleared_on)
    return [
        (f"现场体验备注（{visit.visited_on}）", visit.remarks)
        for visit, name in session.execute(wanted.order_by(Visit.id)).tuples()
        if visit.remarks and subject_of(visit.item_code, name) == finding.subject
    ]


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """What was found, what was ordered, and what the department said last: by these each of its decisions is made."""
    finding, row = finding_of(session, case.case_no), session.get(Rectification, case.case_no)
    rule = RULES[finding.rule]
    lines = [("问题", f"{rule.title}（第{rule.article}条）"), ("情况", finding.facts)]
    if finding.particulars:
        lines.append(("涉及", finding.particulars))
    lines += _remarks(session, finding)
    if row is None:
        days = suggested_days(finding.severity, finding.repeats_id is not None)
        lines.append(("规则建议", f"督促整改，{finding.severity}，{days}个工作日"))
        return [Compared("发现的问题", tuple(lines), telling=frozenset({"情况"}))]
    if row.requirement:
        lines.append(("整改要求", row.requirement))
    limit = running_deadline(session, case.case_no, limits.RECTIFICATION)
    if limit is not None:
        lines.append(("整改时限", f"{limit.due_on}（{limit.days}个工作日）"))
    if row.returned_for:
        lines.append(("上次退回的理由", row.returned_for))
    said = select(Answer).where(
        Answer.case_no == case.case_no,
        Answer.question.in_((DepartmentResponse.question, LateResponse.question)),
        Answer.refusal.is_(None),
    )
    answers = session.scalars(said.order_by(Answer.id)).all()
    if answers:
        lines.append(("部门最近的答复", _answer(answers[-1])[1]))
    if finding.cleared_on is not None:
        lines.append(("请注意", f"巡查发现问题的原因已于{finding.cleared_on}消除"))
    return [Compared("问题、要求和部门答复", tuple(lines), telling=frozenset({"部门最近的答复", "请注意"}))]


def _answer(answer: Answer) -> tuple[str, str]:
    name, question = _ASKED[answer.question]
    return f"{name}（{clock.local_date(answer.at)}）", in_short(question.said(answer.given))


_HAPPENED: Happened = {
    "supervision:finding:opened": "{source}发现问题，严重程度{severity}",
    "supervision:finding:cleared": "问题不再发现",
    "rectification:finding:gone": "处置前问题的原因已自行消除，办结",
    "rectification:finding:dismissed": "问题不成立，办结",
    "rectification:case:ordered": "通知部门整改（{severity}），{due_on}截止",
    "rectification:extension:asked": "部门申请延期{days}个工作日",
    "rectification:extension:settled": "{verdict}",
    "rectification:department:said": "收到部门提交的{kind}（附件{files}个）",
    "rectification:department:answered": "收到部门答复，开始复查",
    "rectification:department:silent": "部门至{due_on}截止日没有答复",
    "rectification:case:rechecked": lambda detail: (
        f"{'程序' if detail['by'] == 'rule' else '人工'}复查：{'已整改' if detail['mended'] else '没有改到位'}"
    ),
    "rectification:case:returned": "退回再次整改，{due_on}截止",
    "rectification:case:escalated": "{failures}次整改不到位，提请区政府督查通报，已告知部门和负责人",
    "rectification:case:closed": "办结：{outcome}，已告知部门",
}

RECTIFICATION = Kind(
    CaseKind.RECTIFICATION,
    "督促整改/rectification",
    STAGES,
    (FindingDecision, DepartmentResponse, ExtensionDecision, Recheck, FinalStanding),
    (limits.FINDING_DECISION, limits.RECTIFICATION, limits.EXTENSION_REVIEW, limits.RECHECK),
    KindSheet("督促整改", _briefs, _lines, _full_lines, _HAPPENED, compared=_compared),
    concerned=select(Finding.case_no, Finding.department_uscc),
)
