"""Departments, types, items, cases and staff as people write them in forms: shortened, by name or by number."""

from datetime import timedelta

import pytest

from models.cases import Case
from models.organisations import Officer, Role
from models.spot_checks import Ties
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.case.hand_over import give_case
from tasks.case.numbers import case_numbered
from tasks.guides.items import item_named
from tasks.guides.paper_exceptions import end_exception, enter_exception
from tasks.office.departments import department_named, department_names
from tasks.office.leave import file_leave
from tasks.office.naming import LISTED, is_short_for, meant
from tasks.office.officers import officer_named
from tasks.register.types import type_named, type_names
from tasks.spot_checks.inspectors import declare_conflict
from tests.articles.test_article_11_backfill import register as entered_marriage
from tests.conftest import Clerk, by_officer


def test_a_department_is_found_by_a_part_of_its_name_and_by_its_code(sample_data: object) -> None:
    with reading() as session:
        full = department_named(session, "绍兴市柯桥区民政局")
        assert department_named(session, "民政局").uscc == full.uscc
        assert department_named(session, full.uscc.lower()).name == full.name


def test_what_is_only_alike_is_suggested(sample_data: object) -> None:
    with reading() as session:
        with pytest.raises(InputError, match=r"没有名为“区民政厅”的部门，是不是：.*民政局"):
            department_named(session, "区民政厅")
        with pytest.raises(InputError, match=r"“柯桥区”不止一个部门，是不是：.*？请填写全称。"):
            department_named(session, "柯桥区")


def test_a_type_is_found_by_a_part_of_its_name(sample_data: object) -> None:
    with reading() as session:
        full = type_named(session, "不动产权证书")
        assert type_named(session, "不动产权").code == full.code
        assert type_named(session, full.code.lower()).name == full.name
        with pytest.raises(InputError, match=r"证照目录中没有所填的证照类型，是不是：.*不动产权证书"):
            type_named(session, "不动产证")
        with pytest.raises(InputError, match=r"所填的证照类型不止一种，是不是：.*、.*？请填写全称。"):
            type_named(session, "许可证")


def test_what_is_like_nothing_is_answered_with_what_there_is(sample_data: object) -> None:
    with reading() as session:
        types, departments = sorted(type_names(session).values()), sorted(department_names(session).values())
        with pytest.raises(InputError) as no_type:
            type_named(session, "xyz")
        with pytest.raises(InputError) as no_department:
            department_named(session, "xyz")
        assert str(no_type.value).endswith(f"可以填写：{'、'.join(types)}。")
        assert str(no_department.value).endswith(f"可以填写：{'、'.join(departments)}。")


