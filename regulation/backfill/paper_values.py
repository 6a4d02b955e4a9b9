"""What stands on old paper and in the spreadsheets made of it, read into one form; how it was written is kept.

Article 11. A spreadsheet changes what people type: long numbers lose their digits, dates become serial numbers, leading
zeros go. What can be read is read, what is lost is said to be lost; nothing is guessed without saying so.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from math import inf
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from regulation.backfill.problems import Finding, ProblemCode
from regulation.identity_numbers import (
    NUMBERS_BEFORE_2015,
    NumberError,
    NumberFault,
    NumberKind,
    parse_credit_code,
    parse_organisation_code,
    parse_registration_number,
    parse_resident_number,
)

T_co = TypeVar("T_co", covariant=True)

Cell: TypeAlias = str | int | float | date | time | timedelta | None
"""What readers of spreadsheets give for a cell; a ``datetime`` is a ``date``."""


class NoEnd(StrEnum):
    """A validity that does not end."""

    NO_END = "长期"


NO_END = NoEnd.NO_END


class Reading(NamedTuple, Generic[T_co]):
    """A cell as read: ``text`` is what the certificate's face will say, ``value`` what rules reckon with.

    ``original`` is what stood there, empty if that is ``text``. An empty cell has no text, no value and no findings.
    """

    text: str
    value: T_co | None = None
    findings: tuple[Finding, ...] = ()
    original: str = ""


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
# Excel marks a text with an apostrophe, which exports keep in any of these forms.
_APOSTROPHES = "'’‘＇`"
_ONLY_STROKES = re.compile(r"[-—–―－_/\\／]+")
_EXCEL_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!)|#{3,}")
_EXPONENT = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d{2}")
_SIGNIFICANT = 10**15
"""Whole numbers from here on have more digits than the 15 that a spreadsheet keeps."""


def _plain(text: str) -> str:
    """``text`` without what nobody sees: marks of width zero, blanks around, the apostrophe that marks a text."""
    text = _INVISIBLE.sub("", text).strip()
    if text[:1] in _APOSTROPHES:
        text = text.lstrip(_APOSTROPHES).strip()
    return text


def _original(cell: str, text: str) -> str:
    return "" if cell == text else cell


def _of_number_cell(cell: int | float) -> Reading[str]:
    """A number cell where text was meant."""
    if cell != cell:
        return Reading("")
    if abs(cell) >= _SIGNIFICANT:
        return Reading("", None, (Finding(ProblemCode.DIGITS_LOST),), str(cell))
    text = str(int(cell)) if cell == int(cell) else repr(cell)
    return Reading(text, text, (Finding(ProblemCode.NUMBER_CELL),))


def _not_text(cell: int | float | date | time | timedelta | None) -> Reading[str]:
    if cell is None:
        return Reading("")
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _of_number_cell(cell)
    return Reading("", None, (Finding(ProblemCode.WRONG_CELL),), str(cell))


# What nearly all values are made of: looked at first, because it needs nothing else.
_ORDINARY = re.compile(r"[\u4e00-\u9fff0-9A-Za-z（][\u4e00-\u9fff0-9A-Za-z（）、，。；：·.号/()-]*")
# Blanks count from where they begin: to begin anew at each of them takes a long row of them quadratic time.
_BREAKS = re.compile(r"(?:(?<![ \t])[ \t]+)?[\r\n\v\f\t\u2028\u2029\x85]+[ \t]*")
# Control characters, and those that turn the direction of writing round.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Characters of one machine's own font, replacement characters, and the mark that typesetters put for a missing type.
_LOST = re.compile("[\ud800-\udfff\ue000-\uf8ff\ufffd\U000f0000-\U0010fffd〓]|锟斤拷|[?？]{2}")
_LOST_IN_A_NAME = re.compile(_LOST.pattern + "|[?？□■]")
_FORMULA = "=+-@＝＋－＠"


def _found_in(text: str, longest: int, lost: re.Pattern[str]) -> list[Finding]:
    findings = []
    if _EXCEL_ERROR.fullmatch(text):
        return [Finding(ProblemCode.EXCEL_ERROR)]
    if _EXPONENT.fullmatch(text):
        return [Finding(ProblemCode.DIGITS_LOST)]
    if found := _CONTROL.search(text):
        findings.append(Finding(ProblemCode.CONTROL_CHARACTER, f"第{found.start() + 1}个字"))
    if found := lost.search(text):
        findings.append(Finding(ProblemCode.CHARACTER_LOST, f"第{found.start() + 1}个字"))
    if text[:1] in _FORMULA:
        findings.append(Finding(ProblemCode.FORMULA))
    if len(text) > longest:
        findings.append(Finding(ProblemCode.TOO_LONG, str(longest)))
    return findings


def _read(cell: Cell, longest: int, lost: re.Pattern[str], tidy: Callable[[str], str]) -> Reading[str]:
    if not isinstance(cell, str):
        return _not_text(cell)
    ordinary = len(cell) <= longest and _ORDINARY.fullmatch(cell) and "锟" not in cell
    if ordinary and not (cell[0].isdecimal() and _EXPONENT.fullmatch(cell)):
        return Reading(cell, cell)
    text = _plain(cell)
    if not text or _ONLY_STROKES.fullmatch(text):
        return Reading("", None, (), cell)
    broken = _BREAKS.sub(" ", text)
    findings = _found_in(broken, longest, lost)
    if broken != text:
        findings.append(Finding(ProblemCode.LINE_BREAK))
    text = tidy(broken)
    return Reading(text, text, tuple(findings), _original(cell, text))


def read_text(cell: Cell, longest: int) -> Reading[str]:
    """A text of the face such as 经营范围, at most ``longest`` characters.

    A cell of nothing but strokes is empty. Line breaks become blanks and are remarked on; control characters, lost
    characters and what would run as a formula are errors.

    >>> read_text(" 热食类食品制售\\n预包装食品销售", 4000).text
    '热食类食品制售 预包装食品销售'
    >>> [finding.code.value for finding in read_text("=HYPERLINK(A1)", 4000).findings]
    ['formula']
    """
    return _read(cell, longest, _LOST, str)


_CURRENCIES = "人民币|美元|欧元|英镑|日元|港元|港币|澳门元|新台币|韩元|加拿大元|澳大利亚元|新加坡元|瑞士法郎|元|圆"
_NUMERALS = "一二三四五六七八九十壹贰叁肆伍陆柒捌玖拾"
# Possessive: of a long row of numerals without a currency no part is tried again.
_AMOUNT = re.compile(
    rf"(?:{_CURRENCIES}|RMB|CNY|USD|¥|￥){{0,2}}"
    rf"(?:[0-9][0-9,，]*+(?:\.[0-9]{{1,6}})?|[{_NUMERALS}][{_NUMERALS}零〇百千万亿佰仟]*+)"
    rf"[十百千万亿]*+(?:{_CURRENCIES})[{_NUMERALS}零角分]*+(?:整|正)?"
    r"(?:（?(?:人民币|美元|港元|欧元)）?)?"
)


def read_amount(cell: Cell, longest: int) -> Reading[str]:
    """A sum of money as certificates print it, with its currency: 50万元整, 人民币壹佰万元整, 1,000.00万美元.

    >>> read_amount("500 万元", 40).text, read_amount("见附件", 40).findings[0].code.value
    ('500万元', 'amount-unreadable')
    """
    reading = _read(cell, longest, _LOST, _as_a_number)
    if reading.text and not _AMOUNT.fullmatch(reading.text):
        return Reading("", None, (*reading.findings, Finding(ProblemCode.AMOUNT_UNREADABLE)), reading.original)
    return reading


def read_choice(cell: Cell, among: Collection[str]) -> Reading[str]:
    """One of the texts that a field can hold.

    >>> read_choice(" 共同共有", ("单独所有", "共同共有")).text
    '共同共有'
    """
    reading = _read(cell, max(map(len, among)), _LOST_IN_A_NAME, _without_stray_blanks)
    if reading.text and reading.text not in among:
        finding = Finding(ProblemCode.NOT_A_CHOICE, "、".join(among))
        return Reading("", None, (finding,), reading.original or reading.text)
    return reading


_BETWEEN_CHINESE = re.compile(
    r"(?<=[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])\s+(?=[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)


def _without_stray_blanks(text: str) -> str:
    return _BETWEEN_CHINESE.sub("", " ".join(text.split()))


def read_name(cell: Cell, longest: int) -> Reading[str]:
    """A name of a person, an organisation or a place: as written, but for stray blanks.

    Rare characters stay, compatible forms too (``regulation.identity_numbers.comparable_name`` compares). What a
    machine has put in place of a character is an error: it was lost, and only the paper knows it.

    >>> read_name("俞 小云\\u3000", 200).text, read_name("俞𠮷云", 200).text
    ('俞小云', '俞𠮷云')
    >>> read_name("王\\ue863", 200).findings
    (Finding(code=<ProblemCode.CHARACTER_LOST: 'character-lost'>, detail='第2个字'),)
    """
    return _read(cell, longest, _LOST_IN_A_NAME, _without_stray_blanks)


_HALF_WIDTH = {
    ord(wide): narrow
    for wide, narrow in zip(
        "０１２３４５６７８９"
        "ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ"
        "ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ"
        "－—–―−‐",
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz------",
        strict=True,
    )
}


def _as_a_number(text: str) -> str:
    return "".join(text.translate(_HALF_WIDTH).split())


def read_number(cell: Cell, longest: int) -> Reading[str]:
    """A certificate's or a register's number: digits and letters in half width, without blanks; the rest as written.

    >>> read_number("浙（２０１９）绍兴市柯桥区不动产权第 0000001 号", 100).text
    '浙（2019）绍兴市柯桥区不动产权第0000001号'
    >>> [finding.code.value for finding in read_number(16, 100).findings]
    ['number-cell']
    """
    return _read(cell, longest, _LOST_IN_A_NAME, _as_a_number)


def number_key(number: str) -> str:
    """What makes two numbers of a type the same: width, case, kinds of brackets and blanks do not count.

    >>> number_key("浙(2019)柯桥第1号") == number_key("浙（2019）柯桥第 1 号")
    True
    """
    return "".join(unicodedata.normalize("NFKC", number.translate(_HALF_WIDTH)).upper().split())


_NO_END_WORDS = frozenset({"长期", "长期有效", "永久", "永久有效", "无期限", "无限期", "无固定期限", "终身"})
_YEAR_FIRST = re.compile(r"(\d{4})(?:-(\d{1,2})-|/(\d{1,2})/|\.(\d{1,2})\.|年(\d{1,2})月)(\d{1,2})[日号]?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_CLOCK = re.compile(r"(?<=\d)[T\s]+\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?Z?$")
_TWO_DIGIT_YEAR = re.compile(r"\d{2}(?:[-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}月\d{1,2}[日号]?|\d{4})", re.ASCII)
_YEAR_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}", re.ASCII)
_PART_OF_A_DATE = re.compile(r"\d{4}(?:年?|[-/.]\d{1,2}|年\d{1,2}月?)", re.ASCII)
_RANGE = re.compile(r"\d{4}\D\d{1,2}\D\d{1,2}日?(?:至|到|-|~|—|–)+(?:\d{4}.*|长期)", re.ASCII)
_CHINESE_DATE = re.compile(r"(\D{4}|\d{4})年(\D{1,2}|\d{1,2})月(\D{1,3}?|\d{1,2})[日号]?")
_CHINESE_DIGITS = {
    ord(sign): str(value)
    for value, signs in enumerate(("〇零○Ｏ◯", "一壹", "二贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"))
    for sign in signs
}
_TENS = str.maketrans({"拾": "十", "廿": "二十", "卄": "二十", "卅": "三十", "元": "一"})
_FIRST_SERIAL, _LAST_SERIAL, _PHANTOM = 1, 2958465, 60


def read_date(cell: Cell) -> Reading[date | NoEnd]:
    """A date in any of the styles in use, or that there is no end (长期); the face says it as 2019-03-05.

    A number cell is a spreadsheet's serial number (days since 1899-12-30; before 1900-03-01 one less, since Excel
    believes in a 29 February 1900), unless it reads as 20190305 or as a year alone. Workbooks that count from 1904 must
    be converted before.

    >>> [read_date(cell).text for cell in ("2019/3/5", "二〇一九年三月五日", "２０１９．３．５", 43529, "永久")]
    ['2019-03-05', '2019-03-05', '2019-03-05', '2019-03-05', '长期']
    >>> [read_date(cell).findings[0].code.value for cell in ("2019-02-30", "19.3.5", "2019年3月", "5/3/2019")]
    ['date-impossible', 'date-two-digit-year', 'date-incomplete', 'date-year-last']
    """
    if isinstance(cell, str):
        return _read_date_text(cell)
    if isinstance(cell, datetime):
        return _day(cell.date(), str(cell))
    if isinstance(cell, date):
        return _day(cell, "")
    if cell is None or cell != cell:
        return Reading("")
    if isinstance(cell, bool | time | timedelta) or abs(cell) == inf:
        return Reading("", None, (Finding(ProblemCode.DATE_UNREADABLE),), str(cell))
    return _read_serial(int(cell), str(cell))


def _day(day: date, original: str) -> Reading[date | NoEnd]:
    if day == date.max:
        return Reading(NO_END.value, NO_END, (), original or day.isoformat())
    text = day.isoformat()
    return Reading(text, day, (), _original(original, text) if original else "")


def _wrong_date(code: ProblemCode, original: str) -> Reading[date]:
    return Reading("", None, (Finding(code),), original)


def _read_serial(serial: int, original: str) -> Reading[date | NoEnd]:
    if 1900 <= serial <= 2100:
        return _wrong_date(ProblemCode.DATE_INCOMPLETE, original)
    if serial == _PHANTOM:
        return _wrong_date(ProblemCode.DATE_IMPOSSIBLE, original)
    if _FIRST_SERIAL <= serial <= _LAST_SERIAL:
        return _day(date(1899, 12, 30) + timedelta(days=serial + (serial < _PHANTOM)), original)
    if compact := _COMPACT.fullmatch(str(serial)):
        return _made_of(compact[1], compact[2], compact[3], original)
    return _wrong_date(ProblemCode.DATE_UNREADABLE, original)


def _made_of(year: str, month: str, day: str, original: str) -> Reading[date | NoEnd]:
    try:
        return _day(date(int(year), int(month), int(day)), original)
    except ValueError:
        return _wrong_date(ProblemCode.DATE_IMPOSSIBLE, original)


def _read_date_text(cell: str) -> Reading[date | NoEnd]:
    if len(cell) == 10 and cell[4] == cell[7] == "-" and cell[0] != "9":
        try:
            return Reading(cell, date.fromisoformat(cell))
        except ValueError:
            pass
    if found := _YEAR_FIRST.fullmatch(cell):
        return _made_of(found[1], found[2] or found[3] or found[4] or found[5], found[6], cell)
    stripped = _plain(unicodedata.normalize("NFKC", _plain(cell)))
    text = "".join(_CLOCK.sub("", stripped).split())
    if not text:
        return Reading("", None, (), cell)
    if text in _NO_END_WORDS or _ONLY_STROKES.fullmatch(text):
        return Reading(NO_END.value, NO_END, (), _original(cell, NO_END.value))
    if found := _YEAR_FIRST.fullmatch(text):
        return _made_of(found[1], found[2] or found[3] or found[4] or found[5], found[6], cell)
    if found := _COMPACT.fullmatch(text):
        return _made_of(found[1], found[2], found[3], cell)
    if found := _CHINESE_DATE.fullmatch(text.translate(_TENS)):
        year, month, day = found[1].translate(_CHINESE_DIGITS), _up_to_99(found[2]), _up_to_99(found[3])
        if re.fullmatch(r"\d{4}", year, re.ASCII) and month and day:
            return _made_of(year, month, day, cell)
    for shape, code in (
        (_EXCEL_ERROR, ProblemCode.EXCEL_ERROR),
        (_RANGE, ProblemCode.DATE_RANGE),
        (_PART_OF_A_DATE, ProblemCode.DATE_INCOMPLETE),
        (_TWO_DIGIT_YEAR, ProblemCode.DATE_TWO_DIGIT_YEAR),
        (_YEAR_LAST, ProblemCode.DATE_YEAR_LAST),
    ):
        if shape.fullmatch(text):
            return _wrong_date(code, cell)
    return _wrong_date(ProblemCode.DATE_UNREADABLE, cell)


def _up_to_99(words: str) -> str:
    """The digits of a month or a day in Chinese characters, empty if they are none: 十二 is 12, 〇五 is 05."""
    tens, ten, ones = words.translate(_CHINESE_DIGITS).partition("十")
    digits = f"{tens or 1}{ones or 0}" if ten else tens
    return digits if re.fullmatch(r"\d{1,2}", digits, re.ASCII) else ""


class HolderNumber(NamedTuple):
    """A holder's number and what it says of its holder."""

    kind: NumberKind
    number: str
    born_on: date | None = None
    male: bool | None = None


