"""Objections that were handed in together (批量异议): where they stand, and what one review may say of them.

第十二条：……有权向综合管理单位提出核查申请。综合管理单位应当在收到异议申请5个工作日内，向省、市大数据局提出数据核实需求。
"""

from collections.abc import Collection
from enum import StrEnum

from regulation.stages import Stages
from regulation.use_lists import LineNumbersError, line_numbers


class BatchStage(StrEnum):
    """Where a batch stands. The values are what people read."""

    REGISTERING = "登记中"
    REVIEW = "待批量初审"
    REQUESTING = "提出核实需求"
    CLOSED = "已分办"
    """What is still to be done is done case by case."""


class BatchVerdict(StrEnum):
    """What one review may say of all objections of which there is nothing to remark. To decline takes a reason for each
    objector, so it is no answer for many."""

    ACCEPT = "一并受理"
    APART = "全部逐件初审"


BATCH_STAGES = Stages(
    "批次",
    {
        BatchStage.REGISTERING: {BatchStage.REVIEW, BatchStage.CLOSED},
        BatchStage.REVIEW: {BatchStage.REQUESTING, BatchStage.CLOSED},
        BatchStage.REQUESTING: {BatchStage.CLOSED},
    },
)


def apart_rows(text: str, reviewed: Collection[int]) -> list[int]:
    """The rows that are to be reviewed by themselves, of those that are reviewed together; none for an empty text.
    ``LineNumbersError`` for a text that names no rows, and for rows that are not reviewed together.

    >>> apart_rows("12、40-41", {12, 40, 41, 77}), apart_rows("", {12})
    ([12, 40, 41], [])
    """
    rows = line_numbers(text)
    if strangers := [str(row) for row in rows if row not in reviewed]:
        raise LineNumbersError(f"第{'、'.join(strangers[:20])}行不在一并初审的行中，请核对行号。")
    return rows
