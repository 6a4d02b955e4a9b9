"""The checklists of the teams of a random spot check (Article 17): one of a team enters the results, the other confirms
them or sends them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.cases import AnswerSource, Case
from models.organisations import Department, Officer
from models.spot_checks import InspectorConflict, SpotCheck, SpotCheckObject, SpotCheckResult, SpotCheckTeam
from notifications.notices import SpotCheckToConfirm
from notifications.outbox import queue
from regulation.limits import SPOT_CHECK_RESULTS
from regulation.spot_check_draws import canonical
from regulation.spot_checks import Stage, TeamStage, may_confirm
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.answers import answers_so_far, record_answer
from tasks.case.deadlines import running_deadline
from tasks.case.step import locked_case
from tasks.office.signatures import SignatureError, sign_on_page
from tasks.spot_checks.objects import lasting
from tasks.spot_checks.questions import SpotCheckResults, Waiting
from tasks.spot_checks.steps import checklist_link, frozen_of
from tasks.spot_checks.workbooks import Filled, Given, Line, filled_in, heading, read_workbook, workbook_of


@dataclass(frozen=True, slots=True)
class Checklist:
    """A team's checklist as one of its inspectors sees it."""

    case_no: str
    department: str
    uscc: str
    inspectors: tuple[str, ...]
    stage: TeamStage
    entered_by: str | None
    returned: str | None
    may_enter: bool
    may_confirm: bool
    lines: tuple[Line, ...]
    filled: Given
    digest: str
    """Of what was filled in: whoever confirms says by it what was seen."""


def sign_for_checklists(case_no: str, staff_no: str, code: str, address: str) -> str:
    """A ticket for whoever signs from an ``address``; with it the checklists of that officer's teams can be read and
    filled in. Raises what ``sign_on_page`` raises, ``RefusalError`` for who is in no team of the round."""
    number = sign_on_page(staff_no, code, address).staff_no
    with transaction() as session:
        record(session, "spot-check:checklists:read", case_no, number, clock.now())
    with reading() as session:
        if not _teams(session, case_no, number):
            raise RefusalError(f"工号{number}不在{case_no}的检查组中，请核对办件编号。")
    return keys().ticket(f"spot-check:{case_no}:{number}")


def _signer(case_no: str, ticket: str, life: timedelta) -> str:
    try:
        said = keys().read_ticket(ticket, life)
    except ValueError:
        said = ""
    head, _, staff_no = said.rpartition(":")
    if head != f"spot-check:{case_no}":
        raise SignatureError("签名已过期，请重新签名。")
    return staff_no


def _teams(session: Session, case_no: str, staff_no: str) -> list[SpotCheckTeam]:
    wanted = select(SpotCheckTeam).where(SpotCheckTeam.case_no == case_no).order_by(SpotCheckTeam.department_uscc)
    return [team for team in session.scalars(wanted) if staff_no in team.inspectors]


def checklists(case_no: str, ticket: str, life: timedelta) -> list[Checklist]:
    """The checklists of the officer who signed. Raises ``SignatureError`` for a ticket that is none of ours, another
    round's or too old."""
    staff_no = _signer(case_no, ticket, life)
    with reading() as session:
        return [_checklist(session, team, staff_no) for team in _teams(session, case_no, staff_no)]


def _checklist(session: Session, team: SpotCheckTeam, staff_no: str) -> Checklist:
    lines = lines_of(session, team)
    filled = _filled(session, team, lines)
    open_round = session.get_one(Case, team.case_no).stage == Stage.CHECKING
    entered = team.stage is TeamStage.ENTERED
    return Checklist(
        case_no=team.case_no,
        department=session.get_one(Department, team.department_uscc).name,
        uscc=team.department_uscc,
        inspectors=tuple(team.inspectors),
        stage=team.stage,
        entered_by=team.entered_by,
        returned=team.returned,
        may_enter=open_round and (team.stage is TeamStage.CHECKING or (entered and team.entered_by == staff_no)),
        may_confirm=open_round and entered and may_confirm(staff_no, team.entered_by or "", team.inspectors),
        lines=tuple(lines),
        filled=filled,
        digest=_digest(filled),
    )


