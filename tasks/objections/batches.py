"""The steps of objections that were handed in together (Article 12), from the table to the requests at the bureaus.

From there each case waits without a run until there is something to decide on it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import ColumnElement, Select, Table, func, insert, select
from sqlalchemy.orm import Session

from models.cases import Answer, Case, CaseKind, StepRecord
from models.objection_batches import ObjectionBatch, ObjectionBatchChunk, ObjectionBatchRow
from models.objections import VerificationRequest
from models.organisations import Department
from notifications import notices
from notifications.outbox import queue
from regulation.limits import INITIAL_REVIEW
from regulation.objection_batches import BATCH_STAGES, BatchStage, BatchVerdict, apart_rows
from regulation.objections import Bureau, Stage, Verdict, Way
from runtime import clock
from runtime.contacts import AddressOrNothing
from runtime.database import in_pieces, insert_many, reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError, in_chinese
from runtime.words import Words
from tasks.case.answers import answer_for_all, answered, meet_by_answer
from tasks.case.attachments import File, keep_files
from tasks.case.deadlines import running_deadline, start_deadline
from tasks.case.department_mail import tell_department
from tasks.case.numbers import announce, desk_address, end_case, locked_counter, next_number, opening
from tasks.case.progress_bars import Bar
from tasks.case.step import Step, Steps, durable, locked_cases, together
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import BatchTable, read_file, refuse_all_wrong
from tasks.objections.batch_rows import batch_of, by_letter, registered_in, resting_rows, to_review, unsent
from tasks.objections.claims import claims_of
from tasks.objections.lists import listing
from tasks.objections.questions import BatchLetterPosted, BatchReview, InitialReview, LetterPosted
from tasks.objections.registrations import Receipt, Registered, Submission, check_receipt, register_all
from tasks.objections.steps import accept_all, accept_objection
from tasks.objections.verifications import (
    deliver_all,
    prepare_all,
    prepare_pursuit,
    record_all_posted,
    record_letter,
)
from tasks.office.officers import acting_officer
from tasks.office.signatures import COMMAND_LINE, sign

ONLINE_NOW = Receipt()
"""What comes over the interface is received when it comes."""
CHUNK = 1_000
"""Rows that are registered in one transaction."""
TOGETHER = 500
"""Cases that are accepted, or sent, in one transaction."""
WRONG_ROWS_TOLD = 100
"""Rows handed back that the sender's notice lists; the rest is a number, and all are to be read over the interface."""


class BatchSender(BaseModel):
    """Who hands a table in, and where they are told what came of it."""

    sender: Words = Field(title="报送单位", min_length=2, max_length=100)
    email: AddressOrNothing = Field("", title="接收登记结果的邮箱")


@dataclass(frozen=True, slots=True)
class Received:
    """What came of handing a table in: its number, how many rows are objections, and what is wrong with the others."""

    case_no: str
    rows: int
    wrong: tuple[tuple[int, str], ...]


def submit_batch(
    path: Path, sender: str, email: str, staff_no: str, code: str, receipt: Receipt = ONLINE_NOW
) -> Received:
    """Register a table that came in another way than the interface, signed by an officer. Raises what
    ``read_file``, ``check_receipt``, ``receive_batch`` and ``sign`` raise."""
    # Read first: a file that is refused spends no code.
    table = read_file(path.name, path.read_bytes())
    if receipt.way is Way.IN_PERSON:
        raise InputError.of("way", "来访的请逐件登记：申请人本人到场的，只在逐件登记时核对得到。")
    with reading() as session:
        check_receipt(session, receipt, clock.today())
    officer = sign(staff_no, code, COMMAND_LINE)
    return receive_batch(table, sender, sender, email, officer.staff_no, receipt)


