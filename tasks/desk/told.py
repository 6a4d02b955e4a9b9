"""What was written to people in a case: each notice with when and how it went out, and its text as they read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.notices import Channel, NoticeState, OutgoingNotice
from models.postings import Posting
from notifications.kept import said_in
from notifications.notices import NOTICES, ToOfficer
from notifications.outbox import NO_ADDRESS
from runtime import clock

OF_STAFF = tuple(name for name, kind in NOTICES.items() if issubclass(kind, ToOfficer))
"""What the Center writes to itself."""
LISTED = 50
"""Notices that a page shows, the latest."""


@dataclass(frozen=True, slots=True)
class ToldNotice:
    """A notice as it stands on the page of its case."""

    subject: str
    to: str
    when: str
    how: str
    text: str
    is_late: bool
    """Whether it has not reached anybody and somebody has to see to it."""


def told_in(session: Session, case_nos: list[str]) -> tuple[ToldNotice, ...]:
    """The notices of cases to whoever is none of the staff, the latest first."""
    wanted = select(OutgoingNotice).where(OutgoingNotice.case_no.in_(case_nos), OutgoingNotice.notice.not_in(OF_STAFF))
    some = session.scalars(wanted.order_by(OutgoingNotice.id.desc()).limit(LISTED)).all()
    posted = select(Posting).where(Posting.notice_id.in_([each.id for each in some]), Posting.posted_on.is_not(None))
    by_post = {each.notice_id: each for each in session.scalars(posted)}
    return tuple(_told(each, by_post.get(each.id)) for each in some)


def told_since(session: Session, case_nos: Sequence[str], since: datetime) -> tuple[ToldNotice, ...]:
    """The notices of cases, and of none, that were queued since then, to staff too, in their order."""
    theirs = or_(OutgoingNotice.case_no.in_(case_nos), OutgoingNotice.case_no.is_(None))
    wanted = select(OutgoingNotice).where(theirs, OutgoingNotice.queued_at >= since)
    return tuple(_told(each, None) for each in session.scalars(wanted.order_by(OutgoingNotice.id)))


def _told(notice: OutgoingNotice, posting: Posting | None) -> ToldNotice:
    at, by = notice.sent_at or notice.queued_at, "短信" if notice.channel is Channel.TEXT else "电子邮件"
    match notice.state:
        case NoticeState.DEAD if posting is not None:
            how = how_it_went(posting) + (f"，寄往{posting.address}" if posting.tracking_no and posting.address else "")
        case NoticeState.SENT:
            how = f"{by}，已发出"
        case NoticeState.QUEUED:
            how = f"{by}，等待发出" + (f"（已试{notice.attempts}次）" if notice.attempts else "")
        case NoticeState.DEAD:
            by_post = notice.last_error == NO_ADDRESS
            how = "等待邮寄" if by_post else f"{by}，没有送达（{notice.last_error or '原因不明'}），须另行告知"
    subject, text = said_in(notice)
    return ToldNotice(
        subject=subject,
        to=notice.recipient or "没有邮箱的收件人",
        when=f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}",
        how=how,
        text=text,
        is_late=notice.state is NoticeState.DEAD and posting is None,
    )


def how_it_went(posting: Posting) -> str:
    """How a letter got to its recipient, or that it did not."""
    if posting.tracking_no is not None:
        return f"已邮寄（挂号号码{posting.tracking_no}，{posting.posted_on}寄出）"
    if posting.collected_by is not None:
        return f"已当面领取（{posting.posted_on}，{posting.collected_by}，送达回证附卷）"
    how, words = ("无法送达", posting.tried) if posting.tried else ("已另行告知", posting.told_how)
    return f"{how}（{posting.posted_on}，{words}）"
