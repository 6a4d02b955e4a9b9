"""What the register keeps of a certificate beside its face, and how it follows from the face (Articles 3 and 12).

Uses find certificates and judge them by these columns; people see the face. Where both could be set, a corrected face
would stand beside an old column, and the certificate would be answered as what it no longer says. So on every way in
(sample, platform above, backfill, correction) the columns are read off the face, as backfilling reads paper.

A certificate can have several holders (Article 3): both spouses, co-owners, partners. Who they are follows from the
face by the same rules; the columns are those of the first. Each of them alone finds and presents it, sees its uses,
authorises for it and objects to it: Article 3 calls whoever it was issued to its holder, and does not tell them apart.
A correction changes one field, and a holder stands in two: what it leaves incomplete takes the certificate from nobody
whose name and number the face still says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from regulation.backfill.judge import (
    HOLDER,
    HOLDER_NUMBER,
    HOLDER_NUMBER_KIND,
    ISSUED_ON,
    NUMBER,
    SHARE,
    VALID_FROM,
    VALID_UNTIL,
    Columns,
    Holder,
    Judge,
    Judged,
)
from regulation.backfill.paper_values import BETWEEN, NO_END, number_key, parts
from regulation.backfill.problems import Problem, ProblemCode, Severity
from regulation.catalogue import HolderKind
from regulation.identity_numbers import NumberKind, same_name

INCOMPLETE = frozenset({ProblemCode.HOLDERS_DIFFER, ProblemCode.HOLDERS_WITHOUT_NUMBER})
"""A face that names other holders than it numbers: nobody guesses whose number is whose."""
CONTRADICTIONS = INCOMPLETE | {ProblemCode.LATER_THAN_ISSUE, ProblemCode.SOLE_OF_SEVERAL}
"""What staff are told of after a correction, errors apart: on old paper some of it is a remark, because old paper is as
it is."""
_HOLDERS_NUMBER = (HOLDER_NUMBER, NUMBER)
_COMPARED_WITH: dict[ProblemCode, tuple[str, ...]] = {
    ProblemCode.ENDS_BEFORE_ISSUE: (ISSUED_ON, VALID_FROM),
    ProblemCode.LATER_THAN_ISSUE: (ISSUED_ON, VALID_FROM),
    ProblemCode.ISSUED_BEFORE_BIRTH: ("born_on", HOLDER_NUMBER),
    ProblemCode.NUMBER_DIFFERS: (HOLDER_NUMBER, "husband_number", "wife_number"),
    ProblemCode.DISABILITY_DIFFERS: (HOLDER_NUMBER, "disability", "grade"),
    ProblemCode.HOLDER_NOT_SPOUSE: ("husband", "wife"),
    ProblemCode.HOLDER_KIND_NOT_ALLOWED: (HOLDER,),
    ProblemCode.HOLDERS_DIFFER: (HOLDER,),
    ProblemCode.HOLDERS_WITHOUT_NUMBER: (HOLDER,),
    ProblemCode.SOLE_OF_SEVERAL: (HOLDER, HOLDER_NUMBER),
}
"""With what a problem's field does not agree. Sexes and days of birth are told by a number."""


def read_off(
    judge: Judge, face: Mapping[str, str], beside: Columns, known: Sequence[Holder] = ()
) -> tuple[Columns, tuple[Holder, ...]]:
    """The columns of a version with this face, and all its holders, the first as the columns have it.

    ``beside`` is what its way in says, and counts where the face is silent or cannot be read: a platform's own columns,
    or those of the version before, whose holders are ``known``. Whoever has no number that can be read is no holder:
    nothing could find them. A face that contradicts itself has those of the ``known`` whom it still names and numbers,
    or the first one alone.
    """
    kept, judged = _kept(judge, face, beside, known)
    there = _undisputed(judge, face, known) if any(each.code in INCOMPLETE for each in judged.problems) else ()
    if not there:
        return kept, judged.holders(kept)
    first = there[0]
    kept = replace(
        kept,
        holder_kind=first.kind,
        holder_name=first.name,
        holder_number_kind=first.number_kind,
        holder_number=first.number,
    )
    return kept, there


def _undisputed(judge: Judge, face: Mapping[str, str], known: Sequence[Holder]) -> tuple[Holder, ...]:
    """Of the holders of the version before those whom a face still names and numbers; the shares as it says them now,
    where there is one for each name."""
    names, shares = judge.names_on(face), parts(face.get(SHARE) or "")
    said = face.get(HOLDER_NUMBER)
    numbers = {each.number for each in judge.read(HOLDER_NUMBER, said).value or ()} if said else None
    there = []
    for each in known:
        place = next((place for place, name in enumerate(names) if same_name(name, each.name)), None)
        if place is not None and (numbers is None or each.number in numbers):
            there.append(replace(each, share=shares[place]) if len(shares) == len(names) else each)
    return tuple(there)


def is_silent_on_a_holder(judge: Judge, face: Mapping[str, str], holders: Sequence[Holder]) -> bool:
    """Whether the face names somebody as a holder who is none of the ``holders``: nobody finds it by their number."""
    return len(judge.names_on(face)) > len(holders)


def _kept(judge: Judge, face: Mapping[str, str], beside: Columns, known: Sequence[Holder]) -> tuple[Columns, Judged]:
    judged = _judged(judge, face, beside, known)
    if judged.holder_field == HOLDER and any(each.field != HOLDER for each in known):
        # One of both names of a spouse was corrected: the certificate is still theirs, whoever is first.
        judged = _judged(judge, {**face, HOLDER: face.get(known[0].field) or ""}, beside, known)
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


def new_contradictions(
    judge: Judge,
    before: Mapping[str, str],
    after: Mapping[str, str],
    corrected: str,
    beside: Columns,
    known: Sequence[Holder] = (),
) -> list[str]:
    """The fields that do not agree with one that was corrected, and did before: they may have to be corrected, too."""
    there = {(problem.field, problem.code) for problem in _contradictions(_judged(judge, before, beside, known))}
    found = _contradictions(_judged(judge, after, *read_off(judge, after, beside, known)))
    return list(
        dict.fromkeys(
            field
            for problem in found
            if (problem.field, problem.code) not in there
            for field in _not_agreeing(problem, corrected, after)
        )
    )


def _not_agreeing(problem: Problem, corrected: str, face: Mapping[str, str]) -> list[str]:
    """What a correction does not agree with: the problem's field, or what that is compared with where it is itself what
    was corrected."""
    if problem.field != corrected:
        return [problem.field]
    if problem.code in _COMPARED_WITH:
        others = [each for each in _COMPARED_WITH[problem.code] if face.get(each) and each != corrected]
    elif corrected.endswith("_number"):
        # Whose number it is.
        others = [corrected.removesuffix("_number")]
    else:
        others = [each for each in _HOLDERS_NUMBER if face.get(each)][:1]
    return others or [problem.field]


def _contradictions(judged: Judged) -> list[Problem]:
    return [each for each in judged.problems if each.severity is Severity.ERROR or each.code in CONTRADICTIONS]


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
