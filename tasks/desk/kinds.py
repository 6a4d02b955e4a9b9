"""Every kind of case, once: whoever handles cases of all kinds alike looks here."""

from tasks.backfill.batch_kind import BATCH
from tasks.backfill.kind import BACKFILL
from tasks.liaisons.kind import LIAISON
from tasks.objections.batch_kind import OBJECTION_BATCH
from tasks.objections.kind import OBJECTION
from tasks.rectifications.kind import RECTIFICATION
from tasks.rule_revisions.kind import RULE_REVISION
from tasks.spot_checks.kind import SPOT_CHECK
from tasks.supervision.paper_report_kind import PAPER_REPORT
from tasks.system_reviews.kind import SYSTEM_REVIEW
from tasks.use_list.kind import USE_LIST

KINDS = {
    kind.code: kind
    for kind in (
        OBJECTION,
        USE_LIST,
        LIAISON,
        BACKFILL,
        BATCH,
        RECTIFICATION,
        RULE_REVISION,
        SPOT_CHECK,
        SYSTEM_REVIEW,
        PAPER_REPORT,
        OBJECTION_BATCH,
    )
}
QUESTIONS = {question.question: question for kind in KINDS.values() for question in kind.questions}
"""Every question that a run suspends on, by its name."""
CASE_LIMITS = {limit.code: limit for kind in KINDS.values() for limit in kind.limits}
"""Limits that stand on a case as a deadline, by code."""


def second_eyes() -> list[tuple[str, str, str]]:
    """What one person does not decide alone: kind of case, step, and who else has to look."""
    return [
        (kind.code.label, question.called(), question.second)
        for kind in KINDS.values()
        for question in kind.questions
        if question.second
    ]
