"""Random spot checks (随机抽查, Article 17): a round is opened over a frozen list, bound by a commitment, drawn, given
to teams, and published with its results."""

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import CaseKind, Deadline
from models.organisations import Department, Officer
from models.spot_checks import SpotCheck, SpotCheckObject, SpotCheckResult, SpotCheckTeam
from notifications.notices import SpotCheckAssigned, SpotCheckLate
from notifications.outbox import queue
from regulation.findings import Source
from regulation.limits import REMINDER_DAYS, SPOT_CHECK_PUBLICATION, SPOT_CHECK_RATE, SPOT_CHECK_RESULTS
from regulation.spot_check_draws import (
    Draw,
    Frozen,
    Team,
    canonical,
    check_team,
    commitment,
    draw_sample,
    draw_teams,
    list_hash,
    next_inspector,
)
from regulation.spot_checks import (
    STAGES,
    CheckResult,
    ObjectKind,
    Stage,
    TeamStage,
    check_round,
    quarter_before,
    quarter_of,
)
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.case.answers import answered, meet_by_answer
from tasks.case.calendars import working_days
from tasks.case.deadlines import running_deadline, start_deadline
from tasks.case.numbers import announce, end_case, locked_counter, next_number, opening
from tasks.case.step import Step, durable
from tasks.office.departments import department_named
from tasks.office.staff_tasks import open_staff_task
from tasks.rectifications.findings import Found, note_findings
from tasks.spot_checks.objects import (
    as_listed,
    eligible_inspectors,
    frozen_list,
    inspector_code,
    inspectors_by_code,
    uses_in,
)
from tasks.spot_checks.questions import SpotCheckPublication, SpotCheckResults

_FROZEN = TypeAdapter(Frozen)
NOTES_IN_A_FINDING = 20
"""Failed objects that one finding describes; of the rest it says how many."""


def open_round(key: str, title: str, period_from: date, period_until: date, rate: int, actor: str, at: datetime) -> str:
    """Open a round in one transaction: its registers are frozen with it. The case number; ``key`` again is the same
    round.

    Raises ``InputError`` for a period or a rate that cannot be, ``RefusalError`` when there is nothing to check or no
    check item, ``NoTeamError`` for a department that no team could check.
    """
    today = clock.local_date(at)
    check_round(period_from, period_until, rate, today)
    # What was used in the past stays as it is: counted before the transaction, which on SQLite keeps everybody waiting.
    with reading() as session:
        used = uses_in(session, period_from, period_until)
    with transaction() as session:
        counter = locked_counter(session, CaseKind.SPOT_CHECK, today.year)
        known = session.scalar(select(SpotCheck.case_no).where(SpotCheck.key == key))
        if known is not None:
            return known
        case_no = next_number(counter)
        frozen = frozen_list(session, case_no, today, period_from, period_until, rate, used)
        if not frozen.objects:
            raise RefusalError("这一期间没有可以抽查的用证、用证清单条目或补录，没有发起抽查。")
        if unchecked := {each.kind for each in frozen.objects} - {kind for item in frozen.items for kind in item.kinds}:
            named = "、".join(sorted(unchecked))
            raise RefusalError(f"抽查事项清单中没有适用于{named}的事项，请先以“维护抽查事项”补充。")
        for department in frozen.departments:
            check_team(department.name, department.uscc, frozen.inspectors)
        step = opening(session, case_no, Stage.FROZEN, "open_round", actor, at)
        text = canonical(asdict(frozen))
        session.add(SpotCheck(case_no=case_no, key=key, title=title, frozen=text, list_hash=list_hash(frozen)))
        step.audit(
            "spot-check:round:opened",
            objects=len(frozen.objects),
            inspectors=len(frozen.inspectors),
            rate=rate,
            list_hash=list_hash(frozen),
        )
        announce(step, f"{title}随机抽查已发起")
        return case_no


