"""A department nobody of which has an e-mail address: whatever it was to be told, staff are asked to hand it over."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from gateways.stand_in import StandIn
from models.cases import StaffTask
from models.liaisons import LiaisonOfficer
from models.organisations import Department
from models.records import AuditEntry
from regulation.certificates import Level
from regulation.limits import UNUSED_ENTRY
from runtime import clock
from runtime.database import reading, transaction
from tasks.backfill.steps import refuse_backfill, return_for_correction
from tasks.liaisons.questions import LiaisonConfirmation
from tasks.liaisons.steps import return_filing
from tasks.objections.batch_files import read_file
from tasks.objections.batches import receive_batch, register_chunk, sum_up
from tasks.objections.corrections import tell_users_of_wrong_value
from tasks.office.recipients import liaisons_on_file
from tasks.rectifications.watch import remind_of_rectifications
from tasks.rule_revisions.questions import RevisionConfirmation
from tasks.rule_revisions.steps import track_revision
from tasks.rule_revisions.watch import remind_of_revisions
from tasks.system_reviews.go_live import remind_before_go_live
from tasks.use_list.watch import ask_about_entries
from tests.articles import test_article_09_use_list as use_list
from tests.articles import test_article_11_backfill as backfill
from tests.articles import test_article_11_batch as backfill_batch
from tests.articles import test_article_12_batches as objection_batch
from tests.articles import test_article_13_liaison_officers as liaisons
from tests.articles import test_article_16_rule_revision as rule_revision
from tests.articles import test_article_17_rectification as rectification
from tests.articles import test_article_17_system_reviews as system_review
from tests.articles.conftest import on_day
from tests.conftest import Clerk, certificate_of
from tests.interface.test_corrections import corrected

__all__ = ["on_day"]

Day = Callable[[date], datetime]
MONDAY = date(2026, 3, 2)
OFFICE = "绍兴市柯桥区民政局"


def nobody_has_an_address() -> None:
    with transaction() as session:
        session.execute(update(Department).values(email=""))
        session.execute(update(LiaisonOfficer).values(until_on=date(2020, 1, 1)))


def a_batch_of_papers(_on_day: Day, folder: Path) -> str:
    case = backfill_batch.submit(backfill_batch.written(folder / "结婚证.csv", backfill_batch.BOX))
    nobody_has_an_address()
    backfill_batch.through(case)
    return case.case_no


def a_paper_to_correct(_on_day: Day, _folder: Path) -> str:
    case = backfill.register()
    nobody_has_an_address()
    assert backfill.review(case, "退回更正", "登记日期与扫描件不符。") is None
    return_for_correction.run(case.case_no)
    return case.case_no


def a_paper_that_is_refused(_on_day: Day, _folder: Path) -> str:
    case = backfill.register()
    nobody_has_an_address()
    assert backfill.review(case, "不予补录", "不是该局颁发的证照。") is None
    refuse_backfill.run(case.case_no)
    return case.case_no


def objections_handed_in_together(_on_day: Day, _folder: Path) -> str:
    nobody_has_an_address()
    table = read_file("异议.csv", objection_batch.table(objection_batch.clear(2)))
    case_no = receive_batch(table, OFFICE, OFFICE, "", "KQ001").case_no
    register_chunk.run(case_no, 1)
    sum_up.run(case_no)
    return case_no


def a_wrong_value_that_was_used(_on_day: Day, _folder: Path) -> str:
    certificate, kind = certificate_of(Level.CITY)
    with transaction() as session:
        seen = {"certificates": [certificate.identifier], "fields": list(kind.names), "business_no": "1"}
        session.add(
            AuditEntry(
                at=clock.now(),
                actor="KQ-MZ",
                tag="certificate:extract:answered",
                holder_index=certificate.holder_index,
                detail=seen | {"department": use_list.uscc(OFFICE)},
            )
        )
    case = corrected(certificate)
    nobody_has_an_address()
    assert tell_users_of_wrong_value.run(case.case_no) == 1
    return case.case_no


def a_rectification_that_is_nearly_due(on_day: Day, _folder: Path) -> str:
    (case_no,) = rectification.find(on_day(MONDAY), OFFICE)
    rectification.Story(case_no).decide()
    nobody_has_an_address()
    # Ten working days from Monday the 2nd end on Monday the 16th.
    assert remind_of_rectifications(on_day(date(2026, 3, 13))) == 1
    return case_no


def a_rule_that_is_nearly_due(on_day: Day, _folder: Path) -> str:
    on_day(MONDAY)
    case = rule_revision.listed()
    assert case.answer(RevisionConfirmation, verdict="确认") is None
    track_revision.run(case.case_no)
    nobody_has_an_address()
    assert remind_of_revisions(on_day(rule_revision.PLANNED - timedelta(days=1))) == 1
    return case.case_no


def a_new_system(on_day: Day, _folder: Path) -> str:
    on_day(MONDAY)
    nobody_has_an_address()
    return system_review.submit(department=OFFICE).case_no


def a_system_that_goes_live(on_day: Day, _folder: Path) -> str:
    on_day(MONDAY)
    case = system_review.passed()
    nobody_has_an_address()
    assert remind_before_go_live(on_day(date(2026, 5, 11))) == 1
    return case.case_no


def a_proposal_for_the_use_list(on_day: Day, _folder: Path) -> str:
    on_day(MONDAY)
    nobody_has_an_address()
    return use_list.approved(use_list.END).case_no


def a_filing_that_is_returned(on_day: Day, _folder: Path) -> str:
    on_day(MONDAY)
    with reading() as session:
        (there,) = liaisons_on_file(session, use_list.uscc(OFFICE), MONDAY)
    case = liaisons.file(OFFICE, "终止", replaces=there.name)
    nobody_has_an_address()
    assert case.answer(LiaisonConfirmation, verdict="退回", reason="请先指定接任的专人。") is None
    return_filing.run(case.case_no)
    return case.case_no


def left_to_staff() -> list[StaffTask]:
    with reading() as session:
        wanted = select(StaffTask).where(StaffTask.key.startswith("unreached:")).order_by(StaffTask.id)
        return list(session.scalars(wanted))


@pytest.mark.parametrize(
    "told",
    [
        a_batch_of_papers,
        a_paper_to_correct,
        a_paper_that_is_refused,
        objections_handed_in_together,
        a_wrong_value_that_was_used,
        a_rectification_that_is_nearly_due,
        a_rule_that_is_nearly_due,
        a_new_system,
        a_system_that_goes_live,
        a_proposal_for_the_use_list,
        a_filing_that_is_returned,
    ],
)
def test_staff_hear_whom_to_reach_about_which_case(
    told: Callable[[Day, Path], str], clerk: Clerk, city_bureau: StandIn, on_day: Day, tmp_path: Path
) -> None:
    case_no = told(on_day, tmp_path)
    with reading() as session:
        departments = session.scalars(select(Department.name)).all()
    (task,) = left_to_staff()
    assert task.case_no == case_no
    (whose,) = [name for name in departments if name in task.what]
    assert task.what.startswith(f"“{whose}”没有可用的邮箱，请另行送达{case_no}的通知（")
    assert task.what.endswith("）并补登邮箱")


def test_staff_hear_whom_to_reach_about_entries_of_the_use_list(clerk: Clerk, on_day: Day) -> None:
    on_day(MONDAY)
    nobody_has_an_address()
    assert ask_about_entries(on_day(MONDAY + timedelta(days=2 * UNUSED_ENTRY.value)))
    tasks = left_to_staff()
    assert len(tasks) == len({task.what for task in tasks}) == 8
    assert any(task.what == f"“{OFFICE}”没有可用的邮箱，请另行送达用证清单1个条目的询问并补登邮箱" for task in tasks)
    assert not any(task.case_no for task in tasks)