EVERY_KIND = frozenset(NumberKind)
# In this order one that its check digits confirm comes before one that only looks like it.
_SHAPES = {
    NumberKind.RESIDENT: re.compile(r"[1-8]\d{16}[\dX]|\d{15}", re.ASCII),
    NumberKind.CREDIT_CODE: re.compile(r"[0-9A-Z]{2}\d{6}[0-9A-Z]{10}", re.ASCII),
    NumberKind.PERMANENT_RESIDENCE: re.compile(r"9\d{16}[\dX]|[A-Z]{3}\d{12}", re.ASCII),
    NumberKind.REGISTRATION_NUMBER: re.compile(r"\d{15}", re.ASCII),
    NumberKind.ORGANISATION_CODE: re.compile(r"[0-9A-Z]{8}-?[0-9X]", re.ASCII),
    NumberKind.HONG_KONG_MACAO_PERMIT: re.compile(r"[HM]\d{8}(?:\d{2})?", re.ASCII),
    NumberKind.TAIWAN_PERMIT: re.compile(r"\d{8}|\d{10}(?:[A-Z]|\([A-Z]\))?", re.ASCII),
    NumberKind.PASSPORT: re.compile(r"(?=.*\d)[A-Z0-9]{6,12}", re.ASCII),
}
_REGIONS_BEGIN = "12345678"
_BY_SHAPE_ONLY = (NumberKind.HONG_KONG_MACAO_PERMIT, NumberKind.TAIWAN_PERMIT, NumberKind.PASSPORT)
_FAULTS = {
    NumberFault.SHAPE: ProblemCode.NUMBER_SHAPE,
    NumberFault.BIRTH_DATE: ProblemCode.NUMBER_BIRTH_DATE,
    NumberFault.CHECK: ProblemCode.NUMBER_CHECK,
}


