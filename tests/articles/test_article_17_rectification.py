"""第十七条：日常监督。发现问题的，及时督促整改。"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case, Deadline, DeadlineChange, Reminder, StaffTask
from models.findings import Finding
from models.liaisons import LiaisonOfficer
from models.notices import OutgoingNotice
from models.organisations import Department
from models.records import AuditEntry
from models.rectifications import Rectification
from regulation.finding_rules import RULES
from regulation.findings import FindingRule, Severity, Source
from regulation.limits import EXTENSION_DAYS, RECTIFICATION_DAYS
from regulation.rectifications import STAGES, Response, Stage, check_days
from regulation.stages import TransitionError
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.case.attachments import File
from tasks.case.department_links import ByLink
from tasks.case.questions import Question
from tasks.desk import deadline_watch as deadlines
from tasks.desk.sheets import sheet_of
from tasks.rectifications import responses, watch
from tasks.rectifications import steps as rectifications
from tasks.rectifications.findings import Found, note_findings
from tasks.rectifications.kind import RECTIFICATION
from tasks.rectifications.questions import (
    DepartmentResponse,
    ExtensionDecision,
    FinalStanding,
    FindingDecision,
    Recheck,
)
from tasks.supervision import rechecks
from tests.conftest import Clerk

MONDAY = date(2026, 3, 2)
OFFICE = sample_catalogue.DEPARTMENTS[5]
"""绍兴市柯桥区民政局, which has somebody on file."""
NOBODY = sample_catalogue.DEPARTMENTS[9]
"""绍兴市柯桥区医疗保障局, which has filed nobody."""
RULE = "liaison-missing"
BY_HAND = FindingRule("seen-by-a-person", "窗口索要纸质证照", 8, Severity.MINOR, Source.VISIT, False)
"""A rule that no program can run again."""

Day = Callable[[date], datetime]


@pytest.fixture
def monday(clerk: Clerk, on_day: Day) -> datetime:
    return on_day(MONDAY)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample's rule is rechecked by a person, as most are."""
    monkeypatch.setattr(rechecks, "RECHECKS", {})


def uscc(name: str) -> str:
    return samples.department_code(samples.DEFAULT_SEED, name)


def suggested(case_no: str) -> Mapping[str, Any]:
    with reading() as session:
        return FindingDecision.suggested(session, session.get_one(Case, case_no))


def find(at: datetime, *departments: str, facts: str = "本部门没有在册的专人。") -> tuple[str, ...]:
    """One night of a rule that looks at every department; the cases that it opens."""
    with transaction() as session:
        found = [Found(RULE, uscc(name), "", facts) for name in departments]
        return note_findings(session, Source.ONLINE, found, at, ran=[RULE]).opened


class Story(Clerk):
    """A rectification played without Prefect: the story's own steps in the story's order."""

    turn = 1

    def decide(self, decision: str = "督促整改", severity: str = "一般", days: int = 10, reason: str = "") -> None:
        said = self.answer(FindingDecision, decision=decision, severity=severity, days=days, reason=reason)
        assert said is None, said
        step = rectifications.order_rectification if decision == "督促整改" else rectifications.dismiss_finding
        step.run(self.case_no)

    def say(
        self, kind: str = "整改情况", text: str = "已经备案专人。", days: int = 0, key: str = "", files: Any = ()
    ) -> None:
        given = DepartmentResponse.model_validate({"kind": kind, "text": text, "days": days})
        responses.respond(ByLink(self.link()), given, files, key or f"{kind}{self.turn}")

    def link(self) -> str:
        with reading() as session:
            return session.get_one(Rectification, self.case_no).token

    def go_on(self, question: type[Question] | None = None, **given: object) -> str:
        """What the story does with the department's answer or silence, and then with an officer's; the stage."""
        with reading() as session:
            said = responses.accepted_answer(session, self.case_no, DepartmentResponse.question, self.turn)
        assert said is not None
        match Response(said["kind"]):
            case Response.SILENT:
                rectifications.note_silence.run(self.case_no, self.turn)
            case Response.EXTENSION:
                rectifications.take_extension.run(self.case_no, self.turn)
                if question is not None:
                    assert self.answer(question, self.turn, **given) is None
                rectifications.settle_extension.run(self.case_no, self.turn)
            case Response.DONE:
                rectifications.take_response.run(self.case_no, self.turn)
                if rechecks.recheck_by_rule.run(self.case_no, self.turn) is None:
                    assert question is not None, "a person has to look"
                    assert self.answer(question, self.turn, **given) is None
                    rechecks.carry_out_recheck.run(self.case_no, self.turn)
        self.turn += 1
        return self.stage()

    def seen(self) -> responses.OwnRectification:
        return responses.followed(ByLink(self.link()))


