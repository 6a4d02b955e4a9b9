"""Verification requests to the superior bureaus (Article 12): prepared in a step, sent outside of it, answered."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from gateways.superior_bureaus import BureauReply, JoinedClaim, VerificationMessage, fetch_reply, send_verification
from gateways.zhejiang_gateway import (
    BureauRefusedError,
    BureauUnavailableError,
    MappingError,
    Matter,
    has_gateway,
)
from models.cases import AnswerSource, Case, Deadline
from models.certificates import CertificateType
from models.objections import Objection, VerificationRequest
from notifications.notices import VerificationSent
from regulation.certificates import Level
from regulation.limits import URGE, VERIFICATION_REQUEST
from regulation.objections import (
    STAGES,
    Bureau,
    Pursued,
    Pursuit,
    Stage,
    answering_bureau,
    pursuit_after_silence,
)
from regulation.postings import tracking_number
from runtime import clock
from runtime.database import in_pieces, insert_many, reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.answers import accepted_answer, answer_for_all, answered, answers_so_far, record_answer
from tasks.case.deadlines import meet_deadlines, start_deadlines
from tasks.case.questions import Asked
from tasks.case.step import (
    CaseClosedError,
    Step,
    Steps,
    alone,
    durable,
    locked_case,
    locked_cases,
    move,
    not_yet,
    together,
)
from tasks.case.submissions import OtherContentError, came_before
from tasks.objections.claims import Claim, claims_of
from tasks.objections.questions import LetterPosted, RefusedRequest, Remedy, ReplyKind, VerificationReply, reply_of
from tasks.objections.steps import parties_of
from tasks.office.staff_tasks import open_staff_task

R = TypeVar("R")

RETRY_AFTER_MINUTES = (2, 5, 10, 30, 60)
"""Minutes until a bureau that could not be reached is tried again; the last one repeats."""
REQUESTS = select(VerificationRequest).where(
    VerificationRequest.case_no.in_(bindparam("case_nos", expanding=True)),
    VerificationRequest.turn == bindparam("turn"),
)
HISTORIES = (
    select(VerificationRequest)
    .where(VerificationRequest.case_no.in_(bindparam("case_nos", expanding=True)))
    .order_by(VerificationRequest.turn)
)
SOURCES = (
    select(Objection.case_no, CertificateType.source)
    .outerjoin(CertificateType, CertificateType.code == Objection.type_code)
    .where(Objection.case_no.in_(bindparam("case_nos", expanding=True)))
)
SILENCE = {"kind": str(ReplyKind.SILENT)}
"""What is recorded as the reply of a bureau that let its limit pass."""
PURSUED_TOGETHER = 500
"""Cases that one transaction pursues."""
SENT_AT_ONCE = 8
"""Calls that are on their way to the gateways at the same time."""


@durable("准备核实需求")
def prepare_pursuit(step: Step) -> str:
    """Write down what is done next to get a reply: the request, an urge, an escalation, or what staff chose.

    Returns ``"gateway"``, ``"letter"``, or ``"answered"`` when the reply came first and nothing has to be sent.
    """
    if accepted_answer(step.session, step.case.case_no, VerificationReply.question, step.turn) is not None:
        return "answered"
    return alone(step, prepare_all)[step.case.case_no]


def prepare_all(steps: Steps) -> dict[str, str]:
    """``prepare_pursuit`` of many cases that have no reply; the way each goes."""
    return _prepare(steps, _moves(steps.session, steps.cases, steps.turn))


def _prepare(steps: Steps, moves: Mapping[str, Pursued]) -> dict[str, str]:
    rows = []
    for case_no, what in ((case.case_no, moves[case.case_no]) for case in steps.cases):
        row = {
            "case_no": case_no,
            "turn": steps.turn,
            "pursuit": what.pursuit,
            "bureau": what.bureau,
            "idempotency_key": f"{case_no}-{steps.turn}",
            "by_letter": what.pursuit is Pursuit.LETTER or not has_gateway(what.bureau),
            "prepared_at": steps.now,
            "next_attempt_at": steps.now,
            "asked_at": steps.now,
            "attempts": 0,
        }
        rows.append(row)
        said = {name: row[name] for name in ("bureau", "pursuit", "by_letter")}
        steps.audit("objection:verification:prepared", case_no, **said)
    insert_many(steps.session, cast("Table", VerificationRequest.__table__), rows)
    return {str(row["case_no"]): "letter" if row["by_letter"] else "gateway" for row in rows}


def _moves(session: Session, cases: Sequence[Case], turn: int) -> dict[str, Pursued]:
    """By case what is done in a turn to get a reply: the request in the first, then what its silence, or what staff
    chose after its refusal, leads to."""
    moves: dict[str, Pursued] = {}
    history: dict[str, list[VerificationRequest]] = defaultdict(list)
    for some in in_pieces([case.case_no for case in cases]):
        if turn == 1:
            for case_no, source in session.connection().execute(SOURCES, {"case_nos": some}):
                moves[case_no] = Pursued(Pursuit.REQUEST, answering_bureau(source or Level.CITY))
        else:
            for past in session.scalars(HISTORIES, {"case_nos": some}):
                history[past.case_no].append(past)
    for case_no, requests in history.items():
        # Only what was refused is decided on by staff.
        refused = requests[-1].refusal is not None
        choice = accepted_answer(session, case_no, RefusedRequest.question, turn - 1) if refused else None
        moves[case_no] = (
            pursuit_after_silence([Pursued(past.pursuit, past.bureau) for past in requests])
            if choice is None
            else _after(Remedy(choice["remedy"]), requests[-1].bureau)
        )
    return moves


def _after(remedy: Remedy, bureau: Bureau) -> Pursued:
    match remedy:
        case Remedy.AGAIN:
            return Pursued(Pursuit.AGAIN, bureau)
        case Remedy.LETTER:
            return Pursued(Pursuit.LETTER, bureau)
        case Remedy.ESCALATE:
            return Pursued(Pursuit.ESCALATE, Bureau.PROVINCE)


def pursue_at_rest(silent: Mapping[str, int], at: datetime) -> list[str]:
    """For cases whose bureau let its limit pass in a turn, and that rest, put down what is done next to get a reply, as
    their stories would; the correspondence hands it in. Which those are.

    What takes a person, because the bureau has no gateway, is left to the case's own run.
    """
    pursued: list[str] = []
    by_turn: dict[int, list[str]] = defaultdict(list)
    for case_no, turn in silent.items():
        by_turn[turn].append(case_no)
    for turn, case_nos in by_turn.items():
        for some in in_pieces(case_nos, PURSUED_TOGETHER):
            with transaction() as session:
                pursued += _pursue(session, some, turn, at)
    return pursued


def _pursue(session: Session, case_nos: Sequence[str], turn: int, at: datetime) -> list[str]:
    # A reply ends the rest of its case: what rests now that it is locked has none.
    resting = [case for case in locked_cases(session, case_nos) if case.at_rest and case.stage == Stage.VERIFYING]
    moves = _moves(session, resting, turn + 1)
    cases = [case for case in resting if has_gateway(moves[case.case_no].bureau)]
    silence = Steps(session, cases, VerificationReply.question, turn, AnswerSource.TIME_LIMIT, at)
    answer_for_all(silence, VerificationReply, SILENCE, f"silent:{turn}", AnswerSource.TIME_LIMIT)
    prepared = Steps(session, cases, prepare_pursuit.name, turn + 1, "system", at)
    together(prepared, lambda steps: _prepare(steps, moves))
    for case in cases:
        case.waiting_for = f"{VerificationReply.question}-{turn + 1}"
    return [case.case_no for case in cases]


def deliver_verification(case_no: str, turn: int) -> bool:
    """Hand a prepared request to the bureau's gateway, outside of any transaction, and record what came of it.

    Sent, refused by the bureau (which becomes a question to staff), or not reached: then it is tried again by the
    scheduled correspondence, and the case goes on waiting with its clock shown. Returns whether the bureau could be
    reached. Raises ``CaseClosedError`` when the objector withdrew meanwhile.
    """
    with reading() as session:
        request = _request(session, case_no, turn)
    if request is None or not _is_due(request):
        return True
    unreachable = deliver_all([request])
    with reading() as session:
        if session.get_one(Case, case_no).closed_at is not None:
            raise CaseClosedError(case_no)
    return not unreachable


def _is_due(request: VerificationRequest) -> bool:
    return request.sent_at is None and request.refusal is None and not request.by_letter


def deliver_all(requests: Sequence[VerificationRequest]) -> frozenset[Bureau]:
    """``deliver_verification`` of many requests, some at a time; the bureaus that could not be reached.

    What one of these was still to get is left for another time. Closed cases are passed over.
    """
    due = [each for each in requests if _is_due(each)]
    if not due:
        return frozenset()
    with reading() as session:
        messages = _messages(session, due)
    unreachable: set[Bureau] = set()
    answers = _at_gateways(due, lambda request: send_verification(request.bureau, messages[request.id]), unreachable)
    sent: dict[tuple[int, Bureau], dict[str, str]] = defaultdict(dict)
    for request, answer in zip(due, answers, strict=True):
        match answer:
            case str():
                sent[request.turn, request.bureau][request.case_no] = answer
            case BureauRefusedError():
                _refused(request.case_no, request.turn, str(answer))
            case BureauUnavailableError() | MappingError():
                _postpone(request.case_no, request.turn, str(answer))
    for (turn, bureau), numbers in sent.items():
        _record_taken(turn, bureau, numbers)
    return frozenset(unreachable)


class _NotAskedError(Exception):
    """A gateway that could not be reached a moment ago was not asked again."""


def _at_gateways(
    requests: Sequence[VerificationRequest], call: Callable[[VerificationRequest], R], unreachable: set[Bureau]
) -> list[R | Exception]:
    """What the gateways answer to a call for each request, some at a time, or why they do not; those that cannot be
    reached are added to ``unreachable``."""

    def ask(request: VerificationRequest) -> R | Exception:
        if request.bureau in unreachable:
            return _NotAskedError()
        try:
            return call(request)
        except (BureauUnavailableError, MappingError) as why:
            unreachable.add(request.bureau)
            return why
        except (BureauRefusedError, RefusalError) as why:
            return why

    with ThreadPoolExecutor(SENT_AT_ONCE) as pool:
        return list(pool.map(ask, requests))


def _record_taken(turn: int, bureau: Bureau, numbers: Mapping[str, str]) -> None:
    """What a bureau took, with its own number for each case."""
    with transaction() as session:
        cases = not_yet(session, locked_cases(session, list(numbers)), "record_sent", turn)
        steps = Steps(session, cases, "record_sent", turn, str(bureau), clock.now())
        together(steps, lambda steps: _record_sent(steps, numbers, steps.today))


@durable("登记发函")
def record_letter(step: Step) -> None:
    """The letter that staff posted counts as the request, from the day on which they say it went out."""
    posted = answered(step, LetterPosted)
    alone(step, lambda steps: record_all_posted(steps, posted))


def record_all_posted(steps: Steps, posted: LetterPosted) -> None:
    """``record_letter`` of many cases that one letter was about."""
    numbers = dict.fromkeys((case.case_no for case in steps.cases), posted.letter_no)
    tracking_no = tracking_number(posted.tracking_no) if posted.tracking_no else ""
    _record_sent(steps, numbers, posted.posted_on, tracking_no)


def _record_sent(steps: Steps, remote_nos: Mapping[str, str], sent_on: date, tracking_no: str = "") -> None:
    """The statutory duty is done on the day the first request goes out; its lateness, if any, stays on the case.
    ``tracking_no`` is the post's number of a letter."""
    session = steps.session
    requests = _requests(session, [case.case_no for case in steps.cases], steps.turn)
    everyone = parties_of(session, steps.cases)
    # Who joined after the letter was posted cannot have been late.
    served = {case.case_no: case for case in steps.cases}
    served |= {party.case.case_no: party.case for each in everyone.values() for party in each}
    met_on = {case_no: max(sent_on, case.received_on) for case_no, case in served.items()}
    met = meet_deadlines(session, met_on, VERIFICATION_REQUEST)
    for case in steps.cases:
        request = requests[case.case_no]
        request.sent_at, request.remote_no = steps.now, remote_nos[case.case_no]
        heard = {case.case_no, *(party.case.case_no for party in everyone[case.case_no])}
        for case_no in sorted(heard & met.keys()):
            steps.audit("objection:time-limit:met", case_no, missed_by=met[case_no].missed_by)
        if case.stage == Stage.ACCEPTED:
            move(case, STAGES, Stage.VERIFYING)
        for party in everyone[case.case_no]:
            if request.pursuit is not Pursuit.URGE:
                sent = VerificationSent(**party.about, bureau=request.bureau, sent_on=sent_on)
                steps.notify(sent, party.to, party.case.case_no)
        said = {"bureau": request.bureau, "pursuit": request.pursuit, "remote_no": request.remote_no}
        said |= {"tracking_no": tracking_no} if tracking_no else {}
        steps.audit("objection:verification:sent", case.case_no, **said)
    meet_deadlines(session, {case.case_no: steps.today for case in steps.cases}, URGE)
    # The reply may have come, on paper, while the request was on its way: then there is nothing to urge.
    urged = [case.case_no for case in steps.cases if case.stage == Stage.VERIFYING]
    session.flush()
    start_deadlines(session, urged, URGE, sent_on, steps.turn)


