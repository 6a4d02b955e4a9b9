"""A rule in the way that a department reported on paper, entered by staff (Article 16)."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from models.organisations import Officer
from regulation.rule_revisions import check_planned_day
from runtime.refusals import Mistakes
from tasks.case.attachments import File
from tasks.case.start import About, Begun, Start, Typed
from tasks.office.departments import OfDepartment, department_named, department_names
from tasks.rule_revisions.questions import RuleRevisionForm
from tasks.rule_revisions.steps import list_rule


class ListRule(RuleRevisionForm, OfDepartment, Start):
    about = About(
        code="rule-revision",
        named="制度修订登记",
        group="部门报送的",
        article="第十六条",
        does="登记部门书面报送的、妨碍电子证照应用的制度条款。登记后自动发起“制度修订”，由经办人确认。",
        deployment="rule-revision-intake",
        words="障碍 条款 文件 流程",
    )

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        return {"department": list(department_names(session).values())}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("department"):
            department_named(session, self.department)
        with mistakes.beside("planned_on"):
            check_planned_day(self.planned_on, today)
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        case_no = list_rule(self.only(RuleRevisionForm), self.department, key, officer.staff_no)
        return Begun(f"制度障碍登记为{case_no}。", case_no, (case_no,))
