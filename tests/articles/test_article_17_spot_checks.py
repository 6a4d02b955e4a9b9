"""第十七条：综合管理单位应当通过随机抽查……等方式对电子证照使用部门的电子证照管理工作进行日常监督，发现问题的，及时督促整改。"""

import io
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select, update

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case, CaseKind, Deadline, StaffTask
from models.findings import Finding
from models.notices import OutgoingNotice
from models.organisations import Leave, Officer
from models.records import AuditEntry
from models.spot_checks import (
    CheckItem,
    Inspector,
    InspectorConflict,
    SpotCheck,
    SpotCheckObject,
    SpotCheckResult,
    SpotCheckTeam,
    Ties,
)
from regulation.findings import Source
from regulation.limits import SPOT_CHECK_PUBLICATION, SPOT_CHECK_RATE, SPOT_CHECK_RESULTS
from regulation.spot_check_draws import NoTeamError
from regulation.spot_checks import CHECK_ITEMS, STAGES, Fault, ObjectKind, Stage, TeamStage
from regulation.stages import TransitionError
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.desk import deadline_watch as deadlines
from tasks.desk.sheets import sheet_of
from tasks.office.signatures import SignatureError
from tasks.rectifications.findings import Found, note_findings
from tasks.spot_checks import steps as spot_checks
from tasks.spot_checks.files import check_file
from tasks.spot_checks.inspectors import declare_conflict, items_table, keep_check_item, put_on_register, register_table
from tasks.spot_checks.objects import inspector_code
from tasks.spot_checks.publications import draw_file, round_in_public, rounds
from tasks.spot_checks.questions import SpotCheckPublication, SpotCheckResults
from tasks.spot_checks.results import (
    checklist_file,
    checklists,
    confirm_results,
    enter_lines,
    enter_workbook,
    lines_of,
    return_results,
    sign_for_checklists,
)
from tests.conftest import Clerk, by_officer

Day = Callable[[date], datetime]

HOLIDAY, FIRST = date(2026, 1, 1), date(2026, 1, 4)
"""New Year's Day 2026 was a Thursday, Friday and Saturday were days off too, Sunday 4 January was worked."""
LIFE = timedelta(minutes=10)
MARKET, LAND, CIVIL = (sample_catalogue.DEPARTMENTS[place] for place in (0, 1, 5))


@pytest.fixture
def first(clerk: Clerk, on_day: Day) -> datetime:
    """The first working day of a quarter."""
    return on_day(FIRST)


def uscc(name: str) -> str:
    return samples.department_code(samples.DEFAULT_SEED, name)


def use(department: str, item: str, times: int, on: date = date(2025, 11, 3), entry: int | None = None) -> None:
    """Uses of certificates as the interface puts them on record."""
    at = datetime(on.year, on.month, on.day, 10, tzinfo=clock.SHANGHAI)
    detail = {"department": uscc(department), "item": item} | ({"entry": entry} if entry is not None else {})
    with transaction() as session:
        for _ in range(times):
            record(session, "certificate:query:answered", None, "KQ-SCJG", at, **detail)


def opened(at: datetime) -> Clerk:
    case_no = spot_checks.open_quarterly_round(at)
    assert case_no is not None
    return Clerk(case_no)


def drawn(at: datetime) -> Clerk:
    """A round whose teams check."""
    case = opened(at)
    spot_checks.publish_commitment.run(case.case_no)
    spot_checks.draw_objects.run(case.case_no)
    spot_checks.assign_inspectors.run(case.case_no)
    return case


def teams(case: Clerk) -> list[SpotCheckTeam]:
    with reading() as session:
        wanted = select(SpotCheckTeam).where(SpotCheckTeam.case_no == case.case_no)
        return list(session.scalars(wanted.order_by(SpotCheckTeam.department_uscc)))


def lines(team: SpotCheckTeam) -> list[Any]:
    with reading() as session:
        return lines_of(session, team)


def sign(case: Clerk, staff_no: str) -> str:
    return sign_for_checklists(case.case_no, staff_no, "", "127.0.0.1")


def confirm(case: Clerk, team: SpotCheckTeam, staff_no: str) -> bool:
    """Somebody confirms what they see now."""
    ticket = sign(case, staff_no)
    (seen,) = [each for each in checklists(case.case_no, ticket, LIFE) if each.uscc == team.department_uscc]
    return confirm_results(case.case_no, team.department_uscc, ticket, LIFE, seen.digest)


def check(case: Clerk, team: SpotCheckTeam, **wrong: tuple[str, str]) -> None:
    """Both of a team sign; ``wrong`` are results by check item (SC_04)."""
    one, other = team.inspectors
    given = {line.number: wrong.get(line.code.replace("-", "_"), ("合格", "")) for line in lines(team)}
    enter_lines(case.case_no, team.department_uscc, sign(case, one), LIFE, given)
    confirm(case, team, other)


