"""The cases of objections that were handed in together, as queries find them."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, select
from sqlalchemy.orm import Session

from models.cases import Case
from models.objection_batches import ObjectionBatch, ObjectionBatchRow
from models.objections import Objection, VerificationRequest
from regulation.objections import Bureau, Stage
from runtime.database import reading


def batch_of(session: Session, case_no: str) -> ObjectionBatch:
    """The batch of a case that is known to exist."""
    return session.get_one(ObjectionBatch, case_no)


RESTING = and_(Case.at_rest, Case.stage == Stage.REGISTERED)
"""Whether a case of a batch waits to be reviewed together with others."""


def registered_in(batch_no: str) -> ColumnElement[bool]:
    """Whether a case was registered with a batch."""
    rows = select(ObjectionBatchRow.case_no).where(ObjectionBatchRow.batch_no == batch_no, ObjectionBatchRow.new)
    return Case.case_no.in_(rows)


def batches_of(session: Session, case_no: str) -> list[str]:
    """The batch that a case was registered with, if it was with one."""
    came_with = select(ObjectionBatchRow.batch_no).where(ObjectionBatchRow.case_no == case_no, ObjectionBatchRow.new)
    return list(session.scalars(came_with))


def to_review(batch_no: str) -> ColumnElement[bool]:
    """Whether a case is one of a batch that are reviewed together."""
    return and_(registered_in(batch_no), RESTING)


def resting_rows(session: Session, batch_no: str) -> dict[int, str]:
    """The rows that are reviewed together, with their cases."""
    wanted = select(ObjectionBatchRow.row, Case.case_no).join(Case, Case.case_no == ObjectionBatchRow.case_no)
    wanted = wanted.where(ObjectionBatchRow.batch_no == batch_no, ObjectionBatchRow.new, RESTING)
    return dict(session.execute(wanted.order_by(ObjectionBatchRow.row)).tuples().all())


def unsent(batch_no: str, *which: ColumnElement[bool]) -> Select[tuple[VerificationRequest]]:
    """First requests of a batch's accepted cases that have not gone out and that no bureau refused."""
    return (
        select(VerificationRequest)
        .join(Case, Case.case_no == VerificationRequest.case_no)
        .where(
            registered_in(batch_no),
            Case.stage == Stage.ACCEPTED,
            VerificationRequest.turn == 1,
            VerificationRequest.sent_at.is_(None),
            VerificationRequest.refusal.is_(None),
            *which,
        )
        .order_by(VerificationRequest.case_no)
    )


def by_letter(bureau: Bureau) -> tuple[ColumnElement[bool], ...]:
    """Which requests go to a bureau with a letter."""
    return VerificationRequest.by_letter.is_(True), VerificationRequest.bureau == bureau


def results_of(batch_no: str, sender_key: str) -> dict[str, Any]:
    """What came of each row of a batch, for whoever handed it in. ``LookupError`` for a batch that is not theirs."""
    with reading() as session:
        batch = session.get(ObjectionBatch, batch_no)
        if batch is None or batch.sender_key != sender_key:
            raise LookupError(f"没有报送过编号为{batch_no}的批次，请核对编号。")
        # Where a case goes on for others, it has ended for the one of this row.
        stage = case((Objection.withdrawn_at.is_not(None), str(Stage.WITHDRAWN)), else_=Case.stage)
        wanted = select(ObjectionBatchRow, stage).outerjoin(Case, Case.case_no == ObjectionBatchRow.case_no)
        wanted = wanted.outerjoin(Objection, Objection.case_no == Case.case_no)
        wanted = wanted.where(ObjectionBatchRow.batch_no == batch_no).order_by(ObjectionBatchRow.row)
        cases, wrong = [], []
        for row, stage in session.execute(wanted).tuples():
            if row.case_no is None:
                wrong.append({"row": row.row, "detail": row.problem})
            else:
                cases.append({"row": row.row, "case_no": row.case_no, "stage": stage, "new": row.new})
        return {"rows": batch.rows, "cases": cases, "wrong": wrong}