def _request(session: Session, case_no: str, turn: int) -> VerificationRequest | None:
    return _requests(session, [case_no], turn).get(case_no)


def _requests(session: Session, case_nos: Sequence[str], turn: int) -> dict[str, VerificationRequest]:
    found: dict[str, VerificationRequest] = {}
    for some in in_pieces(case_nos):
        requests = session.scalars(REQUESTS, {"case_nos": some, "turn": turn})
        found |= {request.case_no: request for request in requests}
    return found


def _messages(session: Session, requests: Sequence[VerificationRequest]) -> dict[int, VerificationMessage]:
    """By their ids, the requests as they go out."""
    told: dict[str, tuple[Case, date]] = {}
    case_nos = [request.case_no for request in requests]
    for some in in_pieces(case_nos):
        wanted = (
            select(Case, Deadline.due_on)
            .join(Deadline, Deadline.case_no == Case.case_no)
            .where(Case.case_no.in_(some), Deadline.limit_code == VERIFICATION_REQUEST.code)
        )
        told |= {row[0].case_no: row for row in session.execute(wanted).tuples()}
    claims = claims_of(session, case_nos)
    return {request.id: _message(request, *told[request.case_no], *claims[request.case_no]) for request in requests}


def _message(
    request: VerificationRequest, case: Case, due_on: date, first: Claim, *others: Claim
) -> VerificationMessage:
    objection = first.objection
    return VerificationMessage(
        case_no=case.case_no,
        idempotency_key=request.idempotency_key,
        pursuit=request.pursuit,
        type_code=objection.type_code or "",
        type_name=objection.certificate_type,
        certificate_reference=objection.certificate_reference,
        field_code=objection.field_code or "",
        field_name=objection.field_name,
        stated=objection.stated,
        proposed=objection.proposed,
        reason=objection.reason,
        grounds=objection.grounds,
        joined=[_joined(other) for other in others],
        received_on=case.received_on,
        due_on=due_on,
        matter=Matter(
            power_matters="异议核查",
            sub_power_matters="电子证照数据核实",
            accesscard_id=case.officer_no,
            material_name=objection.certificate_type,
            sponsor_name="绍兴市柯桥区大数据发展管理中心",
            sponsor_code="330603",
            project_id=case.case_no,
        ),
    )