def frozen(case: Clerk) -> dict[str, Any]:
    with reading() as session:
        found: dict[str, Any] = json.loads(session.get_one(SpotCheck, case.case_no).frozen)
    return found


def objects(case: Clerk, kind: ObjectKind) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in frozen(case)["objects"] if each["kind"] == kind}


def told(notice: str) -> list[tuple[str, dict[str, Any]]]:
    with reading() as session:
        rows = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == notice)).all()
    return [(row.recipient, row.context) for row in rows]


# 每季度一次，每季度第一个工作日


def test_a_round_begins_on_the_first_working_day_of_the_quarter_and_once(clerk: Clerk, on_day: Day) -> None:
    for day in (HOLIDAY, date(2026, 1, 2), date(2026, 1, 3)):
        assert spot_checks.open_quarterly_round(on_day(day)) is None
    assert spot_checks.open_quarterly_round(on_day(FIRST)) == "CC-2026-000001"
    for day in (FIRST, date(2026, 1, 5), date(2026, 3, 31)):
        assert spot_checks.open_quarterly_round(on_day(day)) is None
    assert spot_checks.open_quarterly_round(on_day(date(2026, 4, 1))) == "CC-2026-000002"
    assert sheet_of("CC-2026-000001").run_name == "随机抽查 CC-2026-000001 · 2026年第1季度 · 待公布承诺"


def test_a_first_working_day_that_was_missed_is_made_up_for_on_the_next(clerk: Clerk, on_day: Day) -> None:
    assert spot_checks.open_quarterly_round(on_day(date(2026, 1, 6))) == "CC-2026-000001"


def test_a_round_looks_at_the_quarter_before(first: datetime) -> None:
    said = frozen(opened(first))
    assert (said["period_from"], said["period_until"], said["rate"]) == ("2025-10-01", "2025-12-31", 500)


def test_staff_ask_for_a_round_of_their_own_at_no_less_than_the_floor(first: datetime) -> None:
    def ask(key: str = "1", until: date = date(2025, 12, 31), percent: int = 10) -> str:
        return spot_checks.open_round_for_officer(
            key, "专项抽查", date(2025, 7, 1), until, percent, by_officer("KQ001")
        )

    assert ask() == ask() == "CC-2026-000001"
    assert ask("2") == "CC-2026-000002"
    with pytest.raises(InputError, match="抽查比例不得低于5%"):
        ask("3", percent=4)
    with pytest.raises(InputError, match="结束日应早于今天"):
        ask("3", until=FIRST)
    with pytest.raises(InputError, match="结束日早于开始日"):
        ask("3", until=date(2025, 6, 30))
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SpotCheck)) == 2


# 检查对象名录


def test_the_register_has_uses_by_service_item_entries_in_force_and_backfills(first: datetime) -> None:
    item = "330603-SCJG-001"
    with reading() as session:
        entry = next(each for each, _ in spot_checks_entries(session) if each.item_code == item)
    use(MARKET, item, 5, entry=entry.id)
    use(MARKET, item, 3, date(2025, 9, 30))
    use(MARKET, item, 4, FIRST)
    use(LAND, "330603-XX-1", 1, date(2025, 12, 31))
    backfill("BL-2025-000001", CIVIL, datetime(2025, 12, 31, 23, tzinfo=clock.SHANGHAI))
    backfill("BL-2025-000002", CIVIL, datetime(2026, 1, 1, 1, tzinfo=clock.SHANGHAI))
    case = opened(first)
    uses = objects(case, ObjectKind.USE)
    assert {(each["department"], each["item"], each["volume"]) for each in uses.values()} == {
        (uscc(MARKET), item, 5),
        (uscc(LAND), "330603-XX-1", 1),
    }
    entries = objects(case, ObjectKind.ENTRY)
    assert entries[f"E/{uscc(MARKET)}/{entry.id:08}"]["volume"] == 5
    with reading() as session:
        assert len(entries) == len(spot_checks_entries(session))
    assert list(objects(case, ObjectKind.BACKFILL)) == [f"B/{uscc(CIVIL)}/BL-2025-000001"]
    ids = [each["id"] for each in frozen(case)["objects"]]
    assert ids == sorted(ids)


def spot_checks_entries(session: Any) -> Any:
    from tasks.use_list.standing import in_force

    return in_force(session, FIRST)