def _filled(session: Session, team: SpotCheckTeam, lines: Sequence[Line]) -> dict[int, tuple[str, str]]:
    results = session.scalars(select(SpotCheckResult).where(SpotCheckResult.case_no == team.case_no))
    said = {(each.place, each.item_code): (str(each.result), each.note) for each in results}
    return {line.number: said[line.place, line.code] for line in lines if (line.place, line.code) in said}


def _digest(filled: Given) -> str:
    return sha256(canonical(sorted(filled.items())).encode()).hexdigest()


def lines_of(session: Session, team: SpotCheckTeam) -> list[Line]:
    """The lines of a team's checklist: its objects under the check items that were on the list for their kind."""
    items = frozen_of(session.get_one(SpotCheck, team.case_no)).items
    mine = select(SpotCheckObject).where(
        SpotCheckObject.case_no == team.case_no, SpotCheckObject.department_uscc == team.department_uscc
    )
    pairs = [
        (drawn, item)
        for drawn in session.scalars(mine.order_by(SpotCheckObject.place))
        for item in items
        if drawn.kind in item.kinds
    ]
    return [
        Line(number, drawn.place, drawn.title, drawn.kind, item.code, item.title, item.article, item.how)
        for number, (drawn, item) in enumerate(pairs, 1)
    ]


def checklist_file(case_no: str, uscc: str, ticket: str, life: timedelta) -> tuple[str, bytes]:
    """A team's checklist as a workbook, with its file name. Raises as ``checklists``, and ``RefusalError`` for a team
    that the officer is not in."""
    found = [each for each in checklists(case_no, ticket, life) if each.uscc == uscc]
    if not found:
        raise RefusalError("您不在该部门的检查组中。")
    title = heading(case_no, found[0].department)
    return f"{title}.xlsx", workbook_of(title, found[0].lines, found[0].filled)


def enter_workbook(case_no: str, uscc: str, ticket: str, life: timedelta, name: str, content: bytes) -> None:
    """Enter the results that a workbook holds. Raises ``SignatureError``, ``InputError`` as ``read_workbook``, and
    ``RefusalError`` for who may not enter them now."""
    staff_no = _signer(case_no, ticket, life)
    with reading() as session:
        team = _own_team(session, case_no, uscc, staff_no)
        title, lines = heading(case_no, session.get_one(Department, uscc).name), lines_of(session, team)
    # Read before the transaction, which on SQLite keeps everybody else from writing.
    _enter(case_no, uscc, staff_no, read_workbook(name, content, title, lines))


def enter_lines(case_no: str, uscc: str, ticket: str, life: timedelta, given: Given) -> None:
    """Enter the results that were filled in on the page. Raises as ``enter_workbook``."""
    staff_no = _signer(case_no, ticket, life)
    with reading() as session:
        lines = lines_of(session, _own_team(session, case_no, uscc, staff_no))
    _enter(case_no, uscc, staff_no, filled_in(lines, given))


def _own_team(session: Session, case_no: str, uscc: str, staff_no: str) -> SpotCheckTeam:
    team = session.get(SpotCheckTeam, (case_no, uscc))
    if team is None or staff_no not in team.inspectors:
        raise RefusalError("您不在该部门的检查组中，或者已被更换。")
    return team


def _open_team(session: Session, case_no: str, uscc: str, staff_no: str) -> SpotCheckTeam:
    """The team of whoever signed, with the round locked. Raises ``RefusalError`` once the checks are over,
    and for who must not check the department."""
    case = locked_case(session, case_no)
    if case.stage != Stage.CHECKING:
        raise RefusalError(f"本轮抽查{case.stage}，不再接受检查结果。")
    barred = select(InspectorConflict.id).where(
        InspectorConflict.staff_no == staff_no,
        InspectorConflict.department_uscc == uscc,
        lasting(clock.today()),
    )
    if session.scalar(barred) is not None:
        raise RefusalError("您回避该部门，不能登记或确认其结果，请经办人更换检查人员。")
    return _own_team(session, case_no, uscc, staff_no)


