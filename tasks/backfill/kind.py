"""A paper certificate's backfill on its sheets (Article 11)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from models.backfills import Backfill, BackfillEntry
from models.cases import Case, CaseKind
from models.certificates import Certificate, CertificateType
from models.objections import Attachment
from models.organisations import Department
from regulation import limits
from regulation.backfill.judge import Judge, columns
from regulation.backfill.paper_values import BETWEEN
from regulation.backfill.review import STAGES
from regulation.certificates import mask_name, mask_number
from runtime import clock
from tasks.backfill.entries import backfill_of, entered, latest_entry
from tasks.backfill.questions import BackfillCorrection, BackfillReview, ScanAttached
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines, Sought, Table
from tasks.register.holders import COLUMNS, TITLE, held_otherwise
from tasks.register.types import paper_type


def _kind(session: Session, case: Case) -> CertificateType:
    return session.get_one(CertificateType, backfill_of(session, case.case_no).type_code)


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    newest = (
        select(BackfillEntry.case_no, func.max(BackfillEntry.turn).label("turn"))
        .where(BackfillEntry.case_no.in_(case_nos))
        .group_by(BackfillEntry.case_no)
        .subquery()
    )
    wanted = (
        select(BackfillEntry.case_no, BackfillEntry.given, CertificateType)
        .join(newest, and_(newest.c.case_no == BackfillEntry.case_no, newest.c.turn == BackfillEntry.turn))
        .join(Backfill, Backfill.case_no == BackfillEntry.case_no)
        .join(CertificateType, CertificateType.code == Backfill.type_code)
    )
    judges: dict[str, Judge] = {}
    found = {}
    for case_no, given, kind in session.execute(wanted).tuples():
        if kind.code not in judges:
            judges[kind.code] = Judge(paper_type(kind), clock.today(), ())
        judged = judges[kind.code].judge(given)
        persons = map(mask_name, judged.holder_name.split(BETWEEN))
        found[case_no] = Brief(kind.name, BETWEEN.join(persons), mask_number(judged.number))
    return found


def _found(sought: Sought) -> list[Select[Any]]:
    # A batch's certificates lead to it, too.
    return [select(Certificate.backfilled_by_case).where(Certificate.root.in_(sought.roots))]


def _lines(session: Session, case: Case) -> Lines:
    backfill, kind = backfill_of(session, case.case_no), _kind(session, case)
    entry = latest_entry(session, case.case_no)
    seen = entered(session, kind, entry.given, clock.today(), case.case_no)
    scans = session.scalars(select(Attachment.id).where(Attachment.case_no == case.case_no)).all()
    lines = [
        ("办理部门", session.get_one(Department, backfill.department_uscc).name),
        ("业务办件编号", backfill.service_case_no),
        ("证照", f"{kind.name} {mask_number(seen.judged.number)}"),
        ("持证主体", mask_name(seen.judged.holder_name)),
        ("发证日期", str(seen.judged.issued_on or "")),
        ("有效期至", str(seen.judged.valid_until_on or "长期")),
        ("扫描件", f"{len(scans)}个" if scans else "无"),
        ("补录人", entry.entered_by),
    ]
    lines += [("请核对", remark) for remark in seen.remarks]
    if backfill.identifier:
        lines.append(("电子证照标识", backfill.identifier))
    return lines


def _full_lines(session: Session, case: Case) -> Lines:
    backfill, kind = backfill_of(session, case.case_no), _kind(session, case)
    names, entry = columns(paper_type(kind)), latest_entry(session, case.case_no)
    seen = entered(session, kind, entry.given, clock.today(), case.case_no)
    written = [(names[code], seen.judged.face.get(code) or text) for code, text in entry.given.items()]
    originals = [(f"{names[code]}（原样）", text) for code, text in seen.judged.originals.items()]
    return [
        ("证照", kind.name),
        ("业务办件编号", backfill.service_case_no),
        *written,
        *originals,
        *(("请核对", remark) for remark in seen.remarks),
        *_earlier(session, case, names),
    ]


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """What was entered, in the order of the paper, to be held against the scan beside it."""
    kind = _kind(session, case)
    names, entry = columns(paper_type(kind)), latest_entry(session, case.case_no)
    seen = entered(session, kind, entry.given, clock.today(), case.case_no)
    before = dict(_earlier(session, case, names))
    corrected = {name for name in names.values() if any(title.endswith(f"次录入的{name}") for title in before)}
    lines = [(names[code], seen.judged.face.get(code) or text) for code, text in entry.given.items()]
    remarks = [("请核对", remark) for remark in seen.remarks]
    paper = Compared("录入的内容（与扫描件逐项核对）", (*remarks, *lines), telling=frozenset({"请核对", *corrected}))
    kept = seen.judged.columns
    holders = seen.judged.holders(kept) if kept is not None else ()
    rows, names_there = held_otherwise(session, holders, case.case_no)
    return [paper, *([Compared(TITLE, table=Table(COLUMNS, rows), telling=names_there)] if rows else [])]


def _people(session: Session, case: Case) -> Lines:
    """Who holds the paper, by number."""
    given = latest_entry(session, case.case_no).given
    judged = entered(session, _kind(session, case), given, clock.today(), case.case_no).judged
    numbers = [judged.holder_number.number if judged.holder_number else "", *(each.number for each in judged.others)]
    return [("同一持证主体", number) for number in numbers]


def _certificates(session: Session, case: Case) -> Sequence[str]:
    wanted = select(Certificate.root).where(Certificate.identifier == backfill_of(session, case.case_no).identifier)
    return session.scalars(wanted).all()


def _earlier(session: Session, case: Case, names: dict[str, str]) -> Lines:
    """What corrections have changed."""
    entries = session.scalars(
        select(BackfillEntry).where(BackfillEntry.case_no == case.case_no).order_by(BackfillEntry.turn)
    ).all()
    return [
        (f"第{before.turn}次录入的{names[code]}", text)
        for before, after in pairwise(entries)
        for code, text in before.given.items()
        if after.given.get(code) != text
    ]


_HAPPENED: Happened = {
    "backfill:entry:registered": "登记补录",
    "backfill:entry:returned": "退回更正，已告知部门",
    "backfill:entry:corrected": "收到更正",
    "backfill:entry:refused": "不予补录，已告知理由",
    "backfill:certificate:registered": "证照入库，即可使用",
    "backfill:certificate:there-already": "证照库中已有同一证照，未再入库",
}

BACKFILL = Kind(
    CaseKind.BACKFILL,
    "纸质证照补录/paper-backfill",
    STAGES,
    (ScanAttached, BackfillReview, BackfillCorrection),
    (limits.BACKFILL_REVIEW, limits.BACKFILL_CORRECTION),
    KindSheet(
        "补录",
        _briefs,
        _lines,
        _full_lines,
        _HAPPENED,
        compared=_compared,
        certificates_of=_certificates,
        people_of=_people,
    ),
    select(Backfill.case_no, Backfill.department_uscc),
    _found,
)
