"""What stands on old paper and in spreadsheets: every style of date, numbers that a spreadsheet destroyed, lost
characters, numbers of every kind of holder."""

import re
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

from regulation.backfill.paper_values import (
    NO_END,
    Cell,
    Reading,
    number_key,
    read_amount,
    read_date,
    read_holder_number,
    read_name,
    read_number,
    read_number_kind,
    read_sex,
    read_text,
)
from regulation.backfill.problems import ProblemCode
from regulation.identity_numbers import NumberError, NumberKind, parse_organisation_code

_DIGITS = "〇一二三四五六七八九"
PERSONS = {kind for kind in NumberKind if not kind.of_organisation}
ORGANISATIONS = set(NumberKind) - PERSONS


def codes(reading: Reading[object]) -> list[ProblemCode]:
    return [finding.code for finding in reading.findings]


def in_characters(number: int) -> str:
    """A number below 100 as it is said: 三十一."""
    tens, ones = divmod(number, 10)
    return (_DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (_DIGITS[ones] if ones else "")


def on_an_old_form(day: date, zero: str = "〇") -> str:
    year = "".join(zero if digit == "0" else _DIGITS[int(digit)] for digit in str(day.year))
    return f"{year}年{in_characters(day.month)}月{in_characters(day.day)}日"


def with_short_tens(day: date) -> str:
    return on_an_old_form(day).replace("二十", "廿").replace("三十", "卅")


STYLES = [
    str,
    lambda day: f"{day.year}/{day.month}/{day.day}",
    lambda day: f"{day.year}.{day.month}.{day.day}",
    lambda day: f"{day:%Y%m%d}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{day.year}年{day.month:02}月{day.day:02}号",
    on_an_old_form,
    lambda day: on_an_old_form(day, "零"),
    lambda day: on_an_old_form(day, "○"),
    with_short_tens,
    lambda day: f"{day.year}年{in_characters(day.month)}月{in_characters(day.day)}日",
    lambda day: f"'{day}",
    lambda day: f"\u00a0{day.year} 年 {day.month} 月 {day.day} 日\u3000",
    lambda day: str(day).translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
    lambda day: f"{day} 00:00:00",
    lambda day: f"{day.year}/{day.month}/{day.day} 0:00",
    lambda day: datetime(day.year, day.month, day.day),  # noqa: DTZ001
    lambda day: day,
    lambda day: int(f"{day:%Y%m%d}"),
]


@pytest.mark.parametrize("style", range(len(STYLES)))
def test_every_day_of_two_centuries_in_every_style(style: int) -> None:
    day, last = date(1900, 1, 1), date(2100, 12, 31)
    while day <= last:
        cell: Cell = STYLES[style](day)
        reading = read_date(cell)
        assert (reading.value, reading.text, reading.findings) == (day, str(day), ()), cell
        day += timedelta(days=1)


def test_every_serial_number_of_two_centuries() -> None:
    """As Excel shows them: day 59 is 28 February 1900, day 60 never was, day 61 is 1 March."""
    for serial in range(1, (date(2100, 12, 31) - date(1899, 12, 30)).days + 1):
        reading = read_date(float(serial))
        if serial == 60:
            assert codes(reading) == [ProblemCode.DATE_IMPOSSIBLE]
        elif 1900 <= serial <= 2100:
            assert codes(reading) == [ProblemCode.DATE_INCOMPLETE], "a year alone"
        else:
            assert reading.value == date(1899, 12, 31) + timedelta(days=serial - (serial > 60))


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (43529, date(2019, 3, 5)),
        (43529.75, date(2019, 3, 5)),
        (59, date(1900, 2, 28)),
        (61, date(1900, 3, 1)),
        ("二零一九年十二月三十一日", date(2019, 12, 31)),
        ("二○○八年元月廿一日", date(2008, 1, 21)),
        ("贰零壹玖年拾贰月卅日", date(2019, 12, 30)),
        ("2019年三月五日", date(2019, 3, 5)),
        ("二〇二〇年二月二十九日", date(2020, 2, 29)),
        ("2019-03-05T08:30:00", date(2019, 3, 5)),
    ],
)
def test_dates_that_somebody_really_wrote(cell: Cell, day: date) -> None:
    reading = read_date(cell)
    assert (reading.value, reading.findings, reading.original) == (day, (), str(cell))


