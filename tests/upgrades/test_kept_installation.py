"""Upgrading is part of the product: an installation that an earlier version left is migrated, and everything is found
where it was and goes on from there. Who changes a table and loses something finds it here.

``make_installation`` made what is in ``kept``; the data of an earlier version are never made again.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from sqlalchemy import func, select

from ezt import children
from ezt.desk import Desk
from ezt.up import free_port
from models.base import Base
from models.cases import Case, StaffTask
from models.certificates import Certificate, CertificateType
from models.notices import NoticeState, OutgoingNotice
from models.organisations import Officer
from models.records import AuditEntry
from notifications.notices import NOTICES
from notifications.rendering import render
from notifications.sender import dispatch
from regulation.backfill.judge import Judge
from regulation.objections import Stage
from regulation.register_columns import read_off
from runtime import clock
from runtime.database import reading
from runtime.keys import keys
from tasks.backfill import questions as backfill_questions
from tasks.desk import case_page
from tasks.desk.figures import open_cases
from tasks.desk.sheets import sheet_of
from tasks.liaisons import questions as liaison_questions
from tasks.objections import questions as objection_questions
from tasks.register.types import paper_type
from tasks.register.versions import columns_of
from tests.command_line.conftest import ezt
from tests.conftest import APPROVER, Mailbox, listed_for, wait_until, web_in_this_process, working_in
from tests.upgrades.playing import case_of, every_question, go_on, question_named, standing, totals, without_prefect

KEPT = sorted(Path(__file__).with_name("kept").glob("*.tar.xz"))
AGES = timedelta(days=36_500)


@pytest.fixture(scope="module", params=KEPT, ids=lambda path: path.name.partition(".")[0])
def packed(request: pytest.FixtureRequest) -> Path:
    """An installation as an earlier version left it."""
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def said(packed: Path) -> dict[str, Any]:
    """What that version said of it."""
    found: dict[str, Any] = json.loads(packed.with_name(f"{packed.name.partition('.')[0]}.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def upgraded(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its data folder, migrated. Nobody writes to it: who goes on works on a copy."""
    folder = tmp_path_factory.mktemp("kept")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    with working_in(folder / "var"):
        done = ezt("migrate")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "密钥" not in done.stdout
    return folder / "var"