def receive_batch(
    table: BatchTable, sender: str, sender_key: str, email: str, entered_by: str, receipt: Receipt = ONLINE_NOW
) -> Received:
    """Take a table of objections in one transaction: what is an objection is received, the other rows are handed back.
    The same table of a sender again is the same batch. All limits count from the day of the ``receipt``.

    Raises ``InputError`` for a sender that cannot be, and for a table in which no row is an objection, ``RefusalError``
    for one that came before with another address.
    """
    try:
        from_whom = BatchSender(sender=sender, email=email)
    except ValidationError as error:
        raise InputError(in_chinese(error, BatchSender)) from None
    refuse_all_wrong(table)
    chunks = list(in_pieces(table.objections, CHUNK))
    with transaction() as session:
        now = clock.now()
        counter = locked_counter(session, CaseKind.OBJECTION_BATCH, clock.local_date(now).year)
        known = select(ObjectionBatch).where(
            ObjectionBatch.sender_key == sender_key, ObjectionBatch.sha256 == table.sha256
        )
        if (there := session.scalar(known)) is not None:
            if there.email != from_whom.email:
                raise RefusalError(
                    "这些异议此前已经报送，那次填写的接收邮箱与这次不同，没有更改；请照原来的邮箱原样重报，"
                    "或者只报送新的异议。"
                )
            return Received(there.case_no, there.rows, table.wrong)
        case_no = next_number(counter)
        step = opening(session, case_no, BatchStage.REGISTERING, "receive_batch", entered_by, now)
        step.case.received_on = receipt.on or step.today
        session.add(
            ObjectionBatch(
                case_no=case_no,
                sender=from_whom.sender,
                email=from_whom.email,
                entered_by=entered_by,
                way=receipt.way,
                late_why=receipt.late_why or None,
                sender_key=sender_key,
                sha256=table.sha256,
                rows=len(table.objections),
                chunks=len(chunks),
            )
        )
        session.flush()
        for number, chunk in enumerate(chunks, 1):
            given = [[row, application.model_dump(mode="json")] for row, application in chunk]
            session.execute(insert(ObjectionBatchChunk).values(batch_no=case_no, chunk=number, rows=given))
        _put_down(session, [_row(case_no, row, problem=what) for row, what in table.wrong])
        rows, wrong = len(table.objections), len(table.wrong)
        step.audit("objection:batch:received", sender=from_whom.sender, rows=rows, wrong=wrong, sha256=table.sha256)
        start_deadline(session, case_no, INITIAL_REVIEW, step.case.received_on)
        announce(step, "新收到的批量异议，登记后请批量初审")
        return Received(case_no, len(table.objections), table.wrong)


def _row(
    batch_no: str, row: int, case_no: str | None = None, *, new: bool = False, problem: str = ""
) -> dict[str, Any]:
    return {"batch_no": batch_no, "row": row, "case_no": case_no, "new": new, "problem": problem}