@pytest.mark.parametrize(
    "cell",
    [
        "长期",
        "长期有效",
        "永久",
        " 长 期 ",
        "---",
        "——",
        "/",
        "9999-12-31",
        "99991231",
        "9999年12月31日",
        date.max,
        2958465,
        "－－",
        "'长期",
    ],
)
def test_no_end(cell: Cell) -> None:
    reading = read_date(cell)
    assert (reading.value, reading.text, reading.findings) == (NO_END, "长期", ())


@pytest.mark.parametrize("cell", [None, "", "  ", "\u3000", "'", float("nan")])
def test_an_empty_cell_is_no_date_and_no_mistake(cell: Cell) -> None:
    assert read_date(cell)[:3] == ("", None, ())


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2019-02-30", ProblemCode.DATE_IMPOSSIBLE),
        ("2019年13月1日", ProblemCode.DATE_IMPOSSIBLE),
        ("二〇一九年二月三十日", ProblemCode.DATE_IMPOSSIBLE),
        ("20190229", ProblemCode.DATE_IMPOSSIBLE),
        ("0000-01-01", ProblemCode.DATE_IMPOSSIBLE),
        (20191301, ProblemCode.DATE_IMPOSSIBLE),
        ("19-03-05", ProblemCode.DATE_TWO_DIGIT_YEAR),
        ("19.3.5", ProblemCode.DATE_TWO_DIGIT_YEAR),
        ("09年3月5日", ProblemCode.DATE_TWO_DIGIT_YEAR),
        ("190305", ProblemCode.DATE_TWO_DIGIT_YEAR),
        ("2019", ProblemCode.DATE_INCOMPLETE),
        ("2019年3月", ProblemCode.DATE_INCOMPLETE),
        ("2019-03", ProblemCode.DATE_INCOMPLETE),
        ("5/3/2019", ProblemCode.DATE_YEAR_LAST),
        ("2019.03.05-2029.03.05", ProblemCode.DATE_RANGE),
        ("2019年3月5日至长期", ProblemCode.DATE_RANGE),
        ("#N/A", ProblemCode.EXCEL_ERROR),
        ("民国八年三月五日", ProblemCode.DATE_UNREADABLE),
        ("2019-3.5", ProblemCode.DATE_UNREADABLE),
        ("43529", ProblemCode.DATE_UNREADABLE),
        ("2019-W10-2", ProblemCode.DATE_UNREADABLE),
        ("二〇一九年十十月五日", ProblemCode.DATE_UNREADABLE),
        (True, ProblemCode.DATE_UNREADABLE),
        (time(1, 2), ProblemCode.DATE_UNREADABLE),
        (-1, ProblemCode.DATE_UNREADABLE),
        (3_000_000, ProblemCode.DATE_UNREADABLE),
        (1e300, ProblemCode.DATE_UNREADABLE),
        (float("-inf"), ProblemCode.DATE_UNREADABLE),
    ],
)
def test_what_is_no_date(cell: Cell, code: ProblemCode) -> None:
    reading = read_date(cell)
    assert (codes(reading), reading.value, reading.original) == ([code], None, str(cell))


@example(float("inf"))
@given(st.one_of(st.text(), st.integers(), st.floats(), st.dates(), st.datetimes(), st.times(), st.timedeltas()))
def test_whatever_stands_in_a_cell_is_read_without_an_exception(cell: Cell) -> None:
    for reading in (
        read_date(cell),
        read_text(cell, 100),
        read_name(cell, 100),
        read_number(cell, 100),
        read_holder_number(cell),
        read_number_kind(cell),
        read_sex(cell),
    ):
        assert not reading.value or reading.text
        assert all(isinstance(finding.code, ProblemCode) for finding in reading.findings)


class TestDestroyedNumbers:
    @pytest.mark.parametrize(
        "cell",
        [
            "3.30603E+17",
            "3.30603199001E+17",
            "3E17",
            "330603199001010000",
            330603199001010000,
            3.30603199001010e17,
            1e15,
        ],
    )
    def test_digits_that_a_spreadsheet_dropped_are_said_to_be_lost(self, cell: Cell) -> None:
        assert codes(read_holder_number(cell, PERSONS)) == [ProblemCode.DIGITS_LOST]
        assert read_holder_number(cell, PERSONS).value is None

    @pytest.mark.parametrize("cell", ["3.30603E+17", 330603199001010000])
    def test_in_other_fields_too(self, cell: Cell) -> None:
        assert codes(read_number(cell, 100)) == codes(read_text(cell, 100)) == [ProblemCode.DIGITS_LOST]

    def test_zeros_at_the_end_may_be_right(self) -> None:
        """Nobody's number: the check character tells."""
        number = next(
            each for region in range(330600, 330700) if (each := with_check(f"{region}1990010100"))[-3:] == "000"
        )
        assert read_holder_number(number, PERSONS).text == number

    def test_a_short_number_in_a_number_cell_may_lack_zeros(self) -> None:
        reading = read_number(16.0, 100)
        assert (reading.text, codes(reading)) == ("16", [ProblemCode.NUMBER_CELL])

    def test_a_date_or_a_truth_value_is_no_text(self) -> None:
        for cell in (date(2019, 1, 2), True, time(1), timedelta(1)):
            assert codes(read_number(cell, 100)) == [ProblemCode.WRONG_CELL]


