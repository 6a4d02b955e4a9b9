"""The review of a new system (Article 17)."""

from itertools import count

from flows.asking import ask
from flows.story import story
from regulation.system_reviews import Stage, Verdict
from tasks.system_review_questions import MaterialReceived, SystemReviewOpinion
from tasks.system_reviews import fail_review, give_reference, pass_gate, request_material, take_material


@story("系统评审")
def system_review(case_no: str) -> None:
    """第十七条：新建涉及行政许可、备案和公共服务事项的部门信息系统，未明确电子证照签发、使用和共享等建设内容的，综合管理单位不予评审。

    不予评审不是评审不通过：建设内容没有明确的不进入评审，补齐后可以再提交；进入评审的，由经办人评审。

    Args:
        case_no: 办件编号，如 PS-2026-000001；部门提交后自动发起，通常无需手工填写
    """
    if Stage(pass_gate(case_no)) is Stage.IN_REVIEW:
        review(case_no)


def review(case_no: str) -> None:
    """The review by staff, again after each supplement."""
    for turn in count(1):
        verdict = Verdict(ask(case_no, SystemReviewOpinion, turn)["verdict"])
        if verdict is Verdict.PASSED:
            give_reference(case_no, turn)
            return
        if verdict is Verdict.FAILED:
            fail_review(case_no, turn)
            return
        request_material(case_no, turn)
        ask(case_no, MaterialReceived, turn)
        take_material(case_no, turn)
    raise AssertionError("count() has no end")
