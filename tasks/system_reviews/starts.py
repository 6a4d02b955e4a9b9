"""A new system that came on paper to be reviewed, and that it went live, entered by staff (Article 17)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organisations import Officer
from models.system_reviews import SystemReview
from regulation.system_reviews import check_live_day, check_planned_day
from runtime.refusals import InputError, Mistakes
from runtime.words import Words
from tasks.case.attachments import File
from tasks.case.questions import Needed
from tasks.case.start import About, Begun, Start, Typed
from tasks.office.departments import OfDepartment, department_named, department_names
from tasks.register.types import type_names
from tasks.system_reviews.go_live import report_for_staff
from tasks.system_reviews.steps import submit_for_department
from tasks.system_reviews.submissions import GoLive, GoLiveForm, SystemReviewForm, coded

DEPARTMENTS = "部门报送的"


class SubmitSystem(SystemReviewForm, OfDepartment, Start):
    about = About(
        code="system-review",
        named="系统评审登记",
        group=DEPARTMENTS,
        article="第十七条",
        does="登记部门书面提交的新建系统项目。登记后自动发起“系统评审”；方案没有写明的留空，系统逐条指出缺什么。"
        "方案文件在其办件页上添加。",
        deployment="system-review-intake",
        words="新建 项目 信息系统 方案",
    )

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        return {
            "department": list(department_names(session).values()),
            "uses-certificate_type": sorted(type_names(session).values()),
        }

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("department"):
            department_named(session, self.department)
        with mistakes.beside("uses"):
            coded(session, self.only(SystemReviewForm))
        with mistakes.beside("go_live_on"):
            check_planned_day(self.go_live_on, today)
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        case_no = submit_for_department(self.only(SystemReviewForm), self.department, key, officer.staff_no)
        return Begun(f"系统评审登记为{case_no}。", case_no, (case_no,))


class ReportGoLive(Start):
    about = About(
        code="go-live",
        named="登记系统上线",
        group=DEPARTMENTS,
        article="第十七条",
        does="登记评审通过的系统已经上线，或者计划上线日期改期；上线后按评审时的承诺核对。",
        deployment="go-live-report",
        words="上线 改期 新建系统",
    )

    case_no: Words = Field(title="评审通过的项目", min_length=1, max_length=20)
    kind: GoLive = Field(title="情况")
    on: date = Field(title="日期", description="已上线的填上线日期，改期的填新的计划日期")
    reason: Words = Field("", title="改期理由", max_length=500)

    needs: ClassVar = {"reason": Needed("kind", {GoLive.MOVED: "改期须写明理由"}, 2)}

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        wanted = select(SystemReview).where(SystemReview.passed_on.is_not(None), SystemReview.live_on.is_(None))
        reviews = session.scalars(wanted.order_by(SystemReview.case_no))
        return {"case_no": {each.case_no: f"{each.case_no} {each.project_name}" for each in reviews}}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        super().check(session, officer, today)
        review = session.get(SystemReview, self.case_no)
        if review is None or review.passed_on is None:
            raise InputError.of("case_no", "没有这个评审通过的项目，请重新选择。")
        mistakes = Mistakes()
        with mistakes.beside("on"):
            if self.kind is GoLive.LIVE:
                check_live_day(self.on, review.passed_on, today)
            else:
                check_planned_day(self.on, today)
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        report_for_staff(self.case_no, self.only(GoLiveForm), officer)
        what = f"{self.on}上线" if self.kind is GoLive.LIVE else f"改期到{self.on}上线"
        return Begun(f"{self.case_no}登记为{what}。", self.case_no)
