"""A paper certificate's backfill on its sheets (Article 11)."""

from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.backfills import BackfillEntry
from models.cases import Case, CaseKind
from models.certificates import CertificateType
from models.objections import Attachment
from models.organisations import Department
from regulation import limits
from regulation.backfill.judge import columns
from regulation.backfill.review import STAGES
from regulation.certificates import mask_name, mask_number
from runtime import clock
from tasks.backfill.entries import backfill_of, entered, latest_entry
from tasks.backfill.questions import BackfillCorrection, BackfillReview, ScanAttached
from tasks.case.kind import Happened, Kind, KindSheet, Lines
from tasks.register.types import paper_type


def _kind(session: Session, case: Case) -> CertificateType:
    return session.get_one(CertificateType, backfill_of(session, case.case_no).type_code)


def _subject(session: Session, case: Case) -> str:
    return _kind(session, case).name


def _lines(session: Session, case: Case) -> Lines:
    backfill, kind = backfill_of(session, case.case_no), _kind(session, case)
    entry = latest_entry(session, case.case_no)
    seen = entered(session, kind, entry.given, clock.today())
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
    seen = entered(session, kind, entry.given, clock.today())
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
    KindSheet("补录", _subject, _lines, _full_lines, _HAPPENED),
    "backfill-intake",
)
