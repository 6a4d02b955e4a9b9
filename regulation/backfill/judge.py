"""Backfilling paper certificates (信息补录): which rows of a file may enter the register, and what they become.

Article 11: an old paper certificate is backfilled when a matter that needs it is handled, and is electronic from then
on. A row that is accepted becomes version 001 of an electronic certificate; a row that is not says in Chinese what is
wrong and how to mend it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

from regulation.backfill.paper_values import (
    NO_END,
    Cell,
    HolderNumber,
    NoEnd,
    Reading,
    number_key,
    parts,
    read_amount,
    read_choice,
    read_date,
    read_holder_number,
    read_holder_numbers,
    read_name,
    read_number,
    read_number_kind,
    read_sex,
    read_text,
)
from regulation.backfill.problems import REMARKS, Finding, Problem, ProblemCode, Severity
from regulation.catalogue import Field, FieldKind, HolderKind, Validity, state_on, valid_until
from regulation.certificates import CertificateState
from regulation.identity_numbers import NumberKind, comparable_name, same_name
from regulation.limits import (
    EARLIEST_BIRTH,
    EARLIEST_ISSUE,
    LONGEST_ADDRESS,
    LONGEST_NAME,
    LONGEST_NUMBER,
    LONGEST_TEXT,
    VALID_FROM_AHEAD,
)
from regulation.objections import is_placeholder, is_unwritten

NUMBER, HOLDER, HOLDER_NUMBER, ISSUER = "number", "holder", "holder_number", "issuer"
ISSUED_ON, VALID_FROM, VALID_UNTIL = "issued_on", "valid_from", "valid_until"
HOLDER_NUMBER_KIND, HOLDER_KIND = "holder_number_kind", "holder_kind"
SHARE = "share"
CO_OWNERSHIP, SOLE = "co_ownership", "单独所有"
REGISTER_COLUMNS = {
    NUMBER: "证照编号",
    HOLDER: "持证主体",
    HOLDER_NUMBER: "持证主体证件号码",
    HOLDER_NUMBER_KIND: "证件类型",
    HOLDER_KIND: "持证主体类型",
    ISSUER: "颁证机构",
    ISSUED_ON: "发证日期",
    VALID_UNTIL: "有效期至",
}
"""What the register keeps of every certificate. Where a type's face does not say it, a file may in its own columns."""

_PERSONS = frozenset(kind for kind in NumberKind if not kind.of_organisation)
_ORGANISATIONS = frozenset(NumberKind) - _PERSONS


@dataclass(frozen=True, slots=True)
class PaperType:
    """A certificate type as the catalogue (证照目录) has it, and as backfilling needs it."""

    code: str
    name: str
    validity: Validity
    validity_years: int | None
    holder_kinds: tuple[HolderKind, ...]
    fields: tuple[Field, ...]

    @property
    def kinds(self) -> dict[str, FieldKind]:
        return {field.code: field.kind for field in self.fields}


def columns(paper_type: PaperType) -> dict[str, str]:
    """The Chinese names of all columns that a file of a type may have, by field code: the register's and the face's."""
    return REGISTER_COLUMNS | {field.code: field.name for field in paper_type.fields}


def required_columns(paper_type: PaperType) -> frozenset[str]:
    """The fields without which a paper certificate of a type cannot be registered.

    Its number, its holder with a number, its authority, its day of issue, and its last day where only its face tells
    that. A holder's number that stands elsewhere on the face (driving licences, marriage certificates) is not asked for
    twice. Everything else may be missing on old paper.
    """
    kinds = paper_type.kinds
    required = {HOLDER, ISSUER}
    if NUMBER in kinds:
        required.add(NUMBER)
    if not (HOLDER_NUMBER not in kinds and (_number_is_the_holders(kinds) or kinds.keys() >= _SPOUSES)):
        required.add(HOLDER_NUMBER)
    required.add(VALID_FROM if ISSUED_ON not in kinds and VALID_FROM in kinds else ISSUED_ON)
    if paper_type.validity is Validity.ON_FACE:
        required.add(VALID_UNTIL)
    return frozenset(required)


