"""What goes by post (邮寄登记): notices that no e-mail reaches, and letters to bureaus that have no gateway.

A notice comes here when its recipient has no address that can be written to, or the mail server has refused it for
good, and every letter to a holder to whose certificate somebody else objects. It leaves when an officer registers,
signed, that it was posted, that its recipient has signed for it at the counter (送达回证), how they were told
otherwise, or, of a holder, that nothing reaches them (无法送达); its matters (待阅事项) are done then, and cannot be
done before. A limit of ours for what it asks of its recipient counts from then. A letter to a bureau is registered on
the page of its case, by the question that has its number and its day (Article 12).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import cast

import segno
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.cases import Case, Deadline, StaffTask
from models.notices import NoticeState, OutgoingNotice
from models.objections import Objection
from models.organisations import Officer, Role
from models.postings import Posting
from notifications.kept import said_in
from notifications.notices import (
    NOTICES,
    BackfillReturned,
    CertificateDisputed,
    LettersStop,
    RectificationOrdered,
    RuleRevisionTracked,
    SupplementRequested,
    SystemMaterialRequested,
    ToHolder,
    ToObjector,
)
from notifications.outbox import NO_ADDRESS, NOT_MADE, TO_MAILBOXES
from notifications.rendering import SENDER_NAME, full_date
from regulation.hearings import Reached
from regulation.limits import BACKFILL_CORRECTION, POSTING, RECTIFICATION, RULE_REVISION, SUPPLEMENT, SYSTEM_SUPPLEMENT
from regulation.postings import tracking_number
from runtime import clock
from runtime.database import in_pieces, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.attachments import File, keep_files
from tasks.case.calendars import working_days
from tasks.case.deadlines import count_from, running_deadline
from tasks.desk.door import SignedIn
from tasks.desk.kinds import KINDS
from tasks.desk.letters import pdf_from
from tasks.desk.told import OF_STAFF, how_it_went
from tasks.objections.contacts import who_was_reached
from tasks.objections.followed import link_to_look
from tasks.objections.hearings import came_back, hearing_of, was_told
from tasks.objections.questions import BatchLetterPosted, LetterPosted
from tasks.objections.steps import acting
from tasks.office.officers import NO_AUDITOR, acting_officers
from tasks.office.signatures import SignatureError, look_at
from tasks.office.staff_tasks import open_staff_task

TEMPLATE = Path(__file__).with_name("posted.typ").read_bytes()
RECEIPT = Path(__file__).with_name("receipt.typ").read_bytes()
BY_CODE = "（扫描信上的二维码查看）"
NO_LINKS = "（网上查看的链接不随信寄送，需要的请凭办件编号向我中心查询）"
LONGEST_ADDRESS = 200
"""Characters."""
ABOUT_LETTERS = ("undeliverable:", "unposted:", "unreached:")
"""How the keys of matters (待阅事项) about notices begin: one could not be delivered, was not posted in time, had a
recipient without an address."""
SHORTEST_TOLD, LONGEST_TOLD = 5, 200
"""Characters."""
CORRECTED_FOR = timedelta(days=30)
"""As long as a number that was typed wrongly can be set right: until the post's own record of it ends."""
COUNTS_FROM = {
    SupplementRequested: SUPPLEMENT,
    BackfillReturned: BACKFILL_CORRECTION,
    SystemMaterialRequested: SYSTEM_SUPPLEMENT,
    RectificationOrdered: RECTIFICATION,
    RuleRevisionTracked: RULE_REVISION,
}
"""What a notice asks for within a limit, which nobody can keep before they know of it."""


@dataclass(frozen=True, slots=True)
class ToPost:
    """A notice that waits for being posted."""

    id: int
    case_no: str
    to: str
    address: str
    subject: str
    since: date
    due_on: date
    late: bool
    to_holder: bool
    """Whether it tells a holder of somebody else's objection: it may reach nobody (无法送达)."""


@dataclass(frozen=True, slots=True)
class OfficialLetter:
    """A letter to a bureau that a case waits for; ``due_on`` is the nearest of the case's limits."""

    case_no: str
    to: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class PostedLetter:
    """A letter that was posted, whose number may have been typed wrongly."""

    id: int
    case_no: str
    to: str
    subject: str
    posted_on: date
    tracking_no: str


