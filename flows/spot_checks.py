"""Random spot checks (随机抽查, Article 17): a round, and its start by schedule."""

from itertools import count

from prefect import flow

from flows.asking import ask
from flows.story import story
from runtime import clock
from tasks.case.notices import kick
from tasks.desk.runs import nudge, show_case
from tasks.spot_checks.questions import SpotCheckPublication, SpotCheckResults, Waiting
from tasks.spot_checks.steps import (
    assign_inspectors,
    draw_objects,
    note_results,
    open_quarterly_round,
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
