"""The rectification of what supervision has found (Article 17)."""

from itertools import count

from flows.asking import ask
from flows.story import story
from regulation.rectifications import Decision, Response, Stage
from tasks.rectifications.questions import (
    DepartmentResponse,
    ExtensionDecision,
    FinalStanding,
    FindingDecision,
    Recheck,
)
from tasks.rectifications.steps import (
    conclude,
    dismiss_finding,
    note_silence,
    order_rectification,
    settle_extension,
    take_extension,
    take_response,
)
from tasks.supervision.rechecks import carry_out_recheck, recheck_by_rule


@story("督促整改")
def rectification(case_no: str) -> None:
    """第十七条：综合管理单位对电子证照使用部门的电子证照管理工作进行日常监督，发现问题的，及时督促整改。

    Args:
        case_no: 办件编号，如 ZG-2026-000001；发现问题后自动发起，通常无需手工填写
    """
    decision = ask(case_no, FindingDecision)["decision"]
    if Decision(decision) is Decision.DISMISS:
        dismiss_finding(case_no)
    else:
        order_rectification(case_no)
        follow_up(case_no)


def follow_up(case_no: str) -> None:
    """Wait for the department round after round, until the finding is mended or on the district government's list."""
    for turn in count(1):
        stage = one_round(case_no, turn)
        if stage is Stage.ESCALATED:
            ask(case_no, FinalStanding)
            conclude(case_no)
        if stage is not Stage.MENDING:
            return


def one_round(case_no: str, turn: int) -> Stage:
    """What the department says or does not say in this turn, and what comes of it."""
    response = Response(ask(case_no, DepartmentResponse, turn)["kind"])
    if response is Response.SILENT:
        return Stage(note_silence(case_no, turn))
    if response is Response.EXTENSION:
        take_extension(case_no, turn)
        ask(case_no, ExtensionDecision, turn)
        return Stage(settle_extension(case_no, turn))
    take_response(case_no, turn)
    stage = recheck_by_rule(case_no, turn)
    if stage is None:
        ask(case_no, Recheck, turn)
        stage = carry_out_recheck(case_no, turn)
    return Stage(stage)
