"""An objection through the pages of those whom it concerns (Article 12): who objects, who decides, who approves. The
steps of its story are carried out between their pages."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.cases import Case
from models.objections import Objection
from regulation.certificates import Level
from runtime import clock
from runtime.database import reading
from tasks.case.answers import answer_or_wait
from tasks.case.questions import Question
from tasks.desk.door import begin
from tasks.objections import steps
from tasks.objections.endings import conclude
from tasks.objections.questions import InitialReview, OutcomeApproval, OutcomeDecision, VerificationReply
from tests.browser.conftest import Open, barriers, picture
from tests.browser.test_desk_case import LAPTOP
from tests.conftest import APPROVER, SCAN, Clerk, certificate_of, nothing_reaches_the_holders, officer_of
from web.desk.door import cookie_name

pytestmark = pytest.mark.browser
SCANNED = {"name": SCAN.name, "mimeType": SCAN.media_type, "buffer": SCAN.content}


def at_desk(open_page: Open, web: str, staff_no: str) -> Page:
    page = open_page(viewport=LAPTOP)
    page.context.add_cookies([{"name": cookie_name(), "value": begin(staff_no, "127.0.0.1"), "url": web}])
    return page


def opened(page: Page, web: str, case_no: str, question: type[Question], turn: int = 1) -> None:
    """The page of a case whose story has come to a question."""
    answer_or_wait(case_no, question, turn)
    page.goto(f"{web}/desk/cases/{case_no}")


def signed(page: Page) -> None:
    page.get_by_role("button", name="签名并登记").click()


def drafted(page: Page, web: str, case_no: str, reason: str, turn: int = 1) -> None:
    """The officer drafts an outcome."""
    opened(page, web, case_no, OutcomeDecision, turn)
    page.get_by_text("已更正", exact=True).first.click()
    page.get_by_label("告知申请人的理由", exact=True).fill(reason)
    signed(page)
    expect(page.get_by_role("status")).to_contain_text("已更正")
    steps.submit_outcome.run(case_no, turn)
    answer_or_wait(case_no, OutcomeApproval, turn)


def approving(page: Page, web: str, case_no: str, opinion: str, reason: str) -> None:
    """The director says what becomes of the draft, on the page of all that wait."""
    page.goto(f"{web}/desk/approvals")
    row = page.locator(".card").filter(has_text=case_no)
    row.get_by_label(f"{opinion}{case_no}").check()
    row.get_by_role("textbox").fill(reason)
    page.get_by_role("button", name="签名并审签").click()
    page.get_by_role("status").wait_for()


def test_an_heir_without_a_mailbox_objects_by_letter(web: str, clerk: Clerk, open_page: Open) -> None:
    held, kind = certificate_of(Level.CITY)
    page = at_desk(open_page, web, APPROVER)
    page.goto(f"{web}/desk/start/objection")
    texts = {
        "申请人姓名或名称": "俞小云",
        "证照类型": kind.name,
        "证照编号或电子证照标识": held.number,
        "有异议的项目": kind.names["address"],
        "证照上现在的内容": str(held.face["address"]),
        "申请人认为应当是": "绍兴市柯桥区柯桥街道群贤路9999号",
        "代谁办理": held.holder_name,
        "通信地址": "绍兴市柯桥区鉴湖路17号",
        "收到日期": str(clock.today()),
    }
    form = page.locator("#start")
    form.get_by_label("持证主体", exact=True).check()
    form.get_by_label("准确性", exact=True).check()
    form.get_by_label("来信", exact=True).check()
    for label, text in texts.items():
        form.get_by_label(label, exact=True).fill(text)
    form.get_by_label("理由", exact=True).fill("父亲生前的住址登记有误，办理继承要用。")
    form.get_by_label("代他人办理的身份").select_option("继承人")
    page.get_by_role("button", name="核对").last.click()
    # Nothing that shows it has come yet.
    expect(page.get_by_role("alert").first).to_contain_text("死亡证明和继承关系的证明")
    page.locator("input[type=file]").set_input_files([SCANNED])  # type: ignore[list-item]
    page.get_by_role("button", name="核对").last.click()
    expect(page.get_by_role("heading", name="将要登记")).to_be_visible()
    assert barriers(page) == []
    signed(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("已登记")
    with reading() as session:
        case_no = session.scalars(select(Case.case_no).where(Case.kind == "YY")).one()

    page = at_desk(open_page, web, officer_of(case_no))
    opened(page, web, case_no, InitialReview)
    expect(page.get_by_role("main")).to_contain_text(f"{held.holder_name}（申请人是继承人）")
    page.get_by_text("受理", exact=True).click()
    signed(page)
    expect(page.locator("#mandate-wrong")).to_contain_text("请核对材料")
    assert barriers(page) == []
    picture(page, "walk-heir-review")
    page.get_by_label("代他人办理的身份和材料").select_option("已核对，材料能够证明")
    page.get_by_text("受理", exact=True).click()
    signed(page)
    expect(page.get_by_role("status")).to_contain_text("初审意见：受理")
    steps.accept_objection.run(case_no)

    # All that is told them goes by post, to them. That the holder is dead is what a stranger would say, too: where the
    # holder lived, somebody hears of it.
    page = at_desk(open_page, web, APPROVER)
    page.goto(f"{web}/desk/letters")
    letters = page.locator(".card.letter").filter(has_text=case_no)
    expect(letters.filter(has_text=held.holder_name).filter(has_text="有人对您的")).to_have_count(1)
    letters = letters.filter(has_text="俞小云")
    expect(letters).to_have_count(2)
    expect(letters.first.get_by_label("地址")).to_have_value("绍兴市柯桥区鉴湖路17号")
    letters.first.get_by_label("挂号号码").fill("XA12345678933")
    page.get_by_role("button", name="签名并登记").click()
    expect(page.get_by_role("status")).to_contain_text("已登记")
    expect(page.locator(".card.letter").filter(has_text="挂号号码XA12345678933")).to_have_count(1)


def test_a_draft_is_refused_drafted_anew_and_approved(web: str, clerk: Clerk, open_page: Open) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    said = {"finding": "原数据有误", "content": "门牌号有误", "corrected_value": "绍兴市柯桥区柯桥街道群贤路9999号"}
    on = {"reply_no": "绍数函〔2026〕1号", "replied_on": str(clock.today())}
    assert case.answer(VerificationReply, **said | on) is None
    steps.take_reply.run(case.case_no)
    nothing_reaches_the_holders()
    officer = at_desk(open_page, web, officer_of(case.case_no))
    director = at_desk(open_page, web, APPROVER)

    drafted(officer, web, case.case_no, "登记的地址有误，现予更正。")
    approving(director, web, case.case_no, "退回重拟", "理由须写明依据哪一份函件。")
    assert not steps.take_outcome_approval.run(case.case_no, 1)
    opened(officer, web, case.case_no, OutcomeDecision, 2)
    expect(officer.get_by_role("main")).to_contain_text("理由须写明依据哪一份函件。")
    expect(officer.get_by_label("告知申请人的理由", exact=True)).to_have_value("登记的地址有误，现予更正。")
    picture(officer, "walk-returned")

    drafted(officer, web, case.case_no, "经市局绍数函〔2026〕1号核实，登记的地址有误，现予更正。", 2)
    approving(director, web, case.case_no, "同意", "")
    assert steps.take_outcome_approval.run(case.case_no, 2)
    conclude(lambda step: step.run(case.case_no))
    officer.goto(f"{web}/desk/cases/{case.case_no}")
    expect(officer.get_by_role("main")).to_contain_text(re.compile("审签退回.*审签同意|退回.*同意", re.DOTALL))
    with reading() as session:
        assert session.get_one(Objection, case.case_no).outcome == "已更正"
    # Whoever objected reads the second reason and nothing of the first.
    page = open_page(viewport=LAPTOP)
    page.goto(f"{web}/objections/{case.token}")
    expect(page.get_by_role("main")).to_contain_text("经市局绍数函〔2026〕1号核实")
    assert "依据哪一份" not in page.get_by_role("main").inner_text()