@pytest.fixture
def found(monday: datetime) -> Story:
    """A finding that nobody has decided on."""
    (case_no,) = find(monday, NOBODY)
    return Story(case_no)


@pytest.fixture
def ordered(found: Story) -> Story:
    """A department that was told to mend within ten working days, up to 16 March."""
    found.decide()
    return found


def told(notice: str) -> dict[str, dict[str, Any]]:
    """The notices of a kind by their addresses; the last one to each."""
    with reading() as session:
        rows = session.scalars(
            select(OutgoingNotice).where(OutgoingNotice.notice == notice).order_by(OutgoingNotice.id)
        )
        return {row.recipient: row.context for row in rows}


def sent(notice: str) -> int:
    with reading() as session:
        wanted = select(func.count(OutgoingNotice.id)).where(OutgoingNotice.notice == notice)
        return session.scalar(wanted) or 0


def limits(case_no: str, code: str) -> list[Deadline]:
    with reading() as session:
        wanted = select(Deadline).where(Deadline.case_no == case_no, Deadline.limit_code == code)
        return list(session.scalars(wanted.order_by(Deadline.id)))


def file_somebody(department: str) -> None:
    with transaction() as session:
        session.add(
            LiaisonOfficer(
                department_uscc=uscc(department),
                name="钱云舒",
                position="科员",
                phone="0575-84120099",
                email="qian@example.cn",
                from_on=MONDAY,
            )
        )


# 处置


def test_what_was_decided_and_answered_stands_there_with_labels_and_units(ordered: Story) -> None:
    ordered.say("申请延期", "专人下月才到岗。", days=5)
    with reading() as session:
        case = session.get_one(Case, ordered.case_no)
        shown = {name.partition("（")[0]: said for name, said in RECTIFICATION.sheet.full_lines(session, case)}
    assert shown["处置"] == "处置意见：督促整改；严重程度：一般；整改时限：10个工作日"
    assert shown["部门答复"] == (
        "部门答复：申请延期；整改情况，或延期理由：专人下月才到岗；申请延期的工作日数：5个工作日"
    )


def test_the_form_comes_with_what_the_rule_suggests(found: Story) -> None:
    assert suggested(found.case_no) == {"decision": "督促整改", "severity": "一般", "days": 20}
    lines = dict(sheet_of(found.case_no).lines)
    assert lines["规则建议"] == "督促整改，一般，20个工作日（可在10至20之间）"
    assert "本部门没有在册的专人。" in lines["情况"]


def test_the_department_reads_what_came_of_its_request_and_how_it_ended(ordered: Story, by_hand: None) -> None:
    assert (ordered.seen().extension, ordered.seen().concluded) == (None, None)
    ordered.say("申请延期", "专人下月才到岗。", days=5)
    ordered.go_on(ExtensionDecision, verdict="不同意延期", reason="人员已经到岗。")
    assert ordered.seen().extension == "意见：不同意延期；理由：人员已经到岗"
    ordered.say()
    ordered.go_on(Recheck, verdict="退回整改", days=10, reason="备案表没有盖章。")
    assert ordered.seen().concluded is None
    ordered.say()
    ordered.go_on(Recheck, verdict="已整改", reason="已核对备案表。")
    assert ordered.seen().concluded == "复查意见：已整改；理由：已核对备案表"


@pytest.mark.parametrize(("severity", "bounds"), RECTIFICATION_DAYS.items())
def test_the_days_lie_within_what_the_severity_allows(found: Story, severity: str, bounds: tuple[int, int]) -> None:
    fewest, most = bounds
    for days in (fewest - 1, most + 1):
        said = found.answer(FindingDecision, decision="督促整改", severity=severity, days=days)
        assert f"{fewest}至{most}个工作日" in (said or "")
        with pytest.raises(InputError, match="请更正"):
            check_days(Severity(severity), days)
    for days in bounds:
        check_days(Severity(severity), days)
    assert found.answer(FindingDecision, decision="督促整改", severity=severity, days=most) is None


