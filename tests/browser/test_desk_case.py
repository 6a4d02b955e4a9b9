"""A case's page at the desk in Chromium: all that a decision hangs on in sight, few clicks, and nothing typed lost.

Cases are those of the kept installation: one waits at every question.
"""

import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pypdfium2
import pytest
import typst
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import delete, select

from models.cases import Case
from models.migrations import migrate
from models.organisations import Officer, SpentCode
from runtime.database import reading, transaction
from tasks.case.answers import accepted_answer
from tasks.case.questions import Question
from tasks.desk.case_page import add_files
from tasks.desk.door import begin
from tasks.desk.kinds import QUESTIONS
from tasks.desk.phrases import PhraseForm, keep_phrase
from tasks.objections.questions import InitialReview, LetterPosted, OutcomeApproval, ReviewApproval, VerificationReply
from tests.browser.conftest import PHONE, Open, barriers, is_too_wide, picture, watched
from tests.conftest import SCAN as LETTER
from tests.conftest import answered, at_desk, web_in_this_process, working_in
from tests.upgrades.playing import go_on, without_prefect
from web.desk.door import cookie_name

pytestmark = pytest.mark.browser

KEPT = sorted((Path(__file__).parents[1] / "upgrades" / "kept").glob("*.tar.xz"))[-1]
LAPTOP = {"width": 1366, "height": 625}
"""What is left of a small laptop's screen below the browser's own bars."""
DIRECTOR = "KQ004"
SCAN = b"""#set page(width: 148mm, height: 200mm, margin: 16mm, fill: rgb("#f6efe2"))
#set text(size: 15pt)
#align(center, text(size: 26pt, fill: rgb("#9d2933"))[REGISTRATION])
#v(8mm)
#table(columns: (1fr, 2fr), stroke: 0.5pt + rgb("#9d2933"), inset: 3mm,
  ..range(1, 9).map(n => ([Item #n], [Entry of a paper, 1998-06-12, No. #n])).flatten())
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kept installation, migrated, with evidence in its cases."""
    folder = tmp_path_factory.mktemp("kept")
    with tarfile.open(KEPT) as archive:
        archive.extractall(folder, filter="data")
    with working_in(folder / "var", PREFECT_API_URL="http://127.0.0.1:9/api", EZT_ONE_TIME_CODES="false"):
        migrate()
        draft_for_approval()
    with working_in(folder / "var", PREFECT_API_URL="http://127.0.0.1:9/api"):
        picture, paper = typst.compile(SCAN, format="png", ppi=110.0), typst.compile(SCAN, format="pdf")
        assert isinstance(picture, bytes)
        assert isinstance(paper, bytes)
        for question, case_no in waiting().items():
            # Files answer this one.
            if question != "scan":
                add_files(case_no, at_desk(DIRECTOR), [("扫描件.png", picture), ("来函.pdf", paper)])
        for place, text in (
            ("initial-review.reason", "所述项目不是证照所载内容，不属于第十二条核查的范围。"),
            ("initial-review.reason", "请补充能够证明正确内容的材料，如户口簿、原始登记档案的复印件。"),
            ("outcome.reason", "经上级核实，登记内容有误，已按核实结果更正。"),
        ):
            keep_phrase(PhraseForm(place=place, text=text), at_desk(DIRECTOR))
        yield folder / "var"


