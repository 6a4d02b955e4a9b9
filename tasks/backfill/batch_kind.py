"""A batch of paper certificates on its sheets (Article 11)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch, BackfillProblem, BackfillRow, BackfillRowHolder
from models.cases import Case, CaseKind
from models.certificates import CertificateType
from models.organisations import Department
from regulation import limits
from regulation.backfill.batches import BATCH_STAGES
from regulation.backfill.judge import HOLDER, HOLDER_NUMBER, columns
from regulation.backfill.paper_values import BETWEEN
from regulation.backfill.problems import Problem, ProblemCode
from regulation.identity_numbers import same_name
from tasks.backfill.batches import batch_of
from tasks.backfill.questions import BatchSampleReview
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines, Sought, Table
from tasks.register.holders import names_by_index
from tasks.register.types import paper_type

PROBLEMS = 20
"""Kinds of problems that are listed, the most frequent first."""


def _kind(session: Session, case: Case) -> CertificateType:
    return session.get_one(CertificateType, batch_of(session, case.case_no).type_code)


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(BackfillBatch.case_no, CertificateType.name, BackfillBatch.rows)
    wanted = wanted.join(CertificateType, CertificateType.code == BackfillBatch.type_code)
    rows = session.execute(wanted.where(BackfillBatch.case_no.in_(case_nos))).tuples()
    return {case_no: Brief(f"{name}{number}行") for case_no, name, number in rows}


def _found(sought: Sought) -> list[Select[Any]]:
    # Rows that are not in the register yet; the index of a batch's rows begins with its case.
    here = select(BackfillBatch.case_no).join(Case, Case.case_no == BackfillBatch.case_no)
    there = BackfillRow.case_no.in_(here.where(Case.closed_at.is_(None)))
    return [select(BackfillRow.case_no).where(there, BackfillRow.number_index == sought.number_index)]


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
    rows = [
        (f"第{row}行", "；".join(f"{name}：{text}" for name, text in written.items()))
        for row, written in _drawn(session, case)
    ]
    return [("证照", _kind(session, case).name), *rows]


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """The rows that were drawn, column by column, to be held against the paper."""
    batch, drawn = batch_of(session, case.case_no), _drawn(session, case)
    if not drawn:
        return []
    names = list(dict.fromkeys(name for _, written in drawn for name in written))
    rows = tuple((str(row), *(written.get(name, "") for name in names)) for row, written in drawn)
    title = f"抽取的{len(drawn)}行（不符的不超过{batch.accept}行即整批通过）"
    return [Compared(title, table=Table(("行", *names), rows)), *filter(None, [_held_otherwise(session, case)])]


def _held_otherwise(session: Session, case: Case) -> Compared | None:
    """Rows that may enter the register, drawn or not, whose holder's number it has under another name."""
    found = select(BackfillProblem.row).where(
        BackfillProblem.case_no == case.case_no, BackfillProblem.code == ProblemCode.HELD_OTHERWISE
    )
    mine = BackfillRow.case_no == case.case_no, BackfillRow.row.in_(found)
    count = session.scalar(select(func.count()).select_from(BackfillRow).where(*mine)) or 0
    listed = session.scalars(select(BackfillRow).where(*mine).order_by(BackfillRow.row).limit(PROBLEMS)).all()
    theirs = BackfillRowHolder.case_no == case.case_no, BackfillRowHolder.row.in_([row.row for row in listed])
    holders = [
        (each.row, each.name, each.holder_index) for each in session.scalars(select(BackfillRowHolder).where(*theirs))
    ]
    several = {row for row, _, _ in holders}
    holders += [(row.row, row.holder_name, row.holder_index) for row in listed if row.row not in several]
    known = names_by_index(session, [index for _, _, index in holders])
    rows = tuple(
        (str(row), name, BETWEEN.join(others))
        for row, name, index in sorted(holders)
        if (others := sorted(each for each in known.get(index, ()) if not same_name(each, name)))
    )
    title = f"号码在登记中是另一姓名或名称的{count}行" + (f"，列前{PROBLEMS}行" if count > PROBLEMS else "")
    return Compared(title, table=Table(("行", "本表的姓名或名称", "登记的姓名或名称"), rows)) if rows else None


def _drawn(session: Session, case: Case) -> list[tuple[int, dict[str, str]]]:
    """The rows that were drawn, by their numbers, each as its columns would be registered."""
    batch, names = batch_of(session, case.case_no), columns(paper_type(_kind(session, case)))
    wanted = select(BackfillRow).where(BackfillRow.case_no == case.case_no, BackfillRow.row.in_(batch.sample or []))
    of_rows = BackfillRowHolder.case_no == case.case_no, BackfillRowHolder.row.in_(batch.sample or [])
    holders: defaultdict[int, list[BackfillRowHolder]] = defaultdict(list)
    for each in session.scalars(select(BackfillRowHolder).where(*of_rows).order_by(BackfillRowHolder.place)):
        holders[each.row].append(each)
    rows = session.scalars(wanted.order_by(BackfillRow.row))
    return [(row.row, _written(row, holders[row.row], names)) for row in rows]


def _written(row: BackfillRow, holders: Sequence[BackfillRowHolder], names: dict[str, str]) -> dict[str, str]:
    together = [each for each in holders if each.field == HOLDER]
    held = {
        HOLDER: BETWEEN.join(each.name for each in together) or row.holder_name,
        HOLDER_NUMBER: BETWEEN.join(each.number for each in together) or row.holder_number,
        "valid_until": str(row.valid_until_on or ""),
    }
    shown = held | {code: text for code, text in row.face.items() if text}
    return {names[code]: text for code, text in shown.items() if text}


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
    KindSheet("批量补录", _briefs, _lines, _full_lines, _HAPPENED, _problems, compared=_compared),
    concerned=select(BackfillBatch.case_no, BackfillBatch.department_uscc),
    found=_found,
)
