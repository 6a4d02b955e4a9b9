"""The use list and liaison officers over HTTP, against a real web process: signed by departments, answered by link."""

import base64
import csv
import io
import json
import time
import zipfile
from contextlib import closing
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from ezt.desk import Desk
from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case
from models.notices import OutgoingNotice
from models.use_lists import EntryEnquiry, UseListEntry, UseListVersion
from regulation.use_lists import ends_from
from runtime import clock
from runtime.database import reading, transaction
from runtime.signing import sign
from tasks.use_list import standing as use_lists
from tasks.use_list.files import TITLES, rows_of_file, workbook_of
from tasks.use_list.watch import ask_about_entries
from tests.conftest import as_xlsx

PROPOSALS, WORKBOOK = "/api/v1/use-list/proposals", "/api/v1/use-list/proposals/workbook"
LIST, ENQUIRIES = "/api/v1/use-list", "/api/v1/use-list/enquiries"
FILINGS = "/api/v1/liaison-filings"
LINE = {
    "item_code": "330603-SCJG-009",
    "item_name": "食品经营许可变更",
    "certificate_type": "营业执照",
    "scenario": "窗口受理",
    "fields": ["名称", "address"],
    "holder_alone": True,
}
PERSON = {"name": "钱云舒", "position": "科员", "phone": "0575-84120099", "email": "qian@example.cn"}


class Program:
    """A department's program that signs what it sends."""

    def __init__(self, base: str, key: str) -> None:
        self.base, self.key = base, key
        self.secret = samples.application_secret(samples.DEFAULT_SEED, key)

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        now, nonce = int(time.time() * 1000), f"nonce-{time.time_ns()}"
        headers = {"X-EZT-Key": self.key, "X-EZT-Time": str(now), "X-EZT-Nonce": nonce}
        headers["X-EZT-Signature"] = sign(self.secret, method, path, now, nonce, content)
        return httpx.request(method, self.base + path, content=content, headers=headers, timeout=60)

    def send(self, name: str, content: bytes, number: str = "T-1") -> httpx.Response:
        body = {"submission_no": number, "name": name, "content": base64.b64encode(content).decode()}
        return self.call("POST", WORKBOOK, body)


@pytest.fixture
def market(web: str) -> Program:
    return Program(web, "KQ-SCJG")


def proposal(*lines: object, number: str = "P-1") -> dict[str, Any]:
    return {"submission_no": number, "lines": list(lines)}


def table(*rows: dict[str, object], extra: tuple[str, ...] = ()) -> list[list[object]]:
    return [[*TITLES, *extra], *([row.get(title, "") for title in (*TITLES, *extra)] for row in rows)]


ROW: dict[str, object] = {
    "事项编码": "330603-SCJG-009",
    "事项名称": "食品经营许可变更",
    "证照类型": "营业执照",
    "应用场景": "窗口受理",
    "可用字段": "名称、住所，经营范围",
    "可单独出示": "是",
    "需授权": "否",
}


