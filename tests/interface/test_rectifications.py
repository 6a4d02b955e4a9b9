"""Rectifications over HTTP (Article 17), against a real web process: answered by link and by departments' systems."""

import base64
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from ezt.samples import data as samples
from models.cases import Answer
from models.objections import Attachment
from models.organisations import Application
from models.rectifications import Rectification
from regulation.findings import Source
from runtime import clock
from runtime.database import reading, transaction
from tasks.desk.sheets import sheet_of
from tasks.rectifications import steps as rectifications
from tasks.rectifications.findings import Found, note_findings
from tasks.rectifications.questions import DepartmentResponse, FindingDecision
from tasks.rectifications.steps import finding_of
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of

RECTIFICATIONS = "/api/v1/rectifications"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
DONE = {"submission_no": "A-1", "text": "已经指定专人并报送备案。"}
MORE_TIME = {"submission_no": "E-1", "text": "系统正在改造。", "days": 3}


def ordered(key: str = "KQ-SCJG") -> Clerk:
    """A rectification of the department whose system has this key."""
    with transaction() as session:
        name = department_of(key)
        found = [Found("liaison-missing", samples.department_code(samples.DEFAULT_SEED, name), "", "没有在册的专人。")]
        (case_no,) = note_findings(session, Source.ONLINE, found, clock.now()).opened
    case = Clerk(case_no)
    assert case.answer(FindingDecision, decision="督促整改", severity="一般", days=10) is None
    rectifications.order_rectification.run(case_no)
    return case


def department_of(key: str) -> str:
    with reading() as session:
        return session.get_one(Application, key).speaks_for


@pytest.fixture
def case(web: str) -> Clerk:
    return ordered()


def page_of(web: str, case: Clerk) -> str:
    with reading() as session:
        return f"{web}/rectifications/{session.get_one(Rectification, case.case_no).token}"


def answers() -> int:
    with reading() as session:
        wanted = select(func.count(Answer.id)).where(Answer.question == DepartmentResponse.question)
        return session.scalar(wanted) or 0


def files() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attachment.name)))


def test_a_department_lists_and_follows_its_own(department: Caller, case: Clerk) -> None:
    (listed,) = department.send("GET", RECTIFICATIONS).json()["rectifications"]
    one = department.send("GET", f"{RECTIFICATIONS}/{case.case_no}").json()
    assert listed == one
    assert len(department.send("GET", f"{RECTIFICATIONS}?open=true").json()["rectifications"]) == 1
    assert (one["case_no"], one["stage"], one["article"], one["may_answer"]) == (case.case_no, "整改中", 13, True)
    assert one["facts"] == "没有在册的专人。"


def test_whom_it_is_about_is_said_to_the_department_alone(web: str, department: Caller, case: Clerk) -> None:
    assert department.send("GET", f"{RECTIFICATIONS}/{case.case_no}").json()["particulars"] == ""
    assert "具体指向" not in httpx.get(page_of(web, case)).text
    with transaction() as session:
        finding = finding_of(session, case.case_no)
        finding.particulars = "操作员·1a2b3c4d即工号SCJG-017。"
    with reading() as session:
        stored = session.scalar(text("SELECT particulars FROM findings"))
    assert "SCJG-017" not in stored
    assert department.send("GET", f"{RECTIFICATIONS}/{case.case_no}").json()["particulars"] == finding.particulars
    assert finding.particulars in httpx.get(page_of(web, case)).text
    assert not any("SCJG-017" in f"{name}{value}" for name, value in sheet_of(case.case_no).lines)


def test_what_nobody_has_decided_on_is_not_shown(web: str, department: Caller) -> None:
    with transaction() as session:
        uscc = samples.department_code(samples.DEFAULT_SEED, department_of("KQ-SCJG"))
        found = [Found("liaison-missing", uscc, "", "没有在册的专人。")]
        (case_no,) = note_findings(session, Source.ONLINE, found, clock.now()).opened
    assert department.send("GET", RECTIFICATIONS).json() == {"rectifications": []}
    assert department.send("GET", f"{RECTIFICATIONS}/{case_no}").status_code == 404


def test_an_answer_with_evidence_is_taken_once(department: Caller, case: Clerk) -> None:
    body = DONE | {"attachments": [{"name": "备案表.pdf", "content": base64.b64encode(PDF).decode()}]}
    replies = [department.post(f"{RECTIFICATIONS}/{case.case_no}/answer", body) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200], replies[0].text
    assert replies[1].json()["said"][0]["text"] == DONE["text"]
    assert replies[1].json()["may_answer"] is False
    assert (answers(), files()) == (1, ["备案表.pdf"])
    again = department.post(f"{RECTIFICATIONS}/{case.case_no}/answer", DONE | {"submission_no": "A-2"})
    assert again.status_code == 409
    assert "已经登记" in again.json()["detail"]


