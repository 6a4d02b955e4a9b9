"""第十二条 asks the bureaus of city and province. Where the district itself keeps the record, or brought it in from
paper, the department that did is asked beside them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.cases import StaffTask
from models.certificates import Certificate, CertificateType
from models.notices import OutgoingNotice
from models.organisations import Department
from models.source_checks import SourceCheck
from regulation.certificates import Level
from regulation.objections import Finding, ObjectorKind, Stage
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, NotFoundError, RefusalError
from tasks.case.department_links import ByApplication, ByLink
from tasks.desk.sheets import sheet_of
from tasks.objections import steps
from tasks.objections.endings import conclude
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.questions import OutcomeApproval, OutcomeDecision, VerificationReply
from tasks.objections.source_checks import SourceAnswer, answer, asked_of, note_unanswered_checks, open_for
from tests.conftest import Clerk, certificate_of, facts_of, nothing_reaches_the_holders, officer_of, read_at_desk

RIGHT = "绍兴市柯桥区柯桥街道群贤路9999号"
WRONG = SourceAnswer(finding=Finding.WRONG, value=RIGHT, basis="原始登记档案第17卷，门牌为9999号。")
UNCLEAR = {"finding": "无法核实", "content": "该类证照的数据不在市级", "corrected_value": ""}
REPLIED = {"reply_no": "绍数函〔2026〕1号", "replied_on": str(clock.today())}


def keep(department: str) -> None:
    """Let a department keep the records of the first type of the district's."""
    _, kind = certificate_of(Level.DISTRICT)
    with transaction() as session:
        session.get_one(CertificateType, kind.code).issuing_authority = department


@pytest.fixture
def keeper(clerk: Clerk) -> str:
    """The department that does."""
    with reading() as session:
        name = session.scalars(select(Department.name).order_by(Department.uscc).limit(1)).one()
    keep(name)
    return name


def accepted(**changed: Any) -> Clerk:
    case = Clerk().register(Level.DISTRICT, **changed)
    case.accept()
    return case


def token_of(case: Clerk) -> str:
    with reading() as session:
        return session.get_one(SourceCheck, case.case_no).token


def test_the_keeper_is_asked_and_the_bureau_too(keeper: str, city_bureau: object) -> None:
    case = accepted()
    (asked,) = open_for(keeper)
    assert (asked.case_no, asked.proposed, asked.finding) == (case.case_no, RIGHT, None)
    with reading() as session:
        sent = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "source-asked")).all()
    assert sent
    # In a mail nothing that a stranger typed, nor whose it is.
    assert not any(RIGHT in str(each.context) or "俞小云" in str(each.context) for each in sent)
    assert case.request() == "gateway"
    assert case.stage() == Stage.VERIFYING


def test_whoever_objects_learns_nothing_of_it(keeper: str) -> None:
    case = accepted()
    answer(ByLink(token_of(case)), WRONG)
    own = sheet_of(case.case_no, OBJECTION_TO_PARTY)
    assert "责任部门" not in repr(own)
    assert WRONG.basis not in repr(own)


@pytest.mark.parametrize("source", [Level.CITY, Level.PROVINCE])
def test_of_a_record_that_is_kept_above_nobody_here_is_asked(clerk: Clerk, source: Level) -> None:
    case = clerk.register(source)
    case.accept()
    with reading() as session:
        assert session.get(SourceCheck, case.case_no) is None


def test_who_objects_to_its_own_record_is_not_asked(keeper: str) -> None:
    case = accepted(objector_kind=ObjectorKind.DEPARTMENT, objector_name=keeper)
    with reading() as session:
        assert session.get(SourceCheck, case.case_no) is None


