"""What the register keeps of a certificate beside its face, and how it follows from the face (Articles 3 and 12).

Uses find certificates and judge them by these columns; people see the face. Where both could be set, a corrected face
would stand beside an old column, and the certificate would be answered as what it no longer says. So on every way in
(sample, platform above, backfill, correction) the columns are read off the face, as backfilling reads paper.

A certificate can have several holders (Article 3): both spouses, co-owners, partners. Who they are follows from the
face by the same rules; the columns are those of the first. Each of them alone finds and presents it, sees its uses,
authorises for it and objects to it: Article 3 calls whoever it was issued to its holder, and does not tell them apart.
"""

from collections.abc import Mapping, Sequence

from regulation.backfill.judge import (
    HOLDER,
    HOLDER_NUMBER,
    HOLDER_NUMBER_KIND,
    ISSUED_ON,
    NUMBER,
    VALID_FROM,
    VALID_UNTIL,
    Columns,
    Holder,
    Judge,
    Judged,
)
from regulation.backfill.paper_values import BETWEEN, NO_END, number_key
from regulation.backfill.problems import Problem, ProblemCode, Severity
from regulation.catalogue import HolderKind
from regulation.identity_numbers import NumberKind

MENDED_IN_TURN = frozenset({ProblemCode.HOLDERS_DIFFER})
"""What a correction may leave wrong: it is of one field, and a holder who is missing stands in two."""


def read_off(
    judge: Judge, face: Mapping[str, str], beside: Columns, known: Sequence[Holder] = ()
) -> tuple[Columns, tuple[Holder, ...]]:
    """The columns of a version with this face, and all its holders, the first as the columns have it.

    ``beside`` is what its way in says, and counts where the face is silent or cannot be read: a platform's own columns,
    or those of the version before, whose holders are ``known``. Whoever has no number that can be read is no holder:
    nothing could find them. A face that contradicts itself has the first one alone.
    """
    kept, judged = _kept(judge, face, beside, known)
    return kept, judged.holders(kept)


def is_silent_on_a_holder(judge: Judge, face: Mapping[str, str], holders: Sequence[Holder]) -> bool:
    """Whether the face names somebody as a holder who is none of the ``holders``: nobody finds it by their number."""
    return len(judge.names_on(face)) > len(holders)


def _kept(judge: Judge, face: Mapping[str, str], beside: Columns, known: Sequence[Holder]) -> tuple[Columns, Judged]:
    judged = _judged(judge, face, beside, known)
    # A last day before the day of issue is wrong and can be read.
    unreadable = {each.field for each in errors(judged) if each.code is not ProblemCode.ENDS_BEFORE_ISSUE}
    number = judged.holder_number
    if number is None:
        # Kinds of numbers that look alike are told apart by what the way in says.
        number = _judged(judge, face, beside, known, stated=True).holder_number
    if number is None:
        kind, holder_number = beside.holder_number_kind, beside.holder_number
    else:
        kind, holder_number = number.kind, number.number
    kept = Columns(
        number=judged.number or beside.number,
        holder_kind=_holder_kind(kind, beside, judged),
        holder_name=judged.holder_name or beside.holder_name,
        holder_number_kind=kind,
        holder_number=holder_number,
        issued_on=judged.issued_on or beside.issued_on,
        valid_until_on=beside.valid_until_on if VALID_UNTIL in unreadable else judged.valid_until_on,
    )
    return kept, judged


def new_errors(
    judge: Judge, before: Mapping[str, str], after: Mapping[str, str], beside: Columns, known: Sequence[Holder] = ()
) -> list[Problem]:
    """What is wrong with a face that was not wrong with the one before: what does not agree with a correction and may
    have to be corrected, too."""
    there = {(problem.field, problem.code) for problem in errors(_judged(judge, before, beside, known))}
    found = errors(_judged(judge, after, *read_off(judge, after, beside, known)))
    return [
        problem
        for problem in found
        if (problem.field, problem.code) not in there and problem.code not in MENDED_IN_TURN
    ]


def errors(judged: Judged) -> list[Problem]:
    """The problems that are no mere remarks."""
    return [problem for problem in judged.problems if problem.severity is Severity.ERROR]


def _judged(
    judge: Judge, face: Mapping[str, str], beside: Columns, known: Sequence[Holder], *, stated: bool = False
) -> Judged:
    """The face under the rules, what it is silent on filled in."""
    together = [each for each in known if each.field == HOLDER]
    several = len(together) > 1
    row = {
        NUMBER: beside.number,
        HOLDER: BETWEEN.join(each.name for each in together) if several else beside.holder_name,
        HOLDER_NUMBER: BETWEEN.join(each.number for each in together) if several else beside.holder_number,
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
