"""A proposal for the use list (Article 9)."""

from flows.asking import ask
from flows.story import story
from tasks.use_list_questions import UseListReview
from tasks.use_list_reviews import carry_out_review


@story("用证清单")
def use_list_proposal(case_no: str) -> None:
    """第九条：电子证照使用部门应细化应用场景，依据职能在用证清单范围内使用电子证照。用证清单实行动态管理，由使用部门及时提供，
    由综合管理单位审核维护。

    Args:
        case_no: 办件编号，如 QD-2026-000001；部门提出后自动发起，通常无需手工填写
    """
    ask(case_no, UseListReview)
    carry_out_review(case_no)
