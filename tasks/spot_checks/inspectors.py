"""The register of inspectors and the list of check items of random spot checks (Article 17), kept up by staff."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Department, Officer
from models.spot_checks import CheckItem, Inspector, InspectorConflict, SpotCheckTeam, Ties
from regulation.spot_checks import RULE_OF, Fault, ObjectKind, Stage, TeamStage
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.kind import Table
from tasks.office.departments import department_named
from tasks.office.officers import officer_named
from tasks.office.staff_tasks import open_staff_task


def put_on_register(inspector: str, active: bool, by: Officer) -> None:
    """Put an officer on the register of inspectors, or take one off it, signed by an officer. Raises ``RefusalError``
    for nobody in service."""
    with transaction() as session:
        now = clock.now()
        # Who has left is taken off by the number alone.
        officer = session.get(Officer, inspector.strip().upper()) if not active else None
        officer = officer or officer_named(session, inspector, "检查人员")
        there = session.get(Inspector, officer.staff_no)
        if there is None:
            there = Inspector(staff_no=officer.staff_no)
            session.add(there)
        there.active = active
        tag = "spot-check:inspector:registered" if active else "spot-check:inspector:removed"
        record(session, tag, None, by.staff_no, now, inspector=officer.staff_no)


def declare_conflict(inspector: str, department: str, ties: Ties, until_on: date | None, by: Officer) -> None:
    """Put on file that an inspector may not check a department, up to and with ``until_on``; declared again, it is
    replaced. Where the inspector's team checks it already, staff are told to replace them.

    Raises ``InputError`` for an unknown department or a last day that has passed, ``RefusalError`` for who is not on
    the register.
    """
    with transaction() as session:
        now = clock.now()
        officer_no = officer_named(session, inspector, "检查人员").staff_no
        there = session.get(Inspector, officer_no)
        if there is None:
            numbers = session.scalars(select(Inspector.staff_no).order_by(Inspector.staff_no))
            listed = f"名录中有：{'、'.join(numbers) or '无'}"
            raise RefusalError(f"工号{officer_no}不在检查人员名录中（{listed}），请先登记。")
        if until_on is not None and ties is not Ties.DECLARED:
            raise InputError("本部门、曾任职的回避没有期限，请不填截止日。")
        if until_on is not None and until_on < clock.local_date(now):
            raise InputError(f"回避截止日{until_on}已过，请更正。")
        whose = department_named(session, department)
        uscc = whose.uscc
        wanted = select(InspectorConflict).where(
            InspectorConflict.staff_no == there.staff_no, InspectorConflict.department_uscc == uscc
        )
        conflict = session.scalar(wanted.with_for_update())
        if conflict is None:
            conflict = InspectorConflict(staff_no=there.staff_no, department_uscc=uscc)
            session.add(conflict)
        conflict.ties, conflict.until_on = ties, until_on
        checking = select(SpotCheckTeam).join(Case, Case.case_no == SpotCheckTeam.case_no)
        checking = checking.where(Case.stage == Stage.CHECKING, SpotCheckTeam.department_uscc == uscc)
        for team in session.scalars(checking.where(SpotCheckTeam.stage != TeamStage.CONFIRMED)):
            if there.staff_no in team.inspectors:
                what = f"工号{there.staff_no}回避“{whose.name}”，请在{team.case_no}的办件页更换检查人员"
                key = f"{team.case_no}:conflict:{uscc}:{there.staff_no}"
                open_staff_task(session, key, team.case_no, what, now)
        record(
            session,
            "spot-check:conflict:declared",
            None,
            by.staff_no,
            now,
            inspector=there.staff_no,
            department=uscc,
            ties=ties,
            until_on=str(until_on) if until_on else None,
        )


def keep_check_item(
    item_code: str,
    title: str,
    fault: Fault,
    how: str,
    kinds: tuple[ObjectKind, ...],
    active: bool,
    by: Officer,
) -> None:
    """Put a check item on the list, change it, or take it off (``active`` false); rounds that were opened before keep
    what stood there then. ``fault`` is what a failed item shows."""
    rule = RULE_OF[fault]
    with transaction() as session:
        now = clock.now()
        item = session.get(CheckItem, item_code.strip().upper(), with_for_update=True)
        if item is None:
            item = CheckItem(code=item_code.strip().upper())
            session.add(item)
        item.title, item.article, item.how, item.kinds = title, rule.article, how, kinds
        item.rule, item.active = rule.code, active
        record(session, "spot-check:item:kept", None, by.staff_no, now, item=item.code, active=active)


def register_table(session: Session, today: date) -> Table:
    """The register of inspectors: staff numbers and the departments that are barred."""
    rows = tuple(
        (each.staff_no, "在册" if each.active else "已停用", _barred(session, each.staff_no, today) or "—")
        for each in session.scalars(select(Inspector).order_by(Inspector.staff_no))
    )
    return Table(("工号", "状态", "回避的部门"), rows)


def _barred(session: Session, staff_no: str, today: date) -> str:
    wanted = (
        select(Department.name, InspectorConflict.ties, InspectorConflict.until_on)
        .join(Department, Department.uscc == InspectorConflict.department_uscc)
        .where(InspectorConflict.staff_no == staff_no)
        .order_by(Department.uscc)
    )
    return "、".join(
        f"{name}（{ties}{f'，至{until_on}' if until_on else ''}）"
        for name, ties, until_on in session.execute(wanted).tuples()
        if until_on is None or until_on >= today
    )


def items_table(session: Session) -> Table:
    """The list of check items."""
    rows = tuple(
        (each.code, each.title, f"第{each.article}条", "、".join(each.kinds), "有效" if each.active else "已停用")
        for each in session.scalars(select(CheckItem).order_by(CheckItem.code))
    )
    return Table(("编码", "抽查事项", "依据", "适用对象", "状态"), rows)
