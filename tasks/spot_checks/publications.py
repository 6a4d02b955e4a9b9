"""What the public sees of random spot checks (双随机、一公开, Article 17): commitments before the draw, afterwards
lists, seeds and results, with nothing of a person in them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.spot_checks import SpotCheck, SpotCheckObject, SpotCheckTeam
from regulation.spot_check_draws import Draw, ListedItem
from regulation.spot_checks import CheckResult, TeamStage
from runtime import clock
from runtime.database import reading
from tasks.case.answers import accepted_answer
from tasks.spot_checks.files import check_against, text_of
from tasks.spot_checks.objects import inspector_code
from tasks.spot_checks.questions import SpotCheckPublication
from tasks.spot_checks.steps import confirmed_results, frozen_of, published_draw


@dataclass(frozen=True, slots=True)
class CheckedInPublic:
    """What came of a department: how many of its objects were drawn, checked and passed, and what was found, how often
    each. ``inspectors`` are by ``inspector_code``; of a team that did not finish there is nothing but that."""

    department: str
    objects: int
    drawn: int
    inspectors: tuple[str, ...]
    replaced: tuple[str, ...]
    """Who was drawn and could not check."""
    finished: bool
    checked: int
    passed: int
    found: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RoundInPublic:
    """A round as the public sees it. ``departments``, ``items`` and ``seed`` are empty until it is published."""

    case_no: str
    title: str
    stage: str
    period_from: date
    period_until: date
    objects: int
    rate: int
    list_hash: str
    commitment: str
    committed_on: date
    published_on: date | None
    seed: str
    note: str
    items: tuple[ListedItem, ...]
    departments: tuple[CheckedInPublic, ...]


def rounds() -> list[RoundInPublic]:
    """Every round whose commitment is published, the latest first."""
    with reading() as session:
        wanted = select(SpotCheck).where(SpotCheck.committed_at.is_not(None))
        ordered = session.scalars(wanted.order_by(SpotCheck.committed_at.desc(), SpotCheck.case_no.desc()))
        return [_in_public(session, each, detailed=False) for each in ordered]


def round_in_public(case_no: str) -> RoundInPublic:
    """A round. ``LookupError`` for one that there is not, or that is not public yet."""
    with reading() as session:
        return _in_public(session, _public(session, case_no), detailed=True)


def draw_file(case_no: str) -> str:
    """The draw of a published round as the file that anybody can check. ``LookupError`` before."""
    return text_of(_draw(case_no))


def check_draw(case_no: str, given: bytes | None) -> list[str]:
    """What does not agree in the draw of a published round, or in a file of it that somebody has ``given``, as
    ``check_against`` says it. ``LookupError`` before."""
    return check_against(_draw(case_no), given)


def _draw(case_no: str) -> Draw:
    with reading() as session:
        draw = published_draw(session, case_no)
    if draw is None:
        raise LookupError("抽取文件随抽查结果公布，现在还没有。")
    return draw


def _public(session: Session, case_no: str) -> SpotCheck:
    found = session.get(SpotCheck, case_no)
    if found is None or found.committed_at is None:
        raise LookupError("没有公布过这一编号的抽查，请核对编号。")
    return found


def _in_public(session: Session, spot_check: SpotCheck, *, detailed: bool) -> RoundInPublic:
    frozen = frozen_of(spot_check)
    published = spot_check.published_at
    note = accepted_answer(session, spot_check.case_no, SpotCheckPublication.question, 1) if published else None
    return RoundInPublic(
        case_no=spot_check.case_no,
        title=spot_check.title,
        stage=session.get_one(Case, spot_check.case_no).stage,
        period_from=frozen.period_from,
        period_until=frozen.period_until,
        objects=len(frozen.objects),
        rate=frozen.rate,
        list_hash=spot_check.list_hash,
        commitment=spot_check.commitment or "",
        committed_on=clock.local_date(spot_check.committed_at or clock.now()),
        published_on=clock.local_date(published) if published else None,
        seed=(spot_check.seed or "") if published else "",
        note=str(note["note"]) if note else "",
        items=frozen.items if published else (),
        departments=tuple(_departments(session, spot_check)) if published and detailed else (),
    )


def _departments(session: Session, spot_check: SpotCheck) -> Sequence[CheckedInPublic]:
    frozen = frozen_of(spot_check)
    objects = Counter(each.department for each in frozen.objects)
    mine = select(SpotCheckObject.department_uscc).where(SpotCheckObject.case_no == spot_check.case_no)
    drawn = Counter(session.scalars(mine))
    titles = {item.code: item.title for item in frozen.items}
    failed: defaultdict[str, set[int]] = defaultdict(set)
    checked: defaultdict[str, set[int]] = defaultdict(set)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each, result in confirmed_results(session, spot_check.case_no):
        checked[each.department_uscc].add(each.place)
        if result.result is CheckResult.FAILED:
            failed[each.department_uscc].add(each.place)
            found[each.department_uscc][titles[result.item_code]] += 1
    names = {each.uscc: each.name for each in frozen.departments}
    teams = select(SpotCheckTeam).where(SpotCheckTeam.case_no == spot_check.case_no)
    return [
        CheckedInPublic(
            department=names[team.department_uscc],
            objects=objects[team.department_uscc],
            drawn=drawn[team.department_uscc],
            inspectors=tuple(map(inspector_code, team.inspectors)),
            replaced=tuple(inspector_code(each) for each in team.drawn if each not in team.inspectors),
            finished=team.stage is TeamStage.CONFIRMED,
            checked=len(checked[team.department_uscc]),
            passed=len(checked[team.department_uscc] - failed[team.department_uscc]),
            found=tuple(sorted(found[team.department_uscc].items())),
        )
        for team in session.scalars(teams.order_by(SpotCheckTeam.department_uscc))
    ]
