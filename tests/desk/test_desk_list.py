"""The list at the desk: narrowed down, looked through, taken along, given to somebody else, and its figures."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pyotp
import pytest
from openpyxl import load_workbook
from sqlalchemy import event, func, select

from ezt.desk import Desk
from models.cases import Case, CaseKind, CaseMark, Deadline, Handover, StaffTask
from models.certificates import Certificate
from models.desk import DeskDraft
from models.liaisons import FilingKind
from models.notices import OutgoingNotice
from models.organisations import Department, Leave, Officer, Role, WrongCode
from models.records import AuditEntry
from regulation.certificates import Level
from regulation.limits import INITIAL_REVIEW, OUTCOME_NOTICE, VERIFICATION_REQUEST
from regulation.objections import Stage
from runtime import clock
from runtime.database import engine, reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.backfill import steps as backfills
from tasks.backfill.questions import BackfillReview
from tasks.case.deadlines import meet_deadline, start_deadline
from tasks.case.hand_over import give_case, give_cases
from tasks.case.numbers import end_case
from tasks.case.step import Step, locked_case
from tasks.desk import door, to_do
from tasks.desk.export import workbook
from tasks.desk.figures import limits_by_week, load
from tasks.desk.kinds import KINDS
from tasks.desk.matters import Whose as WhoseMatters
from tasks.desk.matters import matters, number_of_matters
from tasks.desk.search import search
from tasks.desk.to_do import Urgency, Wanted, Whose, choices, listed
from tasks.liaisons.filings import LiaisonFilingForm
from tasks.liaisons.steps import file_for_department
from tasks.objections import steps as objections
from tasks.objections.questions import OutcomeDecision, VerificationReply
from tasks.office.signatures import SignatureError
from tasks.office.staff_tasks import open_staff_task
from tests.conftest import Clerk, by_officer, certificate_of, listed_for, objection_about, officer_of, signing

DIRECTOR, OFFICER = "KQ004", "KQ001"
MARRIAGE = {
    "结婚证字号": "J330621-1998-000123",
    "持证人": "王建国",
    "男方姓名": "王建国",
    "男方公民身份号码": "330621680512101",
    "女方姓名": "陈丽华",
    "登记机关": "绍兴县民政局",
    "登记日期": "1998年5月12日",
}
CIVIL_AFFAIRS = "绍兴市柯桥区民政局"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Twice: what is found and counted is asked of the database in its own words."""
    kind: str = request.param
    return kind


def backfill(key: str = "k") -> str:
    return backfills.register_backfill(CIVIL_AFFAIRS, "结婚证", MARRIAGE, "MZ-1", "", [], key, "KQ009")


def filing(name: str = "鲁国栋", department: str = CIVIL_AFFAIRS) -> str:
    form = LiaisonFilingForm(
        kind=FilingKind.APPOINTMENT, name=name, position="科长", phone="0575-84120009", email="a@example.cn"
    )
    return file_for_department(form, department, f"{name}:{department}", OFFICER)


def found(text: str, by: str = OFFICER) -> list[str]:
    return [row.case_no for row in search(text, by).rows]


def close(case_no: str) -> None:
    with transaction() as session:
        case = locked_case(session, case_no)
        case.stage = Stage.DECLINED
        end_case(Step(session, case, "end", 1, "system", clock.now()), case)


def recorded(tag: str) -> list[AuditEntry]:
    with reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.tag == tag).order_by(AuditEntry.id)))


# What tells one row from the next.


def test_each_row_says_what_tells_it_from_the_next(clerk: Clerk) -> None:
    objection, paper, filed = clerk.register().case_no, backfill(), filing()
    rows = listed_for()
    held, kind = certificate_of(Level.CITY)
    assert rows[objection].about == f"{kind.name} · 俞*云 · {kind.names['address']}"
    assert rows[paper].about == f"结婚证 · 王*国 · J33062*********0123 · {CIVIL_AFFAIRS}"
    assert rows[filed].about == f"{CIVIL_AFFAIRS} · 鲁*栋 · 指定"
    assert rows[filed].departments == (CIVIL_AFFAIRS,)
    for told in ("俞小云", held.number, "王建国", "330621680512101", "J330621-1998-000123", "鲁国栋"):
        assert told not in str(rows)