def _enter(case_no: str, uscc: str, staff_no: str, filled: Sequence[Filled]) -> None:
    with transaction() as session:
        now = clock.now()
        team = _open_team(session, case_no, uscc, staff_no)
        if team.stage is TeamStage.CONFIRMED:
            raise RefusalError("结果已经双方确认，不能再改。")
        if team.stage is TeamStage.ENTERED and team.entered_by != staff_no:
            raise RefusalError("另一名检查人员已登记结果，请确认或退回。")
        places = {each.line.place for each in filled}
        session.execute(
            delete(SpotCheckResult).where(SpotCheckResult.case_no == case_no, SpotCheckResult.place.in_(places))
        )
        session.add_all(
            SpotCheckResult(
                case_no=case_no,
                place=each.line.place,
                item_code=each.line.code,
                result=each.result,
                note=each.note,
            )
            for each in filled
        )
        team.stage, team.entered_by, team.returned = TeamStage.ENTERED, staff_no, None
        record(session, "spot-check:results:entered", case_no, staff_no, now, department=uscc, lines=len(filled))
        _ask_colleague(session, team, staff_no, now)


def _ask_colleague(session: Session, team: SpotCheckTeam, entered_by: str, at: datetime) -> None:
    deadline = running_deadline(session, team.case_no, SPOT_CHECK_RESULTS)
    for staff_no in team.inspectors:
        if staff_no != entered_by:
            officer = session.get_one(Officer, staff_no)
            notice = SpotCheckToConfirm(
                officer=officer.name,
                case_no=team.case_no,
                department=session.get_one(Department, team.department_uscc).name,
                entered_by=entered_by,
                due_on=deadline.due_on if deadline else clock.local_date(at),
                link=checklist_link(team.case_no),
            )
            key = f"{team.case_no}:to-confirm:{team.department_uscc}:{at.isoformat()}"
            queue(session, notice, officer.email, key=key, case_no=team.case_no, at=at)


def confirm_results(case_no: str, uscc: str, ticket: str, life: timedelta, seen: str) -> bool:
    """Confirm what the colleague entered, as it was ``seen`` (the checklist's digest); whether that was the last team,
    so that the round goes on. Confirming again changes nothing. Raises ``SignatureError``, and ``RefusalError`` for who
    may not and for results that were entered anew meanwhile."""
    staff_no = _signer(case_no, ticket, life)
    with transaction() as session:
        now = clock.now()
        case = locked_case(session, case_no)
        team = session.get(SpotCheckTeam, (case_no, uscc))
        if team is not None and team.confirmed_by == staff_no:
            return False
        team = _open_team(session, case_no, uscc, staff_no)
        if team.stage is TeamStage.CHECKING:
            raise RefusalError("还没有登记结果，不能确认。")
        if not may_confirm(staff_no, team.entered_by or "", team.inspectors):
            raise RefusalError("结果须由检查组的另一名检查人员确认。")
        if _digest(_filled(session, team, lines_of(session, team))) != seen:
            raise RefusalError("同组检查人员刚刚更改了结果，请核对后再确认。")
        team.stage, team.confirmed_by = TeamStage.CONFIRMED, staff_no
        record(session, "spot-check:results:confirmed", case_no, staff_no, now, department=uscc)
        session.flush()
        left = select(SpotCheckTeam.case_no).where(
            SpotCheckTeam.case_no == case_no, SpotCheckTeam.stage != TeamStage.CONFIRMED
        )
        if session.scalar(left.limit(1)) is not None:
            return False
        turn = answers_so_far(session, case_no, SpotCheckResults.question) + 1
        given = SpotCheckResults(kind=Waiting.DONE).recorded()
        key = f"{case_no}:results-complete"
        record_answer(session, case, SpotCheckResults, turn, AnswerSource.OFFICER, key, given, now)
        return True


def return_results(case_no: str, uscc: str, ticket: str, life: timedelta, why: str) -> None:
    """Send back what the colleague entered, with why: it can be entered again. Raises as ``confirm_results``."""
    staff_no = _signer(case_no, ticket, life)
    if not 5 <= len(why) <= 500:
        raise InputError.of("why", "退回须写明原因（5至500个字）。")
    with transaction() as session:
        now = clock.now()
        team = _open_team(session, case_no, uscc, staff_no)
        if team.stage is not TeamStage.ENTERED or not may_confirm(staff_no, team.entered_by or "", team.inspectors):
            raise RefusalError("只有检查组的另一名检查人员可以退回尚未确认的结果。")
        team.stage, team.entered_by, team.returned = TeamStage.CHECKING, None, why
        record(session, "spot-check:results:returned", case_no, staff_no, now, department=uscc)
