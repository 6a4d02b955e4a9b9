"""The revision of an internal rule that stands in the way, listed by a department or on paper (Article 16)."""

from itertools import count

from flows.asking import ask
from flows.story import story
from regulation.rule_revisions import Stage, Verdict
from tasks.rule_revisions.questions import RevisionCheck, RevisionConfirmation, RevisionReport
from tasks.rule_revisions.steps import carry_out_check, return_listing, take_report, track_revision


@story("制度修订")
def rule_revision(case_no: str) -> None:
    """第十六条：电子证照使用部门应当对本单位现行管理制度和业务流程中与本办法不相适应的条款进行修订，逐步消除电子证照应用障碍。

    Args:
        case_no: 办件编号，如 XD-2026-000001；部门报送后自动发起，通常无需手工填写
    """
    if Verdict(ask(case_no, RevisionConfirmation)["verdict"]) is Verdict.RETURN:
        return_listing(case_no)
    else:
        track_revision(case_no)
        follow_to_revision(case_no)


def follow_to_revision(case_no: str) -> None:
    """Wait for the department's report and check it, again until it proves the revision."""
    for turn in count(1):
        ask(case_no, RevisionReport, turn)
        take_report(case_no, turn)
        ask(case_no, RevisionCheck, turn)
        if Stage(carry_out_check(case_no, turn)) is Stage.REVISED:
            return
