"""How far the checking of a batch has come."""

from collections.abc import Iterator

from runtime.database import reading
from tasks.backfill_batches import batch_of
from tasks.progress_bars import Bar


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
