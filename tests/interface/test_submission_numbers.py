"""A number under which something is handed in stands for one content (docs/interface.md): the very same again gets the
first answer, another content gets nothing, and least of all what belongs to whoever came first."""

import base64
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from alembic import command
from sqlalchemy import func, select

from gateways.stand_in import StandIn
from models.backfills import Backfill
from models.cases import Answer, Case, StaffTask
from models.migrations import alembic_config
from models.objections import Attachment, Objection, Supplement
from models.paper_reports import PaperReport
from models.rule_revisions import RuleRevision
from runtime import clock
from runtime.database import reading
from tasks.backfill import steps as backfills
from tasks.backfill.questions import BackfillReview
from tasks.objections import steps as objections
from tasks.objections.questions import InitialReview
from tasks.rule_revisions import steps as revisions
from tasks.rule_revisions.questions import RevisionConfirmation
from tests.articles.test_article_11_backfill import MARRIAGE
from tests.articles.test_article_12_batches import clear, table
from tests.conftest import Clerk, as_xlsx
from tests.interface import test_paper_reports, test_rectifications, test_rule_revisions, test_system_reviews_api
from tests.interface.conftest import Caller, caller_of, example
from tests.interface.test_use_list_api import ROW
from tests.interface.test_use_list_api import table as list_table

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
OTHER_PNG = PNG + b"\1"
USED = "这个编号此前已经用过"
CASE_NO = re.compile(r"[A-Z]{2}-[0-9]{4}-[0-9]{6}")


def attached(content: bytes, name: str = "材料.png") -> list[dict[str, str]]:
    return [{"name": name, "content": base64.b64encode(content).decode()}]


@dataclass(frozen=True)
class Kind:
    """Something that departments hand in under a number: where, what, and other contents of it."""

    path: str
    given: dict[str, Any]
    others: list[dict[str, Any]]
    key: str = "KQ-SCJG"


def objection(_web: str) -> Kind:
    given = example("/api/v1/objections") | {"attachments": attached(PNG)}
    others = [{"reason": "这是另一个人的另一个理由。"}, {"objector_name": "另一人"}, {"attachments": []}]
    others += [{"attachments": attached(OTHER_PNG)}, {"attachments": attached(PNG, "别的.png")}]
    return Kind("/api/v1/objections", given, others)


def filing(_web: str) -> Kind:
    return Kind("/api/v1/liaison-filings", example("/api/v1/liaison-filings"), [{"name": "钱云帆"}])


def proposal(_web: str) -> Kind:
    given = example("/api/v1/use-list/proposals")
    return Kind("/api/v1/use-list/proposals", given, [{"lines": [given["lines"][0] | {"item_name": "另一事项"}]}])


def proposed_table(_web: str) -> Kind:
    first, other = (
        base64.b64encode(as_xlsx(list_table(row))).decode() for row in (ROW, ROW | {"事项名称": "另一事项"})
    )
    given = {"submission_no": "T-1", "name": "清单.xlsx", "content": first}
    return Kind("/api/v1/use-list/proposals/workbook", given, [{"content": other}])


def backfill(_web: str) -> Kind:
    given = example("/api/v1/backfills")
    others = [
        {"values": MARRIAGE | {"登记日期": "1998-06-12"}},
        {"attachments": attached(OTHER_PNG)},
        {"operator": "9"},
    ]
    return Kind("/api/v1/backfills", given, others, "KQ-MZ")


def rule(_web: str) -> Kind:
    given = example("/api/v1/rule-revisions")
    return Kind("/api/v1/rule-revisions", given, [{"clause": "第四条"}])


def system_review(_web: str) -> Kind:
    return Kind("/api/v1/system-reviews", test_system_reviews_api.submission(), [{"persons": 5}])


def supplement(_web: str) -> Kind:
    given = {"submission_no": "1", "text": "门牌证见附件", "attachments": attached(PNG)}
    others = [{"text": "门牌证已经遗失"}, {"attachments": attached(OTHER_PNG)}]
    return Kind(f"/api/v1/objections/{waiting_for_supplement().token}/supplements", given, others)


