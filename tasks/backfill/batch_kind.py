"""A batch of paper certificates on its sheets (Article 11)."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillProblem, BackfillRow, BackfillRowHolder
from models.cases import Case, CaseKind
from models.certificates import CertificateType
from models.organisations import Department
from regulation import limits
from regulation.backfill.batches import BATCH_STAGES
from regulation.backfill.judge import HOLDER, HOLDER_NUMBER, columns
from regulation.backfill.paper_values import BETWEEN
from regulation.backfill.problems import Problem
from tasks.backfill.batches import batch_of
from tasks.backfill.questions import BatchSampleReview
from tasks.case.kind import Happened, Kind, KindSheet, Lines, Table
from tasks.register.types import paper_type

PROBLEMS = 20
"""Kinds of problems that are listed, the most frequent first."""


def _kind(session: Session, case: Case) -> CertificateType:
    return session.get_one(CertificateType, batch_of(session, case.case_no).type_code)


def _subject(session: Session, case: Case) -> str:
    return f"{_kind(session, case).name}{batch_of(session, case.case_no).rows}行"


def _lines(session: Session, case: Case) -> Lines:
    batch = batch_of(session, case.case_no)
    lines = [
        ("报送部门", session.get_one(Department, batch.department_uscc).name),
        ("业务办件编号", batch.service_case_no),
        ("证照", _kind(session, case).name),
        ("报送人", batch.entered_by),
        ("已核对", f"{batch.good + batch.same + batch.conflict + batch.bad}行，共{batch.rows}行"),
        ("可以入库", f"{batch.good}行"),
        ("已有相同、不再录入", f"{batch.same}行"),
        ("内容冲突", f"{batch.conflict}行"),
        ("须更正", f"{batch.bad}行"),
    ]
    if batch.sample is not None:
        lines += [
            ("抽取的行", "、".join(map(str, batch.sample))),
            ("抽检方案", f"抽取{len(batch.sample)}行，不符的不超过{batch.accept}行即整批通过"),
        ]
    if batch.wrong is not None:
        lines.append(("抽检不符", "、".join(map(str, batch.wrong)) or "无"))
    if batch.registered is not None:
        lines.append(("已入库", f"{batch.registered}行"))
    return lines


def _full_lines(session: Session, case: Case) -> Lines:
    """The rows that were drawn, as they would be registered, for whoever compares them with their paper."""
    batch, names = batch_of(session, case.case_no), columns(paper_type(_kind(session, case)))
    wanted = select(BackfillRow).where(BackfillRow.case_no == case.case_no, BackfillRow.row.in_(batch.sample or []))
    of_rows = BackfillRowHolder.case_no == case.case_no, BackfillRowHolder.row.in_(batch.sample or [])
    holders: defaultdict[int, list[BackfillRowHolder]] = defaultdict(list)
    for each in session.scalars(select(BackfillRowHolder).where(*of_rows).order_by(BackfillRowHolder.place)):
        holders[each.row].append(each)
    return [
        ("证照", _kind(session, case).name),
        *(
            (f"第{row.row}行", "；".join(_written(row, holders[row.row], names)))
            for row in session.scalars(wanted.order_by(BackfillRow.row))
        ),
    ]


def _written(row: BackfillRow, holders: Sequence[BackfillRowHolder], names: dict[str, str]) -> list[str]:
    together = [each for each in holders if each.field == HOLDER]
    held = {
        HOLDER: BETWEEN.join(each.name for each in together) or row.holder_name,
        HOLDER_NUMBER: BETWEEN.join(each.number for each in together) or row.holder_number,
        "valid_until": str(row.valid_until_on or ""),
    }
    shown = held | {code: text for code, text in row.face.items() if text}
    return [f"{names[code]}：{text}" for code, text in shown.items() if text]


def _problems(session: Session, case: Case) -> Table | None:
    names = columns(paper_type(_kind(session, case)))
    wanted = (
        select(BackfillProblem.field, BackfillProblem.code, func.count())
        .where(BackfillProblem.case_no == case.case_no)
        .group_by(BackfillProblem.field, BackfillProblem.code)
        .order_by(func.count().desc(), BackfillProblem.field, BackfillProblem.code)
    )
    rows = session.execute(wanted.limit(PROBLEMS)).tuples().all()
    if not rows:
        return None
    in_words = (
        (Problem(field, code, "…").in_words(names.get(field, field)), f"{count}行") for field, code, count in rows
    )
    return Table(("问题", "行数"), tuple(in_words))


_HAPPENED: Happened = {
    "backfill:batch:registered": "收到批量补录（{rows}行）",
    "backfill:sample:drawn": "核对完毕，从{lot}行中抽取{size}行",
    "backfill:sample:judged": "抽检不符{wrong}行",
    "backfill:batch:ended": "{result}（入库{rows}行），已告知部门",
}

BATCH = Kind(
    CaseKind.BATCH,
    "批量补录/paper-backfill-batch",
    BATCH_STAGES,
    (BatchSampleReview,),
    (limits.BACKFILL_REVIEW,),
    KindSheet("批量补录", _subject, _lines, _full_lines, _HAPPENED, _problems),
)
