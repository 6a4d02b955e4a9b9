"""A filing of a liaison officer on its sheets (Article 13)."""

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.liaisons import FilingKind, LiaisonFiling, LiaisonOfficer
from models.organisations import Department
from regulation import limits
from regulation.certificates import mask_name
from regulation.liaisons import STAGES
from runtime import clock
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines
from tasks.liaisons.questions import LiaisonConfirmation
from tasks.liaisons.steps import filing_of, would_leave_nobody
from tasks.office.recipients import liaisons_on_file


def _department(session: Session, case: Case) -> str:
    return session.get_one(Department, filing_of(session, case.case_no).department_uscc).name


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(LiaisonFiling, Department.name)
    wanted = wanted.join(Department, Department.uscc == LiaisonFiling.department_uscc)
    rows = session.execute(wanted.where(LiaisonFiling.case_no.in_(case_nos))).tuples()
    return {filing.case_no: Brief(name, mask_name(filing.name), filing.kind) for filing, name in rows}


def _lines(session: Session, case: Case) -> Lines:
    filing, today = filing_of(session, case.case_no), clock.today()
    there = [_person(each) for each in liaisons_on_file(session, filing.department_uscc, today)]
    lines = [
        ("部门", _department(session, case)),
        ("备案种类", filing.kind),
        ("备案专人", f"{mask_name(filing.name)}（{filing.position}）"),
        *_replacement(session, filing, mask_name),
        ("现在册专人", "、".join(there) or "无"),
    ]
    if case.closed_at is None and would_leave_nobody(session, filing, today):
        lines.append(("请注意", "确认后本部门将没有在册专人（第十三条），届时不能用证；请先与部门核实，或退回请其变更"))
    return lines


def _full_lines(session: Session, case: Case) -> Lines:
    filing = filing_of(session, case.case_no)
    return [
        ("部门", _department(session, case)),
        ("备案种类", filing.kind),
        ("备案专人", f"{filing.name}（{filing.position}）"),
        ("联系方式", f"{filing.phone}  {filing.email}"),
        *_replacement(session, filing, str),
    ]


def _replacement(session: Session, filing: LiaisonFiling, shown: Callable[[str], str]) -> Lines:
    if filing.replaces_id is None or filing.kind is FilingKind.END:
        return [("最后在册日", str(filing.last_on or "确认之日"))] if filing.kind is FilingKind.END else []
    replaced = session.get_one(LiaisonOfficer, filing.replaces_id)
    return [("替换", f"{shown(replaced.name)}（{replaced.position}），最后在册日{filing.last_on or '为确认之日'}")]


def _person(officer: LiaisonOfficer) -> str:
    until = f"，在册至{officer.until_on}" if officer.until_on else ""
    return f"{mask_name(officer.name)}（{officer.position}{until}）"


def _people(session: Session, case: Case) -> Lines:
    filing = filing_of(session, case.case_no)
    return [("同一专人", filing.phone), ("同名的人", filing.name)]


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """Who is on file now, and who will be once this is confirmed."""
    filing, today = filing_of(session, case.case_no), clock.today()
    now = {
        each.id: f"{each.name}（{each.position}）" for each in liaisons_on_file(session, filing.department_uscc, today)
    }
    after = [name for number, name in now.items() if number != filing.replaces_id]
    if filing.kind is not FilingKind.END:
        after.append(f"{filing.name}（{filing.position}）")
    lines = [("现在册", "、".join(now.values()) or "无"), ("确认后在册", "、".join(after) or "无")]
    if case.closed_at is None and would_leave_nobody(session, filing, today):
        lines.append(("请注意", "确认后本部门将没有在册专人（第十三条），届时不能用证"))
    person = [(name, value) for name, value in _full_lines(session, case) if name != "部门"]
    told = frozenset({"确认后在册", "请注意"})
    return [Compared(f"{_department(session, case)}：{filing.kind}", (*lines, *person), telling=told)]


_HAPPENED: Happened = {
    "liaison:filing:registered": "收到{kind}备案",
    "liaison:filing:confirmed": "确认{kind}备案，已告知部门和专人",
    "liaison:filing:returned": "退回{kind}备案，已告知理由",
}

LIAISON = Kind(
    CaseKind.LIAISON,
    "专人备案/liaison-filing",
    STAGES,
    (LiaisonConfirmation,),
    (limits.LIAISON_CONFIRMATION,),
    KindSheet("专人备案", _briefs, _lines, _full_lines, _HAPPENED, compared=_compared, people_of=_people),
    select(LiaisonFiling.case_no, LiaisonFiling.department_uscc),
)
