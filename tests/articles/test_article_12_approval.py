"""第十二条：核实后由综合管理单位将处理结果告知异议申请人。What ends an objection, one drafts and another approves."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from models.cases import Deadline, StaffTask
from models.certificates import Certificate
from models.notices import OutgoingNotice
from models.objections import Objection
from models.organisations import Leave, Officer, Role
from models.records import AuditEntry
from regulation.limits import APPROVAL, INITIAL_REVIEW
from regulation.objections import Outcome, Stage
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.case.answers import answer_or_wait, last_accepted_answer
from tasks.case.approvals import name_approver
from tasks.desk import approvals
from tasks.desk.approvals import Put, Said, decide, waiting
from tasks.desk.case_page import add_files
from tasks.desk.deadline_watch import sweep
from tasks.desk.matters import Whose as Mine
from tasks.desk.matters import matters, see_to
from tasks.desk.to_do import What, Whose
from tasks.objections import steps, verifications
from tasks.objections.endings import conclude
from tasks.objections.lists import Letter, list_of_batch, take_list
from tasks.objections.questions import (
    InitialReview,
    LetterPosted,
    OutcomeApproval,
    OutcomeDecision,
    ReviewApproval,
    SupplementReceived,
    VerificationReply,
)
from tests.articles.test_article_12_batches import cases, clear, small_chunks
from tests.articles.test_article_12_lists import CORRECTED, RIGHT, UPHELD, WRONG, filled, letter, posted, sent_list
from tests.conftest import (
    SCAN,
    Clerk,
    answered,
    at_desk,
    by_officer,
    listed_for,
    nothing_reaches_the_holders,
    officer_of,
    read_at_desk,
)

__all__ = ["small_chunks"]

DIRECTOR, AUDITOR = "KQ004", "KQ009"
RIGHT_VALUE = "绍兴市柯桥区柯桥街道群贤路9999号"
DECISION = {"outcome": "已更正", "reason": "经上级核实，原登记内容有误，予以更正。"}
DECLINED = {"verdict": "不予受理", "reason": "该信息不属于电子证照信息，请向签发机关反映。"}


def reply() -> dict[str, str]:
    said = {"finding": "原数据有误", "content": "门牌号登记有误", "corrected_value": RIGHT_VALUE}
    return said | {"reply_no": "绍数函〔2026〕1号", "replied_on": str(clock.today())}


def asked_by_letter(clerk: Any) -> Clerk:
    case: Clerk = clerk.register()
    case.accept()
    assert verifications.prepare_pursuit.run(case.case_no) == "letter"
    posted_today = {"letter_no": "柯数函〔2026〕8号", "posted_on": str(clock.today())}
    assert case.answer(LetterPosted, **posted_today) is None
    verifications.record_letter.run(case.case_no)
    return case


def replied(clerk: Any, by: str = "") -> Clerk:
    """A case whose reply somebody entered."""
    case = asked_by_letter(clerk)
    who = by or officer_of(case.case_no)
    assert answered(case.case_no, VerificationReply, 1, reply(), who, files=[SCAN]) is None
    steps.take_reply.run(case.case_no)
    return case


def drafted(clerk: Any, **decision: str) -> Clerk:
    """A case whose outcome was drafted and is put before those who may approve it."""
    case = replied(clerk)
    assert case.draft(OutcomeDecision, **DECISION | decision) is None
    steps.submit_outcome.run(case.case_no)
    assert answer_or_wait(case.case_no, OutcomeApproval, 1) is None
    return case


def another(*but: str) -> str:
    """An officer who is none of these."""
    with reading() as session:
        there = session.scalars(select(Officer.staff_no).where(Officer.role == Role.OFFICER, Officer.active))
        return min(set(there) - set(but))


def name(staff_no: str, named: bool = True) -> None:
    name_approver(staff_no, named, by_officer(DIRECTOR))


def away(staff_no: str, substitute: str) -> None:
    today = clock.today()
    with transaction() as session:
        session.add(Leave(staff_no=staff_no, substitute_no=substitute, from_on=today, until_on=today))


def told(case_no: str, notice: str) -> int:
    with reading() as session:
        wanted = select(OutgoingNotice.id).where(OutgoingNotice.notice == notice, OutgoingNotice.case_no == case_no)
        return len(session.scalars(wanted).all())


def face_of(case: Clerk) -> Iterator[str]:
    with reading() as session:
        root = session.get_one(Objection, case.case_no).certificate_root
        newest = select(Certificate).where(Certificate.root == root).order_by(Certificate.version.desc())
        yield from session.scalars(newest.limit(1)).one().face.values()


def test_nobody_changes_a_certificate_alone(clerk: Any) -> None:
    case = drafted(clerk)
    own = officer_of(case.case_no)
    name(own)
    assert "须由另一人办理" in str(case.approve(OutcomeApproval, by=own))
    with pytest.raises(RuntimeError, match="没有经过审签"):
        steps.decide_outcome.run(case.case_no)
    assert (case.stage(), told(case.case_no, "objection-closed")) == (Stage.REPLIED, 0)
    assert RIGHT_VALUE not in face_of(case)
    assert case.approve(OutcomeApproval) is None
    assert steps.take_outcome_approval.run(case.case_no)
    conclude(lambda step: step.run(case.case_no))
    assert (case.stage(), told(case.case_no, "objection-closed")) == (Stage.CLOSED, 1)
    assert RIGHT_VALUE in face_of(case)


def test_whoever_entered_the_reply_does_not_approve_what_rests_on_it(clerk: Any) -> None:
    case = replied(clerk, by=DIRECTOR)
    assert case.draft(OutcomeDecision, **DECISION) is None
    steps.submit_outcome.run(case.case_no)
    assert "须由另一人办理" in str(case.approve(OutcomeApproval, by=DIRECTOR))
    # Nobody is left: a director is told, and names somebody.
    with reading() as session:
        task = session.scalars(select(StaffTask).where(StaffTask.case_no == case.case_no)).one()
        notice = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "approval-asked")).one()
    assert "没有人可以审签" in task.what
    assert notice.context["nobody"] is True
    other = another(officer_of(case.case_no))
    assert "负责人指定的审签人" in str(case.approve(OutcomeApproval, by=other))
    name(other)
    assert case.approve(OutcomeApproval, by=other) is None


def test_who_stands_in_for_a_director_approves_unless_they_took_part(clerk: Any) -> None:
    case = drafted(clerk)
    own = officer_of(case.case_no)
    away(DIRECTOR, own)
    assert "须由另一人办理" in str(case.approve(OutcomeApproval, by=own))
    stands_in = another(own)
    away(DIRECTOR, stands_in)
    assert case.approve(OutcomeApproval, by=stands_in) is None
    assert steps.take_outcome_approval.run(case.case_no)
    # In whose right they did is on record.
    happened = [what for _, what, _ in read_at_desk(case.case_no, DIRECTOR).happened]
    assert f"审签同意（代理负责人{DIRECTOR}）" in happened


def test_who_stands_in_for_the_drafter_does_not_approve_for_them(clerk: Any) -> None:
    case = drafted(clerk)
    own = officer_of(case.case_no)
    stands_in = another(own)
    name(stands_in)
    away(own, stands_in)
    assert "代理他们的人不能审签" in str(case.approve(OutcomeApproval, by=stands_in))
    assert case.case_no not in listed_for(stands_in, whose=Whose.MINE, what=What.DECIDE)


def test_a_leave_passes_the_right_on_from_a_director_and_no_further(clerk: Any) -> None:
    case = drafted(clerk)
    own = officer_of(case.case_no)
    first = another(own)
    second = another(own, first)
    away(DIRECTOR, first)
    away(first, second)
    # Nobody named the second one: not the director, whose leave names the first.
    assert "负责人指定的审签人" in str(case.approve(OutcomeApproval, by=second))
    with transaction() as session:
        session.execute(delete(Leave))
    name(first)
    away(first, second)
    assert "负责人指定的审签人" in str(case.approve(OutcomeApproval, by=second))


def test_an_auditor_approves_nothing_and_is_not_named(clerk: Any) -> None:
    case = drafted(clerk)
    with transaction() as session:
        row = {"name": "审计", "role": Role.AUDITOR, "email": "sj@example.cn", "code_secret": "x", "active": True}
        session.add(Officer(staff_no=AUDITOR, approves=True, **row))
    assert "只能查看" in str(case.approve(OutcomeApproval, by=AUDITOR))
    with pytest.raises(InputError, match="不能审签"):
        name(AUDITOR)


def test_only_a_director_names_who_approves(clerk: Any) -> None:
    with pytest.raises(RefusalError, match="由负责人指定"):
        name_approver("KQ001", True, by_officer("KQ001"))
    name("KQ001")
    with pytest.raises(InputError, match="不用重复"):
        name("KQ001")
    with pytest.raises(InputError, match="负责人都可以审签"):
        name(DIRECTOR)
    name("KQ001", False)
    with pytest.raises(InputError, match="不用收回"):
        name("KQ001", False)
    kept = select(AuditEntry.tag).where(AuditEntry.tag.like("officer:approver:%"))
    with reading() as session:
        tags = session.scalars(kept.order_by(AuditEntry.id)).all()
    assert tags == ["officer:approver:named", "officer:approver:ended"]


def test_what_is_returned_is_drafted_anew_and_the_last_draft_counts(clerk: Any) -> None:
    case = drafted(clerk)
    assert "退回须说明理由" in str(case.approve(OutcomeApproval, opinion="退回重拟", reason=""))
    assert case.approve(OutcomeApproval, opinion="退回重拟", reason="理由须写明依据哪一份文件。") is None
    assert not steps.take_outcome_approval.run(case.case_no)
    assert told(case.case_no, "case-assigned") >= 2
    with pytest.raises(RuntimeError):
        steps.decide_outcome.run(case.case_no)
    again = DECISION | {"reason": "经绍兴市大数据局绍数函〔2026〕1号核实，门牌号登记有误，予以更正。"}
    assert case.draft(OutcomeDecision, 2, **again) is None
    steps.submit_outcome.run(case.case_no, 2)
    assert case.approve(OutcomeApproval, 2) is None
    assert steps.take_outcome_approval.run(case.case_no, 2)
    conclude(lambda step: step.run(case.case_no))
    with reading() as session:
        closed = select(OutgoingNotice.context).where(OutgoingNotice.notice == "objection-closed")
        assert session.scalars(closed).one()["reason"] == again["reason"]
        assert session.get_one(Objection, case.case_no).outcome is Outcome.CORRECTED


def test_nobody_is_turned_away_by_one_alone(clerk: Any) -> None:
    case = clerk.register()
    assert case.draft(InitialReview, **DECLINED) is None
    with pytest.raises(RuntimeError):
        steps.decline_objection.run(case.case_no)
    steps.submit_review.run(case.case_no)
    assert case.approve(ReviewApproval, opinion="退回重拟", reason="属于证照信息，应当受理。") is None
    assert not steps.take_review_approval.run(case.case_no)
    assert (case.stage(), told(case.case_no, "objection-declined")) == (Stage.REGISTERED, 0)
    # It is reviewed anew, within a limit of its own.
    with reading() as session:
        limits = select(Deadline).where(Deadline.case_no == case.case_no, Deadline.limit_code == INITIAL_REVIEW.code)
        assert [each.running for each in session.scalars(limits.order_by(Deadline.turn))] == [False, True]
    assert case.draft(InitialReview, 2, verdict="受理") is None
    steps.accept_objection.run(case.case_no)
    assert case.stage() == Stage.ACCEPTED


def test_a_refusal_is_told_once_it_is_approved(clerk: Any) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, **DECLINED) is None
    steps.submit_review.run(case.case_no)
    assert steps.take_review_approval.run(case.case_no)
    steps.decline_objection.run(case.case_no)
    assert (case.stage(), told(case.case_no, "objection-declined")) == (Stage.DECLINED, 1)


def test_the_limit_for_approving_is_the_approvers(clerk: Any) -> None:
    case = drafted(clerk)
    assert case.approve(OutcomeApproval) is None
    assert steps.take_outcome_approval.run(case.case_no)
    with reading() as session:
        found = select(Deadline).where(Deadline.case_no == case.case_no, Deadline.limit_code == APPROVAL.code)
        limit = session.scalars(found).one()
    assert (limit.days, limit.met_on, limit.missed_by) == (1, clock.today(), 0)
    assert limit.officer_no == DIRECTOR != officer_of(case.case_no)


def test_who_may_approve_is_told_once_a_day(clerk: Any) -> None:
    for field in ("有效期", "持证人"):
        case = clerk.register(field=field)
        assert case.draft(InitialReview, **DECLINED) is None
        steps.submit_review.run(case.case_no)
    with reading() as session:
        asked = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "approval-asked")).all()
    assert [each.context["nobody"] for each in asked] == [False]


def test_a_value_that_is_not_the_bureaus_needs_the_approvers_reason(clerk: Any) -> None:
    case = drafted(clerk, value="绍兴市柯桥区柯桥街道群贤路8888号", differs="该局2026年3月2日来电更正")
    assert "同意的须写明理由" in str(case.approve(OutcomeApproval, reason=""))
    assert case.approve(OutcomeApproval, reason="已核对该局来电记录。") is None


def test_a_reply_by_letter_needs_its_scan(clerk: Any) -> None:
    case = asked_by_letter(clerk)
    own = officer_of(case.case_no)
    assert "须附来函的扫描件" in str(answered(case.case_no, VerificationReply, 1, reply(), own))
    assert answered(case.case_no, VerificationReply, 1, reply(), own, files=[SCAN]) is None
    page = [file.name for group in read_at_desk(case.case_no, own).handed_in for file in group.files]
    assert SCAN.name in page


def test_the_approver_sees_the_draft_and_everything_it_rests_on(clerk: Any) -> None:
    case = drafted(clerk)
    page = read_at_desk(case.case_no, DIRECTOR)
    assert page.whole
    draft, disputed, *_ = page.compared
    assert ("处理结果", "已更正") in draft.lines
    assert ("上级认定应当是", RIGHT_VALUE) in disputed.lines
    assert page.asked is not None
    assert page.asked.may_not == ""
    assert read_at_desk(case.case_no, officer_of(case.case_no)).asked.may_not.startswith("已经拟稿，等待审签")


def test_what_has_changed_since_the_draft_is_not_agreed_to(clerk: Any) -> None:
    first, second = drafted(clerk), drafted(clerk)
    assert first.approve(OutcomeApproval) is None
    assert steps.take_outcome_approval.run(first.case_no)
    conclude(lambda step: step.run(first.case_no))
    assert "拟稿后情况有变，不能同意" in str(second.approve(OutcomeApproval))
    assert second.approve(OutcomeApproval, opinion="退回重拟", reason="登记已由另一件更正，请核对。") is None


def test_a_draft_waits_on_the_approvers_list_and_not_for_its_drafter(clerk: Any) -> None:
    case = drafted(clerk)
    own = officer_of(case.case_no)
    for who, what, there in ((DIRECTOR, What.DECIDE, True), (own, What.DECIDE, False), (own, What.AWAIT, True)):
        assert (case.case_no in listed_for(who, whose=Whose.MINE, what=what)) is there
    assert case.case_no not in listed_for(another(own), whose=Whose.MINE)
    assert case.case_no in listed_for(another(own), whose=Whose.ALL, what=What.DECIDE)


def test_a_page_of_few_drafts_has_all_facts_and_one_of_many_what_they_hang_on(
    clerk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = posted(clear(2))
    rows = (WRONG | CORRECTED, RIGHT | UPHELD)
    take_list("核实清单.xlsx", filled(sent_list(batch), *rows), letter(), officer_of(batch.case_no), "")
    few = waiting(at_desk(DIRECTOR), batch.case_no)
    monkeypatch.setattr(approvals, "FACTS_OF", 1)
    many = waiting(at_desk(DIRECTOR), batch.case_no)
    assert all(dict(each.facts)["理由"] for each in few.drafts)
    assert [each.facts for each in many.drafts] == [[], []]
    assert [each.compared for each in many.drafts] == [each.compared for each in few.drafts]
    assert dict(few.drafts[0].compared[0].lines)["处理结果"] == "已更正"


def test_of_a_list_all_drafts_are_approved_with_one_signature(clerk: Any) -> None:
    batch = posted(clear(3))
    own = officer_of(batch.case_no)
    rows = (WRONG | CORRECTED, RIGHT | UPHELD, RIGHT | UPHELD)
    taken = take_list("核实清单.xlsx", filled(sent_list(batch), *rows), letter(), own, "")
    assert (taken.replied, taken.decided, taken.wrong) == (3, 3, ())
    assert [(each.stage, each.at_rest) for each in cases()] == [(Stage.REPLIED, True)] * 3
    nothing_reaches_the_holders()
    by = at_desk(DIRECTOR)
    found = waiting(by, batch.case_no)
    assert [each.case_no for each in found.drafts] == [each.case_no for each in cases()]
    said = dict(line for each in found.drafts[0].compared for line in each.lines)
    assert said["处理结果"] == "已更正"
    assert said["上级认定应当是"] == WRONG["正确的内容"]
    assert not waiting(at_desk(own)).drafts
    back, later = cases()[1].case_no, cases()[2].case_no
    with pytest.raises(InputError, match="退回须说明理由"):
        decide(by, batch.case_no, found.shown, {back: Said(Put.RETURNED)}, "")
    said = {back: Said(Put.RETURNED, "理由与回复不符，请重拟。"), later: Said(Put.LATER)}
    done = decide(by, batch.case_no, found.shown, said, "")
    assert (done.agreed, done.returned, done.refused) == (1, 1, ())
    assert [each.stage for each in cases()] == [Stage.CLOSED, Stage.REPLIED, Stage.REPLIED]
    # What is said of one case stands in its record only.
    assert opinion_of(cases()[0].case_no) == {"opinion": "同意", "reason": ""}
    assert opinion_of(later) is None
    done = decide(by, batch.case_no, waiting(by, batch.case_no).shown, {}, "")
    assert (done.agreed, done.returned) == (1, 0)
    assert [each.stage for each in cases()] == [Stage.CLOSED, Stage.REPLIED, Stage.CLOSED]
    assert [each.at_rest for each in cases()][1] is False
    with pytest.raises(RefusalError, match="有变动"):
        decide(by, batch.case_no, found.shown, {}, "")
    # What was returned is drafted anew, in a list or by itself.
    content, number = list_of_batch(batch.case_no, own, "")
    assert number == 1
    again = take_list("核实清单.xlsx", filled(content, RIGHT | UPHELD), letter(), own, "")
    assert (again.replied, again.decided, again.wrong) == (0, 1, ())


def opinion_of(case_no: str) -> Any:
    with reading() as session:
        return last_accepted_answer(session, case_no, OutcomeApproval.question)


def test_nothing_is_approved_on_a_page_that_was_opened_before_something_came(clerk: Any) -> None:
    case, by = drafted(clerk), at_desk(DIRECTOR)
    nothing_reaches_the_holders()
    shown = waiting(by).shown
    # Looking changes nothing.
    read_at_desk(case.case_no, DIRECTOR)
    assert waiting(by).shown == shown
    add_files(case.case_no, at_desk(officer_of(case.case_no)), [("反证.png", SCAN.content + b"x")])
    with pytest.raises(RefusalError, match="有了新的内容"):
        decide(by, "", shown, {}, "")
    assert opinion_of(case.case_no) is None
    found = waiting(by)
    assert (found.drafts[0].files, dict(found.drafts[0].facts)["理由"]) == (2, clerk.application().reason)
    assert decide(by, "", found.shown, {}, "").agreed == 1


def test_whoever_drafts_anew_reads_why_beside_what_they_drafted(clerk: Any) -> None:
    case = drafted(clerk)
    assert case.approve(OutcomeApproval, opinion="退回重拟", reason="理由须写明依据哪一份文件。") is None
    assert not steps.take_outcome_approval.run(case.case_no)
    assert answer_or_wait(case.case_no, OutcomeDecision, 2) is None
    asked = read_at_desk(case.case_no, officer_of(case.case_no)).asked
    assert asked is not None
    assert "理由须写明依据哪一份文件。" in asked.returned
    assert asked.suggested["reason"] == DECISION["reason"]


def test_that_nobody_may_approve_is_the_directors_matter_until_somebody_has(clerk: Any) -> None:
    case = replied(clerk, by=DIRECTOR)
    own = officer_of(case.case_no)
    assert case.draft(OutcomeDecision, **DECISION) is None
    steps.submit_outcome.run(case.case_no)
    assert answer_or_wait(case.case_no, OutcomeApproval, 1) is None
    (matter,) = matters(DIRECTOR, Mine.MINE).rows
    assert "没有人可以审签" in matter.what
    assert matters(own, Mine.MINE).rows == ()
    with pytest.raises(RefusalError, match="由负责人另行指定"):
        see_to(matter.id, "知道了", at_desk(own))
    other = another(own)
    name(other)
    # Who is named hears at once of what waits.
    with reading() as session:
        address = session.get_one(Officer, other).email
        told_to = select(OutgoingNotice.recipient).where(OutgoingNotice.notice == "approval-asked")
        assert address in session.scalars(told_to).all()
    assert case.approve(OutcomeApproval, by=other) is None
    assert steps.take_outcome_approval.run(case.case_no)
    assert matters(DIRECTOR, Mine.MINE).rows == ()


def test_nobody_is_turned_away_while_they_may_still_supplement(clerk: Any, present: Any) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片。") is None
    steps.request_supplement.run(case.case_no)
    assert case.answer(SupplementReceived, kind="不再等待，按现有材料继续") is None
    steps.take_supplement.run(case.case_no)
    assert "期限未满" in str(case.draft(InitialReview, 2, **DECLINED))
    present.pass_by(timedelta(days=30))
    assert case.draft(InitialReview, 2, **DECLINED) is None


def test_a_disagreement_is_not_settled_by_whoever_drafted_the_outcome(clerk: Any) -> None:
    case = drafted(clerk)
    own = officer_of(case.case_no)
    assert case.approve(OutcomeApproval) is None
    assert steps.take_outcome_approval.run(case.case_no)
    conclude(lambda step: step.run(case.case_no))
    steps.log_disagreement(case.token, "门牌证上写的是另一号，请再核对。")
    (matter,) = [each for each in matters(DIRECTOR, Mine.MINE).rows if "不同意见" in each.what]
    with pytest.raises(RefusalError, match="没有参与拟稿的负责人"):
        see_to(matter.id, "已阅。", at_desk(own))
    see_to(matter.id, "已与申请人通话，维持原结果。", at_desk(DIRECTOR))


def test_replies_on_a_list_need_the_scan_of_their_letter(clerk: Any) -> None:
    batch = posted(clear(2))
    without = Letter("绍数函〔2026〕1号", clock.today())
    rows = (WRONG | CORRECTED, RIGHT | UPHELD)
    taken = take_list("核实清单.xlsx", filled(sent_list(batch), *rows), without, officer_of(batch.case_no), "")
    assert (taken.replied, [row for row, _ in taken.wrong]) == (0, [2, 3])
    assert all("扫描件" in why for _, why in taken.wrong)


def test_every_look_at_the_drafts_is_on_record(clerk: Any) -> None:
    case = drafted(clerk)
    waiting(at_desk(DIRECTOR))
    with reading() as session:
        looked = select(AuditEntry.actor).where(AuditEntry.case_no == case.case_no, AuditEntry.tag == "case:sheet:read")
        assert DIRECTOR in session.scalars(looked).all()


def test_the_approver_is_reminded_and_not_the_drafter(clerk: Any) -> None:
    case = drafted(clerk)
    with reading() as session:
        addresses = {each.staff_no: each.email for each in session.scalars(select(Officer))}
        mine = Deadline.case_no == case.case_no, Deadline.limit_code == APPROVAL.code
        due = session.scalars(select(Deadline.due_on).where(*mine)).one()
    sweep(datetime.combine(due, time(8), clock.SHANGHAI))
    with reading() as session:
        near = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "deadlines-near")).all()
    told_of = {each.recipient: [line["limit"] for line in each.context["lines"]] for each in near}
    assert APPROVAL.label in told_of[addresses[DIRECTOR]]
    assert APPROVAL.label not in told_of.get(addresses[officer_of(case.case_no)], [])


def test_an_unapproved_draft_is_late_after_a_working_day(clerk: Any) -> None:
    case = drafted(clerk)
    with reading() as session:
        due = session.scalars(
            select(Deadline.due_on).where(Deadline.case_no == case.case_no, Deadline.limit_code == APPROVAL.code)
        ).one()
    assert clock.today() < due <= clock.today() + timedelta(days=12)


def test_an_outcome_waits_for_who_may_still_supplement_unless_they_get_what_they_claim(clerk: Any) -> None:
    case: Clerk = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片。") is None
    steps.request_supplement.run(case.case_no, 1)
    assert case.answer(SupplementReceived, 1, kind="不再等待，按现有材料继续") is None
    steps.take_supplement.run(case.case_no, 1)
    assert case.answer(InitialReview, 2, verdict="受理") is None
    steps.accept_objection.run(case.case_no)
    assert verifications.prepare_pursuit.run(case.case_no) == "letter"
    posted_today = {"letter_no": "柯数函〔2026〕8号", "posted_on": str(clock.today())}
    assert case.answer(LetterPosted, **posted_today) is None
    verifications.record_letter.run(case.case_no)
    said, own = reply() | {"finding": "原数据部分有误", "corrected_value": "群贤路9000号"}, officer_of(case.case_no)
    assert answered(case.case_no, VerificationReply, 1, said, own, files=[SCAN]) is None
    steps.take_reply.run(case.case_no)
    partly = {"outcome": "部分更正", "reason": "经上级核实，门牌号部分有误。"}
    assert "期限未满" in str(case.draft(OutcomeDecision, **partly))
    assert case.draft(OutcomeDecision, **DECISION, value=RIGHT_VALUE, differs="门牌证原件可证，编号9999。") is None
