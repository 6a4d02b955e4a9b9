"""Reviews of new systems over HTTP, against a real web process: submitted, followed and reported live by departments,
verified by whoever approves projects."""

import json
import re
from contextlib import closing
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from ezt.desk import Desk
from models.cases import Case
from models.system_reviews import SystemReviewVersion
from runtime import clock
from runtime.database import reading
from tasks.system_reviews import steps as system_reviews
from tasks.system_reviews.questions import SystemReviewOpinion
from tasks.system_reviews.standing import CODES
from tests.articles.test_article_17_system_reviews import MARKET, PRIVATE, project
from tests.conftest import ROOT, Clerk
from tests.interface.conftest import Caller, caller_of

URL, REFERENCES = "/api/v1/system-reviews", "/api/v1/system-review-references"
SOON = f"{clock.today().year + 1}-06-01"


def submission(number: str = "S-1", **changed: object) -> dict[str, Any]:
    return project(go_live_on=SOON, submission_no=number, **changed)


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0


@pytest.fixture
def civil(web: str) -> Caller:
    return caller_of(web, "KQ-MZ")


def gated(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    case_no: str = answer.json()["case_no"]
    system_reviews.pass_gate.run(case_no)
    return case_no


def passed(department: Caller) -> str:
    case_no = gated(department.post(URL, submission()))
    assert Clerk(case_no).answer(SystemReviewOpinion, verdict="评审通过") is None
    system_reviews.give_reference.run(case_no)
    return case_no


def test_the_same_submission_is_registered_once(department: Caller) -> None:
    first, second = (department.post(URL, submission()) for _ in range(2))
    assert first.status_code == 201, first.text
    assert first.json() == second.json()
    answer = first.json()
    assert answer["case_no"] == f"PS-{clock.today().year}-000001"
    assert (answer["stage"], answer["stage_code"], answer["version"]) == ("已收到", "submitted", 1)
    assert answer["due_on"] > str(clock.today())
    assert count(Case.case_no) == count(SystemReviewVersion.version) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"submission_no": ""}, "提交编号至少1个字"),
        ({"items": [{"item_code": "A-1", "item_name": "x", "handles": "许可"}]}, "事项第1行的事项性质只能是"),
        ({"uses": "营业执照"}, "用证条目"),
        ({"security_level": "三级"}, "等级保护级别只能是"),
        ({"persons": -1}, "个人信息人数"),
        ({"go_live_on": "2026-02-30"}, "计划上线日期"),
        ({"go_live_on": "9999-12-31"}, "过于久远"),
        ({"contact_phone": "无"}, "联系电话格式不对"),
        (
            {"uses": [{"item_code": "X-1", "certificate_type": "营业执照", "scenario": "窗口", "fields": ["名称"]}]},
            "不在本项目",
        ),
        ({"reviewed": True}, "没有这一项"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(department: Caller, changed: dict[str, Any], said: str) -> None:
    answer = department.post(URL, submission() | changed)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert count(Case.case_no) == 0


def test_nobody_else_submits_or_reads(web: str, department: Caller, civil: Caller) -> None:
    assert caller_of(web, "SX-DSJ").post(URL, submission()).status_code == 401
    assert httpx.post(web + URL, json=submission()).status_code == 401
    case_no = passed(department)
    assert civil.send("GET", f"{URL}/{case_no}").status_code == 404
    assert civil.post(f"{URL}/{case_no}/go-live", {"kind": "改期", "on": SOON}).status_code == 404
    assert civil.send("GET", URL).json() == {"system_reviews": []}
    # The same project code of another department is a project of its own, whose submissions are its own.
    other = civil.post(URL, submission())
    assert (other.status_code, other.json()["version"]) == (201, 1)


def test_a_department_follows_what_is_not_reviewed_to_the_version_that_is(department: Caller) -> None:
    first = gated(department.post(URL, submission(sharing={}, logging={"text": "待定"})))
    answer = department.send("GET", f"{URL}/{first}").json()
    assert (answer["stage"], answer["stage_code"], answer["reference"]) == ("不予评审", "not-reviewed", None)
    assert [gap["article"] for gap in answer["gaps"]] == [17, 14]
    assert all(gap["write"] for gap in answer["gaps"])
    unchanged = department.post(URL, submission("S-2", sharing={}, logging={"text": "待定"}))
    assert (unchanged.status_code, "完全相同" in unchanged.json()["detail"]) == (409, True)
    second = gated(department.post(URL, submission("S-2")))
    rows = department.send("GET", URL).json()["system_reviews"]
    assert [(row["case_no"], row["version"], row["stage_code"], row["previous_case_no"]) for row in rows] == [
        (second, 2, "in-review", first),
        (first, 1, "not-reviewed", None),
    ]
    being_reviewed = department.post(URL, submission("S-3", persons=5))
    assert (being_reviewed.status_code, second in being_reviewed.json()["detail"]) == (409, True)


def test_a_reference_is_verified_by_anybody_and_a_forged_one_by_nobody(web: str, department: Caller) -> None:
    case_no = passed(department)
    reference = department.send("GET", f"{URL}/{case_no}").json()["reference"]
    verified = httpx.get(f"{web}{REFERENCES}/{reference}")
    assert verified.json() == {
        "reference": reference,
        "project_name": project()["project_name"],
        "project_code": project()["project_code"],
        "department": MARKET,
        "result": "评审通过",
        "passed_on": str(clock.today()),
    }
    assert not any(value in verified.text for value in PRIVATE.values())
    for forged in (reference[:-1] + "X", reference[:14], reference.replace("-000001-", "-000002-"), case_no):
        answer = httpx.get(f"{web}{REFERENCES}/{forged}")
        assert (answer.status_code, "没有出具过" in answer.json()["detail"]) == (404, True)
        assert project()["project_name"] not in answer.text


def test_going_live_is_reported_or_moved(department: Caller) -> None:
    case_no = passed(department)
    moved = department.post(f"{URL}/{case_no}/go-live", {"kind": "改期", "on": f"{SOON[:4]}-07-01"})
    assert (moved.status_code, moved.json()["go_live_on"]) == (200, f"{SOON[:4]}-07-01")
    for wrong, status, said in (
        ({"kind": "停用", "on": SOON}, 422, "情况只能是"),
        ({"kind": "改期", "on": "2020-01-01"}, 422, "已过"),
        ({"kind": "已上线", "on": SOON}, 422, "还没有到"),
    ):
        answer = department.post(f"{URL}/{case_no}/go-live", wrong)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    live = department.post(f"{URL}/{case_no}/go-live", {"kind": "已上线", "on": str(clock.today())})
    assert (live.status_code, live.json()["live_on"]) == (200, str(clock.today()))
    again = department.post(f"{URL}/{case_no}/go-live", {"kind": "改期", "on": SOON})
    assert again.status_code == 409


def test_an_officer_reads_the_whole_plan_at_the_desk(web: str, department: Caller) -> None:
    case_no = gated(department.post(URL, submission()))
    with closing(Desk(None, web)) as desk:  # type: ignore[arg-type]
        page = desk.page(case_no, "KQ004")
    for words in (*PRIVATE.values(), project()["logging"]["text"], "第六章"):
        assert words in page


def test_what_the_guide_prints_passes_the_gate_and_every_stage_is_explained(department: Caller) -> None:
    guide = (
        (ROOT / "docs" / "interface.md").read_text(encoding="utf-8").partition("## 新建系统评审")[2].split("\n## ")[0]
    )
    (printed,) = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    case_no = gated(department.post(URL, json.loads(printed) | {"go_live_on": SOON}))
    assert Clerk(case_no).stage() == "评审中"
    for stage, code in CODES.items():
        assert f"| `{code}` | {stage} |" in guide