def test_a_finding_that_does_not_hold_is_dismissed_with_the_reason_and_nobody_is_told(found: Story) -> None:
    said = found.answer(FindingDecision, decision="不成立", severity="一般", days=0)
    assert "至少5个字" in (said or "")
    found.decide("不成立", days=0, reason="该部门今年不使用电子证照。")
    assert found.stage() == Stage.DISMISSED
    assert told("rectification-ordered") == {}
    with reading() as session:
        assert session.get_one(Case, found.case_no).closed_at is not None
    (decided,) = limits(found.case_no, "finding-decision")
    assert (decided.met_on, decided.missed_by) == (MONDAY, 0)


def test_what_was_dismissed_is_not_opened_again_while_it_stays_as_it_is(found: Story, on_day: Day) -> None:
    found.decide("不成立", days=0, reason="该部门今年不使用电子证照。")
    assert find(on_day(MONDAY + timedelta(days=1)), NOBODY) == ()


def test_what_was_dismissed_makes_nothing_a_repeat(found: Story, on_day: Day) -> None:
    found.decide("不成立", days=0, reason="该部门今年不使用电子证照。")
    find(on_day(date(2026, 3, 3)))
    (again,) = find(on_day(date(2026, 3, 9)), NOBODY)
    assert suggested(again) == {"decision": "督促整改", "severity": "一般", "days": 20}
    assert "重复发生" not in dict(sheet_of(again).lines)


def test_what_only_people_see_can_be_found_again_once_it_was_dismissed(
    monday: datetime, on_day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, BY_HAND.code, BY_HAND)

    def reported(at: datetime) -> tuple[str, ...]:
        with transaction() as session:
            return note_findings(
                session, Source.VISIT, [Found(BY_HAND.code, uscc(OFFICE), "", "索要原件。")], at
            ).opened

    (first,) = reported(monday)
    assert reported(on_day(date(2026, 3, 3))) == ()
    Story(first).decide("不成立", days=0, reason="当天系统停机，属于例外。")
    (second,) = reported(on_day(date(2026, 3, 9)))
    case = Story(second)
    case.decide()
    case.say()
    assert case.go_on(Recheck, verdict="退回整改", days=10, reason="仍在索要原件。") == Stage.MENDING


def test_a_story_decides_once() -> None:
    for stage in (Stage.MENDED, Stage.DISMISSED, Stage.GONE, Stage.HANDED_OVER):
        with pytest.raises(TransitionError):
            STAGES.check(stage, Stage.MENDING)
    with pytest.raises(TransitionError):
        STAGES.check(Stage.FOUND, Stage.RECHECK)


# 通知


def test_the_department_is_told_what_why_until_when_and_how_that_was_counted(ordered: Story) -> None:
    assert ordered.stage() == Stage.MENDING
    notice = told("rectification-ordered")["office10@example.cn"]
    assert (notice["facts"], notice["article"], notice["due_on"]) == ("本部门没有在册的专人。", 13, "2026-03-16")
    assert (notice["provisional"], notice["earlier_case"]) == (False, "")
    assert [day["counts"] for day in notice["explanation"]].count(True) == 10
    assert notice["link"].endswith(f"/rectifications/{ordered.link()}")


def test_liaison_officers_on_file_and_the_office_are_told_with_masked_names(monday: datetime) -> None:
    (case_no,) = find(monday, OFFICE)
    Story(case_no).decide(reason="请同时检查下属单位。")
    notices = told("rectification-ordered")
    assert set(notices) == {"liaison06@example.cn", "office06@example.cn"}
    assert "*" in notices["liaison06@example.cn"]["recipient"]
    assert notices["office06@example.cn"]["requirement"] == "请同时检查下属单位。"


def test_a_department_that_nobody_can_write_to_is_left_to_staff(found: Story) -> None:
    with transaction() as session:
        session.execute(update(Department).values(email=""))
    found.decide()
    with reading() as session:
        (what,) = session.scalars(select(StaffTask.what).where(StaffTask.case_no == found.case_no))
    assert "另行送达" in what