def open_round_for_officer(
    key: str, title: str, period_from: date, period_until: date, percent: int, by: Officer
) -> str:
    """A round that staff ask for, at a rate in percent. Raises what ``open_round`` raises."""
    return open_round(key, title, period_from, period_until, percent * 100, by.staff_no, clock.now())


def open_quarterly_round(at: datetime) -> str | None:
    """The round of the quarter, opened on its first working day or, where that was missed, on the next one; ``None``
    when it is there already, on a day off, and when it cannot be opened, which is left to staff once a quarter."""
    today = clock.local_date(at)
    key = f"quarter:{quarter_of(today)}"
    with transaction() as session:
        if not working_days(session).is_working_day(today):
            return None
        if session.scalar(select(SpotCheck.case_no).where(SpotCheck.key == key)) is not None:
            return None
    try:
        return open_round(key, quarter_of(today), *quarter_before(today), SPOT_CHECK_RATE.value, "system", at)
    except RefusalError as why:
        with transaction() as session:
            open_staff_task(session, f"spot-check:{key}", None, f"{quarter_of(today)}随机抽查未能发起：{why}", at)
        return None


def round_of(session: Session, case_no: str) -> SpotCheck:
    """The round of a case that is known to exist."""
    return session.get_one(SpotCheck, case_no)


def frozen_of(spot_check: SpotCheck) -> Frozen:
    """The frozen list of a round."""
    return _FROZEN.validate_json(spot_check.frozen)


@durable("公布承诺")
def publish_commitment(step: Step) -> str:
    """Choose the secret seed and publish the commitment to it and to the frozen list; the commitment."""
    step.move(STAGES, Stage.COMMITTED)
    spot_check = round_of(step.session, step.case.case_no)
    spot_check.seed = secrets.token_hex(32)
    spot_check.commitment = commitment(spot_check.list_hash, spot_check.seed)
    spot_check.committed_at = step.now
    step.audit("spot-check:commitment:published", commitment=spot_check.commitment, list_hash=spot_check.list_hash)
    return spot_check.commitment


@durable("抽取检查对象")
def draw_objects(step: Step) -> int:
    """Draw the objects; how many."""
    step.move(STAGES, Stage.DRAWN)
    spot_check = round_of(step.session, step.case.case_no)
    sample = draw_sample(frozen_of(spot_check), spot_check.seed or "")
    for place, drawn in enumerate(sample, 1):
        step.session.add(
            SpotCheckObject(
                case_no=spot_check.case_no,
                object_id=drawn.id,
                department_uscc=drawn.department,
                kind=ObjectKind(drawn.kind),
                item=drawn.item,
                title=drawn.title,
                place=place,
                drawn_on=step.today,
            )
        )
    spot_check.drawn_at = step.now
    step.audit("spot-check:objects:drawn", objects=len(sample), commitment=spot_check.commitment)
    return len(sample)


@durable("抽取检查人员")
def assign_inspectors(step: Step) -> int:
    """Draw a team for each department of the sample and tell its members; how many teams."""
    step.move(STAGES, Stage.CHECKING)
    spot_check = round_of(step.session, step.case.case_no)
    frozen, seed = frozen_of(spot_check), spot_check.seed or ""
    deadline = start_deadline(step.session, spot_check.case_no, SPOT_CHECK_RESULTS, step.today)
    teams = draw_teams(frozen, seed, draw_sample(frozen, seed))
    whose = inspectors_by_code(step.session)
    for team in teams:
        inspectors = [whose.get(each, each) for each in team.inspectors]
        step.session.add(
            SpotCheckTeam(
                case_no=spot_check.case_no,
                department_uscc=team.department,
                drawn=inspectors,
                inspectors=inspectors,
                stage=TeamStage.CHECKING,
            )
        )
        for staff_no in inspectors:
            _tell_inspector(step, team.department, staff_no, deadline.due_on)
    step.audit("spot-check:teams:drawn", teams=len(teams))
    return len(teams)


