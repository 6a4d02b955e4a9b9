"""What people are told, one class a notice. Names come in masked; there is no field for a number of a person.

A class is rendered by the templates in the folder of its name: ``ObjectionClosed`` by ``templates/objection-closed/``.
"""

import re
import unicodedata
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

_TEXT_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """``text`` on one line, without control characters and without marks that turn the reading direction.

    Much of a notice was typed by somebody; it may neither start a header or a paragraph of its own nor hide.

    >>> one_line(" 张*丰\\r\\nBcc: a@example.com ")
    '张*丰 Bcc: a@example.com'
    """
    kept = (" " if unicodedata.category(c) == "Cc" else c for c in text if c not in _TEXT_DIRECTIONS)
    return " ".join("".join(kept).split())


Line = Annotated[str, AfterValidator(one_line)]
"""A value that stays on one line whatever came in."""


class _Value(BaseModel):
    # A row that an older version queued may hold fields that are gone: they are ignored, and the notice still leaves.
    model_config = ConfigDict(frozen=True)


class DayLine(_Value):
    """One day of a due date's account: whether it counted, and why or why not."""

    date: date
    counts: bool
    why: Line


class DeadlineLine(_Value):
    """A running time limit in a list; ``left`` is what is left of it, in words."""

    case_no: Line
    limit: Line
    due_on: date
    left: str
    statutory: bool
    officer_no: Line


class Notice(_Value):
    """A notice that knows its templates."""

    @classmethod
    def template(cls) -> str:
        """The folder of the templates.

        >>> ObjectionClosed.template()
        'objection-closed'
        """
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class ToUnconfirmed(Notice):
    """A notice to an address that whoever hands something in types, and that need not be theirs.

    Strangers could otherwise have the Center send their words, with a link of their own among them, to anybody. So it
    holds nothing that was typed beside the address, no name either: fixed text, numbers, days, our links, what staff
    wrote, and names that our registers have. The addresses of all other notices were confirmed or vouched for:
    officers', the Center's own, liaison officers that staff put on file, offices' from the register of departments,
    and those that a department or a bureau gives in a signed call about what is its own (its projects, its lists, the
    paper that a second officer compared).
    """


class ToMailbox(ToUnconfirmed):
    """About the mailbox itself: that it does not arrive is nobody's to see to."""


class ToObjector(ToUnconfirmed):
    """What every notice to an objector names; ``certificate`` is the type as the catalogue has it."""

    case_no: Line
    certificate: Line
    link: Line
    acting: Line = ""
    """In which capacity they act for somebody else; empty where they do for themselves."""


class ObjectionToConfirm(ToMailbox):
    """Whoever filled in an objection on the page without signing in shows with ``link`` that the address is theirs.
    ``certificate``: the type as the catalogue has it, empty for any other."""

    certificate: Line
    until: date
    link: str


class ObjectionRegistered(ToObjector):
    """The acknowledgement: when the verification request is due (Article 12), and how that date was counted."""

    field: Line
    received_on: date
    due_on: date
    provisional: bool
    explanation: list[DayLine]
    late: bool = False
    """Whether that day had passed when this was written."""


class ObjectionJoined(ToObjector):
    """The objection is handled together with an earlier one about the same item (并案), of which nothing is said."""

    field: Line


class RowLine(_Value):
    """A row of a table that was handed back, and what is wrong with it."""

    row: int
    what: Line


class ObjectionBatchRegistered(Notice):
    """What came of a table of objections, for whoever handed it in; ``more`` rows were handed back than are listed."""

    recipient: Line
    case_no: Line
    received_on: date
    rows: int
    registered: int
    joined: int
    same: int
    wrong: list[RowLine]
    more: int


class ObjectionReleased(ToObjector):
    """The objection goes on by itself, because the one it was joined to ended early: what became of that is nobody
    else's to know."""


class SupplementRequested(ToObjector):
    """Something is missing: what, and until when it can be added."""

    what: str
    due_on: date
    provisional: bool
    days: int = 0
    """Working days that they have for it, which a letter on paper says: nobody knows when it arrives."""


class ObjectionAccepted(ToObjector):
    """The objection is taken up; ``due_on`` is still the verification request's (Article 12), which may have passed
    (``late``)."""

    field: Line
    due_on: date
    provisional: bool
    late: bool = False


class ObjectionDeclined(ToObjector):
    """The objection is not taken up: why, and what the objector can do about it."""

    reason: str


class ObjectionAnswered(ToObjector):
    """The same was decided before and nothing new is stated: the outcome, its reasons, and what the objector can do.
    ``adopted`` and ``ours`` as in ``ObjectionClosed``."""

    field: Line
    outcome: Line
    decided_on: date
    reason: str
    adopted: bool | None = None
    ours: bool = False


