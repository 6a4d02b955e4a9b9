"""The steps of a batch of paper certificates (Article 11), from the file to the register."""

import hashlib
import secrets
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, insert, literal, literal_column, select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch, BackfillChunk, BackfillProblem, BackfillRow, BackfillRowHolder
from models.cases import Case, CaseKind
from models.certificates import Certificate, CertificateHolder, CertificateType
from models.records import AuditEntry
from notifications import notices
from regulation.backfill.acceptance_sampling import draw, sampling_plan
from regulation.backfill.batches import BATCH_STAGES, BatchStage, Outcome, outcome, wrong_rows
from regulation.backfill.files import Entry, duplicates, identifier
from regulation.backfill.judge import HOLDER
from regulation.backfill.problems import Problem, ProblemCode
from regulation.certificates import CertificateState, IdentifierError
from regulation.limits import BACKFILL_REVIEW
from runtime import clock
from runtime.database import insert_many, reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from tasks.backfill.batch_files import BatchFile, in_chunks, opened_batch
from tasks.backfill.checks import Checked, check_rows, told
from tasks.backfill.entries import known_authorities
from tasks.backfill.questions import BatchSampleReview
from tasks.case.answers import answered
from tasks.case.deadlines import start_deadline
from tasks.case.department_mail import tell_department
from tasks.case.numbers import announce, end_case, locked_counter, next_number, opening
from tasks.case.progress_bars import Bar
from tasks.case.step import Step, durable
from tasks.office.departments import department_named
from tasks.office.signatures import COMMAND_LINE, sign
from tasks.office.staff_tasks import open_staff_task
from tasks.register.types import paper_type, type_named
from tasks.register.versions import as_holders, as_row, judge_of
from tasks.tables.files import Row, as_json, rows_from_json

NAMED_AT_ONCE = 1_000
"""Rows that are named in one statement."""
LISTED = 20
"""Rows that a staff task lists."""


def submit_batch(
    path: Path, certificate_type: str, department: str, service_case_no: str, staff_no: str, code: str
) -> str:
    """Register a file that a department sent in another way than the interface, signed by an officer; the case number.
    Raises what ``register_file`` and ``sign`` raise."""
    officer = sign(staff_no, code, COMMAND_LINE)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return register_file(path.name, path, sha256, certificate_type, department, service_case_no, officer.staff_no)


def register_file(
    name: str,
    source: Path | bytes,
    sha256: str,
    certificate_type: str,
    department: str,
    service_case_no: str,
    entered_by: str,
) -> str:
    """Register a file of paper certificates in one transaction; the case number. The same file of a department again
    while its case is open is the same case.

    Raises ``InputError`` for an unknown department or type and for a file that cannot be read, ``RefusalError`` for one
    whose case has another business number.
    """
    with reading() as session:
        whose = department_named(session, department)
        kind = type_named(session, certificate_type)
        _check_identifiers(kind, known_authorities(session))
    # Read before the transaction, which on SQLite keeps everybody else from writing.
    with (
        opened_batch(name, source, paper_type(kind)) as batch_file,
        _sealed_chunks(batch_file) as chunks,
        transaction() as session,
    ):
        now = clock.now()
        counter = locked_counter(session, CaseKind.BATCH, clock.local_date(now).year)
        known = select(BackfillBatch).join(Case, Case.case_no == BackfillBatch.case_no)
        known = known.where(BackfillBatch.sha256 == sha256, BackfillBatch.type_code == kind.code)
        known = known.where(BackfillBatch.department_uscc == whose.uscc, Case.closed_at.is_(None))
        if (there := session.scalar(known)) is not None:
            if there.service_case_no != service_case_no:
                raise RefusalError(
                    "这个文件正在办理，那次填写的业务办件编号与这次不同，没有更改；请照原来的业务办件编号原样重报，"
                    "或者待其办结后再报。"
                )
            return there.case_no
        case_no = next_number(counter)
        step = opening(session, case_no, BatchStage.CHECKING, "register_file", entered_by, now, but_not=entered_by)
        batch = BackfillBatch(
            case_no=case_no,
            department_uscc=whose.uscc,
            type_code=kind.code,
            service_case_no=service_case_no,
            entered_by=entered_by,
            sha256=sha256,
            seed=secrets.token_hex(16),
            columns=sorted(batch_file.places, key=batch_file.places.__getitem__),
            rows=chunks.rows,
            chunks=chunks.count,
        )
        session.add(batch)
        session.flush()
        for number, sealed in enumerate(chunks.read()):
            session.execute(insert(BackfillChunk).values(case_no=case_no, chunk=number, sealed=sealed))
        step.audit("backfill:batch:registered", type=kind.code, department=whose.uscc, rows=chunks.rows, sha256=sha256)
        announce(step, "新收到的批量补录，核对后请抽检")
        return case_no


