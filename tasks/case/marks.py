"""By what a case is found beside its number: the whole names and numbers of whom and what it is about, each as a blind
index. What they are stays sealed where it stands; part of a name or a number leads nowhere."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import CaseMark
from runtime.database import in_pieces, insert_many
from runtime.keys import keys


def mark_of(text: str) -> str:
    """The mark of a name or a number, without regard to case, width and spaces."""
    return keys().blind_index("case-mark", text)


def mark_cases(session: Session, said: Mapping[str, Iterable[str]]) -> None:
    """Let cases be found by these names and numbers too; what is empty, or marked already, changes nothing."""
    wanted = {(case_no, mark_of(text)) for case_no, texts in said.items() for text in texts if text.strip()}
    for some in in_pieces(sorted(said)):
        there = select(CaseMark.case_no, CaseMark.mark).where(CaseMark.case_no.in_(some))
        wanted -= set(session.execute(there).tuples())
    table = CaseMark.metadata.tables[CaseMark.__tablename__]
    insert_many(session, table, [{"case_no": case_no, "mark": mark} for case_no, mark in sorted(wanted)])