def backfill(case_no: str, department: str, closed_at: datetime) -> None:
    """A backfill that brought a certificate into the register."""
    from models.backfills import Backfill
    from models.certificates import CertificateType

    with transaction() as session:
        session.add(
            Case(
                case_no=case_no,
                kind=CaseKind.BACKFILL,
                stage="已入库",
                received_on=date(2025, 12, 1),
                opened_at=closed_at,
                closed_at=closed_at,
                officer_no="KQ001",
                measures_version="1",
            )
        )
        session.flush()
        kind = session.scalars(select(CertificateType.code).order_by(CertificateType.code)).first()
        row = Backfill(
            case_no=case_no,
            submission_key=case_no,
            department_uscc=uscc(department),
            type_code=kind,
            service_case_no="MZ-1",
            token="t",
            token_index=case_no,
            identifier=f"1.2.156.{case_no}",
        )
        session.add(row)


def test_findings_and_complaints_of_a_year_weigh_and_complaints_raise_the_rate(first: datetime, on_day: Day) -> None:
    item = "330603-SCJG-001"
    use(MARKET, item, 1)
    with transaction() as session:
        for at, source, rule, subject in (
            (on_day(date(2025, 3, 3)), Source.SPOT_CHECK, "spot-check-use", item),
            (on_day(date(2025, 3, 3)), Source.CITIZEN, "spot-check-paper", item),
            (on_day(date(2024, 3, 3)), Source.SPOT_CHECK, "spot-check-log", item),
            (on_day(date(2025, 3, 3)), Source.SPOT_CHECK, "spot-check-use", "330603-XX-9"),
        ):
            found = Found(rule=rule, department_uscc=uscc(MARKET), subject=subject, facts="有问题。")
            note_findings(session, source, [found], at, ())
    case = opened(on_day(FIRST))
    (said,) = objects(case, ObjectKind.USE).values()
    assert (said["findings"], said["complaints"], said["volume"], said["last_checked_on"]) == (1, 1, 1, None)
    assert said["weight"] == 10 + 10 + 20 + 2 + 24
    complaints = {each["uscc"]: each["complaints"] for each in frozen(case)["departments"]}
    assert complaints[uscc(MARKET)] == 1
    assert sum(complaints.values()) == 1


def test_what_was_drawn_lately_weighs_less_the_next_time(first: datetime, on_day: Day) -> None:
    case = drawn(first)
    with reading() as session:
        there = set(session.scalars(select(SpotCheckObject.object_id)))
    again = opened(on_day(date(2026, 4, 1)))
    for each in frozen(again)["objects"]:
        assert each["last_checked_on"] == (str(FIRST) if each["id"] in there else None)
        assert each["weight"] == (10 if each["id"] in there else 34)
    assert there
    assert case.case_no != again.case_no


# 双随机：承诺、抽取、分组


def test_the_commitment_is_public_before_anything_is_drawn_and_the_seed_is_not(first: datetime) -> None:
    case = opened(first)
    assert rounds() == []
    with pytest.raises(LookupError, match="没有公布过"):
        round_in_public(case.case_no)
    promised = spot_checks.publish_commitment.run(case.case_no)
    assert spot_checks.publish_commitment.run(case.case_no) == promised
    (public,) = rounds()
    assert (public.commitment, public.seed, public.stage) == (promised, "", Stage.COMMITTED)
    with reading() as session:
        spot_check = session.get_one(SpotCheck, case.case_no)
        tags = session.scalars(select(AuditEntry.tag).where(AuditEntry.case_no == case.case_no)).all()
        told = session.scalars(select(AuditEntry.detail).where(AuditEntry.case_no == case.case_no)).all()
        assert session.scalar(select(func.count()).select_from(SpotCheckObject)) == 0
    assert tags[-1] == "spot-check:commitment:published"
    assert spot_check.seed not in json.dumps(told)
    assert promised in sheet_of(case.case_no).table()
    assert str(spot_check.seed) not in sheet_of(case.case_no).table()
    with pytest.raises(LookupError, match="随抽查结果公布"):
        draw_file(case.case_no)


def test_nothing_is_drawn_without_a_commitment_or_twice(first: datetime) -> None:
    case = opened(first)
    with pytest.raises(TransitionError):
        spot_checks.draw_objects.run(case.case_no)
    with pytest.raises(TransitionError):
        STAGES.check(Stage.PUBLISHED, Stage.COMMITTED)
    spot_checks.publish_commitment.run(case.case_no)
    assert spot_checks.draw_objects.run(case.case_no) == spot_checks.draw_objects.run(case.case_no)
    assert spot_checks.assign_inspectors.run(case.case_no) == spot_checks.assign_inspectors.run(case.case_no)