def _joined(claim: Claim) -> JoinedClaim:
    """A claim as a bureau is told it."""
    said = claim.objection
    return JoinedClaim(
        grounds=said.grounds,
        stated=said.stated,
        proposed=said.proposed,
        reason=said.reason,
        attachments=list(claim.attachments),
    )


def _postpone(case_no: str, turn: int, why: str) -> None:
    with transaction() as session:
        locked_case(session, case_no)
        request = _request(session, case_no, turn)
        if request is None or request.sent_at is not None:
            return
        now = clock.now()
        wait = RETRY_AFTER_MINUTES[min(request.attempts, len(RETRY_AFTER_MINUTES) - 1)]
        request.attempts += 1
        request.next_attempt_at = now + timedelta(minutes=wait)
        record(session, "objection:verification:not-reached", case_no, str(request.bureau), now, why=why, retry=wait)


def _refused(case_no: str, turn: int, why: str) -> None:
    with transaction() as session:
        case = locked_case(session, case_no)
        request = _request(session, case_no, turn)
        if request is None or request.sent_at is not None or request.refusal is not None:
            return
        now = clock.now()
        request.refusal = why
        record(session, "objection:verification:refused", case_no, str(request.bureau), now, why=why)
        record_answer(
            session,
            case,
            VerificationReply,
            turn,
            AnswerSource.BUREAU,
            f"{request.idempotency_key}:refused",
            {"kind": ReplyKind.REFUSED},
            now,
        )