@pytest.fixture
def home(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The web process over a copy of it."""
    shutil.copytree(installation, tmp_path / "var", ignore=shutil.ignore_patterns("prefect"))
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    with working_in(tmp_path / "var"):
        monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
        with web_in_this_process() as web:
            yield web


@pytest.fixture(scope="module")
def shown(installation: Path) -> Iterator[str]:
    """The web process over it, for whoever only looks."""
    with working_in(installation), web_in_this_process() as web:
        yield web


def draft_for_approval() -> None:
    """The version that was kept asked for no approval: two cases of it go on until one is asked for."""
    decline = {InitialReview: {"verdict": "不予受理", "reason": "所述项目不是证照所载内容，不属于核查的范围。"}}
    with without_prefect():
        for begun, approval, steered in (
            (VerificationReply, OutcomeApproval, {}),
            (InitialReview, ReviewApproval, decline),
        ):
            with reading() as session:
                there = select(Case.case_no).where(
                    Case.waiting_for.like(f"{begun.question}-%"), Case.closed_at.is_(None)
                )
                first, *others = session.scalars(there.order_by(Case.case_no)).all()
            assert others, f"only one case waits at {begun.question}"
            go_on(first, until=approval, steered=steered)


def waiting() -> dict[str, str]:
    """By question, a case that waits at it."""
    with reading() as session:
        wanted = select(Case).where(Case.closed_at.is_(None), Case.waiting_for.is_not(None)).order_by(Case.case_no)
        return {str(case.waiting_for).rpartition("-")[0]: case.case_no for case in session.scalars(wanted)}


def case_at(question: type[Question]) -> str:
    return waiting()[question.question]


def code_of(staff_no: str) -> str:
    """A one-time code. Nobody waits half a minute here for the next: that each counts once is tested elsewhere."""
    with transaction() as session:
        session.execute(delete(SpentCode).where(SpentCode.staff_no == staff_no))
        return pyotp.TOTP(session.get_one(Officer, staff_no).code_secret).now()


def sign_in(page: Page, web: str, staff_no: str = DIRECTOR) -> Page:
    """A page whose browser is signed in. The form by which one does so is two more pages a test; the list's tests and
    the guide's walk fill it in."""
    page.context.add_cookies([{"name": cookie_name(), "value": begin(staff_no, "127.0.0.1"), "url": web}])
    return page


@pytest.fixture(scope="module")
def looking(chromium: Browser) -> Iterator[Open]:
    """Opens the pages of those who only look at one case after the other."""
    with watched(chromium) as opened:
        yield opened


@pytest.fixture(scope="module")
def laptop(looking: Open, shown: str) -> Page:
    """One for all questions: to begin a browser takes longer than to show a page."""
    return sign_in(looking(viewport=LAPTOP), shown)


@pytest.fixture(scope="module")
def phone(looking: Open, shown: str) -> Page:
    """One for all questions."""
    return sign_in(looking(viewport=PHONE), shown)


IN_SIGHT = """(element) => {
  let box = element.getBoundingClientRect();
  let [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom];
  for (let on = element.parentElement; on; on = on.parentElement) {
    const style = getComputedStyle(on), edge = on.getBoundingClientRect();
    if (style.overflowY === "visible") continue;
    [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
    [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
  }
  [left, top] = [Math.max(0, left), Math.max(0, top)];
  [right, bottom] = [Math.min(innerWidth, right), Math.min(innerHeight, bottom)];
  return Math.max(0, right - left) * Math.max(0, bottom - top) / (box.width * box.height);
}"""
"""How much of an element is in sight, from 0 to 1."""


def in_sight(element: Locator) -> float:
    part: float = element.evaluate(IN_SIGHT)
    return part


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_fact_evidence_and_form_are_in_sight_together(question: type[Question], shown: str, laptop: Page) -> None:
    page = laptop
    page.goto(f"{shown}/desk/cases/{case_at(question)}")
    picture(page, f"desk-{question.question}-laptop")
    fact = page.locator(".compared").first
    telling = fact.locator("tr.telling, tbody tr, tr").first
    assert in_sight(fact.get_by_role("heading")) == pytest.approx(1, abs=0.01)
    assert in_sight(telling) > 0.9
    evidence = page.locator(".evidence img:visible, .upload:visible").first
    assert in_sight(evidence) > (0.2 if not question.by_files else 0.99)
    form = page.locator(".decision")
    assert in_sight(form.get_by_role("heading").first) == pytest.approx(1, abs=0.01)
    for control in form.locator("input:visible, select:visible, textarea:visible, button:visible").all():
        assert in_sight(control) > 0.98, control.evaluate("element => element.outerHTML")
    assert not is_too_wide(page)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_can_be_answered_on_a_phone(question: type[Question], shown: str, phone: Page) -> None:
    page = phone
    page.goto(f"{shown}/desk/cases/{case_at(question)}")
    picture(page, f"desk-{question.question}-phone", full_page=True)
    assert not is_too_wide(page)
    assert barriers(page) == []
    assert page.get_by_role("heading", level=1).count() == 1


class Clicks:
    """Counts clicks; typing, and the keys that lead from field to field, are none."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, place: Locator) -> None:
        place.click()
        self.number += 1


def from_the_list(page: Page, web: str, case_no: str, click: Clicks) -> None:
    page.goto(f"{web}/desk?whose=all")
    click(page.get_by_role("link", name=case_no))


def type_into(page: Page, *texts: str) -> None:
    """Type into the field that has the focus and into those after it."""
    for text in texts:
        page.keyboard.type(text)
        page.keyboard.press("Tab")


def answer_of(case_no: str, question: str) -> dict[str, str] | None:
    with reading() as session:
        return accepted_answer(session, case_no, question, 1)


def test_an_initial_review_takes_three_clicks_from_the_list_to_the_record(home: str, open_page: Open) -> None:
    page, click, case_no = sign_in(open_page(viewport=LAPTOP), home), Clicks(), case_at(InitialReview)
    from_the_list(page, home, case_no, click)
    click(page.get_by_text("受理", exact=True))
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    click(page.get_by_role("button", name="签名并登记"))
    expect(page.get_by_role("status")).to_contain_text("初审意见：受理")
    assert click.number <= 3
    assert answer_of(case_no, "initial-review") == {"verdict": "受理", "reason": ""}
    # Who goes back finds the case as it is, not the form that was sent.
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text(case_no)
    assert page.locator("#answer").count() == 0


def test_the_next_case_is_one_click_away(home: str, open_page: Open) -> None:
    case_no = case_at(InitialReview)
    with transaction() as session:
        officer_no = session.get_one(Case, case_no).officer_no
        others = session.scalars(select(Case).where(Case.case_no.in_(waiting().values())))
        for other in others:
            other.officer_no = officer_no
    page = sign_in(open_page(viewport=LAPTOP), home, officer_no)
    page.goto(f"{home}/desk/cases/{case_no}")
    page.get_by_text("受理", exact=True).click()
    page.get_by_label("一次性验证码").fill(code_of(officer_no))
    page.get_by_role("button", name="签名并登记").click()
    following = page.get_by_role("link", name="办理下一件")
    next_no = following.inner_text().partition("：")[2]
    picture(page, "desk-recorded")
    following.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(next_no)
    assert page.locator("#answer").count() == 1


def test_a_reply_by_letter_takes_five_clicks_from_the_list_to_the_record(home: str, open_page: Open) -> None:
    page, click, case_no = sign_in(open_page(viewport=LAPTOP), home), Clicks(), case_at(VerificationReply)
    from_the_list(page, home, case_no, click)
    click(page.get_by_text("原数据无误", exact=True))
    click(page.get_by_label("回复内容"))
    type_into(page, "与登记档案一致。", "", "绍数函〔2026〕12号")
    page.get_by_label("回复日期").fill(page.get_by_label("回复日期").get_attribute("max") or "")
    # Chosen with one click, where a window of the system's opens.
    scan = {"name": LETTER.name, "mimeType": LETTER.media_type, "buffer": LETTER.content}
    with page.expect_file_chooser() as opened:
        click(page.get_by_label("来函扫描件"))
    opened.value.set_files([scan])  # type: ignore[list-item]
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    click(page.get_by_role("button", name="签名并登记"))
    expect(page.get_by_role("status")).to_contain_text("绍数函〔2026〕12号")
    assert click.number <= 5
    assert (answer_of(case_no, "verification-reply") or {})["finding"] == "原数据无误"


def open_case(page: Page, web: str, question: type[Question]) -> str:
    case_no = case_at(question)
    page.goto(f"{web}/desk/cases/{case_no}")
    return case_no


def test_what_a_choice_requires_is_said_as_soon_as_it_is_chosen(shown: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP), shown)
    open_case(page, shown, InitialReview)
    reason = page.get_by_label("理由或补正内容")
    assert reason.get_attribute("required") is None
    page.get_by_text("不予受理", exact=True).click()
    assert reason.evaluate("element => element.required && element.minLength")
    page.get_by_label("一次性验证码").fill("123456")
    page.get_by_role("button", name="签名并登记").click()
    # The browser says so, and nothing was sent.
    assert reason.evaluate("element => element.matches(':invalid') && element === document.activeElement")
    page.get_by_text("受理", exact=True).click()
    assert reason.evaluate("element => !element.required")


def test_a_usual_reason_is_put_into_its_field_with_a_click(shown: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP), shown)
    open_case(page, shown, InitialReview)
    page.get_by_role("button", name="所述项目不是证照所载内容").click()
    expect(page.get_by_label("理由或补正内容")).to_have_value("所述项目不是证照所载内容，不属于第十二条核查的范围。")
    page.get_by_role("button", name="请补充能够证明").click()
    assert page.get_by_label("理由或补正内容").input_value().count("\n") == 1
    page.evaluate("document.querySelector('#answer').reset()")


def test_without_a_script_the_same_can_be_done(home: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP, java_script_enabled=False), home)
    case_no = open_case(page, home, InitialReview)
    assert page.get_by_text("选“不予受理”、“要求补正”时必填").is_visible()
    page.get_by_text("不予受理", exact=True).click()
    page.get_by_label("常用语").select_option(index=1)
    # Enter signs, though the button that adds files comes first on the page.
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    page.get_by_label("一次性验证码").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("不予受理")
    assert (answer_of(case_no, "initial-review") or {})["reason"].startswith("所述项目")


def test_nothing_typed_is_lost_by_leaving_coming_back_or_adding_a_file(
    home: str, open_page: Open, tmp_path: Path
) -> None:
    page = sign_in(open_page(viewport=LAPTOP), home)
    case_no = open_case(page, home, InitialReview)
    reason = page.get_by_label("理由或补正内容")
    page.get_by_text("要求补正", exact=True).click()
    reason.fill("请补充户口簿复印件，写到一半")
    page.get_by_role("link", name="待办", exact=True).click()
    page.wait_for_url("**/desk")
    page.goto(f"{home}/desk/cases/{case_no}")
    expect(reason).to_have_value("请补充户口簿复印件，写到一半")
    assert page.get_by_label("要求补正").is_checked()
    with page.expect_request("**/draft"):
        reason.fill("请补充户口簿复印件，又写了一点")
    page.wait_for_timeout(300)
    page.reload()
    expect(reason).to_have_value("请补充户口簿复印件，又写了一点")
    file = tmp_path / "户口簿.png"
    file.write_bytes(typst.compile(b"book", format="png"))  # type: ignore[arg-type]
    page.get_by_text("添加收到的纸质或电子材料").click()
    page.get_by_label("添加附件").set_input_files(file)
    page.locator("button", has_text="添加附件").click()
    expect(page.get_by_role("status")).to_contain_text("附件已添加")
    expect(reason).to_have_value("请补充户口簿复印件，又写了一点")
    # Another one is signed for without being added first, and comes along.
    another = tmp_path / "门牌证.png"
    another.write_bytes(typst.compile(b"door", format="png"))  # type: ignore[arg-type]
    page.get_by_text("添加收到的纸质或电子材料").click()
    page.get_by_label("添加附件").set_input_files(another)
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    page.get_by_role("button", name="签名并登记").click()
    expect(page.get_by_role("status")).to_contain_text("又写了一点")
    assert page.locator("figcaption a", has_text="门牌证.png").count() == 1
    page.reload()
    assert page.locator("#answer").count() == 0
    page.goto(f"{home}/desk/cases/{case_no}")
    assert page.get_by_role("alert").count() == 0


def test_a_second_tab_says_who_answered_meanwhile_and_keeps_what_was_typed(home: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP), home)
    case_no = open_case(page, home, InitialReview)
    page.get_by_text("要求补正", exact=True).click()
    page.get_by_label("理由或补正内容").fill("请补充户口簿复印件")
    assert answered(case_no, InitialReview, 1, {"verdict": "受理"}, DIRECTOR, code_of(DIRECTOR)) is None
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    page.get_by_role("button", name="签名并登记").click()
    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text("这一步已由")
    expect(alert).to_contain_text("初审意见：受理")
    expect(alert).to_contain_text("请补充户口簿复印件")
    picture(page, "desk-answered-meanwhile")


def test_a_mistake_stands_beside_its_field(home: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP, java_script_enabled=False), home)
    open_case(page, home, InitialReview)
    page.get_by_text("不予受理", exact=True).click()
    page.get_by_label("理由或补正内容").fill("不行")
    page.get_by_label("一次性验证码").fill("000000")
    page.get_by_role("button", name="签名并登记").click()
    expect(page).to_have_title(re.compile("^有误："))
    picture(page, "desk-refused")
    assert "不予受理须告知申请人理由" in page.locator("#reason-wrong").inner_text()
    assert in_sight(page.locator("#reason-wrong")) > 0.98


def test_a_picture_is_looked_at_closely_where_it_stands(shown: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP), shown)
    open_case(page, shown, InitialReview)
    picture = page.locator(".picture img").first
    before = picture.bounding_box()
    picture.click()
    after = picture.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 2 * before["width"]
    assert picture.evaluate("element => element.naturalWidth") > 0


def test_the_letter_is_downloaded_from_the_page(shown: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP), shown)
    open_case(page, shown, LetterPosted)
    with page.expect_download() as found:
        page.get_by_role("link", name="下载函件草稿").click()
    assert found.value.suggested_filename.endswith("函（草稿）.pdf")


def test_usual_reasons_have_a_page_that_can_be_used_by_all(shown: str, open_page: Open) -> None:
    for viewport in (LAPTOP, PHONE):
        page = sign_in(open_page(viewport=viewport), shown)
        page.goto(f"{shown}/desk/phrases")
        picture(page, f"desk-phrases-{viewport['width']}")
        assert barriers(page) == []
        assert not is_too_wide(page)


def test_letters_are_opened_with_the_keyboard_and_printed_whole(home: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP), home)
    page.goto(f"{home}/desk/cases/{case_at(InitialReview)}")
    letter = page.locator(".told").last
    summary, text = letter.locator("summary"), letter.locator(".letter")
    expect(summary).to_contain_text("展开正文")
    expect(text).to_be_hidden()
    printed = pypdfium2.PdfDocument(page.pdf())
    words = "".join("".join(sheet.get_textpage().get_text_range().split()) for sheet in printed)
    assert "收到异议申请5个工作日内" in words
    assert "展开正文" not in words
    expect(text).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(text).to_be_visible()
    expect(summary).to_contain_text("收起正文")
    expect(summary).not_to_contain_text("展开正文", use_inner_text=True)
