"""What an objector is told of their own objection beside its stage (Article 12): what is asked of them and until when,
how it ended and why. Their letters say the same; nothing here is of anybody else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hmac import compare_digest

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.notices import OutgoingNotice
from models.objections import Objection
from notifications.kept import said_in
from notifications.notices import ToObjector
from regulation.limits import SUPPLEMENT
from regulation.objections import Stage
from runtime import clock
from runtime.database import reading
from runtime.keys import keys
from runtime.settings import settings
from tasks.case.answers import accepted_answer, last_accepted_answer
from tasks.case.calendars import working_days
from tasks.case.deadlines import running_deadline
from tasks.objections.questions import InitialReview, OutcomeDecision, SupplementKind, SupplementReceived
from tasks.objections.steps import is_withdrawable, objection_of, standing_of, supplement_asked

TO_OBJECTORS = tuple(each.template() for each in ToObjector.__subclasses__())
LISTED = 50
"""Notices that the page shows, the latest."""
THIS_PAGE = "（就是本页）"


def link_to_look(session: Session, case_no: str) -> str:
    """The address under which an objection can be looked at and nothing else, for its objector's letters: whoever
    prints one can read it."""
    return f"{settings().public_url}/objections/look/{case_no}/{_look(objection_of(session, case_no).token)}"


def may_look(case_no: str, code: str) -> bool:
    """Whether an address that ends so is an objection's."""
    with reading() as session:
        known = session.get(Objection, case_no)
        return known is not None and compare_digest(_look(known.token).encode(), code.encode())


def _look(token: str) -> str:
    return keys().digest("objection-look", token)[:32]


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What an objector is to add. ``days``, in working days, begin after ``asked_on``; ``left`` is what is left of them
    today, in words; ``received``: something has come, and the review goes on."""

    what: str
    asked_on: date
    due_on: date
    days: int
    provisional: bool
    left: str
    received: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How an objection ended: its ``outcome``, none where it was declined, and the reason as it was given to its
    objector."""

    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """A notice as it went to the objector, by whichever way."""

    subject: str
    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Followed:
    """An objection as its objector follows it; ``letters`` are what was written to them, the latest first."""

    asked: AskedFor | None
    ended: Ended | None
    may_withdraw: bool
    letters: tuple[Written, ...]


def followed(case_no: str) -> Followed:
    """What the objector of a case that is known to exist is told now."""
    with reading() as session:
        case, objection = session.get_one(Case, case_no), objection_of(session, case_no)
        # A joined objection is asked, decided and answered in the case that it is handled in.
        handled_in, stage = objection.lead_case_no or case_no, standing_of(session, case)
        return Followed(
            asked=_asked(session, handled_in) if stage is Stage.SUPPLEMENT else None,
            ended=_ended(session, handled_in, stage, objection),
            may_withdraw=is_withdrawable(case, objection),
            letters=tuple(_letters(session, case_no)),
        )


def _letters(session: Session, case_no: str) -> Iterator[Written]:
    wanted = select(OutgoingNotice).where(OutgoingNotice.case_no == case_no, OutgoingNotice.notice.in_(TO_OBJECTORS))
    for notice in session.scalars(wanted.order_by(OutgoingNotice.id.desc()).limit(LISTED)):
        subject, text = said_in(notice, THIS_PAGE, on_page=True)
        yield Written(subject, clock.local_date(notice.queued_at), text)


def _asked(session: Session, case_no: str) -> AskedFor | None:
    turn, _ = supplement_asked(session, case_no)
    deadline = running_deadline(session, case_no, SUPPLEMENT)
    review = accepted_answer(session, case_no, InitialReview.question, turn)
    came = accepted_answer(session, case_no, SupplementReceived.question, turn)
    if deadline is None or review is None:
        return None
    return AskedFor(
        what=review["reason"],
        asked_on=deadline.starts_on,
        due_on=deadline.due_on,
        days=deadline.days,
        provisional=deadline.provisional,
        left=working_days(session).time_left(clock.today(), deadline.due_on),
        # That staff do not wait any longer is nothing that has come.
        received=came is not None and came["kind"] != SupplementKind.NONE,
    )


def _ended(session: Session, case_no: str, stage: Stage, objection: Objection) -> Ended | None:
    if stage not in {Stage.DECLINED, Stage.ANSWERED, Stage.CLOSED}:
        return None
    question = OutcomeDecision.question if stage is Stage.CLOSED else InitialReview.question
    given = last_accepted_answer(session, case_no, question)
    return Ended(objection.outcome or "", given["reason"]) if given is not None else None