def rectification_answer(_web: str) -> Kind:
    given = test_rectifications.DONE | {"attachments": attached(PNG)}
    others = [{"text": "其实还没有指定专人。"}, {"attachments": []}]
    return Kind(f"/api/v1/rectifications/{test_rectifications.ordered().case_no}/answer", given, others)


def extension(_web: str) -> Kind:
    path = f"/api/v1/rectifications/{test_rectifications.ordered().case_no}/extension"
    return Kind(path, test_rectifications.MORE_TIME, [{"days": 4}, {"text": "换了一个理由。"}])


def rule_report(web: str) -> Kind:
    path = f"/api/v1/rule-revisions/{revised_rule(web).case_no}/report"
    others = [{"document_no": "柯市监〔2026〕10号"}, {"attachments": attached(OTHER_PNG)}]
    return Kind(path, test_rule_revisions.reported(), others)


REGISTERING = [objection, filing, proposal, proposed_table, backfill, rule, system_review]
REPLYING = [supplement, rectification_answer, extension, rule_report]


@pytest.fixture
def kind(web: str, request: pytest.FixtureRequest) -> Kind:
    made: Callable[[str], Kind] = request.param
    return made(web)


def waiting_for_supplement() -> Clerk:
    case = Clerk().register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
    objections.request_supplement.run(case.case_no)
    return case


def revised_rule(web: str) -> Clerk:
    """A rule of the market supervision that is followed to its revision."""
    listed = caller_of(web, "KQ-SCJG").post("/api/v1/rule-revisions", test_rule_revisions.listing())
    case = Clerk(listed.json()["case_no"])
    assert case.answer(RevisionConfirmation, verdict="确认") is None
    revisions.track_revision.run(case.case_no)
    return case


def kept() -> list[int]:
    """How much there is of all that can be handed in."""
    with reading() as session:
        wanted = (Case.case_no, Answer.id, Attachment.id, Supplement.id, StaffTask.id)
        return [session.scalar(select(func.count(column))) or 0 for column in wanted]


@pytest.mark.parametrize("kind", [*REGISTERING, *REPLYING], indirect=True)
def test_the_very_same_again_is_answered_as_before_and_another_content_is_refused(web: str, kind: Kind) -> None:
    caller = caller_of(web, kind.key)
    first = caller.post(kind.path, kind.given)
    assert first.status_code in {200, 201}, first.text
    before = kept()
    token = first.json().get("token", "no token at all")
    for other in kind.others:
        refused = caller.post(kind.path, kind.given | other)
        assert refused.status_code == 409, refused.text
        problem = refused.json()
        assert USED in problem["detail"]
        assert "换一个新的编号" in problem["detail"]
        assert "原样" in problem["detail"]
        assert token not in refused.text
        assert not CASE_NO.search(refused.text)
    again = caller.post(kind.path, kind.given)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert kept() == before


@pytest.mark.parametrize("kind", REGISTERING, indirect=True)
def test_the_same_number_of_another_department_is_another_number(web: str, kind: Kind) -> None:
    first = caller_of(web, kind.key).post(kind.path, kind.given)
    stranger = "KQ-MZ" if kind.key == "KQ-SCJG" else "KQ-SCJG"
    second = caller_of(web, stranger).post(kind.path, kind.given)
    assert USED not in second.text
    assert second.status_code == 201, second.text
    assert second.json()["case_no"] != first.json()["case_no"]


# Forms of pages bring a number that nobody sees


@dataclass(frozen=True)
class Form:
    """A page's form: where it stands and where it goes, what was typed with which files, and what else could be."""

    page: str
    to: str
    typed: dict[str, str]
    other: dict[str, str]
    files: bytes | None = PNG

    def send(self, number: str, changed: dict[str, str], files: bytes | None = None) -> httpx.Response:
        content = files or self.files
        given = {"files": ("材料.png", content)} if content else None
        return httpx.post(self.to, data={"submission_no": number} | self.typed | changed, files=given)


def page_supplement(web: str) -> Form:
    page = f"{web}/objections/{waiting_for_supplement().token}"
    return Form(page, f"{page}/supplements", {"text": "门牌证见附件"}, {"text": "门牌证已经遗失"})


