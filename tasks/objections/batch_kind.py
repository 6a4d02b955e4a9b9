"""Objections that were handed in together on their sheets (Article 12)."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.certificates import CertificateType
from models.objection_batches import ObjectionBatch, ObjectionBatchRow
from models.objections import Objection, VerificationRequest
from models.organisations import Department
from regulation import limits
from regulation.objection_batches import BATCH_STAGES, BatchStage
from regulation.objections import Bureau, Stage
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines, Table
from tasks.objections.batch_rows import batch_of, by_letter, registered_in, resting_rows, unsent
from tasks.objections.letters import letter_of_batch
from tasks.objections.questions import BatchLetterPosted, BatchReview
from tasks.register.types import objectionable

LISTED = 20
"""Rows that are named, and lines of the table."""
LISTED_TOGETHER = 200
"""Rows that the page shows of those that are reviewed together."""


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(ObjectionBatch.case_no, ObjectionBatch.rows, ObjectionBatch.sender)
    rows = session.execute(wanted.where(ObjectionBatch.case_no.in_(case_nos))).tuples()
    return {case_no: Brief(f"{number}件", detail=sender) for case_no, number, sender in rows}


def _lines(session: Session, case: Case) -> Lines:
    batch = batch_of(session, case.case_no)
    mine = ObjectionBatchRow.batch_no == case.case_no
    counted = select(
        func.count(ObjectionBatchRow.case_no), func.count().filter(ObjectionBatchRow.new), func.count()
    ).where(mine)
    registered, new, rows = session.execute(counted).tuples().one()
    stages = select(Case.stage, func.count()).where(registered_in(case.case_no)).group_by(Case.stage)
    lines = [
        ("报送单位", batch.sender),
        ("报送人", batch.entered_by),
        ("登记", f"{new}件，共{batch.rows}行；退回更正{rows - registered}行，此前已登记{registered - new}行"),
        ("各环节", "；".join(f"{stage}{number}件" for stage, number in sorted(session.execute(stages).tuples()))),
    ]
    remarks = select(Objection.remark, ObjectionBatchRow.row).join(
        ObjectionBatchRow, ObjectionBatchRow.case_no == Objection.case_no
    )
    told = remarks.where(mine, ObjectionBatchRow.new, Objection.remark != "", Objection.lead_case_no.is_(None))
    doubtful: dict[str, list[int]] = defaultdict(list)
    for remark, row in session.execute(told.order_by(ObjectionBatchRow.row)).tuples():
        doubtful[remark].append(row)
    lines.append(("须逐件初审", f"{sum(map(len, doubtful.values()))}件"))
    for remark, rows_of_it in sorted(doubtful.items(), key=lambda each: -len(each[1]))[:LISTED]:
        lines.append((f"系统提示：{remark}", f"{len(rows_of_it)}件：{_named(rows_of_it)}"))
    return lines + _letters(session, case)


def _named(rows: Sequence[int]) -> str:
    return f"第{'、'.join(map(str, rows[:LISTED]))}{'等' if len(rows) > LISTED else ''}行"


def _letters(session: Session, case: Case) -> Lines:
    """Bureaus without a gateway that a letter is still to go to, in the order in which they are asked for."""
    lines = []
    for bureau in Bureau:
        wanted = unsent(case.case_no, *by_letter(bureau)).order_by(None).subquery()
        if number := session.scalar(select(func.count()).select_from(wanted)):
            lines.append(("待发函", f"{bureau}{number}件"))
    return lines


def _kinds(session: Session, case: Case) -> Table | None:
    """What the objections are about, the most frequent first."""
    wanted = (
        select(Objection.type_code, Objection.field_code, Objection.remark != "", Case.stage == Stage.JOINED)
        .join(Case, Case.case_no == Objection.case_no)
        .where(registered_in(case.case_no))
    )
    counted: dict[tuple[str | None, str | None], Counter[str]] = defaultdict(Counter)
    for type_code, field_code, doubtful, joined in session.execute(wanted).tuples():
        counted[type_code, field_code]["joined" if joined else "doubtful" if doubtful else "clear"] += 1
    if not counted:
        return None
    kinds = {kind.code: kind for kind in session.scalars(select(CertificateType))}
    rows = []
    for (type_code, field_code), number in sorted(counted.items(), key=lambda each: -each[1].total())[:LISTED]:
        kind = kinds.get(type_code or "")
        field = objectionable(kind).get(field_code or "", Objection.OTHER_FIELD) if kind else Objection.OTHER_FIELD
        counts = (number.total(), number["clear"], number["doubtful"], number["joined"])
        rows.append((kind.name if kind else Objection.OTHER_TYPE, field, *map(str, counts)))
    return Table(("证照", "项目", "件数", "无系统提示", "有系统提示", "并案"), tuple(rows))


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """The rows that the decision is about: those that are accepted together, or the letters that are to go out."""
    if case.stage == BatchStage.REQUESTING:
        asked = select(VerificationRequest.bureau, func.count()).where(
            VerificationRequest.case_no.in_(unsent(case.case_no).with_only_columns(VerificationRequest.case_no)),
            VerificationRequest.by_letter,
        )
        rows = session.execute(asked.group_by(VerificationRequest.bureau)).tuples().all()
        letters = tuple((str(bureau), f"{number}件") for bureau, number in rows)
        return [Compared("待书面发函", table=Table(("致", "件数"), letters))] if letters else []
    there = resting_rows(session, case.case_no)
    wanted = select(Objection).where(Objection.case_no.in_(list(there.values())[:LISTED_TOGETHER]))
    said = {objection.case_no: objection for objection in session.scalars(wanted)}
    together = tuple(
        (str(row), each.certificate_type, each.field_name, each.stated, each.proposed, each.reason)
        for row, case_no in there.items()
        if (each := said.get(case_no)) is not None
    )
    if not together:
        return []
    more = f"，下面列出前{len(together)}件" if len(there) > len(together) else ""
    table = Table(("行", "证照", "项目", "现在的内容", "应当是", "理由"), together)
    return [Compared(f"可以一并受理的{len(there)}件（没有系统提示{more}）", table=table)]


_HAPPENED: Happened = {
    "objection:batch:received": "收到{sender}报送的异议{rows}件，退回更正{wrong}行",
    "objection:batch:summed-up": "登记完毕，已告知报送单位；一并初审{together}件",
    "objection:batch:reviewed": "批量初审：一并受理{accepted}件，另行逐件初审{apart}件",
    "objection:batch:list-made": "拟好致{bureau}的核实清单（{rows}件）",
    "objection:batch:closed": "分办完毕，各件按需办理",
}

OBJECTION_BATCH = Kind(
    CaseKind.OBJECTION_BATCH,
    "批量异议/objection-batch",
    BATCH_STAGES,
    (BatchReview, BatchLetterPosted),
    (limits.INITIAL_REVIEW,),
    KindSheet("批量异议", _briefs, _lines, _lines, _HAPPENED, _kinds, compared=_compared, letter=letter_of_batch),
    concerned=select(ObjectionBatch.case_no, Department.uscc).where(Department.name == ObjectionBatch.sender),
)