_SPOUSES = frozenset({"husband", "husband_number", "wife", "wife_number"})
_DISABILITY = frozenset({"disability", "grade"})
_SEX_OF = {"husband_number": True, "father_number": True, "wife_number": False, "mother_number": False}


def _number_is_the_holders(kinds: Mapping[str, FieldKind]) -> bool:
    """Whether the certificate's own number is its holder's, as on driving licences."""
    return kinds.get(NUMBER) is FieldKind.IDENTITY_NUMBER and not kinds.keys() >= _DISABILITY


@dataclass(frozen=True, slots=True)
class Columns:
    """What the register keeps of a version beside its face. ``valid_until_on`` of ``None`` is 长期."""

    number: str
    holder_kind: HolderKind
    holder_name: str
    holder_number_kind: NumberKind
    holder_number: str
    issued_on: date
    valid_until_on: date | None


@dataclass(frozen=True, slots=True)
class Holder:
    """One of those to whom a certificate was issued (Article 3). ``field`` is where its face names them (holder,
    husband, wife), with their number in the field of the same name and ``_number``; ``share`` is empty where there is
    none."""

    field: str
    kind: HolderKind
    name: str
    number_kind: NumberKind
    number: str
    share: str = ""


class Judged(NamedTuple):
    """A row as the register would take it, and all that is wrong with it.

    ``face`` is by field code, dates as 2019-03-05; ``originals`` holds what was written where that is not the same.
    ``None`` and empty texts stand where a problem kept a value from being read.
    """

    type_code: str
    face: dict[str, str]
    originals: dict[str, str]
    number: str
    holder_name: str
    holder_kind: HolderKind | None
    holder_number: HolderNumber | None
    issuer: str
    issued_on: date | None
    valid_until_on: date | None
    state: CertificateState
    problems: tuple[Problem, ...]
    holder_field: str
    """Where the face names the first holder, and whether that is one of several: ``Holder.field``."""
    share: str
    others: tuple[Holder, ...]
    """The holders beside the first one, each with a number by which they are found."""

    @property
    def accepted(self) -> bool:
        """Whether the row may enter the register: it has remarks at most."""
        return not any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def columns(self) -> Columns | None:
        """What the register would keep beside the face; ``None`` where a problem kept something of it from being
        read."""
        if self.holder_number is None or self.holder_kind is None or self.issued_on is None:
            return None
        return Columns(
            self.number,
            self.holder_kind,
            self.holder_name,
            self.holder_number.kind,
            self.holder_number.number,
            self.issued_on,
            self.valid_until_on,
        )

    def holders(self, kept: Columns) -> tuple[Holder, ...]:
        """All holders, the first as the register keeps it beside the face."""
        first = Holder(
            self.holder_field,
            kept.holder_kind,
            kept.holder_name,
            kept.holder_number_kind,
            kept.holder_number,
            self.share,
        )
        return first, *(each for each in self.others if each.number != first.number)


_Readings = dict[str, Reading[Any]]
_NOTHING: Reading[Any] = Reading("")
_REMEMBERED = 50_000
_A_DAY = timedelta(days=1)


class _Memory(dict[str, Reading[Any]]):
    """Readings of a field's texts: what a file says again and again (authorities, dates, scopes) is read once.

    It lives with its judge and ends with the file: it holds personal information.
    """

    def __init__(self, read: Callable[[Any], Reading[Any]]) -> None:
        super().__init__()
        self.read = read

    def __missing__(self, cell: str) -> Reading[Any]:
        if len(self) >= _REMEMBERED:
            self.clear()
        reading = self[cell] = self.read(cell)
        return reading


