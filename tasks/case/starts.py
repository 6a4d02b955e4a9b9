"""What staff start that is of no noun: a case changes hands, somebody is away, a year's working days are known."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Leave, Officer
from runtime import clock
from runtime.refusals import InputError, Mistakes, RefusalError
from runtime.words import Words
from tasks.case.approvals import IS_APPROVER, approves_as, check_approver, name_approver
from tasks.case.attachments import File
from tasks.case.calendars import arranged, publish
from tasks.case.hand_over import check_receiver, give_case
from tasks.case.kind import Table
from tasks.case.numbers import case_numbered
from tasks.case.questions import Needed
from tasks.case.start import About, Begun, Days, Start, Typed
from tasks.office.leave import change_leave, check_leave, check_whose, end_leave, file_leave, overlapping
from tasks.office.officers import absence, check_may_act, officer_named, officers_there

OFFICE = "人员和日历"


class GiveCase(Start):
    about = About(
        code="hand-over",
        named="移交办件",
        group=OFFICE,
        article="",
        does="把一件办件（连同并入的）移交给另一名工作人员，之后的提醒随之转移。由经办人、其代理人或负责人移交。",
        deployment="case-handover",
        words="转办 换人 交接 经办人",
        elsewhere=("/desk?whose=all", "多件一并移交，在待办列表中选择（负责人）"),
    )

    case_no: Words = Field(
        title="办件编号", description="如YY-2026-000012，可略作YY-12或12", min_length=1, max_length=30
    )
    to: Words = Field(title="接收人", min_length=1, max_length=20)
    why: Words = Field(title="移交理由", min_length=2, max_length=200)

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        return {"to": officers_there(session)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("case_no"):
            case = session.get_one(Case, case_numbered(session, self.case_no, Case.closed_at.is_(None)))
            check_may_act(session, officer, case, today)
            if case.closed_at is not None:
                raise RefusalError(f"办件{case.case_no}已办结，不能移交。")
        with mistakes.beside("to"):
            check_receiver(session, case, officer_named(session, self.to, "接收人"))
        mistakes.say()

    def doubts(self, session: Session, today: date) -> Mapping[str, str]:
        to = officer_named(session, self.to, "接收人")
        away = absence(session, to.staff_no, today)
        return {} if away is None else {"to": f"接收人{away.of(to)}。"}

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        case_no = give_case(self.case_no, self.to, self.why, officer)
        return Begun(f"{case_no}移交给工号{self.to}，并通知接收人。", case_no)


class TakeLeave(Start):
    about = About(
        code="leave",
        named="登记休假",
        group=OFFICE,
        article="",
        does="登记休假及代理人；其间的提醒发给代理人，代理人可以代为办理。由休假人本人或负责人登记。",
        deployment="officer-leave",
        words="请假 休息 出差 代理",
        elsewhere=("/desk/start/leave-change", "改日期、换代理人或提前结束"),
    )

    absent: Words = Field(title="休假人", min_length=1, max_length=20)
    substitute: Words = Field(title="代理人", min_length=1, max_length=20)
    from_on: date = Field(title="开始日期")
    until_on: date = Field(title="结束日期（含）")

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        there = officers_there(session)
        return {"absent": there, "substitute": there}

    @classmethod
    def suggested(cls, session: Session, officer: Officer, today: date) -> Mapping[str, Any]:
        return {"absent": officer.staff_no, "from_on": today}

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        return {"until_on": (today, None)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("absent"):
            away = officer_named(session, self.absent, "休假人").staff_no
        with mistakes.beside("substitute"):
            acts = officer_named(session, self.substitute, "代理人").staff_no
        mistakes.say()
        leave = Leave(staff_no=away, substitute_no=acts, from_on=self.from_on, until_on=self.until_on)
        check_leave(session, leave, officer, today)

    def doubts(self, session: Session, today: date) -> Mapping[str, str]:
        away, acts = (officer_named(session, each).staff_no for each in (self.absent, self.substitute))
        leave = Leave(staff_no=away, substitute_no=acts, from_on=self.from_on, until_on=self.until_on)
        return _said(overlapping(session, leave))

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        file_leave(self.absent, self.substitute, self.from_on, self.until_on, officer)
        return Begun(f"工号{self.absent}自{self.from_on}至{self.until_on}休假，由工号{self.substitute}代理。")


class Change(StrEnum):
    """What becomes of a leave that is on file."""

    OTHER = "改日期或代理人"
    END = "提前结束"


class ChangeLeave(Start):
    about = About(
        code="leave-change",
        named="变更、结束休假",
        group=OFFICE,
        article="",
        does="改一次休假的日期或代理人，或者提前结束；还没有开始的，最后一日填开始的前一日即撤销。由休假人本人或负责人登记。",
        deployment="officer-leave-change",
        words="请假 销假 提前上班 代理",
    )

    leave: Words = Field(title="哪一次休假", min_length=1, max_length=20)
    what: Change = Field(title="怎样变更")
    until_on: date = Field(title="结束日期（含）", description="提前结束的填休假的最后一日")
    from_on: date | None = Field(None, title="开始日期")
    substitute: Words = Field("", title="代理人", max_length=20)

    needs: ClassVar = {
        "from_on": Needed("what", {Change.OTHER: "改日期或代理人的须写明开始日期，不改的照原来的填"}, 1),
        "substitute": Needed("what", {Change.OTHER: "改日期或代理人的须写明代理人，不改的照原来的填"}, 1),
    }

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        there = session.scalars(select(Leave).where(Leave.until_on >= clock.today()).order_by(Leave.from_on, Leave.id))
        return {
            "leave": {
                str(each.id): f"工号{each.staff_no}，{each.from_on}至{each.until_on}，由工号{each.substitute_no}代理"
                for each in there
            },
            "substitute": officers_there(session),
        }

    def check(self, session: Session, officer: Officer, today: date) -> None:
        super().check(session, officer, today)
        mistakes = Mistakes()
        with mistakes.beside("leave"):
            if self.leave not in self.choices(session, {})["leave"]:
                raise InputError("没有这次休假，或者已经结束，请重新选择。")
            try:
                check_whose(session.get_one(Leave, int(self.leave)), officer)
            except RefusalError as why:
                raise InputError.of("leave", str(why)) from None
        mistakes.say()

    def doubts(self, session: Session, today: date) -> Mapping[str, str]:
        leave = session.get(Leave, int(self.leave))
        return {} if leave is None or self.what is Change.END else _said(overlapping(session, leave))

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        if self.what is Change.END:
            end_leave(int(self.leave), self.until_on, officer)
            return Begun(f"休假到{self.until_on}为止。")
        # Both are filled in (``needs``).
        first = self.from_on or self.until_on
        change_leave(int(self.leave), self.substitute, first, self.until_on, officer)
        return Begun(f"休假改为{first}至{self.until_on}，由工号{self.substitute}代理。")


def _said(overlapping: list[str]) -> dict[str, str]:
    return {"substitute": "".join(overlapping)} if overlapping else {}


class Naming(StrEnum):
    NAMED = "指定"
    ENDED = "不再指定"


class NameApprover(Start):
    about = About(
        code="approver",
        named="指定审签人",
        group=OFFICE,
        article="",
        does="指定一名工作人员审签他人的拟稿，或者收回。负责人不用指定；参与拟稿的人不能审签自己的拟稿。",
        deployment="approver",
        words="审签 审核 签批 负责人 授权",
        only_directors="审签人由负责人指定。",
    )

    officer: Words = Field(title="审签人", min_length=1, max_length=20)
    what: Naming = Field(title="指定还是收回")

    @classmethod
    def there(cls, session: Session, today: date) -> Table | None:
        named = session.scalars(select(Officer).where(IS_APPROVER, Officer.active).order_by(Officer.staff_no))
        return Table(("工号", "姓名", "审签"), tuple((each.staff_no, each.name, approves_as(each)) for each in named))

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        return {"officer": officers_there(session)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("officer"):
            check_approver(officer_named(session, self.officer, "审签人"), self.what is Naming.NAMED)
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        name_approver(self.officer, self.what is Naming.NAMED, officer)
        said = "可以审签他人的拟稿" if self.what is Naming.NAMED else "不再审签"
        return Begun(f"工号{self.officer}{said}。")


class PublishYear(Start):
    about = About(
        code="calendar",
        named="公布放假安排",
        group=OFFICE,
        article="",
        does="录入国务院办公厅公布的年度放假安排，重新推算全部在办办件的截止日。",
        deployment="calendar-publication",
        words="节假日 调休 工作日 日历 国务院",
    )

    year: int = Field(title="年份", ge=2005, le=2100)
    days_off: Words = Field(
        title="放假日期",
        description="每行一段，如：2027-01-01 元旦，或 2027-02-05至2027-02-11 春节；照国务院办公厅通知填写",
        min_length=10,
        max_length=4000,
    )
    days_worked: Words = Field(
        "", title="调休上班日期", description="以空格或换行分隔，如：2027-02-06", max_length=1000
    )

    def check(self, session: Session, officer: Officer, today: date) -> None:
        arranged(self.year, self.days_off, self.days_worked)

    def doubts(self, session: Session, today: date) -> Mapping[str, str]:
        incomplete = arranged(self.year, self.days_off, self.days_worked).incomplete
        return {"days_off": incomplete} if incomplete else {}

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        moved = publish(self.year, self.days_off, self.days_worked, officer)
        return Begun(f"{self.year}年放假安排公布，{moved}个截止日有变动。")
