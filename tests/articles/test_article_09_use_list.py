"""第九条：制定用证清单。电子证照使用部门应细化应用场景，依据职能在用证清单范围内使用电子证照。用证清单应当实行动态管理，由使用机构及时
向综合管理单位提供，由综合管理管理部门进行维护。"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case, Deadline, StaffTask
from models.notices import OutgoingNotice
from models.use_lists import EntryEnquiry, ProposedLine, UseListEntry, UseListVersion
from regulation.certificate_use import Permission, UseRefusedError
from regulation.limits import ENTRY_CONFIRMATION, PROPOSED_LINES, REFUSED_USES, UNUSED_ENTRY, USE_LIST_REVIEW
from regulation.stages import TransitionError
from regulation.use_lists import STAGES, Enquiry, Stage
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.desk.sheets import sheet_of
from tasks.use_list import standing as use_lists
from tasks.use_list import steps as use_list_reviews
from tasks.use_list import watch as use_list_watch
from tasks.use_list.kind import USE_LIST
from tasks.use_list.questions import UseListReview
from tests.conftest import Clerk

MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)
OFFICE = sample_catalogue.DEPARTMENTS[5]
"""绍兴市柯桥区民政局: one entry, 婚姻登记档案查询 with 结婚证."""
OTHER = sample_catalogue.DEPARTMENTS[1]
NOBODY = sample_catalogue.DEPARTMENTS[9]
"""绍兴市柯桥区医疗保障局: no liaison officer on file, nothing on the list."""
ITEM, SCENARIO = "330603-MZ-001", "窗口受理"
CODES = {kind.name: kind.code for kind in samples.KINDS}
MARRIAGE = CODES["结婚证"]
LISTED = {
    "item_code": ITEM,
    "item_name": "婚姻登记档案查询",
    "certificate_type": "结婚证",
    "scenario": SCENARIO,
    "fields": ["number", "holder", "husband", "wife", "issued_on"],
    "authorisation": True,
}
NEW = {
    "item_code": "330603-MZ-002",
    "item_name": "残疾人两项补贴申请",
    "certificate_type": "残疾人证",
    "scenario": "窗口受理",
    "fields": "姓名、残疾类别、残疾等级",
    "authorisation": "是",
}
END = {"item_code": ITEM, "certificate_type": "结婚证", "scenario": SCENARIO, "ended": True}

Day = Callable[[date], datetime]


@pytest.fixture
def monday(clerk: Clerk, on_day: Day) -> datetime:
    return on_day(MONDAY)


def uscc(name: str) -> str:
    return samples.department_code(samples.DEFAULT_SEED, name)


def propose(*lines: dict[str, Any], department: str = OFFICE, key: str = "1", skip: bool = False) -> Clerk:
    rows = list(enumerate(lines, 1))
    return Clerk(use_list_reviews.register_proposal(uscc(department), rows, key, "KQ-MZ", skip).case_no)


def review(case: Clerk, verdict: str = "通过", refused: str = "", reason: str = "") -> None:
    assert case.answer(UseListReview, verdict=verdict, refused=refused, reason=reason) is None
    use_list_reviews.carry_out_review.run(case.case_no)


def approved(*lines: dict[str, Any], key: str = "1", department: str = OFFICE) -> Clerk:
    case = propose(*lines, key=key, department=department)
    review(case)
    return case


def seen(day: date, item: str = ITEM, type_code: str = MARRIAGE, department: str = OFFICE) -> list[Permission]:
    with reading() as session:
        return use_lists.permissions_on(session, uscc(department), item, type_code, day)


def fields_on(day: date) -> tuple[str, ...]:
    (permission,) = seen(day)
    return permission.fields


def versions() -> list[tuple[int, date, bool]]:
    with reading() as session:
        wanted = select(UseListVersion.entry_id, UseListVersion.in_force_from, UseListVersion.ended)
        return list(session.execute(wanted.order_by(UseListVersion.id)).tuples())


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0


def told(notice: str) -> dict[str, dict[str, Any]]:
    with reading() as session:
        rows = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == notice)).all()
    return {row.recipient: row.context for row in rows}


# 提出


def test_what_is_approved_counts_from_the_day_of_approval(monday: datetime, on_day: Day) -> None:
    case = propose(NEW)
    assert case.case_no == "QD-2026-000001"
    on_day(TUESDAY)
    review(case)
    assert case.stage() == Stage.TAKEN_OVER
    disability = CODES["残疾人证"]
    assert seen(MONDAY, "330603-MZ-002", disability) == []
    (permission,) = seen(TUESDAY, "330603-MZ-002", disability)
    assert permission.fields == ("holder", "disability", "grade")
    assert (permission.holder_alone, permission.authorisation) == (False, True)


def test_fields_go_by_code_or_by_name_and_stand_in_the_order_of_the_face(monday: datetime) -> None:
    approved(LISTED | {"fields": "女方姓名，number, 男方姓名；结婚证字号"})
    assert fields_on(MONDAY) == ("number", "husband", "wife")


def test_a_type_goes_by_code_or_by_name(monday: datetime) -> None:
    approved(LISTED | {"certificate_type": MARRIAGE, "fields": ["number"]})
    assert fields_on(MONDAY) == ("number",)


def test_the_review_has_its_time_limit(monday: datetime, on_day: Day) -> None:
    case = propose(NEW)
    with reading() as session:
        deadline = session.scalars(select(Deadline).where(Deadline.case_no == case.case_no)).one()
    assert (deadline.limit_code, deadline.due_on) == (USE_LIST_REVIEW.code, date(2026, 3, 9))
    on_day(date(2026, 3, 11))
    review(case)
    with reading() as session:
        met = session.get_one(Deadline, deadline.id)
    assert (met.met_on, met.missed_by) == (date(2026, 3, 11), 2)


def test_the_same_submission_again_is_the_same_case(monday: datetime) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: propose(NEW).case_no, range(4))) == {"QD-2026-000001"}
    assert count(ProposedLine.line) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (NEW | {"certificate_type": "良民证"}, "证照目录中没有证照类型“良民证”"),
        (NEW | {"fields": "姓名、血型、星座"}, "没有字段“血型”、“星座”"),
        (NEW | {"fields": ""}, "可用字段未填写"),
        (NEW | {"fields": 3}, "可用字段须是一个列表"),
        (NEW | {"item_name": ""}, "事项名称未填写"),
        (NEW | {"item_code": "3.3E+17"}, "事项编码格式不对"),
        (NEW | {"authorisation": "看情况"}, "需授权只能填是或否"),
        (NEW | {"holder_alone": 1.0}, "可单独出示只能填是或否"),
        (NEW | {"in_force_from": "2026-03-01"}, "生效日期2026-03-01已过"),
        (NEW | {"in_force_from": "明天"}, "生效日期有误：“明天”不是有效日期"),
        (NEW | {"备注": "急"}, "备注没有这一项"),
        (END | {"scenario": "网上受理"}, "清单中没有这一条，不能停用"),
        (LISTED, "与现行清单相同，没有变化"),
        ({}, "事项编码未填写；证照类型未填写；应用场景未填写"),
    ],
)
def test_every_wrong_line_and_field_is_named_and_nothing_is_registered(
    monday: datetime, line: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        propose(NEW | {"scenario": "上门"}, line)
    assert f"第2行：{said}" in str(refused.value).replace("“结婚证”", "").replace("“残疾人证”", "")
    assert count(Case.case_no) == 0


def test_all_that_is_wrong_is_said_at_once(monday: datetime) -> None:
    with pytest.raises(InputError) as refused:
        propose(NEW, NEW, {}, NEW | {"scenario": "网上", "fields": "星座"})
    lines = str(refused.value).splitlines()
    assert lines[0] == "用证清单有3处须更正，未登记任何一行："
    assert [line[:4] for line in lines[1:]] == ["第2行：", "第3行：", "第4行："]
    assert "与第1行重复" in lines[1]


def test_a_list_that_was_handed_out_comes_back_whole(monday: datetime) -> None:
    case = propose(LISTED, NEW, skip=True)
    with reading() as session:
        lines = use_list_reviews.lines_of(session, case.case_no)
    assert [line.line for line in lines] == [2]
    with pytest.raises(InputError, match="没有要提出的变化"):
        propose(LISTED, key="2", skip=True)


def test_the_date_that_stands_in_the_list_is_no_wish(monday: datetime) -> None:
    approved(LISTED | {"fields": "number", "in_force_from": str(samples.AS_OF)})
    assert fields_on(MONDAY - timedelta(days=1)) != fields_on(MONDAY) == ("number",)


def test_a_proposal_has_an_end(monday: datetime) -> None:
    many = [NEW | {"scenario": f"场景{number}"} for number in range(PROPOSED_LINES.value + 1)]
    with pytest.raises(InputError, match=f"最多提出{PROPOSED_LINES.value}行"):
        propose(*many)
    assert propose(*many[:-1]).stage() == Stage.PROPOSED


# 第十三条：没有专人的部门


def test_a_department_without_a_liaison_officer_proposes_nothing_new(monday: datetime) -> None:
    with pytest.raises(UseRefusedError) as refused:
        propose(NEW, department=NOBODY)
    assert refused.value.article == 13
    with pytest.raises(UseRefusedError):
        propose({}, department=NOBODY)


def test_but_it_may_give_up_what_it_has(monday: datetime) -> None:
    with transaction() as session:
        which = use_lists.Identity(uscc(NOBODY), ITEM, MARRIAGE, SCENARIO)
        terms = use_lists.Terms("婚姻登记档案查询", ("number",), False, False)
        use_lists.put_version(session, which, terms, samples.AS_OF, monday, None)
    approved(END, department=NOBODY)
    assert seen(MONDAY, department=NOBODY) == []


# 审核


def test_the_review_sees_what_changes_against_the_list_of_today(monday: datetime) -> None:
    case = propose(
        LISTED | {"fields": "number、holder、husband_number", "authorisation": False, "holder_alone": True},
        NEW | {"in_force_from": "2026-04-01"},
    )
    sheet = sheet_of(case.case_no)
    assert sheet.run_name == f"用证清单 {case.case_no} · {OFFICE} · 待审核"
    first, second = (row.split(" | ") for row in sheet.table().splitlines()[-2:])
    assert first[0:2] == ["| 1", "变更"]
    assert "增加字段：男方公民身份号码（敏感）；减少字段：男方姓名、女方姓名、登记日期" in first[5]
    assert "可单独出示；不再需授权" in first[5]
    assert second[0:2] == ["| 2", "新增"]
    assert "字段：姓名、残疾类别（敏感）、残疾等级（敏感）；需授权；要求自2026-04-01起" in second[5]


def test_an_end_and_what_was_decided_meanwhile_are_shown(monday: datetime) -> None:
    approved(LISTED | {"fields": "number", "in_force_from": "2026-05-01"})
    case = propose(END, key="2")
    assert "停用" in sheet_of(case.case_no).table()
    with reading() as session:
        full = dict(USE_LIST.sheet.full_lines(session, session.get_one(Case, case.case_no)))
    assert re.match("变化：.+；事项：.+；证照：.+；应用场景：.+；内容：.+", full["第1行"])
    assert "另有自2026-05-01起生效的版本" in sheet_of(case.case_no).table()
    approved(END, key="3")
    assert "| 1 | 无变化 |" in sheet_of(case.case_no).table()


def test_a_long_proposal_does_not_swell_the_form(monday: datetime) -> None:
    case = propose(*(NEW | {"scenario": f"场景{number}"} for number in range(120)))
    assert "其余20行见完整内容" in sheet_of(case.case_no).table()


def test_what_was_typed_is_no_markup_on_the_form(monday: datetime) -> None:
    case = propose(NEW | {"item_name": "[点我](https://example.cn) |x| <img src=x>"})
    assert not re.search(r"(?<!\\)[\[<]|https?://", sheet_of(case.case_no).table())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"verdict": "通过", "refused": "1"}, "不能列出不通过的行"),
        ({"verdict": "部分通过"}, "请列出不通过的行"),
        ({"verdict": "部分通过", "refused": "1-3", "reason": "超出事项所需"}, "请选“不通过”"),
        ({"verdict": "部分通过", "refused": "4", "reason": "超出事项所需"}, "没有第4行"),
        ({"verdict": "部分通过", "refused": "第二行", "reason": "超出事项所需"}, "不是行号"),
        ({"verdict": "部分通过", "refused": "3-2", "reason": "超出事项所需"}, "不是行号"),
        ({"verdict": "部分通过", "refused": "1-999999", "reason": "超出事项所需"}, "不是行号"),
        ({"verdict": "部分通过", "refused": "2"}, "至少5个字"),
        ({"verdict": "不通过"}, "至少5个字"),
        ({"verdict": "不通过", "refused": "1", "reason": "超出事项所需"}, "请选“部分通过”"),
        ({"verdict": "再说"}, "审核意见只能是"),
    ],
)
def test_a_review_that_makes_no_sense_is_refused(monday: datetime, answer: dict[str, str], said: str) -> None:
    case = propose(NEW, NEW | {"scenario": "网上"}, NEW | {"scenario": "上门"})
    assert said in (case.answer(UseListReview, **answer) or "")
    assert case.stage() == Stage.PROPOSED


def test_of_a_partial_approval_only_what_was_approved_is_taken_over(monday: datetime) -> None:
    case = propose(*(NEW | {"scenario": name} for name in ("一", "二", "三", "四")))
    review(case, "部分通过", "2、4", "这两个场景不属于本部门职能。")
    assert case.stage() == Stage.PARTLY_TAKEN_OVER
    listed = seen(MONDAY, "330603-MZ-002", CODES["残疾人证"])
    assert [permission.scenario for permission in listed] == ["一", "三"]
    with reading() as session:
        refused = [line.refused for line in use_list_reviews.lines_of(session, case.case_no)]
    assert refused == [None, "这两个场景不属于本部门职能。"] * 2
    table = sheet_of(case.case_no).table()
    assert "| 1 | 列入 |" in table
    assert "| 2 | 未列入 |" in table


def test_the_department_is_told_what_was_taken_over_from_when_and_what_not_and_why(monday: datetime) -> None:
    case = propose(NEW | {"in_force_from": "2026-04-01"}, NEW | {"scenario": "网上"})
    review(case, "部分通过", "2", "网上受理尚未对接。")
    notices = told("use-list-decided")
    assert set(notices) == {"liaison06@example.cn", "office06@example.cn"}
    for notice in notices.values():
        assert [(line["line"], line["what"]) for line in notice["taken"]] == [(1, "自2026年4月1日起生效")]
        assert [line["line"] for line in notice["refused"]] == [2]
        assert notice["reason"] == "网上受理尚未对接。"


def test_a_refusal_leaves_the_list_as_it_is(monday: datetime) -> None:
    before = versions()
    case = propose(NEW, LISTED | {"fields": "number"})
    review(case, "不通过", "", "请按事项细化字段后再提出。")
    assert case.stage() == Stage.REFUSED
    assert versions() == before
    assert [what for _, what in sheet_of(case.case_no).timeline] == [
        "收到用证清单2行",
        "审核不通过：列入0行，未列入2行，已告知部门",
    ]


def test_a_review_carried_out_twice_changes_nothing_more(monday: datetime) -> None:
    case = approved(NEW)
    before = versions()
    use_list_reviews.carry_out_review.run(case.case_no)
    assert versions() == before


def test_a_proposal_is_decided_once() -> None:
    with pytest.raises(TransitionError):
        STAGES.check(Stage.REFUSED, Stage.TAKEN_OVER)


# 动态管理：什么都不覆盖，任何一天都说得清


def test_what_could_be_seen_on_any_day_stays_answerable(monday: datetime, on_day: Day) -> None:
    before = versions()
    original = fields_on(MONDAY)
    approved(LISTED | {"fields": "number", "in_force_from": "2026-03-10"})
    on_day(date(2026, 3, 20))
    approved(END, key="2")
    assert versions()[: len(before)] == before
    assert fields_on(samples.AS_OF) == fields_on(date(2026, 3, 9)) == original
    assert fields_on(date(2026, 3, 10)) == fields_on(date(2026, 3, 19)) == ("number",)
    assert seen(date(2026, 3, 20)) == seen(date(2030, 1, 1)) == []
    assert seen(samples.AS_OF - timedelta(days=1)) == []


def test_of_two_versions_of_one_day_the_one_decided_last_counts(monday: datetime) -> None:
    approved(LISTED | {"fields": "number"})
    approved(LISTED | {"fields": "holder"}, key="2")
    assert fields_on(MONDAY) == ("holder",)


def test_an_approval_never_reaches_back(monday: datetime, on_day: Day) -> None:
    case = propose(LISTED | {"fields": "number", "in_force_from": str(MONDAY)})
    on_day(MONDAY + timedelta(days=3))
    review(case)
    assert len(fields_on(MONDAY + timedelta(days=2))) == 5
    assert fields_on(MONDAY + timedelta(days=3)) == ("number",)


def test_what_is_ended_is_not_brought_back_by_what_was_decided_before(monday: datetime) -> None:
    approved(LISTED | {"fields": "number", "in_force_from": "2026-05-01"})
    approved(END, key="2")
    assert seen(MONDAY) == []
    assert seen(date(2026, 5, 1)) == []


def test_what_was_ended_can_be_proposed_again_and_is_the_same_entry(monday: datetime, on_day: Day) -> None:
    (first,) = seen(MONDAY)
    approved(END)
    on_day(TUESDAY)
    approved(LISTED, key="2")
    (again,) = seen(TUESDAY)
    assert again.entry_id == first.entry_id
    assert again.version_id != first.version_id


def test_two_decisions_at_once_make_one_entry(monday: datetime) -> None:
    cases = [propose(NEW | {"fields": field}, key=field) for field in ("holder", "grade")]
    for case in cases:
        assert case.answer(UseListReview, verdict="通过") is None
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda case: use_list_reviews.carry_out_review.run(case.case_no), cases))
    assert len(seen(MONDAY, "330603-MZ-002", CODES["残疾人证"])) == 1
    with reading() as session:
        entries = select(func.count()).where(UseListEntry.item_code == "330603-MZ-002")
        assert session.scalar(entries) == 1


def test_another_departments_list_is_not_this_ones(monday: datetime) -> None:
    with reading() as session:
        mine, theirs = (
            use_lists.in_force(session, MONDAY, UseListEntry.department_uscc == uscc(department))
            for department in (OFFICE, OTHER)
        )
    assert [entry.item_code for entry, _ in mine] == [ITEM]
    assert {entry.item_code for entry, _ in theirs} == {"330603-ZRZY-001"}
    assert seen(MONDAY, department=OTHER) == []


# 动态管理：久未使用、久未确认的条目

LATER = samples.AS_OF + timedelta(days=UNUSED_ENTRY.value)


def ask(at: datetime) -> int:
    return use_list_watch.ask_about_entries(at)


def use(entry_id: int, at: datetime) -> None:
    with transaction() as session:
        record(session, "certificate:extract:answered", None, "KQ-MZ", at, entry=entry_id, department=uscc(OFFICE))


def use_all(at: datetime) -> None:
    with reading() as session:
        entries = session.scalars(select(UseListEntry.id)).all()
    for entry in entries:
        use(entry, at)


def link_of(address: str) -> str:
    link: str = told("use-list-enquired")[address]["link"]
    return link.rpartition("/")[2]


def enquiries() -> list[EntryEnquiry]:
    with reading() as session:
        return list(session.scalars(select(EntryEnquiry).order_by(EntryEnquiry.id)))


def test_nobody_is_asked_before_180_days_have_passed(monday: datetime, on_day: Day) -> None:
    assert ask(on_day(LATER - timedelta(days=1))) == 0


def test_each_department_is_asked_in_one_mail_about_what_it_has_not_used_for_180_days(
    monday: datetime, on_day: Day
) -> None:
    with reading() as session:
        entries = session.scalar(select(func.count(UseListEntry.id)))
    assert ask(on_day(LATER)) == entries
    mails = told("use-list-enquired")
    assert {"liaison06@example.cn", "office06@example.cn"} <= set(mails)
    assert mails["office06@example.cn"]["link"] == mails["liaison06@example.cn"]["link"]
    assert len({mail["link"] for mail in mails.values()}) == 8
    assert {enquiry.why for enquiry in enquiries()} == {Enquiry.UNUSED}
    # 30 June 2026 is a Tuesday: ten working days end on Tuesday 14 July.
    assert {enquiry.due_on for enquiry in enquiries()} == {date(2026, 7, 14)}


def test_what_was_used_since_is_not_asked_about(monday: datetime, on_day: Day) -> None:
    (permission,) = seen(MONDAY)
    use(permission.entry_id, monday)
    asked = ask(on_day(LATER))
    assert asked == count(UseListEntry.id) - 1
    assert permission.entry_id not in {enquiry.entry_id for enquiry in enquiries()}
    assert ask(on_day(MONDAY + timedelta(days=UNUSED_ENTRY.value))) == 1


def test_an_entry_is_asked_about_once_until_it_is_answered(monday: datetime, on_day: Day) -> None:
    first = ask(on_day(LATER))
    assert first
    assert ask(on_day(LATER + timedelta(days=1))) == 0
    number = enquiries()[0].id
    token = next(
        link_of(address)
        for address in told("use-list-enquired")
        if number in {each.number for each in use_list_watch.enquiries_of_token(link_of(address))[1]}
    )
    use_list_watch.answer_by_link(token, {number: True})
    assert ask(on_day(LATER + timedelta(days=UNUSED_ENTRY.value))) == 0
    # Answered on the day after the enquiry: 180 days run from there.
    assert ask(on_day(LATER + timedelta(days=UNUSED_ENTRY.value + 1))) == 1


def test_two_watches_at_once_ask_once(monday: datetime, on_day: Day) -> None:
    at = on_day(LATER)
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: ask(at), range(3))) == count(UseListEntry.id)


def test_what_is_used_is_confirmed_once_a_year(monday: datetime, on_day: Day) -> None:
    year = samples.AS_OF + timedelta(days=ENTRY_CONFIRMATION.value)
    use_all(on_day(year - timedelta(days=3)))
    assert ask(on_day(year - timedelta(days=1))) == 0
    assert ask(on_day(year)) == count(UseListEntry.id)
    assert {enquiry.why for enquiry in enquiries()} == {Enquiry.YEARLY}


def test_an_entry_that_is_not_needed_ends_the_day_after_the_answer(monday: datetime, on_day: Day) -> None:
    before = versions()
    ask(on_day(LATER))
    token = link_of("office06@example.cn")
    department, (asked,) = use_list_watch.enquiries_of_token(token)
    assert (department, asked.item_code, asked.keep) == (OFFICE, ITEM, None)
    assert use_list_watch.answer_by_link(token, {asked.number: False}) == 1
    assert len(seen(LATER)) == 1
    assert seen(LATER + timedelta(days=1)) == []
    assert versions()[: len(before)] == before
    assert use_list_watch.answer_by_link(token, {asked.number: False}) == 0
    with pytest.raises(RefusalError, match="已答复“不再需要”"):
        use_list_watch.answer_by_link(token, {asked.number: True})


def test_a_department_answers_only_what_it_was_asked(monday: datetime, on_day: Day) -> None:
    ask(on_day(LATER))
    (mine,) = use_list_watch.enquiries_of_token(link_of("office06@example.cn"))[1]
    with pytest.raises(InputError, match="没有向本部门询问过"):
        use_list_watch.answer_by_link(link_of("office02@example.cn"), {mine.number: False})
    with pytest.raises(InputError, match="没有向本部门询问过"):
        use_list_watch.answer_as_department(uscc(OTHER), {mine.number: False}, "KQ-ZRZY")
    with pytest.raises(InputError, match="没有选择"):
        use_list_watch.answer_by_link(link_of("office06@example.cn"), {})
    with pytest.raises(LookupError, match="链接无效"):
        use_list_watch.answer_by_link("x", {mine.number: False})
    assert len(seen(LATER + timedelta(days=1))) == 1


def test_what_is_not_answered_in_time_is_left_to_staff_once(monday: datetime, on_day: Day) -> None:
    ask(on_day(LATER))
    assert use_list_watch.report_unanswered(on_day(date(2026, 7, 14))) == 0
    for _ in range(2):
        assert use_list_watch.report_unanswered(on_day(date(2026, 7, 15))) == 8
    with reading() as session:
        tasks = session.scalars(select(StaffTask.what)).all()
    assert len(tasks) == 8
    assert any(OFFICE in what and "1个条目" in what for what in tasks)


def test_an_entry_that_was_ended_meanwhile_needs_no_answer(monday: datetime, on_day: Day) -> None:
    ask(on_day(LATER))
    approved(END)
    assert not use_list_watch.enquiries_of_token(link_of("office06@example.cn"))[1][0].listed
    assert use_list_watch.report_unanswered(on_day(date(2026, 7, 15))) == 7


# 清单外的用证


def refuse(at: datetime, times: int = 1, department: str = OFFICE, article: int = 9) -> None:
    detail = {"department": uscc(department), "item": ITEM, "type": MARRIAGE, "article": article, "why": "不在清单内"}
    with transaction() as session:
        for _ in range(times):
            record(session, "certificate:extract:refused", None, "KQ-MZ", at, **detail)


def test_refused_uses_of_yesterday_are_reported_to_staff(monday: datetime, on_day: Day) -> None:
    refuse(monday, 2)
    refuse(monday, 1, OTHER, 13)
    with transaction() as session:
        # Other things are refused as well, and have nothing to do with a use.
        record(session, "case:initial-review:refused", None, "KQ001", monday, turn=1, refusal="理由至少5个字")
    tuesday = on_day(TUESDAY)
    refuse(tuesday)
    report = use_list_watch.report_refusals(tuesday)
    assert report is not None
    assert f"| {MONDAY} | {OFFICE} | {ITEM} | 结婚证 | 第9条 | 2 |" in report
    assert f"| {MONDAY} | {OTHER} | {ITEM} | 结婚证 | 第13条 | 1 |" in report
    assert str(TUESDAY) not in report
    assert use_list_watch.report_refusals(tuesday) is None
    assert count(StaffTask.id) == 0


def test_a_monday_reports_the_weekend(monday: datetime, on_day: Day) -> None:
    use_list_watch.report_refusals(on_day(date(2026, 3, 6)))
    refuse(on_day(date(2026, 3, 6)))
    refuse(on_day(date(2026, 3, 8)))
    report = use_list_watch.report_refusals(on_day(date(2026, 3, 9)))
    assert report is not None
    assert "2026-03-06至2026-03-08" in report
    assert report.count("第9条") == 2


def test_a_department_that_is_refused_often_on_a_day_is_left_to_staff(monday: datetime, on_day: Day) -> None:
    refuse(monday, REFUSED_USES.value)
    refuse(monday, REFUSED_USES.value - 1, OTHER)
    use_list_watch.report_refusals(on_day(TUESDAY))
    with reading() as session:
        what = session.scalars(select(StaffTask.what)).one()
    assert OFFICE in what
    assert f"{REFUSED_USES.value}次" in what


def test_a_day_without_refusals_says_so(monday: datetime) -> None:
    assert "没有被拒的用证" in (use_list_watch.report_refusals(monday) or "")