def test_an_answer_stands_and_the_officer_hears_of_it(keeper: str) -> None:
    case = accepted()
    with pytest.raises(InputError, match="正确的内容"):
        answer(ByLink(token_of(case)), WRONG.model_copy(update={"value": ""}))
    done = answer(ByLink(token_of(case)), WRONG)
    assert answer(ByApplication(keeper, "KEY", case.case_no), WRONG) == done
    with pytest.raises(RefusalError, match="已经答复过"):
        answer(ByLink(token_of(case)), WRONG.model_copy(update={"basis": "看错了，另有档案。"}))
    assert open_for(keeper) == []
    facts = facts_of(read_at_desk(case.case_no, officer_of(case.case_no)))
    assert facts[f"责任部门（{keeper}）核对"] == f"原数据有误：{WRONG.basis}"
    assert facts["责任部门认为应当是"] == RIGHT
    with reading() as session:
        told = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "case-assigned"))
        assert "责任部门答复了核对情况" in [each.context["why"] for each in told]


def test_nobody_else_answers(keeper: str) -> None:
    case = accepted()
    with pytest.raises(NotFoundError):
        asked_of(ByLink(token_of(case)[:-1]))
    with pytest.raises(NotFoundError):
        answer(ByApplication("别的部门", "KEY", case.case_no), WRONG)


def test_where_the_bureau_cannot_tell_what_the_keeper_found_sets_it_right(keeper: str) -> None:
    case = accepted()
    case.request()
    assert case.answer(VerificationReply, **UNCLEAR | REPLIED) is None
    steps.take_reply.run(case.case_no)
    with reading() as session:
        assert OutcomeDecision.choices(session, steps.locked_case(session, case.case_no))["outcome"] == ["无法认定"]
    answer(ByLink(token_of(case)), WRONG)
    nothing_reaches_the_holders()
    given = {"outcome": "已更正", "reason": "经责任部门核对原始档案，登记的地址有误，现予更正。"}
    assert case.draft(OutcomeDecision, **given) is None
    # Two pairs of eyes, as for every correction.
    assert case.approve(OutcomeApproval, by=officer_of(case.case_no)) is not None
    assert case.approve(OutcomeApproval) is None
    conclude(lambda step: step.run(case.case_no))
    with reading() as session:
        kept = session.scalars(select(Certificate).where(Certificate.corrected_by_case == case.case_no)).one()
        assert RIGHT in kept.face.values()
    with pytest.raises(RefusalError, match="已经答复过"):
        answer(ByLink(token_of(case)), WRONG.model_copy(update={"basis": "办结以后又说别的。"}))


def test_what_the_bureau_knows_is_not_the_keepers_to_overrule(keeper: str) -> None:
    case = accepted()
    case.request()
    answer(ByLink(token_of(case)), WRONG)
    right = {"finding": "原数据无误", "content": "与档案一致", "corrected_value": ""}
    assert case.answer(VerificationReply, **right | REPLIED) is None
    steps.take_reply.run(case.case_no)
    with reading() as session:
        choices = OutcomeDecision.choices(session, steps.locked_case(session, case.case_no))
    assert "已更正" not in choices["outcome"]


def test_it_is_too_late_once_the_case_is_over(keeper: str) -> None:
    case = accepted()
    steps.withdraw_objection(case.token)
    with pytest.raises(RefusalError, match="不用再核对"):
        answer(ByLink(token_of(case)), WRONG)
    assert open_for(keeper) == []


def test_a_keeper_that_does_not_answer_is_a_matter_once(keeper: str, on_day: Callable[[date], datetime]) -> None:
    case = accepted()
    assert note_unanswered_checks(clock.now()) == 0
    with reading() as session:
        due_on = session.get_one(SourceCheck, case.case_no).due_on
    late = on_day(due_on + timedelta(days=1))
    assert [note_unanswered_checks(late) for _ in range(2)] == [1, 1]
    with reading() as session:
        tasks = session.scalars(select(StaffTask.what).where(StaffTask.key == f"source-check:{case.case_no}")).all()
    assert tasks == [f"{keeper}没有按时答复有异议的登记是否有误，请督促"]
