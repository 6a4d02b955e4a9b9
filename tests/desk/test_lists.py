"""The lists that staff begin their day with, and the forms that they answer."""

from collections.abc import Callable
from datetime import date

import pytest
from prefect.utilities.callables import parameter_schema

from flows.asking import _form
from flows.objections import objection_intake
from models.cases import Case, Deadline
from models.organisations import Leave
from regulation.certificates import Level
from regulation.rectifications import Stage
from regulation.working_days import WorkingDays
from runtime import clock
from runtime.database import reading, transaction
from tasks.case import answers
from tasks.case.calendars import working_days
from tasks.case.questions import Question
from tasks.desk.kinds import QUESTIONS
from tasks.desk.to_do import open_cases, to_do, to_do_of_director, until
from tasks.objections.questions import InitialReview, OutcomeDecision, SupplementReceived, VerificationReply
from tasks.objections.steps import request_supplement
from tasks.office.staff_tasks import open_staff_task
from tests.conftest import Clerk


def waits_for(case_no: str, question: type[Question]) -> None:
    """The case's run has come to a question and has an address."""
    assert answers.answer_or_wait(case_no, question, 1) is None
    with transaction() as session:
        session.get_one(Case, case_no).flow_run_id = f"run-of-{case_no}"


def of_officer(staff_no: str) -> str:
    """An officer's part of the list."""
    return next((part for part in to_do().split("\n## ") if part.startswith(f"工号{staff_no}：")), "")