def page_rectification(web: str) -> Form:
    page = test_rectifications.page_of(web, test_rectifications.ordered())
    return Form(page, f"{page}/answer", {"text": "已经指定专人。"}, {"text": "其实还没有指定专人。"})


def page_extension(web: str) -> Form:
    page = test_rectifications.page_of(web, test_rectifications.ordered())
    return Form(page, f"{page}/extension", {"reason": "系统正在改造。", "days": "3"}, {"reason": "换了理由。"}, None)


def page_rule_report(web: str) -> Form:
    with reading() as session:
        page = f"{web}/rule-revisions/{session.get_one(RuleRevision, revised_rule(web).case_no).token}"
    typed = {"document_no": "柯市监〔2026〕9号", "in_force_on": str(clock.today()), "text": "已经修订。"}
    return Form(page, f"{page}/report", typed, {"text": "又改了一处。"})


def page_paper_report(web: str) -> Form:
    typed = test_paper_reports.filled(web)
    del typed["submission_no"]
    return Form(f"{web}/paper-reports", f"{web}/paper-reports", typed, {"account": "我是另一个人，说的是另一件事。"})


FORMS = [page_supplement, page_rectification, page_extension, page_rule_report, page_paper_report]


@pytest.fixture
def form(web: str, request: pytest.FixtureRequest) -> Form:
    made: Callable[[str], Form] = request.param
    return made(web)


def number_on(page: str) -> str:
    numbers = set(re.findall(r'name="submission_no" value="([0-9a-f]{32})"', page))
    assert len(numbers) == 1, page
    return numbers.pop()


@pytest.mark.parametrize("form", FORMS, indirect=True)
def test_a_form_that_comes_again_with_other_words_is_shown_again_with_them(form: Form) -> None:
    number = number_on(httpx.get(form.page).text)
    first = form.send(number, {})
    assert first.status_code in {200, 303}, first.text
    before = kept()
    refused = form.send(number, form.other)
    assert refused.status_code == 409, refused.text
    assert "这份表单此前已经提交过，而这次填写的内容与那次不同" in refused.text
    for words in form.other.values():
        assert words in html.unescape(refused.text)
    assert kept() == before
    assert form.send(number, {}).status_code == first.status_code
    assert kept() == before


@pytest.mark.parametrize("form", [page_supplement, page_paper_report], indirect=True)
def test_what_was_typed_can_be_handed_in_from_the_form_that_is_shown_again(form: Form) -> None:
    number = number_on(httpx.get(form.page).text)
    first = form.send(number, {})
    fresh = number_on(form.send(number, form.other).text)
    assert fresh != number
    before = kept()
    assert form.send(fresh, form.other).status_code == first.status_code
    assert kept() != before


def test_another_file_under_the_same_hidden_number_is_not_swallowed(web: str) -> None:
    form = page_supplement(web)
    number = number_on(httpx.get(form.page).text)
    form.send(number, {})
    refused = form.send(number, {}, files=OTHER_PNG)
    assert refused.status_code == 409
    assert "附件须重新选择" in refused.text


def test_a_citizen_is_not_shown_the_receipt_of_another_ones_report(web: str) -> None:
    form = page_paper_report(web)
    receipt = CASE_NO.search(form.send("a" * 32, {}).text)
    assert receipt is not None
    assert receipt[0] not in form.send("a" * 32, form.other).text
    with reading() as session:
        assert len(session.scalars(select(PaperReport.case_no)).all()) == 1


# Where the content itself is the number


def test_a_returned_paper_is_corrected_once_a_round(web: str) -> None:
    civil = caller_of(web, "KQ-MZ")
    case_no = civil.post("/api/v1/backfills", example("/api/v1/backfills")).json()["case_no"]
    assert Clerk(case_no).answer(BackfillReview, verdict="退回更正", reason="登记日期与扫描件不符") is None
    backfills.return_for_correction.run(case_no)
    path, body = f"/api/v1/backfills/{case_no}/correction", {"values": {"登记日期": "1998-06-12"}, "operator": "MZ-07"}
    assert [civil.post(path, body).status_code for _ in range(2)] == [200, 200]
    other = civil.post(path, body | {"values": {"登记日期": "1998-06-13"}})
    assert (other.status_code, "更正已经登记" in other.json()["detail"]) == (409, True)


