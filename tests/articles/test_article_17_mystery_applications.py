"""第十七条（模拟办事）、第八条至第十一条: what a guide demands against what the system can give, what a visit in person
finds, and what citizens report."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case
from models.certificate_uses import PaperException
from models.certificates import Certificate, CertificateType
from models.findings import Finding
from models.mystery_applications import Visit
from models.notices import OutgoingNotice
from models.organisations import Department
from models.records import AuditEntry
from models.service_guides import ServiceGuide
from models.use_lists import UseListEntry, UseListVersion
from regulation.finding_rules import RULES
from regulation.findings import Source
from regulation.identity_numbers import parse_credit_code, parse_resident_number
from regulation.limits import UNUSED_ENTRY
from regulation.paper_reports import Verdict
from regulation.service_guides import Demand, DemandedForm, Guide, Known, Listed, Material, PaperLaw, compare
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.desk.sheets import sheet_of
from tasks.guides.forms import guides_from
from tasks.guides.guides import RECHECKS, Brought, bring_guides, compare_guides, newest_guides
from tasks.register.trial_holders import create_trial_holders, trial_certificate
from tasks.supervision.mystery_applications import begin_round, note_round
from tasks.supervision.paper_report_questions import PaperReportForm, PaperReportVerdict
from tasks.supervision.paper_reports import close_report, register_report
from tasks.supervision.visits import VisitForm, record_visit
from tasks.use_list.watch import ask_about_entries, report_refusals
from tests.articles.conftest import Counter
from tests.conftest import by_officer, facts_of, read_at_desk

OFFICE = sample_catalogue.DEPARTMENTS[5]
USCC = samples.department_code(samples.DEFAULT_SEED, OFFICE)
ITEM = "330603-MZ-001"
DAY = date(2026, 3, 2)
"""A Monday."""

# The rules, without a database

CARD = Material("结婚证", "T", DemandedForm.PAPER, True, "", ())
KNOWN = Known(DAY, {"T": "结婚证", "U": "护照"}, {"T"}, [], {(ITEM, "T"): [Listed("窗口受理", False)]})
PROMISED = replace(KNOWN, listed={(ITEM, "T"): [Listed("窗口受理", True), Listed("网上受理", False)]})


def found(material: Material, known: Known = KNOWN) -> list[str]:
    return [wrong.rule.code for wrong in compare(Guide(USCC, ITEM, "婚姻登记档案查询", 3, (material,)), known)]


def law(**changed: Any) -> PaperLaw:
    return replace(PaperLaw("T", None, date(2026, 1, 1), None), **changed)


@pytest.mark.parametrize(
    ("material", "known", "rules"),
    [
        pytest.param(CARD, KNOWN, ["guide-paper"], id="paper that the system can give"),
        pytest.param(replace(CARD, type_code=None), KNOWN, [], id="no certificate"),
        pytest.param(replace(CARD, type_code="U"), KNOWN, [], id="a certificate that nobody holds here"),
        pytest.param(replace(CARD, required=False), KNOWN, [], id="not required"),
        pytest.param(replace(CARD, basis="某规定"), KNOWN, ["guide-paper"], id="a law that only the guide names"),
        pytest.param(CARD, replace(KNOWN, laws=[law()]), [], id="a law on the register"),
        pytest.param(CARD, replace(KNOWN, laws=[law(until_on=DAY)]), [], id="on the law's last day"),
        pytest.param(
            CARD, replace(KNOWN, laws=[law(until_on=DAY - timedelta(1))]), ["guide-paper"], id="the day after"
        ),
        pytest.param(CARD, replace(KNOWN, laws=[law(from_on=DAY + timedelta(1))]), ["guide-paper"], id="a law to come"),
        pytest.param(CARD, replace(KNOWN, laws=[law(item_code="other")]), ["guide-paper"], id="a law for another item"),
        pytest.param(CARD, replace(KNOWN, laws=[law(item_code=ITEM)]), [], id="a law for this item"),
        pytest.param(replace(CARD, form=DemandedForm.COPY), KNOWN, ["guide-copy"], id="a copy"),
        pytest.param(replace(CARD, form=DemandedForm.ELECTRONIC), KNOWN, [], id="electronic"),
        pytest.param(replace(CARD, form=DemandedForm.FETCHED), KNOWN, [], id="fetched"),
        pytest.param(
            replace(CARD, form=DemandedForm.ELECTRONIC),
            replace(KNOWN, listed={}),
            ["guide-unlisted"],
            id="not on the use list",
        ),
        pytest.param(
            replace(CARD, form=DemandedForm.ELECTRONIC), PROMISED, ["guide-presentation"], id="promised, not named"
        ),
        pytest.param(
            replace(CARD, form=DemandedForm.ELECTRONIC, presented_in=("窗口受理",)), PROMISED, [], id="promised, named"
        ),
        pytest.param(
            replace(CARD, form=DemandedForm.ELECTRONIC, presented_in=("网上受理",)),
            PROMISED,
            ["guide-presentation"],
            id="another scenario named",
        ),
        pytest.param(replace(CARD, form=DemandedForm.FETCHED), PROMISED, [], id="nothing to present"),
        pytest.param(CARD, replace(KNOWN, listed={}), ["guide-paper", "guide-unlisted"], id="both"),
    ],
)
def test_what_a_guide_demands_is_held_against_the_measures(material: Material, known: Known, rules: list[str]) -> None:
    assert found(material, known) == rules


def test_facts_name_the_item_the_version_and_a_law_that_is_not_on_the_register() -> None:
    guide = Guide(USCC, ITEM, "婚姻登记档案查询", 3, (replace(CARD, basis="《某规定》"),))
    (wrong,) = compare(guide, KNOWN)
    assert (wrong.subject, wrong.rule.article) == (f"{ITEM} 结婚证", 8)
    assert wrong.facts == (
        "“婚姻登记档案查询”（330603-MZ-001）办事指南第3版的材料“结婚证”要求提供纸质原件，“结婚证”可以由区电子证照系统获得。"
        "所列依据“《某规定》”未登记为法定纸质例外（第七条）。"
    )


def test_two_materials_of_one_type_are_one_matter() -> None:
    other = replace(CARD, name="配偶的结婚证")
    (wrong,) = compare(Guide(USCC, ITEM, "婚姻登记档案查询", 3, (CARD, other)), KNOWN)
    assert "“结婚证”" in wrong.facts
    assert "“配偶的结婚证”" in wrong.facts


# Guides and their versions


def guide(**changed: Any) -> dict[str, Any]:
    material = {"name": "结婚证", "form": "由系统获取"} | changed
    return {"item_code": ITEM, "item_name": "婚姻登记档案查询", "materials": [material]}


def bring(**changed: Any) -> Brought:
    (brought,) = bring_guides({OFFICE: guides_from([guide(**changed)])}, "KQ-MZ")
    return brought


def matters(rule: str) -> list[Finding]:
    with reading() as session:
        wanted = select(Finding).where(Finding.rule == rule, Finding.department_uscc == USCC).order_by(Finding.id)
        return list(session.scalars(wanted))


def play(key: str) -> Any:
    """A round whose interface nobody serves: the guides alone are compared."""
    return note_round(begin_round(key))


def test_versions_are_only_added_and_the_difference_is_said(clerk: Any) -> None:
    assert bring(form="纸质原件") == Brought(OFFICE, ITEM, 2, ("材料“结婚证”：形式由“由系统获取”改为“纸质原件”",))
    assert bring(form="原件") == Brought(OFFICE, ITEM, 2, ())
    assert bring(form="原件", basis="《某法》").version == 3
    with reading() as session:
        versions = session.scalars(
            select(ServiceGuide).where(ServiceGuide.item_code == ITEM).order_by(ServiceGuide.version)
        ).all()
    assert [(each.version, each.materials[0].form) for each in versions] == [
        (1, DemandedForm.FETCHED),
        (2, DemandedForm.PAPER),
        (3, DemandedForm.PAPER),
    ]


def test_a_dry_run_says_the_same_and_writes_nothing(clerk: Any) -> None:
    forms = {OFFICE: guides_from([guide(form="复印件")])}
    assert bring_guides(forms, "", dry_run=True) == [
        Brought(OFFICE, ITEM, 2, ("材料“结婚证”：形式由“由系统获取”改为“复印件”",))
    ]
    assert bring_guides(forms, "KQ-MZ")[0].version == 2


def test_what_is_wrong_in_one_guide_keeps_all_of_them_out(clerk: Any) -> None:
    rows = [guide(form="复印件"), guide(form="口头") | {"item_code": "330603-MZ-009"}]
    with pytest.raises(InputError, match=r"第2项办事指南第1项材料：提交形式只能是"):
        guides_from(rows)
    unknown = guides_from([guide(form="复印件"), guide(certificate_type="龙证") | {"item_code": "330603-MZ-009"}])
    with pytest.raises(InputError, match="第2项办事指南第1项材料的证照类型：证照目录中没有“龙证”"):
        bring_guides({OFFICE: unknown}, "KQ-MZ")
    with pytest.raises(InputError, match="出现了两次"):
        bring_guides({OFFICE: guides_from([guide(), guide(form="复印件")])}, "KQ-MZ")
    with reading() as session:
        assert session.scalars(select(ServiceGuide.version).where(ServiceGuide.item_code == ITEM)).all() == [1]


# From a guide to a finding, again, cleared, and back


def test_a_fault_is_one_matter_until_a_new_version_mends_it_and_a_repeat_when_it_comes_back(
    clerk: Any, on_day: Callable[[date], datetime]
) -> None:
    on_day(DAY)
    bring(form="纸质原件")
    first = play("1")
    (finding,) = matters("guide-paper")
    assert finding.case_no in first.opened
    assert (finding.source, finding.subject, finding.times) == (Source.MYSTERY, f"{ITEM} 结婚证", 1)

    on_day(DAY + timedelta(1))
    assert play("2").opened == ()
    (finding,) = matters("guide-paper")
    assert (finding.times, finding.last_on) == (2, DAY + timedelta(1))

    on_day(DAY + timedelta(2))
    bring(form="由系统获取")
    assert finding.case_no in play("3").cleared
    (finding,) = matters("guide-paper")
    assert finding.cleared_on == DAY + timedelta(2)

    on_day(DAY + timedelta(3))
    bring(form="纸质原件")
    play("4")
    before, again = matters("guide-paper")
    assert again.repeats_id == before.id


def test_a_recheck_looks_at_the_newest_version(clerk: Any) -> None:
    bring(form="复印件")
    play("1")
    (finding,) = matters("guide-copy")
    with reading() as session:
        still = RECHECKS["guide-copy"](session, finding, clock.today())
    assert still is not None
    assert "第2版" in still
    bring(form="电子")
    with reading() as session:
        assert RECHECKS["guide-copy"](session, finding, clock.today()) is None


def test_a_law_entered_on_the_register_of_article_7_excuses_the_guide(clerk: Any) -> None:
    bring(form="纸质原件")
    with transaction() as session:
        code = session.scalars(select(CertificateType.code).where(CertificateType.name == "结婚证")).one()
        assert "guide-paper" in {each.rule for each in compare_guides(session, DAY, ServiceGuide.item_code == ITEM)}
        session.add(
            PaperException(
                type_code=code,
                item_code=ITEM,
                citation="《某法》第十条",
                from_on=date(2020, 1, 1),
                until_on=None,
                entered_by_no="KQ004",
                entered_at=clock.now(),
            )
        )
        session.flush()
        assert compare_guides(session, DAY, ServiceGuide.item_code == ITEM) == []


def test_trial_certificates_alone_do_not_make_a_type_available(clerk: Any) -> None:
    bring(form="纸质原件")
    with transaction() as session:
        code = session.scalars(select(CertificateType.code).where(CertificateType.name == "结婚证")).one()
        trial = trial_certificate(session, code)
        assert trial is not None
        session.execute(delete(Certificate).where(Certificate.type_code == code, Certificate.id != trial[1].id))
        session.flush()
        assert compare_guides(session, DAY, ServiceGuide.item_code == ITEM) == []


def test_the_sample_has_one_fault_of_each_kind(clerk: Any) -> None:
    with reading() as session:
        rules = sorted(each.rule for each in compare_guides(session, DAY))
    assert rules == ["guide-copy", "guide-paper", "guide-presentation", "guide-unlisted"]


def test_every_rule_is_known_with_its_article() -> None:
    groups = ("guide", "trial", "visit", "citizen")
    ours = {code: rule.article for code, rule in RULES.items() if code.split("-")[0] in groups}
    assert ours == {
        "guide-paper": 8,
        "guide-copy": 11,
        "guide-presentation": 10,
        "guide-unlisted": 9,
        "trial-access": 6,
        "trial-entry": 9,
        "visit-paper": 8,
        "visit-copy": 11,
        "visit-presentation": 10,
        "citizen-paper": 8,
        "citizen-copy": 11,
        "citizen-presentation": 10,
    }
    assert {code for code in ours if RULES[code].rerun} == set(RECHECKS)


# Trial holders


def test_trial_holders_have_right_numbers_and_a_certificate_of_every_type(clerk: Any) -> None:
    with transaction() as session:
        assert create_trial_holders(session, clock.now()) == 0
        for code in session.scalars(select(CertificateType.code)):
            found = trial_certificate(session, code)
            assert found is not None
            holder, certificate = found
            parse = parse_credit_code if holder.number_kind.of_organisation else parse_resident_number
            parse(holder.number)
            assert "不得用于办理业务" in certificate.remark


def test_what_is_done_with_a_trial_certificate_counts_nowhere(
    counter: Counter, on_day: Callable[[date], datetime]
) -> None:
    on_day(DAY)
    with transaction() as session:
        entry = session.scalars(
            select(UseListEntry)
            .join(CertificateType, CertificateType.code == UseListEntry.type_code)
            .where(UseListEntry.item_code == counter.matter["item"], CertificateType.name == "营业执照")
        ).one()
        trial = trial_certificate(session, entry.type_code)
        assert trial is not None
        session.execute(update(UseListVersion).values(in_force_from=DAY - timedelta(days=UNUSED_ENTRY.value)))

    holder = trial[0].number
    assert len(counter.query(certificate_type="营业执照", holder_number=holder).certificates) == 1
    for _ in range(6):
        with pytest.raises(RefusalError):
            counter.query(certificate_type="营业执照", holder_number=holder, item="330603-SCJG-777")
    with reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.tag.like("certificate:query:%"))).all()
        assert [each.detail.get("test") for each in entries] == [True] * 7
        every = len(session.scalars(select(UseListEntry.id)).all())
    # Used by a trial holder only, the entry is asked about like the others that nobody used.
    assert ask_about_entries(clock.now()) == every
    on_day(DAY + timedelta(1))
    report = report_refusals(clock.now())
    assert report is not None
    assert "没有被拒的用证" in report


def test_what_is_done_with_a_real_certificate_still_counts(
    counter: Counter, on_day: Callable[[date], datetime]
) -> None:
    on_day(DAY)
    with transaction() as session:
        session.execute(update(UseListVersion).values(in_force_from=DAY - timedelta(days=UNUSED_ENTRY.value)))
        every = len(session.scalars(select(UseListEntry.id)).all())
        wanted = select(UseListEntry).where(UseListEntry.item_code == counter.matter["item"])
        entry = session.scalars(wanted.order_by(UseListEntry.id)).first()
        assert entry is not None
        detail = {"entry": entry.id, "department": entry.department_uscc}
        record(session, "certificate:query:answered", None, "KQ-SCJG", clock.now(), **detail)
        refused = {"item": "x", "type": "y", "article": 9, "department": entry.department_uscc}
        record(session, "certificate:query:refused", None, "KQ-SCJG", clock.now(), **refused)
    assert ask_about_entries(clock.now()) == every - 1
    on_day(DAY + timedelta(1))
    assert "第9条" in (report_refusals(clock.now()) or "")


# Visits in person


def visited(**changed: Any) -> VisitForm:
    given = {
        "department": OFFICE,
        "item_code": ITEM,
        "visited_on": DAY,
        "material": "结婚证",
        "demand": "要求提供纸质原件",
        "remarks": "二号窗口",
    }
    return VisitForm.model_validate(given | changed)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({}, "visit-paper"),
        ({"demand": "要求提供复印件"}, "visit-copy"),
        ({"item_code": "330603-GA-001", "material": "身份证", "demand": "不接受手机亮证"}, None),
        ({"demand": "不接受手机亮证"}, None),
        ({"demand": "接受电子证照"}, None),
        ({"material": "户口簿"}, None),
        ({"material": "结婚证原件", "certificate_type": "结婚证"}, "visit-paper"),
    ],
)
def test_a_visit_is_kept_and_is_a_finding_where_the_system_could_have_given_it(
    clerk: Any, on_day: Callable[[date], datetime], changed: dict[str, Any], rule: str | None
) -> None:
    on_day(DAY)
    said, opened = record_visit(visited(**changed), "visit:1", by_officer("KQ001"))
    assert record_visit(visited(**changed), "visit:1", by_officer("KQ001"))[1] == ()
    with reading() as session:
        kept = session.scalars(select(Visit)).one()
        assert kept.officer_no == "KQ001"
        assert [session.scalars(select(Finding)).one().rule for _ in opened] == ([rule] if rule else [])
    assert ("列为问题：" in said and "不列为问题" not in said) == (rule is not None)


def test_what_was_noted_at_the_counter_stands_on_the_rectification_that_it_led_to(
    clerk: Any, on_day: Callable[[date], datetime]
) -> None:
    on_day(DAY)
    _, (case_no,) = record_visit(visited(), "visit:1", by_officer("KQ001"))
    record_visit(visited(remarks="四号窗口也一样"), "visit:2", by_officer("KQ001"))
    # Neither what was found elsewhere nor what nothing was noted of.
    record_visit(visited(demand="要求提供复印件", remarks="只在六号窗口"), "visit:3", by_officer("KQ001"))
    record_visit(visited(remarks=""), "visit:4", by_officer("KQ001"))
    page = read_at_desk(case_no, "KQ004")
    shown = [line for each in page.compared for line in each.lines]
    noted = [said for name, said in shown if name == f"现场体验备注（{DAY}）"]
    assert noted == ["二号窗口", "四号窗口也一样"]
    # For staff: what goes to the department and into Prefect says nothing of it.
    with reading() as session:
        told = session.scalars(select(OutgoingNotice.context)).all()
    assert not [each for each in (*map(str, told), str(sheet_of(case_no).lines)) if "号窗口" in each]


def test_a_promised_presentation_that_is_refused_is_a_finding(clerk: Any, on_day: Callable[[date], datetime]) -> None:
    on_day(DAY)
    police = {"department": sample_catalogue.DEPARTMENTS[6], "item_code": "330603-GA-001", "material": "身份证"}
    _, opened = record_visit(visited(**police, demand="不接受手机亮证"), "visit:1", by_officer("KQ001"))
    with reading() as session:
        finding = session.scalars(select(Finding)).one()
    assert (finding.rule, finding.source, finding.case_no) == ("visit-presentation", Source.VISIT, opened[0])
    assert finding.facts == (
        "2026-03-02现场体验：办理“新生儿户口登记”（330603-GA-001）时，窗口对材料“身份证”（身份证）不接受手机亮证。"
    )
    assert "二号窗口" not in finding.facts


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"visited_on": DAY + timedelta(1)}, "还没有到"),
        ({"certificate_type": "龙证"}, "证照目录中没有"),
        ({"department": "龙宫"}, "没有名为"),
    ],
)
def test_a_visit_that_cannot_be_is_refused(
    clerk: Any, on_day: Callable[[date], datetime], changed: dict[str, Any], said: str
) -> None:
    on_day(DAY)
    with pytest.raises(RefusalError, match=said):
        record_visit(visited(**changed), "visit:1", by_officer("KQ001"))
    with reading() as session:
        assert session.scalars(select(Visit)).all() == []


# Citizens' reports

CITIZEN = {"email": "qianjishu@example.com", "phone": "0575-84120099", "account": "钱𠮷舒在窗口等了一上午"}


def reported(**changed: Any) -> str:
    given = {
        "department": OFFICE,
        "matter": "查结婚档案",
        "material": "结婚证",
        "demand": "要求提供纸质原件",
        "happened_on": DAY,
        **CITIZEN,
    }
    return register_report(PaperReportForm.model_validate(given | changed), [], changed.get("account", "k"))


def answer(clerk: Any, case_no: str, **given: Any) -> str | None:
    clerk.case_no = case_no
    refusal: str | None = clerk.answer(PaperReportVerdict, **given)
    return refusal


RIGHT = {"verdict": "属实", "item_code": ITEM, "certificate_type": "结婚证", "reason": "电话核实，窗口承认。"}


def test_items_and_types_are_looked_up_and_others_refused_with_the_nearest(
    clerk: Any, on_day: Callable[[date], datetime]
) -> None:
    on_day(DAY)
    case_no = reported()
    with reading() as session:
        known = PaperReportVerdict.known(session, session.get_one(Case, case_no))
        names = [each.item_name for each in newest_guides(session, ServiceGuide.department_uscc == USCC)]
    assert known["item_code"] == sorted(names)
    assert "结婚证" in known["certificate_type"]
    wrong = {
        "item_code": [("330603-MZ-091", f"是不是：{ITEM}"), ("某事", "没有名为“某事”的事项")],
        "certificate_type": [("结婚登记证", "是不是：结婚证"), ("通行证", "证照目录中没有所填的证照类型")],
    }
    for field, texts in wrong.items():
        for text, said in texts:
            assert said in str(answer(clerk, case_no, **RIGHT | {field: text})), text
    both = str(answer(clerk, case_no, **RIGHT | {field: texts[0][0] for field, texts in wrong.items()}))
    assert [texts[0][1] in both for texts in wrong.values()] == [True, True]
    assert answer(clerk, case_no, **RIGHT | {"item_code": known["item_code"][0]}) is None


def test_a_report_is_no_finding_until_staff_have_confirmed_it(
    clerk: Any, mailbox: Any, on_day: Callable[[date], datetime]
) -> None:
    on_day(DAY)
    case_no = reported()
    assert case_no == "FY-2026-000001"
    assert matters("citizen-paper") == []
    assert answer(clerk, case_no, **RIGHT) is None
    (opened,) = close_report.run(case_no)
    assert close_report.run(case_no) == [opened]
    (finding,) = matters("citizen-paper")
    assert (finding.case_no, finding.source, finding.subject) == (opened, Source.CITIZEN, f"{ITEM} 结婚证")
    assert not any(value in finding.facts for value in CITIZEN.values())
    with reading() as session:
        assert session.get_one(Case, case_no).stage == "已属实"


@pytest.mark.parametrize("guides", ["some", "none"])
def test_an_item_that_no_guide_has_is_upheld_only_on_a_basis(
    clerk: Any, on_day: Callable[[date], datetime], guides: str
) -> None:
    """A counter may demand paper for what its department has no guide of; what somebody made up is nothing."""
    on_day(DAY)
    case_no = reported()
    if guides == "none":
        with transaction() as session:
            others = select(Department.uscc).where(Department.uscc != USCC).limit(1).scalar_subquery()
            session.execute(update(ServiceGuide).values(department_uscc=others))
    for text in ("330603-MZ-999", "婚姻档案出证"):
        assert "填写“指南外事项的依据（如权责清单）”" in str(answer(clerk, case_no, **RIGHT | {"item_code": text}))
    said = RIGHT | {"item_code": "婚姻档案出证", "basis": "区民政局权责清单第12项"}
    assert answer(clerk, case_no, **said) is None
    close_report.run(case_no)
    (finding,) = matters("citizen-paper")
    assert finding.subject == "婚姻档案出证 结婚证"


def test_a_report_that_does_not_hold_is_no_finding(clerk: Any, on_day: Callable[[date], datetime]) -> None:
    on_day(DAY)
    case_no = reported()
    assert answer(clerk, case_no, verdict=Verdict.REJECT, reason="当日该窗口未受理此事项。") is None
    assert close_report.run(case_no) == []
    assert matters("citizen-paper") == []
    assert sheet_of(case_no).stage == "未属实"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": ""}, "怎样核实"),
        ({"item_code": ""}, "请在“事项”中写明"),
        ({"item_code": "某事"}, "没有名为“某事”的事项"),
        ({"certificate_type": "户口簿"}, "不属于第八条所说的情形"),
        ({"certificate_type": ""}, "证照目录中的证照类型"),
    ],
)
def test_a_confirmation_says_what_is_to_be_mended(
    clerk: Any, on_day: Callable[[date], datetime], changed: dict[str, Any], said: str
) -> None:
    on_day(DAY)
    refusal = answer(clerk, reported(), **RIGHT | changed)
    assert refusal is not None
    assert said in refusal


def test_what_no_promise_covers_cannot_be_confirmed(clerk: Any, on_day: Callable[[date], datetime]) -> None:
    on_day(DAY)
    refusal = answer(clerk, reported(demand=str(Demand.NO_PRESENTATION)), **RIGHT)
    assert refusal is not None
    assert "没有承诺" in refusal


def test_who_reported_stands_only_where_an_officer_has_signed(clerk: Any, on_day: Callable[[date], datetime]) -> None:
    on_day(DAY)
    case_no = reported()
    masked = f"{sheet_of(case_no).table()}{sheet_of(case_no).timeline_table()}{sheet_of(case_no).run_name}"
    assert not any(value in masked for value in (*CITIZEN.values(), "查结婚档案"))
    with reading() as session:
        officer = session.get_one(Case, case_no).officer_no
        details = [str(entry.detail) for entry in session.scalars(select(AuditEntry))]
        raw = session.connection().exec_driver_sql("SELECT matter, account, email, phone FROM paper_reports").all()
    full = str(facts_of(read_at_desk(case_no, officer)))
    assert all(value in full for value in (*CITIZEN.values(), "查结婚档案"))
    assert not any(value in text for value in CITIZEN.values() for text in (*details, str(raw)))


@pytest.mark.parametrize("day", [DAY + timedelta(1), DAY - timedelta(367)])
def test_a_report_speaks_of_a_day_of_the_last_year(clerk: Any, on_day: Callable[[date], datetime], day: date) -> None:
    on_day(DAY)
    with pytest.raises(InputError, match="日期应在"):
        reported(happened_on=day)


def test_a_report_handed_in_twice_is_one(clerk: Any, on_day: Callable[[date], datetime]) -> None:
    on_day(DAY)
    assert reported() == reported()
    assert reported(account="另一次") != reported()