def test_an_officer_finds_what_to_decide_with_its_day_and_the_way_to_its_form(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_no = clerk.register().case_no
    waits_for(case_no, InitialReview)
    with reading() as session:
        officer_no = session.get_one(Case, case_no).officer_no
        review = session.query(Deadline).filter_by(case_no=case_no, limit_code="initial-review").one().due_on
    mine = of_officer(officer_no)
    assert "待决定1件，等待他人0件" in mine
    assert f"[{case_no}](http://127.0.0.1:4200/runs/flow-run/run-of-{case_no}#resume)" in mine
    assert "初审：受理、不予受理，还是要求补正？" in mine
    # The review is due before the verification request.
    assert f"{review}（周" in mine
    assert "还有2个工作日" in mine


def test_what_somebody_else_has_to_bring_is_not_among_the_decisions(clerk: Clerk) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补门牌证复印件") is None
    request_supplement.run(case.case_no)
    waits_for(case.case_no, SupplementReceived)
    with reading() as session:
        officer_no = session.get_one(Case, case.case_no).officer_no
    assert "待决定0件，等待他人1件" in of_officer(officer_no)
    assert "申请人补正" in of_officer(officer_no)


def test_a_case_stands_in_the_list_of_whoever_acts_today(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    waits_for(case_no, InitialReview)
    with transaction() as session:
        away = session.get_one(Case, case_no).officer_no
        substitute = "KQ002" if away != "KQ002" else "KQ003"
        today = clock.today()
        session.add(Leave(staff_no=away, substitute_no=substitute, from_on=today, until_on=today))
    assert case_no in of_officer(substitute)
    assert of_officer(away) == ""


def test_the_earliest_comes_first_and_nobody_is_named(clerk: Clerk) -> None:
    later, sooner = clerk.register().case_no, clerk.register(Level.PROVINCE).case_no
    for case_no, due_on in ((later, date(2026, 12, 31)), (sooner, date(2020, 1, 2))):
        waits_for(case_no, InitialReview)
        with transaction() as session:
            session.get_one(Case, case_no).officer_no = "KQ002"
            for deadline in session.query(Deadline).filter_by(case_no=case_no):
                deadline.due_on = due_on
    mine = of_officer("KQ002")
    assert mine.index(sooner) < mine.index(later)
    assert "**2020-01-02（周四），已超期" in mine
    for told in ("俞小云", "俞*云", "yuxiaoyun", "84120001", "群贤路"):
        assert told not in to_do() + open_cases()


def test_a_director_sees_what_was_missed_and_what_went_to_the_government(clerk: Clerk) -> None:
    about: tuple[dict[str, object], ...] = ({}, {"field": "有效期"}, {"field": "发证日期"})
    kept, missed, escalated = (clerk.register(**changed).case_no for changed in about)
    for case_no in (kept, missed, escalated):
        waits_for(case_no, InitialReview)
    with transaction() as session:
        session.query(Deadline).filter_by(case_no=missed, limit_code="initial-review").one().due_on = date(2020, 1, 2)
        session.get_one(Case, escalated).stage = Stage.ESCALATED
        session.get_one(Case, kept).officer_no = "KQ004"
    own, late, told = to_do_of_director().split("\n## ")[1:]
    assert own.startswith("由负责人办理：1件")
    assert kept in own
    assert late.startswith("已超期：1件")
    assert f"| [{missed}](" in late
    assert told.startswith("提请区政府督查通报：1件")
    assert escalated in told


def test_a_case_that_asks_nothing_has_no_form_to_open(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    with transaction() as session:
        session.get_one(Case, case_no).flow_run_id = "r"
    assert f"[{case_no}](http://127.0.0.1:4200/runs/flow-run/r)" in to_do()


def test_matters_without_a_form_stand_below(clerk: Clerk) -> None:
    with transaction() as session:
        open_staff_task(session, "k", None, "一件通知无法送达", clock.now())
    assert "一件通知无法送达" in to_do().split("## 待阅事项")[1]


def test_open_cases_are_counted_by_kind_and_stage(clerk: Clerk) -> None:
    first = clerk.register().case_no
    clerk.register(Level.PROVINCE).accept()
    with transaction() as session:
        for deadline in session.query(Deadline).filter_by(case_no=first):
            deadline.due_on = date(2020, 1, 2)
    board = open_cases()
    assert "| 异议核查 | 待初审 | 1 | 1 | 0 |" in board
    assert "| 合计 |  | 2 | 1 |" in board


def test_days_left_are_working_days(installation: object) -> None:
    with reading() as session:
        calendar: WorkingDays = working_days(session)
    friday = date(2026, 11, 27)
    assert until(date(2026, 12, 1), friday, calendar) == "2026-12-01（周二），还有2个工作日"
    assert until(friday, friday, calendar) == "**2026-11-27（周五），今天截止**"
    assert until(date(2026, 11, 26), friday, calendar) == "**2026-11-26（周四），已超期1个工作日**"
    assert until(None, friday, calendar) == "—"


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_forms_show_no_english(question: type[Question]) -> None:
    assert shown_descriptions(_form(question, "", None).model_json_schema()) == []


def test_a_form_offers_what_the_case_allows(clerk: Clerk) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    given = {"content": "与原件不符", "corrected_value": "群贤路1号", "reply_no": "绍数〔2026〕1号"}
    assert "不能早于" in (case.answer(VerificationReply, finding="原数据有误", replied_on="2020-01-02", **given) or "")
    assert case.answer(VerificationReply, finding="原数据有误", replied_on=str(clock.today()), **given) is None
    known = answers.offered(case.case_no, OutcomeDecision)
    shown = _form(OutcomeDecision, "", None, {"staff_no": known.staff_no}, known.choices).model_json_schema()
    assert shown["properties"]["outcome"]["enum"] == ["已更正", "部分更正"]
    with reading() as session:
        assert shown["properties"]["staff_no"]["default"] == session.get_one(Case, case.case_no).officer_no


def test_a_code_is_asked_for_before_a_form_is_sent(clerk: Clerk, configure: Callable[..., None]) -> None:
    assert "code" not in _form(InitialReview, "", None).model_json_schema()["required"]
    configure(EZT_ONE_TIME_CODES="true")
    assert "code" in _form(InitialReview, "", None).model_json_schema()["required"]


def test_start_forms_show_no_english() -> None:
    assert shown_descriptions(parameter_schema(objection_intake).model_dump()) == []


def shown_descriptions(node: object) -> list[str]:
    """Descriptions in a schema that have no Chinese in them."""
    if isinstance(node, list):
        return [said for each in node for said in shown_descriptions(each)]
    if not isinstance(node, dict):
        return []
    said = [node["description"]] if isinstance(node.get("description"), str) and node["description"].isascii() else []
    return said + [each for value in node.values() for each in shown_descriptions(value)]
