"""Objections over HTTP, against a real web process: signatures, submissions, supplements, withdrawal, pages."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from ezt.samples.data import DEPARTMENTS
from models import Base
from models.cases import Case, StaffTask
from models.objections import Attachment
from regulation.certificates import Level
from runtime.database import engine, reading
from runtime.signing import sign
from tasks.desk.sheets import sheet_of
from tasks.objections import steps as objections
from tasks.objections.drafts import open_draft
from tasks.objections.questions import InitialReview
from tests.interface.conftest import Caller, caller_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
URL = "/api/v1/objections"


@pytest.fixture
def submission(clerk: Any) -> Callable[..., dict[str, Any]]:
    def made(**changed: object) -> dict[str, Any]:
        given: dict[str, Any] = clerk.application(Level.CITY).model_dump(mode="json")
        return given | {"submission_no": "SCJG-1"} | changed

    return made


def attached(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "content": base64.b64encode(content).decode()}


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0


def test_a_department_hands_in_and_follows(department: Caller, submission: Any) -> None:
    answer = department.post(URL, submission(attachments=[attached("门牌.png", PNG)]))
    assert answer.status_code == 201, answer.text
    given = answer.json()
    assert given["stage"] == "待初审"
    statutory = given["limits"][0]
    assert statutory["statutory"]
    assert sum(day["counts"] for day in statutory["explanation"]) == 5
    followed = httpx.get(f"{department.base}{URL}/{given['token']}").json()
    assert followed["case_no"] == given["case_no"]
    assert "俞小云" not in json.dumps(followed, ensure_ascii=False)
    assert count(Attachment.id) == 1


def test_a_department_objects_in_its_own_name_only(department: Caller, submission: Any) -> None:
    answer = department.post(URL, submission(objector_kind="使用部门", objector_name=DEPARTMENTS[1]))
    assert answer.status_code == 422
    assert f"请填写“{DEPARTMENTS[0]}”" in answer.json()["detail"]
    assert count(Case.case_no) == 0
    answer = department.post(URL, submission(objector_kind="使用部门", objector_name=DEPARTMENTS[0]))
    assert answer.status_code == 201, answer.text


def test_the_officer_reads_that_a_departments_system_handed_it_in(department: Caller, submission: Any) -> None:
    given = department.post(URL, submission()).json()
    said = dict(sheet_of(given["case_no"]).lines)["系统提示"]
    assert said == f"由{DEPARTMENTS[0]}的系统报送，申请人未经本系统实名认证"
    # Of what only the officer is to know nothing stands in the answer, or on the page.
    page = httpx.get(f"{department.base}/objections/{given['token']}").text
    assert "系统提示" not in page + json.dumps(given, ensure_ascii=False)
    assert "实名认证" not in page


def test_the_answer_hints_at_what_cannot_be_right_and_registers_it(department: Caller, submission: Any) -> None:
    assert department.post(URL, submission()).json()["hints"] == []
    answer = department.post(URL, submission(submission_no="SCJG-2", proposed="见附件"))
    assert answer.status_code == 201, answer.text
    (hint,) = answer.json()["hints"]
    assert hint["field"] == "proposed"
    assert "照抄在这里" in hint["detail"]


def test_whoever_fills_in_the_page_is_asked_to_look_again_and_may_hand_it_in(web: str, clerk: Any) -> None:
    def reviewed(**changed: object) -> str:
        token = open_draft(clerk.application(**changed).model_dump(mode="json"))
        return httpx.get(f"{web}/objection-drafts/{token}/review").text

    assert "请再看看" not in reviewed()
    page = reviewed(proposed="见附件")
    assert "请再看看" in page
    assert "申请人认为应当是：请写出应当是的内容本身" in page
    assert "发送确认邮件" in page


def test_the_same_submission_again_is_the_same_case(department: Caller, submission: Any) -> None:
    first, second = (department.post(URL, submission()).json() for _ in range(2))
    assert (first["case_no"], first["token"]) == (second["case_no"], second["token"])
    assert count(Case.case_no) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"X-EZT-Signature": "0" * 64},
        {"X-EZT-Signature": "不是签名".encode().hex()},
        {"X-EZT-Key": "nobody"},
        {"X-EZT-Key": "SX-DSJ"},
        {"X-EZT-Time": str(int((time.time() - 301) * 1000))},
        {"X-EZT-Time": str(int((time.time() + 301) * 1000))},
        {"X-EZT-Time": "now"},
        {"X-EZT-Nonce": "short"},
        {"X-EZT-Nonce": "another-nonce"},
    ],
)
def test_a_wrong_signature_is_refused_and_nothing_is_kept(
    department: Caller, submission: Any, changed: dict[str, str]
) -> None:
    answer = department.post(URL, submission(), **changed)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert count(Case.case_no) == 0


def test_a_replayed_request_is_refused(department: Caller, submission: Any) -> None:
    body = json.dumps(submission()).encode()
    now, nonce = int(time.time() * 1000), "the-same-nonce"
    headers = {
        "X-EZT-Key": department.key,
        "X-EZT-Time": str(now),
        "X-EZT-Nonce": nonce,
        "X-EZT-Signature": sign(department.secret, "POST", URL, now, nonce, body),
    }
    answers = [httpx.post(department.base + URL, content=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 401]
    assert "已用过" in answers[1].json()["detail"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"email": "x"}, "电子邮箱格式不对（"),
        ({"email": "a..b@x.cn"}, "电子邮箱格式不对（"),
        ({"email": ".a@x.cn"}, "电子邮箱格式不对（"),
        ({"email": "a@-x.cn"}, "电子邮箱格式不对（"),
        ({"grounds": []}, "异议种类至少1项"),
        ({"certificate": "{证照编号}"}, "证照编号或电子证照标识不是编号，请照证照填写；没有这件证照的，编号留空"),
        ({"certificate": ""}, "证照编号或电子证照标识未填写；没有这件证照的，编号留空"),
        ({"grounds": ["应当有而没有的证照", "准确性"]}, "只能单独提出"),
        ({"reason": ""}, "理由至少5个字"),
        ({"surplus": 1}, "没有这一项"),
        ({"objector_kind": "路人"}, "申请人类别只能是"),
        ({"objector_name": "带\x00字符"}, "控制字符"),
    ],
)
def test_wrong_fields_are_named_in_chinese(
    department: Caller, submission: Any, changed: dict[str, object], said: str
) -> None:
    answer = department.post(URL, submission(**changed))
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert count(Case.case_no) == 0


def test_a_missing_certificate_needs_no_number(department: Caller, submission: Any) -> None:
    given = submission(grounds=["应当有而没有的证照"])
    for name in ("certificate", "field", "stated"):
        del given[name]
    answer = department.post(URL, given)
    assert answer.status_code == 201, answer.text


def test_nobody_reads_whom_they_were_joined_to_and_whoever_withdraws_is_gone(
    department: Caller, submission: Any
) -> None:
    first = department.post(URL, submission()).json()
    second = department.post(URL, submission(submission_no="2", email="b@example.com")).json()
    assert second["stage"] == "已并案"
    left = httpx.post(f"{department.base}{URL}/{first['token']}/withdrawal").json()
    assert (left["stage"], left["limits"]) == ("已撤回", [])
    followed = httpx.get(f"{department.base}{URL}/{second['token']}").json()
    assert (followed["stage"], first["case_no"] in json.dumps(followed)) == ("已并案", False)
    shown = httpx.get(f"{department.base}/objections/{first['token']}").text
    assert "已撤回" in shown
    assert second["case_no"] not in shown
    for form in ("撤回异议</button>", "提交补正</button>", "<h2>时限</h2>"):
        assert form not in shown


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_body_that_is_none_is_refused(department: Caller, body: bytes) -> None:
    assert department.post(URL, body).status_code == 422


def ofd() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("OFD.xml", "<ofd:OFD/>")
    return made.getvalue()


def in_the_directory(offset: int, given: bytes) -> bytes:
    """An OFD document with these bytes in its entry of the zip's directory: 6 the version that is needed to extract
    it, 8 the flags, whose bit 11 says that the name is UTF-8."""
    made = ofd()
    at = made.index(b"PK\x01\x02") + offset
    return made[:at] + given + made[at + len(given) :]


@pytest.mark.parametrize("content", [PNG, b"%PDF-1.7\n", b"\xff\xd8\xff\xe0" + b"\0" * 32, ofd()])
def test_pdf_jpeg_png_and_ofd_are_taken(department: Caller, submission: Any, content: bytes) -> None:
    assert department.post(URL, submission(attachments=[attached("文件", content)])).status_code == 201


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (attached("病毒.pdf", b"MZ\x90\x00"), "不是PDF"),
        (attached("空.png", b" ") | {"content": "===="}, "Base64"),
        (attached("假.ofd", b"PK\x03\x04broken"), "不是PDF"),
        (attached("新.ofd", in_the_directory(6, b"\x63\x00")), "不是PDF"),
        (attached("名.ofd", in_the_directory(8, b"\x00\x08").replace(b"OFD.xml", b"\xff\xfeD.xml")), "不是PDF"),
        (attached("大.png", PNG + b"\0" * (10 * 2**20)), "超过10MB"),
    ],
)
def test_other_files_are_refused_and_nothing_is_kept(
    department: Caller, submission: Any, file: dict[str, str], said: str
) -> None:
    answer = department.post(URL, submission(attachments=[file]))
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert count(Case.case_no) == 0


def test_eleven_files_are_too_many(department: Caller, submission: Any) -> None:
    files = [attached(f"{number}.png", PNG) for number in range(11)]
    assert "最多10个" in department.post(URL, submission(attachments=files)).json()["detail"]


def test_a_scanner_that_finds_something_stops_the_file(
    department: Caller, submission: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime.settings import settings

    monkeypatch.setenv("EZT_VIRUS_SCANNER", "sh -c '! grep -q EICAR'")
    settings.cache_clear()
    infected = PNG + b"EICAR"
    answer = department.post(URL, submission(attachments=[attached("a.png", infected)]))
    assert answer.status_code == 422
    assert "病毒" in answer.json()["detail"]


def test_a_request_that_is_too_large_is_cut_off(department: Caller) -> None:
    for body in (b"x" * (33 * 2**20), (b"x" * 2**20 for _ in range(33))):
        answer = httpx.post(department.base + URL, content=body, timeout=30)
        assert answer.status_code == 413
        assert "不能超过32MB" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("way", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "/supplements", {"submission_no": "1", "text": "见附件"}),
        ("POST", "/withdrawal", None),
        ("POST", "/disagreement", {"text": "我不同意这个"}),
    ],
)
def test_an_unknown_link_says_so(web: str, way: str, path: str, body: object) -> None:
    answer = httpx.request(way, f"{web}{URL}/nobodys-token{path}", json=body)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "链接无效" in answer.json()["detail"]


def test_an_address_that_is_none_says_so(web: str) -> None:
    assert "没有这个地址" in httpx.get(f"{web}/api/v1/nowhere").json()["detail"]


def test_the_link_is_kept_nowhere_but_encrypted(web: str, clerk: Any) -> None:
    case = clerk.register()
    case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片")
    objections.request_supplement.run(case.case_no)
    body = {"submission_no": "1", "text": "门牌证见附件"}
    assert httpx.post(f"{web}{URL}/{case.token}/supplements", json=body).status_code == 200
    with engine().connect() as connection:
        for table in Base.metadata.sorted_tables:
            rows = connection.exec_driver_sql(f"SELECT * FROM {table.name}").all()
            assert case.token not in str(rows), table.name


def test_supplement_withdrawal_and_disagreement_by_link(web: str, clerk: Any) -> None:
    case = clerk.register()
    link = f"{web}{URL}/{case.token}"
    body = {"submission_no": "1", "text": "门牌证见附件", "attachments": [attached("门牌.png", PNG)]}
    assert httpx.post(f"{link}/supplements", json=body).status_code == 409
    assert case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
    objections.request_supplement.run(case.case_no)
    answers = [httpx.post(f"{link}/supplements", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert count(Attachment.id) == 1
    assert httpx.post(f"{link}/disagreement", json={"text": "我不同意这个"}).status_code == 409
    assert httpx.post(f"{link}/withdrawal").json()["stage"] == "已撤回"
    assert httpx.post(f"{link}/withdrawal").json()["stage"] == "已撤回"


def test_a_bureau_pushes_its_reply_once_however_often(web: str, clerk: Any, city_bureau: Any) -> None:
    case = clerk.register(Level.CITY)
    case.accept()
    case.request()
    (taken,) = city_bureau.taken.values()
    bureau = caller_of(web, "SX-DSJ")
    answers = [bureau.post("/api/v1/verification-replies", taken.reply) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    wrong = taken.reply | {"caseNo": "YY-2026-999999"}
    assert bureau.post("/api/v1/verification-replies", wrong).status_code == 404
    for unreadable in ({"x": 1}, taken.reply | {"caseNo": "YY\0"}, taken.reply | {"replyNo": "文\x01号"}):
        assert bureau.post("/api/v1/verification-replies", unreadable).status_code == 422
    department = caller_of(web, "KQ-SCJG")
    assert department.post("/api/v1/verification-replies", taken.reply).status_code == 401


def test_the_page_behind_the_link_shows_stage_limits_and_what_can_be_done(web: str, clerk: Any) -> None:
    case = clerk.register()
    page = httpx.get(f"{web}/objections/{case.token}")
    assert page.status_code == 200
    assert "待初审" in page.text
    assert "第5个工作日" in page.text
    assert "俞小云" not in page.text
    assert "撤回异议" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    gone = httpx.post(f"{web}/objections/{case.token}/withdrawal", follow_redirects=True)
    assert "异议已撤回" in gone.text
    assert httpx.get(f"{web}/objections/wrong").status_code == 404


def test_the_supplement_form_takes_files(web: str, clerk: Any) -> None:
    case = clerk.register()
    case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片")
    objections.request_supplement.run(case.case_no)
    link = f"{web}/objections/{case.token}/supplements"
    wrong = httpx.post(link, data={"submission_no": "n1"}, files={"files": ("a.exe", b"MZ")}, follow_redirects=True)
    assert "不是PDF" in wrong.text
    files = {"files": ("门牌.png", PNG)}
    done = httpx.post(link, data={"submission_no": "n1", "text": "见附件"}, files=files, follow_redirects=True)
    assert "补正已收到" in done.text
    assert count(Attachment.id) == 1


def test_the_interface_describes_itself(web: str) -> None:
    paths = httpx.get(f"{web}/openapi.json").json()["paths"]
    assert {"/api/v1/objections", "/api/v1/objections/{token}"} <= set(paths)


def test_nothing_is_left_over_for_staff_by_all_this(web: str) -> None:
    assert count(StaffTask.id) == 0
