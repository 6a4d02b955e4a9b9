"""Holders are told that somebody else objects to their certificate, are heard, and hear how it ended (Article 12; see
``regulation.hearings``).

Whoever signs in sees it in 我的证照, and what was to be posted to them is told then. To all others it is posted, to the
address on the certificate if there is one; where that does not work either, 无法送达 is on record with what was tried.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import BindParameter, Table, bindparam, func, select
from sqlalchemy.orm import Session

from models.cases import Case
from models.certificates import Certificate, CertificateHolder, CertificateType
from models.hearings import Hearing, HolderComment
from models.notices import OutgoingNotice
from models.objections import Objection
from models.postings import Posting
from notifications.notices import CertificateDisputed, DisputeEnded, ToHolder
from notifications.outbox import settle
from regulation.catalogue import FieldKind
from regulation.certificates import CertificateState, mask_name
from regulation.hearings import CHANGING, OWN_ADDRESSES, Reached, may_comment, may_still_speak
from regulation.limits import DELIVERY, HOLDER_COMMENT, HOLDER_COMMENTS
from regulation.objections import ObjectorKind, Outcome, Stage, Way
from runtime import clock
from runtime.database import in_pieces, insert_many, transaction
from runtime.refusals import NotFoundError, RefusalError
from runtime.words import folded
from tasks.audit import record
from tasks.case.attachments import File, added, keep_files
from tasks.case.calendars import working_days
from tasks.case.numbers import tell_officer
from tasks.case.step import Step, Steps, locked_case, locked_cases
from tasks.objections.claims import COMMENTED

UNREACHED = f"此前的信无法送达，本人可{Reached.PAGE}"
SEEN = f"本人{Reached.PAGE}"
WHO_SOMEBODY_IS = frozenset({FieldKind.NAME, FieldKind.IDENTITY_NUMBER, FieldKind.CREDIT_CODE})
"""Kinds of fields whose values may be another person's."""
ROOTS: BindParameter[Any] = bindparam("roots", expanding=True)
HOLDERS = (
    select(
        Certificate.root,
        Certificate.type_code,
        Certificate.face,
        CertificateHolder.holder_index,
        CertificateHolder.name,
    )
    .join(CertificateHolder, CertificateHolder.certificate_id == Certificate.id)
    .where(Certificate.root.in_(ROOTS), Certificate.state != CertificateState.SUPERSEDED)
    .order_by(Certificate.root, CertificateHolder.place)
)
HEARINGS = select(Hearing).where(Hearing.case_no == bindparam("case_no")).order_by(Hearing.number)
COMMENTS = select(HolderComment).where(HolderComment.case_no == bindparam("case_no")).order_by(HolderComment.id)


class _Holder(NamedTuple):
    holder_index: str
    name: str
    address: str
    address_field: str
    """Where on the face it stands."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a holder said, and when it came."""

    text: str
    on: date


@dataclass(frozen=True, slots=True)
class Heard:
    """An objection of somebody else's as the holder of the certificate sees it. ``proposed``: what is to stand there,
    empty where that may be somebody else's name or number. ``stands``: where it is, or how it ended, with the
    ``reason`` that was given. ``due_on``: the last day of their time, ``None`` where nothing that they say changes
    anything any more."""

    case_no: str
    field: str
    proposed: str
    since: date
    stands: str
    reason: str
    due_on: date | None
    said: tuple[Said, ...]


def tell_holders(steps: Steps, objectors: Mapping[str, Sequence[Objection]]) -> None:
    """Let every holder of a disputed certificate who is not known to object themselves be told: by case, who does.
    That somebody says they are the holder is no reason not to: whoever it really is would never know."""
    every = [each for mine in objectors.values() for each in mine]
    holders = _holders(steps.session, sorted({each.certificate_root for each in every if each.certificate_root}))
    heard = _heard_already(steps.session, sorted(objectors))
    rows = []
    for case_no, mine in objectors.items():
        about = mine[0]
        others = [
            each
            for each in holders.get(about.certificate_root or "", ())
            if each.holder_index not in heard[case_no] and not any(_is_known_to_be(one, each) for one in mine)
        ]
        of_departments = all(each.objector_kind is ObjectorKind.DEPARTMENT for each in mine)
        for number, holder in enumerate(others, len(heard[case_no]) + 1):
            notice = CertificateDisputed(
                case_no=case_no,
                holder_no=number,
                recipient=mask_name(holder.name),
                certificate=about.public_type,
                field=about.public_field,
                by="、".join(dict.fromkeys(each.objector_name for each in mine)) if of_departments else "",
                claims="、".join(dict.fromkeys(filter(None, (_said_to_be(one, holder) for one in mine)))),
                accepted_on=steps.today,
                days=HOLDER_COMMENT.value,
            )
            steps.notify(notice, "", case_no, about=str(number))
            rows.append(
                {
                    "case_no": case_no,
                    "number": number,
                    "holder_index": holder.holder_index,
                    "holder_name": holder.name,
                    # Where it is said that they are not, no letter finds them.
                    "address": "" if holder.address_field == about.field_code else holder.address,
                }
            )
        if others:
            steps.audit("objection:holder:to-tell", case_no, holders=len(others))
    insert_many(steps.session, cast("Table", Hearing.__table__), rows)


