"""Everything that staff start at the desk, once, in the order of its page."""

from tasks.backfill.starts import EnterPaper
from tasks.case.starts import ChangeLeave, GiveCase, NameApprover, PublishYear, TakeLeave
from tasks.guides.starts import EndException, EnterException
from tasks.liaisons.starts import FileLiaison
from tasks.objections.starts import ChangeContact, EnterComment, RegisterObjection
from tasks.rule_revisions.starts import ListRule
from tasks.spot_checks.starts import DeclareConflict, KeepCheckItem, KeepInspector, OpenRound
from tasks.supervision.starts import EnterVisit
from tasks.system_reviews.starts import ReportGoLive, SubmitSystem

STARTS = {
    start.about.code: start
    for start in (
        RegisterObjection,
        EnterComment,
        ChangeContact,
        EnterPaper,
        EnterException,
        EndException,
        FileLiaison,
        ListRule,
        SubmitSystem,
        ReportGoLive,
        EnterVisit,
        OpenRound,
        KeepInspector,
        DeclareConflict,
        KeepCheckItem,
        GiveCase,
        TakeLeave,
        ChangeLeave,
        NameApprover,
        PublishYear,
    )
}
"""Every start by its code."""