def _tell_inspector(step: Step, uscc: str, staff_no: str, due_on: date) -> None:
    officer = step.session.get_one(Officer, staff_no)
    mine = select(SpotCheckObject).where(
        SpotCheckObject.case_no == step.case.case_no, SpotCheckObject.department_uscc == uscc
    )
    notice = SpotCheckAssigned(
        officer=officer.name,
        case_no=step.case.case_no,
        department=step.session.get_one(Department, uscc).name,
        objects=len(step.session.scalars(mine).all()),
        due_on=due_on,
        link=checklist_link(step.case.case_no),
    )
    step.notify(notice, officer.email, about=uscc)


def checklist_link(case_no: str) -> str:
    """Where inspectors sign for their checklists."""
    return f"{settings().public_url}/spot-checks/{case_no}/checklists"


@durable("更换检查人员")
def replace_inspector(step: Step) -> str:
    """Let the next inspector of the draw take the place of one who cannot check; the staff number. Nobody is replaced
    where nobody is left, or where the team has entered its results meanwhile: the same goes on being waited for."""
    answer = answered(step, SpotCheckResults)
    spot_check, absent = round_of(step.session, step.case.case_no), answer.absent.upper()
    uscc = department_named(step.session, answer.department).uscc
    team = step.session.get_one(SpotCheckTeam, (spot_check.case_no, uscc))
    if team.stage is not TeamStage.CHECKING:
        return ""
    try:
        # Of those who may check it today: whoever was frozen with the list may have declared a conflict since.
        there = list(eligible_inspectors(step.session, step.today))
        listed = Team(uscc, tuple(map(inspector_code, team.inspectors)))
        code = next_inspector(there, spot_check.seed or "", listed, inspector_code(absent))
    except RefusalError as why:
        open_staff_task(
            step.session, f"{spot_check.case_no}:replace:{step.turn}", spot_check.case_no, str(why), step.now
        )
        return ""
    other = inspectors_by_code(step.session)[code]
    team.inspectors = [other if each == absent else each for each in team.inspectors]
    deadline = running_deadline(step.session, spot_check.case_no, SPOT_CHECK_RESULTS)
    _tell_inspector(step, uscc, other, deadline.due_on if deadline else step.today)
    step.audit("spot-check:inspector:replaced", department=uscc, absent=absent, other=other)
    return other


@durable("登记发现的问题")
def note_results(step: Step) -> list[str]:
    """Turn what was not passed into findings, now that the ``turn``-th answer ended the wait; the rectification cases
    that they opened."""
    step.move(STAGES, Stage.CHECKED)
    spot_check = round_of(step.session, step.case.case_no)
    on = meet_by_answer(step, SpotCheckResults, SPOT_CHECK_RESULTS)
    start_deadline(step.session, spot_check.case_no, SPOT_CHECK_PUBLICATION, on)
    found = list(_found(step.session, spot_check))
    noted = note_findings(step.session, Source.SPOT_CHECK, found, step.now, ())
    step.audit("spot-check:results:noted", findings=len(found))
    return list(noted.opened)


def _found(session: Session, spot_check: SpotCheck) -> Iterable[Found]:
    """What was not passed, by rule, department and service item."""
    items = {item.code: item for item in frozen_of(spot_check).items}
    failed: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for drawn, result in confirmed_results(session, spot_check.case_no):
        if result.result is CheckResult.FAILED:
            item = items[result.item_code]
            failed[item.rule, drawn.department_uscc, drawn.item].append(f"{drawn.title}，{item.title}：{result.note}")
    for (rule, uscc, subject), said in sorted(failed.items()):
        more = f"等共{len(said)}处" if len(said) > NOTES_IN_A_FINDING else ""
        facts = f"随机抽查{spot_check.case_no}发现：{'；'.join(said[:NOTES_IN_A_FINDING])}{more}。"
        yield Found(rule=rule, department_uscc=uscc, subject=subject, facts=facts)