def test_every_department_is_checked_by_two_without_ties_and_they_are_told(first: datetime) -> None:
    case = drawn(first)
    departments = {each["uscc"] for each in frozen(case)["departments"]}
    assert {team.department_uscc for team in teams(case)} == departments
    for team in teams(case):
        assert len(set(team.inspectors)) == 2
        for staff_no in team.inspectors:
            assert team.department_uscc not in {uscc(name) for name in samples.INSPECTORS[staff_no]}
    notices = told("spot-check-assigned")
    assert len(notices) == 2 * len(departments)
    assert {context["due_on"] for _, context in notices} == {"2026-01-23"}
    with reading() as session:
        deadline = session.scalars(select(Deadline).where(Deadline.case_no == case.case_no)).one()
    assert (deadline.limit_code, deadline.due_on) == (SPOT_CHECK_RESULTS.code, date(2026, 1, 23))


def test_where_no_team_can_be_formed_nothing_is_opened_and_staff_are_told_once(first: datetime, on_day: Day) -> None:
    declare_conflict("KQ004", CIVIL, Ties.DECLARED, None, by_officer("KQ004"))
    with pytest.raises(NoTeamError, match=f"“{CIVIL}”只有1名检查人员可以检查"):
        spot_checks.open_round("k", "专项", date(2025, 1, 1), date(2025, 2, 1), 500, "KQ001", first)
    for day in (FIRST, date(2026, 1, 5)):
        assert spot_checks.open_quarterly_round(on_day(day)) is None
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SpotCheck)) == 0
        (what,) = session.scalars(select(StaffTask.what)).all()
    assert "随机抽查未能发起" in what
    assert "请先在“检查人员名录”中增加检查人员" in what
    declare_conflict("KQ003", CIVIL, Ties.DECLARED, date(2026, 1, 5), by_officer("KQ004"))
    assert spot_checks.open_quarterly_round(on_day(date(2026, 1, 6))) is not None


def test_who_is_away_or_off_the_register_is_not_drawn(first: datetime) -> None:
    put_on_register("kq001", active=False, by=by_officer("KQ004"))
    with transaction() as session:
        session.add(Leave(staff_no="KQ004", substitute_no="KQ003", from_on=FIRST, until_on=FIRST))
        session.execute(update(InspectorConflict).values(until_on=FIRST - timedelta(days=1)))
    case = drawn(first)
    assert {frozenset(team.inspectors) for team in teams(case)} == {frozenset({"KQ002", "KQ003"})}


# 检查人员名录、抽查事项清单


def test_the_register_of_inspectors_is_kept_by_staff(first: datetime) -> None:
    with pytest.raises(RefusalError, match="没有这名在职工作人员"):
        put_on_register("KQ999", active=True, by=by_officer("KQ004"))
    with pytest.raises(RefusalError, match="没有这名在职工作人员"):
        declare_conflict("KQ999", CIVIL, Ties.OWN, None, by_officer("KQ004"))
    with pytest.raises(InputError, match="没有名为"):
        declare_conflict("KQ001", "某局", Ties.OWN, None, by_officer("KQ004"))
    with pytest.raises(InputError, match="没有期限"):
        declare_conflict("KQ001", CIVIL, Ties.OWN, FIRST, by_officer("KQ004"))
    with pytest.raises(InputError, match="已过"):
        declare_conflict("KQ001", CIVIL, Ties.DECLARED, FIRST - timedelta(days=1), by_officer("KQ004"))
    declare_conflict("KQ001", CIVIL, Ties.DECLARED, FIRST, by_officer("KQ001"))
    declare_conflict("KQ001", CIVIL, Ties.FORMER, None, by_officer("KQ001"))
    with reading() as session:
        rows = session.scalars(select(InspectorConflict).where(InspectorConflict.staff_no == "KQ001")).all()
        assert session.get_one(Inspector, "KQ001").active
    assert {(row.department_uscc, row.ties) for row in rows} == {(uscc(MARKET), "曾任职"), (uscc(CIVIL), "曾任职")}
    with reading() as session:
        assert f"{CIVIL}（曾任职）" in str(register_table(session, FIRST).rows)


def test_a_round_keeps_the_check_items_of_the_day_it_was_opened(first: datetime, on_day: Day) -> None:
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(CheckItem)) == len(CHECK_ITEMS)
    case = opened(first)
    everything = tuple(ObjectKind)
    keep_check_item(
        "sc-09", "窗口公示可用的电子证照", Fault.PAPER, "查看窗口公示", everything, True, by_officer("KQ004")
    )
    keep_check_item("SC-01", "每次用证都有办件", Fault.USE, "核对", (ObjectKind.USE,), False, by_officer("KQ004"))
    assert [each["code"] for each in frozen(case)["items"]] == [item.code for item in CHECK_ITEMS]
    later = frozen(opened(on_day(date(2026, 4, 1))))["items"]
    assert [each["code"] for each in later] == [*(item.code for item in CHECK_ITEMS[1:]), "SC-09"]
    assert later[-1]["article"] == 8
    with reading() as session:
        assert "窗口公示可用的电子证照" in str(items_table(session).rows)
    with transaction() as session:
        session.execute(update(CheckItem).values(active=False))
    with pytest.raises(RefusalError, match="抽查事项清单中没有适用于"):
        spot_checks.open_round("k", "专项", date(2025, 1, 1), date(2025, 2, 1), 500, "KQ001", first)