class _Ends(dict[date, date | None]):
    """The last days by a type's rule, by first days."""

    def __init__(self, paper_type: PaperType) -> None:
        super().__init__()
        self._rule = (paper_type.validity, paper_type.validity_years)

    def __missing__(self, start: date) -> date | None:
        end = self[start] = valid_until(*self._rule, start, None)
        return end


class Judge:
    """The rules of one type on one day, ready to judge many rows: some ten microseconds each."""

    def __init__(self, paper_type: PaperType, today: date, authorities: Collection[str]) -> None:
        """``authorities`` are the full names of all who may stand as issuer on a paper, former names included."""
        kinds = paper_type.kinds
        self._type = paper_type
        self._today = today
        self._authorities = {comparable_name(name): name for name in authorities}
        self._face = tuple(kinds)
        required = required_columns(paper_type)
        # On old paper a type's rule often stands for the last day.
        self._asked = {code: Problem(code, ProblemCode.BLANK) for code in self._face if code != VALID_UNTIL}
        self._asked |= {code: Problem(code, ProblemCode.MISSING) for code in columns(paper_type) if code in required}
        self._blank = dict.fromkeys(columns(paper_type), _NOTHING)
        self._memories = {code: _Memory(self._reader(code, kinds.get(code))) for code in columns(paper_type)}
        self._ends = _Ends(paper_type)
        self._validity_in_words = f"{paper_type.validity_years}年" if paper_type.validity is Validity.YEARS else "长期"
        self._latest_start = today + timedelta(days=VALID_FROM_AHEAD.value)
        self._among = self._kinds_of_the_holders_number(kinds)
        self._rules = tuple(
            rule
            for rule, applies in (
                (_spouse_problems, kinds.keys() >= _SPOUSES),
                (_disability_problems, kinds.keys() >= _DISABILITY | {NUMBER}),
                (_relatives_problems, bool(kinds.keys() & _SEX_OF.keys())),
                (_sex_problems, "sex" in kinds),
                (_birth_problems, HolderKind.NATURAL_PERSON in paper_type.holder_kinds),
                (_later_problems, bool(kinds.keys() & set(_NOT_AFTER_ISSUE))),
                (_ownership_problems, CO_OWNERSHIP in kinds),
            )
            if applies
        )
        self._number_is_the_holders = _number_is_the_holders(kinds)
        self.number_repeats = NUMBER not in kinds or self._number_is_the_holders
        """The certificate's number is its holder's, here said again or not at all."""
        self.of_spouses = kinds.keys() >= _SPOUSES
        """Whether it is a certificate of two spouses."""
        self._by_spouses = HOLDER_NUMBER not in kinds and self.of_spouses
        self.tells_holder_elsewhere = HOLDER_NUMBER not in kinds and (self._number_is_the_holders or self._by_spouses)
        """The holder's number stands on the face under another name than its own."""
        self.columns = self._memories.keys()

    def read(self, code: str, cell: Cell) -> Reading[Any]:
        """One value of a field, as the register would take it."""
        return self._memories[code].read(cell)

    def names_on(self, face: Mapping[str, str]) -> list[str]:
        """The names of all whom a face calls its holders, each once."""
        names = [face.get("husband"), face.get("wife")] if self.of_spouses else parts(face.get(HOLDER) or "")
        return [name for name in dict.fromkeys(names) if name]

    def judge(self, row: Mapping[str, Cell]) -> Judged:
        """``row`` is by field code; see ``columns`` for what may stand in it."""
        problems: list[Problem] = []
        readings = self._blank.copy()
        originals: dict[str, str] = {}
        memories = self._memories
        for code, cell in row.items():
            memory = memories.get(code)
            if memory is None:
                problems.append(Problem(code, ProblemCode.COLUMN_UNKNOWN))
                continue
            if cell.__class__ is str:
                reading = memory[cell]
            elif cell is None:
                reading = _NOTHING
            else:
                reading = memory.read(cell)
            readings[code] = reading
            text, _, findings, original = reading
            if findings:
                problems += [Problem(code, *finding) for finding in findings]
            elif not text and code in self._asked:
                problems.append(self._asked[code])
            if original:
                originals[code] = original
        if not row.keys() >= self._asked.keys():
            problems += [problem for code, problem in self._asked.items() if code not in row]
        if readings[HOLDER_NUMBER_KIND].value is not None:
            self._read_as_stated(readings, row, originals, problems)
        number = self._holders_number(readings, problems)
        for rule in self._rules:
            rule(readings, number, problems)
        return self._judged(readings, originals, number, problems)

    def _judged(
        self,
        readings: _Readings,
        originals: dict[str, str],
        number: HolderNumber | None,
        problems: list[Problem],
    ) -> Judged:
        issued_on = readings[ISSUED_ON].value
        if issued_on is None and VALID_FROM in readings:
            issued_on = readings[VALID_FROM].value
        until = self._last_day(readings, issued_on, problems)
        stated = readings[HOLDER_KIND].value
        kind = None if number is None else self._holder_kind(readings[HOLDER].text, number, stated, problems)
        field, name, share, others = self._holders(readings, number, problems)
        return Judged(
            self._type.code,
            {code: readings[code].text for code in self._face},
            originals,
            readings[NUMBER].text or (number.number if number and self.number_repeats else ""),
            name,
            kind,
            number,
            readings[ISSUER].text,
            issued_on,
            until,
            state_on(self._today, CertificateState.VALID, until),
            tuple(problems),
            field,
            share,
            others,
        )

    def _holders(
        self, readings: _Readings, number: HolderNumber | None, problems: list[Problem]
    ) -> tuple[str, str, str, tuple[Holder, ...]]:
        """Of the first holder the field, name and share, and the holders beside them: the other spouse, or whoever
        stands beside the first with as many names as numbers."""
        name, share = readings[HOLDER].text, readings[SHARE].text if SHARE in readings else ""
        if self.of_spouses:
            first, other = _spouses_in_order(readings, number)
            return first, name, share, _spouse(readings, other)
        names, numbers, shares = parts(name), readings[HOLDER_NUMBER].value or (), parts(share)
        if len(names) < 2 and len(numbers) < 2:
            return HOLDER, name, share, ()
        if len(names) != len(numbers):
            code = ProblemCode.HOLDERS_DIFFER if len(numbers) > 1 else ProblemCode.HOLDERS_WITHOUT_NUMBER
            if numbers:
                problems.append(Problem(HOLDER_NUMBER, code))
            return HOLDER, name, share if len(shares) == 1 else "", ()
        if len(shares) != len(names):
            # What is said once is said of all; what fits nobody stays on the face.
            shares = (shares if len(shares) == 1 else [""]) * len(names)
        others: dict[str, Holder] = {}
        for each, its, part in zip(names[1:], numbers[1:], shares[1:], strict=True):
            kind = self._holder_kind(each, its, None, problems)
            if kind is not None:
                others.setdefault(its.number, Holder(HOLDER, kind, each, its.kind, its.number, part))
        return HOLDER, names[0], shares[0], tuple(others.values())

    def _reader(self, code: str, kind: FieldKind | None) -> Callable[[Any], Reading[Any]]:
        among = self._kinds_of_the_holders_number(self._type.kinds) if code == HOLDER_NUMBER else _PERSONS
        match code:
            case "issuer":
                return self._read_authority
            case "sex":
                return read_sex
            case "holder_number_kind":
                return read_number_kind
            case "holder_kind":
                return _read_holder_kind
            case "holder_number":
                return partial(read_holder_numbers, among=among)
            case "issued_on" | "valid_until":
                return partial(self._read_date, code)
            case "number" if not _number_is_the_holders(self._type.kinds):
                return partial(_read_unless, _is_no_number, partial(read_number, longest=LONGEST_NUMBER.value))
        match kind:
            case FieldKind.DATE:
                return partial(self._read_date, code)
            case FieldKind.NUMBER:
                return partial(_read_unless, is_placeholder, partial(read_number, longest=LONGEST_NUMBER.value))
            case FieldKind.IDENTITY_NUMBER:
                return partial(read_holder_number, among=_PERSONS)
            case FieldKind.CREDIT_CODE:
                return partial(read_holder_number, among=_ORGANISATIONS)
            case FieldKind.TEXT:
                return partial(_read_unless, is_unwritten, partial(read_text, longest=LONGEST_TEXT.value))
            case FieldKind.ADDRESS:
                return partial(_read_unless, is_placeholder, partial(read_name, longest=LONGEST_ADDRESS.value))
            case FieldKind.AMOUNT:
                return partial(read_amount, longest=LONGEST_NUMBER.value)
            case FieldKind.CHOICE:
                (choices,) = (field.choices for field in self._type.fields if field.code == code)
                return partial(read_choice, among=choices)
        return partial(_read_unless, _is_no_name, partial(read_name, longest=LONGEST_NAME.value))

    def _kinds_of_the_holders_number(self, kinds: Mapping[str, FieldKind]) -> frozenset[NumberKind]:
        if kinds.get(HOLDER_NUMBER) is FieldKind.CREDIT_CODE:
            return _ORGANISATIONS
        persons = _PERSONS if HolderKind.NATURAL_PERSON in self._type.holder_kinds else frozenset()
        return persons | (_ORGANISATIONS if set(self._type.holder_kinds) - {HolderKind.NATURAL_PERSON} else frozenset())

    def _read_authority(self, cell: Cell) -> Reading[str]:
        reading = read_name(cell, LONGEST_NAME.value)
        if not reading.text:
            return reading
        known = self._authorities.get(comparable_name(reading.text))
        if known is None:
            # A remark, such as that the cell is a number, comes along; it must not stand in for the check.
            return reading._replace(findings=(*reading.findings, Finding(ProblemCode.AUTHORITY_UNKNOWN)))
        original = cell if isinstance(cell, str) and cell != known else ""
        return Reading(known, known, (), original)

    def _read_date(self, code: str, cell: Cell) -> Reading[Any]:
        """A date, and whether it can be one of this field at all. What cannot be has no value, so no rule reckons."""
        reading = read_date(cell)
        value = reading.value
        if value is None or (value is NO_END and code == VALID_UNTIL):
            return reading
        earliest = EARLIEST_BIRTH if code == "born_on" else EARLIEST_ISSUE
        latest = self._latest_start if code == VALID_FROM else self._today
        if value is NO_END:
            finding = Finding(ProblemCode.DATE_NO_END_HERE)
        elif value < earliest:
            finding = Finding(ProblemCode.DATE_TOO_EARLY, f"{earliest:%Y年}")
        elif value > latest and code != VALID_UNTIL:
            finding = Finding(ProblemCode.DATE_IN_FUTURE)
        else:
            return reading
        return Reading("", None, (finding,), reading.original or reading.text)

    def _read_as_stated(
        self, readings: _Readings, row: Mapping[str, Cell], originals: dict[str, str], problems: list[Problem]
    ) -> None:
        """Read the holder's number again as the kind that the file says it is."""
        stated, reading = readings[HOLDER_NUMBER_KIND].value, readings[HOLDER_NUMBER]
        if not reading.text and not reading.findings:
            return
        reading = readings[HOLDER_NUMBER] = read_holder_numbers(row[HOLDER_NUMBER], self._among, stated)
        problems[:] = [problem for problem in problems if problem.field != HOLDER_NUMBER]
        problems += [Problem(HOLDER_NUMBER, *finding) for finding in reading.findings]
        originals.pop(HOLDER_NUMBER, None)
        if reading.original:
            originals[HOLDER_NUMBER] = reading.original

    def _holders_number(self, readings: _Readings, problems: list[Problem]) -> HolderNumber | None:
        """The first holder's number, wherever the file or the face says it."""
        reading: Reading[tuple[HolderNumber, ...]] = readings[HOLDER_NUMBER]
        number: HolderNumber | None = reading.value[0] if reading.value else None
        if number is None and not reading.findings:
            if self._number_is_the_holders:
                number = readings[NUMBER].value
            elif self._by_spouses:
                number = _number_of_the_spouse_who_holds(readings)
            if number is None and all(problem.code in REMARKS for problem in problems):
                problems.append(Problem(HOLDER_NUMBER, ProblemCode.MISSING))
            return number
        own = readings[NUMBER]
        if self.number_repeats and number is not None and own.text and not own.findings:
            if number_key(own.text) not in {number.number, number_key(reading.original)}:
                problems.append(Problem(NUMBER, ProblemCode.NUMBER_DIFFERS))
        elif self._by_spouses and number is not None:
            spouse = _number_of_the_spouse_who_holds(readings)
            if spouse is not None and spouse.number != number.number:
                problems.append(Problem(HOLDER_NUMBER, ProblemCode.NUMBER_DIFFERS))
        return number

    def _last_day(self, readings: _Readings, issued_on: date | None, problems: list[Problem]) -> date | None:
        """The certificate's last day: as on paper, else by the type's rule; and what is remarkable about it."""
        reading: Reading[date | NoEnd] = readings[VALID_UNTIL]
        validity, until, in_words = self._type.validity, reading.value, self._validity_in_words
        valid_from: date | None = readings[VALID_FROM].value if VALID_FROM in readings else None
        if until is None:
            start = valid_from or issued_on
            if reading.findings or validity is not Validity.YEARS or start is None:
                return None
            problems.append(Problem(VALID_UNTIL, ProblemCode.VALIDITY_BY_RULE, in_words))
            last = self._ends[start]
        elif until is NoEnd.NO_END:
            if validity is Validity.YEARS:
                problems.append(Problem(VALID_UNTIL, ProblemCode.VALIDITY_NOT_BY_RULE, in_words))
            return None
        else:
            last = until
            if any(start is not None and until < start for start in (issued_on, valid_from)):
                problems.append(Problem(VALID_UNTIL, ProblemCode.ENDS_BEFORE_ISSUE))
            elif not self._fits_the_rule(until, issued_on, valid_from):
                problems.append(Problem(VALID_UNTIL, ProblemCode.VALIDITY_NOT_BY_RULE, in_words))
        if last is not None and last < self._today:
            problems.append(Problem(VALID_UNTIL, ProblemCode.EXPIRED))
        return last

    def _fits_the_rule(self, until: date, issued_on: date | None, valid_from: date | None) -> bool:
        """Whether a last day is the one by the type's rule, from the day of issue or the first day of validity.

        Papers say it in two ways: five years from 2019-03-05 end on 2024-03-05 by the Civil Code, and on many forms on
        the day before. Both are right.
        """
        if self._type.validity is not Validity.YEARS:
            return self._type.validity is Validity.ON_FACE
        ends = [self._ends[start] for start in (issued_on, valid_from) if start is not None]
        return not ends or any(end is not None and end - _A_DAY <= until <= end for end in ends)

    def _holder_kind(
        self, name: str, number: HolderNumber, stated: HolderKind | None, problems: list[Problem]
    ) -> HolderKind | None:
        """Whether a person or what organisation holds the certificate, and whether it may."""
        person = not number.kind.of_organisation
        if stated is not None and (stated is HolderKind.NATURAL_PERSON) != person:
            problems.append(Problem(HOLDER_KIND, ProblemCode.HOLDER_KIND_DIFFERS))
            return None
        kind = HolderKind.NATURAL_PERSON if person else stated or _organisation_kind(name, number)
        allowed = self._type.holder_kinds
        if stated is None and not person and kind not in allowed:
            kind = next((each for each in allowed if each is not HolderKind.NATURAL_PERSON), kind)
        if kind not in allowed:
            problems.append(Problem(HOLDER_NUMBER, ProblemCode.HOLDER_KIND_NOT_ALLOWED, kind))
            return None
        return kind