def read_holder_number(
    cell: Cell, among: Collection[NumberKind] = EVERY_KIND, stated: NumberKind | None = None
) -> Reading[HolderNumber]:
    """A holder's number, its kind as ``stated`` or, without that, as its shape and check digits tell among ``among``.

    A kind that only a shape tells is remarked on; two that fit alike are an error that asks for the kind. A number that
    fits none of ``among`` but another kind is read as that, so that the row's rules can say whose number it is.

    >>> read_holder_number("110105491231002", {NumberKind.RESIDENT}).text
    '11010519491231002X'
    >>> read_holder_number("d2143569x", {NumberKind.CREDIT_CODE, NumberKind.ORGANISATION_CODE}).text
    'D2143569-X'
    >>> [finding.code.value for finding in read_holder_number("3.30603E+17").findings]
    ['digits-lost']
    """
    if not isinstance(cell, str):
        shown = _not_text(cell)
        if not shown.text:
            return Reading("", None, shown.findings, shown.original)
        read = read_holder_number(shown.text, among, stated)
        return read._replace(findings=(*shown.findings, *read.findings))
    if stated is None and len(cell) == 18 and (likely := _at_once(cell, among)):
        return likely
    text = "".join(_plain(cell).translate(_HALF_WIDTH).split())
    if not text or _ONLY_STROKES.fullmatch(text):
        return Reading("", None, (), cell)
    if _EXPONENT.fullmatch(text):
        return Reading("", None, (Finding(ProblemCode.DIGITS_LOST),), cell)
    if _EXCEL_ERROR.fullmatch(text):
        return Reading("", None, (Finding(ProblemCode.EXCEL_ERROR),), cell)
    text = unicodedata.normalize("NFKC", text)
    text = text.upper() if text.isascii() else text
    return _as_stated(text, stated, cell) if stated else _as_shaped(text, among, cell)


