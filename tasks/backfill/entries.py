"""Entries of paper certificates under the rules (Article 11): what an entry would become, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.backfills import Backfill, BackfillEntry
from models.cases import Case
from models.certificates import CertificateType, IssuingAuthority
from regulation.backfill.files import Comparison, Registered, compare
from regulation.backfill.judge import ISSUER, Judged, columns
from regulation.backfill.paper_values import BETWEEN
from regulation.backfill.problems import Problem, ProblemCode, Severity
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError, RefusalError
from tasks.office.naming import meant
from tasks.register.faces import face_of, newest_of
from tasks.register.holders import numbers_held_otherwise
from tasks.register.types import paper_type
from tasks.register.versions import judge_of


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry as the rules see it: what it would become, and what stands beside it in the register already."""

    kind: CertificateType
    judged: Judged
    there: Comparison | None
    issuers: str
    """Which issuers may be meant, where none has the name that was given."""

    @property
    def errors(self) -> list[str]:
        return [self.in_words(each) for each in self.judged.problems if each.severity is Severity.ERROR]

    @property
    def hints(self) -> list[tuple[str, str]]:
        """What is better looked at again, by the field's code; blank fields are seen without being told."""
        problems = self.judged.problems
        return [
            (each.field, self.in_words(each))
            for each in problems
            if each.severity is Severity.REMARK and each.code is not ProblemCode.BLANK
        ]

    @property
    def remarks(self) -> list[str]:
        """The same for the reviewer."""
        return [said for _, said in self.hints]

    def in_words(self, problem: Problem) -> str:
        said = problem.in_words(columns(paper_type(self.kind)).get(problem.field, problem.field))
        return said + self.issuers if problem.code is ProblemCode.AUTHORITY_UNKNOWN else said


def marks_in(judged: Judged) -> set[str]:
    """The names and numbers on a paper by which its case is found."""
    number = judged.holder_number
    others = ((each.name, each.number) for each in judged.others)
    names = (judged.holder_name, *judged.holder_name.split(BETWEEN))
    return {judged.number, *names, number.number if number else "", *chain.from_iterable(others)}


def known_authorities(session: Session) -> dict[str, str]:
    """The codes of all who may stand as issuer on a paper, by full name."""
    return dict(session.execute(select(IssuingAuthority.name, IssuingAuthority.code)).tuples().all())


def entered(
    session: Session, kind: CertificateType, given: Mapping[str, str], today: date, but_not: str = ""
) -> Entered:
    """What the rules say of an entry today. ``given`` is by field code; ``but_not`` is its case, where it has one,
    which may have brought it into the register."""
    judged = judge_of(session, kind, today).judge(given)
    if (kept := judged.columns) is not None:
        (remarks,) = numbers_held_otherwise(session, [judged.holders(kept)], but_not)
        judged = judged._replace(problems=(*judged.problems, *remarks))
    there = None
    if judged.accepted and (held := newest_of(judged.number, kind.code)) is not None:
        face = face_of(held)
        registered = Registered(face.values, face.holder_name, face.holder_number, held.issued_on, held.valid_until_on)
        there = compare(judged, registered, columns(paper_type(kind)))
    issuers = ""
    if any(each.code is ProblemCode.AUTHORITY_UNKNOWN for each in judged.problems):
        issuers = meant(given.get(ISSUER, ""), known_authorities(session))
    return Entered(kind, judged, there, issuers)


def by_code(kind: CertificateType, given: Mapping[str, str]) -> dict[str, str]:
    """An entry by field codes; names and codes are both taken. ``InputError`` names what the type does not have."""
    known = columns(paper_type(kind))
    codes = {name: code for code, name in known.items()} | {code: code for code in known}
    # The face's own name of a column comes before the register's name of it.
    codes |= {field.name: field.code for field in kind.fields}
    if unknown := [name for name in given if name not in codes]:
        raise InputError(
            f"“{kind.name}”没有项目{'、'.join(f'“{name[:20]}”' for name in unknown)}；"
            f"可以填写：{'、'.join(dict.fromkeys(known.values()))}。"
        )
    return {codes[name]: text for name, text in given.items()}


def check(entry: Entered) -> None:
    """Raise ``InputError`` with everything that is wrong with an entry, ``RefusalError`` where the register has it."""
    if entry.errors:
        raise InputError("".join(entry.errors))
    if entry.there is not None:
        raise RefusalError(f"{entry.in_words(entry.there.problem)}库中内容有误的，请提出核查申请（第十二条）。")


def backfill_of(session: Session, case_no: str) -> Backfill:
    """The backfill of a case that is known to exist."""
    return session.get_one(Backfill, case_no)


def latest_entry(session: Session, case_no: str) -> BackfillEntry:
    """The entry as it was corrected last."""
    wanted = select(BackfillEntry).where(BackfillEntry.case_no == case_no).order_by(BackfillEntry.turn.desc())
    return session.scalars(wanted.limit(1)).one()


def hints_about(case_no: str) -> list[tuple[str, str]]:
    """What whoever entered a paper may want to look at again in the entry as it is now, in Chinese by the field's code.

    It names nobody whom they have not named, and is said only of what is on record as theirs (Article 15): what a
    stranger would find out by trying stands in the record with their name.
    """
    with reading() as session:
        kind = session.get_one(CertificateType, backfill_of(session, case_no).type_code)
        return entered(session, kind, latest_entry(session, case_no).given, clock.today(), case_no).hints


def correction_refusal(session: Session, case: Case, text: str) -> str | None:
    """Why a correction cannot be taken; ``None`` when the entry with it passes the rules."""
    try:
        corrected(session, case, values_in(text))
    except RefusalError as why:
        return str(why)
    return None


def corrected(session: Session, case: Case, changes: Mapping[str, str]) -> dict[str, str]:
    backfill = backfill_of(session, case.case_no)
    kind = session.get_one(CertificateType, backfill.type_code)
    given = latest_entry(session, case.case_no).given | by_code(kind, changes)
    check(entered(session, kind, given, clock.today()))
    return given


def values_in(text: str) -> dict[str, str]:
    """The lines of a text as item and content. ``InputError`` names the first line that is none.

    >>> values_in("姓名：俞小云\\n发证日期: 2012年3月5日")
    {'姓名': '俞小云', '发证日期': '2012年3月5日'}
    """
    values: dict[str, str] = {}
    for number, line in enumerate(filter(str.strip, text.splitlines()), 1):
        name, colon, content = line.replace("：", ":", 1).partition(":")
        if not colon or not name.strip():
            raise InputError(f"第{number}行应写作“项目：内容”，请更正。")
        if name.strip() in values:
            raise InputError(f"第{number}行的项目与前面的重复，请更正。")
        values[name.strip()] = content.strip()
    return values
