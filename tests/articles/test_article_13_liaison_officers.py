"""第十三条：管理备案。电子证照使用部门应当结合本单位实际，指定专人负责电子证照管理工作，并向综合管理单位备案。"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, update

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case, Deadline, StaffTask
from models.liaisons import LiaisonFiling, LiaisonOfficer
from models.notices import OutgoingNotice
from models.organisations import Department
from models.records import AuditEntry
from regulation.liaisons import STAGES, Stage
from regulation.limits import LIAISON_CONFIRMATION, LIAISON_OVERLAP
from regulation.stages import TransitionError
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.case import hand_over
from tasks.desk import deadline_watch as deadlines
from tasks.desk.sheets import sheet_of
from tasks.liaisons import steps as liaisons
from tasks.liaisons.filings import LiaisonFilingForm
from tasks.liaisons.questions import LiaisonConfirmation
from tasks.office import recipients
from tests.conftest import Clerk, answered, by_officer, officer_of

MONDAY = date(2026, 3, 2)
OFFICE = sample_catalogue.DEPARTMENTS[5]
"""绍兴市柯桥区民政局, which has somebody on file."""
NOBODY = sample_catalogue.DEPARTMENTS[9]
"""绍兴市柯桥区医疗保障局, which has filed nobody."""
PERSON = {"name": "钱云舒", "position": "科员", "phone": "0575-84120099", "email": "qian@example.cn"}

Day = Callable[[date], datetime]


@pytest.fixture
def monday(clerk: Clerk, on_day: Day) -> datetime:
    return on_day(MONDAY)


def uscc(name: str) -> str:
    return samples.department_code(samples.DEFAULT_SEED, name)


def file(department: str, kind: str = "指定", key: str = "1", **given: str) -> Clerk:
    form = LiaisonFilingForm.model_validate({"kind": kind, **({} if kind == "终止" else PERSON), **given})
    return Clerk(liaisons.file_for_department(form, department, key, "KQ-MZ"))


def confirm(case: Clerk) -> None:
    assert case.answer(LiaisonConfirmation, verdict="确认") is None
    liaisons.put_on_file.run(case.case_no)


def on_file(department: str, day: date) -> list[str]:
    with reading() as session:
        names = [each.name for each in recipients.liaisons_on_file(session, uscc(department), day)]
        assert recipients.liaison_on_file(session, uscc(department), day) == bool(names)
    return names


def present(department: str) -> str:
    (name,) = on_file(department, MONDAY)
    return name


def told(notice: str) -> dict[str, dict[str, Any]]:
    """The notices of a kind by their addresses."""
    with reading() as session:
        rows = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == notice)).all()
    return {row.recipient: row.context for row in rows}


# 指定与备案


def test_whom_a_department_designates_is_on_file_from_the_confirmation_on(monday: datetime, on_day: Day) -> None:
    case = file(NOBODY)
    assert case.stage() == Stage.FILED
    assert on_file(NOBODY, MONDAY) == []
    on_day(MONDAY + timedelta(days=1))
    confirm(case)
    assert case.stage() == Stage.ON_FILE
    assert on_file(NOBODY, MONDAY) == []
    assert on_file(NOBODY, MONDAY + timedelta(days=1)) == [PERSON["name"]]
    assert on_file(NOBODY, date(2030, 1, 1)) == [PERSON["name"]]


def test_numbers_officer_and_time_limit_are_those_of_a_case_of_its_own_kind(monday: datetime) -> None:
    case = file(NOBODY)
    assert case.case_no == "ZR-2026-000001"
    with reading() as session:
        deadline = session.scalars(select(Deadline).where(Deadline.case_no == case.case_no)).one()
    assert (deadline.limit_code, deadline.due_on) == (LIAISON_CONFIRMATION.code, date(2026, 3, 4))
    confirm(case)
    with reading() as session:
        met = session.get_one(Deadline, deadline.id)
        assert (met.met_on, met.missed_by) == (MONDAY, 0)
        assert session.get_one(Case, case.case_no).closed_at is not None


def test_the_person_and_the_office_are_told_and_names_are_masked(monday: datetime) -> None:
    confirm(file(NOBODY))
    notices = told("liaison-on-file")
    assert set(notices) == {PERSON["email"], "office10@example.cn"}
    assert all(notice["liaison"] == "钱*舒" for notice in notices.values())


def test_a_filing_passes_from_hand_to_hand_and_is_missed_as_any_case(monday: datetime, on_day: Day) -> None:
    case = file(NOBODY)
    with reading() as session:
        officer = session.get_one(Case, case.case_no).officer_no
    other = next(staff_no for staff_no in ("KQ001", "KQ002") if staff_no != officer)
    hand_over.give_case(case.case_no, other, "轮岗", by_officer("KQ004"))
    swept = deadlines.sweep(on_day(MONDAY + timedelta(days=3)))
    assert swept.overdue == 1
    (line,) = told("deadlines-missed")["kq004@example.cn"]["lines"]
    assert (line["case_no"], line["officer_no"], line["limit"]) == (case.case_no, other, "确认专人备案")


def test_the_same_submission_again_is_the_same_case(monday: datetime) -> None:
    with ThreadPoolExecutor(4) as pool:
        cases = list(pool.map(lambda _: file(NOBODY).case_no, range(4)))
    assert set(cases) == {"ZR-2026-000001"}
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(LiaisonFiling)) == 1


def test_a_filing_carried_out_twice_puts_one_person_on_file(monday: datetime) -> None:
    case = file(NOBODY)
    confirm(case)
    liaisons.put_on_file.run(case.case_no)
    assert on_file(NOBODY, MONDAY) == [PERSON["name"]]


def test_what_staff_send_back_changes_nothing_and_says_why(monday: datetime) -> None:
    case = file(NOBODY)
    assert "至少5个字" in (case.answer(LiaisonConfirmation, verdict="退回", reason="不对") or "")
    assert case.answer(LiaisonConfirmation, verdict="退回", reason="电话打不通，请更正。") is None
    liaisons.return_filing.run(case.case_no)
    assert case.stage() == Stage.RETURNED
    assert on_file(NOBODY, MONDAY) == []
    assert {notice["reason"] for notice in told("liaison-returned").values()} == {"电话打不通，请更正。"}
    confirm(file(NOBODY, key="2"))
    assert on_file(NOBODY, MONDAY) == [PERSON["name"]]


def test_a_filing_is_decided_once() -> None:
    with pytest.raises(TransitionError):
        STAGES.check(Stage.RETURNED, Stage.ON_FILE)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "未填写，指定备案须填写"),
        ({"email": "x"}, "格式不对"),
        ({"phone": "abc"}, "string_pattern_mismatch"),
        ({"replaces": "某人"}, "请用“变更”"),
        ({"kind": "变更"}, "备案须填写"),
        ({"kind": "终止"}, "备案须填写"),
        ({"last_on": "2026-02-30"}, "不是有效日期"),
    ],
)
def test_an_incomplete_filing_is_refused(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        LiaisonFilingForm.model_validate({"kind": "指定", **PERSON, **wrong})
    assert said in str(error.value)


def test_a_department_that_is_not_known_files_nothing(monday: datetime) -> None:
    with pytest.raises(InputError, match="没有名为"):
        file("某局")


def test_somebody_on_file_is_not_put_there_again(monday: datetime) -> None:
    confirm(file(NOBODY))
    with pytest.raises(RefusalError, match="已经在册"):
        file(NOBODY, key="2")


# 变更


def test_both_are_on_file_until_the_last_day_which_counts(monday: datetime) -> None:
    old, last = present(OFFICE), MONDAY + timedelta(days=7)
    confirm(file(OFFICE, "变更", replaces=old, last_on=str(last)))
    assert on_file(OFFICE, MONDAY) == [old, PERSON["name"]]
    assert on_file(OFFICE, last) == [old, PERSON["name"]]
    assert on_file(OFFICE, last + timedelta(days=1)) == [PERSON["name"]]


def test_the_one_replaced_is_told_too(monday: datetime) -> None:
    confirm(file(OFFICE, "变更", replaces=present(OFFICE)))
    assert set(told("liaison-on-file")) == {PERSON["email"], "office06@example.cn"}
    assert set(told("liaison-off-file")) == {"liaison06@example.cn"}


def test_without_a_last_day_the_old_one_stays_to_the_end_of_the_day_of_confirmation(
    monday: datetime, on_day: Day
) -> None:
    old = present(OFFICE)
    case = file(OFFICE, "变更", replaces=old)
    on_day(MONDAY + timedelta(days=2))
    confirm(case)
    assert old in on_file(OFFICE, MONDAY + timedelta(days=2))
    assert on_file(OFFICE, MONDAY + timedelta(days=3)) == [PERSON["name"]]


def test_a_confirmation_that_comes_late_leaves_no_day_without_anybody(monday: datetime, on_day: Day) -> None:
    old = present(OFFICE)
    case = file(OFFICE, "变更", replaces=old, last_on=str(MONDAY))
    on_day(MONDAY + timedelta(days=4))
    confirm(case)
    for days in range(8):
        assert on_file(OFFICE, MONDAY + timedelta(days=days))


def test_the_overlap_has_an_end(monday: datetime) -> None:
    old, longest = present(OFFICE), MONDAY + timedelta(days=LIAISON_OVERLAP.value)
    with pytest.raises(InputError, match=f"不能晚于{longest}"):
        file(OFFICE, "变更", replaces=old, last_on=str(longest + timedelta(days=1)))
    with pytest.raises(InputError, match="已过"):
        file(OFFICE, "变更", replaces=old, last_on=str(MONDAY - timedelta(days=1)))
    file(OFFICE, "变更", replaces=old, last_on=str(longest))


def test_the_same_person_files_another_telephone_number_by_a_change(monday: datetime) -> None:
    old = present(OFFICE)
    confirm(file(OFFICE, "变更", replaces=old, name=old))
    assert on_file(OFFICE, MONDAY) == [old, old]
    assert told("liaison-off-file") == {}
    # On the day of the change both rows are there, one of them with its end filed: the name still means one person.
    confirm(file(OFFICE, "终止", key="2", replaces=old))
    assert on_file(OFFICE, MONDAY + timedelta(days=1)) == []


def test_of_two_with_one_name_the_telephone_number_tells_who_is_meant(monday: datetime) -> None:
    old = present(OFFICE)
    confirm(file(OFFICE, "指定", name=old))
    with pytest.raises(InputError, match="同名"):
        file(OFFICE, "终止", key="2", replaces=old)
    confirm(file(OFFICE, "终止", key="3", replaces=PERSON["phone"]))
    assert on_file(OFFICE, MONDAY + timedelta(days=1)) == [old]


def test_only_somebody_on_file_can_be_replaced_and_by_one_filing_at_a_time(monday: datetime) -> None:
    with pytest.raises(InputError, match="没有所填的"):
        file(OFFICE, "变更", replaces="路人甲")
    with pytest.raises(InputError, match="没有所填的"):
        file(NOBODY, "变更", replaces=present(OFFICE))
    file(OFFICE, "变更", replaces=present(OFFICE))
    with pytest.raises(RefusalError, match="ZR-2026-000001"):
        file(OFFICE, "终止", key="2", replaces=present(OFFICE))


# 终止


def test_an_end_that_would_leave_nobody_is_shown_to_staff(monday: datetime) -> None:
    case = file(OFFICE, "终止", replaces=present(OFFICE))
    assert "没有在册专人" in dict(sheet_of(case.case_no).lines)["请注意"]
    confirm(file(OFFICE, "指定", key="2"))
    assert "请注意" not in dict(sheet_of(case.case_no).lines)
    confirm(case)
    assert on_file(OFFICE, MONDAY + timedelta(days=1)) == [PERSON["name"]]


def test_who_ends_is_told_and_so_is_the_office(monday: datetime) -> None:
    last = MONDAY + timedelta(days=90)
    confirm(file(OFFICE, "终止", replaces=present(OFFICE), last_on=str(last)))
    notices = told("liaison-off-file")
    assert {address: notice["until_on"] for address, notice in notices.items()} == {
        "liaison06@example.cn": str(last),
        "office06@example.cn": str(last),
    }
    assert on_file(OFFICE, last)
    assert not on_file(OFFICE, last + timedelta(days=1))


# 个人信息


def test_no_name_number_or_address_stands_on_the_sheet_in_the_record_or_in_the_database(monday: datetime) -> None:
    case = file(NOBODY)
    sheet = sheet_of(case.case_no)
    assert sheet.run_name == f"专人备案 {case.case_no} · {NOBODY} · 待确认"
    confirm(case)
    shown = sheet.table() + sheet_of(case.case_no).timeline_table()
    with reading() as session:
        shown += " ".join(str(entry.detail) for entry in session.scalars(select(AuditEntry)))
        raw = session.connection().exec_driver_sql("SELECT name, phone, email FROM liaison_officers").all()
        raw += session.connection().exec_driver_sql("SELECT name, phone, email FROM liaison_filings").all()
    for value in (PERSON["name"], PERSON["phone"], PERSON["email"]):
        assert value not in shown
        assert value not in str(raw)
    assert r"钱\*舒" in shown
    assert [what for _, what in sheet_of(case.case_no).timeline] == ["收到指定备案", "确认指定备案，已告知部门和专人"]


# 没有专人的部门


def reminders() -> list[str]:
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "liaison-missing").order_by(OutgoingNotice.id)
        return [row.recipient for row in session.scalars(wanted)]


def test_a_department_without_anybody_is_reminded_once_a_week(monday: datetime, on_day: Day) -> None:
    assert liaisons.remind_departments(monday) == 1
    for days in range(7):
        assert liaisons.remind_departments(on_day(MONDAY + timedelta(days=days))) == 0
    assert liaisons.remind_departments(on_day(MONDAY + timedelta(days=7))) == 1
    assert reminders() == ["office10@example.cn"] * 2


def test_two_watches_at_once_remind_once(monday: datetime) -> None:
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: liaisons.remind_departments(monday), range(3))) == 1


def test_who_has_filed_and_waits_for_us_is_not_reminded_and_who_was_sent_back_is(monday: datetime) -> None:
    case = file(NOBODY)
    assert liaisons.remind_departments(monday) == 0
    assert case.answer(LiaisonConfirmation, verdict="退回", reason="电话打不通，请更正。") is None
    liaisons.return_filing.run(case.case_no)
    assert liaisons.remind_departments(monday) == 1


def test_the_last_day_of_the_last_one_is_not_yet_a_day_without_anybody(monday: datetime, on_day: Day) -> None:
    with transaction() as session:
        session.execute(update(LiaisonOfficer).values(until_on=MONDAY))
    assert liaisons.remind_departments(monday) == 1
    assert liaisons.remind_departments(on_day(MONDAY + timedelta(days=1))) == 9


def test_a_department_without_an_office_address_is_left_to_staff(monday: datetime) -> None:
    with transaction() as session:
        session.execute(update(Department).values(email=""))
    assert liaisons.remind_departments(monday) == 1
    assert reminders() == []
    with reading() as session:
        assert "没有可用的办公邮箱" in session.scalars(select(StaffTask.what)).one()
    confirm(file(NOBODY))
    assert set(told("liaison-on-file")) == {PERSON["email"]}


def test_whoever_typed_a_filing_in_does_not_confirm_it(clerk: Clerk) -> None:
    """Links to what a department is asked go to its liaison officers: an officer could have made one up."""
    form = LiaisonFilingForm.model_validate({"kind": "指定", **PERSON})
    case = Clerk(liaisons.file_for_department(form, OFFICE, "by-hand", "KQ001"))
    assert officer_of(case.case_no) != "KQ001"
    refused = answered(case.case_no, LiaisonConfirmation, 1, {"verdict": "确认"}, "KQ001")
    assert "登记人不能确认" in str(refused)
    with transaction() as session, pytest.raises(RefusalError, match="须由另一人审核"):
        hand_over.hand_over(session, case.case_no, "KQ001", "业务调整", by_officer("KQ004"), clock.now())
    confirm(case)
