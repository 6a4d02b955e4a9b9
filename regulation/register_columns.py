"""What the register keeps of a certificate beside its face, and how it follows from the face (Articles 3 and 12).

Uses find certificates and judge them by these columns; people see the face. Where both could be set, a corrected face
would stand beside an old column, and the certificate would be answered as what it no longer says. So on every way in
(sample, platform above, backfill, correction) the columns are read off the face, as backfilling reads paper.
"""

from collections.abc import Mapping

from regulation.backfill.judge import (
    HOLDER,
    HOLDER_NUMBER,
    HOLDER_NUMBER_KIND,
    ISSUED_ON,
    NUMBER,
    VALID_FROM,
    VALID_UNTIL,
    Columns,
    Judge,
    Judged,
)
from regulation.backfill.paper_values import NO_END, number_key
from regulation.backfill.problems import Problem, Severity
from regulation.catalogue import HolderKind
from regulation.identity_numbers import NumberKind


def columns_from(judge: Judge, face: Mapping[str, str], beside: Columns) -> Columns:
    """The columns of a version with this face. ``beside`` is what its way in says, and counts where the face is silent
    or cannot be read: a platform's own columns, or those of the version before."""
    judged = _judged(judge, face, beside)
    unreadable = {problem.field for problem in errors(judged)}
    number = judged.holder_number
    if number is None:
        # Kinds of numbers that look alike are told apart by what the way in says.
        number = _judged(judge, face, beside, stated=True).holder_number
    if number is None:
        kind, holder_number = beside.holder_number_kind, beside.holder_number
    else:
        kind, holder_number = number.kind, number.number
    return Columns(
        number=judged.number or beside.number,
        holder_kind=_holder_kind(kind, beside, judged),
        holder_name=judged.holder_name or beside.holder_name,
        holder_number_kind=kind,
        holder_number=holder_number,
        issued_on=judged.issued_on or beside.issued_on,
        valid_until_on=beside.valid_until_on if VALID_UNTIL in unreadable else judged.valid_until_on,
    )


def new_errors(judge: Judge, before: Mapping[str, str], after: Mapping[str, str], beside: Columns) -> list[Problem]:
    """What would be wrong with a face that was not wrong with the one before: why a correction cannot be taken. What
    has been wrong all along is no reason to leave another thing wrong."""
    known = {(problem.field, problem.code) for problem in errors(_judged(judge, before, beside))}
    found = errors(_judged(judge, after, columns_from(judge, after, beside)))
    return [problem for problem in found if (problem.field, problem.code) not in known]


def errors(judged: Judged) -> list[Problem]:
    """The problems that are no mere remarks."""
    return [problem for problem in judged.problems if problem.severity is Severity.ERROR]


def _judged(judge: Judge, face: Mapping[str, str], beside: Columns, *, stated: bool = False) -> Judged:
    """The face under the rules, what it is silent on filled in."""
    row = {
        NUMBER: beside.number,
        HOLDER: beside.holder_name,
        HOLDER_NUMBER: beside.holder_number,
        VALID_UNTIL: str(beside.valid_until_on or NO_END),
    }
    if judge.tells_holder_elsewhere:
        del row[HOLDER_NUMBER]
    if not face.get(VALID_FROM):
        row[ISSUED_ON] = str(beside.issued_on)
    if stated:
        row[HOLDER_NUMBER_KIND] = beside.holder_number_kind
    if judge.number_repeats and number_key(beside.number) == number_key(beside.holder_number):
        del row[NUMBER]
    return judge.judge(row | {code: text for code, text in face.items() if text and code in judge.columns})


def _holder_kind(kind: NumberKind, beside: Columns, judged: Judged) -> HolderKind:
    if not kind.of_organisation:
        return HolderKind.NATURAL_PERSON
    if beside.holder_kind is not HolderKind.NATURAL_PERSON:
        return beside.holder_kind
    return judged.holder_kind or HolderKind.LEGAL_PERSON
