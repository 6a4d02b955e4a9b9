"""第十二条 gives the right to object to departments, holders and others. Who acts for one of them says for whom, shows
it, and is who is written to."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import select

from models.cases import Case, Deadline, StaffTask
from models.hearings import Hearing
from models.notices import NoticeState, OutgoingNotice
from models.objections import Objection
from notifications.notices import NOTICES
from notifications.rendering import render
from regulation.certificates import Level, mask_name
from regulation.limits import CONFIRMATION_MAILS, SUPPLEMENT
from regulation.objections import SHOWN_BY, Capacity
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.desk.approvals import waiting
from tasks.desk.postings import posting_list
from tasks.desk.search import search
from tasks.desk.sheets import sheet_of
from tasks.objections import drafts, steps
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import read_list
from tasks.objections.claims import may_be_referred
from tasks.objections.contacts import Wish, change_contact, end_mandate
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.questions import InitialReview, MandateShown, ReviewApproval
from tasks.objections.registrations import register_objection
from tasks.objections.ways import Contact
from tests.articles.test_article_12_objections import closed
from tests.conftest import APPROVER, SCAN, Clerk, at_desk, certificate_of, facts_of, officer_of, read_at_desk
from tests.interface.conftest import caller_of

NAMED = "戴维安"


def acting(capacity: Capacity, for_whom: str = NAMED) -> Clerk:
    """An objection of somebody who acts for another, with a document."""
    application = Clerk().application(acts_as=capacity, acts_for=for_whom)
    done = register_objection(application, [SCAN], f"{capacity}:{for_whom}", "KQ001")
    return Clerk(done.case_no, done.token)


@pytest.mark.parametrize("capacity", list(Capacity))
def test_nobody_acts_for_another_without_a_document(clerk: Clerk, capacity: Capacity) -> None:
    application = clerk.application(acts_as=capacity, acts_for=NAMED)
    with pytest.raises(InputError, match=SHOWN_BY[capacity]) as refused:
        register_objection(application, [], "key", "KQ001")
    assert set(refused.value.wrong) == {"files"}


@pytest.mark.parametrize("given", [{"acts_as": "继承人"}, {"acts_for": NAMED}])
def test_capacity_and_name_belong_together(clerk: Clerk, given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        clerk.application(**given)
    assert {error["loc"] for error in refused.value.errors()} == {("acts_for",)}


def test_who_acts_for_themselves_says_nothing_of_it(clerk: Clerk) -> None:
    assert not {"acts_as", "acts_for"} & clerk.application().model_dump().keys()
    case = clerk.register()
    assert "代谁办理" not in facts_of(read_at_desk(case.case_no, "KQ004"))
    with reading() as session:
        assert InitialReview.choices(session, session.get_one(Case, case.case_no))["mandate"] == []


def test_the_officer_checks_the_document_as_a_point_of_its_own(clerk: Clerk) -> None:
    case = acting(Capacity.AGENT)
    said = facts_of(read_at_desk(case.case_no, officer_of(case.case_no)))
    assert said["代谁办理"] == f"{NAMED}（申请人是委托代理人）"
    assert "授权委托书" in said["系统提示"]
    assert "请核对材料" in str(case.answer(InitialReview, verdict="受理"))
    assert "不能受理" in str(case.answer(InitialReview, verdict="受理", mandate=str(MandateShown.NO)))
    assert case.answer(InitialReview, verdict="受理", mandate=str(MandateShown.YES)) is None


def test_of_a_table_nobody_acts_for_another(clerk: Clerk) -> None:
    row = clerk.application(acts_as="监护人", acts_for=NAMED).model_dump(mode="json")
    table = read_list([row])
    assert table.objections == ()
    assert "逐件报送" in table.wrong[0][1]


def test_letters_go_to_who_acts_and_say_for_whom(clerk: Clerk) -> None:
    case = acting(Capacity.GUARDIAN)
    assert case.answer(InitialReview, verdict="受理", mandate=str(MandateShown.YES)) is None
    steps.accept_objection.run(case.case_no)
    with reading() as session:
        sent = [each for each in session.scalars(select(OutgoingNotice)) if each.recipient == "yuxiaoyun@example.com"]
    assert {each.notice for each in sent} == {"objection-registered", "objection-accepted"}
    for each in sent:
        letter = render(NOTICES[each.notice].model_validate(each.context))
        for text in (letter.text, letter.html):
            assert "您以监护人的身份代他人办理" in text
            # Nor a piece of it: whoever reads the mail need not be who typed it.
            assert NAMED[0] not in text
    own = dict(sheet_of(case.case_no, OBJECTION_TO_PARTY).lines)
    assert own["代谁办理"] == f"{mask_name(NAMED)}（申请人是监护人）"


def test_a_case_is_found_by_whom_it_is_for(clerk: Clerk) -> None:
    case = acting(Capacity.HEIR)
    assert case.case_no in repr(search(NAMED, "KQ004"))


@pytest.mark.parametrize("capacity", list(Capacity))
def test_a_holder_who_can_be_told_is_told_all_the_same(clerk: Clerk, capacity: Capacity) -> None:
    held, _ = certificate_of(Level.CITY)
    case = acting(capacity, held.holder_name)
    assert case.answer(InitialReview, verdict="受理", mandate=str(MandateShown.YES)) is None
    steps.accept_objection.run(case.case_no)
    with reading() as session:
        told = session.scalars(select(Hearing.holder_name).where(Hearing.case_no == case.case_no)).all()
        letter = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "certificate-disputed")).one()
    assert told == [held.holder_name]
    assert letter.context["claims"] == capacity
    assert f"自称是您的{capacity}" in render(NOTICES[letter.notice].model_validate(letter.context)).text


def test_what_was_handed_in_before_is_known_again(clerk: Clerk) -> None:
    before: dict[str, Any] = clerk.application().model_dump(mode="json")
    assert ObjectionApplication.received(before).model_dump(mode="json") == before
    case = clerk.register()
    with reading() as session:
        assert session.get_one(Objection, case.case_no).acts_as is None


NEW = Contact("weian@example.cn", "", "")


def sent_to(address: str) -> list[str]:
    with reading() as session:
        every = session.scalars(select(OutgoingNotice).order_by(OutgoingNotice.id))
        return [each.notice for each in every if each.recipient == address]


def test_when_a_mandate_ends_the_objector_is_written_to_and_the_old_link_leads_nowhere(clerk: Clerk) -> None:
    case = acting(Capacity.AGENT)
    end_mandate(case.case_no, NEW, Wish("委托人到窗口出示身份证撤销委托。", "KQ001"))
    with pytest.raises(LookupError):
        steps.case_of_token(case.token)
    with reading() as session:
        objection = session.get_one(Objection, case.case_no)
        assert (objection.objector_name, objection.acts_as, objection.email) == (NAMED, None, NEW.email)
        token = objection.token
    assert steps.case_of_token(token) == case.case_no
    assert sent_to("yuxiaoyun@example.com")[-1] == "letters-stop"
    # What had not left yet goes to them as well.
    assert sent_to(NEW.email) == ["contact-changed", "objection-registered"]
    with reading() as session:
        (stop,) = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "letters-stop"))
        assert token not in str(stop.context)
    facts = facts_of(read_at_desk(case.case_no, officer_of(case.case_no)))
    assert "俞小云" in facts[f"联系方式{clock.today()}变更"]
    assert "撤销委托" in facts[f"联系方式{clock.today()}变更"]
    # From now on everything goes to who it is for, and is accepted without a document.
    assert case.answer(InitialReview, verdict="受理") is None
    steps.accept_objection.run(case.case_no)
    assert sent_to(NEW.email)[-1] == "objection-accepted"
    with pytest.raises(RefusalError, match="自己办理"):
        end_mandate(case.case_no, NEW, Wish("再来一次", "KQ001"))


@pytest.mark.parametrize("capacity", [Capacity.HEIR, Capacity.SUCCESSOR])
def test_nobody_goes_on_for_who_is_there_no_more(clerk: Clerk, capacity: Capacity) -> None:
    case = acting(capacity)
    with pytest.raises(RefusalError, match="以自己的名义"):
        end_mandate(case.case_no, NEW, Wish("以为是代理。", "KQ001"))
    assert steps.case_of_token(case.token) == case.case_no


def test_a_department_acts_for_nobody(clerk: Clerk) -> None:
    with pytest.raises(ValidationError, match="以自己的名义提出"):
        clerk.application(objector_kind="使用部门", acts_as="委托代理人", acts_for=NAMED)


def test_a_wrong_address_is_set_right_and_what_failed_is_sent_again(clerk: Clerk) -> None:
    case = clerk.register()
    with transaction() as session:
        (lost,) = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "objection-registered"))
        lost.state, lost.last_error = NoticeState.DEAD, "邮件服务器答复550"
        key = f"undeliverable:{lost.message_id}"
        session.add(StaffTask(key=key, case_no=case.case_no, what="送不到", opened_at=clock.now()))
    assert [each.case_no for each in posting_list(at_desk(APPROVER)).notices] == [case.case_no]
    change_contact(case.case_no, NEW, Wish("本人来电更正邮箱，核对了申请内容。", "KQ001"))
    assert set(sent_to(NEW.email)) == {"contact-changed", "objection-registered"}
    assert sent_to("yuxiaoyun@example.com")[-1] == "letters-stop"
    assert posting_list(at_desk(APPROVER)).notices == ()
    with reading() as session:
        (task,) = session.scalars(select(StaffTask).where(StaffTask.key == key))
        assert task.done_at is not None
    assert "联系方式变更（y***@example.com改为w***@example.cn）" in [
        what for _, what in sheet_of(case.case_no).timeline
    ]
    with pytest.raises(InputError, match="相同"):
        change_contact(case.case_no, NEW, Wish("再来一次", "KQ001"))


def test_whoever_has_no_mailbox_any_more_is_written_to_by_post(clerk: Clerk) -> None:
    case = clerk.register()
    change_contact(case.case_no, Contact("", "", "绍兴市柯桥区鉴湖路17号"), Wish("本人来信要求邮寄。", "KQ001"))
    found = {(each.to, each.address) for each in posting_list(at_desk(APPROVER)).notices}
    assert found == {("俞小云", "绍兴市柯桥区鉴湖路17号")}
    # Where they were written to until now hears of the next change, by post.
    change_contact(case.case_no, NEW, Wish("本人来电改回邮箱。", "KQ001"))
    ((subject, address),) = [(each.subject, each.address) for each in posting_list(at_desk(APPROVER)).notices]
    assert ("不再发到这里" in subject, address) == (True, "绍兴市柯桥区鉴湖路17号")


def test_an_objector_moves_to_another_mailbox_once_it_is_shown_to_be_theirs(clerk: Clerk, web: str) -> None:
    case = clerk.register()
    path = f"{web}/objections/{case.token}"
    said = httpx.post(f"{path}/contact", data={"email": "weian@"}, follow_redirects=True)
    assert (said.status_code, "应如zhang@example.cn" in said.text) == (422, True)
    asked = httpx.post(f"{path}/contact", data={"email": NEW.email})
    assert (asked.status_code, "验证码已发出" in asked.text) == (200, True)
    # Nothing changes before the code is typed in where the link leads.
    with reading() as session:
        (mail,) = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "contact-to-confirm"))
    # Whoever gets the mail by a slip of the pen has nothing to open.
    assert "http" not in str(mail.context)
    said = {"email": NEW.email, "code": mail.context["code"]}
    for wrong in ({"code": "00000000"}, {"email": "weian@example.com"}):
        refused = httpx.post(f"{path}/contact", data=said | wrong)
        assert (refused.status_code, "验证码不对" in refused.text) == (422, True)
    assert sent_to(NEW.email) == ["contact-to-confirm"]
    done = httpx.post(f"{path}/contact", data=said, follow_redirects=True)
    assert "今后的通知发到新的地方" in done.text
    assert sent_to(NEW.email) == ["contact-to-confirm", "contact-changed", "objection-registered"]
    assert sent_to("yuxiaoyun@example.com")[-1] == "letters-stop"
    # Whoever had the old link has nothing any more.
    assert httpx.get(path).status_code == 404
    assert httpx.post(f"{path}/contact", data=said).status_code == 404


def test_codes_are_not_guessed_without_end(clerk: Clerk, web: str) -> None:
    path = f"{web}/objections/{clerk.register().token}/contact"
    tries = [httpx.post(path, data={"email": NEW.email, "code": f"{each:08}"}).status_code for each in range(6)]
    assert tries == [422] * CONFIRMATION_MAILS.value + [429]


def test_a_supplement_that_reached_nobody_counts_from_when_it_is_sent_again(
    clerk: Clerk, on_day: Callable[[date], datetime]
) -> None:
    on_day(date(2026, 3, 2))
    case = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
    steps.request_supplement.run(case.case_no)
    on_day(date(2026, 3, 12))
    change_contact(case.case_no, NEW, Wish("本人来电更正邮箱，核对了申请内容。", "KQ001"))
    with reading() as session:
        running = select(Deadline).where(Deadline.case_no == case.case_no, Deadline.limit_code == SUPPLEMENT.code)
        due = session.scalars(running).one()
        assert (due.starts_on, due.due_on) == (date(2026, 3, 12), date(2026, 3, 26))
        again = [each for each in session.scalars(select(OutgoingNotice)) if each.recipient == NEW.email]
    asked = next(each for each in again if each.notice == "supplement-requested")
    assert asked.context["due_on"] == "2026-03-26"


def test_a_closed_case_tells_its_outcome_again(clerk: Clerk) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    steps.decline_objection.run(case.case_no)
    change_contact(case.case_no, NEW, Wish("本人来电更正邮箱，核对了申请内容。", "KQ001"))
    assert "objection-declined" in sent_to(NEW.email)


def test_papers_about_who_acts_are_no_new_claim(clerk: Clerk, city_bureau: object) -> None:
    application = clerk.application(acts_as=Capacity.AGENT, acts_for=NAMED)
    first = closed(clerk)
    done = register_objection(application, [SCAN], "again", "KQ001")
    with reading() as session:
        assert session.get_one(Objection, done.case_no).earlier_case_no == first.case_no
        assert may_be_referred(session, done.case_no)


def test_who_acts_for_another_joins_nobody(clerk: Clerk) -> None:
    lead = clerk.register()
    case = acting(Capacity.GUARDIAN)
    with reading() as session:
        joined = session.get_one(Objection, case.case_no)
        assert (joined.lead_case_no, joined.earlier_case_no) == (None, lead.case_no)


def test_who_handed_it_in_has_no_link_once_somebody_else_is_told(clerk: Clerk, web: str) -> None:
    application, draft = clerk.application(), "draft-of-somebody"
    first = register_objection(application, [], drafts._submission(draft), "KQ001")
    assert httpx.get(f"{web}/objection-drafts/{draft}").headers["location"] == f"/objections/{first.token}"
    change_contact(first.case_no, NEW, Wish("本人来电改邮箱。", "KQ001"))
    again = register_objection(application, [], drafts._submission(draft), "KQ001")
    assert (again.case_no, again.token) == (first.case_no, "")
    shown = httpx.get(f"{web}/objection-drafts/{draft}")
    assert "链接已失效" in shown.text
    with reading() as session:
        assert session.get_one(Objection, first.case_no).token not in shown.text


def test_a_department_that_hands_it_in_again_gets_no_link_of_somebody_else(clerk: Clerk, web: str) -> None:
    caller, body = caller_of(web, "KQ-MZ"), clerk.application().model_dump(mode="json") | {"submission_no": "MZ-1"}
    first = caller.post("/api/v1/objections", body)
    assert first.status_code == 201
    change_contact(first.json()["case_no"], NEW, Wish("本人来电改邮箱。", "KQ001"))
    again = caller.post("/api/v1/objections", body)
    assert (again.status_code, again.json()["case_no"]) == (201, first.json()["case_no"])
    assert (again.json()["token"], again.json()["status_url"]) == (None, None)


def test_where_somebody_was_told_before_hears_of_every_change_and_of_a_withdrawal(clerk: Clerk) -> None:
    """One officer could have moved a case to a mailbox of their own, and ended it there."""
    case = clerk.register()
    post = "绍兴市柯桥区鉴湖路17号"
    change_contact(case.case_no, Contact("", "", post), Wish("本人要求邮寄。", "KQ001"))
    assert sent_to("yuxiaoyun@example.com")[-1] == "letters-stop"
    # The postal address stays, and nothing goes there any more.
    change_contact(case.case_no, Contact(NEW.email, "", post), Wish("本人来电改邮箱。", "KQ001"))
    stops = f"今后的通知不再发到这里（{case.case_no}）"
    assert [(each.subject, each.address, each.to) for each in posting_list(at_desk(APPROVER)).notices] == [
        (stops, post, "俞小云")
    ]
    with reading() as session:
        token = session.get_one(Objection, case.case_no).token
    steps.withdraw_objection(token)
    assert sent_to(NEW.email)[-1] == "objection-withdrawn"
    assert sent_to("yuxiaoyun@example.com")[-2:] == ["letters-stop", "letters-stop"]
    by_post = [(each.subject, each.address, each.to) for each in posting_list(at_desk(APPROVER)).notices]
    assert by_post[-1] == (f"联系方式变更后，异议已撤回（{case.case_no}）", post, "俞小云")


def test_whoever_typed_it_in_or_changed_the_contact_approves_nothing(clerk: Clerk, city_bureau: object) -> None:
    case = clerk.register()
    change_contact(case.case_no, NEW, Wish("本人来电改邮箱。", APPROVER))
    assert case.draft(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息。") is None
    steps.submit_review.run(case.case_no)
    assert "须由另一人办理" in str(case.approve(ReviewApproval))
    assert not waiting(at_desk(APPROVER)).drafts