def with_check(body: str) -> str:
    body = body.ljust(17, "0")
    return body + str(ric.calc_check_digit(f"{body}0"))


def credit_code(body: str = "91330603MA2BX0001") -> str:
    return body + str(uscc.calc_check_digit(body))


def registration_number(body: str = "33060300001234") -> str:
    return body + str(mod_11_10.calc_check_digit(body))


RESIDENT = with_check("33060319900101001")
ORGANISATION = "D2143569-X"


class TestHoldersNumbers:
    @pytest.mark.parametrize(
        ("cell", "kind", "text", "found"),
        [
            (RESIDENT, NumberKind.RESIDENT, RESIDENT, []),
            (f"'{RESIDENT[:6]} {RESIDENT[6:]}\u00a0", NumberKind.RESIDENT, RESIDENT, []),
            ("11010519491231002x", NumberKind.RESIDENT, "11010519491231002X", []),
            (
                "330621560229123",
                NumberKind.RESIDENT,
                with_check("33062119560229123"),
                [ProblemCode.NUMBER_CONVERTED],
            ),
            (
                with_check("60010119900101001"),
                NumberKind.RESIDENT,
                with_check("60010119900101001"),
                [ProblemCode.REGION_UNKNOWN],
            ),
            (credit_code(), NumberKind.CREDIT_CODE, credit_code(), []),
            (credit_code().lower(), NumberKind.CREDIT_CODE, credit_code(), []),
            (ORGANISATION, NumberKind.ORGANISATION_CODE, ORGANISATION, [ProblemCode.NUMBER_BEFORE_2015]),
            ("d2143569－x", NumberKind.ORGANISATION_CODE, ORGANISATION, [ProblemCode.NUMBER_BEFORE_2015]),
            ("E12345678", NumberKind.PASSPORT, "E12345678", [ProblemCode.NUMBER_KIND_BY_SHAPE]),
            (
                "H12345678",
                NumberKind.HONG_KONG_MACAO_PERMIT,
                "H12345678",
                [ProblemCode.NUMBER_KIND_BY_SHAPE],
            ),
            ("12345678", NumberKind.TAIWAN_PERMIT, "12345678", [ProblemCode.NUMBER_KIND_BY_SHAPE]),
            ("1234567890(B)", NumberKind.TAIWAN_PERMIT, "1234567890(B)", [ProblemCode.NUMBER_KIND_BY_SHAPE]),
            ("USA330081010101", NumberKind.PERMANENT_RESIDENCE, "USA330081010101", []),
            (
                with_check("93384019810101001"),
                NumberKind.PERMANENT_RESIDENCE,
                with_check("93384019810101001"),
                [],
            ),
        ],
    )
    def test_are_known_by_shape_and_check_digits(
        self, cell: str, kind: NumberKind, text: str, found: list[ProblemCode]
    ) -> None:
        among = PERSONS if kind in PERSONS else ORGANISATIONS
        reading = read_holder_number(cell, among)
        assert reading.value is not None
        assert (reading.value.kind, reading.value.number, reading.text) == (kind, text, text)
        assert codes(reading) == found
        assert reading.original == ("" if cell == text else cell)

    @given(st.from_regex(r"[0-9]{14}", fullmatch=True))
    def test_registration_numbers_keep_their_kind(self, body: str) -> None:
        reading = read_holder_number(registration_number(body), ORGANISATIONS)
        assert reading.value is not None
        assert (reading.value.kind, codes(reading)) == (
            NumberKind.REGISTRATION_NUMBER,
            [ProblemCode.NUMBER_BEFORE_2015],
        )

    @given(st.from_regex(r"[0-9A-Z]{8}[0-9X]", fullmatch=True))
    def test_organisation_codes_with_and_without_hyphen_are_the_same(self, body: str) -> None:
        with_hyphen = read_holder_number(f"{body[:8]}-{body[8]}", ORGANISATIONS)
        assert with_hyphen.value == read_holder_number(body, ORGANISATIONS).value
        try:
            assert with_hyphen.text == parse_organisation_code(body)
        except NumberError:
            assert codes(with_hyphen) == [ProblemCode.NUMBER_CHECK]

    def test_a_birthday_and_a_sex_come_with_a_resident_identity_number(self) -> None:
        value = read_holder_number("11010519491231002X").value
        assert value is not None
        assert (value.born_on, value.male) == (date(1949, 12, 31), False)

    @pytest.mark.parametrize(
        ("cell", "among", "code"),
        [
            ("33060319900101", PERSONS, ProblemCode.NUMBER_KIND_BY_SHAPE),
            ("330603-1990-01", PERSONS, ProblemCode.NUMBER_SHAPE),
            ("33060319900229001X", PERSONS, ProblemCode.NUMBER_BIRTH_DATE),
            (RESIDENT[:17] + ("1" if RESIDENT[17] != "1" else "2"), PERSONS, ProblemCode.NUMBER_CHECK),
            (credit_code()[:17] + ("1" if credit_code()[17] != "1" else "2"), ORGANISATIONS, ProblemCode.NUMBER_CHECK),
            ("#VALUE!", PERSONS, ProblemCode.EXCEL_ERROR),
        ],
    )
    def test_what_is_wrong_with_one(self, cell: str, among: set[NumberKind], code: ProblemCode) -> None:
        if code is ProblemCode.NUMBER_KIND_BY_SHAPE:
            cell = "3306031990"
        assert codes(read_holder_number(cell, among)) == [code]

    def test_two_kinds_that_fit_alike_are_asked_for(self) -> None:
        unclear = read_holder_number("D2143569X")
        assert codes(unclear) == [ProblemCode.NUMBER_KIND_UNCLEAR]
        assert unclear.findings[0].detail == "组织机构代码或护照"
        both = next(
            number
            for sequence in range(1000)
            if (number := f"330621560229{sequence:03}") == registration_number(number[:14])
        )
        assert codes(read_holder_number(both)) == [ProblemCode.NUMBER_KIND_UNCLEAR]

    def test_the_stated_kind_decides(self) -> None:
        reading = read_holder_number("D2143569X", stated=NumberKind.PASSPORT)
        assert reading.value is not None
        assert (reading.value.kind, codes(reading)) == (NumberKind.PASSPORT, [])

    def test_a_stated_kind_that_cannot_be(self) -> None:
        reading = read_holder_number(credit_code(), stated=NumberKind.RESIDENT)
        assert codes(reading) == [ProblemCode.NUMBER_KIND_DIFFERS]
        assert reading.findings[0].detail == "统一社会信用代码"
        wrong = read_holder_number("33060319900229001X", stated=NumberKind.RESIDENT)
        assert codes(wrong) == [ProblemCode.NUMBER_BIRTH_DATE]

    def test_a_number_of_another_kind_of_holder_is_read_nevertheless(self) -> None:
        value = read_holder_number(credit_code(), PERSONS).value
        assert value is not None
        assert value.kind is NumberKind.CREDIT_CODE

    @pytest.mark.parametrize("kind", NumberKind)
    def test_kinds_are_known_by_their_own_names(self, kind: NumberKind) -> None:
        assert read_number_kind(f" {kind} ").value is kind

    def test_kinds_are_known_by_what_people_call_them(self) -> None:
        assert read_number_kind("台胞证").value is NumberKind.TAIWAN_PERMIT
        assert codes(read_number_kind("学生证")) == [ProblemCode.NUMBER_KIND_UNREADABLE]