def judge(row: Mapping[str, Cell], paper_type: PaperType, today: date, authorities: Collection[str]) -> Judged:
    """One row by itself. Whoever has many makes one ``Judge`` for all of them."""
    return Judge(paper_type, today, authorities).judge(row)


def _read_unless(is_none: Callable[[str], bool], read: Callable[[Cell], Reading[str]], cell: Cell) -> Reading[str]:
    """A cell as ``read``, unless what it says ``is_none`` of what belongs there."""
    reading = read(cell)
    if not reading.text or not is_none(reading.text):
        return reading
    return Reading("", None, (*reading.findings, Finding(ProblemCode.PLACEHOLDER)), reading.original or reading.text)


def _is_no_number(text: str) -> bool:
    """Whether a text is no certificate's number, as an objection would have to name it."""
    return len(text) < 2 or is_placeholder(text)


def _is_no_name(text: str) -> bool:
    """Whether a text names nobody, or one of those whom it names is none."""
    return not _MARKUP.isdisjoint(text) or any(map(is_placeholder, parts(text) or [text]))


_MARKUP = frozenset("<>＜＞")


def _read_holder_kind(cell: Cell) -> Reading[HolderKind]:
    reading = read_name(cell, LONGEST_NAME.value)
    if not reading.text:
        return Reading("", None, reading.findings, reading.original)
    try:
        kind = HolderKind(reading.text)
    except ValueError:
        return Reading("", None, (Finding(ProblemCode.HOLDER_KIND_UNREADABLE),), reading.original or reading.text)
    return Reading(kind.value, kind, (), reading.original)


