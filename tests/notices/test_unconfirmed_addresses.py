"""Anybody's address can be typed into a page: what goes there holds nothing that was typed beside it, or strangers
would have the Center send their words."""

from typing import Any

import pytest
from sqlalchemy import select

from ezt.samples import catalogue as sample_catalogue
from gateways.stand_in import StandIn
from models.notices import OutgoingNotice
from notifications.notices import NOTICES, ObjectionToConfirm, ToUnconfirmed
from notifications.rendering import render
from regulation.certificates import Level
from runtime import clock
from runtime.database import reading
from tasks.objections import steps as objections
from tasks.objections.contacts import Wish, ask_for_contact, change_contact
from tasks.objections.drafts import open_draft, save_draft, send_confirmation
from tasks.objections.questions import InitialReview, OutcomeDecision, VerificationReply
from tasks.objections.ways import Contact
from tasks.supervision.paper_report_questions import PaperReportForm, PaperReportVerdict
from tasks.supervision.paper_reports import close_report, register_report
from tests.conftest import Clerk

LURE = "领取补贴请登录t.cn"
TYPED = dict.fromkeys(
    ("objector_name", "certificate_type", "certificate", "field", "stated", "proposed", "reason"), LURE
)
TYPED_OF_ONE = dict.fromkeys(("objector_name", "stated", "proposed", "reason"), LURE)
"""About a certificate and a field that the register has: only such objections are joined, and known again."""
NOT_IN_A_MAIL = ("领取", "补贴", "登录", "t.cn")
"""No piece of it either: masked, a name keeps its first and its last characters."""


def draft(clerk: Clerk, **typed: Any) -> str:
    token = open_draft({})
    save_draft(token, clerk.application().model_dump(mode="json") | typed, [])
    return token


def to_be_sent() -> list[OutgoingNotice]:
    with reading() as session:
        return list(session.scalars(select(OutgoingNotice).order_by(OutgoingNotice.id)))


def withdrawn_and_declined(clerk: Clerk) -> None:
    """An objection that has to be supplemented and is taken back; one that is declined, and one that had joined it."""
    first = clerk.register(**TYPED)
    assert first.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
    objections.request_supplement.run(first.case_no)
    objections.withdraw_objection(first.token)
    lead, second = clerk.register(**TYPED_OF_ONE), clerk.register(**TYPED_OF_ONE, email="second@example.com")
    assert lead.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    objections.decline_objection.run(lead.case_no)
    objections.withdraw_objection(second.token)


def answered(clerk: Clerk) -> None:
    """An objection that says again what was decided before."""
    closed(clerk, **TYPED_OF_ONE)
    again = clerk.register(**TYPED_OF_ONE)
    assert again.answer(InitialReview, verdict="已有结论", reason="此前核实，登记无误。") is None
    objections.refer_to_decision.run(again.case_no)


def closed(clerk: Clerk, **typed: str) -> None:
    case = clerk.register(**typed)
    case.accept()
    case.request()
    said = {"finding": "原数据无误", "content": "经核实无误", "reply_no": "绍数函〔2026〕1号"}
    assert case.answer(VerificationReply, corrected_value="", replied_on=str(clock.today()), **said) is None
    objections.take_reply.run(case.case_no)
    assert case.answer(OutcomeDecision, outcome="维持原信息", reason="经上级核实，登记无误。") is None
    objections.decide_outcome.run(case.case_no)
    objections.close_objection.run(case.case_no)


def moved(clerk: Clerk) -> None:
    """An objector who wants to be written to elsewhere, and is."""
    case = clerk.register(**TYPED)
    ask_for_contact(case.token, "bieren@example.com")
    change_contact(case.case_no, Contact("bieren@example.com", "", LURE), Wish(LURE, "objector"))


def reported() -> None:
    form = PaperReportForm(
        department=sample_catalogue.DEPARTMENTS[5],
        matter=LURE,
        material=LURE,
        demand="要求提供纸质原件",
        happened_on=clock.today(),
        account=LURE,
        email="bieren@example.com",
    )
    case = Clerk(register_report(form, [], "page:1"))
    assert case.answer(PaperReportVerdict, verdict="不属实", reason="经核实，窗口没有这样要求。") is None
    close_report.run(case.case_no)


def test_no_notice_to_an_address_that_nobody_confirmed_holds_what_was_typed(clerk: Clerk, city_bureau: StandIn) -> None:
    city_bureau.reply_after = 3600
    send_confirmation(draft(clerk, **TYPED))
    withdrawn_and_declined(clerk)
    closed(clerk, **TYPED)
    answered(clerk)
    moved(clerk)
    reported()
    kinds = {name: kind for name, kind in NOTICES.items() if issubclass(kind, ToUnconfirmed)}
    mails = [row for row in to_be_sent() if row.notice in kinds]
    assert {mail.notice for mail in mails} == set(kinds)
    for mail in mails:
        shown = render(kinds[mail.notice].model_validate(mail.context))
        for piece in NOT_IN_A_MAIL:
            assert piece not in f"{shown.subject}{shown.text}{shown.html}", mail.notice


@pytest.mark.parametrize("level", [Level.CITY, Level.PROVINCE])
def test_a_certificate_type_of_the_catalogue_is_named(clerk: Clerk, level: Level) -> None:
    given = clerk.application(level)
    token = open_draft({})
    save_draft(token, given.model_dump(mode="json"), [])
    send_confirmation(token)
    (mail,) = to_be_sent()
    assert given.certificate_type in render(ObjectionToConfirm.model_validate(mail.context)).text