def test_a_limit_that_reaches_into_a_year_not_yet_published_is_called_provisional(clerk: Clerk, on_day: Day) -> None:
    (case_no,) = find(on_day(date(2026, 12, 21)), NOBODY)
    Story(case_no).decide(days=20)
    assert told("rectification-ordered")["office10@example.cn"]["provisional"] is True
    assert Story(case_no).seen().provisional


def test_a_repeat_is_linked_to_the_first_and_is_given_less_time(ordered: Story, on_day: Day) -> None:
    find(on_day(date(2026, 3, 4)))
    ordered.say()
    assert ordered.go_on() == Stage.MENDED
    (second,) = find(on_day(date(2026, 3, 9)), NOBODY)
    find(on_day(date(2026, 3, 10)))
    (third,) = find(on_day(date(2026, 3, 11)), NOBODY)
    assert Story(second).stage() == Stage.GONE
    assert suggested(third) == {"decision": "督促整改", "severity": "较重", "days": 5}
    assert ordered.case_no in dict(sheet_of(third).lines)["重复发生"]
    Story(third).decide(severity="较重", days=5)
    notice = told("rectification-ordered")["office10@example.cn"]
    assert (notice["case_no"], notice["earlier_case"], notice["earlier_on"]) == (third, ordered.case_no, "2026-03-02")


# 答复和复查


def test_what_a_program_can_look_at_again_is_rechecked_by_it(ordered: Story, on_day: Day) -> None:
    file_somebody(NOBODY)
    on_day(date(2026, 3, 5))
    ordered.say(files=[File("备案表.pdf", "application/pdf", b"%PDF-1.4")])
    assert ordered.go_on() == Stage.MENDED
    (limit,) = limits(ordered.case_no, "rectification")
    assert (limit.met_on, limit.missed_by) == (date(2026, 3, 5), 0)
    assert told("rectification-closed")["office10@example.cn"]["outcome"] == "已整改"
    with reading() as session:
        assert session.scalars(select(Finding.cleared_on)).one() == date(2026, 3, 5)
        assert session.get_one(Case, ordered.case_no).closed_at is not None


def test_where_the_cause_is_still_there_the_program_says_so_and_sets_another_date(ordered: Story) -> None:
    ordered.say()
    assert ordered.go_on() == Stage.MENDING
    notice = told("rectification-returned")["office10@example.cn"]
    assert "仍没有在册" in notice["reason"]
    assert notice["due_on"] == "2026-03-16"
    first, second = limits(ordered.case_no, "rectification")
    assert (first.met_on, second.turn, second.days) == (MONDAY, 2, 10)
    assert ordered.seen().failures == 1


def test_what_no_program_can_look_at_is_rechecked_by_a_person(ordered: Story, by_hand: None) -> None:
    ordered.say()
    rectifications.take_response.run(ordered.case_no, 1)
    assert rechecks.recheck_by_rule.run(ordered.case_no, 1) is None
    assert ordered.stage() == Stage.RECHECK
    (limit,) = limits(ordered.case_no, "recheck")
    assert limit.due_on == date(2026, 3, 9)
    assert "至少5个字" in (ordered.answer(Recheck, verdict="退回整改", days=10) or "")
    assert "10至20" in (ordered.answer(Recheck, verdict="退回整改", days=9, reason="材料没有盖章。") or "")
    assert ordered.answer(Recheck, verdict="已整改") is None
    assert rechecks.carry_out_recheck.run(ordered.case_no, 1) == Stage.MENDED


def test_a_person_sends_back_with_the_reason_and_a_date_and_the_second_round_can_succeed(
    ordered: Story, by_hand: None
) -> None:
    ordered.say()
    assert ordered.go_on(Recheck, verdict="退回整改", days=12, reason="材料没有盖章。") == Stage.MENDING
    notice = told("rectification-returned")["office10@example.cn"]
    assert (notice["reason"], notice["due_on"]) == ("材料没有盖章。", "2026-03-18")
    ordered.say(text="已补盖印章。")
    assert ordered.go_on(Recheck, verdict="已整改") == Stage.MENDED


def test_an_answer_that_came_on_paper_is_typed_in_by_the_officer(ordered: Story, by_hand: None) -> None:
    assert ordered.answer(DepartmentResponse, kind="整改情况", text="来文说已整改。") is None
    assert ordered.go_on(Recheck, verdict="已整改") == Stage.MENDED