@dataclass(frozen=True, slots=True)
class PostingList:
    """What is to be posted by somebody, or with their knowledge, and what was posted of late."""

    notices: tuple[ToPost, ...]
    letters: tuple[OfficialLetter, ...]
    posted: tuple[PostedLetter, ...]


def _matters_of(session: Session, notices: Sequence[OutgoingNotice]) -> dict[int, list[StaffTask]]:
    """The matters about notices, by the notices' ids."""
    by_case: defaultdict[str | None, list[StaffTask]] = defaultdict(list)
    about = or_(*(StaffTask.key.startswith(each) for each in ABOUT_LETTERS))
    for some in in_pieces(list({each.case_no for each in notices if each.case_no is not None})):
        for matter in session.scalars(select(StaffTask).where(StaffTask.case_no.in_(some), about)):
            by_case[matter.case_no].append(matter)
    return {each.id: [matter for matter in by_case[each.case_no] if _is_about(matter, each)] for each in notices}


def _is_about(matter: StaffTask, notice: OutgoingNotice) -> bool:
    if matter.key in (f"undeliverable:{notice.message_id}", f"unposted:{notice.id}"):
        return True
    # Of several departments that one step told, each has a matter of its own.
    named = any(f"“{notice.context.get(each)}”" in matter.what for each in ("recipient", "department"))
    at_once = matter.key.startswith("unreached:") and matter.opened_at == notice.queued_at
    return at_once and named and not _is_of_objector(notice)


TO_POST = (
    select(OutgoingNotice)
    .outerjoin(Posting, Posting.notice_id == OutgoingNotice.id)
    .where(
        OutgoingNotice.state == NoticeState.DEAD,
        OutgoingNotice.notice.not_in(OF_STAFF),
        or_(OutgoingNotice.notice.not_in(TO_MAILBOXES), OutgoingNotice.last_error == NO_ADDRESS),
        or_(OutgoingNotice.last_error.is_(None), ~OutgoingNotice.last_error.startswith(NOT_MADE)),
        Posting.posted_on.is_(None),
    )
)
"""Notices that wait for being posted. Nobody posts what cannot be read, nor what the Center writes to itself."""


def _waiting(
    session: Session, theirs: Collection[str], *also: ColumnElement[bool], locked: bool = False
) -> list[tuple[OutgoingNotice, Posting | None]]:
    """Notices about cases of these officers that wait for being posted, with what is known of the posting."""
    wanted = TO_POST.add_columns(Posting).join(Case, Case.case_no == OutgoingNotice.case_no)
    wanted = wanted.where(Case.officer_no.in_(theirs), *also).order_by(OutgoingNotice.id)
    if locked:
        wanted = wanted.with_for_update(of=OutgoingNotice)
    rows = session.execute(wanted).tuples().all()
    still = _still_to_post(session, [notice for notice, _ in rows])
    return [row for row in rows if row[0].id in still]


def _still_to_post(session: Session, found: Sequence[OutgoingNotice]) -> dict[int, list[StaffTask]]:
    """Of these notices those that nobody has told otherwise, with their matters. An earlier version was content with a
    sentence under the matter."""
    matters = _matters_of(session, found)
    return {number: some for number, some in matters.items() if all(each.done_at is None for each in some)}


def _theirs(session: Session, by: Officer) -> Collection[str]:
    """Officers whose cases somebody sees to today: their own, those of whom they stand in for; all of them for a
    director and an auditor."""
    acting = acting_officers(session, clock.today())
    if by.role in (Role.DIRECTOR, Role.AUDITOR):
        return acting.keys()
    return [each for each, acts in acting.items() if acts.staff_no == by.staff_no]


def posting_list(by: SignedIn) -> PostingList:
    """What is to be posted, the oldest first; that somebody looked at names and addresses is on record (Article 14)."""
    with transaction() as session:
        theirs = _theirs(session, session.get_one(Officer, by.staff_no))
        notices = tuple(_to_post(session, theirs))
        if notices:
            record(session, "letters:list:read", None, by.staff_no, clock.now(), letters=len(notices))
        return PostingList(notices, tuple(_official(session, theirs)), tuple(_posted_lately(session, theirs)))


