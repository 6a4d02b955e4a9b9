"""What goes by post (邮寄登记): notices that no e-mail reaches, and letters to bureaus that have no gateway.

A notice comes here when its recipient has no address that can be written to, or the mail server has refused it for
good. It leaves when an officer registers that it was posted, or ends its matter (待阅事项) in another way. A letter to
a bureau is registered on the page of its case, by the question that has its number and its day (Article 12).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.cases import Case, Deadline, StaffTask
from models.notices import NoticeState, OutgoingNotice
from models.objections import Objection
from models.organisations import Officer, Role
from models.postings import Posting
from notifications.notices import NOTICES, ToObjector
from notifications.outbox import NOT_MADE
from notifications.rendering import SENDER_NAME, full_date, whom_to_ask
from regulation.limits import POSTING
from regulation.postings import tracking_number
from runtime import clock
from runtime.database import in_pieces, reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.calendars import working_days
from tasks.desk.door import SignedIn
from tasks.desk.kinds import KINDS
from tasks.desk.letters import pdf_from
from tasks.desk.told import OF_STAFF, said_in
from tasks.objections.questions import BatchLetterPosted, LetterPosted
from tasks.office.officers import NO_AUDITOR, acting_officers
from tasks.office.signatures import SignatureError, look_at
from tasks.office.staff_tasks import open_staff_task

TEMPLATE = Path(__file__).with_name("posted.typ").read_bytes()
NO_LINKS = "（网上查看的链接不随信寄送，需要的请凭办件编号向我中心查询）"
LONGEST_ADDRESS = 200
"""Characters."""


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


@dataclass(frozen=True, slots=True)
class OfficialLetter:
    """A letter to a bureau that a case waits for; ``due_on`` is the nearest of the case's limits."""

    case_no: str
    to: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class PostingList:
    """What is to be posted by somebody, or with their knowledge."""

    notices: tuple[ToPost, ...]
    letters: tuple[OfficialLetter, ...]


def _matters_of(session: Session, notices: Sequence[OutgoingNotice]) -> dict[int, list[StaffTask]]:
    """The matters (待阅事项) about notices, by the notices' ids: one could not be delivered, its recipient had no
    address, it was not posted in time."""
    by_case: defaultdict[str | None, list[StaffTask]] = defaultdict(list)
    about = or_(*(StaffTask.key.startswith(f"{each}:") for each in ("undeliverable", "unposted", "unreached")))
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


def _waiting(
    session: Session, theirs: Collection[str], *also: ColumnElement[bool], locked: bool = False
) -> list[tuple[OutgoingNotice, Posting | None]]:
    """Notices about cases of these officers that wait for being posted, with what is known of the posting. Nobody posts
    what cannot be read, nor what the Center writes to itself."""
    wanted = (
        select(OutgoingNotice, Posting)
        .join(Case, Case.case_no == OutgoingNotice.case_no)
        .outerjoin(Posting, Posting.notice_id == OutgoingNotice.id)
        .where(
            OutgoingNotice.state == NoticeState.DEAD,
            OutgoingNotice.notice.not_in(OF_STAFF),
            or_(OutgoingNotice.last_error.is_(None), ~OutgoingNotice.last_error.startswith(NOT_MADE)),
            Posting.posted_on.is_(None),
            Case.officer_no.in_(theirs),
            *also,
        )
        .order_by(OutgoingNotice.id)
    )
    if locked:
        wanted = wanted.with_for_update(of=OutgoingNotice)
    rows = session.execute(wanted).tuples().all()
    matters = _matters_of(session, [notice for notice, _ in rows])
    return [row for row in rows if all(matter.done_at is None for matter in matters[row[0].id])]


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
        return PostingList(notices, tuple(_official(session, theirs)))


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
                address=posting.address if posting is not None else "",
                subject=said_in(notice)[0],
                since=since,
                due_on=due_on,
                late=today > due_on,
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
    return str(notice.context.get("recipient") or notice.context.get("department", ""))


def _is_of_objector(notice: OutgoingNotice) -> bool:
    return issubclass(NOTICES[notice.notice], ToObjector)


def keep_addresses(addresses: Mapping[int, str], by: SignedIn) -> int:
    """Keep where notices are posted to, so that letters and list can be printed; how many are kept.

    Raises ``InputError`` that names the fields (``address-<id>``), ``RefusalError`` for an auditor.
    """
    with transaction() as session:
        letters = _letters_of(session, by)
        given = {number: text.strip() for number, text in addresses.items() if text.strip()}
        _check({f"address-{number}": _wrong_address(text) for number, text in given.items()})
        for number in given.keys() & letters.keys():
            _posting(session, number).address = given[number]
        return len(given.keys() & letters.keys())


@dataclass(frozen=True, slots=True)
class Posted:
    """What an officer says of one letter."""

    address: str
    tracking_no: str