def test_a_round_is_answered_once_and_the_same_submission_again_changes_nothing(ordered: Story) -> None:
    file = File("备案表.pdf", "application/pdf", b"%PDF-1.4")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: ordered.say(key="a", files=[file]), range(3)))
    with pytest.raises(RefusalError, match="已经登记"):
        ordered.say(key="b")
    assert len(ordered.seen().said) == 1
    assert "附件1个" in sheet_of(ordered.case_no).timeline_table()
    assert sheet_of(ordered.case_no).timeline_table().count("收到部门提交") == 1


def test_a_closed_case_takes_no_answer(ordered: Story) -> None:
    file_somebody(NOBODY)
    ordered.say()
    assert ordered.go_on() == Stage.MENDED
    with pytest.raises(RefusalError, match="不需要答复"):
        ordered.say(key="again")
    assert not ordered.seen().may_answer


# 延期


def test_an_extension_moves_the_date_and_what_moved_it_is_on_record(ordered: Story, on_day: Day) -> None:
    ordered.say("申请延期", "系统正在改造。", 5)
    assert ordered.go_on(ExtensionDecision, verdict="同意延期") == Stage.MENDING
    (limit,) = limits(ordered.case_no, "rectification")
    assert (limit.due_on, limit.days, limit.turn) == (date(2026, 3, 23), 15, 2)
    with reading() as session:
        change = session.scalars(select(DeadlineChange)).one()
    assert (change.from_on, change.to_on, change.rule) == (date(2026, 3, 16), date(2026, 3, 23), "同意延期5个工作日")
    notice = told("extension-decided")["office10@example.cn"]
    assert (notice["granted"], notice["due_on"]) == (True, "2026-03-23")
    assert deadlines.sweep(on_day(date(2026, 3, 23))).silent == ()
    assert deadlines.sweep(on_day(date(2026, 3, 24))).silent == (ordered.case_no,)


def test_a_refused_extension_keeps_the_date_and_says_why(ordered: Story) -> None:
    ordered.say("申请延期", "系统正在改造。", 5)
    rectifications.take_extension.run(ordered.case_no, 1)
    (review,) = limits(ordered.case_no, "extension-review")
    assert review.due_on == date(2026, 3, 4)
    assert "至少5个字" in (ordered.answer(ExtensionDecision, verdict="不同意延期") or "")
    ordered.go_on(ExtensionDecision, verdict="不同意延期", reason="期限已经足够。")
    (limit,) = limits(ordered.case_no, "rectification")
    assert (limit.due_on, limit.days) == (date(2026, 3, 16), 10)
    notice = told("extension-decided")["office10@example.cn"]
    assert (notice["granted"], notice["reason"]) == (False, "期限已经足够。")


def test_a_second_request_is_refused_at_once_by_every_way(ordered: Story) -> None:
    ordered.say("申请延期", "系统正在改造。", 5)
    for _ in range(2):
        with pytest.raises(InputError, match="只能申请一次"):
            ordered.say("申请延期", "还要再改造。", 5, key="again")
        if ordered.turn == 1:
            ordered.go_on(ExtensionDecision, verdict="不同意延期", reason="期限已经足够。")
    assert "只能申请一次" in (ordered.answer(DepartmentResponse, 2, kind="申请延期", text="还要再改造。", days=3) or "")
    assert not ordered.seen().may_extend


@pytest.mark.parametrize("days", [0, EXTENSION_DAYS.value + 1])
def test_an_extension_has_bounds(ordered: Story, days: int) -> None:
    with pytest.raises(InputError, match=f"1至{EXTENSION_DAYS.value}个工作日"):
        ordered.say("申请延期", "系统正在改造。", days)
    assert ordered.seen().said == ()


def test_after_the_last_day_no_extension_can_be_asked_for(ordered: Story, on_day: Day) -> None:
    on_day(date(2026, 3, 17))
    with pytest.raises(RefusalError, match="截止"):
        ordered.say("申请延期", "系统正在改造。", 5)
    on_day(date(2026, 3, 16))
    ordered.say("申请延期", "系统正在改造。", 5)