def _organisation_kind(name: str, number: HolderNumber) -> HolderKind:
    """Legal person or not, where a file does not say: partnerships and sole proprietorships are not.

    Nor are the one-person businesses (个体工商户) whose credit codes begin with 92: they hold licences as businesses.
    """
    unincorporated = "合伙" in name or "个人独资" in name or number.number.startswith("92")
    return HolderKind.UNINCORPORATED if unincorporated else HolderKind.LEGAL_PERSON


def _number_of_the_spouse_who_holds(readings: _Readings) -> HolderNumber | None:
    holder = readings[HOLDER].text
    for spouse in ("husband", "wife"):
        if holder and _same(holder, readings[spouse].text):
            number: HolderNumber | None = readings[f"{spouse}_number"].value
            return number
    return None


def _spouses_in_order(readings: _Readings, number: HolderNumber | None) -> tuple[str, str | None]:
    """The spouse whose number or, where that is not known, whose name is the holder's, and the other one; the holder
    alone where it is neither's."""
    orders = ("husband", "wife"), ("wife", "husband")
    for first, other in orders:
        its: HolderNumber | None = readings[f"{first}_number"].value
        if number is not None and its is not None and its.number == number.number:
            return first, other
    for first, other in orders:
        if number is None and readings[HOLDER].text and _same(readings[HOLDER].text, readings[first].text):
            return first, other
    return HOLDER, None