def waiting_matters(session: Session, some: Sequence[StaffTask]) -> set[int]:
    """The ids of those matters that end only when a letter is registered as posted, or as told otherwise."""
    of_cases = {each.case_no for each in some if each.case_no is not None and each.key.startswith(ABOUT_LETTERS)}
    if not of_cases:
        return set()
    found = session.scalars(TO_POST.where(OutgoingNotice.case_no.in_(of_cases))).all()
    matters = _still_to_post(session, found).values()
    return {each.id for each in chain.from_iterable(matters)} & {each.id for each in some}


def _posted_lately(session: Session, theirs: Collection[str]) -> Iterator[PostedLetter]:
    wanted = (
        select(OutgoingNotice, Posting)
        .join(Posting, Posting.notice_id == OutgoingNotice.id)
        .join(Case, Case.case_no == OutgoingNotice.case_no)
        .where(Posting.tracking_no.is_not(None), Posting.at > clock.now() - CORRECTED_FOR, Case.officer_no.in_(theirs))
        .order_by(Posting.at.desc(), OutgoingNotice.id)
    )
    for notice, posting in session.execute(wanted).tuples():
        to, on = _to_whom(session, notice), cast("date", posting.posted_on)
        yield PostedLetter(notice.id, str(notice.case_no), to, said_in(notice)[0], on, str(posting.tracking_no))


def _to_post(session: Session, theirs: Collection[str]) -> list[ToPost]:
    calendar, today = working_days(session), clock.today()
    found = []
    for notice, posting in _waiting(session, theirs):
        since = clock.local_date(notice.queued_at)
        due_on = calendar.due_on(since, POSTING.value)
        found.append(
            ToPost(
                id=notice.id,
                case_no=str(notice.case_no),
                to=_to_whom(session, notice),
                address=_address(session, notice, posting),
                subject=said_in(notice)[0],
                since=since,
                due_on=due_on,
                late=today > due_on,
                to_holder=_is_of_holder(notice),
            )
        )
    return found


def _official(session: Session, theirs: Collection[str]) -> list[OfficialLetter]:
    asked = or_(*(Case.waiting_for.startswith(f"{each.question}-") for each in (LetterPosted, BatchLetterPosted)))
    found = []
    for case in session.scalars(select(Case).where(asked, Case.officer_no.in_(theirs)).order_by(Case.case_no)):
        letter = KINDS[case.kind].sheet.letter(session, case)
        running = select(Deadline.due_on).where(Deadline.case_no == case.case_no, Deadline.running)
        due_on = session.scalar(running.order_by(Deadline.due_on).limit(1))
        found.append(OfficialLetter(case.case_no, letter.to if letter is not None else "", due_on))
    return found


def _to_whom(session: Session, notice: OutgoingNotice) -> str:
    """Whose name stands on the envelope: a department's, or whoever objects; empty where only the case tells."""
    if _is_of_objector(notice):
        return session.get_one(Objection, notice.case_no).objector_name
    if _is_of_holder(notice):
        return hearing_of(session, notice).holder_name
    if notice.notice == LettersStop.template():
        posting = session.get(Posting, notice.id)
        return who_was_reached(session, str(notice.case_no), posting.address if posting is not None else "")
    return str(notice.context.get("recipient") or notice.context.get("department", ""))


def _address(session: Session, notice: OutgoingNotice, posting: Posting | None) -> str:
    """Where a notice is posted to: as it was kept, else as the objector has said, or as a holder's certificate says."""
    if posting is not None and posting.address:
        return posting.address
    if _is_of_holder(notice):
        return hearing_of(session, notice).address
    said = session.get_one(Objection, notice.case_no).postal_address if _is_of_objector(notice) else None
    return said or ""


def _is_of_objector(notice: OutgoingNotice) -> bool:
    return issubclass(NOTICES[notice.notice], ToObjector)


def _is_of_holder(notice: OutgoingNotice) -> bool:
    return issubclass(NOTICES[notice.notice], ToHolder)