# 检查表


def filled(content: bytes, change: Callable[[Any], None]) -> bytes:
    """A workbook as a person fills it in."""
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    sheet = workbook.active
    for row in range(3, sheet.max_row + 1):
        sheet.cell(row, 8, "合格")
    change(sheet)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def put(row: int, column: int, value: object) -> Callable[[Any], None]:
    return lambda sheet: sheet.cell(row, column, value)


def test_a_workbook_goes_out_is_filled_in_and_comes_back(first: datetime) -> None:
    case = drawn(first)
    team = teams(case)[0]
    one, other = team.inspectors
    ticket = sign(case, one)
    name, content = checklist_file(case.case_no, team.department_uscc, ticket, LIFE)
    assert name.startswith(f"抽查事项检查表 {case.case_no} ")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert [cell.value for cell in sheet[2]][:2] == ["序号", "检查对象"]
    assert sheet.max_row == len(lines(team)) + 2
    back = filled(content, lambda sheet: (put(3, 8, "不合格")(sheet), put(3, 9, "SP-2026-01没有办件。")(sheet)))
    enter_workbook(case.case_no, team.department_uscc, ticket, LIFE, "检查表.xlsx", back)
    (mine,) = [each for each in checklists(case.case_no, sign(case, other), LIFE) if each.uscc == team.department_uscc]
    assert (mine.stage, mine.entered_by, mine.may_confirm, mine.may_enter) == (TeamStage.ENTERED, one, True, False)
    assert mine.filled[1] == ("不合格", "SP-2026-01没有办件。")
    assert mine.filled[2] == ("合格", "")
    assert [address for address, _ in told("spot-check-to-confirm")] == [f"{other.lower()}@example.cn"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put(3, 8, ""), "序号1（.*）：未填结果"),
        (put(3, 8, "还行"), "序号1：结果只能是合格、不合格、不适用"),
        (put(3, 8, "不合格"), "序号1：不合格须写明情况（至少5个字）"),
        (put(3, 8, "不适用"), "序号1：不适用须写明情况"),
        (put(3, 9, "电话13957500001未接"), "序号1：情况说明中不能有电话号码"),
        (put(3, 9, "长" * 501), "序号1：情况说明不能超过500个字"),
        (put(3, 9, 330603201903050001), "第3行：情况说明“3.30603E\\+17”是被表格软件改写的长数字，末几位已丢失"),
        (put(3, 1, 99), "第3行：序号、检查对象或事项编码被改动"),
        (put(3, 2, "别的对象"), "第3行：序号、检查对象或事项编码被改动"),
        (put(4, 1, 1), "第4行："),
        (lambda sheet: sheet.delete_rows(3), "序号1（.*）：未填结果"),
        (lambda sheet: sheet.append([cell.value for cell in sheet[3]]), "序号1重复"),
        (lambda sheet: sheet.delete_rows(2), "没有检查表的表头"),
        (put(1, 1, "抽查事项检查表 CC-2026-000009 某局"), "不是“抽查事项检查表"),
    ],
    ids=range(14),
)
def test_a_workbook_that_is_wrong_enters_nothing_and_is_told_line_by_line(
    first: datetime, change: Callable[[Any], None], said: str
) -> None:
    case = drawn(first)
    team = teams(case)[0]
    ticket = sign(case, team.inspectors[0])
    _, content = checklist_file(case.case_no, team.department_uscc, ticket, LIFE)
    with pytest.raises(InputError, match=said):
        enter_workbook(case.case_no, team.department_uscc, ticket, LIFE, "检查表.xlsx", filled(content, change))
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SpotCheckResult)) == 0
    assert teams(case)[0].stage is TeamStage.CHECKING


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\x00\x01", b"a,b\n1,2\n"], ids=range(4))
def test_what_is_no_checklist_is_refused(first: datetime, content: bytes) -> None:
    case = drawn(first)
    team = teams(case)[0]
    with pytest.raises(InputError):
        enter_workbook(case.case_no, team.department_uscc, sign(case, team.inspectors[0]), LIFE, "x.xlsx", content)