def test_of_very_many_the_first_are_named_and_their_number() -> None:
    known = {f"事项{number:03}" for number in range(100)}
    assert meant("xyz", known) == f"可以填写：{'、'.join(sorted(known)[:LISTED])}等100个。"
    assert meant("xyz", ()) == "现在一个也没有登记，请先登记。"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"登记机关": "绍兴县民政"}, "“登记机关”不在已知的颁证机构中.*是不是：.*绍兴县民政局"),
        ({"登记机关": "xyz"}, "“登记机关”不在已知的颁证机构中.*可以填写：.*民政局"),
        ({"结婚地点": "绍兴"}, "没有项目“结婚地点”；可以填写：.*登记日期"),
    ],
)
def test_a_paper_that_names_what_there_is_not_is_answered_with_what_there_is(
    sample_data: object, given: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        entered_marriage(given)


def test_a_number_of_a_list_that_is_none_is_answered_with_those_there_are(sample_data: object) -> None:
    today, director = clock.today(), by_officer("KQ004")
    with pytest.raises(RefusalError, match="没有序号为99的法定纸质例外，在册的序号：无，请更正"):
        end_exception(99, today, director)
    enter_exception("结婚证", "", "《某法》第一条", today, None, director)
    with pytest.raises(RefusalError, match=r"在册的序号：\d+，请更正"):
        end_exception(99, today, director)
    with transaction() as session:
        session.add(
            Officer(staff_no="KQ900", name="新来的", role=Role.OFFICER, email="new@example.cn", code_secret="x")
        )
    with pytest.raises(RefusalError, match=r"工号KQ900不在检查人员名录中（名录中有：KQ\d+、.*），请先登记"):
        declare_conflict("KQ900", "民政局", Ties.DECLARED, None, director)


def test_an_item_is_found_by_its_guide(sample_data: object) -> None:
    with reading() as session:
        civil = department_named(session, "民政局").uscc
        assert item_named(session, "婚姻登记档案", civil) == "330603-MZ-001"
        assert item_named(session, "330603-mz-001", civil) == "330603-MZ-001"
        assert item_named(session, "330603-XX-999", civil) == "330603-XX-999"
        with pytest.raises(InputError, match="办事指南中没有名为“某事”的事项"):
            item_named(session, "某事", civil)


def test_staff_are_found_by_name_or_number_and_no_name_is_repeated(sample_data: object) -> None:
    with reading() as session:
        assert officer_named(session, "kq001").staff_no == "KQ001"
        assert officer_named(session, "陈柯宁").staff_no == officer_named(session, "柯宁").staff_no == "KQ001"
        with pytest.raises(InputError) as none:
            officer_named(session, "陈克宁", "接收人")
    assert str(none.value) == "接收人：没有这名在职工作人员，请填写其中一个工号：KQ001、KQ002、KQ003、KQ004。"


def test_a_case_is_found_by_what_is_left_of_its_number(clerk: Clerk) -> None:
    case_no, closed = clerk.register().case_no, clerk.register(field="有效期").case_no
    with transaction() as session:
        session.get_one(Case, closed).closed_at = clock.now()
    year = clock.today().year
    with reading() as session:
        for short in ("1", "000001", "yy-1", "YY1", f"{year}-1", f"YY-{year}-000001"):
            assert case_numbered(session, short) == case_no
        assert case_numbered(session, closed, Case.closed_at.is_(None)) == closed
        with pytest.raises(InputError, match="没有编号为2的可办理的办件"):
            case_numbered(session, "2", Case.closed_at.is_(None))
        with pytest.raises(InputError, match="请填写编号，如"):
            case_numbered(session, "那一件")
    with transaction() as session:
        kept = session.get_one(Case, case_no)
        session.add(
            Case(
                **{name: getattr(kept, name) for name in ("kind", "stage", "received_on", "opened_at")},
                case_no=f"YY-{year - 1}-000001",
                officer_no="KQ001",
                measures_version=kept.measures_version,
            )
        )
    with reading() as session, pytest.raises(InputError, match=f"不止一件：YY-{year - 1}-000001、{case_no}，"):
        case_numbered(session, "1")


def test_a_case_is_handed_over_as_people_write_it(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    with reading() as session:
        officer_no = session.get_one(Case, case_no).officer_no
    other = {"KQ001": "俞若溪"}.get(officer_no, "陈柯宁")
    give_case("1", other, "工作调整", by_officer(officer_no))
    with reading() as session:
        assert session.get_one(Case, case_no).officer_no == officer_named(session, other).staff_no


def test_a_leave_that_is_over_is_not_filed(clerk: Clerk) -> None:
    yesterday = clock.today() - timedelta(days=1)
    with pytest.raises(RefusalError, match="已过，无需登记"):
        file_leave("陈柯宁", "俞若溪", yesterday, yesterday, by_officer("KQ001"))


def test_a_short_name_is_looked_for_once_through_a_long_one() -> None:
    assert is_short_for("人社局", "柯桥区人力资源和社会保障局")
    assert not is_short_for("局社人", "柯桥区人力资源和社会保障局")
    assert not is_short_for("", "柯桥区")
    assert is_short_for("a.*b", "xa.*xb")
    assert not is_short_for("ab" * 5_000 + "c", "ab" * 10_000)