def keep_addresses(addresses: Mapping[int, str], by: SignedIn) -> int:
    """Keep where notices are posted to, so that letters and list can be printed; how many are kept.

    Raises ``InputError`` that names the fields (``address-<id>``), ``RefusalError`` for an auditor.
    """
    with transaction() as session:
        letters = _letters_of(session, by)
        given = {number: text.strip() for number, text in addresses.items() if text.strip()}
        _check({f"address-{number}": _wrong_address(text) for number, text in given.items()})
        for number in given.keys() & letters.keys():
            posting, notice = _posting(session, number), letters[number]
            if posting.address != given[number]:
                posting.address = given[number]
                said = {"subject": said_in(notice)[0]}
                record(session, "case:notice:address-kept", notice.case_no, by.staff_no, clock.now(), **said)
        return len(given.keys() & letters.keys())


@dataclass(frozen=True, slots=True)
class Posted:
    """What an officer says of one letter: its number and address, or how its recipient was told otherwise, what was
    tried in vain, or who collected it."""

    address: str = ""
    tracking_no: str = ""
    told_how: str = ""
    tried: str = ""
    collected_by: str = ""

    @property
    def in_words(self) -> tuple[tuple[str, str], ...]:
        """What is said in place of a number: the field's name and the words."""
        said = (("told", self.told_how), ("tried", self.tried), ("collected", self.collected_by))
        return tuple((name, words.strip()) for name, words in said if words.strip())


def register_posted(
    letters: Mapping[int, Posted], posted_on: date | None, code: str, by: SignedIn, signed_for: Sequence[File] = ()
) -> int:
    """Register that letters were posted, collected, or their recipients told otherwise, on a day, all of them or none,
    signed with one code; how many. ``signed_for`` is what was signed by who collected. Their matters (待阅事项) are
    done with. The same again changes nothing.

    What is wrong is said before the code is looked at. Raises ``InputError`` that names the fields (``tracking-<id>``,
    ``told-<id>``, ``tried-<id>``, ``collected-<id>``, ``address-<id>``, ``posted_on``, ``letters``, ``files``),
    ``RefusalError`` for an auditor, ``SignatureError``.
    """
    with transaction() as session:
        now = clock.now()
        waiting = _letters_of(session, by)
        if letters and all(_is_posted(session, number, said) for number, said in letters.items()):
            return len(letters)
        if any(said.collected_by.strip() for said in letters.values()) and not signed_for:
            raise InputError.of("files", "请选择领取人签名的送达回证的扫描件或照片。")
        numbers = _checked_numbers(session, letters, posted_on, waiting, clock.local_date(now))
        signed = look_at(session, by.staff_no, code, by.source)
        if not isinstance(signed, SignatureError):
            for number, tracking_no in numbers.items():
                posting, said = _posting(session, number), letters[number]
                posting.address, posting.tracking_no = said.address.strip() or posting.address, tracking_no
                posting.told_how, posting.tried = said.told_how.strip() or None, said.tried.strip() or None
                posting.collected_by = said.collected_by.strip() or None
                posting.posted_on, posting.posted_by_no, posting.at = posted_on, by.staff_no, now
                _note(session, waiting[number], posting, now)
            for case_no in {str(waiting[number].case_no) for number, said in letters.items() if said.collected_by}:
                keep_files(session, case_no, signed_for, now)
    # Only now, because a wrong code has to be counted.
    if isinstance(signed, SignatureError):
        raise signed
    return len(letters)


def correct_number(number: int, tracking_no: str, code: str, by: SignedIn) -> None:
    """Set the number of a letter right that was posted of late, and of what was in the same envelope, signed; both
    numbers stay on record. The same again changes nothing.

    Raises ``InputError`` that names ``corrected-<id>``, ``LookupError`` for a letter that is none of theirs or too long
    ago, ``RefusalError`` for an auditor, ``SignatureError``.
    """
    with transaction() as session:
        officer = _may_register(session, by)
        lately = {each.id: each for each in _posted_lately(session, _theirs(session, officer))}
        if number not in lately:
            raise LookupError("没有这封可以更正的信，请回到“邮寄登记”核对。")
        try:
            corrected = tracking_number(tracking_no)
        except InputError as why:
            raise InputError.of(f"corrected-{number}", str(why)) from None
        envelope = _envelope(session, number)
        if corrected == envelope[0][1].tracking_no:
            return
        if taken := _taken(session, [corrected]):
            raise InputError.of(f"corrected-{number}", taken[corrected])
        signed = look_at(session, by.staff_no, code, by.source)
        if not isinstance(signed, SignatureError):
            for notice, posting in envelope:
                was, posting.tracking_no = posting.tracking_no, corrected
                said = {"subject": said_in(notice)[0], "was": was, "tracking_no": corrected}
                record(session, _tag(notice, "number-corrected"), notice.case_no, by.staff_no, clock.now(), **said)
    if isinstance(signed, SignatureError):
        raise signed


