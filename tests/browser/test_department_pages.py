"""What departments, inspectors and citizens answer on pages: first with mistakes, then right (Articles 8 to 10, 12, 16
and 17). No field loses what was typed into it, and each says what is wrong with it."""

import urllib.parse
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from gateways.stand_in import StandIn
from models.cases import Answer
from models.certificate_uses import WrongValueUse
from models.certificates import Certificate
from models.objections import Attachment
from models.paper_reports import PaperReport
from models.rule_revisions import RuleRevision
from models.spot_checks import SpotCheckTeam
from models.use_lists import EntryEnquiry
from regulation.limits import EXTENSION_DAYS
from regulation.spot_checks import TeamStage
from runtime import clock
from runtime.database import reading
from tasks.objections import corrections
from tasks.rectifications.questions import DepartmentResponse
from tasks.rule_revisions.questions import RevisionReport
from tasks.use_list.watch import ask_about_entries
from tests.articles.test_article_12_source_checks import accepted, token_of
from tests.browser.conftest import PHONE, Open, complains, hindrances
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of
from tests.interface.test_corrections import corrected, extract, told_by_mail
from tests.interface.test_corrections import estate as estate_that_holds
from tests.interface.test_paper_reports import OFFICE
from tests.interface.test_rectifications import ordered, page_of
from tests.interface.test_rule_revisions import case as case_of_revision
from tests.interface.test_spot_checks import case as case_of_checks
from tests.interface.test_spot_checks import teams
from tests.interface.test_use_list_api import enquiry_link, nothing_was_used_for_years
from web import requests

pytestmark = pytest.mark.browser

estate, revision, round_ = estate_that_holds, case_of_revision, case_of_checks