_BETWEEN = re.compile("[、；;]")
BETWEEN = "、"
"""What stands between several holders, their numbers and their shares."""


def parts(text: str) -> list[str]:
    """What a text says of each of several holders, in its order; one part where it names one.

    >>> parts("俞国栋、陈丽华"), parts("50%；50%"), parts("俞国栋"), parts("")
    (['俞国栋', '陈丽华'], ['50%', '50%'], ['俞国栋'], [])
    """
    return [part for each in _BETWEEN.split(text) if (part := each.strip())]


def read_holder_numbers(
    cell: Cell, among: Collection[NumberKind] = EVERY_KIND, stated: NumberKind | None = None
) -> Reading[tuple[HolderNumber, ...]]:
    """The numbers of one holder or of several (co-owners, partners), as ``read_holder_number`` reads each; none of them
    where one cannot be read.

    >>> read_holder_numbers("11010519491231002x；91110000600037341L").text
    '11010519491231002X、91110000600037341L'
    >>> [finding.code.value for finding in read_holder_numbers("11010519491231002X、1").findings]
    ['number-shape']
    """
    written = parts(cell) if isinstance(cell, str) else []
    if len(written) < 2:
        text, number, findings, original = read_holder_number(cell, among, stated)
        return Reading(text, None if number is None else (number,), findings, original)
    read = [read_holder_number(part, among, stated) for part in written]
    findings = tuple(dict.fromkeys(finding for each in read for finding in each.findings))
    numbers = tuple(each.value for each in read if each.value is not None)
    if len(numbers) < len(read):
        return Reading("", None, findings, str(cell))
    text = BETWEEN.join(each.text for each in read)
    return Reading(text, numbers, findings, _original(str(cell), text))