def _check_identifiers(kind: CertificateType, authorities: dict[str, str]) -> None:
    """Raise ``InputError`` where no identifier could be made: that is not to come out in the middle of a file."""
    try:
        for code in authorities.values():
            identifier(kind.code, code, 2026, 1, 1)
    except IdentifierError as why:
        raise InputError(str(why)) from None


class _Spool:
    """Chunks of a file, sealed, on disk until the transaction takes them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sizes: list[int] = []
        self.rows = 0

    @property
    def count(self) -> int:
        return len(self._sizes)

    def add(self, rows: int, sealed: bytes) -> None:
        self._file.write(sealed)
        self._sizes.append(len(sealed))
        self.rows += rows

    def read(self) -> Iterator[bytes]:
        self._file.seek(0)
        return (self._file.read(size) for size in self._sizes)


@contextmanager
def _sealed_chunks(file: BatchFile) -> Iterator[_Spool]:
    """A file's rows: of each its number and the columns that the type knows, in their order."""
    places = sorted(file.places.values())
    with tempfile.TemporaryFile() as on_disk:
        spool = _Spool(on_disk)
        for rows in in_chunks(file.rows):
            given = [
                [number, *(cells[place] if place < len(cells) else None for place in places)] for number, cells in rows
            ]
            spool.add(len(rows), keys().encrypt(zlib.compress(as_json(given).encode(), 1)))
        yield spool


def _rows_of(session: Session, case_no: str, chunk: int) -> list[tuple[int, Row]]:
    sealed = session.get_one(BackfillChunk, (case_no, chunk)).sealed
    rows = rows_from_json(zlib.decompress(keys().decrypt(sealed)))
    return [(int(str(number)), cells) for number, *cells in rows]


def batch_of(session: Session, case_no: str) -> BackfillBatch:
    """The batch of a case that is known to exist."""
    return session.get_one(BackfillBatch, case_no)


@durable("核对一段")
def check_chunk(step: Step) -> None:
    """Check chunk ``turn`` (from 1): the rows that may enter the register wait beside it, of the others stays what is
    wrong with them. The day is the batch's, whenever this happens, so that a batch that was interrupted ends the same.
    """
    session, batch = step.session, batch_of(step.session, step.case.case_no)
    kind = session.get_one(CertificateType, batch.type_code)
    judge = judge_of(session, kind, step.case.received_on)
    places = {code: place for place, code in enumerate(batch.columns)}
    checked = check_rows(session, judge, kind, _rows_of(session, batch.case_no, step.turn - 1), places)
    finished = list(_finished(step.case, kind, known_authorities(session), checked))
    insert_many(session, cast("Table", BackfillRow.__table__), finished)
    holders = list(_their_holders(step.case.case_no, checked))
    insert_many(session, cast("Table", BackfillRowHolder.__table__), holders)
    _keep_problems(session, batch, {each.row: each.problems for each in checked})
    for each in checked:
        _count(batch, each.outcome, 1)
    batch.next_chunk = step.turn
    step.audit("backfill:batch:checked", chunk=step.turn, rows=len(checked), good=len(finished))