def _spouse(readings: _Readings, field: str | None) -> tuple[Holder, ...]:
    """The other spouse; none where no number says who that is."""
    number: HolderNumber | None = readings[f"{field}_number"].value if field is not None else None
    if field is None or number is None or number.kind.of_organisation:
        return ()
    return (Holder(field, HolderKind.NATURAL_PERSON, readings[field].text, number.kind, number.number),)


def _same(one: str, other: str) -> bool:
    return one == other or same_name(one, other)


def _spouse_problems(readings: _Readings, _number: HolderNumber | None, problems: list[Problem]) -> None:
    holder, husband, wife = (readings[code].text for code in (HOLDER, "husband", "wife"))
    if holder and husband and wife and not (_same(holder, husband) or _same(holder, wife)):
        problems.append(Problem(HOLDER, ProblemCode.HOLDER_NOT_SPOUSE))


def _relatives_problems(readings: _Readings, _number: HolderNumber | None, problems: list[Problem]) -> None:
    for code, male in _SEX_OF.items():
        relative: HolderNumber | None = readings[code].value if code in readings else None
        if relative is not None and relative.male is not None and relative.male != male:
            problems.append(Problem(code, ProblemCode.SEX_DIFFERS))


def _sex_problems(readings: _Readings, number: HolderNumber | None, problems: list[Problem]) -> None:
    male: bool | None = readings["sex"].value
    if number is not None and None not in (male, number.male) and male != number.male:
        problems.append(Problem("sex", ProblemCode.SEX_DIFFERS))