def _at_once(cell: str, among: Collection[NumberKind]) -> Reading[HolderNumber] | None:
    """What nearly all cells are: a resident identity number or a credit code, and nothing that could be both."""
    try:
        if NumberKind.RESIDENT not in among:
            code = parse_credit_code(cell) if NumberKind.CREDIT_CODE in among else ""
            return (
                Reading(code, HolderNumber(NumberKind.CREDIT_CODE, code), (), _original(cell, code)) if code else None
            )
        if cell[0] in _REGIONS_BEGIN:
            return _resident(cell, cell)
    except NumberError:
        pass
    return None


def _as_stated(text: str, stated: NumberKind, original: str) -> Reading[HolderNumber]:
    read = _fits(stated, text, original)
    if isinstance(read, Reading):
        return read
    others = [other for other in _kinds(text, EVERY_KIND - {stated}, original) if other.value]
    if read is ProblemCode.NUMBER_SHAPE and others:
        kinds = "、".join(other.value.kind for other in others if other.value)
        return Reading("", None, (Finding(ProblemCode.NUMBER_KIND_DIFFERS, kinds),), original)
    return Reading("", None, (Finding(read),), original)


def _as_shaped(text: str, among: Collection[NumberKind], original: str) -> Reading[HolderNumber]:
    fitting = _kinds(text, among, original)
    fault = ProblemCode.NUMBER_SHAPE if fitting else _worst_fault(text, among, original)
    if not fitting:
        # Almost a number of this kind is a slip of the pen, not a passport.
        others = EVERY_KIND - set(among) - (set() if fault is ProblemCode.NUMBER_SHAPE else set(_BY_SHAPE_ONLY))
        fitting = _kinds(text, others, original)
    if not fitting:
        if text[-3:] == "000" and len(text) == 18 and text.isdigit():
            # A spreadsheet keeps 15 digits and writes zeros for the rest.
            return Reading("", None, (Finding(ProblemCode.DIGITS_LOST),), original)
        return Reading("", None, (Finding(fault),), original)
    sure = [read for read in fitting if read.value and read.value.kind not in _BY_SHAPE_ONLY]
    unsure = [read for read in fitting if read not in sure]
    code = "".join(read.text for read in sure if read.value and read.value.kind is NumberKind.ORGANISATION_CODE)
    # One organisation code in eleven passports would pass; only a hyphen tells.
    if len(sure) > 1 or (code and unsure and "-" not in text):
        kinds = "或".join(read.value.kind for read in fitting if read.value)
        return Reading("", None, (Finding(ProblemCode.NUMBER_KIND_UNCLEAR, kinds),), original)
    if sure:
        return sure[0]
    read = unsure[0]
    kind = read.value.kind if read.value else ""
    return read._replace(findings=(*read.findings, Finding(ProblemCode.NUMBER_KIND_BY_SHAPE, kind)))