def test_who_has_mended_while_the_request_was_looked_at_needs_no_answer_to_it(ordered: Story) -> None:
    ordered.say("申请延期", "系统正在改造。", 5)
    assert ordered.seen().may_answer
    file_somebody(NOBODY)
    ordered.say(key="mended")
    assert not ordered.seen().may_answer
    assert ordered.answer(ExtensionDecision, verdict="同意延期") == "这一步已有答复，以先登记的为准。"
    ordered.go_on()
    assert sent("extension-decided") == 0
    assert ordered.go_on() == Stage.MENDED


# 逾期


def test_silence_past_the_limit_is_a_failure_and_the_story_goes_on(ordered: Story, on_day: Day) -> None:
    assert deadlines.sweep(on_day(date(2026, 3, 16))).silent == ()
    swept = deadlines.sweep(on_day(date(2026, 3, 17)))
    assert (swept.silent, swept.overdue) == ((ordered.case_no,), 2 - 1)
    assert deadlines.sweep(on_day(date(2026, 3, 17))).silent == ()
    assert ordered.go_on() == Stage.MENDING
    first, second = limits(ordered.case_no, "rectification")
    assert (first.lapsed_on, first.missed_by, second.due_on) == (date(2026, 3, 17), 1, date(2026, 3, 31))
    assert "没有答复" in told("rectification-returned")["office10@example.cn"]["reason"]


def test_an_answer_after_the_last_day_is_taken_while_nobody_has_noted_the_silence(ordered: Story, on_day: Day) -> None:
    file_somebody(NOBODY)
    at = on_day(date(2026, 3, 17))
    ordered.say()
    assert deadlines.sweep(at).silent == ()
    assert ordered.go_on() == Stage.MENDED
    (limit,) = limits(ordered.case_no, "rectification")
    assert limit.missed_by == 1


def test_two_failures_bring_it_to_the_governments_list_and_it_is_still_followed(ordered: Story, on_day: Day) -> None:
    ordered.say()
    assert ordered.go_on() == Stage.MENDING
    deadlines.sweep(on_day(date(2026, 3, 17)))
    assert ordered.go_on() == Stage.ESCALATED
    notices = told("rectification-escalated")
    assert set(notices) == {"office10@example.cn", "kq004@example.cn"}
    assert notices["kq004@example.cn"]["failures"] == 2
    with reading() as session:
        assert session.get_one(Case, ordered.case_no).closed_at is None
    assert Stage.ESCALATED in watch.board(on_day(date(2026, 3, 17)))
    with pytest.raises(RefusalError, match="不能再申请延期"):
        ordered.say("申请延期", "系统正在改造。", 5, key="late")
    ordered.say(key="at last")
    assert [each.kind for each in ordered.seen().said] == ["整改情况", "逾期未答复", "整改情况"]
    assert ordered.answer(FinalStanding, conclusion="已整改", reason="已核实在册专人。") is None
    rectifications.conclude.run(ordered.case_no)
    assert ordered.stage() == Stage.MENDED
    assert told("rectification-closed")["office10@example.cn"]["reason"] == "已核实在册专人。"


def test_an_escalated_case_can_be_handed_over_to_the_government(ordered: Story, by_hand: None) -> None:
    for _ in range(2):
        ordered.say()
        ordered.go_on(Recheck, verdict="退回整改", days=10, reason="没有改到位。")
    assert ordered.answer(FinalStanding, conclusion="转区政府督办办结", reason="柯政督〔2026〕1号") is None
    rectifications.conclude.run(ordered.case_no)
    assert ordered.stage() == Stage.HANDED_OVER
    with reading() as session:
        assert session.scalars(select(Finding.cleared_on)).one() is None


def test_a_story_that_runs_again_from_its_first_line_changes_nothing(ordered: Story, on_day: Day) -> None:
    def everything() -> tuple[object, ...]:
        with reading() as session:
            row = session.get_one(Rectification, ordered.case_no)
            dues = session.execute(select(Deadline.limit_code, Deadline.turn, Deadline.due_on).order_by(Deadline.id))
            queued = session.scalar(select(func.count(OutgoingNotice.id)))
            return ordered.stage(), row.failures, row.token, queued, dues.tuples().all()

    ordered.say("申请延期", "系统正在改造。", 5)
    ordered.go_on(ExtensionDecision, verdict="同意延期")
    deadlines.sweep(on_day(date(2026, 3, 24)))
    ordered.go_on()
    ordered.say(key="third")
    assert ordered.go_on() == Stage.ESCALATED
    before = everything()
    rectifications.order_rectification.run(ordered.case_no)
    rectifications.take_extension.run(ordered.case_no, 1)
    assert rectifications.settle_extension.run(ordered.case_no, 1) == Stage.MENDING
    assert rectifications.note_silence.run(ordered.case_no, 2) == Stage.MENDING
    rectifications.take_response.run(ordered.case_no, 3)
    assert rechecks.recheck_by_rule.run(ordered.case_no, 3) == Stage.ESCALATED
    assert everything() == before