def test_another_departments_case_is_not_there(web: str, case: Clerk) -> None:
    stranger = caller_of(web, "KQ-MZ")
    assert stranger.send("GET", RECTIFICATIONS).json() == {"rectifications": []}
    for reply in (
        stranger.send("GET", f"{RECTIFICATIONS}/{case.case_no}"),
        stranger.post(f"{RECTIFICATIONS}/{case.case_no}/answer", DONE),
        stranger.post(f"{RECTIFICATIONS}/{case.case_no}/extension", MORE_TIME),
    ):
        assert reply.status_code == 404
        assert "没有本部门的" in reply.json()["detail"]
    assert answers() == 0


def test_who_does_not_sign_or_is_no_department_gets_nothing(web: str, case: Clerk) -> None:
    assert httpx.get(web + RECTIFICATIONS).status_code == 401
    assert caller_of(web, "SX-DSJ").send("GET", RECTIFICATIONS).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text": "好"}, "整改情况至少5个字"),
        ({"text": ""}, "整改情况"),
        ({"submission_no": ""}, "提交编号"),
        ({"more": 1}, "没有这一项"),
        ({"attachments": [{"name": "a.pdf", "content": "不是"}]}, "Base64"),
        ({"attachments": [{"name": "a.exe", "content": base64.b64encode(b"MZ\x90").decode()}]}, "a.exe"),
    ],
)
def test_a_wrong_answer_is_refused_whole(department: Caller, case: Clerk, wrong: dict[str, Any], said: str) -> None:
    reply = department.post(f"{RECTIFICATIONS}/{case.case_no}/answer", DONE | wrong)
    assert reply.status_code == 422
    assert said in reply.json()["detail"]
    assert (answers(), files()) == (0, [])


def test_an_extension_is_asked_for_once(department: Caller, case: Clerk) -> None:
    path = f"{RECTIFICATIONS}/{case.case_no}/extension"
    assert department.post(path, MORE_TIME | {"days": 30}).status_code == 422
    assert department.post(path, MORE_TIME | {"days": "很多"}).status_code == 422
    replies = [department.post(path, MORE_TIME) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert (replies[0].json()["may_extend"], replies[0].json()["may_answer"]) == (False, True)
    second = department.post(path, MORE_TIME | {"submission_no": "E-2"})
    assert (second.status_code, answers()) == (422, 1)
    assert "只能申请一次" in second.json()["detail"]


def test_the_page_behind_the_link_shows_and_takes_an_answer(web: str, case: Clerk) -> None:
    page = page_of(web, case)
    shown = httpx.get(page).text
    for fact in ("没有在册的专人。", "整改截止日", "第10个工作日", "申请延期"):
        assert fact in shown
    short = httpx.post(f"{page}/answer", data={"submission_no": "1", "text": "<b>好"})
    assert short.status_code == 422
    assert "&lt;b&gt;好" in short.text
    form = {"submission_no": "1" * 32, "text": "已经指定专人。<script>"}
    for _ in range(2):
        done = httpx.post(f"{page}/answer", data=form, files={"files": ("备案表.pdf", PDF)}, follow_redirects=True)
        assert "整改情况已收到" in done.text
    assert "<script>" not in done.text
    assert (answers(), files()) == (1, ["备案表.pdf"])
    late = httpx.post(f"{page}/answer", data=form | {"submission_no": "2" * 32})
    assert late.status_code == 409
    assert "已经登记" in late.text


def test_the_page_takes_a_request_for_more_time(web: str, case: Clerk) -> None:
    page = page_of(web, case)
    wrong = httpx.post(f"{page}/extension", data={"reason": "系统正在改造。", "days": "很多"})
    assert wrong.status_code == 422
    assert "申请延期的工作日数应填整数，如5" in wrong.text
    form = {"submission_no": "1" * 32, "reason": "系统正在改造。", "days": "3"}
    asked = httpx.post(f"{page}/extension", data=form, follow_redirects=True)
    assert "延期申请已收到" in asked.text
    second = httpx.post(f"{page}/extension", data=form | {"submission_no": "2" * 32})
    assert second.status_code == 422
    assert "只能申请一次" in second.text


@pytest.mark.parametrize("token", ["nobody", "x" * 3000, "%00"])
def test_a_link_that_leads_nowhere_is_a_page(web: str, token: str) -> None:
    for reply in (
        httpx.get(f"{web}/rectifications/{token}"),
        httpx.post(f"{web}/rectifications/{token}/answer", data={"submission_no": "1", "text": "已经整改好了。"}),
    ):
        assert reply.status_code == 404
        assert "链接无效" in reply.text
