"""What staff start of random spot checks: a round, and what stands in its registers (Article 17)."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organisations import Officer
from models.spot_checks import CheckItem, Inspector, Ties
from regulation.spot_checks import RULE_OF, Fault, ObjectKind, check_round
from runtime.refusals import InputError, Mistakes
from runtime.words import Words
from tasks.case.attachments import File
from tasks.case.kind import Table
from tasks.case.start import About, Begun, Days, Start, Typed
from tasks.office.departments import DepartmentText, department_named, department_names
from tasks.office.officers import officers_there
from tasks.spot_checks.inspectors import declare_conflict, items_table, keep_check_item, put_on_register, register_table
from tasks.spot_checks.steps import open_round_for_officer

GROUP = "监督"
FAULT_OF = {rule.code: fault for fault, rule in RULE_OF.items()}
WHOLE = 10_000
"""A rate of everything, per ten thousand."""


class OpenRound(Start):
    about = About(
        code="spot-check",
        named="发起抽查",
        group=GROUP,
        article="第十七条",
        does="在季度抽查之外，按需发起一轮随机抽查。对象和检查人员都由系统随机抽取，不能指定。",
        deployment="spot-check-start",
        words="随机抽查 专项 双随机",
    )

    title: Words = Field(title="抽查名称", description="如：餐饮许可用证专项抽查", min_length=2, max_length=60)
    percent: int = Field(5, title="抽查比例（%）", description="不低于5", ge=1, le=100)
    period_from: date = Field(title="期间开始日")
    period_until: date = Field(title="期间结束日（含）", description="须早于今天")

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        yesterday = today - timedelta(days=1)
        return {"period_from": (None, yesterday), "period_until": (None, yesterday)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes, yesterday = Mistakes(), today - timedelta(days=1)
        with mistakes.beside("period_until"):
            check_round(self.period_from, self.period_until, WHOLE, today)
        with mistakes.beside("percent"):
            check_round(yesterday, yesterday, self.percent * 100, today)
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        case_no = open_round_for_officer(key, self.title, self.period_from, self.period_until, self.percent, officer)
        return Begun(f"抽查“{self.title}”发起为{case_no}。", case_no, (case_no,))


class Listing(StrEnum):
    """Whether somebody stands on the register of inspectors."""

    ON = "列入"
    OFF = "移出"


class KeepInspector(Start):
    about = About(
        code="inspector",
        named="维护检查人员名录",
        group=GROUP,
        article="第十七条",
        does="把工作人员列入或移出随机抽查的检查人员名录；已抽中的检查组不受影响。",
        deployment="inspector-register",
        words="抽查 检查人员 名录库",
        elsewhere=("/desk/start/conflict", "回避某个部门的，请申报检查回避"),
    )

    inspector: Words = Field(title="检查人员", min_length=1, max_length=20)
    what: Listing = Field(title="列入还是移出")

    @classmethod
    def there(cls, session: Session, today: date) -> Table | None:
        return register_table(session, today)

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        # Who has left is taken off by the number alone.
        listed = session.scalars(select(Inspector).where(Inspector.active))
        return {"inspector": {each.staff_no: f"{each.staff_no}（已离任）" for each in listed} | officers_there(session)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        if self.inspector not in self.choices(session, {})["inspector"]:
            raise InputError.of("inspector", "没有这名工作人员，请重新选择。")
        if self.what is Listing.ON and self.inspector not in officers_there(session):
            raise InputError.of("inspector", "已离任的不能列入，请重新选择。")

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        put_on_register(self.inspector, self.what is Listing.ON, officer)
        where = "列入" if self.what is Listing.ON else "移出"
        return Begun(f"工号{self.inspector}已{where}检查人员名录。")


class DeclareConflict(Start):
    about = About(
        code="conflict",
        named="申报检查回避",
        group=GROUP,
        article="第十七条",
        does="登记检查人员不检查某部门的原因，抽取检查组时自动排除；正在检查的，列为待阅，提醒更换。",
        deployment="inspector-conflict",
        words="抽查 回避 亲属 曾任职",
    )

    inspector: Words = Field(title="检查人员", min_length=1, max_length=20)
    department: DepartmentText = Field(title="回避的部门")
    ties: Ties = Field(title="回避原因")
    until_on: date | None = Field(None, title="回避至（含）", description="申报回避可填；留空为长期")

    @classmethod
    def there(cls, session: Session, today: date) -> Table | None:
        return register_table(session, today)

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        there, listed = officers_there(session), set(session.scalars(select(Inspector.staff_no)))
        return {"inspector": {staff_no: words for staff_no, words in there.items() if staff_no in listed}}

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        return {"department": list(department_names(session).values())}

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        return {"until_on": (today, None)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("inspector"):
            if self.inspector not in self.choices(session, {})["inspector"]:
                raise InputError("不在检查人员名录中，请重新选择，或者先列入名录。")
        with mistakes.beside("department"):
            department_named(session, self.department)
        with mistakes.beside("until_on"):
            if self.until_on is not None and self.ties is not Ties.DECLARED:
                raise InputError("本部门、曾任职的回避没有期限，请不填截止日。")
            if self.until_on is not None and self.until_on < today:
                raise InputError(f"回避截止日{self.until_on}已过，请更正。")
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        declare_conflict(self.inspector, self.department, self.ties, self.until_on, officer)
        until = f"至{self.until_on}" if self.until_on is not None else ""
        return Begun(f"工号{self.inspector}回避“{self.department}”（{self.ties}）{until}。")


class Standing(StrEnum):
    """Whether an item stands on the list of check items."""

    ON = "有效"
    OFF = "停用"


class KeepCheckItem(Start):
    about = About(
        code="check-item",
        named="维护抽查事项",
        group=GROUP,
        article="第十七条",
        does="在抽查事项清单中增加、修改或停用一项；已发起的抽查仍按发起时的清单检查。",
        deployment="check-item-list",
        words="抽查 事项清单 检查方法",
        leads=frozenset({"item_code"}),
    )

    item_code: Words = Field(
        title="事项编码", description="如SC-09；已有的编码即修改", pattern=r"^[A-Za-z]{2}-[0-9]{2,4}$"
    )
    title: Words = Field(title="抽查事项", min_length=4, max_length=60)
    how: Words = Field(title="检查方法", min_length=4, max_length=200)
    kinds: list[ObjectKind] = Field(title="适用对象", min_length=1)
    fault: Fault = Field(title="不合格时认定的问题")
    standing: Standing = Field(title="有效还是停用")

    @classmethod
    def there(cls, session: Session, today: date) -> Table | None:
        return items_table(session)

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        return {"item_code": list(session.scalars(select(CheckItem.code).order_by(CheckItem.code)))}

    @classmethod
    def known(cls, session: Session, typed: Typed) -> Typed:
        """What stands on the list under the code."""
        item = session.get(CheckItem, typed.get("item_code", "").strip().upper())
        if item is None or any(typed.get(name, "").strip() for name in ("title", "how")):
            return {}
        said = {"title": item.title, "how": item.how, "fault": str(FAULT_OF[item.rule])}
        said |= {f"kinds-{place}": str(kind) for place, kind in enumerate(ObjectKind) if kind in item.kinds}
        return said | {"standing": str(Standing.ON if item.active else Standing.OFF)}

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        kept = self.standing is Standing.ON
        keep_check_item(self.item_code, self.title, self.fault, self.how, tuple(self.kinds), kept, officer)
        return Begun(f"抽查事项{self.item_code.upper()}“{self.title}”现为{self.standing}。")