def _finished(
    case: Case, kind: CertificateType, authorities: dict[str, str], checked: Iterable[Checked]
) -> Iterator[dict[str, object]]:
    """Rows as the register will have them."""
    serial, index = int(case.case_no.rpartition("-")[2]), keys().blind_index
    for each in checked:
        judged, kept = each.judged, each.judged.columns
        if each.outcome is not Outcome.GOOD or kept is None:
            continue
        made = identifier(kind.code, authorities[judged.issuer], case.received_on.year, serial, each.row)
        yield {
            "case_no": case.case_no,
            "row": each.row,
            "digest": index("backfill-row", each.entry.digest.hex()),
            "identifier": str(made),
            "root": made.root,
            "face": judged.face,
            **as_row(kept),
        }


def _their_holders(case_no: str, checked: Iterable[Checked]) -> Iterator[dict[str, object]]:
    """The holders of rows whose columns do not say all of them."""
    for each in checked:
        kept = each.judged.columns
        if each.outcome is not Outcome.GOOD or kept is None:
            continue
        holders = each.judged.holders(kept)
        if len(holders) > 1 or holders[0].field != HOLDER or holders[0].share:
            yield from ({"case_no": case_no, "row": each.row, **one} for one in as_holders(holders))


def _keep_problems(session: Session, batch: BackfillBatch, found: dict[int, Sequence[Problem]]) -> None:
    """Keep why rows do not enter the register, and of those that may what their reviewer has to see; what the register
    or an earlier row says already is only counted."""
    kept = {
        row: told(problems)
        if outcome(problems) in {Outcome.BAD, Outcome.CONFLICT}
        else [each for each in problems if each.code is ProblemCode.HELD_OTHERWISE]
        for row, problems in found.items()
    }
    rows = [
        {"case_no": batch.case_no, "row": row, "position": position, **problem._asdict()}
        for row, problems in kept.items()
        for position, problem in enumerate(problems, 1)
    ]
    insert_many(session, cast("Table", BackfillProblem.__table__), rows)


def _count(batch: BackfillBatch, what: Outcome, rows: int) -> None:
    setattr(batch, what.value, getattr(batch, what.value) + rows)


@durable("抽取样本")
def draw_sample(step: Step) -> int:
    """Set rows of the file that say the same certificate apart, and draw the rows that are compared with their paper;
    how many. Without any row for the register the case ends here."""
    session, batch = step.session, batch_of(step.session, step.case.case_no)
    _set_likes_apart(session, batch)
    rows = session.scalars(select(BackfillRow.row).where(BackfillRow.case_no == batch.case_no)).all()
    if not rows:
        _finish(step, batch, BatchStage.NOTHING_NEW)
        return 0
    step.move(BATCH_STAGES, BatchStage.SAMPLED)
    plan = sampling_plan(len(rows))
    batch.sample = sorted(map(int, draw([str(row) for row in rows], plan.size, batch.seed)))
    batch.accept = plan.accept
    start_deadline(session, batch.case_no, BACKFILL_REVIEW, step.today)
    step.audit("backfill:sample:drawn", lot=len(rows), size=plan.size, accept=plan.accept, seed=batch.seed)
    return plan.size


def _set_likes_apart(session: Session, batch: BackfillBatch) -> None:
    mine = BackfillRow.case_no == batch.case_no
    again = select(BackfillRow.number_index).where(mine).group_by(BackfillRow.number_index).having(func.count() > 1)
    wanted = select(BackfillRow.row, BackfillRow.number_index, BackfillRow.digest)
    wanted = wanted.where(mine, BackfillRow.number_index.in_(again)).order_by(BackfillRow.row)
    entries = [
        Entry(row, (batch.type_code, index), bytes.fromhex(digest)) for row, index, digest in session.execute(wanted)
    ]
    found = duplicates(entries)
    _delete_rows(session, batch.case_no, found)
    _keep_problems(session, batch, {row: [problem] for row, problem in found.items()})
    for problem in found.values():
        _count(batch, Outcome.GOOD, -1)
        _count(batch, outcome([problem]), 1)


