"""Objections that were handed in together (Article 12), from the table to the requests at the bureaus."""

from itertools import count

from flows.asking import ask
from flows.story import story
from tasks.case_runs import give_runs, show_case
from tasks.objection_batch_questions import BatchLetterPosted, BatchReview
from tasks.objection_batches import (
    accept_some,
    chunks_to_register,
    close_batch,
    deliver_some,
    judge_batch,
    prepare_letters,
    record_letters,
    register_chunk,
    still_to_deliver,
    sum_up,
)


@story("批量异议")
def objection_batch(case_no: str) -> None:
    """第十二条：对电子证照信息准确性、完整性、时效性有异议的，有权提出核查申请；综合管理单位在收到后5个工作日内向省、市大数据局
    提出核实需求。一次报送的多件异议一并登记、一并初审、一并提出核实需求。

    Args:
        case_no: 办件编号，如 YP-2026-000001；报送批次后自动发起，通常无需手工填写
    """
    show_case(case_no)
    for chunk in chunks_to_register(case_no):
        register_chunk(case_no, chunk)
    together = sum_up(case_no)
    give_runs(case_no)
    if together:
        ask(case_no, BatchReview)
        accepted = judge_batch(case_no)
        give_runs(case_no)
        if accepted:
            request(case_no)
            close_batch(case_no)


def request(case_no: str) -> None:
    """Accept together and ask the bureaus: through their gateways, and with one letter to each that has none."""
    for part in count(1):
        if not accept_some(case_no, part):
            break
    for part in count(1):
        deliver_some(case_no)
        if not still_to_deliver(case_no, part):
            break
    parts = count(1)
    for turn, _ in enumerate(prepare_letters(case_no), 1):
        ask(case_no, BatchLetterPosted, turn)
        while record_letters(case_no, next(parts)):
            pass