class VerificationSent(ToObjector):
    """The verification request has gone out to a superior bureau (Article 12)."""

    bureau: Line
    sent_on: date


class ObjectionClosed(ToObjector):
    """The outcome with its reasons (Article 12), and what the objector can do who does not agree.

    ``corrected`` says that the data were wrong, ``new_version`` that the district's register has the right ones; where
    it has not, the source of the data corrects them. ``synced``: the source was right, and the district's register has
    taken over what it says. ``pending``: the certificate was changed by something else since the decision, so that a
    person looks into it first. ``adopted``: whether what was found right is what this objector claimed; what it is
    stands in no mail. ``ours``: the Center found it, and the bureau something else.
    """

    field: Line
    outcome: Line
    reason: str
    corrected: bool
    new_version: bool
    synced: bool = False
    pending: bool = False
    adopted: bool | None = None
    ours: bool = False


class ObjectionWithdrawn(ToObjector):
    """The objector took the objection back."""


class ContactToConfirm(ToMailbox):
    """An objector wants to be written to here from now on, and shows with ``code`` (eight digits) that the address is
    theirs."""

    case_no: Line
    certificate: Line
    code: Line


class ContactChanged(ToObjector):
    """From now on an objector is written to here."""


class LettersStop(ToMailbox):
    """Nothing about the case is sent here any more: the address was changed, or whoever reads it acts for nobody; or,
    some time after that, who is written to now took it back (``withdrawn``)."""

    case_no: Line
    certificate: Line
    withdrawn: bool = False


class ToHolder(Notice):
    """A letter to a holder to whose certificate somebody else objected, of whom nothing is said unless it is a
    department (``by``). ``holder_no`` is which of the case's holders, ``recipient`` their masked name."""

    case_no: Line
    holder_no: int
    recipient: Line
    certificate: Line
    field: Line


class CertificateDisputed(ToHolder):
    """Somebody's objection was accepted: what about, and that the holder can comment within ``days`` working days."""

    by: Line
    claims: Line = ""
    """Who whoever objects says they are, in the holder's name: 本人, or as what they act for them."""
    accepted_on: date
    days: int


class DisputeEnded(ToHolder):
    """How it ended, and the reason that was given to whoever objected. ``changed``: the register says something else
    now; ``pending``: it is to, but the source has to change it first, or staff have to look into it."""

    outcome: Line
    changed: bool
    reason: str
    pending: bool = False


class WrongValueUsed(Notice):
    """To a department: a value it has used was wrong and is corrected now; in which of its own business cases, and
    until when it is asked what it did about it."""

    case_no: Line
    department: Line
    certificate: Line
    field: Line
    business_nos: list[Line]
    more: bool
    due_on: date
    link: Line


class BackfillReturned(Notice):
    """To a department: a paper certificate was not backfilled as it was entered, and why. It can be corrected until
    ``due_on``, or the refusal is ``final``."""

    recipient: Line
    case_no: Line
    certificate: Line
    service_case_no: Line
    reason: str
    final: bool
    due_on: date | None


class CertificateBackfilled(Notice):
    """To a holder: a paper certificate is electronic now, and how to object if something on it is wrong."""

    case_no: Line
    holder: Line
    certificate: Line
    number: Line
    department: Line
    done_on: date
    link: Line


class BackfillBatchDecided(Notice):
    """To a department: what came of a file of paper certificates, by rows, and how the others are mended.

    ``checked`` rows were compared with their paper; the batch is sent back when more than ``accept`` were wrong.
    """

    recipient: Line
    case_no: Line
    certificate: Line
    service_case_no: Line
    result: Line
    sent_back: bool
    rows: int
    registered: int
    same: int
    conflict: int
    bad: int
    checked: int
    accept: int
    wrong: list[int]


class ToOfficer(Notice):
    """What the Center writes to its own staff: none of it is posted, nor told to anybody else."""


class CaseAssigned(ToOfficer):
    """To an officer: a case is theirs now, with why (new, handed over, substitution)."""

    case_no: Line
    officer: Line
    kind: Line
    stage: Line
    due_on: date
    why: Line
    desk: Line


class ApprovalAsked(ToOfficer):
    """To whoever may approve what others draft, once a day: the first draft of it that waits. To a director where
    ``nobody`` may approve one."""

    officer: Line
    case_no: Line
    kind: Line
    due_on: date
    nobody: bool
    desk: Line


class CasesHandedOver(ToOfficer):
    """To an officer: many cases are theirs now, for one reason; ``more`` are not listed."""

    case_nos: list[Line]
    more: int
    officer: Line
    by_no: Line
    due_on: date
    """The earliest of theirs."""
    why: Line
    desk: Line


class LeaveFiled(ToOfficer):
    """To who acts for somebody on leave, and to who is away where another one filed it: the days, or that they were
    ``taken_back``."""

    officer: Line
    away: Line
    acts: Line
    from_on: date
    until_on: date
    taken_back: bool
    by_no: Line
    desk: Line