def register_returned(number: int, code: str, by: SignedIn) -> None:
    """A letter that was posted of late came back with what was in the same envelope: to be posted again, or its
    recipient told otherwise. Raises as ``correct_number``."""
    with transaction() as session:
        officer = _may_register(session, by)
        if number not in {each.id for each in _posted_lately(session, _theirs(session, officer))}:
            raise LookupError("没有这封可以登记退回的信，请回到“邮寄登记”核对。")
        envelope = _envelope(session, number)
        signed = look_at(session, by.staff_no, code, by.source)
        if not isinstance(signed, SignatureError):
            for notice, posting in envelope:
                _came_back(session, notice, posting, by.staff_no)
    if isinstance(signed, SignatureError):
        raise signed


def _came_back(session: Session, notice: OutgoingNotice, posting: Posting, staff_no: str) -> None:
    said = {"subject": said_in(notice)[0], "tracking_no": posting.tracking_no}
    record(session, _tag(notice, "returned"), notice.case_no, staff_no, clock.now(), **said)
    posting.posted_on = posting.tracking_no = None
    if notice.notice == CertificateDisputed.template():
        came_back(hearing_of(session, notice))
    what = f"{notice.case_no}的一封信退回了，请在“邮寄登记”重新寄出，或者另行告知"
    open_staff_task(session, f"unposted:{notice.id}", notice.case_no, what, clock.now())


def _envelope(session: Session, number: int) -> list[tuple[OutgoingNotice, Posting]]:
    """A letter that was posted, and those that were in the same envelope; locked."""
    posted = select(Posting.tracking_no).where(Posting.notice_id == number).scalar_subquery()
    wanted = select(OutgoingNotice, Posting).join(Posting, Posting.notice_id == OutgoingNotice.id)
    wanted = wanted.where(Posting.tracking_no == posted).order_by(OutgoingNotice.id).with_for_update(of=Posting)
    return [(notice, posting) for notice, posting in session.execute(wanted).tuples()]


def _letters_of(session: Session, by: SignedIn) -> dict[int, OutgoingNotice]:
    """The notices that somebody may register, by their ids, locked."""
    officer = _may_register(session, by)
    return {notice.id: notice for notice, _ in _waiting(session, _theirs(session, officer), locked=True)}


def _may_register(session: Session, by: SignedIn) -> Officer:
    officer = session.get_one(Officer, by.staff_no)
    if officer.role is Role.AUDITOR:
        raise RefusalError(NO_AUDITOR)
    return officer


def _posting(session: Session, number: int) -> Posting:
    known = session.get(Posting, number)
    if known is None:
        known = Posting(notice_id=number, address="", at=clock.now())
        session.add(known)
    return known


def _is_posted(session: Session, number: int, said: Posted) -> bool:
    """Whether just this is on record: a form that was sent twice."""
    known = session.get(Posting, number)
    if known is None or known.posted_on is None:
        return False
    if known.tracking_no is None or said.in_words:
        kept = {"told": known.told_how, "tried": known.tried, "collected": known.collected_by}
        return {name: words for name, words in kept.items() if words} == dict(said.in_words)
    try:
        return known.tracking_no == tracking_number(said.tracking_no)
    except InputError:
        return False


