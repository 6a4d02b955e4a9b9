"""A rule's revision on its sheets (Article 16)."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Answer, Case, CaseKind
from models.organisations import Department
from models.rule_revisions import RuleRevision
from regulation import limits
from regulation.rule_revisions import STAGES
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines
from tasks.rule_revisions.questions import RevisionCheck, RevisionConfirmation, RevisionReport
from tasks.rule_revisions.steps import revision_of


def _department(session: Session, case: Case) -> str:
    return session.get_one(Department, revision_of(session, case.case_no).department_uscc).name


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(RuleRevision.case_no, Department.name, RuleRevision.document, RuleRevision.clause)
    wanted = wanted.join(Department, Department.uscc == RuleRevision.department_uscc)
    rows = session.execute(wanted.where(RuleRevision.case_no.in_(case_nos))).tuples()
    return {case_no: Brief(name, detail=f"{document} {clause}") for case_no, name, document, clause in rows}


def _lines(session: Session, case: Case) -> Lines:
    row = revision_of(session, case.case_no)
    lines = [
        ("部门", _department(session, case)),
        ("文件或流程", row.document),
        ("条款或环节", row.clause),
        ("妨碍本办法", f"第{row.article}条"),
        ("计划修订日期", str(row.planned_on)),
    ]
    if row.in_force_on is not None:
        lines.append(("已修订", f"{row.document_no}，{row.in_force_on}起施行"))
    return lines


def _full_lines(session: Session, case: Case) -> Lines:
    row = revision_of(session, case.case_no)
    wanted = select(Answer.given).where(
        Answer.case_no == case.case_no, Answer.question == RevisionReport.question, Answer.refusal.is_(None)
    )
    reports = [RevisionReport.model_validate(given) for given in session.scalars(wanted.order_by(Answer.turn))]
    return [
        *_lines(session, case),
        ("怎样妨碍", row.why),
        *(("部门报告", f"{each.document_no}，{each.in_force_on}起施行。{each.text}") for each in reports),
        *([("最近一次退回", row.returned_for)] if row.returned_for else []),
    ]


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """What hinders, and, once the department has revised it, by what."""
    row = revision_of(session, case.case_no)
    reports = [(name, value) for name, value in _full_lines(session, case) if name == "部门报告"]
    lines = [
        ("文件或流程", row.document),
        ("条款或环节", row.clause),
        (f"妨碍第{row.article}条", row.why),
        ("计划修订日期", str(row.planned_on)),
        *reports[-1:],
        *([("最近一次退回", row.returned_for)] if row.returned_for else []),
    ]
    told = frozenset({"部门报告" if reports else f"妨碍第{row.article}条"})
    return [Compared("妨碍电子证照应用的规定" if not reports else "原来的妨碍和部门的修订", tuple(lines), telling=told)]


_HAPPENED: Happened = {
    "rule-revision:rule:listed": "部门报送，妨碍第{article}条",
    "rule-revision:rule:returned": "退回报送，已告知理由",
    "rule-revision:rule:tracked": "确认，跟踪修订，{due_on}截止",
    "rule-revision:department:reminded": "提醒部门（{due_on}截止）",
    "rule-revision:department:said": "收到部门提交的修订报告（附件{files}个）",
    "rule-revision:rule:reported": "开始核对",
    "rule-revision:rule:sent-back": "退回再次修订，{due_on}截止",
    "rule-revision:rule:revised": "核对已修订，{in_force_on}起施行，办结",
}

RULE_REVISION = Kind(
    CaseKind.RULE_REVISION,
    "制度修订/rule-revision",
    STAGES,
    (RevisionConfirmation, RevisionReport, RevisionCheck),
    (limits.RULE_REVISION_CONFIRMATION, limits.RULE_REVISION, limits.RULE_REVISION_CHECK),
    KindSheet("制度修订", _briefs, _lines, _full_lines, _HAPPENED, compared=_compared),
    select(RuleRevision.case_no, RuleRevision.department_uscc),
)
