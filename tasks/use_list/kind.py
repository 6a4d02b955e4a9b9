"""A proposal for the use list on its sheets (Article 9): what it would change in the list as it is today."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.certificates import CertificateType
from models.organisations import Department
from models.use_lists import ProposedLine, UseListEntry, UseListProposal, UseListVersion
from regulation import limits
from regulation.use_lists import STAGES, change_of, differences, field_label
from runtime import clock
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines, Table
from tasks.case.questions import in_short
from tasks.use_list.questions import UseListReview
from tasks.use_list.standing import Identity, identity_of, in_force, terms_of
from tasks.use_list.steps import lines_of, proposal_of, proposed_terms

ROWS_ON_A_FORM = 100
"""Lines that the head of a form shows; all of them stand on the full sheet."""


def _department(session: Session, case: Case) -> str:
    return session.get_one(Department, proposal_of(session, case.case_no).department_uscc).name


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(UseListProposal.case_no, Department.name, func.count(ProposedLine.line))
    wanted = wanted.join(Department, Department.uscc == UseListProposal.department_uscc)
    wanted = wanted.outerjoin(ProposedLine, ProposedLine.case_no == UseListProposal.case_no)
    wanted = wanted.where(UseListProposal.case_no.in_(case_nos)).group_by(UseListProposal.case_no, Department.name)
    return {case_no: Brief(name, detail=f"{lines}行") for case_no, name, lines in session.execute(wanted).tuples()}


def _lines(session: Session, case: Case) -> Lines:
    return [
        ("部门", _department(session, case)),
        ("条目", f"{len(lines_of(session, case.case_no))}行"),
    ]


def _full_lines(session: Session, case: Case) -> Lines:
    _, *names = _columns(case)
    rows = [(f"第{line}行", in_short([*zip(names, rest, strict=True)])) for line, *rest in _rows(session, case)]
    return [*_lines(session, case), *rows]


def _columns(case: Case) -> tuple[str, ...]:
    return ("行", "结果" if case.closed_at else "变化", "事项", "证照", "应用场景", "内容")


def _further(session: Session, case: Case) -> Table:
    rows = _rows(session, case)
    shown = rows[:ROWS_ON_A_FORM]
    if len(rows) > len(shown):
        shown.append(("…", "", "", "", "", f"其余{len(rows) - len(shown)}行见完整内容"))
    return Table(_columns(case), tuple(shown))


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """What the proposal changes in the list as it is today, line by line."""
    rows = tuple(_rows(session, case))
    told = frozenset(row[0] for row in rows if "请注意" in row[-1])
    table = Table(_columns(case), rows)
    return [Compared(f"{_department(session, case)}报送的{len(rows)}行会怎样改变现行清单", table=table, telling=told)]


def _rows(session: Session, case: Case) -> list[tuple[str, ...]]:
    """Each line with what it changes; of a closed case, with what became of it."""
    department_uscc, today = proposal_of(session, case.case_no).department_uscc, clock.today()
    kinds = {kind.code: kind for kind in session.scalars(select(CertificateType))}
    current = {
        identity_of(entry): version
        for entry, version in in_force(session, today, UseListEntry.department_uscc == department_uscc)
    }
    pending = _pending(session, department_uscc)
    rows: list[tuple[str, ...]] = []
    for line in lines_of(session, case.case_no):
        kind = kinds[line.type_code]
        identity = Identity(department_uscc, line.item_code, line.type_code, line.scenario)
        if case.closed_at is None:
            result, said = _change(line, current.get(identity), kind)
            said += [f"请注意：另有自{day}起生效的版本" for day in pending.get(identity, ())]
        else:
            result = "未列入" if line.refused is not None else "停用" if line.ended else "列入"
            said = [line.refused] if line.refused else [f"字段：{_fields(line, kind)}"]
        item = f"{line.item_name}（{line.item_code}）"
        rows.append((str(line.line), result, item, kind.name, line.scenario, "；".join(said)))
    return rows


def _change(line: ProposedLine, now: UseListVersion | None, kind: CertificateType) -> tuple[str, list[str]]:
    terms = terms_of(now) if now is not None else None
    proposed = None if line.ended else proposed_terms(line)
    change = change_of(proposed, terms)
    known = {field.code: field for field in kind.fields}
    said = differences(proposed, terms, known) if proposed is not None else [f"现有字段：{_fields(line, kind)}"]
    if line.in_force_from is not None:
        said.append(f"要求自{line.in_force_from}起")
    # Another proposal may have been decided since this one came.
    return change or "无变化", said


def _fields(line: ProposedLine, kind: CertificateType) -> str:
    known = {field.code: field for field in kind.fields}
    return "、".join(field_label(code, known) for code in line.fields)


def _pending(session: Session, department_uscc: str) -> dict[Identity, list[str]]:
    """Of each entry the days on which decided versions are still to come into force."""
    wanted = (
        select(UseListEntry, UseListVersion.in_force_from)
        .join(UseListVersion, UseListVersion.entry_id == UseListEntry.id)
        .where(UseListEntry.department_uscc == department_uscc, UseListVersion.in_force_from > clock.today())
    )
    found: dict[Identity, list[str]] = {}
    for entry, day in session.execute(wanted.order_by(UseListVersion.in_force_from)):
        found.setdefault(identity_of(entry), []).append(str(day))
    return found


_HAPPENED: Happened = {
    "use-list:proposal:registered": "收到用证清单{lines}行",
    "use-list:proposal:decided": "审核{verdict}：列入{taken}行，未列入{refused}行，已告知部门",
}

USE_LIST = Kind(
    CaseKind.USE_LIST,
    "用证清单/use-list-proposal",
    STAGES,
    (UseListReview,),
    (limits.USE_LIST_REVIEW,),
    KindSheet("用证清单", _briefs, _lines, _full_lines, _HAPPENED, _further, compared=_compared),
    concerned=select(UseListProposal.case_no, UseListProposal.department_uscc),
)