def test_both_of_a_team_sign_and_nobody_else(first: datetime) -> None:
    case = drawn(first)
    team = teams(case)[0]
    one, other = team.inspectors
    stranger = next(each for each in samples.INSPECTORS if each not in team.inspectors)
    given = {line.number: ("合格", "") for line in lines(team)}
    where = (case.case_no, team.department_uscc)
    with pytest.raises(RefusalError, match="还没有登记结果"):
        confirm(case, team, other)
    with pytest.raises(RefusalError, match="不在该部门的检查组中"):
        enter_lines(*where, _ticket(case, stranger), LIFE, given)
    enter_lines(*where, sign(case, one), LIFE, given)
    with pytest.raises(RefusalError, match="须由检查组的另一名"):
        confirm(case, team, one)
    with pytest.raises(RefusalError, match="请确认或退回"):
        enter_lines(*where, sign(case, other), LIFE, given)
    with pytest.raises(InputError, match="5至500个字"):
        return_results(*where, sign(case, other), LIFE, "不对")
    return_results(*where, sign(case, other), LIFE, "第一个对象没有看业务系统。")
    assert (teams(case)[0].stage, teams(case)[0].returned) == (TeamStage.CHECKING, "第一个对象没有看业务系统。")
    enter_lines(*where, sign(case, other), LIFE, given)
    confirm(case, team, one)
    confirm(case, team, one)
    assert (teams(case)[0].entered_by, teams(case)[0].confirmed_by) == (other, one)
    with pytest.raises(RefusalError, match="不能再改"):
        enter_lines(*where, sign(case, other), LIFE, given)
    with pytest.raises(RefusalError, match="只有检查组的另一名"):
        return_results(*where, sign(case, one), LIFE, "还要再看一次。")


def test_only_what_was_seen_is_confirmed(first: datetime) -> None:
    case = drawn(first)
    team = teams(case)[0]
    one, other = team.inspectors
    given = {line.number: ("合格", "") for line in lines(team)}
    where = (case.case_no, team.department_uscc)
    enter_lines(*where, sign(case, one), LIFE, given)
    ticket = sign(case, other)
    (seen,) = [each for each in checklists(case.case_no, ticket, LIFE) if each.uscc == team.department_uscc]
    enter_lines(*where, sign(case, one), LIFE, given | {1: ("不合格", "业务SP-1有纸质件。")})
    with pytest.raises(RefusalError, match="刚刚更改了结果"):
        confirm_results(*where, ticket, LIFE, seen.digest)
    assert teams(case)[0].stage is TeamStage.ENTERED
    confirm(case, team, other)
    assert teams(case)[0].stage is TeamStage.CONFIRMED


def test_a_round_that_two_watches_open_at_once_is_one(first: datetime) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened_rounds = list(pool.map(lambda _: spot_checks.open_quarterly_round(first), range(4)))
    assert set(opened_rounds) <= {"CC-2026-000001", None}
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SpotCheck)) == 1


def _ticket(case: Clerk, staff_no: str) -> str:
    from runtime.keys import keys

    return keys().ticket(f"spot-check:{case.case_no}:{staff_no}")


def test_a_ticket_of_another_round_or_nobody_opens_nothing(first: datetime) -> None:
    case = drawn(first)
    other = Clerk("CC-2026-000009")
    for ticket in ("", "x", _ticket(other, "KQ001")):
        with pytest.raises(SignatureError, match="签名已过期"):
            checklists(case.case_no, ticket, LIFE)
    with pytest.raises(RefusalError, match="不在CC-2026-000009的检查组中"):
        sign(other, "KQ001")


# 结果与整改


def test_what_was_not_passed_becomes_a_finding_with_a_rectification(first: datetime, on_day: Day) -> None:
    use(MARKET, "330603-SCJG-001", 2)
    case = drawn(first)
    on_day(FIRST + timedelta(days=5))
    for team in teams(case)[1:]:
        check(case, team)
    with pytest.raises(AssertionError, match="还有检查组没有确认结果"):
        assert not case.answer(SpotCheckResults, kind="全部检查组已登记并确认")
    team = teams(case)[0]
    check(case, team, SC_04=("不合格", "窗口查阅了清单以外的“经营范围”。"), SC_05=("不适用", "清单没有承诺亮证。"))
    opened_cases = spot_checks.note_results.run(case.case_no, 1)
    with reading() as session:
        found = session.scalars(select(Finding)).all()
        kinds = {session.get_one(Case, case_no).kind for case_no in opened_cases}
        drawn_entries = session.scalars(
            select(SpotCheckObject).where(
                SpotCheckObject.department_uscc == team.department_uscc, SpotCheckObject.kind == ObjectKind.ENTRY
            )
        ).all()
    assert {(each.rule, each.department_uscc, each.source) for each in found} == {
        ("spot-check-list", team.department_uscc, Source.SPOT_CHECK)
    }
    assert {each.subject for each in found} == {each.item for each in drawn_entries}
    assert all(case.case_no in each.facts and "清单以外的“经营范围”" in each.facts for each in found)
    assert [each.case_no for each in found] == opened_cases
    assert kinds == {CaseKind.RECTIFICATION}
    assert spot_checks.note_results.run(case.case_no, 1) == opened_cases
    with reading() as session:
        met = {each.limit_code: each for each in session.scalars(select(Deadline)) if each.case_no == case.case_no}
    assert (met[SPOT_CHECK_RESULTS.code].met_on, met[SPOT_CHECK_RESULTS.code].missed_by) == (date(2026, 1, 9), 0)
    assert met[SPOT_CHECK_PUBLICATION.code].due_on == date(2026, 2, 6)