class TestNamesAndTexts:
    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ("俞小云", "俞小云"),
            ("俞 小\u3000云 ", "俞小云"),
            ("\u200b俞小云\ufeff", "俞小云"),
            ("买买提·艾力", "买买提·艾力"),
            ("俞𠮷云", "俞𠮷云"),
            ("王䶮", "王䶮"),
            ("Eva  Mustermann", "Eva Mustermann"),
            ("ＡＢＣ（绍兴）有限公司", "ＡＢＣ（绍兴）有限公司"),
            ("'俞小云", "俞小云"),
        ],
    )
    def test_names_stay_as_written_but_for_stray_blanks(self, cell: str, text: str) -> None:
        reading = read_name(cell, 200)
        assert (reading.text, reading.findings, reading.original) == (text, (), "" if text == cell else cell)

    @pytest.mark.parametrize("lost", ["\ue863", "\ufffd", "?", "？", "□", "〓", "\U000f0001", chr(0xD842)])
    def test_a_lost_character_is_named_by_its_place(self, lost: str) -> None:
        reading = read_name(f"王{lost}明", 200)
        assert reading.findings[0] == (ProblemCode.CHARACTER_LOST, "第2个字")

    def test_in_a_text_a_question_or_a_box_may_be_meant(self) -> None:
        assert codes(read_text("□甲类 ■乙类，有无异议?", 4000)) == []
        assert codes(read_text("热食类??制售", 4000)) == [ProblemCode.CHARACTER_LOST]
        assert codes(read_text("锟斤拷", 4000)) == [ProblemCode.CHARACTER_LOST]

    @pytest.mark.parametrize("cell", ["=1+1", "+86", "-5", "@SUM(A1)", "'=1+1", "＝1", " \t=cmd|'/c calc'!A0"])
    def test_what_a_spreadsheet_would_run(self, cell: str) -> None:
        assert ProblemCode.FORMULA in codes(read_text(cell, 4000))

    @pytest.mark.parametrize("cell", ["---", "——", "/", "－", " - "])
    def test_strokes_alone_are_an_empty_cell(self, cell: str) -> None:
        assert read_text(cell, 4000)[:3] == ("", None, ())

    def test_control_characters(self) -> None:
        assert codes(read_name("俞\x00小云", 200)) == [ProblemCode.CONTROL_CHARACTER]
        assert codes(read_name("俞\u202e小云", 200)) == [ProblemCode.CONTROL_CHARACTER]

    def test_line_breaks_become_blanks(self) -> None:
        reading = read_text("甲\r\n乙", 4000)
        assert (reading.text, codes(reading), reading.original) == ("甲 乙", [ProblemCode.LINE_BREAK], "甲\r\n乙")

    def test_what_is_too_long(self) -> None:
        assert read_text("甲" * 11, 10).findings == ((ProblemCode.TOO_LONG, "10"),)
        assert read_text("甲" * 10, 10).findings == ()

    def test_numbers_of_certificates(self) -> None:
        assert read_number("ＪＹ２３３０６０３ 0000001", 100).text == "JY23306030000001"
        assert read_number("J330603—2019—000001", 100).text == "J330603-2019-000001"
        assert number_key("jy2（1）") == number_key("JY2(1)")

    @pytest.mark.parametrize(("cell", "male"), [("男", True), ("女性", False), (1, True), ("2", False), ("１", True)])
    def test_sexes(self, cell: Cell, male: bool) -> None:
        assert read_sex(cell).value is male

    def test_what_is_no_sex(self) -> None:
        assert codes(read_sex("M")) == [ProblemCode.SEX_UNREADABLE]


