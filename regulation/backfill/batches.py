"""Batches of paper certificates (批量补录): what becomes of each row, and of the batch after its sample was checked.

第十一条：老版纸质证照应当在办理相关业务时予以信息补录，完成证照电子化。
"""

from collections.abc import Collection, Iterable
from enum import StrEnum

from regulation.backfill.problems import Problem, ProblemCode, Severity
from regulation.stages import Stages
from regulation.use_lists import LineNumbersError, line_numbers


class Outcome(StrEnum):
    """What becomes of a row."""

    GOOD = "good"
    SAME = "same"
    """Said already, by the register or by a row before: left out, and nothing needs mending."""
    CONFLICT = "conflict"
    """Says something else than the register or another row: for a person to decide."""
    BAD = "bad"


CONFLICTS = frozenset(
    {
        ProblemCode.CONFLICT,
        ProblemCode.REGISTER_DIFFERS,
        ProblemCode.PAPER_NEWER,
        ProblemCode.REGISTER_NEWER,
    }
)
SAME = frozenset({ProblemCode.DUPLICATE, ProblemCode.REGISTERED})


def outcome(problems: Iterable[Problem]) -> Outcome:
    """What becomes of a row with these problems: the worst of them decides.

    >>> outcome([Problem("number", ProblemCode.DUPLICATE)]), outcome([Problem("number", ProblemCode.CONFLICT)])
    (<Outcome.SAME: 'same'>, <Outcome.CONFLICT: 'conflict'>)
    >>> outcome([Problem("issued_on", ProblemCode.MISSING), Problem("sex", ProblemCode.BLANK)])
    <Outcome.BAD: 'bad'>
    """
    found = Outcome.GOOD
    for problem in problems:
        if problem.code in CONFLICTS:
            found = Outcome.CONFLICT
        elif problem.severity is Severity.ERROR:
            return Outcome.BAD
        elif problem.code in SAME and found is Outcome.GOOD:
            found = Outcome.SAME
    return found


class BatchStage(StrEnum):
    """Where a batch stands. The values are what people read."""

    CHECKING = "核对中"
    SAMPLED = "待抽检"
    REGISTERED = "已入库"
    SENT_BACK = "整批退回"
    NOTHING_NEW = "无可入库的行"


BATCH_STAGES = Stages(
    "批次",
    {
        BatchStage.CHECKING: {BatchStage.SAMPLED, BatchStage.NOTHING_NEW},
        BatchStage.SAMPLED: {BatchStage.REGISTERED, BatchStage.SENT_BACK},
    },
)


NONE_WRONG = "无"


def wrong_rows(text: str, sample: Collection[int]) -> list[int]:
    """The rows that a reviewer found wrong, of those that were drawn. ``LineNumbersError`` for rows that were not, and
    for a text that names none and does not say so: silence is no finding.

    >>> wrong_rows("12、40-41", {12, 40, 41, 77}), wrong_rows("无", {12})
    ([12, 40, 41], [])
    """
    if text.strip() == NONE_WRONG:
        return []
    rows = line_numbers(text)
    if not rows:
        raise LineNumbersError(f"请填写不符的行号，全部相符的填“{NONE_WRONG}”。")
    if strangers := [str(row) for row in rows if row not in sample]:
        raise LineNumbersError(f"第{'、'.join(strangers[:20])}行不在抽取的行中，请对照抽取的行更正。")
    return rows