def _kinds(text: str, among: Collection[NumberKind], original: str) -> list[Reading[HolderNumber]]:
    """``text`` as each of the kinds that it can be."""
    reads = (_fits(kind, text, original) for kind in _SHAPES if kind in among)
    return [read for read in reads if isinstance(read, Reading)]


def _worst_fault(text: str, among: Collection[NumberKind], original: str) -> ProblemCode:
    """What keeps ``text`` from being the kind that it looks most like."""
    faults = [_fits(kind, text, original) for kind in _SHAPES if kind in among]
    return next(
        (fault for fault in faults if isinstance(fault, ProblemCode) and fault is not ProblemCode.NUMBER_SHAPE),
        ProblemCode.NUMBER_SHAPE,
    )


def _fits(kind: NumberKind, text: str, original: str) -> Reading[HolderNumber] | ProblemCode:
    """``text`` read as a number of ``kind``, or why it is none."""
    if _SHAPES[kind].fullmatch(text) is None:
        return ProblemCode.NUMBER_SHAPE
    try:
        if kind is NumberKind.RESIDENT:
            return _resident(text, original)
        if kind is NumberKind.PERMANENT_RESIDENCE:
            return _permanent_resident(text, original)
        number = _PARSERS[kind](text) if kind in _PARSERS else text
    except NumberError as error:
        return _FAULTS[error.fault]
    old = (Finding(ProblemCode.NUMBER_BEFORE_2015, kind),) if kind in NUMBERS_BEFORE_2015 else ()
    return Reading(number, HolderNumber(kind, number), old, _original(original, number))


