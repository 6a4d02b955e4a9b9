"""A file of paper certificates (Article 11), from a department's archive to the register."""

from flows.asking import ask
from flows.story import story
from tasks.backfill_batches import check_chunk, draw_sample, judge_sample, register_batch, send_back
from tasks.backfill_progress import chunks_to_check
from tasks.backfill_questions import BatchSampleReview
from tasks.case_runs import show_case


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