def _checked_numbers(
    session: Session,
    letters: Mapping[int, Posted],
    posted_on: date | None,
    waiting: Mapping[int, OutgoingNotice],
    today: date,
) -> dict[int, str | None]:
    """The numbers of letters by their ids, ``None`` of those that were not posted."""
    wrong, numbers = dict[str, str](), dict[int, str | None]()
    if not letters:
        wrong["letters"] = "请至少填写一封的挂号号码，或者怎样另行告知。"
    for number, said in letters.items():
        if number not in waiting:
            wrong["letters"] = "有一封已经登记、已另行告知，或者不由您办理：请刷新本页，核对后再登记。"
            continue
        if said.in_words:
            field = said.in_words[0][0]
            wrong[f"{field}-{number}"] = _wrong_telling(said, waiting[number])
            numbers[number] = None
            continue
        wrong[f"address-{number}"] = _wrong_address(said.address)
        try:
            numbers[number] = tracking_number(said.tracking_no)
        except InputError as why:
            wrong[f"tracking-{number}"] = str(why)
    posted = {number: each for number, each in numbers.items() if each is not None}
    taken = _taken(session, posted.values())
    # An envelope with several letters to one recipient has one number.
    envelopes: dict[str, tuple[str, str]] = {}
    for number, each in posted.items():
        to_whom = _to_whom(session, waiting[number]), letters[number].address.strip()
        if each in taken:
            wrong[f"tracking-{number}"] = taken[each]
        elif envelopes.setdefault(each, to_whom) != to_whom:
            wrong[f"tracking-{number}"] = "收件人或者地址不同的两封不能是同一个挂号号码，请照回执更正。"
    written = [clock.local_date(waiting[number].queued_at) for number in numbers]
    if posted_on is None:
        wrong["posted_on"] = "请填写邮寄或告知的日期，如2026-03-05。"
    elif posted_on > today:
        wrong["posted_on"] = "邮寄或告知的日期不能晚于今天，请更正。"
    elif written and posted_on < max(written):
        wrong["posted_on"] = f"邮寄或告知的日期不能早于通知写成的{max(written)}，请更正；写成日期不同的分开登记。"
    _check(wrong)
    return numbers


def _taken(session: Session, numbers: Collection[str]) -> dict[str, str]:
    """Of these numbers those that another letter has, each with the sentence that says so."""
    wanted = select(Posting.tracking_no, OutgoingNotice.case_no).join(
        OutgoingNotice, OutgoingNotice.id == Posting.notice_id
    )
    found = session.execute(wanted.where(Posting.tracking_no.in_(numbers)))
    return {str(each): f"这个挂号号码已登记在{case_no}的一封信上，请照回执更正。" for each, case_no in found}


def _wrong_telling(said: Posted, notice: OutgoingNotice) -> str:
    field, words = said.in_words[0]
    if said.tracking_no.strip() or len(said.in_words) > 1:
        return "挂号号码、另行告知、无法送达、当面领取只填一项，请删去其余的。"
    if field == "tried" and not _is_of_holder(notice):
        return "只有告知持证主体的信可以登记为无法送达，其他的请另行告知。"
    if not SHORTEST_TOLD <= len(words) <= LONGEST_TOLD:
        return f"请用{SHORTEST_TOLD}至{LONGEST_TOLD}字写明{_TO_SAY[field]}。"
    return ""


_TO_SAY = {
    "told": "怎样告知、告知了谁，如“电话0575-84120001告知本人”",
    "tried": "试过什么、为什么送不到",
    "collected": "谁来领取、怎样核对身份，如“本人领取，核对了身份证”",
}


def _wrong_address(text: str) -> str:
    if not text.strip():
        return "请填写寄往的地址。"
    return f"地址最多{LONGEST_ADDRESS}字，请缩短。" if len(text.strip()) > LONGEST_ADDRESS else ""


def _check(wrong: Mapping[str, str]) -> None:
    found = {name: why for name, why in wrong.items() if why}
    if found:
        raise InputError("".join(found.values()), found)