@given(st.text(alphabet=" \t\n\r\u2028x中", max_size=12))
@example("a \t \n b")
@example("\n \n ")
def test_breaks_become_blanks_as_they_are_met_from_the_left(text: str) -> None:
    plainly = re.sub(r"[ \t]*[\r\n\v\f\t\u2028\u2029\x85]+[ \t]*", " ", text.strip())
    if plainly and "x" in plainly:
        assert read_text(text, 4000).text == plainly


def test_a_long_row_of_blanks_is_read_at_once() -> None:
    assert read_text(f"甲{' ' * 200_000}乙", 4000).findings[0].code is ProblemCode.TOO_LONG


@pytest.mark.parametrize(
    "amount",
    [
        "50万元整",
        "伍拾万元整",
        "人民币伍佰万元整",
        "500.000000万人民币",
        "1,000万美元",
        "叁仟万圆整",
        "壹亿贰仟万元",
        "1000.50元",
        "￥300元",
        "港币２００万元",
    ],
)
def test_an_amount_is_read_as_certificates_print_it(amount: str) -> None:
    assert read_amount(amount, 40).findings == ()


@pytest.mark.parametrize("text", ["见附件", "500", "很多钱", "万元", "2020-01-01"])
def test_what_names_no_sum_or_no_currency_is_no_amount(text: str) -> None:
    assert [each.code for each in read_amount(text, 40).findings] == [ProblemCode.AMOUNT_UNREADABLE]