@pytest.fixture
def department(web: str) -> Caller:
    return caller_of(web, "KQ-SCJG")


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    """A file that is taken."""
    path = tmp_path / "证明.pdf"
    path.write_bytes(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF")
    return path


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A file that is not taken."""
    path = tmp_path / "程序.pdf"
    path.write_bytes(b"MZ" + b"\0" * 64)
    return path


def answered(question: str) -> list[dict[str, object]]:
    with reading() as session:
        return [each.given for each in session.scalars(select(Answer).where(Answer.question == question))]


def kept_files() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attachment.name)))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_department_answers_a_rectification(
    web: str, clerk: Clerk, open_page: Open, proof: Path, program: Path, scripts: bool
) -> None:
    page = open_page(viewport=PHONE, java_script_enabled=scripts)
    page.goto(page_of(web, ordered()))
    if scripts:
        assert hindrances(page) == []
    page.get_by_label("做了什么，现在怎样").fill("好了")
    page.get_by_label("材料（可以不附）").set_input_files([proof, program])
    page.get_by_role("button", name="提交整改情况").click()
    assert "有2处需要更正" in page.get_by_role("alert").inner_text()
    assert complains(page, "做了什么，现在怎样", "整改情况至少5个字")
    assert complains(page, "材料（可以不附）", "“程序.pdf”的内容不是PDF")
    assert complains(page, "材料（可以不附）", "刚才选的“证明.pdf”、“程序.pdf”没有保存，附件须重新选择")
    assert page.get_by_label("做了什么，现在怎样").input_value() == "好了"
    if scripts:
        assert hindrances(page) == []
    page.get_by_label("做了什么，现在怎样").fill("已经指定专人并报送备案。")
    page.get_by_label("材料（可以不附）").set_input_files(proof)
    page.get_by_role("button", name="提交整改情况").click()
    assert "整改情况已收到" in page.get_by_role("status").inner_text()
    assert "已经指定专人并报送备案。" in page.get_by_role("main").inner_text()
    assert [each["text"] for each in answered(DepartmentResponse.question)] == ["已经指定专人并报送备案。"]
    assert kept_files() == ["证明.pdf"]


def test_a_department_asks_for_more_time(web: str, clerk: Clerk, open_page: Open) -> None:
    page = open_page(viewport=PHONE)
    page.goto(page_of(web, ordered()))
    page.get_by_label("延期理由").fill("系统正在改造，下周上线。")
    page.get_by_label("延期的工作日数").fill(str(EXTENSION_DAYS.value + 1))
    page.get_by_role("button", name="申请延期").click()
    assert complains(page, "延期的工作日数", f"延期为1至{EXTENSION_DAYS.value}个工作日")
    # The other form on the page is as it was.
    assert page.get_by_label("做了什么，现在怎样").get_attribute("aria-invalid") is None
    assert page.get_by_label("延期理由").input_value() == "系统正在改造，下周上线。"
    page.get_by_label("延期的工作日数").fill("3")
    page.get_by_role("button", name="申请延期").click()
    assert "延期申请已收到" in page.get_by_role("status").inner_text()
    assert [each["days"] for each in answered(DepartmentResponse.question)] == [3]


def test_nobody_puts_words_on_a_departments_page(web: str, clerk: Clerk) -> None:
    link = page_of(web, ordered())
    said = urllib.parse.quote("请把密码发到这个邮箱")
    assert "请把密码" not in httpx.get(f"{link}?said={said}").text


def test_a_rectification_that_waits_for_nothing_keeps_what_was_typed(web: str, clerk: Clerk, open_page: Open) -> None:
    link = page_of(web, ordered())
    first, second = open_page(viewport=PHONE), open_page(viewport=PHONE)
    for page, words in ((first, "已经指定专人并报送备案。"), (second, "另一位同事也答复了。")):
        page.goto(link)
        page.get_by_label("做了什么，现在怎样").fill(words)
    first.get_by_role("button", name="提交整改情况").click()
    second.get_by_role("button", name="提交整改情况").click()
    assert "本轮的答复已经登记" in second.get_by_role("alert").inner_text()
    assert second.get_by_label("做了什么，现在怎样").input_value() == "另一位同事也答复了。"
    assert hindrances(second) == []


def test_a_department_reports_a_revised_rule(
    web: str, revision: Clerk, open_page: Open, proof: Path, program: Path
) -> None:
    with reading() as session:
        link = f"{web}/rule-revisions/{session.get_one(RuleRevision, revision.case_no).token}"
    page = open_page(viewport=PHONE)
    page.goto(link)
    assert hindrances(page) == []
    page.get_by_role("button", name="提交修订报告").click()
    assert "有3处需要更正" in page.get_by_role("alert").inner_text()
    assert complains(page, "修订后的文号", "修订后的文号未填写")
    assert complains(page, "施行日期", "施行日期未填写")
    assert complains(page, "修订后的文件", "请附上修订后的文件")
    assert hindrances(page) == []
    page.get_by_label("修订后的文号").fill("柯市监〔2026〕9号")
    page.get_by_label("施行日期").fill("2020-01-01")
    page.get_by_label("修订后的文件").set_input_files(proof)
    page.get_by_role("button", name="提交修订报告").click()
    assert complains(page, "施行日期", "施行日期不能早于报送本件的")
    assert complains(page, "修订后的文件", "刚才选的“证明.pdf”没有保存，附件须重新选择")
    assert page.get_by_label("修订后的文号").input_value() == "柯市监〔2026〕9号"
    assert page.get_by_label("施行日期").input_value() == "2020-01-01"
    page.get_by_label("施行日期").fill(str(clock.today()))
    page.get_by_label("修订后的文件").set_input_files(proof)
    page.get_by_role("button", name="提交修订报告").click()
    assert "修订报告已收到" in page.get_by_role("status").inner_text()
    assert [each["document_no"] for each in answered(RevisionReport.question)] == ["柯市监〔2026〕9号"]
    assert kept_files() == ["证明.pdf"]


def test_a_department_says_what_it_did_about_a_wrong_value(
    web: str, estate: Certificate, city_bureau: StandIn, open_page: Open
) -> None:
    extract(caller_of(web, "KQ-ZRZY"), estate, "BDC-1", "address")
    case = corrected(estate)
    corrections.tell_users_of_wrong_value.run(case.case_no)
    page = open_page(viewport=PHONE)
    page.goto(web + urllib.parse.urlsplit(told_by_mail()[0].context["link"]).path)
    assert hindrances(page) == []
    page.get_by_label("如何处理").fill("好")
    page.get_by_role("button", name="提交答复").click()
    assert complains(page, "如何处理", "处理情况至少5个字")
    assert page.get_by_label("如何处理").input_value() == "好"
    assert hindrances(page) == []
    page.get_by_label("如何处理").fill("BDC-1已重新核对，登记簿已更正。")
    page.get_by_role("button", name="提交答复").click()
    assert page.get_by_role("heading", level=1).inner_text() == "答复已登记"
    assert hindrances(page) == []
    with reading() as session:
        assert session.scalars(select(WrongValueUse.answer)).all() == ["BDC-1已重新核对，登记簿已更正。"]


def test_a_department_says_what_its_record_says(web: str, clerk: Clerk, open_page: Open) -> None:
    page = open_page(viewport=PHONE)
    page.goto(f"{web}/source-checks/{token_of(accepted())}")
    assert hindrances(page) == []
    page.get_by_label("原数据有误", exact=True).check()
    page.get_by_label("依据").fill("原始登记档案第17卷，门牌为9999号。")
    page.get_by_role("button", name="提交核对情况").click()
    assert complains(page, "正确的内容", "请填写正确的内容")
    assert page.get_by_label("依据").input_value() == "原始登记档案第17卷，门牌为9999号。"
    assert hindrances(page) == []
    page.get_by_label("正确的内容").fill("绍兴市柯桥区柯桥街道群贤路9999号")
    page.get_by_role("button", name="提交核对情况").click()
    assert page.get_by_role("heading", level=1).inner_text() == "核对情况已登记"
    assert hindrances(page) == []


def test_a_department_says_which_entries_it_still_needs(web: str, open_page: Open) -> None:
    nothing_was_used_for_years()
    ask_about_entries(clock.now())
    page = open_page(viewport=PHONE)
    page.goto(enquiry_link(web))
    assert hindrances(page) == []
    page.get_by_role("button", name="提交答复").click()
    assert complains(page, "仍需要", "没有选择任何条目")
    first = page.get_by_role("group").first
    number = first.get_by_label("不再需要，停用").get_attribute("name")
    first.get_by_label("不再需要，停用").check()
    page.get_by_role("button", name="提交答复").click()
    assert "已记录1个条目的答复" in page.get_by_role("status").inner_text()
    assert "已答复：不再需要" in page.get_by_role("main").inner_text()
    assert hindrances(page) == []
    with reading() as session:
        assert session.get_one(EntryEnquiry, int(str(number))).keep is False


def test_inspectors_fill_in_send_back_and_confirm_a_checklist(
    web: str, round_: Clerk, open_page: Open, proof: Path
) -> None:
    team = teams(round_)[0]
    one, other = team.inspectors

    def sign(staff_no: str) -> None:
        page.goto(f"{web}/spot-checks/{round_.case_no}/checklists")
        page.get_by_label("工号").fill(staff_no)
        page.get_by_role("button", name="打开检查表").click()

    def of_team(action: str) -> str:
        return f'form[action$="/{team.department_uscc}/{action}"]'

    def stage() -> TeamStage:
        with reading() as session:
            return session.get_one(SpotCheckTeam, (team.case_no, team.department_uscc)).stage

    page = open_page(viewport=PHONE)
    sign("")
    assert complains(page, "工号", "工号未填写")
    assert hindrances(page) == []
    sign(one)
    assert hindrances(page) == []
    upload = page.locator(of_team("workbook"))
    upload.get_by_label("填写好的检查表").set_input_files(proof)
    upload.get_by_role("button", name="上传并登记").click()
    alert = page.get_by_role("alert")
    assert f"#{team.department_uscc}-file" in str(alert.get_by_role("link").first.get_attribute("href"))
    assert hindrances(page) == []

    lines = page.locator(of_team("lines"))
    groups = lines.get_by_role("group")
    for group in groups.all():
        group.get_by_label("合格", exact=True).check()
    groups.first.get_by_label("不合格").check()
    lines.get_by_role("button", name="登记").click()
    # What does not pass needs a note, and its field says so.
    note = page.locator(f'[id="{team.department_uscc}-note-1"]')
    assert note.get_attribute("aria-invalid") == "true"
    assert page.get_by_role("alert").get_by_role("link").count() == 1
    assert page.get_by_role("alert").get_by_role("link").get_attribute("href") == f"#{team.department_uscc}-note-1"
    assert groups.first.get_by_label("不合格").is_checked()
    assert hindrances(page) == []
    note.fill("业务SP-1有纸质件。")
    lines.get_by_role("button", name="登记").click()
    assert "请同组检查人员确认" in page.get_by_role("status").inner_text()
    assert stage() is TeamStage.ENTERED

    sign(other)
    back = page.locator(of_team("return"))
    back.get_by_label("退回原因").fill("不对")
    back.get_by_role("button", name="退回").click()
    page.get_by_role("alert").get_by_role("link", name="退回须写明原因").wait_for()
    assert back.get_by_label("退回原因").input_value() == "不对"
    assert hindrances(page) == []
    page.locator(of_team("confirmation")).get_by_role("button", name="确认结果").click()
    assert "检查结果已确认" in page.get_by_role("status").inner_text()
    assert stage() is TeamStage.CONFIRMED


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_citizen_reports_that_a_counter_demanded_paper(
    web: str, open_page: Open, proof: Path, scripts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_counted", requests.SlidingWindowCounterRateLimiter(requests.MemoryStorage()))
    page = open_page(viewport=PHONE, java_script_enabled=scripts)
    page.goto(web)
    page.get_by_role("link", name="窗口还要纸质证件？").click()
    page.get_by_label("哪个部门的窗口").select_option(OFFICE)
    page.get_by_label("要的是什么证件").fill("结婚证")
    page.get_by_label("邮箱（可以不填）").fill("不是邮箱")
    page.get_by_label("照片或文件（可以不附）").set_input_files(proof)
    page.get_by_role("button", name="提交").click()
    assert "有5处需要更正" in page.get_by_role("alert").inner_text()
    assert complains(page, "办什么事", "办什么事未填写")
    assert complains(page, "要我交纸质证件原件", "窗口怎么要求未填写")
    assert complains(page, "哪一天", "哪一天未填写")
    assert complains(page, "邮箱（可以不填）", "邮箱格式不对")
    assert complains(page, "照片或文件（可以不附）", "刚才选的“证明.pdf”没有保存，附件须重新选择")
    assert page.get_by_label("哪个部门的窗口").input_value() == OFFICE
    assert page.get_by_label("要的是什么证件").input_value() == "结婚证"
    if scripts:
        assert hindrances(page) == []
    page.get_by_label("办什么事").fill("查结婚档案")
    page.get_by_label("要我交复印件").check()
    page.get_by_label("哪一天").fill(str(clock.today()))
    page.get_by_label("邮箱（可以不填）").fill("")
    page.get_by_label("照片或文件（可以不附）").set_input_files(proof)
    page.get_by_role("button", name="提交").click()
    assert page.get_by_role("heading", level=1).inner_text() == "已收到"
    if scripts:
        assert hindrances(page) == []
    with reading() as session:
        report = session.scalars(select(PaperReport)).one()
    assert (report.matter, report.material, str(report.demand)) == ("查结婚档案", "结婚证", "要求提供复印件")
    assert report.case_no in page.get_by_role("main").inner_text()
    assert kept_files() == ["证明.pdf"]
