"""Pages that one gets to by a link of one's own, or by a signature: without a hindrance, and with mistakes beside their
fields (Articles 11 and 12)."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateways.stand_in import StandIn
from models.backfills import Backfill
from models.notices import OutgoingNotice
from models.objections import Objection, Supplement
from runtime.database import reading
from tasks.backfill import steps as backfills
from tasks.backfill.questions import BackfillReview
from tasks.objections import steps as objections
from tasks.objections.questions import InitialReview
from tests.articles.test_article_12_objections import closed
from tests.browser.conftest import PHONE, Open, complains, hindrances, picture
from tests.conftest import Clerk
from tests.interface.conftest import caller_of
from tests.interface.test_backfills_api import URL, entry

pytestmark = pytest.mark.browser


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "门牌证.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    return path


def waiting_for_supplement(clerk: Clerk) -> Clerk:
    case = clerk.register()
    case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片")
    objections.request_supplement.run(case.case_no)
    return case


def test_an_objector_supplements_with_a_mistake_first(
    web: str, clerk: Clerk, open_page: Open, photo: Path, tmp_path: Path
) -> None:
    case = waiting_for_supplement(clerk)
    program = tmp_path / "程序.exe"
    program.write_bytes(b"MZ" + b"\0" * 64)
    page = open_page(viewport=PHONE)
    page.goto(f"{web}/objections/{case.token}")
    assert hindrances(page) == []
    page.get_by_role("button", name="提交补正").click()
    assert complains(page, "补正说明", "请填写补正说明或选择附件")
    page.get_by_label("补正说明").fill("门牌证见附件。")
    page.get_by_label("附件").set_input_files(program)
    page.get_by_role("button", name="提交补正").click()
    assert complains(page, "附件", "“程序.exe”的内容不是PDF")
    assert page.get_by_label("补正说明").input_value() == "门牌证见附件。"
    assert hindrances(page) == []
    page.get_by_label("附件").set_input_files(photo)
    page.get_by_role("button", name="提交补正").click()
    assert "补正已收到" in page.get_by_role("status").inner_text()
    with reading() as session:
        assert session.scalars(select(Supplement.text)).all() == ["门牌证见附件。"]


def test_an_objector_disagrees_with_too_few_words_first(
    web: str, clerk: Clerk, city_bureau: StandIn, open_page: Open
) -> None:
    case = closed(clerk)
    page = open_page(viewport=PHONE)
    page.goto(f"{web}/objections/{case.token}")
    page.get_by_label("不同意见").fill("不对")
    page.get_by_role("button", name="提交不同意见").click()
    assert complains(page, "不同意见", "不同意见至少5个字")
    assert page.get_by_label("不同意见").input_value() == "不对"
    assert hindrances(page) == []
    page.get_by_label("不同意见").fill("处理结果仍然不对，请再核查。")
    page.get_by_role("button", name="提交不同意见").click()
    assert "不同意见已登记" in page.get_by_role("status").inner_text()


def test_an_objector_moves_to_another_mailbox(web: str, clerk: Clerk, open_page: Open) -> None:
    case = clerk.register()
    page = open_page(viewport=PHONE)
    page.goto(f"{web}/objections/{case.token}")
    page.get_by_text("换一个邮箱收通知").click()
    page.get_by_label("新的邮箱", exact=True).fill("weian@kq")
    page.get_by_role("button", name="发送验证码").click()
    assert complains(page, "新的邮箱", "应如zhang@example.cn")
    assert hindrances(page) == []
    page.get_by_label("新的邮箱", exact=True).fill("weian@example.cn")
    page.get_by_role("button", name="确认").click()
    assert "通知仍发到原来的地方" in page.get_by_role("status").inner_text()
    assert hindrances(page) == []
    picture(page, "contact-confirm", full_page=True)
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "contact-to-confirm")
        code = session.scalars(wanted).one().context["code"]
    page.get_by_label("收到的验证码").fill(code)
    page.get_by_role("button", name="确认").click()
    assert "今后的通知发到新的地方" in page.get_by_role("status").inner_text()


def test_a_holder_objects_to_what_was_backfilled(web: str, clerk: Clerk, open_page: Open) -> None:
    case_no = caller_of(web, "KQ-MZ").post(URL, entry()).json()["case_no"]
    with reading() as session:
        link = f"{web}/backfills/{session.get_one(Backfill, case_no).token}"
    page = open_page(viewport=PHONE)
    page.goto(link)
    assert hindrances(page) == []
    Clerk(case_no).answer(BackfillReview, verdict="通过")
    backfills.put_in_register.run(case_no)
    page.goto(link)
    assert hindrances(page) == []
    page.get_by_label("应当是").fill("1998-05-21")
    page.get_by_label("电话").fill("nobody")
    page.get_by_role("button", name="提出异议").click()
    assert complains(page, "电话", "电话格式不对")
    assert complains(page, "理由", "理由未填写")
    assert complains(page, "项目", "项目未填写")
    assert page.get_by_label("应当是").input_value() == "1998-05-21"
    assert hindrances(page) == []
    page.get_by_label("项目").select_option("登记日期")
    page.get_by_label("理由").fill("登记日期录错了。")
    page.get_by_label("电话").fill("13800000000")
    page.get_by_role("button", name="提出异议").click()
    assert "异议已提交" in page.get_by_role("status").inner_text()
    assert hindrances(page) == []
    with reading() as session:
        assert session.scalar(select(func.count(Objection.case_no))) == 1
