"""Random spot checks (随机抽查, Article 17): a round, its start by schedule or form, the registers it draws from."""

from datetime import date
from itertools import count

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run
from pydantic import Field

from flows.asking import SignOff, ask, until_accepted
from flows.story import story
from models.spot_checks import Ties
from regulation.spot_checks import Fault, ObjectKind
from runtime import clock
from runtime.words import Words
from tasks.case.notices import kick
from tasks.desk.runs import forget_parameters, nudge, show_case
from tasks.office.departments import DepartmentText
from tasks.spot_checks.inspectors import declare_conflict, items_table, keep_check_item, put_on_register, register_table
from tasks.spot_checks.questions import SpotCheckPublication, SpotCheckResults, Waiting
from tasks.spot_checks.steps import (
    assign_inspectors,
    draw_objects,
    note_results,
    open_quarterly_round,
    open_round_for_officer,
    publish_commitment,
    publish_results,
    remind_inspectors,
    replace_inspector,
)


@story("随机抽查")
def spot_check(case_no: str) -> None:
    """第十七条：综合管理单位应当通过随机抽查……等方式对电子证照使用部门的电子证照管理工作进行日常监督，发现问题的，及时督促整改。

    先公布承诺值，再抽取；检查组登记结果，一人登记、一人确认；不合格的转督促整改，结果和抽取过程一并公布。

    Args:
        case_no: 办件编号，如 CC-2026-000001；发起抽查后自动运行，通常无需手工填写
    """
    publish_commitment(case_no)
    show_case(case_no)
    draw_objects(case_no)
    assign_inspectors(case_no)
    for turn in count(1):
        if Waiting(ask(case_no, SpotCheckResults, turn)["kind"]) is not Waiting.REPLACE:
            break
        replace_inspector(case_no, turn)
    for rectification in note_results(case_no, turn):
        nudge(rectification)
    ask(case_no, SpotCheckPublication)
    publish_results(case_no)


@flow(name="抽查日程", persist_result=False)
def spot_check_schedule() -> str:
    """每季度第一个工作日09:00发起一轮随机抽查（错过的在下一个工作日补上）。工作日提醒临近期限和逾期未登记、未确认结果的检查人员。"""
    now = clock.now()
    opened = open_quarterly_round(now)
    if opened is not None:
        nudge(opened)
    reminded = remind_inspectors(now)
    kick()
    return f"{f'发起抽查{opened}' if opened else '没有新的一轮抽查'}，提醒检查人员{reminded}人次"


class SpotCheckStart(SignOff):
    """The start form of a round that staff ask for."""

    title: Words = Field(title="抽查名称", description="如：餐饮许可用证专项抽查", min_length=2, max_length=60)
    period_from: date = Field(title="期间开始日")
    period_until: date = Field(title="期间结束日（含）", description="须早于今天")
    percent: int = Field(5, title="抽查比例（%）", description="不低于5", ge=1, le=100)


@flow(name="发起抽查", persist_result=False)
def spot_check_start(start: SpotCheckStart) -> str:
    """第十七条：在季度抽查之外，按需发起一轮随机抽查。对象和检查人员都由系统随机抽取，不能指定。

    Args:
        start: 抽查
    """
    key = f"form:{flow_run.id}"
    case_no = until_accepted(
        start,
        lambda form, by: open_round_for_officer(key, form.title, form.period_from, form.period_until, form.percent, by),
    )
    forget_parameters(case_no=case_no)
    nudge(case_no)
    return case_no


class InspectorEntry(SignOff):
    """The start form of the register of inspectors."""

    inspector: Words = Field(title="检查人员", description="工号或姓名", min_length=1, max_length=20)
    active: bool = Field(True, title="在册", description="关闭即从名录中停用，已抽中的检查组不受影响")


@flow(name="维护检查人员名录", persist_result=False)
def inspector_register(entry: InspectorEntry) -> None:
    """第十七条：把工作人员列入或移出随机抽查的检查人员名录；回避另以“申报检查回避”登记。

    Args:
        entry: 检查人员
    """
    until_accepted(entry, lambda form, by: put_on_register(form.inspector, form.active, by))
    forget_parameters()
    _show_register()


class ConflictEntry(SignOff):
    """The start form of a conflict of interest."""

    inspector: Words = Field(title="检查人员", description="工号或姓名", min_length=1, max_length=20)
    department: DepartmentText = Field(title="回避的部门")
    ties: Ties = Field(title="回避原因")
    until_on: date | None = Field(None, title="回避至（含）", description="申报回避可填；留空为长期")


@flow(name="申报检查回避", persist_result=False)
def inspector_conflict(conflict: ConflictEntry) -> None:
    """第十七条：登记检查人员不检查某部门的原因（本部门、曾任职、申报回避），抽取检查组时自动排除。

    Args:
        conflict: 回避
    """
    until_accepted(
        conflict,
        lambda form, by: declare_conflict(form.inspector, form.department, form.ties, form.until_on, by),
    )
    forget_parameters()
    _show_register()


def _show_register() -> None:
    text = f"## 检查人员名录\n\n{register_table()}"
    create_markdown_artifact(text, key="inspectors", description="检查人员名录")


class CheckItemEntry(SignOff):
    """The start form of the list of check items."""

    item_code: Words = Field(
        title="事项编码", description="如SC-09；已有的编码即修改", pattern=r"^[A-Za-z]{2}-[0-9]{2,4}$"
    )
    title: Words = Field(title="抽查事项", min_length=4, max_length=60)
    how: Words = Field(title="检查方法", min_length=4, max_length=200)
    kinds: list[ObjectKind] = Field(title="适用对象", min_length=1)
    fault: Fault = Field(title="不合格时认定的问题")
    active: bool = Field(True, title="有效", description="关闭即从清单中停用")


@flow(name="维护抽查事项", persist_result=False)
def check_item_list(item: CheckItemEntry) -> None:
    """第十七条：维护抽查事项清单；已发起的抽查仍按发起时的清单检查。

    Args:
        item: 抽查事项
    """
    until_accepted(
        item,
        lambda form, by: keep_check_item(
            form.item_code,
            form.title,
            form.fault,
            form.how,
            tuple(form.kinds),
            form.active,
            by,
        ),
    )
    create_markdown_artifact(f"## 抽查事项清单\n\n{items_table()}", key="check-items", description="抽查事项清单")
