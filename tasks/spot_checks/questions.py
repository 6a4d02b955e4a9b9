"""What a random spot check asks whoever conducts the round (Article 17); inspectors answer by their checklists."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Department
from models.spot_checks import SpotCheckTeam
from regulation.spot_checks import TeamStage
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.case.questions import Asked, Needed, Question
from tasks.office.departments import department_named


class Waiting(StrEnum):
    """How the wait for results goes on. The values are what people read."""

    DONE = "全部检查组已登记并确认"
    REPLACE = "更换一名检查人员"
    STOP = "不再等待，未确认的按未完成公布"


class SpotCheckResults(Question):
    question = "spot-check-results"
    second = "同组的另一名检查人员确认"
    asks = "等待各检查组登记并确认结果（全部确认后自动继续，不需要在此提交）"
    awaits = "检查组登记结果"

    kind: Waiting = Field(title="处理方式")
    department: Words = Field("", title="检查组的部门", max_length=100)
    absent: Words = Field("", title="被更换人工号", max_length=20)
    reason: Words = Field("", title="理由", max_length=500)

    hints: ClassVar = {
        "department": {Waiting.REPLACE: "选择检查组的部门"},
        "absent": {Waiting.REPLACE: "选择被更换的人"},
        "reason": dict.fromkeys((Waiting.REPLACE, Waiting.STOP), "写明理由，至少5个字"),
    }

    @classmethod
    def choices(cls, session: Session, case: Case) -> Mapping[str, Sequence[str]]:
        wanted = (
            select(Department.name, SpotCheckTeam.inspectors)
            .join(SpotCheckTeam, SpotCheckTeam.department_uscc == Department.uscc)
            .where(SpotCheckTeam.case_no == case.case_no, SpotCheckTeam.stage == TeamStage.CHECKING)
            .order_by(Department.name)
        )
        teams = session.execute(wanted).tuples().all()
        inspectors = sorted({staff_no for _, team in teams for staff_no in team})
        return {"department": [name for name, _ in teams], "absent": inspectors} if teams else {}

    needs: ClassVar = {
        "department": Needed("kind", {Waiting.REPLACE: "更换检查人员的须选择检查组的部门"}, 1),
        "absent": Needed("kind", {Waiting.REPLACE: "更换检查人员的须选择被更换的人"}, 1),
        "reason": Needed("kind", dict.fromkeys((Waiting.REPLACE, Waiting.STOP), "更换或不再等待的须说明原因")),
    }

    def check(self, asked: Asked) -> None:
        case_no = asked.case.case_no
        mine = select(SpotCheckTeam).where(SpotCheckTeam.case_no == case_no)
        if self.kind is Waiting.DONE:
            left = asked.session.scalars(mine.where(SpotCheckTeam.stage != TeamStage.CONFIRMED)).first()
            if left is not None:
                raise InputError.of("kind", "还有检查组没有确认结果，请等待、更换检查人员或选择不再等待。")
            return
        super().check(asked)
        if self.kind is Waiting.STOP:
            return
        try:
            uscc = department_named(asked.session, self.department).uscc
        except RefusalError as why:
            raise InputError.of("department", str(why)) from None
        team = asked.session.scalar(mine.where(SpotCheckTeam.department_uscc == uscc))
        if team is None or self.absent.upper() not in team.inspectors:
            raise InputError.of("absent", "该部门的检查组中没有这名检查人员，请核对部门和工号。")
        if team.stage is not TeamStage.CHECKING:
            why_not = "该检查组已经登记结果，不能更换检查人员；如需重查，请先由另一名检查人员退回。"
            raise InputError.of("department", why_not)


class SpotCheckPublication(Question):
    question = "spot-check-publication"
    asks = "核对抽查结果；提交后在公示页公布，抽取的种子和名录随之公开"

    note: Words = Field("", title="说明", description="随结果公布，可不填，不写个人信息", max_length=500)