def take_bureau_reply(bureau: Bureau, reply: BureauReply) -> bool:
    """Record a bureau's reply, whichever way it came and however often; whether it was news that a run should hear.

    Raises ``LookupError`` for a case that this bureau was never asked about, ``RefusalError`` for a reply that cannot
    be (a finding of error without the right value), and what ``came_before`` raises for a number of the bureau's under
    which it has said something else: that is left to staff.
    """
    try:
        return _record_bureau_reply(bureau, reply)
    except OtherContentError:
        # Its program is told no, but that the bureau says something else now is for a person to look into.
        with transaction() as session:
            what = f"{bureau}以同一回复文号（{reply.reply_no}）又发来不同的内容，没有登记，请与其核对"
            open_staff_task(session, f"bad-reply:{reply.case_no}", reply.case_no, what, clock.now())
        raise


def _record_bureau_reply(bureau: Bureau, reply: BureauReply) -> bool:
    form = VerificationReply.model_validate(reply.model_dump(exclude={"case_no"}))
    with transaction() as session:
        asked = select(VerificationRequest.id).where(
            VerificationRequest.case_no == reply.case_no, VerificationRequest.bureau == bureau
        )
        if session.scalar(asked.limit(1)) is None:
            raise LookupError(f"没有向{bureau}提出过编号为{reply.case_no}的核实需求。")
        case = locked_case(session, reply.case_no)
        now = clock.now()
        try:
            form.check(Asked(session, case, "", clock.local_date(now)))
        except InputError as why:
            # Wrong beside what the case says, not in itself.
            raise RefusalError(str(why)) from None
        key = f"{bureau}:{reply.reply_no}:{case.case_no}"
        # Only to be sure that it says what it said before; what comes of it hangs on where the case stands.
        came_before(session, "reply", key, form)
        known = reply_of(session, case.case_no)
        if known is not None or Stage(case.stage) not in {Stage.ACCEPTED, Stage.VERIFYING}:
            said = (reply.reply_no, reply.finding, reply.corrected_value)
            if known is None or (known["reply_no"], known["finding"], known["corrected_value"]) != said:
                stands = f"本件已登记{known['reply_no']}为准" if known else f"本件已为“{case.stage}”"
                what = f"{bureau}回复了核实结果（{reply.reply_no}），但{stands}，请阅处"
                open_staff_task(session, f"late-reply:{key}", case.case_no, what, now)
            record(session, "objection:reply:late", case.case_no, str(bureau), now, reply_no=reply.reply_no)
            return False
        return record_reply(session, case, form.recorded(), AnswerSource.BUREAU, key, now) is None