def _delete_rows(session: Session, case_no: str, rows: Iterable[int]) -> None:
    for some in in_chunks(rows, NAMED_AT_ONCE):
        session.execute(delete(BackfillRow).where(BackfillRow.case_no == case_no, BackfillRow.row.in_(some)))


@durable("认定抽检结果")
def judge_sample(step: Step) -> bool:
    """Whether the batch is accepted with the rows of its sample that were found wrong."""
    batch = batch_of(step.session, step.case.case_no)
    batch.wrong = wrong_rows(answered(step, BatchSampleReview, BACKFILL_REVIEW).wrong, batch.sample or ())
    accepted = len(batch.wrong) <= (batch.accept or 0)
    step.audit("backfill:sample:judged", wrong=len(batch.wrong), accepted=accepted)
    return accepted


@durable("批量入库")
def register_batch(step: Step) -> int:
    """Put the rows of an accepted batch into the register, each with its entry in the record; how many.

    Those of the sample that were wrong are not; those that the register has got meanwhile are left to staff.
    """
    session, batch = step.session, batch_of(step.session, step.case.case_no)
    # One after the other, as at the counter: two papers of one certificate must not both get in.
    locked_counter(session, CaseKind.BACKFILL, step.today.year)
    wrong = batch.wrong or []
    _delete_rows(session, batch.case_no, wrong)
    _count(batch, Outcome.GOOD, -len(wrong))
    _count(batch, Outcome.BAD, len(wrong))
    _leave_to_staff(step, batch)
    batch.registered = _copy_to_register(step, batch)
    _finish(step, batch, BatchStage.REGISTERED)
    return batch.registered


def _leave_to_staff(step: Step, batch: BackfillBatch) -> None:
    there = exists().where(
        Certificate.type_code == batch.type_code, Certificate.number_index == BackfillRow.number_index
    )
    mine = select(BackfillRow.row).where(BackfillRow.case_no == batch.case_no, there).order_by(BackfillRow.row)
    rows = step.session.scalars(mine).all()
    if not rows:
        return
    _delete_rows(step.session, batch.case_no, rows)
    _count(batch, Outcome.GOOD, -len(rows))
    _count(batch, Outcome.CONFLICT, len(rows))
    listed = "、".join(map(str, rows[:LISTED])) + ("等" if len(rows) > LISTED else "")
    what = f"批量补录{batch.case_no}入库时，证照库中已有其中{len(rows)}行的证照（第{listed}行），未再入库，请核对"
    open_staff_task(step.session, f"backfill:{batch.case_no}", batch.case_no, what, step.now)


def _copy_to_register(step: Step, batch: BackfillBatch) -> int:
    """By the database itself: what is sealed goes over as it is."""
    session, table = step.session, Certificate.__table__.c
    as_it_is = (
        "identifier",
        "root",
        "number",
        "number_index",
        "holder_kind",
        "holder_name",
        "holder_number_kind",
        "holder_number",
        "holder_index",
        "face",
        "issued_on",
        "valid_until_on",
    )
    given = {
        "version": 1,
        "type_code": batch.type_code,
        "state": CertificateState.VALID,
        "remark": "由纸质证照补录",
        "backfilled_by_case": batch.case_no,
        "read_at": step.now,
    }
    staged = BackfillRow.__table__.c
    columns = [staged[name] for name in as_it_is]
    values = [literal(value, table[name].type).label(name) for name, value in given.items()]
    mine = staged.case_no == batch.case_no
    rows = select(*columns, *values).where(mine).order_by(staged.row)
    session.execute(insert(Certificate).from_select([*as_it_is, *given], rows))
    _copy_holders(session, batch)
    entry = AuditEntry.__table__.c
    entries = select(
        literal(step.now, entry.at.type),
        literal(batch.case_no, entry.case_no.type),
        literal(step.actor, entry.actor.type),
        literal(ROW_REGISTERED, entry.tag.type),
        staged.holder_index,
        _detail(session, staged.identifier),
    ).where(mine)
    names = ["at", "case_no", "actor", "tag", "holder_index", "detail"]
    session.execute(insert(AuditEntry).from_select(names, entries.order_by(staged.row)))
    return session.scalar(select(func.count()).select_from(BackfillRow).where(mine)) or 0


