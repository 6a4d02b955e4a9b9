"""The sample data: formally valid, the same for the same seed, and growing without changing."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyotp
import pytest
from stdnum.cn import ric, uscc

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as sample_data
from models.base import Base
from models.organisations import Role
from regulation.catalogue import FieldKind, HolderKind, Sensitivity, Validity, valid_until
from regulation.certificates import Level, parse_identifier
from regulation.identity_numbers import NumberKind, parse_credit_code, parse_resident_number
from regulation.objections import Bureau
from runtime.refusals import RefusalError

SEED = sample_data.DEFAULT_SEED


def columns(rows: Sequence[Base]) -> list[dict[str, object]]:
    return [{column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs} for row in rows]


FEW = sample_data.Sizes(departments=10, holders=60)
READ_AT = datetime(2026, 1, 1, tzinfo=UTC)


def everything(seed: int, sizes: sample_data.Sizes) -> list[dict[str, object]]:
    return columns(
        [
            *sample_data.certificate_types(),
            *sample_data.departments(seed, sizes.departments),
            *sample_data.officers(seed),
            *sample_data.applications(seed),
            *sample_data.application_secrets(seed),
            *sample_data.liaison_officers(seed, sizes.departments),
            *sample_data.certificates(seed, sizes.holders, READ_AT),
        ]
    )


def test_the_same_seed_gives_the_same_data_and_another_seed_others(home: Path) -> None:
    assert everything(SEED, FEW) == everything(SEED, FEW)
    one, other = sample_data.holders(1, 60), sample_data.holders(2, 60)
    assert not {holder.number for holder in one} & {holder.number for holder in other}


def test_one_known_holder_stays_the_same_on_every_machine() -> None:
    assert sample_data.holders(1, 1)[0].number == "330621198403254441"


def test_larger_sizes_only_add(home: Path) -> None:
    small = everything(SEED, FEW)
    large = everything(SEED, sample_data.Sizes(departments=20, holders=300))
    assert len(large) > len(small)
    assert all(row in large for row in small)


def test_by_default_there_are_thirty_departments_and_two_thousand_holders_with_right_numbers(home: Path) -> None:
    sizes = sample_data.Sizes()
    assert len({row.uscc for row in sample_data.departments(SEED, sizes.departments)}) == 30
    made = sample_data.holders(SEED, sizes.holders)
    assert len({holder.number for holder in made}) == 2000
    assert {holder.kind for holder in made} == set(HolderKind)
    for holder in made:
        if holder.number_kind is NumberKind.RESIDENT:
            assert parse_resident_number(holder.number).remark == ""
        else:
            assert parse_credit_code(holder.number) == holder.number


def test_the_twelve_types_of_everyday_work_are_there() -> None:
    assert {kind.name for kind in sample_data.certificate_types()} == {
        "营业执照",
        "不动产权证书",
        "食品经营许可证",
        "结婚证",
        "出生医学证明",
        "道路运输经营许可证",
        "医疗机构执业许可证",
        "社会保障卡",
        "身份证",
        "驾驶证",
        "残疾人证",
        "建筑工程施工许可证",
    }


def test_certificates_agree_with_their_type(home: Path) -> None:
    kinds = {kind.code: kind for kind in sample_data.certificate_types()}
    for certificate in sample_data.certificates(SEED, 300, READ_AT):
        kind = kinds[certificate.type_code]
        assert certificate.holder_kind in kind.holder_kinds
        if "valid_until" in kind.names:
            printed = certificate.face["valid_until"]
            on_face = None if printed == "长期" else date.fromisoformat(printed)
            assert certificate.valid_until_on == on_face
            until = valid_until(kind.validity, kind.validity_years, certificate.issued_on, on_face)
            assert certificate.valid_until_on == until
        else:
            assert (kind.validity, certificate.valid_until_on) == (Validity.UNLIMITED, None)
        for field in kind.fields:
            value = certificate.face[field.code]
            match field.kind:
                case FieldKind.DATE if value != "长期":
                    assert str(date.fromisoformat(value)) == value
                case FieldKind.CREDIT_CODE:
                    assert parse_credit_code(value) == value
                case FieldKind.IDENTITY_NUMBER:
                    assert parse_resident_number(value[:18]).number == value[:18]


def test_what_names_a_natural_person_is_never_public() -> None:
    for kind in sample_data.certificate_types():
        grades = {field.kind: field.sensitivity for field in kind.fields}
        assert grades.get(FieldKind.IDENTITY_NUMBER, Sensitivity.SENSITIVE) is Sensitivity.SENSITIVE
        if kind.holder_kinds == (HolderKind.NATURAL_PERSON,):
            assert {field.code for field in kind.fields if field.sensitivity is Sensitivity.PUBLIC} <= {"issuer"}


def test_identifiers_parse_and_differ(home: Path) -> None:
    made = sample_data.certificates(SEED, 60, READ_AT)
    assert [str(parse_identifier(certificate.identifier)) for certificate in made] == [c.identifier for c in made]
    assert len({certificate.identifier for certificate in made}) == len(made)
    assert len({(certificate.type_code, certificate.number) for certificate in made}) == len(made)


def test_numbers_of_persons_have_the_right_check_digit_date_and_region() -> None:
    persons = [holder for holder in sample_data.holders(SEED, 300) if holder.kind is HolderKind.NATURAL_PERSON]
    for person in persons:
        assert person.number[-1] == ric.calc_check_digit(person.number)
        assert person.number[6:14] == f"{person.born_on:%Y%m%d}"
        assert int(person.number[16]) % 2 == person.male
    assert {person.number[:6] for person in persons} == {"330603", "330621"}


def test_credit_codes_are_valid_with_their_organisation_codes() -> None:
    codes = [department.uscc for department in sample_data.departments(SEED, len(sample_catalogue.DEPARTMENTS))]
    codes += [
        holder.number for holder in sample_data.holders(SEED, 300) if holder.kind is not HolderKind.NATURAL_PERSON
    ]
    codes += [kind.code[:18] for kind in sample_catalogue.KINDS]
    for code in codes:
        assert uscc.is_valid(code)
        weighted = sum(int(digit) * weight for digit, weight in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
        check = 11 - weighted % 11
        assert code[16] == {10: "X", 11: "0"}.get(check, str(check))


def test_type_codes_have_21_characters_and_the_known_one_is_the_true_one() -> None:
    codes = {kind.name: kind.code for kind in sample_catalogue.KINDS}
    assert {len(code) for code in codes.values()} == {21}
    assert codes["建筑工程施工许可证"] == "11100000000013338W009"
    assert len(set(codes.values())) == len(codes)


def test_all_levels_and_all_types_are_there(home: Path) -> None:
    made = Counter(certificate.type_code for certificate in sample_data.certificates(SEED, 60, READ_AT))
    assert set(made) == {kind.code for kind in sample_catalogue.KINDS}
    assert min(made.values()) >= 5
    assert {kind.source for kind in sample_catalogue.KINDS} == set(Level)


def test_every_face_fills_every_field_of_its_type(home: Path) -> None:
    fields = {kind.code: set(kind.names) for kind in sample_data.certificate_types()}
    for certificate in sample_data.certificates(SEED, 60, READ_AT):
        assert set(certificate.face) == fields[certificate.type_code]
        assert all(value and value != "None" for value in certificate.face.values())


def test_nobody_married_or_drove_as_a_child_and_nothing_was_issued_after_the_sample_was_drawn(home: Path) -> None:
    for certificate in sample_data.certificates(SEED, 300, READ_AT):
        assert certificate.issued_on < sample_data.AS_OF
        for number in (certificate.face.get("husband_number"), certificate.face.get("wife_number")):
            if number:
                assert certificate.issued_on.year - date.fromisoformat(number[6:14]).year >= 22
        first_on = certificate.face.get("first_on")
        if first_on:
            born_on = date.fromisoformat(certificate.face["born_on"])
            assert born_on.year + 18 <= date.fromisoformat(first_on).year <= certificate.issued_on.year


def test_partnerships_have_partners_licences(home: Path) -> None:
    licences = [each for each in sample_data.certificates(SEED, 60, READ_AT) if "company_kind" in each.face]
    partnerships = [each for each in licences if each.holder_kind is HolderKind.UNINCORPORATED]
    assert 0 < len(partnerships) < len(licences) / 2
    for licence in licences:
        assert ("合伙" in licence.face["company_kind"]) == ("合伙" in licence.holder_name) == (licence in partnerships)


def test_officers_and_applications() -> None:
    officers = sample_data.officers(SEED)
    assert Counter(officer.role for officer in officers) == {Role.OFFICER: 3, Role.DIRECTOR: 1}
    assert len({pyotp.TOTP(officer.code_secret).at(0) for officer in officers}) == 4
    speaks_for = {program.speaks_for for program in sample_data.applications(SEED)}
    assert {bureau.value for bureau in Bureau} <= speaks_for


def test_more_departments_than_there_are_is_refused(installation: Path) -> None:
    with pytest.raises(RefusalError, match="最多"):
        sample_data.load(SEED, sample_data.Sizes(departments=1000))


def test_the_use_list_names_fields_that_the_types_have() -> None:
    fields = {kind.name: {field.code for field in kind.fields} for kind in sample_catalogue.KINDS}
    for item in sample_catalogue.USE_LIST:
        for use in item.uses:
            assert set(use.fields) <= fields[use.type_name], (item.code, use)