# 原因自行消除


def test_what_is_gone_before_anybody_has_decided_ends_by_itself_without_a_notice(found: Story, on_day: Day) -> None:
    find(on_day(date(2026, 3, 3)))
    assert found.stage() == Stage.GONE
    assert sent("rectification-closed") == sent("rectification-ordered") == 0
    with reading() as session:
        assert session.get_one(Case, found.case_no).closed_at is not None
        tags = session.scalars(select(AuditEntry.tag).where(AuditEntry.case_no == found.case_no)).all()
    assert "rectification:finding:gone" in tags
    assert found.answer(FindingDecision, decision="督促整改", severity="一般", days=10) is not None


def test_of_what_is_gone_after_the_notice_the_recheck_sees_it(ordered: Story, on_day: Day, by_hand: None) -> None:
    find(on_day(date(2026, 3, 3)))
    assert ordered.stage() == Stage.MENDING
    assert "2026-03-03消除" in dict(sheet_of(ordered.case_no).lines)["请注意"]
    ordered.say()
    assert ordered.go_on() == Stage.MENDED


def test_what_is_still_found_stays_one_case(ordered: Story, on_day: Day) -> None:
    assert find(on_day(date(2026, 3, 3)), NOBODY) == ()
    assert ordered.seen().times == 2


# 提醒和台账


def test_the_department_is_reminded_once_two_working_days_before(ordered: Story, on_day: Day) -> None:
    assert watch.remind_of_rectifications(on_day(date(2026, 3, 11))) == 0
    thursday = on_day(date(2026, 3, 12))
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: watch.remind_of_rectifications(thursday), range(3))) == 1
    assert watch.remind_of_rectifications(on_day(date(2026, 3, 13))) == 0
    assert told("rectification-due")["office10@example.cn"]["due_on"] == "2026-03-16"


def test_who_has_answered_is_not_reminded_and_who_got_more_time_is_again(ordered: Story, on_day: Day) -> None:
    assert watch.remind_of_rectifications(on_day(date(2026, 3, 12))) == 1
    ordered.say("申请延期", "系统正在改造。", 5)
    assert watch.remind_of_rectifications(on_day(date(2026, 3, 13))) == 0
    ordered.go_on(ExtensionDecision, verdict="同意延期")
    assert watch.remind_of_rectifications(on_day(date(2026, 3, 19))) == 1
    with reading() as session:
        assert len(session.scalars(select(Reminder)).all()) == 2


def test_the_board_shows_what_is_open_by_department(ordered: Story, monday: datetime) -> None:
    find(monday, NOBODY, OFFICE)
    board = watch.board(monday)
    rows = [line for line in board.splitlines() if "ZG" in line]
    assert [OFFICE in row for row in rows].count(True) == 1
    assert any("整改中" in row and "2026-03-16" in row for row in rows)
    assert any("待处置" in row and "2026-03-05" in row for row in rows)


def test_every_rule_that_a_program_can_run_again_is_run_again() -> None:
    assert set(rechecks.RECHECKS) == {code for code, rule in RULES.items() if rule.rerun}


# 个人信息


def test_what_departments_write_stands_in_no_timeline_and_in_no_table_unencrypted(ordered: Story) -> None:
    ordered.say(text="由张三负责，电话13800000000。")
    sheet = sheet_of(ordered.case_no)
    shown = sheet.table() + sheet.timeline_table()
    with reading() as session:
        shown += " ".join(str(entry.detail) for entry in session.scalars(select(AuditEntry)))
        raw = str(session.connection().exec_driver_sql("SELECT given FROM answers").all())
    assert "张三" not in shown
    assert "13800000000" not in raw