def test_every_kind_says_it_for_many_at_once(sample_data: object) -> None:
    with reading() as session:
        for kind in KINDS.values():
            assert dict(kind.sheet.briefs(session, ["XX-2026-000001", "XX-2026-000002"])) == {}, kind.code
            if kind.concerned is not None:
                assert session.execute(kind.concerned.limit(1)).all() == [], kind.code


def test_a_page_of_many_asks_the_database_no_more_than_a_page_of_few(clerk: Clerk) -> None:
    asked: list[str] = []

    def ask(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    def statements() -> int:
        asked.clear()
        listed(DIRECTOR, Wanted(whose=Whose.ALL))
        return len(asked)

    clerk.register()
    backfill()
    filing()
    event.listen(engine(), "before_cursor_execute", ask)
    few = statements()
    for field in ("有效期", "发证日期", "证照状态"):
        clerk.register(field=field)
        filing(f"鲁国{field[0]}")
    assert (statements(), len(listed_for())) == (few, 9)


# What narrows it down.


def test_one_can_choose_from_what_there_is(clerk: Clerk) -> None:
    clerk.register()
    filed = filing()
    everything = choices(DIRECTOR, Wanted(whose=Whose.ALL))
    assert everything.kinds == (("YY", "异议核查"), ("ZR", "专人备案"))
    assert everything.stages == (("待初审", "待初审"), ("待确认", "待确认"))
    assert [name for _, name in everything.departments] == [CIVIL_AFFAIRS]
    with reading() as session:
        names = {each.staff_no: each.name for each in session.scalars(select(Officer))}
    acting = {officer_of(filed), *(row.officer_no for row in listed_for().values())}
    assert everything.officers == tuple((no, f"{no} {names[no]}") for no in sorted(acting))
    # Of a kind only its stages; what is chosen stays to be chosen.
    narrowed = choices(DIRECTOR, Wanted(whose=Whose.ALL, kind=CaseKind.LIAISON, stage="待初审"))
    assert narrowed.stages == (("待初审", "待初审"), ("待确认", "待确认"))
    assert choices(DIRECTOR, Wanted(whose=Whose.ALL, kind=CaseKind.LIAISON)).stages == (("待确认", "待确认"),)
    assert choices(DIRECTOR, Wanted()).kinds == ()


def test_the_list_is_narrowed_down_by_department(clerk: Clerk) -> None:
    clerk.register()
    filed, paper = filing(), backfill()
    filing(department="绍兴市柯桥区交通运输局")
    with reading() as session:
        uscc = session.scalars(select(Department.uscc).where(Department.name == CIVIL_AFFAIRS)).one()
    assert set(listed_for(department_uscc=uscc)) == {filed, paper}
    assert listed_for(department_uscc="91330621000000000X") == {}


# What is looked up.


def test_a_case_is_found_by_its_number_whole_or_shortened(clerk: Clerk) -> None:
    objection, filed = clerk.register().case_no, filing()
    year = clock.today().year
    for text in (objection, objection.lower(), "YY-1", "yy1", f"YY-{year}-1", " ＹＹ－１ ", "YY—1"):
        assert found(text) == [objection], text
    for text in ("1", "000001", "１", f"{year}-1"):
        assert set(found(text)) == {objection, filed}, text
    assert found("YY-2") == found("0") == found(f"{year - 1}-1") == []
    # Nobody is looked up by the number of a case.
    assert recorded("desk:cases:searched") == []


def test_an_objection_is_found_by_its_certificate_its_objector_and_the_holder(clerk: Clerk) -> None:
    held, kind = certificate_of(Level.CITY)
    other = objection_about(
        held, kind, objector_name="陈丽华", phone="13800000001", objector_kind="社会用证主体", interest="租房"
    )
    case_no = clerk.register(
        **other.model_dump(include={"objector_name", "phone", "objector_kind", "interest"})
    ).case_no
    for text in (
        held.number,
        held.identifier,
        held.identifier.lower(),
        held.holder_number,
        f" {held.holder_number[:6]} {held.holder_number[6:]} ",
        held.holder_name,
        "陈丽华",
        "陈 丽华",
        "138 0000 0001",
        "１３８００００００01",
    ):
        assert found(text) == [case_no], text


def test_part_of_a_name_or_a_number_finds_nobody(clerk: Clerk) -> None:
    clerk.register()
    held, _ = certificate_of(Level.CITY)
    for text in ("俞小", "小云", "俞", "俞*云", "俞%", "俞_云", "%", "_", "*", "俞小云%", held.number[:-1], "0575"):
        assert found(text) == [], text
    assert found("' OR 1=1 --") == found("\\") == []


def test_a_backfill_is_found_by_what_stands_on_the_paper_before_and_after_it_is_registered(clerk: Clerk) -> None:
    case_no = backfill()
    texts = ["J330621-1998-000123", "王建国", "330621680512101", "33062119680512101X", "陈丽华"]
    before = [text for text in texts if found(text) == [case_no]]
    assert {"J330621-1998-000123", "王建国"} <= set(before)
    case = Clerk(case_no)
    assert case.answer(BackfillReview, verdict="通过", reason="") is None
    identifier = backfills.put_in_register.run(case_no)
    for text in (*before, "33062119680512101X", str(identifier)):
        assert found(text) == [case_no], text


def test_a_filing_is_found_by_whom_it_designates(clerk: Clerk) -> None:
    case_no = filing()
    assert found("鲁国栋") == found("0575-84120009") == [case_no]
    assert found("鲁国") == []


def test_closed_and_joined_cases_are_found_after_the_open_ones(clerk: Clerk) -> None:
    first, second = clerk.register().case_no, clerk.register(field="有效期").case_no
    joined = clerk.register(objector_name="陈丽华").case_no
    close(second)
    assert found("俞小云") == [first, second]
    (row,) = search("陈丽华", OFFICER).rows
    assert (row.case_no, row.asks) == (joined, f"并入{first}办理")
    held, _ = certificate_of(Level.CITY)
    (closed,) = [row for row in search(held.number, OFFICER).rows if row.case_no == second]
    assert (closed.asks, closed.stage, closed.urgency) == ("已办结", Stage.DECLINED, Urgency.NEVER)


def test_a_case_is_found_by_whom_the_certificate_names_since_it_was_corrected(clerk: Clerk) -> None:
    held, kind = certificate_of(Level.DISTRICT)
    about = {"field": kind.names["holder"], "stated": held.holder_name, "proposed": "钱不二"}
    case = clerk.register(Level.DISTRICT, **about)
    case.accept()
    case.request()
    reply = {"finding": "原数据有误", "content": "应为钱不二", "corrected_value": "钱不二", "reply_no": "回1"}
    assert case.answer(VerificationReply, replied_on=str(clock.today()), **reply) is None
    objections.take_reply.run(case.case_no)
    assert found("钱不二") == []
    assert case.answer(OutcomeDecision, outcome="已更正", reason="经核实，登记的内容有误，现予更正。") is None
    objections.decide_outcome.run(case.case_no)
    objections.correct_certificate.run(case.case_no)
    assert found("钱不二") == found(held.holder_name) == [case.case_no]


def test_that_somebody_was_looked_up_is_on_record_but_not_who(clerk: Clerk) -> None:
    clerk.register()
    found("俞小云", "KQ002")
    found("鲁国栋", "KQ002")
    # No case's number begins so.
    found("AB123456", "KQ002")
    entries = recorded("desk:cases:searched")
    assert [(each.actor, each.detail["found"]) for each in entries] == [("KQ002", 1), ("KQ002", 0), ("KQ002", 0)]


def test_what_is_found_comes_by_pages(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in range(3):
        filing("鲁国栋", ("绍兴市柯桥区交通运输局", "绍兴市柯桥区卫生健康局", CIVIL_AFFAIRS)[place])
    monkeypatch.setattr(to_do, "PAGE", 2)
    monkeypatch.setattr("tasks.desk.search.PAGE", 2)
    pages = [search("鲁国栋", OFFICER, page) for page in (1, 2, 99)]
    second = (1, 3, 2, 2)
    assert [(len(each.rows), each.total, each.page, each.pages) for each in pages] == [(2, 3, 1, 2), second, second]


def test_marks_hold_nothing_that_can_be_read(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    with reading() as session:
        marks = session.scalars(select(CaseMark.mark).where(CaseMark.case_no == case_no)).all()
    assert marks
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in marks)


# What is taken along.


def sheet_of(content: bytes) -> list[tuple[str, ...]]:
    rows = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    return [tuple("" if value is None else str(value) for value in row) for row in rows]


def test_the_list_is_taken_along_as_it_was_narrowed_down_masked_and_on_record(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    objection, filed = clerk.register().case_no, filing()
    monkeypatch.setattr(to_do, "PAGE", 1)
    head, *rows = sheet_of(workbook("KQ002", Wanted(whose=Whose.ALL)))
    assert head[:4] == ("办件编号", "种类", "环节", "内容")
    assert {row[0] for row in rows} == {objection, filed}
    (only,) = sheet_of(workbook("KQ002", Wanted(whose=Whose.ALL, kind=CaseKind.LIAISON)))[1:]
    assert (only[0], only[3], only[4]) == (filed, f"{CIVIL_AFFAIRS} · 鲁*栋 · 指定", CIVIL_AFFAIRS)
    for told in ("俞小云", "鲁国栋", "84120001"):
        assert told not in str(rows)
    entries = recorded("desk:list:exported")
    assert [(each.actor, each.detail) for each in entries] == [
        ("KQ002", {"rows": 2, "whose": "all"}),
        ("KQ002", {"rows": 1, "whose": "all", "kind": "ZR"}),
    ]


def test_it_says_whose_name_stands_where(clerk: Clerk) -> None:
    case_no, today = clerk.register().case_no, clock.today()
    own = officer_of(case_no)
    other = "KQ003" if own != "KQ003" else "KQ002"
    with transaction() as session:
        session.add(Leave(staff_no=own, substitute_no=other, from_on=today, until_on=today))
        names = {no: f"{session.get_one(Officer, no).name}（{no}）" for no in (own, other)}
    heads, row = load_workbook(io.BytesIO(workbook(OFFICER, Wanted(whose=Whose.ALL)))).active.iter_rows(
        values_only=True
    )
    said = dict(zip(heads, row, strict=True))
    assert said["经办人（办件在其名下）"] == names[own]
    assert said["今天由谁办理（经办人休假的，为代理人）"] == names[other]
    assert said["收到日期（年-月-日）"] == str(today)


def test_nothing_in_it_is_run_by_a_spreadsheet(clerk: Clerk) -> None:
    filed = filing()
    with transaction() as session:
        session.scalars(select(Department).where(Department.name == CIVIL_AFFAIRS)).one().name = "=HYPERLINK(1)"
        session.get_one(Case, filed).stage = "@SUM(1)\x0b"
    book = load_workbook(io.BytesIO(workbook(OFFICER, Wanted(whose=Whose.ALL))))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    values = {cell.value for cell in cells}
    assert {"'=HYPERLINK(1)", "'@SUM(1)"} <= values


# What is given to somebody else.


def test_a_director_gives_many_cases_at_once_for_one_reason(clerk: Clerk) -> None:
    cases = [clerk.register(**changed).case_no for changed in ({}, {"field": "有效期"}, {"field": "发证日期"})]
    joined = clerk.register(objector_name="陈丽华").case_no
    with transaction() as session:
        for case_no in (*cases, joined):
            session.get_one(Case, case_no).officer_no = "KQ002"
    assert give_cases(cases, "KQ003", "KQ002借调一个月", signing(DIRECTOR)) == 3
    assert {officer_of(each) for each in (*cases, joined)} == {"KQ003"}
    with reading() as session:
        handed = session.scalars(select(Handover)).all()
        told = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "cases-handed-over")).all()
    assert {(each.from_no, each.to_no, each.why, each.by_no) for each in handed} == {
        ("KQ002", "KQ003", "KQ002借调一个月", DIRECTOR)
    }
    # One letter, however many they are; those that were joined are not counted by themselves.
    assert [each.context["case_nos"] for each in told] == [cases]
    assert len(recorded("case:officer:changed")) == 4


@pytest.mark.parametrize(
    ("cases", "to", "field", "sentence"),
    [
        ([], "KQ003", "cases", "请至少选择一件要移交的办件。"),
        (["one"], "KQ099", "to", "没有这名在职工作人员"),
        (["one", "closed"], "KQ003", "cases", "已办结，不能移交"),
        (["one", "theirs"], "KQ003", "cases", "本件已由工号KQ003办理，无需移交"),
        (["one", "YY-2020-000099"], "KQ003", "cases", "没有编号为YY-2020-000099的可办理的办件"),
        (["one"], "KQ090", "to", "审计人员只能查看"),
    ],
)
def test_it_is_all_of_them_or_none(clerk: Clerk, cases: list[str], to: str, field: str, sentence: str) -> None:
    named = {
        name: clerk.register(**changed).case_no
        for name, changed in (("one", {}), ("closed", {"field": "有效期"}), ("theirs", {"field": "发证日期"}))
    }
    close(named["closed"])
    with transaction() as session:
        session.get_one(Case, named["one"]).officer_no = "KQ002"
        session.get_one(Case, named["theirs"]).officer_no = "KQ003"
        auditor = {"name": "审计", "email": "s@example.cn", "code_secret": "x", "role": Role.AUDITOR}
        session.add(Officer(staff_no="KQ090", active=True, **auditor))
    with pytest.raises(InputError) as refused:
        give_cases([named.get(each, each) for each in cases], to, "借调", signing(DIRECTOR))
    assert list(refused.value.wrong) == [field]
    assert sentence in refused.value.wrong[field]
    assert officer_of(named["one"]) == "KQ002"
    with reading() as session:
        assert session.scalar(select(func.count(Handover.id))) == 0
        assert [each for each in session.scalars(select(OutgoingNotice.context)) if "借调" in str(each)] == []


def test_only_a_director_gives_many(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    with pytest.raises(RefusalError, match="由负责人办理"):
        give_cases([case_no], "KQ003", "借调", signing(officer_of(case_no)))


def test_one_that_goes_along_with_its_lead_goes_once(clerk: Clerk) -> None:
    lead, joined = clerk.register().case_no, clerk.register(objector_name="陈丽华").case_no
    to = "KQ003" if officer_of(lead) != "KQ003" else "KQ002"
    assert give_cases([lead, joined], to, "借调", signing(DIRECTOR)) == 2
    with reading() as session:
        assert sorted(session.scalars(select(Handover.case_no))) == [lead, joined]


def test_many_are_signed_for(clerk: Clerk, configure: Callable[..., None]) -> None:
    case_no = clerk.register().case_no
    to = "KQ003" if officer_of(case_no) != "KQ003" else "KQ002"
    configure(EZT_ONE_TIME_CODES="true")
    for code in ("", "000000"):
        with pytest.raises(SignatureError):
            give_cases([case_no], to, "借调", signing(DIRECTOR, code))
    assert officer_of(case_no) != to
    with reading() as session:
        assert session.scalar(select(func.count(WrongCode.id))) == 1
        secret = session.get_one(Officer, DIRECTOR).code_secret
    code = pyotp.TOTP(secret).at(int(clock.now().timestamp()))
    # As an authenticator shows it.
    assert give_cases([case_no], to, "借调", signing(DIRECTOR, f" {code[:3]} {code[3:]}")) == 1
    assert officer_of(case_no) == to


def test_a_backfill_goes_to_nobody_who_entered_it(clerk: Clerk) -> None:
    to = "KQ003"
    case_no = backfills.register_backfill(CIVIL_AFFAIRS, "结婚证", MARRIAGE, "MZ-1", "", [], "k", to)
    with pytest.raises(RefusalError, match="登记的，须由另一人审核"):
        give_case(case_no, to, "轮岗", by_officer(DIRECTOR))
    with pytest.raises(InputError, match="须由另一人审核"):
        give_cases([case_no], to, "轮岗", signing(DIRECTOR))
    assert officer_of(case_no) != to


# What nobody asks for.


def test_matters_are_ones_own_to_begin_with(clerk: Clerk) -> None:
    own, other = clerk.register().case_no, clerk.register(field="有效期").case_no
    with transaction() as session:
        for key, case_no in (("a", own), ("b", other), ("c", None)):
            open_staff_task(session, key, case_no, f"事项{key}", clock.now())
        session.get_one(Case, own).officer_no = "KQ002"
        session.get_one(Case, other).officer_no = "KQ001"
    assert [each.what for each in matters("KQ002", WhoseMatters.MINE).rows] == ["事项a", "事项c"]
    assert [each.what for each in matters("KQ002").rows] == ["事项a", "事项b", "事项c"]
    with transaction() as session:
        today = clock.today()
        session.add(Leave(staff_no="KQ001", substitute_no="KQ002", from_on=today, until_on=today))
    acting = [each.officer and each.officer.staff_no for each in matters("KQ002", WhoseMatters.MINE).rows]
    assert acting == ["KQ002", "KQ002", None]
    assert number_of_matters("KQ002") == 3


# Figures.


def test_limits_are_counted_in_the_week_in_which_they_end(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    today = clock.today()
    monday = today - timedelta(days=today.weekday())
    with transaction() as session:
        pattern = session.query(Deadline).filter_by(case_no=case_no).first()
        session.query(Deadline).delete()
        last_week = monday - timedelta(days=3)
        for turn, (due_on, met_on, lapsed_on) in enumerate(
            [
                (last_week, last_week, None),
                (last_week, last_week + timedelta(days=1), None),
                (last_week, None, None),
                # What ended before its day does not count.
                (last_week, None, last_week),
                (today, None, None),
                (monday - timedelta(weeks=20), None, None),
            ]
        ):
            session.add(
                Deadline(
                    case_no=case_no,
                    limit_code=pattern.limit_code,
                    turn=turn,
                    clock=pattern.clock,
                    starts_on=date(2026, 1, 5),
                    days=2,
                    due_on=due_on,
                    provisional=False,
                    rule="x",
                    met_on=met_on,
                    lapsed_on=lapsed_on,
                )
            )
    *_, last, this, total = limits_by_week().rows
    assert total == ("合计", "1", "2", "1")
    assert last == (f"{monday - timedelta(weeks=1):%m-%d}", "1", "2", "0")
    assert this == (f"{monday:%m-%d}", "0", "0", "1")
    officers = load()
    own = next(each for each in officers.rows if each[0][:5] == officer_of(case_no))
    row = dict(zip(officers.columns, own, strict=True))
    assert tuple(
        row[name] for name in ("在办（件）", "已超期（件）", "近12周按时（个期限）", "近12周逾期（个期限）")
    ) == ("1", "1", "1", "2")


def kept(staff_no: str) -> tuple[int, int]:
    """How many limits of the last weeks an officer met and missed, as the table of officers says."""
    table = load()
    row = dict(zip(table.columns, next(each for each in table.rows if each[0][:5] == staff_no), strict=True))
    return int(row["近12周按时（个期限）"]), int(row["近12周逾期（个期限）"])


def test_a_limit_stays_with_whoever_had_the_case_when_it_ended(clerk: Clerk) -> None:
    case_no, today = clerk.register().case_no, clock.today()
    with transaction() as session:
        session.get_one(Case, case_no).officer_no = "KQ002"
        session.query(Deadline).filter_by(case_no=case_no).delete()
        start_deadline(session, case_no, INITIAL_REVIEW, today)
        passed = start_deadline(session, case_no, VERIFICATION_REQUEST, today - timedelta(days=30))
        passed.due_on = today - timedelta(days=7)
        start_deadline(session, case_no, OUTCOME_NOTICE, today)
        meet_deadline(session, case_no, INITIAL_REVIEW, today)
    assert (kept("KQ002"), kept("KQ003")) == ((1, 1), (0, 0))
    give_cases([case_no], "KQ003", "轮岗", signing(DIRECTOR))
    assert (kept("KQ002"), kept("KQ003")) == ((1, 1), (0, 0))
    # What still runs goes along, and what was late stays so with whom it was due.
    with transaction() as session:
        meet_deadline(session, case_no, OUTCOME_NOTICE, today)
        meet_deadline(session, case_no, VERIFICATION_REQUEST, today)
    assert (kept("KQ002"), kept("KQ003")) == ((1, 1), (1, 0))
    give_cases([case_no], "KQ001", "轮岗", signing(DIRECTOR))
    assert (kept("KQ001"), kept("KQ002"), kept("KQ003")) == ((0, 0), (1, 1), (1, 0))


def test_limits_by_officer_and_by_week_are_the_same_ones(clerk: Clerk) -> None:
    case_no, today = clerk.register().case_no, clock.today()
    with transaction() as session:
        session.get_one(Case, case_no).officer_no = "KQ002"
        session.query(Deadline).filter_by(case_no=case_no).delete()
        for turn, due_on in enumerate([today - timedelta(days=7), today, today + timedelta(weeks=3)]):
            start_deadline(session, case_no, OUTCOME_NOTICE, today, turn).due_on = due_on
            meet_deadline(session, case_no, OUTCOME_NOTICE, today)
    give_cases([case_no], "KQ003", "离岗", signing(DIRECTOR))
    with transaction() as session:
        # Neither who has left nor who only looks now is left out of what they had.
        session.get_one(Officer, "KQ002").active = False
    weeks, officers = limits_by_week(), load()
    assert weeks.rows[-1] == ("合计", "1", "1", "0")
    assert (officers.rows[-1][0], officers.rows[-1][-2:]) == ("合计", ("1", "1"))
    assert kept("KQ002") == (1, 1)
    with transaction() as session:
        session.get_one(Officer, "KQ002").role = Role.AUDITOR
    assert kept("KQ002") == (1, 1)


# Its pages.


def key_of(page: str) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def send(desk: Desk, path: str, by: str = DIRECTOR, **typed: Any) -> httpx.Response:
    browser = desk.browser(by)
    return browser.post(path, data={"form_key": key_of(browser.get("/desk").text)} | typed, follow_redirects=True)


def test_names_and_numbers_that_are_looked_up_stand_in_no_address(desk: Desk, clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    answer = send(desk, "/desk/search", OFFICER, q="俞小云")
    assert (answer.status_code, str(answer.url).rpartition("/")[2]) == (200, "search")
    assert case_no in answer.text
    # A page that is loaded anew begins again; the form is nobody else's.
    assert desk.browser(OFFICER).get("/desk/search").headers["location"] == "/desk"
    assert desk.browser(OFFICER).post("/desk/search", data={"q": "俞小云"}).status_code == 403


@pytest.mark.parametrize(
    ("q", "status", "sentence"),
    [
        ("", 422, "查找未填写"),
        ("   ", 422, "查找未填写"),
        ("字" * 101, 422, "查找不能超过100个字"),
        ("字" * 30_000, 422, "查找不能超过"),
        ("a\x00b", 422, "控制字符"),
        ("俞小", 200, "姓名、名称须写全，不能只写其中几个字"),
        ("%", 200, "没有找到"),
        ("<script>alert(1)</script>", 200, "没有找到"),
    ],
)
def test_what_cannot_be_found_is_said(desk: Desk, clerk: Clerk, q: str, status: int, sentence: str) -> None:
    answer = send(desk, "/desk/search", OFFICER, q=q)
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert "<script>alert" not in answer.text


def test_a_page_that_there_is_not_is_the_last_one(desk: Desk, clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_do, "PAGE", 2)
    monkeypatch.setattr("tasks.desk.search.PAGE", 2)
    for field in ("有效期", "发证日期", "证照状态"):
        clerk.register(field=field)
    browser = desk.browser(DIRECTOR)
    for page in ("3", "10000", "２"):
        assert "第2页，共2页" in browser.get("/desk", params={"whose": "all", "page": page}).text, page
    for page in ("-1", "abc", "1.5", "99999999999999999999"):
        assert browser.get("/desk", params={"whose": "all", "page": page}).status_code == 422, page
    assert "第2页，共2页" in send(desk, "/desk/search", q="俞小云", page="7").text
    assert "第1页，共2页" in send(desk, "/desk/search", q="俞小云", page="-3x").text


def test_a_filter_that_is_none_is_said_and_narrows_nothing_down(desk: Desk, clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    browser = desk.browser(DIRECTOR)
    wrong = {"whose": "all", "kind": "没有的", "stage": "不存在%", "officer": "KQ999", "department": "x", "due": "y"}
    page = browser.get("/desk", params=wrong).text
    assert "没有“没有的”、“不存在%”、“x”、“KQ999”、“y”这样的筛选条件，没有按它筛选。" in page
    assert case_no in page
    # A stage that a case can have, but none has, is one.
    page = browser.get("/desk", params={"whose": "all", "stage": "待认定"}).text
    assert "这样的筛选条件" not in page or case_no in page
    page = browser.get("/desk", params={"whose": "all", "officer": "kq004"}).text
    assert ("没有符合条件的办件" in page, '<option value="KQ004" selected>' in page) == (True, True)


def test_what_is_wrong_with_a_hand_over_stands_beside_its_field_and_nothing_is_lost(desk: Desk, clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    before = officer_of(case_no)
    answer = send(desk, "/desk/hand-over", address="whose=all", to="", why="x")
    assert answer.status_code == 422
    for sentence in ("请至少选择一件要移交的办件。", "接收人未填写", "移交理由至少2个字"):
        assert answer.text.count(sentence) == 2, sentence
    answer = send(desk, "/desk/hand-over", address="whose=all", to=before, why="轮岗<b>", case=[case_no])
    assert answer.text.count(f"本件已由工号{before}办理，无需移交。") == 2
    assert (f'value="{case_no}" id="cases"' in answer.text, " checked" in answer.text) == (True, True)
    assert 'value="轮岗&lt;b&gt;"' in answer.text
    assert f'<option value="{before}" selected>' in answer.text
    other = "KQ002" if before != "KQ002" else "KQ003"
    answer = send(desk, "/desk/hand-over", address="whose=all", to=other, why="轮岗", shown=[case_no], whole_page="yes")
    assert "已移交1件，已通知接收人" in answer.text
    assert str(answer.url).endswith("/desk?whose=all&said=given-1")
    assert officer_of(case_no) == other


def test_what_no_page_sends_is_refused_in_a_sentence(desk: Desk, clerk: Clerk) -> None:
    for case in ("x" * 10_000, "a\x00b", "%", "YY-2026-000001\n"):
        answer = send(desk, "/desk/hand-over", address="a=%00&stage=%00", to="KQ003", why="轮岗", case=[case])
        assert (answer.status_code, answer.text.count("所选的办件编号不对，请重新选择。")) == (422, 1), case
    page = desk.browser(DIRECTOR).get("/desk?department=a%00b&officer=%00&stage=%00").text
    assert "没有“ab”这样的筛选条件，没有按它筛选。" in page


def test_whoever_is_no_director_has_no_form_and_is_refused(desk: Desk, clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    assert "移交理由" not in desk.browser(OFFICER).get("/desk?whose=all").text
    answer = send(desk, "/desk/hand-over", OFFICER, address="whose=all", to="KQ003", why="轮岗", case=[case_no])
    assert (answer.status_code, "多件一并移交由负责人办理" in answer.text) == (409, True)


def test_what_was_typed_before_one_had_to_sign_in_again_stands_there_again(desk: Desk, clerk: Clerk) -> None:
    clerk.register()
    with transaction() as session:
        open_staff_task(session, "k", None, "一件通知无法送达", clock.now())
        number = session.scalars(select(StaffTask.id)).one()
        for place, typed in (
            ("/desk/search", {"q": "俞小云"}),
            ("/desk/hand-over", {"to": "KQ003", "why": "借调一个月"}),
            (f"/desk/matters/{number}/end", {"note": "已电话告知"}),
        ):
            session.add(DeskDraft(staff_no=DIRECTOR, place=place, typed=typed, at=clock.now()))
    browser = desk.browser(DIRECTOR)
    page = browser.get("/desk?whose=all").text
    assert 'value="俞小云"' in page
    assert 'value="借调一个月"' in page
    assert 'value="已电话告知"' in browser.get(f"/desk/matters/{number}", follow_redirects=True).text
    assert door.kept_typed(DIRECTOR, "/desk/hand-over") == {}


def test_a_matter_is_closed_with_a_sentence(desk: Desk, clerk: Clerk) -> None:
    with transaction() as session:
        open_staff_task(session, "k", None, "一件通知无法送达", clock.now())
        number = session.scalars(select(StaffTask.id)).one()
    assert "处理情况未填写" in send(desk, f"/desk/matters/{number}/end", OFFICER, note=" ").text
    answer = send(desk, f"/desk/matters/{number}/end", OFFICER, note="已电话告知")
    assert ("已登记处理情况。" in answer.text, "一件通知无法送达" in answer.text) == (True, False)
    with reading() as session:
        task = session.get_one(StaffTask, number)
        assert (task.done_by_no, task.note) == (OFFICER, "已电话告知")


def test_the_workbook_comes_under_its_name(desk: Desk, clerk: Clerk) -> None:
    clerk.register()
    answer = desk.browser(OFFICER).get("/desk/list.xlsx?whose=all&kind=YY")
    assert answer.headers["content-disposition"].endswith(f"-{clock.today()}.xlsx")
    assert len(sheet_of(answer.content)) == 2


def test_figures_stand_beside_their_drawings(desk: Desk, clerk: Clerk) -> None:
    page = desk.browser(OFFICER).get("/desk/figures").text
    assert page.count("<svg") == 2
    clerk.register()
    page = desk.browser(OFFICER).get("/desk/figures").text
    assert page.count("<svg") == 3
    assert ("<script" in page.partition("<main")[2], " style=" in page) == (False, False)
    assert re.search(r"异议核查</td><td>待初审</td>\s*<td class=\"number\">1", page)


def test_the_register_may_name_nobody(clerk: Clerk) -> None:
    """An objection about what the register does not have is found by what was typed."""
    case_no = clerk.register(certificate="浙B-2020-77").case_no
    assert found("浙B-2020-77") == found("浙b－2020－77") == [case_no]
    with reading() as session:
        assert session.scalar(select(func.count(Certificate.id)).where(Certificate.root == "浙B-2020-77")) == 0
