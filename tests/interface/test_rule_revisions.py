"""Rules that stand in the way over HTTP (Article 16), against a real web process."""

import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from models.cases import Answer
from models.objections import Attachment
from models.rule_revisions import RuleRevision
from runtime import clock
from runtime.database import reading
from tasks.rule_revisions import steps as revisions
from tasks.rule_revisions.questions import RevisionConfirmation, RevisionReport
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of

REVISIONS = "/api/v1/rule-revisions"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"


def listing(**changed: object) -> dict[str, object]:
    given = {
        "submission_no": "L-1",
        "document": "窗口收件规程",
        "clause": "第三条",
        "article": 8,
        "why": "要求提交纸质原件。",
        "planned_on": str(clock.today() + timedelta(days=60)),
    }
    return given | changed


def reported(**changed: object) -> dict[str, object]:
    given = {
        "submission_no": "R-1",
        "document_no": "柯市监〔2026〕9号",
        "in_force_on": str(clock.today()),
        "attachments": [{"name": "修订后的规程.pdf", "content": base64.b64encode(PDF).decode()}],
    }
    return given | changed


@pytest.fixture
def case(department: Caller) -> Clerk:
    """A rule of the market supervision that is followed to its revision."""
    case = Clerk(department.post(REVISIONS, listing()).json()["case_no"])
    assert case.answer(RevisionConfirmation, verdict="确认") is None
    revisions.track_revision.run(case.case_no)
    return case


def kept() -> tuple[int, int]:
    """How many reports and files there are."""
    with reading() as session:
        answers = select(func.count(Answer.id)).where(Answer.question == RevisionReport.question)
        return session.scalar(answers) or 0, session.scalar(select(func.count(Attachment.id))) or 0


def test_a_department_lists_a_rule_and_the_same_submission_is_one_case(department: Caller) -> None:
    first, second = (department.post(REVISIONS, listing()) for _ in range(2))
    assert first.status_code == 201, first.text
    assert first.json() == second.json()
    assert first.json()["stage"] == "待确认"
    (listed,) = department.send("GET", REVISIONS).json()["rule_revisions"]
    assert (listed["document"], listed["why"], listed["may_report"]) == ("窗口收件规程", "要求提交纸质原件。", False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"document": ""}, "文件或流程名称"),
        ({"article": 20}, "妨碍本办法第几条"),
        ({"planned_on": "很快"}, "计划修订日期"),
        ({"planned_on": "2020-01-01"}, "计划修订日期应在"),
        ({"more": 1}, "没有这一项"),
    ],
)
def test_a_wrong_listing_is_refused_in_words(department: Caller, wrong: dict[str, Any], said: str) -> None:
    reply = department.post(REVISIONS, listing(**wrong))
    assert reply.status_code == 422
    assert said in reply.json()["detail"]
    assert department.send("GET", REVISIONS).json() == {"rule_revisions": []}


def test_a_report_with_its_proof_is_taken_once(department: Caller, case: Clerk) -> None:
    path = f"{REVISIONS}/{case.case_no}/report"
    replies = [department.post(path, reported()) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200], replies[0].text
    assert kept() == (1, 1)
    second = department.post(path, reported(submission_no="R-2"))
    assert second.status_code == 409
    assert "已经报告过" in second.json()["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"attachments": []},
        {"document_no": ""},
        {"in_force_on": "不日"},
        {"in_force_on": "2999-01-01"},
        {"in_force_on": "2020-01-01"},
        {"attachments": [{"name": "a.exe", "content": base64.b64encode(b"MZ\x90").decode()}]},
    ],
)
def test_a_report_without_proof_is_refused_whole(department: Caller, case: Clerk, wrong: dict[str, Any]) -> None:
    assert department.post(f"{REVISIONS}/{case.case_no}/report", reported(**wrong)).status_code == 422
    assert kept() == (0, 0)


def test_another_departments_rule_is_not_there(web: str, case: Clerk) -> None:
    stranger = caller_of(web, "KQ-MZ")
    assert stranger.send("GET", REVISIONS).json() == {"rule_revisions": []}
    assert stranger.send("GET", f"{REVISIONS}/{case.case_no}").status_code == 404
    assert stranger.post(f"{REVISIONS}/{case.case_no}/report", reported()).status_code == 404
    assert httpx.get(web + REVISIONS).status_code == 401
    assert kept() == (0, 0)


def test_the_page_behind_the_link_takes_the_report(web: str, case: Clerk) -> None:
    with reading() as session:
        page = f"{web}/rule-revisions/{session.get_one(RuleRevision, case.case_no).token}"
    assert "窗口收件规程" in httpx.get(page).text
    form = {"submission_no": "1" * 32, "document_no": "<b>9号", "in_force_on": str(clock.today())}
    bare = httpx.post(f"{page}/report", data=form)
    assert bare.status_code == 422
    assert "请附上修订后的文件" in bare.text
    assert "&lt;b&gt;9号" in bare.text
    wrong = httpx.post(f"{page}/report", data=form | {"in_force_on": "不日"}, files={"files": ("a.pdf", PDF)})
    assert wrong.status_code == 422
    assert "施行日期填写有误" in wrong.text
    for _ in range(2):
        done = httpx.post(f"{page}/report", data=form, files={"files": ("a.pdf", PDF)}, follow_redirects=True)
        assert "修订报告已收到" in done.text
    assert kept() == (1, 1)
    again = httpx.post(f"{page}/report", data=form | {"submission_no": "2" * 32}, files={"files": ("a.pdf", PDF)})
    assert again.status_code == 409


@pytest.mark.parametrize("token", ["nobody", "x" * 3000, "%00"])
def test_a_link_that_leads_nowhere_is_a_page(web: str, token: str) -> None:
    answer = httpx.get(f"{web}/rule-revisions/{token}")
    assert answer.status_code == 404
    assert "链接无效" in answer.text