def _holders(session: Session, roots: Sequence[str]) -> dict[str, list[_Holder]]:
    """The holders of certificates as the register has them now, by root, with the address that stands there."""
    kinds = {kind.code: kind for kind in session.scalars(select(CertificateType))}
    found: dict[str, list[_Holder]] = defaultdict(list)
    for some in in_pieces(roots):
        for root, type_code, face, index, name in session.execute(HOLDERS, {"roots": some}).tuples():
            fields = [each for each in kinds[type_code].fields if each.kind is FieldKind.ADDRESS]
            code = next((each.code for each in fields if each.name in OWN_ADDRESSES and face.get(each.code)), "")
            found[root].append(_Holder(index, name, str(face.get(code, "")), code))
    return found


def _heard_already(session: Session, case_nos: Sequence[str]) -> dict[str, set[str]]:
    """By case, whom it hears by now."""
    found: dict[str, set[str]] = {case_no: set() for case_no in case_nos}
    for some in in_pieces(case_nos):
        wanted = select(Hearing.case_no, Hearing.holder_index).where(Hearing.case_no.in_(some))
        for case_no, index in session.execute(wanted).tuples():
            found[case_no].add(index)
    return found


def _is_known_to_be(objection: Objection, holder: _Holder) -> bool:
    """Whether whoever objects is this holder beyond doubt: the sign-on has proven their number, or they are a
    department. That somebody came to the counter, or has shown a paper, is one officer's word, and the letter to the
    holder is what shows it to be true."""
    if objection.acts_as is not None:
        return False
    if objection.proven_index is not None:
        return objection.proven_index == holder.holder_index
    return objection.objector_kind is ObjectorKind.DEPARTMENT and _is_named(objection.objector_name, holder)


def _said_to_be(objection: Objection, holder: _Holder) -> str:
    """Who somebody says they are who objects in a holder's name: 本人, or as what they act for them."""
    if objection.acts_as is not None:
        return str(objection.acts_as) if _is_named(objection.acts_for or "", holder) else ""
    in_name = objection.objector_kind is ObjectorKind.HOLDER and _is_named(objection.objector_name, holder)
    return "本人" if in_name else ""


def _is_named(name: str, holder: _Holder) -> bool:
    return folded(name) == folded(holder.name)


def hearings_of(session: Session, case_no: str) -> list[Hearing]:
    """Who is heard in a case."""
    return list(session.scalars(HEARINGS, {"case_no": case_no}))


def comments_of(session: Session, case_no: str) -> dict[int, list[HolderComment]]:
    """What they said, by the hearing's number, the oldest first."""
    said: dict[int, list[HolderComment]] = defaultdict(list)
    for each in session.scalars(COMMENTS, {"case_no": case_no}):
        said[each.number].append(each)
    return said


def tell_of_end(step: Step, outcome: Outcome | None, reason: str, *, changed: bool) -> None:
    """Let every holder who was to know of an objection know how it ended: ``None`` as its outcome where it was
    withdrawn. Of an objection that ended before its letter had left they hear with this one only."""
    about = step.session.get_one(Objection, step.case.case_no)
    for hearing in hearings_of(step.session, step.case.case_no):
        notice = DisputeEnded(
            case_no=step.case.case_no,
            holder_no=hearing.number,
            recipient=mask_name(hearing.holder_name),
            certificate=about.public_type,
            field=about.public_field,
            outcome=str(outcome or Stage.WITHDRAWN),
            changed=changed and outcome in CHANGING,
            pending=not changed and outcome in CHANGING,
            reason=reason,
        )
        if hearing.told_on is None:
            _need_no_letter(step.session, _letters(step.session, hearing), "寄出前已办结，改寄办结的通知", step.now)
        step.notify(notice, "", about=str(hearing.number))
        if hearing.reached is Reached.NOT:
            # Whom no letter reaches reads it where they sign in, if they ever do.
            _need_no_letter(step.session, _letters(step.session, hearing), UNREACHED, step.now)