@pytest.fixture
def home(upgraded: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy to go on with, whose officers need no one-time codes; the settings are its own."""
    shutil.copytree(upgraded, tmp_path / "var")
    with working_in(tmp_path / "var", EZT_ONE_TIME_CODES="false"):
        yield tmp_path / "var"


@pytest.fixture
def installed(upgraded: Path) -> Iterator[Path]:
    """The migrated folder, to be read."""
    with working_in(upgraded):
        yield upgraded


def all_standings(said: dict[str, Any]) -> dict[str, Any]:
    return {case_no: standing(case_no) for case_no in said["cases"]}


def stood(said: dict[str, Any]) -> dict[str, Any]:
    """Where each case stood. What had been answered waits for nobody since (migration 0023)."""
    settled = {"waiting_for": None, "answered": False}
    return {case_no: case | (settled if case["answered"] else {}) for case_no, case in said["cases"].items()}


def test_every_case_stands_where_it_stood(installed: Path, said: dict[str, Any]) -> None:
    assert all_standings(said) == stood(said)
    now = totals()
    with reading() as session:
        # What a migration has to say of the data stands on record and among what staff are to see to.
        noted = ("certificate:version:recomputed", "prefect:data:clearing", "prefect:data:cleared")
        recomputed = select(func.count()).where(AuditEntry.tag.in_(noted))
        now["audit_entries"] -= session.scalar(recomputed) or 0
        told = session.scalars(select(StaffTask.what).where(StaffTask.key.startswith("upgrade:"))).all()
        now["staff_tasks"] -= len(told)
    assert {table: now[table] for table in said["tables"]} == said["tables"]
    assert sum("按证面更正" in each for each in told) == 1


def test_a_correction_that_an_earlier_version_left_half_done_is_done(installed: Path) -> None:
    with reading() as session:
        recomputed = session.scalars(
            select(AuditEntry.detail).where(AuditEntry.tag == "certificate:version:recomputed")
        ).all()
        assert recomputed
        for each in recomputed:
            held = session.scalars(select(Certificate).where(Certificate.identifier == each["identifier"])).one()
            kind = session.get_one(CertificateType, held.type_code)
            judge = Judge(paper_type(kind), clock.today(), ())
            assert read_off(judge, held.face, columns_of(held))[0] == columns_of(held)


def test_a_case_of_every_kind_waits_at_every_question_and_another_has_come_to_its_end(said: dict[str, Any]) -> None:
    cases = said["cases"].values()
    waits = {question_named(case["waiting_for"])[0] for case in cases if case["waiting_for"]}
    # A question that a later version asks has waited for nobody then.
    assert waits <= every_question()
    assert len(waits) >= 26
    assert {case["kind"] for case in cases if case["closed"]} == {case["kind"] for case in cases}


def test_the_record_agrees_with_its_seals(installed: Path) -> None:
    done = ezt("audit", "verify")
    assert done.returncode == 0, done.stdout


def test_whoever_did_something_in_a_case_is_named_in_chinese(installed: Path) -> None:
    with reading() as session:
        actors = session.scalars(select(AuditEntry.actor).where(AuditEntry.case_no.is_not(None)).distinct()).all()
        named = {who: case_page.names(session)(who) for who in actors}
    assert {who: said for who, said in named.items() if not re.search("[一-鿿]", said)} == {}
    assert len(named) > 10


def test_everything_that_is_stored_can_be_read(installed: Path, said: dict[str, Any]) -> None:
    with reading() as session:
        for mapper in Base.registry.mappers:
            # Every encrypted value is opened on the way.
            session.scalars(select(mapper.class_)).all()
    assert json.loads(keys().read_ticket(said["session"], AGES))["name"]


def test_every_list_and_sheet_is_drawn_and_every_link_still_opens(home: Path, said: dict[str, Any]) -> None:
    waiting = [case_no for case_no, case in said["cases"].items() if case["waiting_for"]]
    listed = listed_for()
    resting = {case_no for case_no in waiting if case_of(case_no).at_rest}
    # What joined another is decided with it.
    assert [case_no for case_no in waiting if case_no not in listed and case_no not in resting] == []
    assert open_cases().rows[-1][2] == str(len(open_by_themselves()))
    for case_no in said["cases"]:
        sheet = sheet_of(case_no)
        assert case_no in sheet.run_name
        assert sheet.table()
        assert sheet.timeline_table()
    with web_in_this_process() as web:
        for path in [*said["links"].values(), "/", "/objections", "/spot-checks", "/paper-reports"]:
            page = httpx.get(web + path, timeout=30, follow_redirects=True)
            assert page.status_code == 200, f"{path}: {page.text}"
        # Who was signed in signs in anew, and is told so.
        held = httpx.get(f"{web}/my/certificates", cookies={"ezt-session": said["session"]}, follow_redirects=True)
        assert "浙里办" in held.text


def test_what_was_not_sent_leaves(home: Path, mailbox: Mailbox) -> None:
    unsent = select(OutgoingNotice.notice).where(OutgoingNotice.state == NoticeState.QUEUED)
    with reading() as session:
        waiting = Counter(session.scalars(unsent))
    assert len(waiting) >= 20
    while dispatch().sent:
        pass
    with reading() as session:
        assert session.scalars(unsent).all() == []
    assert len(mailbox.mails) == waiting.total()
    for mail in mailbox.mails:
        text = mail.get_body(("plain",))
        assert text is not None
        assert any("一" <= letter <= "鿿" for letter in f"{mail['Subject']}{text.get_content()}")


def test_every_question_takes_an_answer_and_every_story_comes_to_its_end(home: Path, said: dict[str, Any]) -> None:
    with without_prefect():
        # A batch registers cases of its own.
        while cases := open_by_themselves():
            for case_no in cases:
                go_on(case_no)
    assert [case_no for case_no in said["cases"] if not standing(case_no)["closed"]] == []


def test_staff_numbers_stand_in_no_letter_to_others_and_on_no_page_of_theirs(home: Path, said: dict[str, Any]) -> None:
    with without_prefect():
        while cases := open_by_themselves():
            for case_no in cases:
                go_on(case_no)
    with reading() as session:
        staff = {officer.email: officer.staff_no for officer in session.scalars(select(Officer))}
        letters = [each for each in session.scalars(select(OutgoingNotice)) if each.recipient not in staff]
        links = {link for each in letters for link in re.findall(r"https?://[^\s\"'，。]+", str(each.context))}
    assert {each.notice for each in letters} > {"objection-closed", "certificate-backfilled", "rectification-closed"}
    written = {
        f"{each.notice} {each.case_no}": str(render(NOTICES[each.notice].model_validate(each.context)))
        for each in letters
    }
    with web_in_this_process() as web:
        paths = {*said["links"].values(), *(urlsplit(link).path for link in links)}
        paths |= {"/", "/objections", "/spot-checks", "/paper-reports", "/desk/sign-in", "/sign-in"}
        shown = {path: httpx.get(web + path, timeout=30, follow_redirects=True).text for path in paths}
        for page in list(shown.values()):
            for path in set(re.findall(r'href="(/(?!static|desk)[^"#]*)"', page)) - set(shown):
                shown[path] = httpx.get(web + path, timeout=30, follow_redirects=True).text
    number = re.compile(rf"(?<![A-Z0-9])(?:{'|'.join(staff.values())})(?![A-Z0-9])")
    found = {where: set(number.findall(text)) for where, text in (written | shown).items()}
    assert {where: each for where, each in found.items() if each} == {}
    assert len(shown) > 40


def open_by_themselves() -> list[str]:
    """The open cases but those that were joined to another and end with it."""
    with reading() as session:
        wanted = select(Case.case_no).where(Case.closed_at.is_(None), Case.stage != Stage.JOINED)
        return list(session.scalars(wanted.order_by(Case.case_no)))


@contextmanager
def up(home: Path) -> Iterator[Desk]:
    """``ezt up`` over a data folder as it is."""
    ports = {"EZT_PREFECT_PORT": str(free_port()), "EZT_WEB_PORT": str(free_port())}
    command = [sys.executable, "-m", "ezt", "up", "--json"]
    process = children.start(command, env=os.environ | ports, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()
        started = json.loads(line)
        with (
            SyncPrefectClient(f"{started['prefect']}/api", auth_string=started["password"]) as client,
            closing(Desk(client, started["web"])) as desk,
        ):
            yield desk
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=120)[1] == ""
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timeout(600)
def test_runs_that_slept_wake_in_the_new_version_and_whoever_has_none_gets_one(
    home: Path, said: dict[str, Any]
) -> None:
    cases = said["cases"]

    def case_at(question: str, **more: object) -> str:
        return next(
            case_no
            for case_no, case in cases.items()
            if (case["waiting_for"] or "").rpartition("-")[0] == question
            and all(case[name] == value for name, value in ({"answered": False, "has_run": True} | more).items())
        )

    def run_of(case_no: str) -> UUID | None:
        with reading() as session:
            run_id = session.get_one(Case, case_no).flow_run_id
        return UUID(run_id) if run_id else None

    looked_at = case_at(backfill_questions.BackfillReview.question)
    filing = case_at(liaison_questions.LiaisonConfirmation.question)
    reviewed = case_at(objection_questions.InitialReview.question)
    answered = case_at(objection_questions.InitialReview.question, answered=True)
    without = next(no for no, case in cases.items() if no[:2] == "YP" and not (case["closed"] or case["waiting_for"]))
    slept = {case_no: run_of(case_no) for case_no in (filing, reviewed, answered, looked_at)}
    with up(home) as desk:
        # Resumed by hand, a run asks for no form: its story looks again, and waits.
        run_id = slept[looked_at]
        assert run_id is not None
        before = desk.client.read_flow_run(run_id).state
        desk.client.resume_flow_run(run_id)
        wait_until(
            lambda: (now := desk.client.read_flow_run(run_id).state).is_paused() and now.id != before.id, "没有再等"
        )
        assert standing(looked_at) == cases[looked_at]
        # Both runs slept on a form of the earlier version; now the desk asks.
        for case_no, question, given in (
            (filing, liaison_questions.LiaisonConfirmation.question, {"verdict": "确认"}),
            (
                reviewed,
                objection_questions.InitialReview.question,
                {"verdict": "不予受理", "reason": "所述内容不属于证照登记事项。"},
            ),
        ):
            run_id = slept[case_no]
            assert run_id is not None
            desk.decide(case_no, question, **given)
            if case_no == reviewed:
                desk.decide(case_no, objection_questions.ReviewApproval.question, APPROVER, opinion="同意")
            desk.wait(run_id, StateType.COMPLETED)
            assert standing(case_no)["closed"]
        wait_until(lambda: standing(answered)["stage"] != Stage.REGISTERED, "已有答复的办件没有继续", 120)
        # Whether a batch asks for a review together hangs on what this version finds doubtful in its rows.
        wait_until(lambda: standing(without)["stage"] != cases[without]["stage"], "没有运行的办件没有发起", 120)
    assert run_of(answered) == slept[answered]
    assert run_of(without) is not None


@pytest.mark.thorough
def test_the_same_folder_moves_to_postgresql(
    home: Path, said: dict[str, Any], empty_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = ezt("migrate-data", empty_postgresql)
    assert done.returncode == 0, done.stderr
    with working_in(home, EZT_DATABASE_URL=empty_postgresql):
        assert all_standings(said) == stood(said)
        assert ezt("audit", "verify").returncode == 0
