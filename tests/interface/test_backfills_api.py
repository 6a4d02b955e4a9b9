"""Paper certificates over HTTP: entered with their scan, corrected, seen by their holder, who may object."""

import base64
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from models.backfill_batches import BackfillBatch
from models.backfills import Backfill
from models.cases import Case
from models.objections import Attachment, Objection
from runtime.database import reading
from tasks.backfill import steps as backfills
from tasks.backfill.questions import BackfillReview
from tests.articles.test_article_11_backfill import MARRIAGE
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of

URL = "/api/v1/backfills"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
def civil(web: str) -> Caller:
    return caller_of(web, "KQ-MZ")


def entry(**changed: object) -> dict[str, Any]:
    given = {
        "submission_no": "MZ-1",
        "certificate_type": "结婚证",
        "values": MARRIAGE,
        "service_case_no": "MZ-2026-001",
        "operator": "MZ-07",
        "email": "wjg@example.com",
        "attachments": [{"name": "扫描件.png", "content": base64.b64encode(PNG).decode()}],
    }
    return given | changed


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0


def test_a_paper_is_entered_with_its_scan_once(civil: Caller) -> None:
    answers = [civil.post(URL, entry()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    given = answers[0].json()
    assert (given["case_no"][:3], given["stage"]) == ("BL-", "待审核")
    assert (count(Case.case_no), count(Attachment.id)) == (1, 1)


def test_the_answer_hints_at_what_is_better_looked_at_again_and_names_nobody(civil: Caller) -> None:
    first = civil.post(URL, entry()).json()
    assert [hint["field"] for hint in first["hints"]] == ["husband_number"]
    Clerk(first["case_no"]).answer(BackfillReview, verdict="通过")
    assert backfills.put_in_register.run(first["case_no"]) is not None
    other = MARRIAGE | {"结婚证字号": "J330621-2005-000777", "持证人": "王建业", "男方姓名": "王建业"}
    answers = [civil.post(URL, entry(submission_no="MZ-2", values=other)) for _ in range(2)]
    for answer in answers:
        assert (answer.status_code, "王建国" in answer.text) == (201, False)
        said = [hint["detail"] for hint in answer.json()["hints"] if hint["field"] == "husband_number"]
        assert any("在登记中是另一姓名或名称的" in each for each in said)


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"attachments": []}, 422, "扫描件至少1项"),
        ({"attachments": [{"name": "a.png", "content": "not base64"}]}, 422, "Base64"),
        ({"attachments": [{"name": "a.png", "content": base64.b64encode(b"MZ").decode()}]}, 422, "不是PDF"),
        ({"values": MARRIAGE | {"登记日期": "1998-02-30"}}, 422, "日期不存在"),
        ({"values": {}}, 422, "必填项"),
        ({"values": {"姓名\0": "1"}}, 422, "没有项目"),
        ({"certificate_type": "没有的证"}, 422, "证照目录中没有"),
        ({"email": "nobody"}, 422, "持证主体邮箱格式不对"),
        ({"operator": ""}, 422, "经办人员工号"),
    ],
)
def test_what_cannot_be_entered_is_said_and_nothing_is_kept(
    civil: Caller, changed: dict[str, object], status: int, said: str
) -> None:
    answer = civil.post(URL, entry(**changed))
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert count(Backfill.case_no) == 0


def test_a_returned_entry_is_corrected_by_its_department_only(web: str, civil: Caller) -> None:
    case_no = civil.post(URL, entry()).json()["case_no"]
    path, body = f"{URL}/{case_no}/correction", {"values": {"登记日期": "1998-06-12"}, "operator": "MZ-07"}
    assert civil.post(path, body).status_code == 409
    Clerk(case_no).answer(BackfillReview, verdict="退回更正", reason="登记日期与扫描件不符")
    backfills.return_for_correction.run(case_no)
    assert caller_of(web, "KQ-SCJG").post(path, body).status_code == 409
    assert civil.post(path, body | {"values": {"登记日期": "x"}}).status_code == 422
    assert civil.post(path, body).status_code == 200
    backfills.take_correction.run(case_no)
    with reading() as session:
        assert session.get_one(Case, case_no).stage == "待审核"


def test_the_holder_sees_it_masked_and_objects_on_the_page(web: str, civil: Caller) -> None:
    case_no = civil.post(URL, entry()).json()["case_no"]
    with reading() as session:
        page = f"{web}/backfills/{session.get_one(Backfill, case_no).token}"
    assert "尚未入库" in httpx.get(page).text
    Clerk(case_no).answer(BackfillReview, verdict="通过")
    assert backfills.put_in_register.run(case_no) is not None
    shown = httpx.get(page).text
    assert "王*国" in shown
    assert "王建国" not in shown
    typed = {"field": "登记日期", "proposed": "1998-05-21", "reason": "登记日期录错", "phone": "nobody"}
    refused = httpx.post(page, data=typed)
    assert (refused.status_code, "电话格式不对" in refused.text) == (422, True)
    assert re.search(r"<textarea[^>]*>\s*登记日期录错</textarea>", refused.text)
    done = httpx.post(page, data=typed | {"phone": "13800000000"})
    assert done.status_code == 303
    assert "异议" in httpx.get(web + done.headers["location"]).text
    assert count(Objection.case_no) == 1


@pytest.mark.parametrize("token", ["nobody", "x" * 3000])
def test_a_link_that_leads_nowhere_is_a_page(web: str, token: str) -> None:
    for answer in (httpx.get(f"{web}/backfills/{token}"), httpx.post(f"{web}/backfills/{token}", data={"field": "x"})):
        assert answer.status_code in {404, 422}


def test_a_file_of_papers_is_handed_in_once_and_a_bad_one_leaves_nothing(civil: Caller) -> None:
    table = "\r\n".join([",".join(MARRIAGE), ",".join(MARRIAGE.values())])
    given = {"certificate_type": "结婚证", "service_case_no": "MZ-1", "operator": "MZ-07", "name": "结婚证.csv"}

    def send(content: str) -> httpx.Response:
        return civil.post(f"{URL}/batches", given | {"content": base64.b64encode(content.encode()).decode()})

    refused = send("年龄,工资")
    assert (refused.status_code, "结婚证.csv" in refused.json()["detail"]) == (422, True), refused.text
    assert count(BackfillBatch.case_no) == 0
    first, second = send(table), send(table)
    assert (first.status_code, second.status_code) == (201, 201), first.text
    assert (first.json()["case_no"], first.json()["stage"]) == (second.json()["case_no"], "核对中")
    with reading() as session:
        assert session.scalars(select(BackfillBatch.entered_by)).one() == "KQ-MZ/MZ-07"