def _note(session: Session, notice: OutgoingNotice, posting: Posting, at: datetime) -> None:
    """Put a posting on record, and be done with what was left to staff about it."""
    on, by_post = cast("date", posting.posted_on), posting.tracking_no is not None
    # Nobody's time runs out on paper: what is registered long afterwards counts from then.
    today = clock.local_date(at)
    late = working_days(session).working_days_between(on, today) > POSTING.value
    counted = today if late else on
    said = {"subject": said_in(notice)[0], "posted_on": str(on), "tracking_no": posting.tracking_no}
    reached = Reached.POST if by_post else Reached.NOT if posting.tried else Reached.OTHERWISE
    how = "collected" if posting.collected_by is not None else _DONE[reached]
    record(session, _tag(notice, how), notice.case_no, str(posting.posted_by_no), at, **said)
    if notice.notice == CertificateDisputed.template():
        was_told(hearing_of(session, notice), counted, reached, posting.posted_by_no)
    for matter in _matters_of(session, [notice])[notice.id]:
        if matter.done_at is None:
            matter.done_at, matter.done_by_no = at, posting.posted_by_no
            matter.note = how_it_went(posting)
    limit = COUNTS_FROM.get(NOTICES[notice.notice])
    running = running_deadline(session, _handled_in(session, notice), limit) if limit is not None else None
    if running is not None:
        registered = f"，{today}登记" if late else ""
        count_from(session, running, counted, f"通知于{on}{_HOW_IT_WENT[how]}{registered}", at)


_DONE = {Reached.POST: "posted", Reached.OTHERWISE: "told", Reached.NOT: "unreached"}
_HOW_IT_WENT = {"posted": "寄出", "told": "另行告知", "unreached": "登记为无法送达", "collected": "当面领取"}


def _tag(notice: OutgoingNotice, what: str) -> str:
    """What stands in the record of a letter: whoever objects reads of those to themselves only."""
    if _is_of_objector(notice):
        return f"case:notice:{what}"
    return f"case:notice:{what}-to-{'holder' if _is_of_holder(notice) else 'department'}"


def _handled_in(session: Session, notice: OutgoingNotice) -> str:
    """The case whose limits a notice is about: an objection may be handled in another one."""
    lead = session.get_one(Objection, notice.case_no).lead_case_no if _is_of_objector(notice) else None
    return lead or str(notice.case_no)


def note_unposted(at: datetime) -> int:
    """Leave to staff what was not posted within ``POSTING`` working days, each once; how many there are."""
    with transaction() as session:
        every = list(acting_officers(session, clock.local_date(at)))
        late = [each for each in _to_post(session, every) if each.late]
        for each in late:
            what = (
                f"{each.case_no}的一封通知送不到邮箱，写成后{POSTING.value}个工作日内没有邮寄：请在“邮寄登记”寄出并登记，"
                "已另行告知的，在那里写明怎样告知"
            )
            open_staff_task(session, f"unposted:{each.id}", each.case_no, what, at)
        return len(late)


def posted_letter(number: int, by: SignedIn) -> tuple[str, bytes]:
    """A notice as the letter that is posted: its name and the PDF. Raises ``LookupError`` for a number that is none of
    theirs."""
    (case_no,), content = _printed(by, OutgoingNotice.id == number)
    return f"{case_no}通知.pdf", content


def all_letters(by: SignedIn) -> tuple[str, bytes]:
    """All of somebody's letters whose address is known, in the order of the list, in one PDF; its name too. Raises
    ``LookupError`` where there is none."""
    case_nos, content = _printed(by, addressed=True)
    return f"待寄通知{len(case_nos)}封.pdf", content


def _printed(by: SignedIn, *which: ColumnElement[bool], addressed: bool = False) -> tuple[list[str], bytes]:
    """Letters that wait for being posted, as one PDF, with the numbers of their cases; that they were printed is on
    record. ``addressed``: those only whose address is known."""
    with transaction() as session:
        theirs = _theirs(session, session.get_one(Officer, by.staff_no))
        letters = []
        for notice, posting in _waiting(session, theirs, *which):
            address = _address(session, notice, posting)
            if address or not addressed:
                letters.append((str(notice.case_no), _letter(session, notice, address)))
                subject = letters[-1][1].title
                record(session, "case:notice:printed", notice.case_no, by.staff_no, clock.now(), subject=subject)
        if not letters:
            raise LookupError("没有这封待邮寄的通知，请回到“邮寄登记”核对。")
    return [case_no for case_no, _ in letters], pdf_from(TEMPLATE, {"letters": [asdict(each) for _, each in letters]})