def _put_down(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    insert_many(session, cast("Table", ObjectionBatchRow.__table__), rows)


def chunks_to_register(case_no: str) -> Iterator[int]:
    """The chunks that are still to be registered, counted from 1, with the progress shown between them."""
    with reading() as session:
        batch = batch_of(session, case_no)
        first, chunks, rows = batch.next_chunk + 1, batch.chunks, batch.rows
    shown = Bar(case_no, "登记", rows, (first - 1) * CHUNK)
    for chunk in range(first, chunks + 1):
        yield chunk
        shown.update(min(chunk * CHUNK, rows))


@durable("登记一段")
def register_chunk(step: Step) -> None:
    """Register chunk ``turn`` (from 1), all received on the day of the batch. A row that says what this sender has
    handed in before, in whatever file, is the objection that it was."""
    batch = batch_of(step.session, step.case.case_no)
    chunk = step.session.get_one(ObjectionBatchChunk, (batch.case_no, step.turn))
    receipt = Receipt(batch.way or Way.ONLINE, late_why=batch.late_why or "")
    submissions = [
        Submission(ObjectionApplication.received(given), _submission_key(batch.sender_key, given), receipt=receipt)
        for _, given in chunk.rows
    ]
    done = register_all(
        step.session,
        submissions,
        batch.entered_by,
        step.case.opened_at,
        step.now,
        together=True,
        received_on=step.case.received_on,
    )
    rows = [
        _row(batch.case_no, row, registered.case_no, new=registered.new)
        for (row, _), registered in zip(chunk.rows, done, strict=True)
    ]
    _put_down(step.session, rows)
    step.session.delete(chunk)
    batch.next_chunk = step.turn
    step.audit("objection:batch:registered", chunk=step.turn, rows=len(done), new=_new(done))


def _submission_key(sender_key: str, given: dict[str, Any]) -> str:
    said = json.dumps(given, ensure_ascii=False, sort_keys=True)
    return f"{sender_key}:{keys().digest('objection-row', said)}"


def _new(done: Sequence[Registered]) -> int:
    return sum(registered.new for registered in done)


@durable("汇总登记情况")
def sum_up(step: Step) -> int:
    """Tell the sender what came of the table, and the officers of what they review by themselves; how many objections
    are left to be reviewed together."""
    session, batch = step.session, batch_of(step.session, step.case.case_no)
    _tell_sender(step, batch)
    mine = registered_in(batch.case_no)
    doubtful = select(Case.officer_no).where(mine, Case.stage == Stage.REGISTERED, ~Case.at_rest)
    review = running_deadline(session, batch.case_no, INITIAL_REVIEW)
    for officer_no, number in Counter(session.scalars(doubtful)).items():
        officer = acting_officer(session, officer_no, step.today)
        notice = notices.CaseAssigned(
            case_no=batch.case_no,
            officer=officer.name,
            kind=step.case.kind.label,
            stage=Stage.REGISTERED,
            due_on=review.due_on if review is not None else step.case.received_on,
            why=f"其中{number}件有系统提示，须由您逐件初审",
            desk=desk_address(),
        )
        key = f"{batch.case_no}:doubtful:{officer_no}"
        queue(session, notice, officer.email, key=key, case_no=batch.case_no, at=step.now)
    together = session.scalar(select(func.count()).select_from(Case).where(to_review(batch.case_no))) or 0
    if together:
        step.move(BATCH_STAGES, BatchStage.REVIEW)
    else:
        _close(step)
    step.audit("objection:batch:summed-up", together=together)
    return together


def _tell_sender(step: Step, batch: ObjectionBatch) -> None:
    session = step.session
    rows = ObjectionBatchRow.batch_no == batch.case_no
    wrong = session.scalars(select(ObjectionBatchRow).where(rows, ObjectionBatchRow.case_no.is_(None)))
    wrong_rows = sorted(wrong, key=lambda each: each.row)
    new = session.scalar(select(func.count()).where(rows, ObjectionBatchRow.new)) or 0
    joined = select(func.count()).select_from(Case).where(registered_in(batch.case_no), Case.stage == Stage.JOINED)
    department = session.scalar(select(Department).where(Department.name == batch.sender))
    notice = notices.ObjectionBatchRegistered(
        recipient=batch.sender,
        case_no=batch.case_no,
        received_on=step.case.received_on,
        rows=batch.rows + len(wrong_rows),
        registered=new,
        joined=session.scalar(joined) or 0,
        same=batch.rows - new,
        wrong=[notices.RowLine(row=each.row, what=each.problem) for each in wrong_rows[:WRONG_ROWS_TOLD]],
        more=max(0, len(wrong_rows) - WRONG_ROWS_TOLD),
    )
    if batch.email:
        step.notify(notice, batch.email)
    elif department is not None:
        tell_department(step, department.uscc, lambda recipient: notice.model_copy(update={"recipient": recipient}))


@durable("认定批量初审")
def judge_batch(step: Step) -> bool:
    """Leave to their own runs what the review wants to see by itself; whether anything is accepted together."""
    session, case_no = step.session, step.case.case_no
    review = answered(step, BatchReview)
    there = resting_rows(session, case_no)
    apart = list(there.values())
    if review.verdict is BatchVerdict.ACCEPT:
        apart = [there[row] for row in apart_rows(review.apart, there)]
    for case in locked_cases(session, apart):
        case.at_rest = False
    meet_by_answer(step, BatchReview, INITIAL_REVIEW)
    accepted = len(there) - len(apart)
    step.audit("objection:batch:reviewed", accepted=accepted, apart=len(apart))
    if accepted:
        step.move(BATCH_STAGES, BatchStage.REQUESTING)
    else:
        _close(step)
    return accepted > 0


@durable("一并受理一段")
def accept_some(step: Step) -> int:
    """Accept the next objections that are reviewed together and prepare their verification requests; how many.

    What the review says of all of them is on record with each, as are the steps, so that its own story finds them done.
    """
    session, batch_no = step.session, step.case.case_no
    some = select(Case.case_no).where(to_review(batch_no)).order_by(Case.case_no).limit(TOGETHER)
    found = locked_cases(session, session.scalars(some).all())
    # One may have been withdrawn, or taken up by itself, while it was waited for.
    cases = [case for case in found if case.at_rest and case.stage == Stage.REGISTERED]
    reviewer = select(Answer.officer_no).where(
        Answer.case_no == batch_no, Answer.question == BatchReview.question, Answer.refusal.is_(None)
    )
    reviewed = Steps(session, cases, BatchReview.question, 1, str(session.scalars(reviewer).one()), step.now)
    given = InitialReview(verdict=Verdict.ACCEPT).recorded()
    answer_for_all(reviewed, InitialReview, given, f"{batch_no}:{InitialReview.question}")
    together(Steps(session, cases, accept_objection.name, 1, step.actor, step.now), accept_all)
    together(Steps(session, cases, prepare_pursuit.name, 1, step.actor, step.now), prepare_all)
    return len(found)


def deliver_some(case_no: str) -> None:
    """Hand the next prepared requests of a batch to the gateways, outside of any transaction. What cannot be reached is
    left to the scheduled correspondence."""
    with reading() as session:
        requests = session.scalars(_to_deliver(case_no).limit(TOGETHER)).all()
    deliver_all(requests)


@durable("经接口提出核实需求")
def still_to_deliver(step: Step) -> int:
    """How many requests are still to be handed in at gateways that can be reached."""
    wanted = _to_deliver(step.case.case_no).order_by(None).subquery()
    return step.session.scalar(select(func.count()).select_from(wanted)) or 0


def _to_deliver(case_no: str) -> Select[tuple[VerificationRequest]]:
    away = (
        select(VerificationRequest.bureau)
        .where(
            VerificationRequest.sent_at.is_(None),
            VerificationRequest.refusal.is_(None),
            VerificationRequest.by_letter.is_(False),
            VerificationRequest.attempts > 0,
        )
        .distinct()
    )
    return unsent(case_no, VerificationRequest.by_letter.is_(False), VerificationRequest.bureau.not_in(away))


@durable("拟批量函件")
def prepare_letters(step: Step) -> list[str]:
    """For each bureau without a gateway a list of what it is asked, kept with the batch; the bureaus."""
    bureaus = []
    for bureau in Bureau:
        content, rows = _list_for(step.session, step.case.case_no, bureau)
        if rows:
            media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            name = f"{step.case.case_no}核实清单（{bureau}）.xlsx"
            keep_files(step.session, step.case.case_no, [File(name, media_type, content)], step.now)
            step.audit("objection:batch:list-made", bureau=bureau, rows=rows)
            bureaus.append(str(bureau))
    return bureaus


def _list_for(session: Session, case_no: str, bureau: Bureau) -> tuple[bytes, int]:
    asked = unsent(case_no, *by_letter(bureau)).with_only_columns(Case.case_no, Case.received_on)
    rows = session.execute(asked).tuples().all()
    claims = claims_of(session, [each for each, _ in rows])
    return listing((claims[each], received_on, None) for each, received_on in rows), len(rows)


def _has_letter_of_its_own() -> ColumnElement[bool]:
    own = select(Answer.id).where(
        Answer.case_no == VerificationRequest.case_no,
        Answer.question == LetterPosted.question,
        Answer.turn == VerificationRequest.turn,
        Answer.refusal.is_(None),
    )
    return own.exists()


@durable("登记批量发函一段")
def record_letters(step: Step) -> int:
    """Put down that the next requests went out with the letters that staff posted; how many."""
    session, batch_no = step.session, step.case.case_no
    letters = session.get_one(StepRecord, (batch_no, prepare_letters.name, 1)).result
    posted_by = select(Answer).where(
        Answer.case_no == batch_no, Answer.question == BatchLetterPosted.question, Answer.refusal.is_(None)
    )
    for answer in session.scalars(posted_by.order_by(Answer.turn)):
        asked = unsent(batch_no, *by_letter(Bureau(letters[answer.turn - 1])), ~_has_letter_of_its_own())
        numbers = asked.with_only_columns(VerificationRequest.case_no).limit(TOGETHER)
        found = locked_cases(session, session.scalars(numbers).all())
        if not found:
            continue
        posted = BatchLetterPosted.model_validate(answer.given)
        # Asked again now that they are locked: one may have gone on by itself meanwhile.
        still = set(session.scalars(numbers.where(Case.case_no.in_([case.case_no for case in found]))))
        cases = [case for case in found if case.case_no in still]
        told = Steps(session, cases, BatchLetterPosted.question, 1, str(answer.officer_no), step.now)
        answer_for_all(told, LetterPosted, posted.recorded(), f"{batch_no}:{LetterPosted.question}")
        sent = Steps(session, cases, record_letter.name, 1, step.actor, step.now)
        together(sent, partial(record_all_posted, posted=posted))
        return len(found)
    return 0


@durable("批次分办完毕")
def close_batch(step: Step) -> None:
    """Nothing more is done with the batch as one: each case goes on by itself when there is something to do."""
    _close(step)


def _close(step: Step) -> None:
    step.move(BATCH_STAGES, BatchStage.CLOSED)
    end_case(step, step.case)
    step.audit("objection:batch:closed")