def record_reply(
    session: Session,
    case: Case,
    given: dict[str, Any],
    source: AnswerSource,
    key: str,
    at: datetime,
    officer_no: str | None = None,
) -> str | None:
    """Put a bureau's reply on record, whichever way it came; why it is refused, if it is."""
    turn = answers_so_far(session, case.case_no, VerificationReply.question) + 1
    why = record_answer(session, case, VerificationReply, turn, source, key, given, at, officer_no)
    if why is None:
        # Whatever the story waits for, a form about a refused request included: this answers it. What waits for nothing
        # any more is woken by recovery, if nobody does before.
        case.waiting_for = None
    return why


def correspond(limit: int = 500) -> list[str]:
    """Send what could not be sent before and fetch replies that nobody pushed; the case numbers that have news.

    A bureau that cannot be reached is left for the next round, so that it does not keep the others waiting; who was
    not asked for the longest time is asked first.
    """
    now = clock.now()
    with reading() as session:
        unsent = session.scalars(
            select(VerificationRequest)
            .join(Case, Case.case_no == VerificationRequest.case_no)
            .where(
                VerificationRequest.sent_at.is_(None),
                VerificationRequest.refusal.is_(None),
                VerificationRequest.by_letter.is_(False),
                VerificationRequest.next_attempt_at <= now,
                Case.stage.in_((Stage.ACCEPTED, Stage.VERIFYING)),
            )
            .order_by(VerificationRequest.next_attempt_at)
            .limit(limit)
        ).all()
        asked = session.scalars(
            select(VerificationRequest)
            .join(Case, Case.case_no == VerificationRequest.case_no)
            .where(
                Case.stage == Stage.VERIFYING,
                VerificationRequest.sent_at.is_not(None),
                VerificationRequest.by_letter.is_(False),
                VerificationRequest.pursuit != Pursuit.URGE,
            )
            .order_by(VerificationRequest.asked_at, VerificationRequest.id)
            .limit(limit)
        ).all()
    gone = {bureau for bureau in Bureau if not has_gateway(bureau)}
    unreachable = gone | deliver_all([request for request in unsent if request.bureau not in gone])
    sent = [request.case_no for request in unsent if request.bureau not in unreachable]
    return sent + _fetch_all([request for request in asked if request.bureau not in unreachable])


def _fetch_all(requests: Sequence[VerificationRequest]) -> list[str]:
    """Ask the bureaus for their replies; the case numbers that have news. What cannot be recorded is left to staff."""
    news, asked = [], []
    replies = _at_gateways(requests, lambda request: fetch_reply(request.bureau, request.remote_no or ""), set())
    for request, reply in zip(requests, replies, strict=True):
        if isinstance(reply, (_NotAskedError, BureauUnavailableError, MappingError)):
            continue
        asked.append(request.id)
        try:
            if isinstance(reply, Exception):
                raise reply
            if reply is not None and take_bureau_reply(request.bureau, reply):
                news.append(request.case_no)
        except (BureauRefusedError, RefusalError, LookupError) as why:
            with transaction() as session:
                what = (
                    f"{request.bureau}回复的核实结果不能登记（{str(why).rstrip('。')}）；"
                    "请与该局核对，由其更正后重新回复，或者凭其书面答复在办件中录入"
                )
                open_staff_task(session, f"bad-reply:{request.case_no}", request.case_no, what, clock.now())
    with transaction() as session:
        for some in in_pieces(asked):
            mine = VerificationRequest.id.in_(some)
            session.execute(update(VerificationRequest).where(mine).values(asked_at=clock.now()))
    return news
