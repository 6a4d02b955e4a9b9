"""The filing of a liaison officer, by a department or on paper (Article 13)."""

from flows.asking import ask
from flows.story import story
from regulation.liaisons import Verdict
from tasks.liaisons.questions import LiaisonConfirmation
from tasks.liaisons.steps import put_on_file, return_filing


@story("专人备案")
def liaison_filing(case_no: str) -> None:
    """第十三条：电子证照使用部门应当结合本单位实际，指定专人负责电子证照管理工作，并向综合管理单位备案。

    Args:
        case_no: 办件编号，如 ZR-2026-000001；收到备案后自动发起，通常无需手工填写
    """
    if Verdict(ask(case_no, LiaisonConfirmation)["verdict"]) is Verdict.CONFIRM:
        put_on_file(case_no)
    else:
        return_filing(case_no)