def _copy_holders(session: Session, batch: BackfillBatch) -> None:
    made, row, staged = (each.__table__.c for each in (Certificate, BackfillRow, BackfillRowHolder))
    names = [each.name for each in CertificateHolder.__table__.c if each.name != "certificate_id"]
    of_row = and_(staged.case_no == row.case_no, staged.row == row.row)
    several = select(made.id, *(staged[name] for name in names)).join(BackfillRow, row.identifier == made.identifier)
    several = several.join(BackfillRowHolder, of_row).where(row.case_no == batch.case_no)
    session.execute(insert(CertificateHolder).from_select(["certificate_id", *names], several))
    one = {
        "certificate_id": made.id,
        "place": literal(1),
        "field": literal(HOLDER),
        "holder_kind": made.holder_kind,
        "name": made.holder_name,
        "number_kind": made.holder_number_kind,
        "number": made.holder_number,
        "holder_index": made.holder_index,
    }
    alone = select(*one.values()).join(BackfillRow, row.identifier == made.identifier)
    alone = alone.where(row.case_no == batch.case_no, ~exists().where(of_row))
    session.execute(insert(CertificateHolder).from_select([*one], alone))


ROW_REGISTERED = "backfill:certificate:registered"


def _detail(session: Session, made: ColumnElement[str]) -> ColumnElement[object]:
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    build = func.json_build_object if on_postgresql else func.json_object
    return build(literal_column("'identifier'"), made)


@durable("整批退回")
def send_back(step: Step) -> None:
    """Send an unaccepted batch back: no row of it enters the register."""
    _finish(step, batch_of(step.session, step.case.case_no), BatchStage.SENT_BACK)


def _finish(step: Step, batch: BackfillBatch, stage: BatchStage) -> None:
    """End the case; the department is told what came of each row, and what was kept of its file goes."""
    session = step.session
    step.move(BATCH_STAGES, stage)
    for table in (BackfillRow, BackfillChunk):
        session.execute(delete(table).where(table.case_no == batch.case_no))
    tell_department(
        step,
        batch.department_uscc,
        lambda recipient: notices.BackfillBatchDecided(
            recipient=recipient,
            case_no=batch.case_no,
            certificate=session.get_one(CertificateType, batch.type_code).name,
            service_case_no=batch.service_case_no,
            result=stage,
            sent_back=stage is BatchStage.SENT_BACK,
            rows=batch.rows,
            registered=batch.registered or 0,
            same=batch.same,
            conflict=batch.conflict,
            bad=batch.bad,
            checked=len(batch.sample or ()),
            accept=batch.accept or 0,
            wrong=batch.wrong or [],
        ),
    )
    step.audit("backfill:batch:ended", result=stage, rows=batch.registered or 0)
    end_case(step, step.case)


def chunks_to_check(case_no: str) -> Iterator[int]:
    """The chunks that are still to be checked, counted from 1, with the progress shown between them."""
    with reading() as session:
        batch = batch_of(session, case_no)
        first, chunks, rows = batch.next_chunk + 1, batch.chunks, batch.rows
    shown = Bar(case_no, "核对", rows, _done(case_no))
    for chunk in range(first, chunks + 1):
        yield chunk
        shown.update(_done(case_no))


def _done(case_no: str) -> int:
    with reading() as session:
        batch = batch_of(session, case_no)
        return batch.good + batch.same + batch.conflict + batch.bad
