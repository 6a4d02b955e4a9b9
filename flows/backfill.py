"""The backfill of paper certificates (Article 11): one, and a file of them."""

from itertools import count

from flows.asking import ask
from flows.story import story
from regulation.backfill.review import Verdict
from tasks.backfill.batches import check_chunk, chunks_to_check, draw_sample, judge_sample, register_batch, send_back
from tasks.backfill.questions import BackfillCorrection, BackfillReview, BatchSampleReview, ScanAttached
from tasks.backfill.steps import (
    has_scan,
    put_in_register,
    refuse_backfill,
    return_for_correction,
    take_correction,
)
from tasks.desk.runs import show_case


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


@story("批量补录")
def paper_backfill_batch(case_no: str) -> None:
    """第十一条：老版纸质证照应当在办理相关业务时予以信息补录，完成证照电子化。

    Args:
        case_no: 办件编号，如 PL-2026-000001；报送批次后自动发起，通常无需手工填写
    """
    show_case(case_no)
    for chunk in chunks_to_check(case_no):
        check_chunk(case_no, chunk)
    if draw_sample(case_no):
        ask(case_no, BatchSampleReview)
        if judge_sample(case_no):
            register_batch(case_no)
        else:
            send_back(case_no)