def as_csv(rows: list[list[object]], encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def cases() -> int:
    with reading() as session:
        return session.scalar(select(func.count(Case.case_no))) or 0


def test_a_department_proposes_and_the_same_submission_is_one_case(market: Program) -> None:
    first, second = (market.call("POST", PROPOSALS, proposal(LINE)) for _ in range(2))
    assert first.status_code == 201, first.text
    assert first.json() == second.json()
    assert first.json()["case_no"] == f"QD-{clock.today().year}-000001"
    assert (first.json()["stage"], first.json()["lines"]) == ("待审核", 1)
    assert cases() == 1


def test_every_wrong_line_is_named(market: Program) -> None:
    answer = market.call("POST", PROPOSALS, proposal(LINE, LINE | {"scenario": "网上", "fields": ["血型"]}, {}, "x"))
    assert answer.status_code == 422
    assert answer.json()["detail"].splitlines() == [
        "用证清单有3处须更正，未登记任何一行：",
        "第2行：“营业执照”没有字段“血型”",
        "第3行：事项编码未填写；证照类型未填写；应用场景未填写",
        "第4行：须是一个JSON对象，即{…}",
    ]
    assert cases() == 0


def test_without_a_liaison_officer_article_13_refuses(web: str) -> None:
    answer = Program(web, "KQ-YB").call("POST", PROPOSALS, proposal(LINE))
    problem = answer.json()
    assert (answer.status_code, problem["article"], problem["type"]) == (403, 13, "/problems/article-13")
    assert "专人" in problem["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_bureau_and_a_stranger_propose_nothing(web: str) -> None:
    assert Program(web, "SX-DSJ").call("POST", PROPOSALS, proposal(LINE)).status_code == 401
    assert httpx.get(web + LIST).status_code == 401


def test_a_department_reads_what_it_may_see_on_a_day(market: Program) -> None:
    today = market.call("GET", LIST).json()
    assert today["on"] == str(clock.today())
    entry = today["entries"][0]
    assert set(entry["certificate_type"]) == set(entry["fields"][0]) == {"code", "name"}
    assert market.call("GET", f"{LIST}?on=2025-12-31").json()["entries"] == []
    wrong = market.call("GET", f"{LIST}?on=2025-13-01")
    assert (wrong.status_code, "不是有效日期" in wrong.json()["detail"]) == (422, True)


def test_workbooks_of_every_kind_say_the_same(market: Program) -> None:
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        assert rows_of_file("清单.csv", as_csv(table(ROW), encoding), "x") == rows_of_file(
            "清单.xlsx", as_xlsx(table(ROW)), "x"
        )
    answer = market.send("清单.xlsx", as_xlsx([["2026年用证清单"], [], *table(ROW)]))
    assert (answer.status_code, answer.json().get("lines")) == (201, 1), answer.text


def test_rows_are_numbered_as_the_table_shows_them(market: Program) -> None:
    answer = market.send("清单.csv", as_csv([["用证清单"], *table(ROW, {}, ROW | {"证照类型": "良民证"})], "gb18030"))
    assert answer.status_code == 422
    assert "第5行：证照目录中没有证照类型“良民证”" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["事项", "证照"], ["a", "b"]], "没有表头"),
        ([[title for title in TITLES if title != "需授权"]], "表头缺少需授权"),
        (table(ROW, extra=("需受权",)), "没有“需受权”这样的列"),
        ([[*TITLES, "停用"]], "重复的列"),
        (table(ROW | {"事项编码": 330603198001011234}), "末几位已丢失"),
        (table(ROW | {"部门": "某局"}, extra=("部门",)), "部门是“某局”"),
        (table(), "没有要提出的变化"),
        (table(*([ROW] * 600)), "最多提出500行"),
    ],
)
def test_a_table_that_cannot_be_taken_says_why(market: Program, rows: list[list[object]], said: str) -> None:
    answer = market.send("清单.xlsx", as_xlsx(rows))
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert cases() == 0


def far_corner() -> bytes:
    """A workbook of a few kilobytes whose one sheet spans seventeen billion cells."""
    book, content = Workbook(), io.BytesIO()
    book.active["A1"], book.active["XFD1048576"] = "事项编码", "x"
    book.save(content)
    return content.getvalue()


def bomb() -> bytes:
    """A workbook whose sheet unfolds to two gigabytes."""
    whole, content = as_xlsx(table(ROW)), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != "xl/sharedStrings.xml":
                new.writestr(name, old.read(name))
        with new.open("xl/sharedStrings.xml", "w", force_zip64=True) as strings:
            strings.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>')
            for _ in range(256):
                strings.write(b"x" * 2**23)
            strings.write(b"</t></si></sst>")
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04broken",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        b"\xff\xfe\x00",
        b'"open',
        b"%PDF-1.7",
    ],
)
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"无法读取|没有表头"):
        rows_of_file("清单.xlsx", content, "x")


@pytest.mark.thorough
@pytest.mark.parametrize("make", [far_corner, bomb])
def test_a_file_that_unfolds_without_end_is_refused_and_hurts_nobody(market: Program, make: Any) -> None:
    answer = market.send("清单.xlsx", make())
    assert (answer.status_code, "清单.xlsx" in answer.json()["detail"]) == (422, True), answer.text
    assert market.call("GET", LIST).status_code == 200


def test_a_list_that_was_handed_out_can_be_edited_and_sent_back(market: Program) -> None:
    with transaction() as session:
        uscc = samples.department_code(samples.DEFAULT_SEED, sample_catalogue.DEPARTMENTS[0])
        which = use_lists.Identity(
            uscc,
            "330603-SCJG-009",
            session.scalars(select(UseListEntry.type_code).order_by(UseListEntry.id)).first(),
            "窗口",
        )
        terms = use_lists.Terms("=HYPERLINK(1)", ("holder",), True, False)
        use_lists.put_version(session, which, terms, clock.today(), clock.now(), None)
    with reading() as session:
        content, rows = workbook_of(session, clock.today(), None)
        everybody = rows
        department = use_lists.in_force(session, clock.today(), UseListEntry.department_uscc == uscc)
    mine = [row for row in rows_in(content) if row[0] == sample_catalogue.DEPARTMENTS[0] or row[0] == "部门"]
    assert everybody > len(department) == len(mine) - 1
    assert not any(str(value).startswith(("=", "+", "-", "@")) for row in mine for value in row)
    assert any(row[2] == "'=HYPERLINK(1)" for row in mine)
    unchanged = market.send("清单.xlsx", as_xlsx(mine))
    assert "没有要提出的变化" in unchanged.json()["detail"]
    mine[1][mine[0].index("停用")] = "是"
    changed = market.send("清单.xlsx", as_xlsx(mine), "T-2")
    assert (changed.status_code, changed.json()["lines"]) == (201, 1), changed.text


