"""What must be so when all is over, whatever was killed meanwhile."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from sqlalchemy import select

from gateways.stand_in import StandIn
from models.cases import Case, StepRecord
from models.certificates import Certificate
from models.notices import NoticeState, OutgoingNotice
from models.objections import VerificationRequest
from models.records import AuditEntry
from notifications.outbox import NO_ADDRESS
from runtime import clock
from runtime.database import reading
from tasks.keeping.records import seal_record, verify_record
from tests.faults.lives import Life

OUTSIDE = ("withdraw_objection", "record_sent")
"""Steps that are recorded where no story runs, too."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was counted, and everything that is not as it must be."""

    cases: int
    steps: int
    notices: int
    mails: int
    again: int
    """Mails that came once more, with the Message-ID of the first and the same text."""
    requests: int
    entries: int
    doubles: int
    wrong: tuple[str, ...]


def look(lives: list[Life], mails: list[EmailMessage], bureau: StandIn) -> Found:
    """Compare everything that is on record, and everything that left, with what the lives say."""
    seal_record(clock.now())
    verified = verify_record()
    wrong = [f"the record: {finding}" for finding in verified.findings]
    with reading() as session:
        cases = {case.case_no: case for case in session.scalars(select(Case))}
        steps: dict[str, list[str]] = defaultdict(list)
        for case_no, step in session.execute(select(StepRecord.case_no, StepRecord.step)).tuples():
            steps[case_no].append(step)
        # A letter to a holder goes by post: it was never to be a mail.
        by_mail = OutgoingNotice.last_error.is_distinct_from(NO_ADDRESS)
        notices = session.scalars(select(OutgoingNotice).where(by_mail)).all()
        entries = session.execute(select(AuditEntry.case_no, AuditEntry.tag, AuditEntry.detail)).tuples().all()
        requests = session.scalars(select(VerificationRequest)).all()
        versions = Counter(session.scalars(select(Certificate.corrected_by_case)))
    numbers = sorted(cases)
    year = clock.today().year
    if numbers != [f"YY-{year}-{number:06}" for number in range(1, len(lives) + 1)]:
        wrong.append(f"numbers with a gap or double: {numbers}")
    told: dict[str, list[str]] = defaultdict(list)
    for notice in notices:
        told[notice.recipient].append(notice.notice)
        if notice.state is not NoticeState.SENT:
            wrong.append(f"{notice.case_no}: {notice.notice} is {notice.state}")
    doubles = 0
    for life in lives:
        case = cases.get(life.case_no)
        if case is None or case.stage != life.end.stage or case.closed_at is None:
            wrong.append(f"{life.case_no} ({life.end.name}): {case and case.stage}")
        for what, had, must in (
            ("steps", steps[life.case_no], life.end.steps),
            ("notices", told[life.email], life.end.notices),
        ):
            doubles += (Counter(had) - Counter(set(had))).total()
            if sorted(had) != sorted(must):
                wrong.append(f"{life.case_no} ({life.end.name}): {what} {had}")
        corrected = "correct_certificate" in life.end.steps
        if versions[life.case_no] != corrected:
            wrong.append(f"{life.case_no}: {versions[life.case_no]} corrections")
    # What somebody answered twice is refused and says so, and whoever opened a page again has looked twice; whatever
    # else a case went through, it did once.
    happened = Counter(
        (case_no, tag, str(sorted(detail.items())))
        for case_no, tag, detail in entries
        if case_no in cases and not tag.endswith((":refused", ":not-reached", ":late", ":read"))
    )
    for (case_no, tag, _), times in happened.items():
        if times > 1:
            doubles += times - 1
            wrong.append(f"{case_no}: {tag} {times} times")
    doubles += _mails(notices, mails, wrong)
    _requests(requests, bureau, wrong)
    return Found(
        cases=len(cases),
        steps=sum(map(len, steps.values())),
        notices=len(notices),
        mails=len(mails),
        again=len(mails) - len({mail["Message-ID"] for mail in mails}),
        requests=len(requests),
        entries=len(entries),
        doubles=doubles,
        wrong=tuple(wrong),
    )


def _mails(notices: Sequence[OutgoingNotice], mails: list[EmailMessage], wrong: list[str]) -> int:
    """Each notice arrived, under its own Message-ID; one that came again was the same mail. How many were not."""
    arrived: dict[str, set[str]] = defaultdict(set)
    for mail in mails:
        body = mail.get_body(("plain",))
        arrived[mail["Message-ID"]].add(f"{mail['To']}\n{mail['Subject']}\n{body.get_content() if body else ''}")
    ids = {notice.message_id for notice in notices}
    wrong += [f"never arrived: {each}" for each in ids - arrived.keys()]
    wrong += [f"nobody's mail arrived: {each}" for each in arrived.keys() - ids]
    wrong += [f"two mails with one Message-ID: {each}" for each, texts in arrived.items() if len(texts) > 1]
    texts = Counter(text for each in arrived.values() for text in each)
    return sum(times - 1 for times in texts.values())


def _requests(requests: Sequence[VerificationRequest], bureau: StandIn, wrong: list[str]) -> None:
    """The bureau took each request once, and gave the number that is on record."""
    ours = {each.idempotency_key: each.remote_no for each in requests if not each.by_letter}
    theirs = {key: taken.number for key, taken in bureau.taken.items()}
    if ours != theirs:
        wrong.append(f"requests: {ours.items() ^ theirs.items()}")