def _letter(session: Session, notice: OutgoingNotice, address: str) -> "_Letter":
    link = link_to_look(session, str(notice.case_no)) if _is_of_objector(notice) else ""
    subject, text = said_in(notice, BY_CODE if link else NO_LINKS, on_paper=True)
    if _is_of_objector(notice) and (objection := session.get_one(Objection, notice.case_no)).acts_for:
        # What goes to somebody's address may name whom they act for.
        text = text.replace(acting(objection.acts_as), acting(objection.acts_as, objection.acts_for))
    if _is_of_holder(notice):
        text = text.replace(str(notice.context["recipient"]), hearing_of(session, notice).holder_name, 1)
    return _Letter(
        to=_to_whom(session, notice),
        address=address,
        title=subject,
        paragraphs=tuple(each for each in text.splitlines() if each.strip()),
        sender=SENDER_NAME,
        day=full_date(clock.today()),
        code=segno.make(link, error="m").svg_inline(border=0) if link else "",
    )


@dataclass(frozen=True, slots=True)
class _Letter:
    """What ``posted.typ`` says."""

    to: str
    address: str
    title: str
    paragraphs: tuple[str, ...]
    sender: str
    day: str
    code: str
    """A drawing (SVG) that leads to where the case can be followed; empty where nothing does."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The letters of one case that wait for one recipient, who may collect them at the counter."""

    ids: tuple[int, ...]
    case_no: str
    to: str
    titles: tuple[str, ...]


def to_collect(number: int, by: SignedIn) -> Collected:
    """A letter that waits for being posted, with what else waits for the same recipient in the same case. Raises
    ``LookupError`` for a number that is none of theirs."""
    with transaction() as session:
        return _to_collect(session, number, by)


def _to_collect(session: Session, number: int, by: SignedIn) -> Collected:
    theirs = _theirs(session, session.get_one(Officer, by.staff_no))
    found = {notice.id: notice for notice, _ in _waiting(session, theirs)}
    if number not in found:
        raise LookupError("没有这封待邮寄的通知，请回到“邮寄登记”核对。")
    one = found[number]
    same = [each for each in found.values() if each.case_no == one.case_no and _whose(each) == _whose(one)]
    titles = tuple(said_in(each)[0] for each in same)
    return Collected(tuple(each.id for each in same), str(one.case_no), _to_whom(session, one), titles)


def _whose(notice: OutgoingNotice) -> tuple[str, ...]:
    """What tells the recipients of a case's letters apart: somebody may have another's name."""
    if _is_of_holder(notice):
        return "holder", str(notice.context["holder_no"])
    if _is_of_objector(notice):
        return ("objector",)
    return notice.notice, str(notice.context.get("recipient", "")), str(notice.context.get("department", ""))


def receipt(number: int, by: SignedIn) -> tuple[str, bytes]:
    """What is signed by whoever collects (送达回证), as a PDF, and its name; that it was printed is on record. Raises
    as ``to_collect``."""
    with transaction() as session:
        found = _to_collect(session, number, by)
        record(session, "case:notice:receipt-printed", found.case_no, by.staff_no, clock.now(), letters=len(found.ids))
    return f"{found.case_no}送达回证.pdf", pdf_from(RECEIPT, asdict(found) | {"sender": SENDER_NAME})


def register_collected(
    ids: Collection[int], collected_by: str, on: date | None, signed_for: Sequence[File], code: str, by: SignedIn
) -> None:
    """Register that letters were collected at the counter: those that stood on the sheet that was signed.

    Raises ``InputError`` that names ``collected_by``, ``posted_on``, ``letters`` or ``files``, and as
    ``register_posted``.
    """
    try:
        if not collected_by.strip():
            raise InputError.of("collected_by", f"请写明{_TO_SAY['collected']}。")
        letters = {each: Posted(collected_by=collected_by) for each in ids}
        register_posted(letters, on, code, by, signed_for)
    except InputError as why:
        wrong = {"collected_by" if name.startswith("collected-") else name: said for name, said in why.wrong.items()}
        raise InputError("".join(wrong.values()), wrong) from None


def address_list(by: SignedIn) -> tuple[ToPost, ...]:
    """The letters whose address is known, for a list that goes to the post office with them; that somebody has it is on
    record (Article 14)."""
    with transaction() as session:
        theirs = _theirs(session, session.get_one(Officer, by.staff_no))
        found = tuple(each for each in _to_post(session, theirs) if each.address)
        if found:
            record(session, "letters:addresses:printed", None, by.staff_no, clock.now(), letters=len(found))
        return found