class CodesGuessed(ToOfficer):
    """To an officer: wrong codes were given for their staff number, so many since an instant, which may have been
    somebody else. The number itself is not said: whoever reads the letter need not learn it."""

    officer: Line
    times: int
    since: Line
    desk: Line


class DeadlinesNear(ToOfficer):
    """To an officer, once a day: the limits that end soon; ``more`` are not listed."""

    officer: Line
    day: date
    lines: list[DeadlineLine]
    more: int
    desk: Line


class DeadlinesMissed(ToOfficer):
    """To the director, once a day: the limits that have passed; ``more`` are not listed."""

    director: Line
    day: date
    lines: list[DeadlineLine]
    more: int
    desk: Line


class ToDepartment(Notice):
    """What every notice to a department names: ``recipient`` is its office or, masked, its liaison officer."""

    recipient: Line
    department: Line


class SourceAsked(ToDepartment):
    """An objection is about a record that the department keeps or brought in: what does it say (Article 12)?"""

    case_no: Line
    certificate: Line
    field: Line
    due_on: date
    link: str


class LiaisonOnFile(ToDepartment):
    """A liaison officer is on file (Article 13); ``replaced`` (empty: nobody) stays there until ``until_on``."""

    case_no: Line
    liaison: Line
    from_on: date
    replaced: Line
    until_on: date | None


class LiaisonOffFile(ToDepartment):
    """A liaison officer goes off the file; ``until_on`` is the last day."""

    case_no: Line
    liaison: Line
    until_on: date


class LiaisonReturned(ToDepartment):
    """A filing is sent back: why, and so what to change."""

    case_no: Line
    kind: Line
    liaison: Line
    reason: str


class LiaisonMissing(ToDepartment):
    """A department has nobody on file (Article 13)."""

    day: date


class EntryLine(_Value):
    """An entry of the use list in a list; ``what`` says what happens to it or is asked about it."""

    line: int
    item: Line
    certificate: Line
    scenario: Line
    what: Line


class UseListDecided(ToDepartment):
    """A proposal was reviewed (Article 9): what was taken over and from when, what was not and why. ``more`` lines are
    not listed."""

    case_no: Line
    verdict: Line
    taken: list[EntryLine]
    refused: list[EntryLine]
    more: int
    reason: str


class UseListEnquired(ToDepartment):
    """A department is asked whether entries are still needed (Article 9); ``more`` are not listed."""

    lines: list[EntryLine]
    more: int
    due_on: date
    provisional: bool
    link: Line


class SupervisionReported(Notice):
    """The report of a period is out (Article 17): its main figures, each a line, and where it stands."""

    recipient: Line
    period: Line
    summary: list[Line]
    link: Line


class ToMend(ToDepartment):
    """What every notice about a rectification (Article 17) names; ``problem`` is the finding's rule in words."""

    case_no: Line
    problem: Line
    article: int
    link: Line


class RectificationOrdered(ToMend):
    """A department is told to mend what was found, until when and how that date was counted. ``earlier_case`` (empty:
    none) is the case of the same finding before, first seen on ``earlier_on``."""

    facts: str
    severity: Line
    requirement: str
    first_on: date
    times: int
    earlier_case: Line
    earlier_on: date | None
    due_on: date
    provisional: bool
    explanation: list[DayLine]


class RectificationDue(ToMend):
    """A department's limit ends soon and it has not answered."""

    due_on: date
    provisional: bool


class RectificationReturned(ToMend):
    """Not mended: why, and until when once more. The next failure brings it to the government's list."""

    reason: str
    due_on: date
    provisional: bool
    explanation: list[DayLine]


class ExtensionDecided(ToMend):
    """An extension was granted or refused; ``due_on`` is what holds now."""

    granted: bool
    reason: str
    due_on: date
    provisional: bool


class RectificationEscalated(ToMend):
    """To the department and to the director: after repeated failure it goes to the district government's list."""

    reason: str
    failures: int


class RectificationClosed(ToMend):
    """A rectification has ended: mended, or handed over to the government's own supervision."""

    outcome: Line
    reason: str


class ToRevise(ToDepartment):
    """What every notice about an internal rule that stands in the way (Article 16) names; ``article`` is the one of the
    measures that it stands in the way of."""

    case_no: Line
    document: Line
    clause: Line
    article: int
    link: Line


class RuleRevisionTracked(ToRevise):
    """What was listed is confirmed and followed until ``due_on``."""

    due_on: date
    provisional: bool


class GapLine(_Value):
    """What a plan does not say though an article asks for it, and what to write."""

    article: int
    what: Line
    write: Line


class ToProject(ToDepartment):
    """What every notice about a new system's review (Article 17) names."""

    case_no: Line
    project: Line


