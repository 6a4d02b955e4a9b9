"""The backfill of a paper certificate (Article 11)."""

from itertools import count

from flows.asking import ask
from flows.story import story
from regulation.backfill_review import Verdict
from tasks.backfill_questions import BackfillCorrection, BackfillReview, ScanAttached
from tasks.backfills import has_scan, put_in_register, refuse_backfill, return_for_correction, take_correction


@story("纸质证照补录")
def paper_backfill(case_no: str) -> None:
    """第十一条：老版纸质证照应当在办理相关业务时予以信息补录，完成证照电子化。

    Args:
        case_no: 办件编号，如 BL-2026-000001；登记补录后自动发起，通常无需手工填写
    """
    if not has_scan(case_no):
        ask(case_no, ScanAttached)
    for turn in count(1):
        verdict = Verdict(ask(case_no, BackfillReview, turn)["verdict"])
        if verdict is not Verdict.RETURN:
            break
        return_for_correction(case_no, turn)
        ask(case_no, BackfillCorrection, turn)
        take_correction(case_no, turn)
    if verdict is Verdict.APPROVE:
        put_in_register(case_no, turn)
    else:
        refuse_backfill(case_no, turn)
