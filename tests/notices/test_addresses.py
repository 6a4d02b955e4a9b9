"""One rule for every e-mail address: what is refused where it is typed, and what becomes of one that was there before
anybody checked it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update

from models.cases import StaffTask
from models.liaisons import LiaisonOfficer
from models.notices import NoticeState, OutgoingNotice
from models.organisations import Department, Officer
from notifications.outbox import queue
from regulation.limits import UNUSED_ENTRY
from regulation.supervision_reports import period_of
from runtime import clock
from runtime.contacts import AddressError, plain_address
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from runtime.settings import read_settings
from tasks.case.department_mail import tell_department
from tasks.case.step import once
from tasks.desk.deadline_watch import sweep
from tasks.liaisons.steps import remind_departments
from tasks.objections.drafts import open_draft, save_draft, send_confirmation
from tasks.supervision.reports import make_report
from tasks.use_list.watch import ask_about_entries
from tests.articles.conftest import on_day
from tests.articles.test_article_12_batches import cases, clear, register
from tests.articles.test_article_12_drafts import code_in_mail
from tests.conftest import Clerk
from tests.interface.conftest import caller_of
from tests.notices.conftest import a_notice

__all__ = ["on_day"]

Day = Callable[[date], datetime]
MONDAY = date(2026, 5, 11)
BAD = "wang@kq"
MONDAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "缺少@"),
        ("13800000000", "缺少@"),
        (BAD, "完整域名"),
        ("wang@localhost", "完整域名"),
        ("wang@office.local", "完整域名"),
        ("wang@127.0.0.1", "完整域名"),
        ("wang@[127.0.0.1]", "完整域名"),
        ("wang@-kq.cn", "完整域名"),
        ("wang@kq..cn", "完整域名"),
        (f"wang@{'a' * 64}.cn", "完整域名"),
        ("@kq.cn", "前面没有内容"),
        ("王@kq.cn", "前面只能用英文"),
        ("wang..li@kq.cn", "点不在首尾也不相连"),
        (f"{'w' * 65}@kq.cn", "最多64个"),
        (f"w@{'k.' * 126}cn", "超过254个"),
        ("王伟 <wang@kq.cn>", "不带姓名"),
        ("wang @kq.cn", "不带姓名"),
        ("mailto:wang@kq.cn", "不带姓名"),
        ('"wang wei"@kq.cn', "不带姓名"),
        ("wang@kq.cn, li@kq.cn", "只能填一个"),
        ("wang@kq.cn；li@kq.cn", "只能填一个"),
        ("wang@kq.cn、", "只能填一个"),
        ("wang@kq.cn\nBcc: li@kq.cn", "换行或不可见"),
        ("wang@kq.cn\x00", "换行或不可见"),
        ("wang\u202e@kq.cn", "换行或不可见"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason_and_an_example(typed: str, why: str) -> None:
    with pytest.raises(AddressError) as refused:
        plain_address(typed)
    assert why in str(refused.value)
    assert str(refused.value).endswith("应如zhang@example.cn")
    assert not typed or typed not in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("a@example.com", "a@example.com"),
        ("o'neil+x_y@mail.kq.gov.cn", "o'neil+x_y@mail.kq.gov.cn"),
        ("Wang.Wei@KQ.Gov.CN", "Wang.Wei@kq.gov.cn"),
        ("\u3000ｗａｎｇ＠ｋｑ．ｃｎ\r\n", "wang@kq.cn"),
        ("wang@kq。cn", "wang@kq.cn"),
        ("\ufeffwang@kq.cn\u200b", "wang@kq.cn"),
        ("wang@柯桥.中国", "wang@xn--tvv3j.xn--fiqs8s"),
        (f"{'a' * 64}@b.cn", f"{'a' * 64}@b.cn"),
    ],
)
def test_an_address_is_kept_as_it_was_typed_but_for_width_and_its_domain(typed: str, address: str) -> None:
    assert plain_address(typed) == address
    assert plain_address(address) == address


def test_an_address_that_is_none_is_a_setting_that_is_wrong(home: Any, configure: Callable[..., None]) -> None:
    for name, value in (("EZT_REPORT_TO", f'["qu@example.cn", "{BAD}"]'), ("EZT_MAIL_FROM", BAD)):
        configure(**{name: value})
        with pytest.raises(RefusalError) as refused:
            read_settings()
        where = {"EZT_REPORT_TO": "EZT_REPORT_TO第2项", "EZT_MAIL_FROM": "EZT_MAIL_FROM"}[name]
        assert f"设置有误：{where}格式不对（@后面须是能收信的完整域名），应如zhang@example.cn；" in str(refused.value)
        assert BAD not in str(refused.value)
        configure(**{name: value.replace(BAD, "wang@KQ.cn")})
    assert (read_settings().report_to, read_settings().mail_from) == (["qu@example.cn", "wang@kq.cn"], "wang@kq.cn")


@pytest.fixture
def badly_kept(clerk: Clerk) -> Clerk:
    """Nobody of the Center and of the departments has an address that can be written to, as if from before anybody
    checked it."""
    with transaction() as session:
        for number, each in enumerate(
            each for kept in (Officer, Department, LiaisonOfficer) for each in session.scalars(select(kept))
        ):
            each.email = f"wang{number}@kq"
    return clerk


def staff_tasks() -> dict[str, StaffTask]:
    with reading() as session:
        return {task.key: task for task in session.scalars(select(StaffTask).order_by(StaffTask.id))}


def given_up() -> list[str]:
    """The notices that were given up, by name."""
    with reading() as session:
        notices = session.scalars(select(OutgoingNotice).where(OutgoingNotice.state == NoticeState.DEAD)).all()
    assert all((notice.recipient[-3:], notice.last_error) == ("@kq", "邮箱格式不对") for notice in notices)
    return sorted(notice.notice for notice in notices)


def left_to_staff(*begin: str) -> None:
    """Nothing was lost without a word: there is a task for each address, and none holds the address."""
    tasks = staff_tasks()
    assert given_up()
    assert tasks
    for key, task in tasks.items():
        assert key.startswith(begin), key
        assert "邮箱格式不对" in task.what
        assert "@" not in task.what
        assert task.case_no is None


def test_an_objection_by_page_is_registered_whatever_address_its_officer_has(badly_kept: Clerk, web: str) -> None:
    token = open_draft({})
    save_draft(token, badly_kept.application().model_dump(mode="json"), [])
    send_confirmation(token)
    link = f"{web}/objection-drafts/{token}/confirmation/{code_in_mail()}"
    answer = httpx.post(link, follow_redirects=True)
    (case,) = cases()
    assert answer.status_code == 200
    assert case.case_no in answer.text
    assert "格式不对" not in answer.text
    left_to_staff("unwritable:officer:")
    (task,) = staff_tasks().values()
    assert task.what == (
        f"工号{case.officer_no}登记的邮箱格式不对，发给它的通知都没有发出。"
        f"请系统管理员用 ezt officer change {case.officer_no} --email 改正；改正前请当面或电话告知。"
    )


def test_an_objection_by_interface_is_registered_whatever_address_its_officer_has(badly_kept: Clerk, web: str) -> None:
    given = badly_kept.application().model_dump(mode="json") | {"submission_no": "1"}
    answer = caller_of(web, "KQ-SCJG").post("/api/v1/objections", given)
    assert answer.status_code == 201, answer.text
    left_to_staff("unwritable:officer:")
    refused = caller_of(web, "KQ-SCJG").post("/api/v1/objections", given | {"email": BAD, "submission_no": "2"})
    assert refused.status_code == 422
    assert "电子邮箱格式不对（@后面须是能收信的完整域名），应如zhang@example.cn" in refused.json()["detail"]


def test_a_table_of_objections_is_registered_whatever_address_its_officer_has(badly_kept: Clerk) -> None:
    rows = clear(3)
    # A field that the certificate does not have is a remark, which an officer is told of.
    rows[0]["有异议的项目"] = "身高"
    register(rows)
    assert len(cases()) == 3
    left_to_staff("unwritable:officer:")


def test_sweep_report_and_enquiries_go_on_whatever_addresses_there_are(badly_kept: Clerk, on_day: Day) -> None:
    on_day(MONDAY)
    badly_kept.register()
    assert sweep(on_day(MONDAY + timedelta(days=7))).near
    assert sweep(on_day(MONDAY + timedelta(days=14))).overdue
    make_report(period_of("2026-04"), on_day(MONDAY + timedelta(days=14)))
    assert ask_about_entries(on_day(MONDAY + timedelta(days=2 * UNUSED_ENTRY.value)))
    assert {"deadlines-near", "deadlines-missed", "supervision-reported", "use-list-enquired"} <= set(given_up())
    left_to_staff("unwritable:officer:", "unwritable:department:", "unwritable:liaison:")
    # One for each of the ten departments and their liaison officers, however many notices there were.
    assert sum(not key.startswith("unwritable:officer:") for key in staff_tasks()) <= 20


def test_a_department_that_cannot_be_written_to_is_told_in_another_way(badly_kept: Clerk) -> None:
    case = badly_kept.register()
    with reading() as session:
        uscc = session.scalars(select(Department.uscc).order_by(Department.uscc)).first()
    assert uscc is not None
    once(case.case_no, "tell", 1, "system", lambda step: tell_department(step, uscc, lambda _: a_notice()))
    assert staff_tasks()[f"unreached:{case.case_no}:tell:1"].case_no == case.case_no
    with transaction() as session:
        session.execute(update(LiaisonOfficer).values(email="liaison@example.cn"))
    once(case.case_no, "tell", 2, "system", lambda step: tell_department(step, uscc, lambda _: a_notice()))
    assert f"unreached:{case.case_no}:tell:2" not in staff_tasks()


def test_a_department_without_a_liaison_officer_is_called_where_it_cannot_be_written_to(badly_kept: Clerk) -> None:
    with transaction() as session:
        session.execute(delete(LiaisonOfficer))
    assert remind_departments(clock.now()) == 10
    assert given_up() == []
    assert all("没有可用的办公邮箱" in task.what for task in staff_tasks().values())


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
def test_one_address_is_one_task_until_it_is_done_with_though_many_find_out_at_once(badly_kept: Clerk) -> None:
    with reading() as session:
        officer = session.scalars(select(Officer).order_by(Officer.staff_no)).first()
    assert officer is not None

    def tell(number: int) -> None:
        with transaction() as session:
            queue(session, a_notice(), officer.email, key=str(number), case_no=None, at=clock.now())

    def the_task() -> StaffTask:
        (task,) = staff_tasks().values()
        assert (task.key, task.done_at) == (f"unwritable:officer:{officer.staff_no}", None)
        return task

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, range(8)))
    opened_at = the_task().opened_at
    tell(9)
    assert the_task().opened_at == opened_at
    with transaction() as session:
        session.execute(update(StaffTask).values(done_at=clock.now()))
    tell(10)
    assert the_task().opened_at > opened_at
    assert len(given_up()) == 10


def test_of_an_address_that_is_not_ours_each_notice_is_a_task_of_its_case(clerk: Clerk) -> None:
    case = clerk.register()
    with transaction() as session:
        for key in "12":
            queue(session, a_notice(), "13800000000", key=key, case_no=case.case_no, at=clock.now())
    tasks = staff_tasks()
    assert [(task.case_no, "13800000000" in task.what) for task in tasks.values()] == [(case.case_no, False)] * 2
    assert all(key.startswith("undeliverable:") for key in tasks)