class SystemReviewRegistered(ToProject):
    """A submission has come in; first it is decided whether it is reviewed at all."""

    version: int
    received_on: date
    due_on: date
    provisional: bool


class RuleRevisionReturned(ToRevise):
    """What was listed (``final``), or reported as revised, is sent back: why, and until when to revise it then."""

    reason: str
    final: bool
    due_on: date | None
    provisional: bool


class RuleRevisionDue(ToRevise):
    """The planned day is near, or has passed (``overdue``), and nothing was reported."""

    due_on: date
    provisional: bool
    overdue: bool


class RuleRevisionClosed(ToRevise):
    """The rule was revised."""

    document_no: Line
    in_force_on: date


class ToInspector(ToOfficer):
    """What every notice to an inspector of a random spot check names."""

    officer: Line
    case_no: Line
    department: Line
    due_on: date
    link: Line


class SpotCheckAssigned(ToInspector):
    """An inspector was drawn to check a department (Article 17), with how many objects."""

    objects: int


class SpotCheckToConfirm(ToInspector):
    """A colleague entered the results of a spot check, which wait to be confirmed."""

    entered_by: Line


class SpotCheckLate(ToInspector):
    """The results of a spot check are due soon or late; ``left`` says how soon or how late."""

    stage: Line
    left: str


class SystemOutside(ToProject):
    """The project is none of those that Article 17 is about."""

    reason: Line


class SystemNotReviewed(ToProject):
    """The project is not reviewed (不予评审), which is not failing: what its plan does not say, article by article."""

    gaps: list[GapLine]


class SystemMaterialRequested(ToProject):
    """Reviewers need more: what, and until when."""

    what: str
    due_on: date
    provisional: bool


class SystemReviewPassed(ToProject):
    """The review is passed: its reference, where it is verified, and what is to be proposed for the use list; ``more``
    lines are not listed."""

    reference: Line
    go_live_on: date
    promised: list[EntryLine]
    more: int
    use_list: Line
    verification: Line


class SystemReviewFailed(ToProject):
    """The project was reviewed and failed (评审不通过): why."""

    reason: str


class GoLiveNear(ToProject):
    """A system goes live soon: what it promised and is not on the use list yet; ``more`` lines are not listed."""

    go_live_on: date
    missing: list[EntryLine]
    more: int


class _AboutReport(ToUnconfirmed):
    """What was reported: what the counter demanded."""

    case_no: Line
    department: Line
    # Those that were queued by an earlier version do not say it.
    demand: Line = "索要纸质证照"


class PaperReportReceived(_AboutReport):
    """A citizen's report of a counter was received; ``article`` (8, 10 or 11) is what the demand breaks, ``due_on`` our
    own limit."""

    article: int = 8
    received_on: date
    due_on: date
    provisional: bool


class PaperReportHandled(_AboutReport):
    """What came of a citizen's report: whether it was ``confirmed``, and how that was found out."""

    confirmed: bool
    reason: str


NOTICES: dict[str, type[Notice]] = {
    notice.template(): notice
    for notice in (
        ObjectionToConfirm,
        ObjectionRegistered,
        ObjectionJoined,
        ObjectionBatchRegistered,
        ObjectionReleased,
        SupplementRequested,
        ObjectionAccepted,
        ObjectionDeclined,
        ObjectionAnswered,
        VerificationSent,
        ObjectionClosed,
        ObjectionWithdrawn,
        ContactToConfirm,
        ContactChanged,
        LettersStop,
        CertificateDisputed,
        DisputeEnded,
        WrongValueUsed,
        SourceAsked,
        BackfillReturned,
        CertificateBackfilled,
        BackfillBatchDecided,
        ApprovalAsked,
        CaseAssigned,
        CasesHandedOver,
        LeaveFiled,
        CodesGuessed,
        DeadlinesNear,
        DeadlinesMissed,
        LiaisonOnFile,
        LiaisonOffFile,
        LiaisonReturned,
        LiaisonMissing,
        UseListDecided,
        UseListEnquired,
        SupervisionReported,
        RectificationOrdered,
        RectificationDue,
        RectificationReturned,
        ExtensionDecided,
        RectificationEscalated,
        RectificationClosed,
        RuleRevisionTracked,
        RuleRevisionReturned,
        RuleRevisionDue,
        RuleRevisionClosed,
        SpotCheckAssigned,
        SpotCheckToConfirm,
        SpotCheckLate,
        SystemReviewRegistered,
        SystemOutside,
        SystemNotReviewed,
        SystemMaterialRequested,
        SystemReviewPassed,
        SystemReviewFailed,
        GoLiveNear,
        PaperReportReceived,
        PaperReportHandled,
    )
}
"""Every notice by the folder of its templates, which is what the outbox stores."""
