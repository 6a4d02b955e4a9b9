"""Mystery applications over the real interface (Article 17): what comes back of a round, and that the secret with which
the Center calls opens nothing but what is invented."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.certificates import Certificate, CertificateType
from models.findings import Finding
from models.liaisons import LiaisonOfficer
from models.mystery_applications import MysteryRound, TrialCall
from models.organisations import Application, ApplicationSecret
from models.records import AuditEntry
from models.use_lists import UseListEntry
from regulation.certificates import CertificateState
from regulation.limits import TRIAL_SECRET
from regulation.mystery_applications import CallOutcome
from runtime import clock
from runtime.database import reading, transaction
from tasks.desk.matters import matters
from tasks.office.applications import end_application, lend_trial_secret
from tasks.register.trial_holders import trial_certificate
from tasks.supervision.mystery_applications import COPY, EXTRACT, QUERY, begin_round, note_round, play_round, report_of
from tests.conftest import forget_settings
from tests.interface.conftest import Caller
from tests.interface.test_certificates_api import FOOD_PERMIT

PERMITS = "/api/v1/certificates/query"


@pytest.fixture
def interface(web: str, at_once: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """The web process, where mystery applications look for it."""
    monkeypatch.setenv("EZT_INTERFACE_URL", web)
    monkeypatch.setenv("EZT_ONE_TIME_CODES", "false")
    forget_settings()
    return web


def uscc(place: int) -> str:
    return samples.department_code(samples.DEFAULT_SEED, sample_catalogue.DEPARTMENTS[place])


def played(key: str = "1") -> str:
    round_no = begin_round(key)
    play_round(round_no)
    return round_no


def calls(round_no: str) -> list[TrialCall]:
    with reading() as session:
        return list(session.scalars(select(TrialCall).where(TrialCall.round_no == round_no).order_by(TrialCall.id)))


def findings(*rules: str) -> dict[str, Finding]:
    with reading() as session:
        wanted = select(Finding).where(Finding.rule.in_(rules), Finding.cleared_on.is_(None))
        return {each.department_uscc + each.subject: each for each in session.scalars(wanted)}


def test_every_entry_is_queried_extracted_and_copied(interface: str) -> None:
    round_no = played()
    came = calls(round_no)
    with reading() as session:
        entries = set(session.scalars(select(UseListEntry.id)))
        audit = session.scalars(select(AuditEntry).where(AuditEntry.tag.like("certificate:%:answered"))).all()
        secrets = session.scalars(select(ApplicationSecret).where(ApplicationSecret.of_center)).all()
        invented = [trial_certificate(session, code) for code in session.scalars(select(CertificateType.code))]
    assert [(call.outcome, call.said) for call in came if call.outcome is not CallOutcome.OK] == []
    assert Counter(call.step for call in came) == {QUERY: len(entries), EXTRACT: len(entries), COPY: len(entries)}
    assert {call.entry_id for call in came} == entries
    # Every entry of the record is the department's application's, marked, and speaks of nobody.
    assert len(audit) == 3 * len(entries)
    assert {entry.detail["test"] for entry in audit} == {True}
    assert {entry.detail["business_no"] for entry in audit} == {round_no}
    assert secrets == []
    noted = note_round(round_no)
    report = report_of(round_no, noted)
    assert findings("trial-access", "trial-entry") == {}
    assert f"成功{len(entries)}个" in report
    assert not any(found is not None and found[0].number in report for found in invented)


def test_a_round_goes_on_where_it_stopped(interface: str) -> None:
    round_no = played()
    before = len(calls(round_no))
    assert played() == round_no
    assert len(calls(round_no)) == before
    assert played("2") != round_no


def test_a_department_whose_application_is_switched_off_is_one_finding_until_it_is_let_in(interface: str) -> None:
    end_application("KQ-ZRZY", "KQ004")
    round_no = played()
    refused = [call for call in calls(round_no) if call.outcome is not CallOutcome.OK]
    assert {(call.department_uscc, call.step, call.status) for call in refused} == {(uscc(1), QUERY, 401)}
    opened = note_round(round_no).opened
    (finding,) = findings("trial-access").values()
    assert (finding.department_uscc, finding.subject) == (uscc(1), "")
    assert finding.case_no in opened
    assert f"{len(refused)}个不能用证" in finding.facts
    assert findings("trial-entry") == {}

    with transaction() as session:
        session.get_one(Application, "KQ-ZRZY").active = True
    assert finding.case_no in note_round(played("2")).cleared


def test_a_department_without_an_application_and_one_without_a_liaison_officer(interface: str) -> None:
    with transaction() as session:
        session.get_one(Application, "KQ-MZ").speaks_for = "别的单位"
        session.execute(
            update(LiaisonOfficer).where(LiaisonOfficer.department_uscc == uscc(6)).values(until_on=samples.AS_OF)
        )
    note_round(played())
    found = findings("trial-access")
    assert set(found) == {uscc(5), uscc(6)}
    assert "没有登记调用用证接口的应用" in found[uscc(5)].facts
    assert "专人" in found[uscc(6)].facts


def test_an_entry_that_is_refused_what_the_list_grants_is_a_finding_of_its_own(interface: str) -> None:
    with transaction() as session:
        code = session.scalars(select(CertificateType.code).where(CertificateType.name == "驾驶证")).one()
        found = trial_certificate(session, code)
        assert found is not None
        # The copy is refused (Article 11): here because of the certificate, in life because of whatever it may be.
        session.get_one(Certificate, found[1].id).valid_until_on = samples.AS_OF
    note_round(played())
    (finding,) = findings("trial-entry").values()
    assert finding.subject == "330603-JT-001 驾驶证（路面核验）"
    assert "“存档副本”一步被拒绝" in finding.facts


def test_our_own_trouble_is_nobodys_finding(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EZT_INTERFACE_URL", "http://127.0.0.1:9")
    forget_settings()
    round_no = played()
    assert calls(round_no) == []
    noted = note_round(round_no)
    assert findings("trial-access", "trial-entry") == {}
    assert "没有试用" in report_of(round_no, noted)
    assert any("用证接口没有应答" in each.what for each in matters("KQ001").rows)


def test_an_entry_without_a_trial_certificate_is_not_tried_and_clears_nothing(interface: str) -> None:
    end_application("KQ-ZRZY", "KQ004")
    note_round(played())
    with transaction() as session:
        session.get_one(Application, "KQ-ZRZY").active = True
        code = session.scalars(select(CertificateType.code).where(CertificateType.name == "驾驶证")).one()
        found = trial_certificate(session, code)
        assert found is not None
        session.get_one(Certificate, found[1].id).state = CertificateState.REVOKED
    round_no = played("2")
    noted = note_round(round_no)
    with reading() as session:
        assert session.get_one(MysteryRound, round_no).untried == 1
    assert set(findings("trial-access")) == {uscc(1)}
    assert noted.cleared == ()
    assert any("ezt trial-holder create" in each.what for each in matters("KQ001").rows)


# The secret with which the Center calls


def lent(department: Caller) -> Caller:
    with transaction() as session:
        return Caller(department.base, department.key, lend_trial_secret(session, department.key, clock.now()))


def test_the_centers_secret_opens_no_real_certificate(interface: str, department: Caller) -> None:
    with reading() as session:
        code = session.scalars(select(CertificateType.code).where(CertificateType.name == "营业执照")).one()
        trial = trial_certificate(session, code)
        assert trial is not None
        real = session.scalars(
            select(Certificate)
            .where(Certificate.type_code == code, Certificate.holder_index != trial[0].holder_index)
            .order_by(Certificate.id)
        ).first()
        assert real is not None
    center = lent(department)
    asked = FOOD_PERMIT | {"certificate_type": "营业执照"}
    assert center.post(PERMITS, asked | {"holder_number": trial[0].number}).status_code == 200
    refused = center.post(PERMITS, asked | {"holder_number": real.holder_number})
    assert (refused.status_code, refused.json()["article"]) == (403, 17)
    # The department's own secret goes on as before, with real holders and with invented ones.
    for number in (real.holder_number, trial[0].number):
        assert department.post(PERMITS, asked | {"holder_number": number}).status_code == 200
    with reading() as session:
        marks = [
            entry.detail.get("test")
            for entry in session.scalars(
                select(AuditEntry).where(AuditEntry.tag.like("certificate:query:%")).order_by(AuditEntry.id)
            )
        ]
    assert marks == [True, True, None, True]


def test_the_centers_secret_speaks_for_the_department_nowhere_else(interface: str, department: Caller) -> None:
    center = lent(department)
    filing = {
        "submission_no": "1",
        "kind": "指定",
        "name": "某",
        "position": "科员",
        "phone": "0575-84120001",
        "email": "a@example.cn",
    }
    assert center.post("/api/v1/liaison-filings", filing).status_code == 403
    assert center.send("GET", "/api/v1/wrong-value-uses").status_code == 403


def test_the_centers_secret_ends_by_itself(interface: str, department: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    center = lent(department)
    assert center.post(PERMITS, {}).status_code == 422
    later = clock.now() + timedelta(seconds=TRIAL_SECRET.value)
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setattr("time.time", lambda: later.timestamp())
    assert center.post(PERMITS, {}).status_code == 401


def test_an_allow_list_and_an_allowance_are_the_departments_own(interface: str, department: Caller) -> None:
    with transaction() as session:
        application = session.get_one(Application, department.key)
        application.networks, application.calls_a_minute = ["10.0.0.0/8"], 100
    center = lent(department)
    assert center.post(PERMITS, {}).status_code == 422
    assert department.post(PERMITS, {}).status_code == 403


def test_a_mark_that_a_caller_sends_is_no_mark(department: Caller, interface: str) -> None:
    with reading() as session:
        real = session.scalars(select(Certificate).order_by(Certificate.id)).first()
    assert real is not None
    asked = FOOD_PERMIT | {"certificate_type": "营业执照", "holder_number": real.holder_number}
    department.post(PERMITS, asked, **{"X-EZT-Test": "true"})
    refused: Any = department.post(PERMITS, asked | {"test": True})
    assert refused.status_code == 422
    with reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.tag.like("certificate:query:%"))).all()
    assert [entry.detail.get("test") for entry in entries] == [None, None]
