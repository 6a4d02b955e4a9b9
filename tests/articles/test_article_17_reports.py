"""第十七条：……发现问题的，及时督促整改。The monthly and quarterly report: what it counts, and that it stays so."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.certificates import Certificate
from models.notices import OutgoingNotice
from models.organisations import Application
from models.records import AuditEntry
from regulation.findings import Source
from regulation.limits import VERIFICATION_REQUEST
from regulation.online_supervision import LIAISON_MISSING
from regulation.supervision_reports import Period, period_of
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.case.deadlines import meet_deadline
from tasks.rectifications.findings import Found, note_findings
from tasks.supervision.figures import Figures, Section, figures_of
from tasks.supervision.report_documents import page_of, pdf_of
from tasks.supervision.reports import make_report, report_behind
from tests.articles.conftest import Counter, valid
from tests.conftest import Clerk

OCTOBER = period_of("2026-10")
PDF = "http://127.0.0.1:4202/reports/2026-10/k/pdf"
MARKET = "绍兴市柯桥区市场监督管理局"

Day = Callable[[date], datetime]


def objected(clerk: Clerk, on_day: Day, received: date, requested: date | None) -> None:
    """An objection, and when its verification request went out."""
    on_day(received)
    case = clerk.register(certificate_type=f"{received}发的证")
    if requested is not None:
        on_day(requested)
        with transaction() as session:
            meet_deadline(session, case.case_no, VERIFICATION_REQUEST, requested)


def found(subject: str = "") -> None:
    uscc = samples.department_code(samples.DEFAULT_SEED, sample_catalogue.DEPARTMENTS[9])
    with transaction() as session:
        note_findings(
            session, Source.ONLINE, [Found(LIAISON_MISSING.code, uscc, subject, "没有在册的专人。")], clock.now()
        )


def figures(period: Period = OCTOBER) -> Figures:
    with reading() as session:
        return figures_of(session, period)


def section(title: str, period: Period = OCTOBER) -> Section:
    (one,) = (each for each in figures(period).sections if each.title.startswith(title))
    return one


def row(title: str, name: str, period: Period = OCTOBER) -> tuple[str, ...]:
    (one,) = (row[1:] for row in section(title, period).rows if row[0] == name)
    return one


@pytest.fixture
def history(clerk: Clerk, counter: Counter, on_day: Day) -> None:
    """An autumn: three objections due in October, one of them late; uses; a finding that goes and one that comes."""
    objected(clerk, on_day, date(2026, 9, 7), date(2026, 9, 9))
    objected(clerk, on_day, date(2026, 9, 30), date(2026, 10, 13))
    objected(clerk, on_day, date(2026, 10, 12), date(2026, 10, 20))
    objected(clerk, on_day, date(2026, 10, 23), None)
    on_day(date(2026, 9, 20))
    found("甲")
    held = valid("营业执照")
    with transaction() as session:
        # Its source is not asked again, also where the sample data are older than these days.
        session.get_one(Certificate, held.id).read_at = on_day(date(2026, 11, 1))
    for day in (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)):
        on_day(day)
        counter.query(holder_number=held.holder_number, certificate_type="营业执照")
    on_day(date(2026, 10, 8))
    with transaction() as session:
        note_findings(session, Source.ONLINE, [], clock.now(), [LIAISON_MISSING.code])
    on_day(date(2026, 10, 15))
    found("甲")
    on_day(date(2026, 11, 2))


def test_what_is_late_in_the_month_it_was_due_stays_late_and_the_trend_goes_back(history: None) -> None:
    assert row("异议核实需求按期率", "2026年10月") == ("3", "1", "2", "33.3%", "0")
    assert row("异议核实需求按期率", "2026年9月") == ("1", "1", "0", "100.0%", "0")
    assert row("异议核实需求按期率", "2026年8月") == ("0", "0", "0", "—", "0")
    assert [label for label, *_ in section("异议核实需求按期率").trend][-1] == "2026年10月"
    assert len(section("异议核实需求按期率").trend) == 6
    assert dict(figures().summary)["核实需求逾期"] == "2件"


def test_uses_of_the_month_are_counted_to_its_last_minute_and_no_further(history: None) -> None:
    uses, refused, listed, covered, rate = row("各部门用证", MARKET)
    assert (uses, refused, covered) == ("2", "0", "1")
    assert int(listed) > 1
    assert rate == f"{1000 // int(listed) / 10:.1f}%"
    assert row("各部门用证", MARKET, period_of("2026-Q3"))[0] == "1"


def test_calls_of_mystery_applications_are_nobodys_use(history: None, on_day: Day) -> None:
    at = on_day(date(2026, 10, 31))
    uscc = samples.department_code(samples.DEFAULT_SEED, MARKET)
    with transaction() as session:
        key = session.scalars(select(Application.key).order_by(Application.key)).first()
        for detail in ({"test": True}, {}):
            tag, said = "certificate:query:answered", {"department": uscc, "entry": 1, **detail}
            session.add(AuditEntry(at=at, actor=str(key), tag=tag, detail=said))
    assert row("各部门用证", MARKET)[0] == "3"


def test_a_finding_counts_when_it_came_when_it_went_and_as_a_repeat(history: None) -> None:
    assert row("监督发现的问题", "没有在册的电子证照专人") == ("第13条", "1", "1", "1", "1")
    assert row("监督发现的问题", "没有在册的电子证照专人", period_of("2026-09")) == ("第13条", "1", "0", "0", "1")


def test_cases_are_counted_as_they_stood_at_the_end_of_the_month(history: None) -> None:
    assert row("办件收办情况", "异议核查") == ("2", "0", "4")
    assert row("办件收办情况", "督促整改") == ("1", "1", "1"), "what cleared by itself has ended"


def test_every_number_names_a_query_and_the_query_gives_it_again(history: None) -> None:
    made = figures()
    for each in made.sections:
        for column in each.columns:
            assert column.query or column.title in {"期间", "办件", "部门", "问题", "条款", "结果"}
            assert column.query <= len(made.queries)
    with reading() as session:
        cursor = session.connection().connection.cursor()
        by_title = {query.title: cursor.execute(query.sql).fetchall() for query in made.queries}
    assert [tuple(counts) for counts in by_title["2026年10月到期的核实需求及按期数"]] == [(3, 1)]
    uscc = samples.department_code(samples.DEFAULT_SEED, MARKET)
    assert (uscc, 2) in [tuple(counts) for counts in by_title["各部门用证次数"]]


def test_the_same_report_comes_out_again_whatever_happens_later(history: None, clerk: Clerk, on_day: Day) -> None:
    first = figures()
    page, pdf = page_of(first, PDF), pdf_of(first)
    objected(clerk, on_day, date(2026, 11, 9), date(2026, 11, 10))
    with transaction() as session:
        note_findings(session, Source.ONLINE, [], clock.now(), [LIAISON_MISSING.code])
    again = figures()
    assert again == first
    assert (page_of(again, PDF), pdf_of(again)) == (page, pdf)
    assert pdf.startswith(b"%PDF-")
    for number in range(1, len(first.queries) + 1):
        assert f'id="q{number}"' in page
    assert set(re.findall(r'href="#q(\d+)"', page)) <= {str(query.number) for query in first.queries}
    assert re.findall(r'(?:src|href)="(?!#)([^"]*)', page) == [PDF], "the page loads nothing and leads nowhere else"


def test_a_report_is_kept_and_its_leaders_are_told_once(history: None, on_day: Day) -> None:
    made = make_report(OCTOBER, clock.now())
    on_day(date(2026, 12, 1))
    assert make_report(OCTOBER, clock.now()) == made
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "supervision-reported")
        notices = session.scalars(wanted).all()
    assert len(notices) == 1, "the one director of the sample"
    assert notices[0].context["link"] == made.link
    assert "核实需求按期率：33.3%" in notices[0].context["summary"]
    code, key = made.link.rsplit("/", 2)[1:]
    assert report_behind(code, key).pdf == made.pdf
    with pytest.raises(LookupError):
        report_behind("2026-Q3", key)
    with pytest.raises(LookupError):
        report_behind(code, key[:-1] + "x")


def test_a_period_that_is_not_over_or_is_none_is_refused(clerk: Clerk, on_day: Day) -> None:
    on_day(OCTOBER.last)
    with pytest.raises(RefusalError, match="尚未结束"):
        make_report(OCTOBER, clock.now())
    on_day(OCTOBER.last + timedelta(days=1))
    assert make_report(OCTOBER, clock.now()).code == "2026-10"
    for nonsense in ("2026-13", "2026-Q5", "26-1", "十月", ""):
        with pytest.raises(InputError, match="2026-Q3"):
            period_of(nonsense)


def test_a_month_in_which_nothing_happened_has_a_report_too(clerk: Clerk, on_day: Day) -> None:
    on_day(date(2026, 5, 4))
    empty = figures(period_of("2026-04"))
    assert dict(empty.summary)["核实需求按期率"] == "—"
    assert "本期没有。" in page_of(empty, PDF)
    assert pdf_of(empty).startswith(b"%PDF-")