def test_results_are_published_with_everything_that_lets_the_draw_be_made_again(first: datetime) -> None:
    use(MARKET, "330603-SCJG-001", 2)
    case = drawn(first)
    promised = round_in_public(case.case_no).commitment
    checked = {team.department_uscc: team for team in teams(case)}
    for code, team in checked.items():
        wrong = {"SC_01": ("不合格", "SP-2025-9没有对应的办件。")} if code == uscc(MARKET) else {}
        check(case, team, **wrong)
    spot_checks.note_results.run(case.case_no, 1)
    assert round_in_public(case.case_no).departments == ()
    table = sheet_of(case.case_no).further
    assert table is not None
    (row,) = [row for row in table.rows if row[0] == MARKET]
    assert (row[1], row[3:]) == (f"{int(row[4][:-1]) + 1}", ("已确认", row[4]))
    assert case.answer(SpotCheckPublication, note="本轮抽查已结束。") is None
    spot_checks.publish_results.run(case.case_no)
    assert case.stage() == Stage.PUBLISHED
    public = round_in_public(case.case_no)
    assert (public.commitment, public.note, public.published_on) == (promised, "本轮抽查已结束。", FIRST)
    market = next(each for each in public.departments if each.department == MARKET)
    assert (market.checked, market.passed, market.found) == (
        market.drawn,
        market.drawn - 1,
        (("每次用证都有对应的业务办件", 1),),
    )
    assert all(each.passed == each.checked == each.drawn for each in public.departments if each is not market)
    assert "SP-2025-9" not in repr(public)
    text = draw_file(case.case_no)
    assert check_file(text, promised) == []
    with reading() as session:
        assert session.get_one(Case, case.case_no).closed_at is not None
        people = [officer.name for officer in session.scalars(select(Officer))]
    assert not any(name in text + repr(public) for name in people)


def test_an_inspector_who_cannot_check_is_replaced_by_the_draw_and_that_is_public(first: datetime) -> None:
    case = drawn(first)
    team = next(each for each in teams(case) if each.department_uscc == uscc(LAND))
    absent = team.inspectors[0]
    wrong = {"kind": "更换一名检查人员", "department": LAND, "absent": absent, "reason": ""}
    assert "至少5个字" in (case.answer(SpotCheckResults, **wrong) or "")
    wrong |= {"reason": "住院，不能检查。"}
    assert "没有名为" in (case.answer(SpotCheckResults, **wrong | {"department": "某局"}) or "")
    assert "没有这名检查人员" in (case.answer(SpotCheckResults, **wrong | {"absent": "KQ002"}) or "")
    assert case.answer(SpotCheckResults, **wrong | {"absent": absent.lower()}) is None
    other = spot_checks.replace_inspector.run(case.case_no, 1)
    team = next(each for each in teams(case) if each.department_uscc == uscc(LAND))
    assert other in team.inspectors
    assert absent not in team.inspectors
    assert absent in team.drawn
    for each in teams(case):
        check(case, each)
    spot_checks.note_results.run(case.case_no, 2)
    assert case.answer(SpotCheckPublication) is None
    spot_checks.publish_results.run(case.case_no)
    land = next(each for each in round_in_public(case.case_no).departments if each.department == LAND)
    assert (land.replaced, len(land.inspectors)) == ((inspector_code(absent),), 2)
    file = draw_file(case.case_no)
    assert check_file(file) == []
    # The public learns of each inspector which others are the same one, and nobody's staff number.
    assert re.search(r"KQ\d{3}", file + str(round_in_public(case.case_no))) is None
    assert all(code in file for code in (*land.replaced, *land.inspectors))


