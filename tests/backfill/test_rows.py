"""Article 11, row by row: what a paper certificate must show, what may not contradict what, and what becomes of it."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as sample_data
from regulation.backfill.files import (
    Registered,
    compare,
    duplicates,
    entry,
    find_type,
    held_otherwise,
    identifier,
    named,
    read_headings,
)
from regulation.backfill.judge import Judge, Judged, PaperType, columns, judge, required_columns
from regulation.backfill.paper_values import Cell
from regulation.backfill.problems import REMARKS, SENTENCES, Problem, ProblemCode, Severity
from regulation.catalogue import Field, FieldKind, HolderKind, Sensitivity, Validity
from regulation.certificates import CertificateState, IdentifierError, parse_identifier
from regulation.identity_numbers import NumberKind

TODAY = date(2026, 1, 5)
MARKET, POLICE, CIVIL, DISABLED = (
    "绍兴市柯桥区市场监督管理局",
    "绍兴市公安局柯桥区分局",
    "绍兴市柯桥区民政局",
    "绍兴市柯桥区残疾人联合会",
)
AUTHORITIES = {MARKET, POLICE, CIVIL, DISABLED, "绍兴县工商行政管理局"}
PERSON = (HolderKind.NATURAL_PERSON,)
BODIES = (HolderKind.LEGAL_PERSON, HolderKind.UNINCORPORATED)


def fields(lines: str) -> tuple[Field, ...]:
    words = [line.split() for line in lines.strip().splitlines()]
    return tuple(
        Field(code, name, FieldKind(kind), Sensitivity.PERSONAL, tuple(choices)) for code, name, kind, *choices in words
    )


def resident(born: str, sequence: int, region: str = "330621") -> str:
    body = f"{region}{born}{sequence:03}"
    return body + str(ric.calc_check_digit(f"{body}0"))


MAN, WOMAN = resident("19560229", 123), resident("19900101", 122)
COMPANY = "91330603MA2BX0001" + str(uscc.calc_check_digit("91330603MA2BX0001"))
PERMIT = PaperType(
    "11330600000000001A001",
    "食品经营许可证",
    Validity.YEARS,
    5,
    BODIES,
    fields("""
        number                许可证编号         number
        holder                经营者名称         name
        holder_number         统一社会信用代码    credit-code
        legal_representative  法定代表人（负责人） name
        residence             住所              address
        address               经营场所           address
        scope                 经营项目           text
        issuer                发证机关           name
        issued_on             发证日期           date
        valid_until           有效期至           date
    """),
)
IDENTITY_CARD = PaperType(
    "11330600000000001A002",
    "身份证",
    Validity.ON_FACE,
    None,
    PERSON,
    fields("""
        holder         姓名        name
        sex            性别        text
        born_on        出生        date
        holder_number  公民身份号码  identity-number
        issuer         签发机关     name
        valid_from     有效期自     date
        valid_until    有效期至     date
    """),
)
DRIVING_LICENCE = PaperType(
    "11330600000000001A003",
    "驾驶证",
    Validity.ON_FACE,
    None,
    PERSON,
    fields("""
        number       证号         identity-number
        holder       姓名         name
        first_on     初次领证日期  date
        issuer       发证机关      name
        valid_from   有效期自      date
        valid_until  有效期至      date
    """),
)
MARRIAGE = PaperType(
    "11330600000000001A004",
    "结婚证",
    Validity.UNLIMITED,
    None,
    PERSON,
    fields("""
        number          结婚证字号       number
        holder          持证人          name
        husband         男方姓名         name
        husband_number  男方公民身份号码  identity-number
        wife            女方姓名         name
        wife_number     女方公民身份号码  identity-number
        issuer          登记机关         name
        issued_on       登记日期         date
    """),
)
ESTATE = PaperType(
    "11330600000000001A006",
    "不动产权证书",
    Validity.UNLIMITED,
    None,
    PERSON,
    fields("""
        number         不动产权证号     number
        holder         权利人          name
        holder_number  权利人证件号码    identity-number
        co_ownership   共有情况         choice  单独所有 共同共有 按份共有
        issuer         登记机构         name
        issued_on      登记日期         date
    """),
)
DISABILITY = PaperType(
    "11330600000000001A005",
    "残疾人证",
    Validity.YEARS,
    10,
    PERSON,
    fields("""
        number         残疾人证号   identity-number
        holder         姓名        name
        holder_number  公民身份号码  identity-number
        disability     残疾类别     text
        grade          残疾等级     text
        guardian       监护人      name
        issuer         批准残联     name
        issued_on      签发日期     date
    """),
)
LICENCE = PaperType(
    "11330600000000001A006",
    "营业执照",
    Validity.UNLIMITED,
    None,
    BODIES,
    fields("""
        holder_number   统一社会信用代码  credit-code
        holder          名称            name
        established_on  成立日期         date
        capital         注册资本         amount
        form            形式            choice       公司 合伙企业
        issuer          登记机关         name
        issued_on       核准日期         date
    """),
)
TYPES = (PERMIT, IDENTITY_CARD, DRIVING_LICENCE, MARRIAGE, DISABILITY, LICENCE)
ROWS: dict[str, dict[str, Cell]] = {
    "不动产权证书": {
        "number": "浙（2019）绍兴市柯桥区不动产权第0000001号",
        "holder": "俞国栋、俞若溪",
        "holder_number": f"{MAN}、{WOMAN}",
        "co_ownership": "共同共有",
        "issuer": CIVIL,
        "issued_on": "2019-03-05",
    },
    "食品经营许可证": {
        "number": "JY23306030000001",
        "holder": "绍兴柯桥锦程餐饮管理有限公司",
        "holder_number": COMPANY,
        "legal_representative": "俞小云",
        "residence": "柯桥街道群贤路1号",
        "address": "柯桥街道群贤路1号",
        "scope": "热食类食品制售",
        "issuer": MARKET,
        "issued_on": "2023-03-05",
        "valid_until": "2028-03-05",
    },
    "身份证": {
        "holder": "俞国栋",
        "sex": "男",
        "born_on": "1956年2月29日",
        "holder_number": MAN,
        "issuer": POLICE,
        "valid_from": "2010.01.05",
        "valid_until": "长期",
    },
    "驾驶证": {
        "number": MAN,
        "holder": "俞国栋",
        "first_on": "2000-01-01",
        "issuer": POLICE,
        "valid_from": "2024-01-01",
        "valid_until": "2034-01-01",
    },
    "结婚证": {
        "number": "J330603-2019-000001",
        "holder": "俞国栋",
        "husband": "俞国栋",
        "husband_number": MAN,
        "wife": "俞小云",
        "wife_number": WOMAN,
        "issuer": CIVIL,
        "issued_on": "二〇一九年三月五日",
    },
    "残疾人证": {
        "number": f"{MAN}11",
        "holder": "俞国栋",
        "holder_number": MAN,
        "disability": "视力残疾",
        "grade": "一级",
        "guardian": "俞小云",
        "issuer": DISABLED,
        "issued_on": "2020-03-05",
    },
    "营业执照": {
        "holder_number": COMPANY,
        "holder": "绍兴柯桥锦程餐饮管理有限公司",
        "established_on": "2010-01-01",
        "capital": "50万元整",
        "form": "公司",
        "issuer": MARKET,
        "issued_on": "2019-03-05",
    },
}


def judged(paper_type: PaperType, **changed: Cell) -> Judged:
    return judge(ROWS[paper_type.name] | changed, paper_type, TODAY, AUTHORITIES)


def found(paper_type: PaperType, **changed: Cell) -> set[tuple[str, ProblemCode]]:
    """The problems that a change makes, beside those of the row as it is."""
    before = {problem[:2] for problem in judged(paper_type).problems}
    return {problem[:2] for problem in judged(paper_type, **changed).problems} - before


@pytest.mark.parametrize("paper_type", TYPES, ids=lambda each: each.name)
def test_a_right_row_is_accepted(paper_type: PaperType) -> None:
    row = judged(paper_type)
    assert row.accepted
    assert {problem.code for problem in row.problems} <= {ProblemCode.VALIDITY_BY_RULE}
    assert row.face.keys() == {field.code for field in paper_type.fields}


def test_what_a_row_becomes() -> None:
    row = judged(MARRIAGE)
    assert row.number == "J330603-2019-000001"
    assert (row.holder_name, row.holder_kind) == ("俞国栋", HolderKind.NATURAL_PERSON)
    assert row.holder_number is not None
    assert (row.holder_number.kind, row.holder_number.number) == (NumberKind.RESIDENT, MAN)
    assert (row.issued_on, row.valid_until_on, row.state) == (date(2019, 3, 5), None, CertificateState.VALID)
    assert row.face["issued_on"] == "2019-03-05"
    assert row.originals == {"issued_on": "二〇一九年三月五日"}


def test_a_certificate_whose_number_is_its_holders_takes_it() -> None:
    assert judged(LICENCE).number == COMPANY
    licence = judged(DRIVING_LICENCE)
    assert (licence.number, licence.holder_number and licence.holder_number.number) == (MAN, MAN)
    assert licence.issued_on == date(2024, 1, 1), "the day its validity begins"


def test_an_old_number_on_an_old_licence() -> None:
    row = judged(LICENCE, holder_number="330603000012349", issued_on="2009-03-05", established_on="2009-03-05")
    assert row.accepted
    assert row.holder_number is not None
    assert (row.holder_number.kind, row.number) == (NumberKind.REGISTRATION_NUMBER, "330603000012349")
    assert [problem.code for problem in row.problems] == [ProblemCode.NUMBER_BEFORE_2015]


def test_an_identity_number_of_15_digits_is_converted_and_kept() -> None:
    row = judged(IDENTITY_CARD, holder_number=MAN[:6] + MAN[8:17])
    assert row.accepted
    assert row.face["holder_number"] == MAN
    assert row.originals["holder_number"] == MAN[:6] + MAN[8:17]


def test_an_authority_of_the_past_is_known_if_it_is_given() -> None:
    assert judged(LICENCE, issuer=" 绍兴县工商 行政管理局").issuer == "绍兴县工商行政管理局"


# One row a line: the type, what is changed in its row, the field and the problem.
CASES: list[tuple[PaperType, dict[str, Cell], str, ProblemCode]] = [
    (PERMIT, {"number": None}, "number", ProblemCode.MISSING),
    (PERMIT, {"holder": "---"}, "holder", ProblemCode.MISSING),
    (IDENTITY_CARD, {"valid_until": ""}, "valid_until", ProblemCode.MISSING),
    (DRIVING_LICENCE, {"number": " "}, "number", ProblemCode.MISSING),
    (MARRIAGE, {"husband_number": None}, "holder_number", ProblemCode.MISSING),
    (DISABILITY, {"guardian": ""}, "guardian", ProblemCode.BLANK),
    (PERMIT, {"address": date(2019, 1, 2)}, "address", ProblemCode.WRONG_CELL),
    (PERMIT, {"scope": "#REF!"}, "scope", ProblemCode.EXCEL_ERROR),
    (PERMIT, {"holder_number": "9.13306E+17"}, "holder_number", ProblemCode.DIGITS_LOST),
    (IDENTITY_CARD, {"holder_number": 330621195602291000}, "holder_number", ProblemCode.DIGITS_LOST),
    (PERMIT, {"number": 16}, "number", ProblemCode.NUMBER_CELL),
    (PERMIT, {"holder": "绍兴柯桥\ue863程有限公司"}, "holder", ProblemCode.CHARACTER_LOST),
    (PERMIT, {"scope": "热食\x07"}, "scope", ProblemCode.CONTROL_CHARACTER),
    (PERMIT, {"scope": "热食\n冷食"}, "scope", ProblemCode.LINE_BREAK),
    (PERMIT, {"scope": '=HYPERLINK("http://example.com")'}, "scope", ProblemCode.FORMULA),
    (PERMIT, {"scope": "食" * 4001}, "scope", ProblemCode.TOO_LONG),
    (PERMIT, {"holder": "绍" * 201}, "holder", ProblemCode.TOO_LONG),
    (MARRIAGE, {"number": "没有"}, "number", ProblemCode.PLACEHOLDER),
    (MARRIAGE, {"wife": "见附件"}, "wife", ProblemCode.PLACEHOLDER),
    (PERMIT, {"address": "无"}, "address", ProblemCode.PLACEHOLDER),
    (PERMIT, {"scope": "见附件"}, "scope", ProblemCode.PLACEHOLDER),
    (ESTATE, {"co_ownership": "单独所有"}, "co_ownership", ProblemCode.SOLE_OF_SEVERAL),
    (PERMIT, {"issued_on": "去年"}, "issued_on", ProblemCode.DATE_UNREADABLE),
    (PERMIT, {"issued_on": "23.3.5"}, "issued_on", ProblemCode.DATE_TWO_DIGIT_YEAR),
    (PERMIT, {"issued_on": "2023年3月"}, "issued_on", ProblemCode.DATE_INCOMPLETE),
    (PERMIT, {"issued_on": "5/3/2023"}, "issued_on", ProblemCode.DATE_YEAR_LAST),
    (IDENTITY_CARD, {"valid_until": "2010.01.05-2030.01.05"}, "valid_until", ProblemCode.DATE_RANGE),
    (PERMIT, {"issued_on": "2023-02-30"}, "issued_on", ProblemCode.DATE_IMPOSSIBLE),
    (PERMIT, {"issued_on": "长期"}, "issued_on", ProblemCode.DATE_NO_END_HERE),
    (PERMIT, {"issued_on": "2026-01-06"}, "issued_on", ProblemCode.DATE_IN_FUTURE),
    (DRIVING_LICENCE, {"valid_from": "2028-01-01"}, "valid_from", ProblemCode.DATE_IN_FUTURE),
    (PERMIT, {"issued_on": "1903-03-05"}, "issued_on", ProblemCode.DATE_TOO_EARLY),
    (IDENTITY_CARD, {"holder_number": "33062119560229"}, "holder_number", ProblemCode.NUMBER_SHAPE),
    (IDENTITY_CARD, {"holder_number": "33062119560230123X"}, "holder_number", ProblemCode.NUMBER_BIRTH_DATE),
    (IDENTITY_CARD, {"holder_number": f"{MAN[:16]}9{MAN[17]}"}, "holder_number", ProblemCode.NUMBER_CHECK),
    (IDENTITY_CARD, {"holder_number_kind": "学生证"}, "holder_number_kind", ProblemCode.NUMBER_KIND_UNREADABLE),
    (IDENTITY_CARD, {"holder_number_kind": "护照"}, "holder_number", ProblemCode.NUMBER_KIND_DIFFERS),
    (MARRIAGE, {"wife_number": "E12345678"}, "wife_number", ProblemCode.NUMBER_KIND_BY_SHAPE),
    (PERMIT, {"holder_number": "D2143569-X"}, "holder_number", ProblemCode.NUMBER_BEFORE_2015),
    (IDENTITY_CARD, {"holder_number": MAN[:6] + MAN[8:17]}, "holder_number", ProblemCode.NUMBER_CONVERTED),
    (MARRIAGE, {"wife_number": resident("19900101", 122, "600101")}, "wife_number", ProblemCode.REGION_UNKNOWN),
    (PERMIT, {"remarks": "x"}, "remarks", ProblemCode.COLUMN_UNKNOWN),
    (PERMIT, {"issuer": "柯桥市场局"}, "issuer", ProblemCode.AUTHORITY_UNKNOWN),
    (PERMIT, {"holder_kind": "公司"}, "holder_kind", ProblemCode.HOLDER_KIND_UNREADABLE),
    (PERMIT, {"holder_kind": "自然人"}, "holder_kind", ProblemCode.HOLDER_KIND_DIFFERS),
    (MARRIAGE, {"holder_number": COMPANY}, "holder_number", ProblemCode.HOLDER_KIND_NOT_ALLOWED),
    (PERMIT, {"holder_number": MAN}, "holder_number", ProblemCode.HOLDER_KIND_NOT_ALLOWED),
    (MARRIAGE, {"holder": "俞若溪"}, "holder", ProblemCode.HOLDER_NOT_SPOUSE),
    (PERMIT, {"holder_number": f"{COMPANY}、91110000600037341L"}, "holder_number", ProblemCode.HOLDERS_DIFFER),
    (PERMIT, {"holder": "锦程餐饮、云岫餐饮"}, "holder_number", ProblemCode.HOLDERS_WITHOUT_NUMBER),
    (IDENTITY_CARD, {"valid_from": "1955-01-01"}, "valid_from", ProblemCode.ISSUED_BEFORE_BIRTH),
    (DRIVING_LICENCE, {"first_on": "1950-01-01"}, "first_on", ProblemCode.ISSUED_BEFORE_BIRTH),
    (LICENCE, {"capital": "见附件"}, "capital", ProblemCode.AMOUNT_UNREADABLE),
    (LICENCE, {"form": "个体"}, "form", ProblemCode.NOT_A_CHOICE),
    (LICENCE, {"established_on": "2019-03-06"}, "established_on", ProblemCode.LATER_THAN_ISSUE),
    (PERMIT, {"valid_until": "2023-03-04"}, "valid_until", ProblemCode.ENDS_BEFORE_ISSUE),
    (PERMIT, {"issued_on": "2020-03-05", "valid_until": "2025-03-05"}, "valid_until", ProblemCode.EXPIRED),
    (PERMIT, {"valid_until": "2028-03-06"}, "valid_until", ProblemCode.VALIDITY_NOT_BY_RULE),
    (PERMIT, {"valid_until": "长期"}, "valid_until", ProblemCode.VALIDITY_NOT_BY_RULE),
    (MARRIAGE, {"valid_until": "2030-01-01"}, "valid_until", ProblemCode.VALIDITY_NOT_BY_RULE),
    (PERMIT, {"valid_until": None}, "valid_until", ProblemCode.VALIDITY_BY_RULE),
    (IDENTITY_CARD, {"born_on": "1956-03-01"}, "born_on", ProblemCode.BIRTH_DATE_DIFFERS),
    (IDENTITY_CARD, {"sex": "未知"}, "sex", ProblemCode.SEX_UNREADABLE),
    (IDENTITY_CARD, {"sex": "女"}, "sex", ProblemCode.SEX_DIFFERS),
    (MARRIAGE, {"wife_number": MAN}, "wife_number", ProblemCode.SEX_DIFFERS),
    (DRIVING_LICENCE, {"holder_number": WOMAN}, "number", ProblemCode.NUMBER_DIFFERS),
    (LICENCE, {"number": "330603000012349"}, "number", ProblemCode.NUMBER_DIFFERS),
    (MARRIAGE, {"holder_number": WOMAN}, "holder_number", ProblemCode.NUMBER_DIFFERS),
    (DISABILITY, {"number": f"{WOMAN}11"}, "number", ProblemCode.DISABILITY_DIFFERS),
    (DISABILITY, {"number": f"{MAN}21"}, "number", ProblemCode.DISABILITY_DIFFERS),
    (DISABILITY, {"number": f"{MAN}12"}, "number", ProblemCode.DISABILITY_DIFFERS),
    (DISABILITY, {"number": MAN}, "number", ProblemCode.DISABILITY_DIFFERS),
]


@pytest.mark.parametrize(
    ("paper_type", "changed", "field", "code"),
    CASES,
    ids=[f"{case[0].name}-{case[2]}-{case[3]}-{number}" for number, case in enumerate(CASES)],
)
def test_what_is_wrong_with_a_row(
    paper_type: PaperType, changed: dict[str, Cell], field: str, code: ProblemCode
) -> None:
    assert (field, code) in found(paper_type, **changed)
    row = judged(paper_type, **changed)
    assert row.accepted == all(problem.code in REMARKS for problem in row.problems)
    assert row.accepted or code not in REMARKS or len(row.problems) > 1


@pytest.mark.parametrize(
    ("paper_type", "changed"),
    [
        (PERMIT, {"valid_until": "2028-03-04"}),
        (DISABILITY, {"number": f"{MAN}11B2"}),
        (DISABILITY, {"number": f"{MAN.lower()} 11"}),
        (LICENCE, {"number": COMPANY}),
        (MARRIAGE, {"holder_number": MAN}),
        (MARRIAGE, {"holder": "俞 国栋"}),
        (MARRIAGE, {"valid_until": "长期"}),
        (IDENTITY_CARD, {"holder_number_kind": "居民身份证"}),
        (PERMIT, {"holder_kind": "非法人组织"}),
        (PERMIT, {"legal_representative": "买买提·艾力"}),
    ],
)
def test_what_is_not_wrong_with_a_row(paper_type: PaperType, changed: dict[str, Cell]) -> None:
    assert found(paper_type, **changed) == set()


def test_two_kinds_that_fit_alike_need_the_column_of_the_kind() -> None:
    anybody = PaperType("t" * 21, "不动产权证书", Validity.UNLIMITED, None, tuple(HolderKind), PERMIT.fields[:2])
    row: dict[str, Cell] = {
        "number": "浙（2019）柯桥第1号",
        "holder": "俞国栋",
        "holder_number": "D2143569X",
        "issuer": MARKET,
        "issued_on": "2019-03-05",
    }
    unclear = judge(row, anybody, TODAY, AUTHORITIES)
    assert [problem[:2] for problem in unclear.problems] == [("holder_number", ProblemCode.NUMBER_KIND_UNCLEAR)]
    for kind, holder_kind in (("护照", HolderKind.NATURAL_PERSON), ("组织机构代码证", HolderKind.LEGAL_PERSON)):
        clear = judge(row | {"holder_number_kind": kind}, anybody, TODAY, AUTHORITIES)
        assert clear.accepted
        assert clear.holder_kind is holder_kind


@pytest.mark.parametrize(
    ("name", "number", "kind"),
    [
        ("绍兴锦程有限公司", COMPANY, HolderKind.LEGAL_PERSON),
        ("绍兴锦程咨询服务部（普通合伙）", COMPANY, HolderKind.UNINCORPORATED),
        ("绍兴锦程面馆", f"92330603MA2BX0001{uscc.calc_check_digit('92330603MA2BX0001')}", HolderKind.UNINCORPORATED),
    ],
)
def test_whether_an_organisation_is_a_legal_person(name: str, number: str, kind: HolderKind) -> None:
    assert judged(PERMIT, holder=name, holder_number=number).holder_kind is kind


def test_a_certificate_that_has_run_out_is_registered_as_expired() -> None:
    row = judged(PERMIT, issued_on="2020-03-05", valid_until="2025-03-05")
    assert row.accepted
    assert row.state is CertificateState.EXPIRED
    assert judged(PERMIT, issued_on="2021-01-05", valid_until="2026-01-05").state is CertificateState.VALID


cells = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from([MAN, WOMAN, COMPANY, "E12345678", "2019-03-05", "长期", "男", "俞国栋", MARKET, "护照", "---"]),
    st.integers(),
    st.floats(),
    st.dates(),
    st.booleans(),
)


@given(st.sampled_from(TYPES), st.data())
def test_whatever_a_row_says_what_is_accepted_can_be_registered(paper_type: PaperType, data: st.DataObject) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(columns(paper_type))), cells, max_size=4))
    row = judged(paper_type, **changed)
    assert {problem.field for problem in row.problems} <= columns(paper_type).keys()
    if row.accepted:
        assert row.number
        assert row.holder_name
        assert row.holder_kind in paper_type.holder_kinds
        assert row.holder_number is not None
        assert row.issuer in AUTHORITIES
        assert row.issued_on is not None
        assert row.issued_on <= TODAY or "issued_on" not in row.face
        assert row.valid_until_on is None or row.valid_until_on >= row.issued_on


@given(st.sampled_from(TYPES), st.data())
def test_a_judge_says_the_same_of_a_row_whatever_it_judged_before(paper_type: PaperType, data: st.DataObject) -> None:
    rows = [
        ROWS[paper_type.name] | changed
        for changed in data.draw(
            st.lists(st.dictionaries(st.sampled_from(sorted(columns(paper_type))), cells, max_size=3), max_size=5)
        )
    ]
    one = Judge(paper_type, TODAY, AUTHORITIES)
    assert [repr(one.judge(row)) for row in rows] == [repr(judge(row, paper_type, TODAY, AUTHORITIES)) for row in rows]


def test_what_must_be_there() -> None:
    assert required_columns(MARRIAGE) == {"number", "holder", "issuer", "issued_on"}
    assert required_columns(DRIVING_LICENCE) == {"number", "holder", "issuer", "valid_from", "valid_until"}
    assert required_columns(IDENTITY_CARD) == {"holder", "holder_number", "issuer", "valid_from", "valid_until"}
    assert required_columns(PERMIT) == {"number", "holder", "holder_number", "issuer", "issued_on"}


class TestHeadings:
    def test_in_the_words_that_people_use(self) -> None:
        read = read_headings(
            [
                "证照 编号*",
                "单位名称\n（必填）",
                "社会信用代码：",
                "法人代表",
                "注册地址",
                "经营地址",
                "许可项目",
                "发证单位",
                "签发日期",
                "有效期",
            ],
            PERMIT,
        )
        names = ["number", "holder", "holder_number", "legal_representative", "scope", "issuer", "issued_on"]
        assert [read.places[name] for name in names] == [0, 1, 2, 3, 6, 7, 8]
        assert read.places["valid_until"] == 9
        assert [(problem.field, problem.code) for problem in read.problems] == [
            ("注册地址", ProblemCode.HEADING_AMBIGUOUS)
        ]
        assert read.problems[0].in_words("注册地址") == "列名“注册地址”可能是“住所”或“经营场所”；请改用其中一个名称。"

    @pytest.mark.parametrize("paper_type", TYPES, ids=lambda each: each.name)
    def test_a_types_own_names_are_always_known(self, paper_type: PaperType) -> None:
        wanted = [(code, name) for code, name in columns(paper_type).items()]
        shown = [f" {name} ".replace("（", "(").replace("）", ")") for _, name in wanted]
        read = read_headings(shown, paper_type)
        assert read.places == {code: place for place, (code, _) in enumerate(wanted)}
        assert read.problems == ()

    @pytest.mark.parametrize("kind", sample_catalogue.KINDS, ids=lambda kind: kind.name)
    def test_of_all_types_of_the_sample_catalogue(self, kind: sample_data.Kind) -> None:
        paper_type = PaperType(kind.code, kind.name, kind.validity, kind.years, kind.holder_kinds, kind.fields)
        read = read_headings([field.name for field in kind.fields], paper_type)
        assert list(read.places) == [field.code for field in kind.fields]
        assert {problem.code for problem in read.problems} <= {ProblemCode.HEADING_MISSING}

    @pytest.mark.parametrize(
        ("headings", "field", "code"),
        [
            (["名称", "企业名称"], "企业名称", ProblemCode.HEADING_DOUBLED),
            (["备注"], "备注", ProblemCode.COLUMN_UNKNOWN),
            (["名称", None, "登记机关"], "第2列", ProblemCode.HEADING_EMPTY),
            (["名称"], "登记机关", ProblemCode.HEADING_MISSING),
        ],
    )
    def test_what_is_wrong_with_them(self, headings: list[Cell], field: str, code: ProblemCode) -> None:
        assert (field, code) in {problem[:2] for problem in read_headings(headings, LICENCE).problems}

    def test_a_required_field_that_two_headings_could_be_is_not_missing_too(self) -> None:
        read = read_headings(["姓名", "身份证号", "发证机关", "有效期限"], IDENTITY_CARD)
        assert [problem.code for problem in read.problems] == [ProblemCode.HEADING_AMBIGUOUS]

    def test_rows_by_their_places(self) -> None:
        assert named(["甲", "乙"], {"holder": 1, "number": 0, "issuer": 2}) == {
            "holder": "乙",
            "number": "甲",
            "issuer": None,
        }


class TestDuplicates:
    def test_the_same_again_is_skipped(self) -> None:
        entries = [
            entry(2, judged(PERMIT)),
            entry(3, judged(PERMIT, number="jy23306030000001 ", issued_on="2023年3月5日")),
            entry(4, judged(PERMIT, number="JY23306030000002")),
        ]
        assert duplicates(entries) == {3: Problem("number", ProblemCode.DUPLICATE, "2")}

    def test_another_of_the_same_number_is_a_conflict_of_both(self) -> None:
        entries = [entry(2, judged(PERMIT)), entry(3, judged(PERMIT, scope="冷食类食品制售")), entry(4, judged(PERMIT))]
        assert duplicates(entries) == {
            2: Problem("number", ProblemCode.CONFLICT, "3"),
            3: Problem("number", ProblemCode.CONFLICT, "2"),
            4: Problem("number", ProblemCode.DUPLICATE, "2"),
        }

    def test_rows_without_a_number_are_nobodys_like(self) -> None:
        assert duplicates([entry(2, judged(PERMIT, number="")), entry(3, judged(PERMIT, number=""))]) == {}


class TestTheRegister:
    def compared(self, **changed: Any) -> tuple[tuple[str, ...], ProblemCode, str]:
        row = judged(PERMIT)
        assert row.holder_number is not None
        assert row.issued_on is not None
        there = Registered(row.face, row.holder_name, row.holder_number.number, row.issued_on, row.valid_until_on)
        result = compare(row, there._replace(**changed), columns(PERMIT))
        assert not set(result.same) & set(result.differing)
        return result.differing, result.problem.code, result.problem.in_words("许可证编号")

    def test_the_same(self) -> None:
        assert self.compared()[:2] == ((), ProblemCode.REGISTERED)
        assert self.compared(holder_name="绍兴柯桥锦程餐饮管理 有限公司")[:2] == ((), ProblemCode.REGISTERED)

    def test_another_content(self) -> None:
        differing, code, sentence = self.compared(face=judged(PERMIT, scope="冷食类食品制售").face)
        assert (differing, code) == (("scope",), ProblemCode.REGISTER_DIFFERS)
        assert "“经营项目”不同" in sentence
        assert "冷食" not in sentence

    def test_a_field_that_the_register_leaves_blank_is_no_difference(self) -> None:
        assert self.compared(face={})[:2] == ((), ProblemCode.REGISTERED)

    def test_one_issued_later_or_before(self) -> None:
        assert self.compared(issued_on=date(2020, 1, 1))[1] is ProblemCode.PAPER_NEWER
        assert self.compared(issued_on=date(2024, 1, 1))[1] is ProblemCode.REGISTER_NEWER


class TestIdentifiers:
    def test_are_the_same_again_and_valid_by_the_standard(self) -> None:
        one = identifier("11100000000013338w009", "330603", 2026, 1, 1)
        assert one == identifier("11100000000013338W009", "330603", 2026, 1, 1)
        assert parse_identifier(str(one)) == one
        assert (one.version, one.serial) == ("001", "2026BL000010000001")

    @given(st.lists(st.tuples(st.integers(2020, 2099), st.integers(1, 99_999), st.integers(1, 9_999_999)), unique=True))
    def test_never_meet(self, places: list[tuple[int, int, int]]) -> None:
        assert len({identifier("11100000000013338W009", "330603", *place).root for place in places}) == len(places)

    @pytest.mark.parametrize(
        ("type_code", "issuer", "year", "batch", "row"),
        [
            ("1", "330603", 2026, 1, 1),
            ("11100000000013338W009", "", 2026, 1, 0),
            ("11100000000013338W009", "33.603", 2026, 1, 1),
            ("11100000000013338W009", "330603", 26, 1, 1),
            ("11100000000013338W009", "330603", 2026, 100_000, 1),
            ("11100000000013338W009", "330603", 2026, 1, 10_000_000),
        ],
    )
    def test_what_gets_none(self, type_code: str, issuer: str, year: int, batch: int, row: int) -> None:
        with pytest.raises(IdentifierError):
            identifier(type_code, issuer, year, batch, row)


def test_types_are_found_by_name_or_code() -> None:
    assert find_type(" 食品经营 许可证", TYPES) is PERMIT
    assert find_type(PERMIT.code.lower(), TYPES) is PERMIT
    assert find_type("渔业捕捞许可证", TYPES) == Problem("证照类型", ProblemCode.TYPE_UNKNOWN)


class TestSentences:
    def test_every_problem_has_one_that_says_what_to_do(self) -> None:
        assert SENTENCES.keys() == set(ProblemCode)
        for code, sentence in SENTENCES.items():
            assert re.search("请|不再录入|只录入一次|补录", sentence), code
            assert sentence.endswith("。")
            assert "{" not in Problem("x", code, "y").in_words("z")

    def test_names_no_value(self) -> None:
        """Problems leave the encrypted columns; of a number or a name they say where it is wrong, not what it says."""
        for paper_type, changed, _, _ in CASES:
            for problem in judged(paper_type, **changed).problems:
                sentence = problem.in_words("某项")
                assert not any(
                    isinstance(cell, str) and len(cell) > 4 and cell in sentence for cell in changed.values()
                )
                assert MAN not in sentence

    def test_severities(self) -> None:
        assert Problem("x", ProblemCode.EXPIRED).severity is Severity.REMARK
        assert Problem("x", ProblemCode.DATE_IMPOSSIBLE).severity is Severity.ERROR

    def test_every_code_is_produced_somewhere_in_these_tests(self) -> None:
        elsewhere = set(_codes_of_the_other_tests())
        assert {case[3] for case in CASES} | elsewhere == set(ProblemCode)


def _codes_of_the_other_tests() -> Iterator[ProblemCode]:
    """Those that no row by itself can have, produced here by what has them."""
    yield from (problem.code for problem in read_headings(["名称", None, "企业名称", "备注"], LICENCE).problems)
    yield from (problem.code for problem in read_headings(["住址"], PERMIT).problems)
    yield from (problem.code for problem in read_headings(["注册地址"], PERMIT).problems)
    entries = [entry(2, judged(PERMIT)), entry(3, judged(PERMIT, scope="甲")), entry(4, judged(PERMIT))]
    yield from (problem.code for problem in duplicates(entries).values())
    row = judged(PERMIT)
    for changed in ({}, {"issued_on": date(2020, 1, 1)}, {"issued_on": date(2024, 1, 1)}, {"holder_name": "甲"}):
        there = Registered(row.face, row.holder_name, COMPANY, date(2023, 3, 5), row.valid_until_on)
        yield compare(row, there._replace(**changed), {}).problem.code  # type: ignore[arg-type]
    kept = row.columns
    assert kept is not None
    otherwise = held_otherwise(row.holders(kept)[0], ["甲"])
    assert otherwise is not None
    yield otherwise.code
    unknown = find_type("渔业捕捞许可证", TYPES)
    assert isinstance(unknown, Problem)
    yield unknown.code
    anybody = PaperType("t", "t", Validity.UNLIMITED, None, tuple(HolderKind), ())
    row = judge({"holder_number": "D2143569X"}, anybody, TODAY, AUTHORITIES)
    yield from (problem.code for problem in row.problems)
