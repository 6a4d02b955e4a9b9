"""Objections over HTTP that come many at once: a department's or a bureau's table, and what came of each row."""

import base64
from typing import Any

import httpx
import pytest

from models.objection_batches import ObjectionBatch
from tasks.objection_batches import chunks_to_register, register_chunk
from tests.articles.test_article_12_batches import cases, clear, number_of, table
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of

URL = "/api/v1/objection-batches"


def post(caller: Caller, content: bytes, **more: str) -> httpx.Response:
    return caller.post(URL, {"name": "异议.csv", "content": base64.b64encode(content).decode()} | more)


@pytest.mark.parametrize("key", ["KQ-MZ", "SX-DSJ"])
def test_a_department_and_a_bureau_hand_in_a_table_once_and_read_what_came_of_it(web: str, key: str) -> None:
    caller, rows = caller_of(web, key), clear(5)
    rows[2]["联系电话"] = "无"
    first, second = (post(caller, table(rows), email="push@example.cn") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201), first.text
    said = first.json()
    assert said == second.json()
    assert (said["case_no"][:3], said["stage"], said["rows"]) == ("YP-", "登记中", 4)
    assert said["wrong"] == [{"row": 4, "detail": "联系电话格式不对。请更正该行后重新报送。"}]
    assert number_of(ObjectionBatch.case_no) == 1
    for chunk in chunks_to_register(said["case_no"]):
        register_chunk.run(said["case_no"], chunk)
    results = caller.send("GET", f"{URL}/{said['case_no']}").json()
    assert [each["row"] for each in results["cases"]] == [2, 3, 5, 6]
    assert results["cases"][0] == {"row": 2, "case_no": cases()[0].case_no, "stage": "待初审", "new": True}
    assert results["wrong"] == said["wrong"]


def test_a_batch_is_its_senders_alone(web: str) -> None:
    case_no = post(caller_of(web, "KQ-MZ"), table(clear(2))).json()["case_no"]
    other = caller_of(web, "KQ-SCJG").send("GET", f"{URL}/{case_no}")
    assert (other.status_code, "没有报送过" in other.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "异议.csv", "content": "不是"}, "Base64"),
        ({"name": "异议.csv", "content": base64.b64encode("年龄,工资\n1,2\n".encode()).decode()}, "没有表头"),
        ({"name": "异议.csv", "content": "YQ==", "email": "a@b"}, "邮箱"),
        ({"content": "YQ=="}, "文件名未填写"),
    ],
)
def test_what_is_no_table_is_refused(web: str, body: Any, said: str) -> None:
    answer = caller_of(web, "KQ-MZ").post(URL, body)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert number_of(ObjectionBatch.case_no) == 0


def test_an_unsigned_table_is_refused(web: str) -> None:
    body = {"name": "异议.csv", "content": base64.b64encode(table(clear(1))).decode()}
    assert httpx.post(web + URL, json=body).status_code == 401


def test_a_case_of_a_batch_has_its_status_page(web: str, clerk: Clerk) -> None:
    from models.objections import Objection
    from runtime.database import reading

    case_no = post(caller_of(web, "KQ-MZ"), table(clear(2))).json()["case_no"]
    register_chunk.run(case_no, 1)
    with reading() as session:
        token = session.get_one(Objection, cases()[0].case_no).token
    page = httpx.get(f"{web}/objections/{token}")
    assert (page.status_code, cases()[0].case_no in page.text) == (200, True)