def test_a_list_of_objections_again_does_not_change_where_its_sender_is_told(web: str) -> None:
    caller, rows = caller_of(web, "KQ-MZ"), base64.b64encode(table(clear(2))).decode()
    body = {"name": "异议.csv", "content": rows, "email": "push@example.cn"}
    path = "/api/v1/objection-batches/workbook"
    first, again = caller.post(path, body), caller.post(path, body)
    assert (first.status_code, first.json()) == (201, again.json())
    other = caller.post(path, body | {"email": "other@example.cn"})
    assert (other.status_code, "邮箱" in other.json()["detail"]) == (409, True), other.text
    assert not CASE_NO.search(other.text)


def test_a_file_of_papers_again_does_not_change_its_business_number(web: str) -> None:
    civil = caller_of(web, "KQ-MZ")
    text = "\r\n".join([",".join(MARRIAGE), ",".join(MARRIAGE.values())])
    body = {"certificate_type": "结婚证", "service_case_no": "MZ-1", "operator": "MZ-07", "name": "结婚证.csv"}
    body["content"] = base64.b64encode(text.encode()).decode()
    path = "/api/v1/backfills/batches"
    first, again = civil.post(path, body), civil.post(path, body)
    assert (first.status_code, first.json()) == (201, again.json())
    other = civil.post(path, body | {"service_case_no": "MZ-2"})
    assert (other.status_code, "业务办件编号" in other.json()["detail"]) == (409, True), other.text
    assert not CASE_NO.search(other.text)


def test_a_bureau_cannot_say_something_else_under_the_same_number(web: str, city_bureau: StandIn) -> None:
    case = Clerk().register()
    case.accept()
    case.request()
    (taken,) = city_bureau.taken.values()
    bureau, path = caller_of(web, "SX-DSJ"), "/api/v1/verification-replies"
    assert [bureau.post(path, taken.reply).json()["recorded"] for _ in range(2)] == [True, False]
    other = bureau.post(path, taken.reply | {"content": "与上次所说不同的另一番核实意见。"})
    assert (other.status_code, USED in other.json()["detail"]) == (409, True), other.text
    with reading() as session:
        (left,) = session.scalars(select(StaffTask.what).where(StaffTask.case_no == case.case_no))
    assert "又发来不同的内容" in left


def test_a_holder_who_objects_again_with_another_telephone_is_heard_again(web: str) -> None:
    case_no = (
        caller_of(web, "KQ-MZ")
        .post("/api/v1/backfills", example("/api/v1/backfills") | {"email": "wjg@example.com"})
        .json()["case_no"]
    )
    assert Clerk(case_no).answer(BackfillReview, verdict="通过") is None
    assert backfills.put_in_register.run(case_no) is not None
    with reading() as session:
        page = f"{web}/backfills/{session.get_one(Backfill, case_no).token}"
    typed = {"field": "登记日期", "proposed": "1998-05-21", "reason": "登记日期录错", "phone": "13800000000"}
    first, again, other = (httpx.post(page, data=typed | more) for more in ({}, {}, {"phone": "13900000000"}))
    assert first.headers["location"] == again.headers["location"] != other.headers["location"]
    with reading() as session:
        assert len(session.scalars(select(Objection.case_no)).all()) == 2


# Numbers from before


def test_a_number_from_before_contents_were_kept_stays_taken(web: str, department: Caller) -> None:
    given = objection(web).given
    first = department.post("/api/v1/objections", given)
    supplementing = supplement(web)
    assert department.post(supplementing.path, supplementing.given).status_code == 200
    command.downgrade(alembic_config(), "0016")
    command.upgrade(alembic_config(), "head")
    for path, body in (("/api/v1/objections", given), (supplementing.path, supplementing.given)):
        answer = department.post(path, body)
        assert (answer.status_code, USED in answer.json()["detail"]) == (409, True)
        assert first.json()["token"] not in answer.text
    assert department.post("/api/v1/objections", given | {"submission_no": "YY-002"}).status_code == 201