def confirmed_results(session: Session, case_no: str) -> list[tuple[SpotCheckObject, SpotCheckResult]]:
    """The results that both of a team have signed, with their objects, in order."""
    wanted = (
        select(SpotCheckObject, SpotCheckResult)
        .join(
            SpotCheckResult,
            (SpotCheckResult.case_no == SpotCheckObject.case_no) & (SpotCheckResult.place == SpotCheckObject.place),
        )
        .join(
            SpotCheckTeam,
            (SpotCheckTeam.case_no == SpotCheckObject.case_no)
            & (SpotCheckTeam.department_uscc == SpotCheckObject.department_uscc),
        )
        .where(SpotCheckObject.case_no == case_no, SpotCheckTeam.stage == TeamStage.CONFIRMED)
    )
    ordered = wanted.order_by(SpotCheckResult.place, SpotCheckResult.item_code)
    return list(session.execute(ordered).tuples())


@durable("公布抽查结果")
def publish_results(step: Step) -> None:
    """Publish results, seed and list, and close the round."""
    step.move(STAGES, Stage.PUBLISHED)
    spot_check = round_of(step.session, step.case.case_no)
    meet_by_answer(step, SpotCheckPublication, SPOT_CHECK_PUBLICATION)
    spot_check.published_at = step.now
    step.audit("spot-check:results:published", seed=spot_check.seed, commitment=spot_check.commitment)
    end_case(step, step.case)


def published_draw(session: Session, case_no: str) -> Draw | None:
    """The draw of a round whose results are published, as it was made; ``None`` before, when its seed is secret."""
    spot_check = session.get(SpotCheck, case_no)
    if spot_check is None or spot_check.published_at is None:
        return None
    sample = select(SpotCheckObject.object_id).where(SpotCheckObject.case_no == case_no)
    teams = select(SpotCheckTeam).where(SpotCheckTeam.case_no == case_no).order_by(SpotCheckTeam.department_uscc)
    frozen = frozen_of(spot_check)
    return Draw(
        frozen=frozen,
        list_hash=spot_check.list_hash,
        seed=spot_check.seed or "",
        commitment=spot_check.commitment or "",
        sample=tuple(session.scalars(sample.order_by(SpotCheckObject.place))),
        teams=tuple(
            Team(team.department_uscc, tuple(as_listed(frozen, each) for each in team.drawn))
            for team in session.scalars(teams)
        ),
    )


def remind_inspectors(at: datetime) -> int:
    """Remind the teams whose results are due in one of ``REMINDER_DAYS`` or late, once a working day; how many
    notices."""
    today = clock.local_date(at)
    with transaction() as session:
        calendar, sent = working_days(session), 0
        if not calendar.is_working_day(today):
            return 0
        wanted = (
            select(SpotCheckTeam, Deadline.due_on, Department.name)
            .join(Deadline, Deadline.case_no == SpotCheckTeam.case_no)
            .join(Department, Department.uscc == SpotCheckTeam.department_uscc)
            .where(
                Deadline.limit_code == SPOT_CHECK_RESULTS.code,
                Deadline.running,
                SpotCheckTeam.stage != TeamStage.CONFIRMED,
            )
            .order_by(SpotCheckTeam.case_no, SpotCheckTeam.department_uscc)
        )
        for team, due_on, name in session.execute(wanted).tuples().all():
            left = calendar.working_days_between(today, due_on)
            if left >= 0 and left not in REMINDER_DAYS:
                continue
            for staff_no in team.inspectors:
                # Whoever has entered the results waits for the colleague too.
                if staff_no == team.entered_by:
                    continue
                officer = session.get_one(Officer, staff_no)
                notice = SpotCheckLate(
                    officer=officer.name,
                    case_no=team.case_no,
                    department=name,
                    stage=team.stage,
                    due_on=due_on,
                    left=calendar.time_left(today, due_on),
                    link=checklist_link(team.case_no),
                )
                key = f"{team.case_no}:late:{team.department_uscc}:{staff_no}:{today}"
                queue(session, notice, officer.email, key=key, case_no=team.case_no, at=at)
                sent += 1
        return sent
