"""A random spot check on its sheets (Article 17)."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.organisations import Department
from models.spot_checks import SpotCheck, SpotCheckObject, SpotCheckTeam
from regulation import limits
from regulation.spot_checks import STAGES, CheckResult
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines, Table
from tasks.spot_checks.questions import SpotCheckPublication, SpotCheckResults
from tasks.spot_checks.steps import confirmed_results, frozen_of, round_of


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    rows = session.execute(select(SpotCheck.case_no, SpotCheck.title).where(SpotCheck.case_no.in_(case_nos)))
    return {case_no: Brief(title) for case_no, title in rows.tuples()}


def _lines(session: Session, case: Case) -> Lines:
    spot_check = round_of(session, case.case_no)
    frozen = frozen_of(spot_check)
    lines = [
        ("期间", f"{frozen.period_from}至{frozen.period_until}"),
        ("检查对象名录", f"{len(frozen.departments)}个部门，{len(frozen.objects)}个对象"),
        ("抽查比例", f"不低于{frozen.rate / 100:g}%"),
        ("名录哈希", spot_check.list_hash),
    ]
    if spot_check.commitment is not None:
        lines.append(("抽取前公布的承诺值", spot_check.commitment))
    drawn = session.scalar(select(func.count()).where(SpotCheckObject.case_no == case.case_no)) or 0
    if spot_check.drawn_at is not None:
        lines.append(("抽中对象", f"{drawn}个"))
    return lines


def _teams(session: Session, case: Case) -> Table | None:
    objects = dict(
        session.execute(
            select(SpotCheckObject.department_uscc, func.count())
            .where(SpotCheckObject.case_no == case.case_no)
            .group_by(SpotCheckObject.department_uscc)
        )
        .tuples()
        .all()
    )
    checked: defaultdict[str, dict[int, bool]] = defaultdict(dict)
    for each, result in confirmed_results(session, case.case_no):
        before = checked[each.department_uscc].get(each.place, True)
        checked[each.department_uscc][each.place] = before and result.result is not CheckResult.FAILED
    wanted = (
        select(SpotCheckTeam, Department.name)
        .join(Department, Department.uscc == SpotCheckTeam.department_uscc)
        .where(SpotCheckTeam.case_no == case.case_no)
        .order_by(SpotCheckTeam.department_uscc)
    )
    rows = tuple(
        (
            name,
            str(objects.get(team.department_uscc, 0)),
            "、".join(team.inspectors),
            team.stage,
            f"{sum(passed.values())}个" if (passed := checked[team.department_uscc]) else "—",
        )
        for team, name in session.execute(wanted).tuples()
    )
    return Table(("部门", "抽中对象", "检查组", "结果", "合格"), rows) if rows else None


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """Where each team is, and what it found wrong."""
    teams = _teams(session, case)
    compared = [Compared("各检查组", table=teams)] if teams is not None else []
    failed = tuple(
        (str(each.place), each.title, result.item_code, result.note)
        for each, result in confirmed_results(session, case.case_no)
        if result.result is CheckResult.FAILED
    )
    if failed:
        title = f"检查不合格的{len(failed)}项"
        compared.insert(0, Compared(title, table=Table(("序号", "检查对象", "检查事项", "情况"), failed)))
    return compared


_HAPPENED: Happened = {
    "spot-check:round:opened": "发起抽查，冻结检查对象名录（{objects}个）和检查人员名录（{inspectors}名）",
    "spot-check:commitment:published": "公布承诺值",
    "spot-check:objects:drawn": "抽取检查对象{objects}个",
    "spot-check:teams:drawn": "抽取检查组{teams}个，已告知检查人员",
    "spot-check:inspector:replaced": "检查人员{absent}更换为{other}",
    "spot-check:results:entered": "检查组登记结果（{lines}行）",
    "spot-check:results:returned": "退回登记的结果",
    "spot-check:results:confirmed": "确认登记的结果",
    "spot-check:results:noted": "检查结束，登记问题{findings}个",
    "spot-check:results:published": "公布结果、种子和名录",
}

SPOT_CHECK = Kind(
    CaseKind.SPOT_CHECK,
    "随机抽查/spot-check",
    STAGES,
    (SpotCheckResults, SpotCheckPublication),
    (limits.SPOT_CHECK_RESULTS, limits.SPOT_CHECK_PUBLICATION),
    KindSheet("随机抽查", _briefs, _lines, _lines, _HAPPENED, _teams, compared=_compared),
    concerned=select(SpotCheckTeam.case_no, SpotCheckTeam.department_uscc),
)
