"""Numbers and names of holders: the standards' own examples, Keqiao's regions, old numbers, and what differs only in
how it was typed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

from regulation.identity_numbers import (
    NUMBERS_BEFORE_2015,
    NumberError,
    NumberFault,
    NumberKind,
    parse_credit_code,
    parse_organisation_code,
    parse_registration_number,
    parse_resident_number,
    same_name,
)

FROM_THE_STANDARD = ["11010519491231002X", "440524188001010014"]


def with_check(body: str) -> str:
    return body + str(ric.calc_check_digit(f"{body}0"))


bodies = st.builds(
    lambda region, born_on, sequence: f"{region}{born_on:%Y%m%d}{sequence:03}",
    st.sampled_from(["330603", "330621", "330604", "330681", "330682"]),
    st.dates(date(1900, 1, 1), date(2025, 12, 31)),
    st.integers(0, 999),
)


@pytest.mark.parametrize("number", FROM_THE_STANDARD)
def test_the_standards_own_examples(number: str) -> None:
    parsed = parse_resident_number(number)
    assert (parsed.number, parsed.original, parsed.remark) == (number, number, "")


@given(bodies)
def test_keqiaos_and_its_neighbours_regions_are_right_without_a_remark(body: str) -> None:
    parsed = parse_resident_number(with_check(body))
    assert (parsed.number[:17], parsed.remark) == (body, "")


@given(bodies, st.data())
def test_one_wrong_digit_is_found(body: str, data: st.DataObject) -> None:
    number = with_check(body)
    place = data.draw(st.integers(0, 16))
    digit = data.draw(st.sampled_from("0123456789".replace(number[place], "")))
    with pytest.raises(NumberError):
        parse_resident_number(number[:place] + digit + number[place + 1 :])


def test_an_unknown_region_is_a_remark_and_no_refusal() -> None:
    assert "990101" in parse_resident_number(with_check("99010119900101001")).remark


@pytest.mark.parametrize(
    "written",
    [
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        " 110105 19491231 002X ",
        "11010519491231002\u00a0X",
    ],
)
def test_how_a_number_was_typed_is_kept_and_does_not_matter(written: str) -> None:
    parsed = parse_resident_number(written)
    assert (parsed.number, parsed.original) == ("11010519491231002X", written)


def test_an_old_number_is_converted_on_paper_only() -> None:
    old = parse_resident_number("330621560229123", on_paper=True)
    assert old.number == with_check("33062119560229123")
    assert old.original == "330621560229123"
    assert "15位" in old.remark
    with pytest.raises(NumberError, match="纸质"):
        parse_resident_number("330621560229123")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "17位数字"),
        ("1101051949123100", "17位数字"),
        ("110105194912310020X", "17位数字"),
        ("1101051949123100XX", "17位数字"),
        ("11010519491231002\x00", "17位数字"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "17位数字"),
        ("33060319990229001X", "出生日期"),
        ("330603000001010019", "出生日期"),
        ("110105194912310021", "校验位"),
    ],
)
def test_what_is_wrong_with_a_number_is_said_in_chinese(text: str, why: str) -> None:
    with pytest.raises(NumberError, match=why):
        parse_resident_number(text, on_paper=True)


def test_a_wrong_date_on_old_paper_is_found() -> None:
    with pytest.raises(NumberError, match="出生日期"):
        parse_resident_number("330621551301123", on_paper=True)


@pytest.mark.parametrize("region", ["330603", "330621", "330681"])
@pytest.mark.parametrize("kind", ["91", "11", "52", "N2"])
def test_credit_codes_of_companies_organs_associations_and_rural_collectives(kind: str, region: str) -> None:
    body = f"{kind}{region}MA2BX0001"
    code = body + str(uscc.calc_check_digit(body))
    assert parse_credit_code(code) == code
    assert parse_credit_code(f" {code.lower()} ") == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "91110000600037341",
        "91110000600037341M",
        "9111000060003734IL",
        "91A10000600037341L",
        "911100006000\x0037341L",
    ],
)
def test_wrong_credit_codes_are_refused_in_chinese(text: str) -> None:
    with pytest.raises(NumberError, match="统一社会信用代码"):
        parse_credit_code(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1101051949123100", NumberFault.SHAPE),
        ("110105491231002", NumberFault.ON_PAPER_ONLY),
        ("33060319990229001X", NumberFault.BIRTH_DATE),
        ("110105194912310021", NumberFault.CHECK),
    ],
)
def test_a_program_is_told_the_fault_without_reading_chinese(text: str, fault: NumberFault) -> None:
    with pytest.raises(NumberError) as error:
        parse_resident_number(text)
    assert error.value.fault is fault


def test_the_17th_digit_tells_men_from_women() -> None:
    assert not parse_resident_number("11010519491231002X").male
    assert parse_resident_number(with_check("33060319900101001")).male


@given(st.from_regex(r"[0-9]{14}", fullmatch=True), st.data())
def test_registration_numbers_of_before_2015(body: str, data: st.DataObject) -> None:
    number = body + str(mod_11_10.calc_check_digit(body))
    assert parse_registration_number(f" {number[:6]} {number[6:]}") == number
    place = data.draw(st.integers(0, 14))
    wrong = data.draw(st.sampled_from("0123456789".replace(number[place], "")))
    with pytest.raises(NumberError, match="校验位") as error:
        parse_registration_number(number[:place] + wrong + number[place + 1 :])
    assert error.value.fault is NumberFault.CHECK


@given(st.from_regex(r"[0-9A-Z]{8}", fullmatch=True), st.data())
def test_organisation_codes_of_before_2015(body: str, data: st.DataObject) -> None:
    fitting = [check for check in "0123456789X" if _is_organisation_code(f"{body}-{check}")]
    assert len(fitting) == 1
    code = body + fitting[0]
    assert parse_organisation_code(code) == f"{body}-{fitting[0]}"
    # The credit code of an organisation holds its organisation code.
    credit_code = data.draw(st.sampled_from(["11330603", "91330621"])) + code
    if not set(credit_code) & set("IOSVZ"):
        assert parse_credit_code(credit_code + str(uscc.calc_check_digit(credit_code)))[8:17] == code


def _is_organisation_code(text: str) -> bool:
    try:
        return bool(parse_organisation_code(text))
    except NumberError:
        return False


@pytest.mark.parametrize("text", ["", "1234567-8", "123456789-X", "１２３", "D2143569-A", "D2143569\x00X"])
def test_what_is_no_organisation_code(text: str) -> None:
    with pytest.raises(NumberError, match="组织机构代码应为") as error:
        parse_organisation_code(text)
    assert error.value.fault is NumberFault.SHAPE


@pytest.mark.parametrize("text", ["", "33060300001234", "3306030000123490", "3306030000123X9"])
def test_what_is_no_registration_number(text: str) -> None:
    with pytest.raises(NumberError, match="15位数字"):
        parse_registration_number(text)


def test_which_kinds_name_organisations() -> None:
    of_organisations = {kind for kind in NumberKind if kind.of_organisation}
    assert of_organisations == {NumberKind.CREDIT_CODE} | NUMBERS_BEFORE_2015


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("绍兴柯桥（锦程）有限公司", "绍兴柯桥(锦程)有限公司"),
        ("ＪＯＨＮ Smith", "john smith"),
        ("买买提·艾力", "买买提・艾力"),
        ("俞 小云", "俞小云"),
        ("俞𠮷云", " 俞𠮷云\u3000"),
        ("王䶮", "王䶮"),
    ],
)
def test_names_that_differ_only_in_typing_are_the_same(one: str, other: str) -> None:
    assert same_name(one, other)


@pytest.mark.parametrize(("one", "other"), [("俞𠮷云", "俞吉云"), ("王䶮", "王"), ("李四", "李思")])
def test_names_of_others_are_others(one: str, other: str) -> None:
    assert not same_name(one, other)