def register_posted(letters: Mapping[int, Posted], posted_on: date | None, code: str, by: SignedIn) -> int:
    """Register that letters were posted on a day, all of them or none, signed with one code; how many. Their matters
    (待阅事项) are done with. The same again changes nothing.

    What is wrong is said before the code is looked at. Raises ``InputError`` that names the fields (``tracking-<id>``,
    ``address-<id>``, ``posted_on``, ``letters``), ``RefusalError`` for an auditor, ``SignatureError``.
    """
    with transaction() as session:
        now = clock.now()
        waiting = _letters_of(session, by)
        if letters and all(_is_posted(session, number, said) for number, said in letters.items()):
            return len(letters)
        numbers = _checked_numbers(letters, posted_on, waiting, clock.local_date(now))
        signed = look_at(session, by.staff_no, code, by.source)
        if not isinstance(signed, SignatureError):
            for number, tracking_no in numbers.items():
                posting = _posting(session, number)
                posting.address, posting.tracking_no = letters[number].address.strip(), tracking_no
                posting.posted_on, posting.posted_by_no, posting.at = posted_on, by.staff_no, now
                _note(session, waiting[number], posting, now)
    # Only now, because a wrong code has to be counted.
    if isinstance(signed, SignatureError):
        raise signed
    return len(letters)


def _letters_of(session: Session, by: SignedIn) -> dict[int, OutgoingNotice]:
    """The notices that somebody may register, by their ids, locked."""
    officer = session.get_one(Officer, by.staff_no)
    if officer.role is Role.AUDITOR:
        raise RefusalError(NO_AUDITOR)
    return {notice.id: notice for notice, _ in _waiting(session, _theirs(session, officer), locked=True)}


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
    try:
        return known.tracking_no == tracking_number(said.tracking_no)
    except InputError:
        return False


def _checked_numbers(
    letters: Mapping[int, Posted], posted_on: date | None, waiting: Mapping[int, OutgoingNotice], today: date
) -> dict[int, str]:
    wrong, numbers = dict[str, str](), dict[int, str]()
    if not letters:
        wrong["letters"] = "请至少填写一封的挂号号码。"
    for number, said in letters.items():
        if number not in waiting:
            wrong["letters"] = "有一封已经登记、已另行告知，或者不由您办理：请刷新本页，核对后再登记。"
            continue
        wrong[f"address-{number}"] = _wrong_address(said.address)
        try:
            numbers[number] = tracking_number(said.tracking_no)
        except InputError as why:
            wrong[f"tracking-{number}"] = str(why)
    for number in {each for each in numbers if list(numbers.values()).count(numbers[each]) > 1}:
        wrong[f"tracking-{number}"] = "两封不能是同一个挂号号码，请照回执更正。"
    written = [clock.local_date(waiting[number].queued_at) for number in numbers]
    if posted_on is None:
        wrong["posted_on"] = "请填写邮寄日期，如2026-03-05。"
    elif posted_on > today:
        wrong["posted_on"] = "邮寄日期不能晚于今天，请更正。"
    elif written and posted_on < max(written):
        wrong["posted_on"] = f"邮寄日期不能早于通知写成的{max(written)}，请更正；写成日期不同的分开登记。"
    _check(wrong)
    return numbers


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
    said = {"subject": said_in(notice)[0], "tracking_no": posting.tracking_no, "posted_on": str(posting.posted_on)}
    # Whoever objects reads of letters to themselves only.
    tag = "case:notice:posted" if _is_of_objector(notice) else "case:notice:posted-to-department"
    record(session, tag, notice.case_no, str(posting.posted_by_no), at, **said)
    for matter in _matters_of(session, [notice])[notice.id]:
        if matter.done_at is None:
            matter.done_at, matter.done_by_no = at, posting.posted_by_no
            matter.note = f"已邮寄（挂号号码{posting.tracking_no}）"


def note_unposted(at: datetime) -> int:
    """Leave to staff what was not posted within ``POSTING`` working days, each once; how many there are."""
    with transaction() as session:
        every = list(acting_officers(session, clock.local_date(at)))
        late = [each for each in _to_post(session, every) if each.late]
        for each in late:
            what = (
                f"{each.case_no}的一封通知送不到邮箱，写成后{POSTING.value}个工作日内没有邮寄：请在“邮寄登记”寄出并登记，"
                "已另行告知的写明怎样告知"
            )
            open_staff_task(session, f"unposted:{each.id}", each.case_no, what, at)
        return len(late)


def posted_letter(number: int, by: SignedIn) -> tuple[str, bytes]:
    """A notice as the letter that is posted: its name and the PDF. Raises ``LookupError`` for a number that is none of
    theirs."""
    with transaction() as session:
        theirs = _theirs(session, session.get_one(Officer, by.staff_no))
        found = _waiting(session, theirs, OutgoingNotice.id == number)
        if not found:
            raise LookupError("没有这封待邮寄的通知，请回到“邮寄登记”核对。")
        notice, posting = found[0]
        subject, text = said_in(notice, NO_LINKS)
        record(session, "case:notice:printed", notice.case_no, by.staff_no, clock.now(), subject=subject)
        letter = _Letter(
            to=_to_whom(session, notice),
            address=posting.address if posting is not None else "",
            title=subject,
            paragraphs=tuple(each for each in text.splitlines() if each.strip()),
            sender=SENDER_NAME,
            day=full_date(clock.today()),
            ask=whom_to_ask(),
        )
    return f"{notice.case_no}通知.pdf", pdf_from(TEMPLATE, asdict(letter))


@dataclass(frozen=True, slots=True)
class _Letter:
    """What ``posted.typ`` says."""

    to: str
    address: str
    title: str
    paragraphs: tuple[str, ...]
    sender: str
    day: str
    ask: str


def address_list(by: SignedIn) -> tuple[ToPost, ...]:
    """The letters whose address is known, for a list that goes to the post office with them."""
    with reading() as session:
        theirs = _theirs(session, session.get_one(Officer, by.staff_no))
        return tuple(each for each in _to_post(session, theirs) if each.address)