_PARSERS = {
    NumberKind.CREDIT_CODE: parse_credit_code,
    NumberKind.REGISTRATION_NUMBER: parse_registration_number,
    NumberKind.ORGANISATION_CODE: parse_organisation_code,
}


def _resident(text: str, original: str) -> Reading[HolderNumber]:
    parsed = parse_resident_number(text, on_paper=True)
    value = HolderNumber(NumberKind.RESIDENT, parsed.number, parsed.born_on, parsed.male)
    if not parsed.remark:
        return Reading(parsed.number, value, (), _original(original, parsed.number))
    findings = []
    if len(text) == 15:
        findings.append(Finding(ProblemCode.NUMBER_CONVERTED))
    if "地区" in parsed.remark:
        findings.append(Finding(ProblemCode.REGION_UNKNOWN))
    return Reading(parsed.number, value, tuple(findings), _original(original, parsed.number))


def _permanent_resident(text: str, original: str) -> Reading[HolderNumber]:
    """A card of before December 2023 (three letters, 12 digits) by its shape, one of since then by its check character.

    The new ones begin with 9 and hold a date of birth and a check character where resident identity numbers have them.
    """
    if len(text) == 18:
        parse_resident_number(text)
    return Reading(text, HolderNumber(NumberKind.PERMANENT_RESIDENCE, text), (), _original(original, text))