def was_told(hearing: Hearing, on: date, reached: Reached, by_no: str | None = None) -> None:
    """Put down that a holder knows of the objection, or could not be told, and who says so; what came first stays."""
    if hearing.told_on is None or (hearing.reached is Reached.NOT and reached is not Reached.NOT):
        hearing.told_on, hearing.reached, hearing.told_by_no = on, reached, by_no


def came_back(hearing: Hearing) -> None:
    """A letter that was posted was returned: nobody has been told by it."""
    if hearing.reached is Reached.POST:
        hearing.told_on = hearing.reached = hearing.told_by_no = None


def hearing_of(session: Session, notice: OutgoingNotice) -> Hearing:
    """Whom a letter to a holder is for."""
    return session.get_one(Hearing, (notice.case_no, notice.context["holder_no"]))


def last_day(session: Session, hearing: Hearing) -> date | None:
    """The last day of a holder's time; ``None`` while they have not been told."""
    if hearing.told_on is None or hearing.reached is Reached.NOT:
        return None
    on_its_way = DELIVERY.value if hearing.reached is Reached.POST else 0
    return working_days(session).due_on(hearing.told_on, on_its_way + HOLDER_COMMENT.value)


def not_heard_yet(session: Session, case_no: str, today: date, but_not: Collection[str]) -> str:
    """Why a decision would come before a holder had their time, in Chinese; empty: it would not. What these officers
    typed in, who took part in the draft, lets nobody off."""
    said = comments_of(session, case_no)
    for hearing in hearings_of(session, case_no):
        due_on = last_day(session, hearing)
        unreachable = hearing.reached is Reached.NOT and hearing.told_by_no not in but_not
        spoke = any(each.by_no not in but_not for each in said[hearing.number])
        if may_still_speak(today, due_on, unreachable=unreachable, spoke=spoke):
            return f"持证主体在{due_on}前还可以提出意见" if due_on is not None else "持证主体还没有得到告知"
    return ""


def objected_to(session: Session, own: str) -> set[str]:
    """The roots of a holder's certificates to which somebody else objects now."""
    wanted = (
        select(Objection.certificate_root)
        .join(Hearing, Hearing.case_no == Objection.case_no)
        .join(Case, Case.case_no == Hearing.case_no)
        .where(Hearing.holder_index == own, Case.stage.in_([each for each in Stage if may_comment(each)]))
    )
    return {root for root in session.scalars(wanted) if root is not None}


def seen_on_page(session: Session, own: str, root: str, at: datetime) -> list[Heard]:
    """The objections of others to a certificate that its holder (by index) looks at now, the latest first: from now on
    they know, and nothing need be posted to them."""
    wanted = (
        select(Hearing, Case, Objection)
        .join(Case, Case.case_no == Hearing.case_no)
        .join(Objection, Objection.case_no == Hearing.case_no)
        .where(Hearing.holder_index == own, Objection.certificate_root == root)
        .order_by(Case.case_no.desc())
    )
    shown = []
    # Whoever registers a letter, or closes a case, does it before or afterwards.
    locked_cases(session, [case.case_no for _, case, _ in session.execute(wanted).tuples()])
    again = session.execute(wanted.execution_options(populate_existing=True))
    for hearing, case, objection in again.tuples():
        if hearing.told_on is None or hearing.reached is Reached.NOT:
            record(session, "objection:holder:told", case.case_no, "holder", at, how=str(Reached.PAGE))
        was_told(hearing, clock.local_date(at), Reached.PAGE)
        letters = _letters(session, hearing)
        _need_no_letter(session, letters, SEEN, at)
        said = comments_of(session, case.case_no)[hearing.number]
        shown.append(
            Heard(
                case_no=case.case_no,
                field=objection.public_field,
                proposed=objection.proposed if may_be_told(session, objection) else "",
                since=clock.local_date(letters[0].queued_at),
                stands=objection.outcome or case.stage,
                reason=_reason(letters),
                due_on=last_day(session, hearing) if may_comment(Stage(case.stage)) else None,
                said=tuple(Said(each.text, each.received_on) for each in said),
            )
        )
    return shown


