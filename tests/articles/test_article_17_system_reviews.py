"""第十七条：新建涉及行政许可、备案和公共服务事项的部门信息系统，未明确电子证照签发、使用和共享等建设内容的，综合管理单位不予评审。"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case, Deadline
from models.findings import Finding
from models.notices import OutgoingNotice
from models.records import AuditEntry
from models.system_reviews import PromisedEntry, SystemReview, SystemReviewVersion
from regulation.limits import (
    GO_LIVE_AHEAD,
    GO_LIVE_SILENCE,
    PERSONS_AT_SCALE,
    PROVISION_LENGTH,
    SYSTEM_REVIEW,
    SYSTEM_SUPPLEMENT,
)
from regulation.stages import TransitionError
from regulation.system_reviews import (
    GATE,
    RULES,
    STAGES,
    Stage,
    broken_promises,
    gaps,
    outside_because,
    says_something,
    stage_after_gate,
)
from regulation.use_lists import Terms
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, NotFoundError, RefusalError, in_chinese
from tasks.audit import record
from tasks.desk.sheets import sheet_of
from tasks.register.types import type_named
from tasks.system_reviews import go_live as go_live_check
from tasks.system_reviews import steps as system_reviews
from tasks.system_reviews.questions import MaterialReceived, SystemReviewOpinion
from tasks.system_reviews.standing import go_live, standing_of_review, standings
from tasks.system_reviews.submissions import GoLiveForm, SystemReviewForm
from tasks.use_list import standing as use_lists
from tests.conftest import Clerk, read_at_desk

Day = Callable[[date], datetime]

MONDAY = date(2026, 3, 2)
LIVE = date(2026, 6, 1)
"""A Monday."""
GRACE_ENDS = date(2026, 6, 15)
MARKET = sample_catalogue.DEPARTMENTS[0]
CIVIL = sample_catalogue.DEPARTMENTS[5]
PRIVATE = {"contact_name": "钱云舒", "contact_phone": "0575-84120099", "contact_email": "qian@example.cn"}


def said(text: str, chapter: str = "第三章") -> dict[str, str]:
    return {"text": text, "chapter": chapter}


PROJECT: dict[str, Any] = {
    "project_name": "食品经营智慧监管系统",
    "project_code": "2603-330603-04-01-100001",
    "construction": "新建",
    "items": [
        {"item_code": "330603-SCJG-101", "item_name": "食品经营许可", "handles": "行政许可"},
        {
            "item_code": "330603-SCJG-102",
            "item_name": "数据统计",
            "handles": "其他",
        },
    ],
    "issuing": said("许可办结后签发食品经营许可证电子证照，签发数据当日归集到区电子证照系统。"),
    "using": said("受理环节提取营业执照的名称和住所，审查环节核验法定代表人身份证。"),
    "sharing": said("本系统签发的许可证通过区共享平台提供给综合行政执法局查询。"),
    "no_paper": said("受理页面不再设置营业执照和身份证的上传栏，窗口不再收取复印件。", "第四章"),
    "presentation": said("现场检查时经营者可以出示亮证码，由检查人员核验。", "第四章"),
    "archiving": said("办结归档时通过用证接口取得存档副本，不保存截图、扫描件。", "第五章"),
    "logging": said("经办人员实名登录，用证的人、时间、事项、用途逐次记录并留存三年。", "第六章"),
    "uses": [
        {
            "item_code": "330603-SCJG-101",
            "certificate_type": "营业执照",
            "scenario": "窗口受理",
            "fields": ["住所", "名称"],
            "holder_alone": True,
        },
        {
            "item_code": "330603-SCJG-101",
            "certificate_type": "残疾人证",
            "scenario": "窗口受理",
            "fields": ["姓名"],
        },
    ],
    "access": "用证接口",
    "security_level": "第三级",
    "persons": 120_000,
    "go_live_on": str(LIVE),
    **PRIVATE,
}


def project(**changed: object) -> dict[str, Any]:
    return deepcopy(PROJECT) | changed


def form(**changed: object) -> SystemReviewForm:
    return SystemReviewForm.model_validate(project(**changed))


@pytest.fixture
def monday(clerk: Clerk, on_day: Day) -> datetime:
    return on_day(MONDAY)


def submit(key: str = "1", department: str = MARKET, **changed: object) -> Clerk:
    """A submission after the gate."""
    case_no = system_reviews.submit_for_department(form(**changed), department, key, "KQ-SCJG")
    if Clerk(case_no).stage() == Stage.SUBMITTED:
        system_reviews.pass_gate.run(case_no)
    return Clerk(case_no)


def passed(key: str = "1", **changed: object) -> Clerk:
    case = submit(key, **changed)
    assert case.answer(SystemReviewOpinion, verdict="评审通过") is None
    system_reviews.give_reference.run(case.case_no)
    return case


def told(notice: str) -> dict[str, dict[str, Any]]:
    """The notices of a kind by their addresses."""
    with reading() as session:
        rows = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == notice)).all()
    return {row.recipient: row.context for row in rows}


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0


# 哪些项目属于评审范围


@pytest.mark.parametrize("handles", ["行政许可", "备案", "公共服务"])
def test_a_new_system_for_permits_filings_or_public_services_is_within_article_17(handles: str) -> None:
    items = project()["items"]
    items[0]["handles"] = handles
    assert outside_because(form(items=items).plan()) is None


def test_a_system_for_other_matters_and_one_that_is_not_new_are_outside() -> None:
    items = [item | {"handles": "其他"} for item in project()["items"]]
    assert "都不是行政许可" in (outside_because(form(items=items).plan()) or "")
    assert "不是新建系统" in (outside_because(form(construction="升级改造").plan()) or "")
    # What is outside is not asked for anything.
    empty = form(items=items, issuing={}, uses=[])
    assert stage_after_gate(empty.plan()) == (Stage.OUTSIDE, ())


def test_an_outside_project_is_recorded_told_and_closed(monday: datetime) -> None:
    case = submit(construction="运行维护")
    assert case.stage() == Stage.OUTSIDE
    assert set(told("system-outside")) == {PRIVATE["contact_email"], "office01@example.cn", "liaison01@example.cn"}
    assert told("system-not-reviewed") == {}
    with reading() as session:
        assert session.get_one(Case, case.case_no).closed_at is not None
    # It may come again: perhaps it was filled in wrongly.
    assert submit("2").stage() == Stage.IN_REVIEW


# 缺什么，不予评审

ITEM = PROJECT["items"][0]
ALONE = [use | {"holder_alone": False} for use in PROJECT["uses"]]
LONG_ENOUGH = "一二三四五六七八九十甲乙丙丁戊"
"""As many letters as a provision needs."""

GAPS: list[tuple[str, int, dict[str, Any], dict[str, Any]]] = [
    ("issuing", 17, {"issuing": {}}, {"issuing": said(LONG_ENOUGH)}),
    (
        "issuing",
        17,
        {"issuing": said(LONG_ENOUGH[:-1])},
        {"issuing": said("不签发证照：只受理备案信息，结果不产生证照。")},
    ),
    ("issuing", 17, {"issuing": said(LONG_ENOUGH, "")}, {"issuing": said(LONG_ENOUGH, "三")}),
    ("using", 17, {"using": said("待定" * 20)}, {"using": said(LONG_ENOUGH)}),
    ("sharing", 17, {"sharing": said("。" * 40)}, {"sharing": said(LONG_ENOUGH)}),
    ("own-copies", 6, {"own_copies": True}, {"own_copies": False}),
    (
        "access",
        6,
        {"access": "其他方式", "access_reason": "不便"},
        {"access": "其他方式", "access_reason": "上级统建系统，只能由省级平台转接用证接口。"},
    ),
    ("no-paper", 8, {"no_paper": {}}, {"no_paper": said(LONG_ENOUGH)}),
    (
        "use-list",
        9,
        {"items": [ITEM, ITEM | {"item_code": "330603-SCJG-103", "handles": "备案"}]},
        {
            "items": [
                ITEM,
                ITEM
                | {
                    "item_code": "330603-SCJG-103",
                    "without": "只登记企业承诺，不核对任何证照信息。",
                },
            ]
        },
    ),
    (
        "use-list",
        9,
        {"items": [ITEM, ITEM | {"item_code": "330603-SCJG-103", "without": "无"}]},
        {"items": [ITEM, ITEM | {"item_code": "330603-SCJG-103", "handles": "其他"}]},
    ),
    ("presentation", 10, {"uses": ALONE, "presentation": {}}, {"uses": ALONE, "presentation": said(LONG_ENOUGH)}),
    ("presentation", 10, {"uses": ALONE, "presentation": said("无")}, {"presentation": {}}),
    ("archiving", 11, {"archiving": said("见方案")}, {"archiving": said(LONG_ENOUGH)}),
    ("logging", 14, {"logging": {}}, {"logging": said(LONG_ENOUGH)}),
    ("level", 15, {"security_level": "未定级"}, {"security_level": "第三级"}),
    (
        "level-at-scale",
        15,
        {"security_level": "第二级", "persons": PERSONS_AT_SCALE.value},
        {"security_level": "第二级", "persons": PERSONS_AT_SCALE.value - 1},
    ),
]


def test_every_rule_of_the_gate_is_tried_here() -> None:
    assert {code for code, *_ in GAPS} == {rule.code for rule in GATE}
    assert len(LONG_ENOUGH) == PROVISION_LENGTH.value


def test_a_plan_that_says_everything_lacks_nothing() -> None:
    assert gaps(form().plan()) == ()


@pytest.mark.parametrize(("code", "article", "fires", "near_miss"), GAPS)
def test_each_gap_fires_alone_and_not_at_the_near_miss(
    code: str, article: int, fires: dict[str, Any], near_miss: dict[str, Any]
) -> None:
    (gap,) = gaps(form(**fires).plan())
    (rule,) = (rule for rule in GATE if rule.code == code)
    assert (gap.article, gap.write, rule.article) == (article, rule.write, article)
    assert re.search("[一-鿿]", gap.what)
    assert gaps(form(**near_miss).plan()) == ()


def test_a_project_that_uses_no_certificate_for_good_reason_is_not_asked_how_it_uses_them() -> None:
    items = [ITEM | {"without": "办理依据是现场勘验记录，不核对任何证照信息。"}]
    nothing = {"no_paper": {}, "presentation": {}, "archiving": {}}
    assert gaps(form(items=items, uses=[], **nothing).plan()) == ()


def test_words_that_say_nothing_are_nothing_however_many() -> None:
    assert not says_something("按要求建设，详见方案；" * 10)
    assert says_something("按要求建设：" + LONG_ENOUGH)


def test_what_provides_for_nothing_is_not_reviewed_and_told_what_is_missing_article_by_article(
    monday: datetime,
) -> None:
    case = submit(issuing={}, using={}, sharing={}, logging={})
    assert case.stage() == Stage.NOT_REVIEWED
    notice = told("system-not-reviewed")[PRIVATE["contact_email"]]
    assert [gap["article"] for gap in notice["gaps"]] == [17, 17, 17, 14]
    assert (notice["recipient"], notice["project"]) == ("钱*舒", PROJECT["project_name"])
    # Refusing to review is not failing a review: in words, in states, in what a program reads.
    assert told("system-review-failed") == {}
    answer = standing_of_review(MARKET, case.case_no)
    assert (answer["stage"], answer["stage_code"], answer["opinion"]) == ("不予评审", "not-reviewed", None)
    assert [gap["what"] for gap in answer["gaps"]] == [gap["what"] for gap in notice["gaps"]]
    with reading() as session:
        deadline = session.scalars(select(Deadline).where(Deadline.case_no == case.case_no)).one()
        assert (deadline.limit_code, deadline.met_on) == (SYSTEM_REVIEW.code, MONDAY)
        assert session.get_one(Case, case.case_no).closed_at is not None
    timeline = " ".join(what for _, what in sheet_of(case.case_no).timeline)
    assert "不予评审（建设内容4处没有明确）" in timeline


def test_the_gate_decides_once(monday: datetime) -> None:
    case = submit()
    assert system_reviews.pass_gate.run(case.case_no) == Stage.IN_REVIEW
    assert count(OutgoingNotice.id) == len(told("system-review-registered")) + 1
    for now, to in (
        (Stage.IN_REVIEW, Stage.NOT_REVIEWED),
        (Stage.NOT_REVIEWED, Stage.FAILED),
        (Stage.SUPPLEMENT, Stage.PASSED),
    ):
        with pytest.raises(TransitionError):
            STAGES.check(now, to)


# 再次提交


def test_a_project_that_was_not_reviewed_comes_again_as_a_new_version_linked_to_the_one_before(
    monday: datetime, on_day: Day
) -> None:
    first = submit(sharing={}, archiving={})
    on_day(MONDAY + timedelta(days=3))
    second = submit("2", archiving={})
    third = submit("3", persons=90_000)
    assert [case.stage() for case in (first, second, third)] == ["不予评审", "不予评审", "评审中"]
    assert [(row["version"], row["previous_case_no"]) for row in standings(MARKET)] == [
        (3, second.case_no),
        (2, first.case_no),
        (1, None),
    ]
    lines = dict(sheet_of(third.case_no).lines)
    assert lines["与第2版相比"] == "改动2项：存档副本、个人信息人数（前后内容见完整内容）"
    full = dict(read_at_desk(third.case_no, "KQ004").lines)
    assert full["与第2版相比：个人信息人数"] == "原：约120000人\n现：约90000人"
    assert full["与第2版相比：存档副本"].startswith("原：无\n现：办结归档时")


def test_what_comes_again_unchanged_is_not_registered(monday: datetime) -> None:
    submit(sharing={})
    with pytest.raises(RefusalError, match="与第1版（PS-2026-000001）完全相同"):
        submit("2", sharing={})
    assert count(SystemReviewVersion.version) == 1


def test_the_same_submission_again_is_the_same_case(monday: datetime) -> None:
    def register(_: int) -> str:
        return system_reviews.submit_for_department(form(), MARKET, "1", "KQ-SCJG")

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(register, range(4))) == {"PS-2026-000001"}
    assert count(SystemReview.case_no) == count(SystemReviewVersion.version) == 1


def test_a_project_that_is_reviewed_or_was_passed_does_not_come_again(monday: datetime) -> None:
    case = submit()
    with pytest.raises(RefusalError, match=f"正在评审（{case.case_no}）"):
        submit("2", persons=5)
    assert case.answer(SystemReviewOpinion, verdict="评审通过") is None
    system_reviews.give_reference.run(case.case_no)
    with pytest.raises(RefusalError, match="已经评审通过"):
        submit("3", persons=5)


def test_another_department_s_project_of_the_same_code_is_another_project(monday: datetime) -> None:
    submit()
    assert submit("2", CIVIL).stage() == Stage.IN_REVIEW
    assert [row["version"] for row in standings(CIVIL)] == [1]


# 填写有误的


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"uses": [PROJECT["uses"][0] | {"certificate_type": "良民证"}]}, "证照目录中没有证照类型“良民证”"),
        ({"uses": [PROJECT["uses"][0] | {"fields": ["血型"]}]}, "“营业执照”没有字段“血型”"),
        ({"uses": [PROJECT["uses"][0] | {"item_code": "X-1"}]}, "不在本项目的事项中"),
        ({"uses": [PROJECT["uses"][0]] * 2}, "第2行与第1行重复"),
        ({"items": [ITEM, ITEM]}, "列了不止一次"),
        ({"go_live_on": str(MONDAY - timedelta(days=1))}, "已过"),
        ({"go_live_on": str(MONDAY + timedelta(days=GO_LIVE_AHEAD.value + 1))}, "过于久远"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_kept(monday: datetime, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        submit(**wrong)
    assert count(Case.case_no) == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"items": []}, "事项至少1项"),
        ({"items": [ITEM | {"handles": "许可"}]}, "事项第1行的事项性质只能是"),
        ({"uses": [{"item_code": "A-1"}]}, "用证条目第1行的证照类型未填写"),
        ({"issuing": {"chapter": "x" * 61}}, "签发的方案章节不能超过60个字"),
        ({"contact_email": "x"}, "联系邮箱格式不对"),
        ({"result": "通过"}, "result没有这一项"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        form(**wrong)
    assert words in in_chinese(error.value, SystemReviewForm)


def test_a_department_that_is_not_known_submits_nothing(monday: datetime) -> None:
    with pytest.raises(InputError, match="没有名为"):
        submit(department="某局")


# 评审


def test_staff_are_told_of_what_passed_the_gate_only_and_see_what_to_judge(monday: datetime) -> None:
    submit(sharing={})
    assert told("case-assigned") == {}
    case = submit("2", access="其他方式", access_reason="上级统建系统，只能由省级平台转接用证接口。")
    assert len(told("case-assigned")) == 1
    sheet = sheet_of(case.case_no)
    assert sheet.run_name == f"系统评审 {case.case_no} · {PROJECT['project_name']} · 评审中"
    assert "第六条：不通过用证接口使用电子证照" in sheet.table()
    with reading() as session:
        due = session.scalars(select(Deadline.due_on).where(Deadline.case_no == case.case_no)).one()
    assert due == date(2026, 3, 16)


def test_a_passed_project_gets_the_next_reference_and_is_told_what_to_propose(monday: datetime) -> None:
    first = passed()
    second = passed("2", project_code="P-2")
    submit("3", project_code="P-3", sharing={})
    third = passed("4", project_code="P-4")
    numbers = [standing_of_review(MARKET, case.case_no)["reference"] for case in (first, second, third)]
    assert [number[:14] for number in numbers] == [f"PY-2026-00000{place}" for place in (1, 2, 3)]
    assert len({number[15:] for number in numbers}) == 3
    notice = told("system-review-passed")["office01@example.cn"]
    assert [(line["certificate"], line["scenario"]) for line in notice["promised"]] == [
        ("营业执照", "窗口受理"),
        ("残疾人证", "窗口受理"),
    ]
    assert notice["use_list"].endswith("/api/v1/use-list/proposals")
    promised = standing_of_review(MARKET, first.case_no)["promised"]
    assert [line["listed"] for line in promised] == [False, False]
    # Fields are kept as they stand on the face, whatever they were called.
    assert promised[0]["fields"] == ["holder", "address"]


def test_a_reference_is_verified_and_a_forged_one_is_not(monday: datetime) -> None:
    case = passed()
    given = standing_of_review(MARKET, case.case_no)["reference"]
    found = system_reviews.behind_reference(f" {given.lower()} ")
    assert (found.department, found.project_name, found.result, found.passed_on) == (
        MARKET,
        PROJECT["project_name"],
        "评审通过",
        MONDAY,
    )
    other = given[:-1] + ("0" if given[-1] != "0" else "1")
    for forged in (other, given[:14], given.replace("000001", "000002"), "", "PY-2026-000001-" + "Z" * 10, "\0"):
        with pytest.raises(NotFoundError, match="没有出具过"):
            system_reviews.behind_reference(forged)


def test_giving_the_reference_twice_gives_one(monday: datetime) -> None:
    case = passed()
    again = system_reviews.give_reference.run(case.case_no)
    assert again == standing_of_review(MARKET, case.case_no)["reference"]
    assert count(PromisedEntry.line) == 2


def test_what_fails_is_told_why_and_may_come_again(monday: datetime) -> None:
    case = submit()
    assert "至少5个字" in (case.answer(SystemReviewOpinion, verdict="评审不通过", text="不行") or "")
    assert case.answer(SystemReviewOpinion, verdict="评审不通过", text="共享范围超出职能。") is None
    system_reviews.fail_review.run(case.case_no)
    assert case.stage() == Stage.FAILED
    assert told("system-review-failed")["office01@example.cn"]["reason"] == "共享范围超出职能。"
    assert told("system-not-reviewed") == {}
    answer = standing_of_review(MARKET, case.case_no)
    assert (answer["stage_code"], answer["gaps"], answer["reference"]) == ("failed", [], None)
    assert submit("2", persons=5).stage() == Stage.IN_REVIEW


def test_material_comes_as_a_new_version_of_the_same_case(monday: datetime, on_day: Day) -> None:
    case = submit()
    assert case.answer(SystemReviewOpinion, verdict="补充材料", text="请写明共享给哪些部门。") is None
    system_reviews.request_material.run(case.case_no)
    assert case.stage() == Stage.SUPPLEMENT
    assert told("system-material-requested")["office01@example.cn"]["what"] == "请写明共享给哪些部门。"
    with reading() as session:
        running = session.scalars(select(Deadline).where(Deadline.case_no == case.case_no, Deadline.running)).one()
    assert (running.limit_code, running.due_on) == (SYSTEM_SUPPLEMENT.code, date(2026, 3, 16))
    on_day(MONDAY + timedelta(days=2))
    with pytest.raises(InputError, match="第17条：方案没有明确电子证照的共享"):
        submit("2", sharing={})
    with pytest.raises(InputError, match="不是新建系统"):
        submit("2", construction="升级改造")
    assert submit("2", sharing=said("通过区共享平台提供给综合行政执法局、卫生健康局查询。")).case_no == case.case_no
    with pytest.raises(RefusalError, match="已有答复"):
        submit("3", persons=7)
    system_reviews.take_material.run(case.case_no)
    assert case.stage() == Stage.IN_REVIEW
    assert "改动1项：共享" in dict(sheet_of(case.case_no).lines)["与第1版相比"]
    with reading() as session:
        running = session.scalars(select(Deadline).where(Deadline.case_no == case.case_no, Deadline.running)).one()
    assert (running.limit_code, running.turn, running.due_on) == (SYSTEM_REVIEW.code, 2, date(2026, 3, 18))
    assert case.answer(SystemReviewOpinion, turn=2, verdict="评审通过") is None
    system_reviews.give_reference.run(case.case_no, 2)
    assert standing_of_review(MARKET, case.case_no)["version"] == 2


def test_staff_may_go_on_without_material(monday: datetime) -> None:
    case = submit()
    assert case.answer(SystemReviewOpinion, verdict="补充材料", text="请写明共享给哪些部门。") is None
    system_reviews.request_material.run(case.case_no)
    assert "写明收到什么" in (case.answer(MaterialReceived, kind="已收到补充材料") or "")
    assert case.answer(MaterialReceived, kind="不再等待，按现有材料评审") is None
    system_reviews.take_material.run(case.case_no)
    assert case.stage() == Stage.IN_REVIEW


# 个人信息


def test_whom_to_call_stands_in_no_sheet_record_or_plain_column(monday: datetime) -> None:
    case = passed()
    shown = sheet_of(case.case_no).table() + sheet_of(case.case_no).timeline_table()
    with reading() as session:
        shown += " ".join(str(entry.detail) for entry in session.scalars(select(AuditEntry)))
        raw = session.connection().exec_driver_sql("SELECT given FROM system_review_versions").all()
    for value in PRIVATE.values():
        assert value not in shown
        assert value not in str(raw)
    # Free words of the plan stay behind the signature; they might name anybody.
    assert PROJECT["logging"]["text"] not in shown


# 上线


def report(case: Clerk, kind: str, on: date, department: str = MARKET) -> None:
    go_live(department, case.case_no, GoLiveForm.model_validate({"kind": kind, "on": str(on)}), "KQ-SCJG")


def uscc(name: str = MARKET) -> str:
    return samples.department_code(samples.DEFAULT_SEED, name)


def put_on_list(kind: str, scenario: str = "窗口受理", item: str = "330603-SCJG-101", from_on: date = MONDAY) -> int:
    with transaction() as session:
        type_code = type_named(session, kind).code
        which = use_lists.Identity(uscc(), item, type_code, scenario)
        terms = Terms("食品经营许可", ("holder",), True, False)
        return use_lists.put_version(session, which, terms, from_on, clock.now(), None)


def use(entry: int, kind: str, on: date, **more: object) -> None:
    with transaction() as session:
        matter = {
            "item": "330603-SCJG-101",
            "type": type_named(session, kind).code,
            "entry": entry,
        }
        at = datetime.combine(on, datetime.min.time(), clock.SHANGHAI)
        record(session, "certificate:extract:answered", None, "KQ-SCJG", at, department=uscc(), **matter, **more)


def found_on(at: datetime) -> dict[str, list[str]]:
    """What the check finds, as open findings by rule."""
    go_live_check.check_promises(at)
    open_ones: dict[str, list[str]] = {}
    with reading() as session:
        for finding in session.scalars(select(Finding).where(Finding.cleared_on.is_(None)).order_by(Finding.subject)):
            open_ones.setdefault(finding.rule, []).append(finding.subject)
    return open_ones


LICENCE = "330603-SCJG-101 营业执照（窗口受理）"
DISABLED = "330603-SCJG-101 残疾人证（窗口受理）"


def test_a_department_reports_going_live_or_another_day(monday: datetime, on_day: Day) -> None:
    case = passed()
    refused = submit("2", project_code="P-2", sharing={})
    with pytest.raises(RefusalError, match="没有评审通过"):
        report(refused, "已上线", MONDAY)
    with pytest.raises(NotFoundError):
        report(case, "已上线", MONDAY, CIVIL)
    with pytest.raises(InputError, match="还没有到"):
        report(case, "已上线", MONDAY + timedelta(days=1))
    with pytest.raises(InputError, match="早于评审通过"):
        report(case, "已上线", MONDAY - timedelta(days=1))
    with pytest.raises(InputError, match="已过"):
        report(case, "改期", MONDAY - timedelta(days=1))
    report(case, "改期", LIVE + timedelta(days=7))
    on_day(LIVE)
    for _ in range(2):
        report(case, "已上线", LIVE)
    with pytest.raises(RefusalError, match="已登记"):
        report(case, "改期", LIVE + timedelta(days=30))
    answer = standing_of_review(MARKET, case.case_no)
    assert (answer["go_live_on"], answer["live_on"]) == (str(LIVE + timedelta(days=7)), str(LIVE))
    assert [what for _, what in sheet_of(case.case_no).timeline][-2:] == [
        "计划上线由2026-06-01改为2026-06-08",
        "部门报告2026-06-01上线",
    ]


def test_before_going_live_the_department_is_reminded_once_for_each_planned_day(monday: datetime, on_day: Day) -> None:
    passed()
    put_on_list("营业执照")
    # Fifteen working days from Monday 11 May reach to Monday 1 June.
    assert go_live_check.remind_before_go_live(on_day(date(2026, 5, 8))) == 0
    assert go_live_check.remind_before_go_live(on_day(date(2026, 5, 11))) == 1
    assert go_live_check.remind_before_go_live(on_day(date(2026, 5, 12))) == 0
    notice = told("go-live-near")["office01@example.cn"]
    assert [line["certificate"] for line in notice["missing"]] == ["残疾人证"]
    case = Clerk("PS-2026-000001")
    report(case, "改期", date(2026, 5, 28))
    assert go_live_check.remind_before_go_live(on_day(date(2026, 5, 13))) == 1
    on_day(date(2026, 5, 20))
    report(case, "已上线", date(2026, 5, 20))
    assert go_live_check.remind_before_go_live(on_day(date(2026, 5, 21))) == 0


def test_a_promised_line_that_is_not_on_the_list_is_found_after_the_days_of_grace(
    monday: datetime, on_day: Day
) -> None:
    passed()
    put_on_list("营业执照", from_on=LIVE)
    put_on_list("残疾人证", scenario="网上受理")
    assert found_on(on_day(GRACE_ENDS - timedelta(days=1))) == {}
    assert found_on(on_day(GRACE_ENDS)) == {"go-live-not-listed": [DISABLED]}
    with reading() as session:
        finding = session.scalars(select(Finding)).one()
        assert (finding.source, finding.department_uscc) == ("上线核对", uscc())
        assert "“食品经营智慧监管系统”2026-06-01上线" in finding.facts
        assert finding.case_no == "ZG-2026-000001"
    # Found again, it is the same; put on the list, it is gone.
    assert found_on(on_day(GRACE_ENDS + timedelta(days=1))) == {"go-live-not-listed": [DISABLED]}
    assert count(Finding.id) == 1
    put_on_list("残疾人证", from_on=GRACE_ENDS + timedelta(days=2))
    assert found_on(on_day(GRACE_ENDS + timedelta(days=2))) == {}


def test_a_line_that_was_there_when_the_grace_ended_was_kept(monday: datetime, on_day: Day) -> None:
    passed(uses=PROJECT["uses"][:1])
    entry = put_on_list("营业执照")
    use(entry, "营业执照", LIVE)
    later = on_day(GRACE_ENDS + timedelta(days=30))
    with transaction() as session:
        which = use_lists.Identity(uscc(), "330603-SCJG-101", type_named(session, "营业执照").code, "窗口受理")
        use_lists.end_entry(session, which, Terms("食品经营许可", ("holder",), True, False), later.date(), later, None)
    assert found_on(on_day(GRACE_ENDS + timedelta(days=31))) == {}


def test_a_certificate_that_is_never_used_is_found_where_others_of_its_item_are(monday: datetime, on_day: Day) -> None:
    passed()
    licence, disabled = put_on_list("营业执照"), put_on_list("残疾人证")
    use(licence, "营业执照", LIVE - timedelta(days=1))
    use(disabled, "残疾人证", LIVE + timedelta(days=1), test=True)
    assert found_on(on_day(GRACE_ENDS)) == {}
    use(licence, "营业执照", GRACE_ENDS + timedelta(days=1))
    assert found_on(on_day(GRACE_ENDS + timedelta(days=2))) == {"go-live-certificate-unused": [DISABLED]}
    elsewhere = put_on_list("残疾人证", item="330603-SCJG-999")
    use(elsewhere, "残疾人证", GRACE_ENDS + timedelta(days=3))
    assert found_on(on_day(GRACE_ENDS + timedelta(days=3))) == {"go-live-certificate-unused": [DISABLED]}
    use(disabled, "残疾人证", GRACE_ENDS + timedelta(days=4))
    assert found_on(on_day(GRACE_ENDS + timedelta(days=4))) == {}


def test_an_item_that_uses_nothing_at_all_is_found_later(monday: datetime, on_day: Day) -> None:
    passed()
    put_on_list("营业执照")
    put_on_list("残疾人证")
    silent = LIVE + timedelta(days=GO_LIVE_SILENCE.value)
    assert found_on(on_day(silent - timedelta(days=1))) == {}
    assert found_on(on_day(silent)) == {"go-live-item-unused": ["330603-SCJG-101"]}


def test_the_reported_day_counts_not_the_planned_one(monday: datetime, on_day: Day) -> None:
    case = passed()
    on_day(LIVE - timedelta(days=3))
    report(case, "改期", LIVE + timedelta(days=30))
    assert found_on(on_day(GRACE_ENDS)) == {}
    report(case, "已上线", LIVE)
    assert found_on(on_day(GRACE_ENDS)) == {"go-live-not-listed": [DISABLED, LICENCE]}


def test_a_use_after_the_reported_day_counts_though_the_trail_was_looked_through_before(
    monday: datetime, on_day: Day
) -> None:
    case = passed()
    licence, disabled = put_on_list("营业执照"), put_on_list("残疾人证")
    found_on(on_day(GRACE_ENDS))
    use(licence, "营业执照", LIVE - timedelta(days=10))
    use(disabled, "残疾人证", LIVE - timedelta(days=10))
    report(case, "已上线", LIVE - timedelta(days=11))
    found_on(on_day(GRACE_ENDS + timedelta(days=1)))
    with reading() as session:
        assert session.scalars(select(PromisedEntry.used_on)).all() == [LIVE - timedelta(days=10)] * 2


def test_what_was_found_can_be_looked_at_again_by_a_program(monday: datetime, on_day: Day) -> None:
    passed()
    put_on_list("营业执照")
    found_on(on_day(GRACE_ENDS))
    assert set(go_live_check.RECHECKS) == {rule.code for rule in RULES if rule.rerun} == {rule.code for rule in RULES}
    with transaction() as session:
        finding = session.scalars(select(Finding)).one()
        again = go_live_check.RECHECKS[finding.rule](session, finding, GRACE_ENDS)
        assert again is not None
        assert "残疾人证" in again
    put_on_list("残疾人证")
    with transaction() as session:
        finding = session.scalars(select(Finding)).one()
        assert go_live_check.RECHECKS[finding.rule](session, finding, GRACE_ENDS) is None


def test_two_projects_that_promise_the_same_line_are_one_finding(monday: datetime, on_day: Day) -> None:
    passed()
    passed("2", project_code="P-2")
    assert found_on(on_day(GRACE_ENDS)) == {"go-live-not-listed": [DISABLED, LICENCE]}
    assert count(Finding.id) == 2


def test_nothing_promised_is_nothing_broken() -> None:
    assert broken_promises("某系统", [], LIVE, LIVE + timedelta(days=400)) == []