_KIND_NAMES = {
    NumberKind.RESIDENT: ("居民身份证", "身份证", "二代身份证", "一代身份证", "居民身份证号码", "户口簿", "户口本"),
    NumberKind.CREDIT_CODE: ("营业执照", "社会信用代码", "信用代码", "统一代码"),
    NumberKind.PASSPORT: ("普通护照", "中国护照", "外国护照", "因私护照"),
    NumberKind.HONG_KONG_MACAO_PERMIT: ("港澳通行证", "回乡证", "港澳居民来往内地通行证号码"),
    NumberKind.TAIWAN_PERMIT: ("台湾通行证", "台胞证", "台湾居民来往大陆通行证号码"),
    NumberKind.PERMANENT_RESIDENCE: ("外国人永久居留证", "永久居留身份证", "外国人居留证"),
    NumberKind.REGISTRATION_NUMBER: ("注册号", "营业执照注册号", "工商营业执照注册号", "工商营业执照"),
    NumberKind.ORGANISATION_CODE: ("组织机构代码证", "机构代码"),
}
_KINDS_BY_NAME = {kind.value: kind for kind in NumberKind} | {
    name: kind for kind, names in _KIND_NAMES.items() for name in names
}


def read_number_kind(cell: Cell) -> Reading[NumberKind]:
    """The kind of a holder's number (证件类型) as people write it.

    >>> read_number_kind("居民身份证").value
    <NumberKind.RESIDENT: '公民身份号码'>
    """
    text = "".join(_plain(cell).split()) if isinstance(cell, str) else _not_text(cell).text
    if not text:
        return Reading("")
    kind = _KINDS_BY_NAME.get(text)
    if kind is None:
        finding = Finding(ProblemCode.NUMBER_KIND_UNREADABLE, "、".join(NumberKind))
        return Reading("", None, (finding,), str(cell))
    return Reading(kind.value, kind, (), _original(str(cell), kind.value))


_SEXES = {"男": True, "男性": True, "1": True, "女": False, "女性": False, "2": False}


def read_sex(cell: Cell) -> Reading[bool]:
    """男 (True) or 女 (False), also by their codes in GB/T 2261.1.

    >>> read_sex("女性").text, read_sex(1).value
    ('女', True)
    """
    text = _plain(unicodedata.normalize("NFKC", cell)) if isinstance(cell, str) else _not_text(cell).text
    if not text:
        return Reading("")
    male = _SEXES.get(text)
    if male is None:
        return Reading("", None, (Finding(ProblemCode.SEX_UNREADABLE),), str(cell))
    return Reading("男" if male else "女", male, (), _original(str(cell), "男" if male else "女"))