def _birth_problems(readings: _Readings, number: HolderNumber | None, problems: list[Problem]) -> None:
    on_face: date | None = readings["born_on"].value if "born_on" in readings else None
    by_number = number.born_on if number is not None else None
    if on_face is not None and by_number is not None and on_face != by_number:
        problems.append(Problem("born_on", ProblemCode.BIRTH_DATE_DIFFERS))
    born_on = by_number or on_face
    if born_on is None:
        return
    for code in (ISSUED_ON, VALID_FROM, "first_on"):
        day: date | None = readings[code].value if code in readings else None
        if day is not None and day < born_on:
            problems.append(Problem(code, ProblemCode.ISSUED_BEFORE_BIRTH))


_NOT_AFTER_ISSUE = ("established_on", "first_on")


def _later_problems(readings: _Readings, _number: HolderNumber | None, problems: list[Problem]) -> None:
    issued_on: date | None = readings[ISSUED_ON].value
    if issued_on is None and VALID_FROM in readings:
        issued_on = readings[VALID_FROM].value
    for code in _NOT_AFTER_ISSUE:
        day: date | None = readings[code].value if code in readings else None
        if day is not None and issued_on is not None and day > issued_on:
            problems.append(Problem(code, ProblemCode.LATER_THAN_ISSUE))