def test_who_declares_a_conflict_while_checking_cannot_sign_and_is_replaced_by_somebody_else(first: datetime) -> None:
    case = drawn(first)
    team = next(each for each in teams(case) if each.department_uscc == uscc(LAND))
    declared, colleague = team.inspectors
    declare_conflict(declared, LAND, Ties.DECLARED, None, by_officer(declared))
    with reading() as session:
        (what,) = session.scalars(select(StaffTask.what)).all()
    assert f"工号{declared}回避“{LAND}”" in what
    given = {line.number: ("合格", "") for line in lines(team)}
    with pytest.raises(RefusalError, match="您回避该部门"):
        enter_lines(case.case_no, team.department_uscc, sign(case, declared), LIFE, given)
    # Nobody else is left, until another is put on the register.
    others = [each for each in samples.INSPECTORS if each not in {"KQ002", declared, colleague}]
    for other in others:
        declare_conflict(other, LAND, Ties.DECLARED, None, by_officer("KQ004"))
    asked = {"kind": "更换一名检查人员", "department": LAND, "absent": declared, "reason": "申报了回避。"}
    assert case.answer(SpotCheckResults, **asked) is None
    assert spot_checks.replace_inspector.run(case.case_no, 1) == ""
    with reading() as session:
        assert "没有更换" in session.scalars(select(StaffTask.what).order_by(StaffTask.id.desc())).all()[0]
    with transaction() as session:
        session.execute(
            update(InspectorConflict).where(InspectorConflict.staff_no == others[0]).values(until_on=date(2026, 1, 3))
        )
    assert case.answer(SpotCheckResults, turn=2, **asked) is None
    assert spot_checks.replace_inspector.run(case.case_no, 2) == others[0]


def test_what_the_center_itself_tried_is_no_use(first: datetime) -> None:
    at = datetime(2025, 11, 3, 10, tzinfo=clock.SHANGHAI)
    with transaction() as session:
        for tried in ({"test": True}, {"test": False}, {}):
            detail = {"department": uscc(MARKET), "item": "330603-SCJG-001", **tried}
            record(session, "certificate:query:answered", None, "KQ-SCJG", at, **detail)
        gone = {"department": "113306030000000000", "item": "1"}
        record(session, "certificate:query:answered", None, "KQ-SCJG", at, **gone)
    (said,) = objects(opened(first), ObjectKind.USE).values()
    assert said["volume"] == 2


def test_a_round_that_waits_no_longer_publishes_who_did_not_finish(first: datetime) -> None:
    case = drawn(first)
    unfinished, *others = teams(case)
    for team in others:
        check(case, team)
    one = unfinished.inspectors[0]
    given = {line.number: ("不合格", "还没有经人确认。") for line in lines(unfinished)}
    enter_lines(case.case_no, unfinished.department_uscc, sign(case, one), LIFE, given)
    assert case.answer(SpotCheckResults, kind="不再等待，未确认的按未完成公布", reason="年底人手不足。") is None
    assert spot_checks.note_results.run(case.case_no, 1) == []
    with pytest.raises(RefusalError, match="不再接受检查结果"):
        confirm(case, unfinished, unfinished.inspectors[1])
    assert case.answer(SpotCheckPublication) is None
    spot_checks.publish_results.run(case.case_no)
    assert [each.finished for each in round_in_public(case.case_no).departments] == [False, *[True] * len(others)]


def test_late_results_are_reminded_of_and_missed(first: datetime, on_day: Day) -> None:
    case = drawn(first)
    done, entered, *_ = teams(case)
    check(case, done)
    given = {line.number: ("合格", "") for line in lines(entered)}
    enter_lines(case.case_no, entered.department_uscc, sign(case, entered.inspectors[0]), LIFE, given)
    waiting = len(teams(case)) - 2
    assert spot_checks.remind_inspectors(on_day(date(2026, 1, 20))) == 0
    assert spot_checks.remind_inspectors(on_day(date(2026, 1, 21))) == 2 * waiting + 1
    spot_checks.remind_inspectors(on_day(date(2026, 1, 21)))
    assert len(told("spot-check-late")) == 2 * waiting + 1
    assert spot_checks.remind_inspectors(on_day(date(2026, 1, 24))) == 0
    late = on_day(date(2026, 1, 26))
    spot_checks.remind_inspectors(late)
    assert {context["left"] for _, context in told("spot-check-late")} == {"还有2个工作日", "已超期1个工作日"}
    swept = deadlines.sweep(late)
    assert swept.overdue == 1
    (line,) = told("deadlines-missed")[0][1]["lines"]
    assert (line["case_no"], line["limit"]) == (case.case_no, SPOT_CHECK_RESULTS.label)


def test_the_rate_is_a_floor_for_every_department_and_kind(first: datetime) -> None:
    for number in range(41):
        use(MARKET, f"330603-SCJG-9{number:02}", 1)
    case = drawn(first)
    with reading() as session:
        wanted = select(func.count()).where(
            SpotCheckObject.case_no == case.case_no,
            SpotCheckObject.department_uscc == uscc(MARKET),
            SpotCheckObject.kind == ObjectKind.USE,
        )
        assert session.scalar(wanted) == 3 == -(-41 * SPOT_CHECK_RATE.value // 10_000)
