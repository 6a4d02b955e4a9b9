"""Objections over HTTP that come many at once: a department's or a bureau's table, and what came of each row."""

import base64
from typing import Any

import httpx
import pytest

from models.objection_batches import ObjectionBatch
from tasks.objections.batch_files import LAYOUT
from tasks.objections.batches import register_chunk
from tests.articles.test_article_12_batches import cases, clear, number_of, register_chunks, table
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of

URL = "/api/v1/objection-batches"
WORKBOOK = f"{URL}/workbook"


def post(caller: Caller, content: bytes, **more: str) -> httpx.Response:
    return caller.post(WORKBOOK, {"name": "异议.csv", "content": base64.b64encode(content).decode()} | more)


def listed(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The rows of a table as objects."""
    fields = {LAYOUT.title(name): name for name in LAYOUT.headings}
    given = [{fields[title]: value for title, value in row.items()} for row in rows]
    return [each | {"grounds": each["grounds"].split("、")} for each in given]


def post_list(caller: Caller, rows: list[dict[str, str]], **more: str) -> httpx.Response:
    return caller.post(URL, {"objections": listed(rows)} | more)


@pytest.mark.parametrize("way", ["workbook", "list"])
@pytest.mark.parametrize("key", ["KQ-MZ", "SX-DSJ"])
def test_a_department_and_a_bureau_hand_in_objections_once_and_read_what_came_of_them(
    web: str, key: str, way: str
) -> None:
    caller, rows = caller_of(web, key), clear(5)
    rows[2]["联系电话"] = "无"
    # A workbook counts its rows with the headings.
    first_row = 2 if way == "workbook" else 1

    def hand_in() -> httpx.Response:
        if way == "workbook":
            return post(caller, table(rows), email="push@example.cn")
        return post_list(caller, rows, email="push@example.cn")

    first, second = hand_in(), hand_in()
    assert (first.status_code, second.status_code) == (201, 201), first.text
    said = first.json()
    assert said == second.json()
    assert (said["case_no"][:3], said["stage"], said["rows"]) == ("YP-", "登记中", 4)
    assert said["wrong"] == [{"row": first_row + 2, "detail": "联系电话格式不对。请更正该行后重新报送。"}]
    assert number_of(ObjectionBatch.case_no) == 1
    register_chunks(Clerk(said["case_no"]))
    results = caller.send("GET", f"{URL}/{said['case_no']}").json()
    assert [each["row"] - first_row for each in results["cases"]] == [0, 1, 3, 4]
    assert results["cases"][0] == {"row": first_row, "case_no": cases()[0].case_no, "stage": "待初审", "new": True}
    assert results["wrong"] == said["wrong"]


@pytest.mark.parametrize(("key", "handed_back"), [("KQ-MZ", 1), ("SX-DSJ", 0)])
def test_a_row_of_another_department_is_handed_back_and_a_bureau_passes_on_what_came(
    web: str, key: str, handed_back: int
) -> None:
    rows = clear(3)
    rows[1] |= {"申请人类别": "使用部门", "申请人姓名或名称": "绍兴市柯桥区司法局"}
    said = post_list(caller_of(web, key), rows).json()
    assert (said["rows"], len(said["wrong"])) == (3 - handed_back, handed_back)
    assert all("申请人就是签名报送的部门" in each["detail"] for each in said["wrong"])


def test_a_row_is_the_same_objection_in_a_workbook_and_in_a_list(web: str) -> None:
    caller, rows = caller_of(web, "KQ-MZ"), clear(3)
    register_chunks(Clerk(post(caller, table(rows)).json()["case_no"]))
    again = post_list(caller, rows).json()["case_no"]
    register_chunks(Clerk(again))
    results = caller.send("GET", f"{URL}/{again}").json()
    assert [each["new"] for each in results["cases"]] == [False] * 3
    assert len(cases()) == 3


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
    answer = caller_of(web, "KQ-MZ").post(WORKBOOK, body)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert number_of(ObjectionBatch.case_no) == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"objections": []}, "异议至少1项"),
        ({"objections": "营业执照"}, "异议须是一个列表"),
        ({"objections": [{}, "营业执照"]}, "第2行：须是一个JSON对象"),
        ([], "须是一个JSON对象"),
        ({"name": "异议.csv", "content": "YQ=="}, "异议未填写"),
    ],
)
def test_what_is_no_list_is_refused(web: str, body: Any, said: str) -> None:
    answer = caller_of(web, "KQ-MZ").post(URL, body)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert number_of(ObjectionBatch.case_no) == 0


def test_a_field_of_any_name_is_handed_back(web: str) -> None:
    caller, rows = caller_of(web, "KQ-MZ"), clear(2)
    (good, bad) = listed(rows)
    bad |= {"\0改\u202e名": 1, "长" * 100_000: 2}
    answer = caller.post(URL, {"objections": [good, bad]})
    assert (answer.status_code, answer.json()["rows"]) == (201, 1), answer.text
    said = answer.json()["wrong"][0]["detail"]
    assert said == f"改名没有这一项，请删去；{'长' * 40}没有这一项，请删去。请更正该行后重新报送。"


@pytest.mark.parametrize(
    "body", [b'{"objections": [{"reason": "\\ud800"}]}', b'{"objections": [NaN, 1e999]}', b"\xff", b"["]
)
def test_what_is_no_json_is_refused(web: str, body: bytes) -> None:
    answer = caller_of(web, "KQ-MZ").send("POST", URL, body)
    assert answer.status_code == 422, answer.text
    assert number_of(ObjectionBatch.case_no) == 0


def test_an_unsigned_table_is_refused(web: str) -> None:
    body = {"name": "异议.csv", "content": base64.b64encode(table(clear(1))).decode()}
    assert httpx.post(web + WORKBOOK, json=body).status_code == 401


def test_a_case_of_a_batch_has_its_status_page(web: str, clerk: Clerk) -> None:
    from models.objections import Objection
    from runtime.database import reading

    case_no = post(caller_of(web, "KQ-MZ"), table(clear(2))).json()["case_no"]
    register_chunk.run(case_no, 1)
    with reading() as session:
        token = session.get_one(Objection, cases()[0].case_no).token
    page = httpx.get(f"{web}/objections/{token}")
    assert (page.status_code, cases()[0].case_no in page.text) == (200, True)