def may_be_told(session: Session, objection: Objection) -> bool:
    """Whether what stood or is to stand in the disputed field can be shown to a holder: a name or a number may be
    another person's."""
    kind = session.get(CertificateType, objection.type_code) if objection.type_code else None
    fields = kind.fields if kind is not None else ()
    return any(each.code == objection.field_code and each.kind not in WHO_SOMEBODY_IS for each in fields)


def _letters(session: Session, hearing: Hearing) -> list[OutgoingNotice]:
    """What was written to a holder about an objection, the first one first."""
    kinds = [each.template() for each in ToHolder.__subclasses__()]
    wanted = select(OutgoingNotice).where(OutgoingNotice.case_no == hearing.case_no, OutgoingNotice.notice.in_(kinds))
    found = session.scalars(wanted.order_by(OutgoingNotice.id).with_for_update())
    return [each for each in found if each.context["holder_no"] == hearing.number]


def _reason(letters: Sequence[OutgoingNotice]) -> str:
    """Why it ended so, as the letter that says so has it; empty while it has not."""
    ended = [each for each in letters if each.notice == DisputeEnded.template()]
    return str(ended[-1].context["reason"]) if ended else ""


def _need_no_letter(session: Session, letters: Sequence[OutgoingNotice], why: str, at: datetime) -> None:
    """Take those letters that have not left off the list of what is posted."""
    for letter in letters:
        known = session.get(Posting, letter.id)
        if known is None or known.posted_on is None:
            settle(session, letter, known, why, at)


def comment_on_page(own: str, case_no: str, text: str, files: Sequence[File] = ()) -> None:
    """What a holder (by index) says on the page, with the files they add; the same again changes nothing. Raises
    ``NotFoundError`` where they are not heard, ``RefusalError`` once the outcome is decided, or where they have said
    enough."""
    with transaction() as session:
        wanted = select(Hearing).where(Hearing.case_no == case_no, Hearing.holder_index == own)
        hearing = session.scalar(wanted)
        if hearing is None:
            raise NotFoundError("没有这件涉及您证照的异议，请回到“我的证照”核对。")
        case = locked_case(session, case_no)
        earlier = select(HolderComment).where(
            HolderComment.case_no == case_no, HolderComment.number == hearing.number, HolderComment.by_no.is_(None)
        )
        before = [each.text for each in session.scalars(earlier)]
        if text in before and not added(session, case_no, files):
            return
        if len(before) >= HOLDER_COMMENTS.value:
            raise RefusalError(f"网上最多提出{HOLDER_COMMENTS.value}次意见；还有补充的，请凭办件编号来信或者来访。")
        now = clock.now()
        said = HolderComment(text=text, way=Way.ONLINE, received_on=clock.local_date(now))
        _take(session, case, hearing, said, now, added(session, case_no, files))


def enter_comment(
    case_no: str, number: int, text: str, way: Way, received_on: date, files: Sequence[File], by_no: str
) -> None:
    """What a holder wrote or said, as an officer types it in. Raises as ``comment_on_page``."""
    with transaction() as session:
        hearing = session.get(Hearing, (case_no, number))
        if hearing is None:
            raise NotFoundError("本件没有这名须听取意见的持证主体，请重新选择。")
        case, now = locked_case(session, case_no), clock.now()
        said = HolderComment(text=text, way=way, received_on=received_on, by_no=by_no)
        _take(session, case, hearing, said, now, files)


def check_may_comment(case: Case) -> None:
    """Raise ``RefusalError`` where what a holder says would come too late."""
    if not may_comment(Stage(case.stage)):
        raise RefusalError(
            f"异议{case.case_no}现为“{case.stage}”，不再听取意见；对登记的内容有异议的，可以另行提出核查申请（第十二条）。"
        )


def _take(
    session: Session, case: Case, hearing: Hearing, said: HolderComment, at: datetime, files: Sequence[File] = ()
) -> None:
    check_may_comment(case)
    said.case_no, said.number, said.at = case.case_no, hearing.number, at
    session.add(said)
    was_told(hearing, said.received_on, Reached.PAGE if said.by_no is None else Reached.OTHERWISE, said.by_no)
    _need_no_letter(session, _letters(session, hearing), SEEN if said.by_no is None else "本人已提出意见", at)
    keep_files(session, case.case_no, files, at)
    record(session, COMMENTED, case.case_no, said.by_no or "holder", at, way=str(said.way), files=len(files))
    count = session.scalar(select(func.count(HolderComment.id)).where(HolderComment.case_no == case.case_no))
    tell_officer(session, case, "持证主体对异议提出了意见", f"{case.case_no}:commented:{count}", at)