def rows_in(content: bytes) -> list[list[Any]]:
    return [list(row) for row in load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)]


def test_a_department_files_its_liaison_officer(web: str) -> None:
    program = Program(web, "KQ-YB")
    filing = {"submission_no": "F-1", "kind": "指定", **PERSON}
    first, second = (program.call("POST", FILINGS, filing) for _ in range(2))
    assert first.status_code == 201, first.text
    assert first.json() == second.json()
    assert first.json()["stage"] == "待确认"
    for wrong, said in (
        ({"kind": "撤销"}, "备案种类只能是"),
        ({"email": "x"}, "邮箱格式不对"),
        ({"name": ""}, "姓名未填写，指定备案须填写"),
    ):
        refused = program.call("POST", FILINGS, filing | {"submission_no": "F-2"} | wrong)
        assert (refused.status_code, said in refused.json()["detail"]) == (422, True), refused.text
    assert cases() == 1


def enquiry_link(web: str) -> str:
    with reading() as session:
        rows = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "use-list-enquired"))
        link = next(row.context["link"] for row in rows if row.recipient == "office01@example.cn")
    return web + httpx.URL(link).path


def nothing_was_used_for_years() -> None:
    with transaction() as session:
        session.execute(UseListVersion.__table__.update().values(in_force_from=samples.AS_OF.replace(year=2020)))


def test_a_department_answers_by_link_without_anything_but_a_browser(market: Program) -> None:
    nothing_was_used_for_years()
    ask_about_entries(clock.now())
    link = enquiry_link(market.base)
    shown = httpx.get(link)
    assert shown.status_code == 200
    assert "第九条" in shown.text
    with reading() as session:
        uscc = samples.department_code(samples.DEFAULT_SEED, sample_catalogue.DEPARTMENTS[0])
        wanted = select(EntryEnquiry.id).join(UseListEntry, UseListEntry.id == EntryEnquiry.entry_id)
        numbers = session.scalars(wanted.where(UseListEntry.department_uscc == uscc).order_by(EntryEnquiry.id)).all()
    assert [f'name="{number}"' in shown.text for number in numbers] == [True] * len(numbers)
    nothing = httpx.post(link, data={})
    assert (nothing.status_code, "没有选择任何条目" in nothing.text) == (422, True)
    strange = httpx.post(link, data={"999999": "end"})
    assert (strange.status_code, "没有向本部门询问过" in strange.text) == (422, True)
    done = httpx.post(link, data={str(numbers[0]): "end", "x": "keep"}, follow_redirects=True)
    assert "已答复：不再需要" in done.text
    with reading() as session:
        ended = session.scalars(select(UseListVersion).where(UseListVersion.ended)).one()
    assert ended.in_force_from == ends_from(clock.today())
    other = httpx.post(link, data={str(numbers[0]): "keep"})
    assert (other.status_code, "已答复“不再需要”" in other.text) == (409, True)
    assert httpx.get(f"{market.base}/use-list/enquiries/forged").status_code == 404


def test_a_department_answers_by_its_program(market: Program) -> None:
    nothing_was_used_for_years()
    ask_about_entries(clock.now())
    asked = market.call("GET", ENQUIRIES).json()["enquiries"]
    assert asked
    answers = [{"enquiry": each["enquiry"], "keep": True} for each in asked]
    assert market.call("POST", f"{ENQUIRIES}/answers", {"answers": answers}).json() == {"recorded": len(asked)}
    assert market.call("GET", ENQUIRIES).json() == {"enquiries": []}
    other = Program(market.base, "KQ-JT").call("POST", f"{ENQUIRIES}/answers", {"answers": answers})
    assert other.status_code == 422
    for number in (0, -1, 2**63 - 1, 2**63, 10**30):
        refused = market.call("POST", f"{ENQUIRIES}/answers", {"answers": [{"enquiry": number, "keep": True}]})
        assert (refused.status_code, "询问" in refused.json()["detail"]) == (422, True), refused.text


def test_an_officer_reads_the_whole_case_at_the_desk(market: Program) -> None:
    proposed = market.call("POST", PROPOSALS, proposal(*(LINE | {"scenario": f"场景{n}"} for n in range(120))))
    filed = market.call("POST", FILINGS, {"submission_no": "F-1", "kind": "指定", **PERSON})
    for answer, words in ((proposed, ("第120行", "场景119")), (filed, ("钱云舒", PERSON["phone"], PERSON["email"]))):
        with closing(Desk(None, market.base)) as desk:  # type: ignore[arg-type]
            page = desk.page(answer.json()["case_no"], "KQ004")
        for word in words:
            assert word in page


def test_every_route_is_described(web: str) -> None:
    described = httpx.get(f"{web}/openapi.json").json()["paths"]
    assert {PROPOSALS, WORKBOOK, LIST, ENQUIRIES, f"{ENQUIRIES}/answers", FILINGS} <= set(described)
    line = described[PROPOSALS]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "item_code" in json.dumps(line)