def _ownership_problems(readings: _Readings, _number: HolderNumber | None, problems: list[Problem]) -> None:
    numbers = readings[HOLDER_NUMBER].value or ()
    if readings[CO_OWNERSHIP].text == SOLE and (len(numbers) > 1 or len(parts(readings[HOLDER].text)) > 1):
        problems.append(Problem(CO_OWNERSHIP, ProblemCode.SOLE_OF_SEVERAL))


_DISABILITIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
_GRADES = {"一": "1", "二": "2", "三": "3", "四": "4", "1": "1", "2": "2", "3": "3", "4": "4"}


def _disability_problems(readings: _Readings, number: HolderNumber | None, problems: list[Problem]) -> None:
    """A disability certificate's number: 18 characters of identity number, one of class, one of grade, then how often
    it was issued again (B1, B2), if it was."""
    written = readings[NUMBER].text.upper()
    if not written or readings[NUMBER].findings or number is None:
        return
    identity, tail, again = written[:18], written[18:20], written[20:]
    disability, grade = readings["disability"].text, readings["grade"].text
    fits = (
        identity == number.number
        and len(tail) == 2
        and tail[0] in "1234567"
        and tail[1] in "1234"
        and (not again or (again[0] == "B" and again[1:].isdecimal()))
        and (not disability or disability.startswith(_DISABILITIES[int(tail[0]) - 1]))
        and (not grade or _GRADES.get(grade[:1]) == tail[1])
    )
    if not fits:
        problems.append(Problem(NUMBER, ProblemCode.DISABILITY_DIFFERS))
