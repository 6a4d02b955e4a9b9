"""Makes a small installation of this version, which later ones upgrade: ``python -m tests.upgrades.make_installation``.

It writes ``kept/<day>.tar.xz``, a data folder as ``make run`` leaves it (both databases, keys, settings, mail), and
``kept/<day>.json``, which says where each case stands, which links were given out and how many rows there are. Played
are the stories of every kind to every question and to their ends. All persons are invented; the keys were made for
this folder and open nothing else.
"""

import argparse
import json
import os
import re
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp
import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt.installation import prepare
from ezt.samples import data as samples
from ezt.up import free_port
from gateways import zhejiang_gateway, zheliban, zheliban_stand_in
from gateways.stand_in import Fault, StandIn
from gateways.stand_in import running as running_stand_in
from models.cases import Case
from models.certificates import Certificate, CertificateType
from models.notices import OutgoingNotice
from models.objections import Objection
from models.rectifications import Rectification
from notifications import sink
from notifications.sender import dispatch
from regulation.certificates import Level
from regulation.findings import Source
from regulation.objections import Stage
from regulation.rectifications import Response
from regulation.service_guides import Demand
from regulation.supervision_reports import period_of
from runtime import clock, signing_authority
from runtime.database import reading, transaction
from tasks.backfill import questions as backfill_questions
from tasks.case.attachments import File
from tasks.case.calendars import publish
from tasks.case.department_links import ByLink
from tasks.case.hand_over import give_case
from tasks.case.questions import Question
from tasks.certificates.holders import (
    AuthorisationRequest,
    HolderRequest,
    PresentationRequest,
    authorise,
    open_session,
    present,
    uses_of_holder,
)
from tasks.certificates.own import Doubt, doubt_use
from tasks.certificates.reading import PlatformDownError
from tasks.desk import deadline_watch as deadlines
from tasks.guides.paper_exceptions import enter_exception
from tasks.keeping.records import seal_record
from tasks.liaisons import questions as liaison_questions
from tasks.objections import questions as objection_batch_questions
from tasks.objections import questions as objection_questions
from tasks.objections.drafts import open_draft, save_draft, send_confirmation
from tasks.objections.registrations import register_objection
from tasks.objections.steps import log_disagreement, submit_supplement, withdraw_objection
from tasks.office.leave import file_leave
from tasks.office.signatures import COMMAND_LINE, SignatureError, sign
from tasks.rectifications import questions as rectification_questions
from tasks.rectifications.findings import Found, note_findings
from tasks.rectifications.responses import respond
from tasks.rule_revisions import questions as rule_revision_questions
from tasks.spot_checks import questions as spot_check_questions
from tasks.spot_checks.steps import open_round_for_officer
from tasks.supervision import nights as online_supervision
from tasks.supervision import paper_report_questions
from tasks.supervision.mystery_applications import begin_round, note_round, play_round
from tasks.supervision.paper_report_questions import PaperReportForm
from tasks.supervision.paper_reports import register_report
from tasks.supervision.reports import make_report
from tasks.supervision.visits import VisitForm, record_visit
from tasks.system_reviews import questions as system_review_questions
from tasks.use_list import questions as use_list_questions
from tasks.use_list.watch import ask_about_entries
from tests.articles import test_article_09_use_list as use_lists
from tests.articles import test_article_11_backfill as backfills
from tests.articles import test_article_11_batch as batches
from tests.articles import test_article_12_batches as objection_batches
from tests.articles import test_article_13_liaison_officers as liaisons
from tests.articles import test_article_16_rule_revision as rule_revisions
from tests.articles import test_article_17_spot_checks as spot_checks
from tests.articles import test_article_17_system_reviews as system_reviews
from tests.articles.conftest import Counter, of, valid
from tests.conftest import (
    FEW,
    Clerk,
    WorkedDesk,
    by_officer,
    certificates_with_address,
    deploy,
    forget_settings,
    objection_about,
    prefect_server,
    reaching,
    web_in_this_process,
    working_in,
)
from tests.upgrades.playing import Steered, answer, every_question, go_on, standing, tell, totals, without_prefect

KEPT = Path(__file__).with_name("kept")
FIRST = datetime.fromisoformat("2026-07-06T09:00:00+08:00")
"""A Monday, on whichever day the folder is made; half a year after the sample's use list came into force."""
PUBLIC = "http://127.0.0.1:4202"
"""What stands before the links in mails."""
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
SETTINGS = "EZT_CONTACT_PHONE=0575-84120000\nEZT_CONTACT_ADDRESS=绍兴市柯桥区某路1号\n"
"""What an operator has added to the keys."""


class Days:
    """The present, which is a minute later each time something new begins."""

    now = FIRST

    def later(self, lasting: timedelta = timedelta(minutes=1)) -> None:
        self.now += lasting


@dataclass
class Office:
    """Who registers cases, each about something of its own."""

    about: dict[Level, Iterator[Any]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def key(self) -> str:
        """What names one more submission."""
        return f"kept-{next(self.numbers)}"

    def objection(self, source: Level = Level.PROVINCE, **changed: object) -> str:
        """About a value that no other is about, at a bureau that is written to or, the city's, asked by its gateway."""
        fields = self.about.setdefault(source, self._fields(source))
        certificate, kind, name = next(fields)
        application = objection_about(certificate, kind, field=name, **changed)
        return register_objection(application, [], self.key(), "KQ001").case_no

    def _fields(self, source: Level) -> Iterator[tuple[Certificate, CertificateType, str]]:
        for certificate, kind in certificates_with_address(CertificateType.source == source):
            for code, name in kind.names.items():
                if code in certificate.face:
                    yield certificate, kind, name

    def objection_batch(self, rows: int = 4) -> str:
        """A table of objections, of which one waits for a review of its own."""
        fields = self.about.setdefault(Level.PROVINCE, self._fields(Level.PROVINCE))
        given = [
            objection_batches.as_row(objection_about(certificate, kind, field=name, email=f"shen{place}@example.com"))
            for place, (certificate, kind, name) in zip(range(rows), fields, strict=False)
        ]
        return objection_batches.hand_in([*given, given[0] | {"证照编号或电子证照标识": self.key()}]).case_no

    def backfill(self, *files: File) -> str:
        number = next(self.numbers)
        paper = {"结婚证字号": f"J330621-1998-{number:06}"}
        return backfills.register(paper, f"kept-{number}", files=files).case_no

    def backfill_batch(self) -> str:
        first = next(self.numbers) * 100
        rows = [batches.marriage(first + place) for place in range(20)]
        rows += [batches.marriage(first + 20, 登记日期="1998年2月30日"), batches.marriage(first)]
        with tempfile.TemporaryDirectory() as folder:
            return batches.submit(batches.written(Path(folder) / f"结婚证{first}.csv", rows)).case_no

    def proposal(self) -> str:
        line = use_lists.NEW | {"scenario": f"第{next(self.numbers)}窗口"}
        return use_lists.propose(line, key=self.key()).case_no

    def liaison(self) -> str:
        number = next(self.numbers)
        person = {"name": f"钱{chr(ord('安') + number)}", "email": f"qian{number}@example.cn"}
        return liaisons.file(liaisons.OFFICE, key=self.key(), **person).case_no

    def finding(self, rule: str = "visit-paper") -> str:
        """A finding that nobody has decided on; the rule of a visit can be run again by nobody."""
        found = Found(rule, use_lists.uscc(liaisons.NOBODY), f"事项{next(self.numbers)}", "窗口要求提供纸质原件。")
        with transaction() as session:
            (case_no,) = note_findings(session, Source.VISIT, [found], clock.now(), []).opened
        return case_no

    def rule(self) -> str:
        return rule_revisions.listed(self.key(), clause=f"第{next(self.numbers)}条", planned_on="2026-12-21").case_no

    def system(self, **changed: object) -> str:
        number = next(self.numbers)
        named = {"project_name": f"第{number}号系统", "project_code": f"P-{number}", "go_live_on": "2026-12-01"}
        return system_reviews.submit(self.key(), **named, **changed).case_no

    def round(self) -> str:
        by, title = by_officer("KQ003"), f"第{next(self.numbers)}轮专项抽查"
        return open_round_for_officer(self.key(), title, date(2026, 1, 1), date(2026, 1, 31), 5, by)

    def report(self) -> str:
        given = {"department": batches.OFFICE, "matter": "查结婚档案", "material": "结婚证"}
        said = {"demand": Demand.PAPER, "happened_on": str(clock.today()), "account": "窗口说必须带原件。"}
        form = PaperReportForm.model_validate(given | said | {"email": "fanying@example.com"})
        return register_report(form, [File("照片.png", "image/png", PNG)], self.key())


REASON = "所述内容与登记的档案不符，请补正后再来。"
SUPPLEMENT: Steered = {objection_questions.InitialReview: {"verdict": "要求补正", "reason": REASON}}
WRONG: Steered = {
    objection_questions.VerificationReply: {
        "finding": "原数据有误",
        "corrected_value": "绍兴市柯桥区群贤路9999号",
    }
}
EXTENSION: Steered = {
    rectification_questions.DepartmentResponse: {"kind": "申请延期", "text": "尚需时日，请予延期。", "days": 5}
}
NOT_MENDED: Steered = {rectification_questions.Recheck: {"verdict": "退回整改", "days": 10, "reason": REASON}}
CONFIRMED: Steered = {rule_revision_questions.RevisionConfirmation: {"verdict": "确认"}}
MORE_MATERIAL: Steered = {system_review_questions.SystemReviewOpinion: {"verdict": "补充材料", "text": REASON}}
Register = Callable[[Office], str]


def places() -> Iterator[tuple[type[Question], Register, Steered]]:
    """By question, a case that comes to wait at it, and what is answered on its way."""
    objection, backfill = Office.objection, Office.backfill
    yield objection_questions.InitialReview, objection, {}
    yield objection_questions.SupplementReceived, objection, SUPPLEMENT
    yield objection_questions.LetterPosted, objection, {}
    yield objection_questions.VerificationReply, objection, {}
    yield objection_questions.VerificationReply, partial(objection, source=Level.CITY), {}
    yield objection_questions.RefusedRequest, partial(objection, source=Level.CITY), {}
    yield objection_questions.OutcomeDecision, objection, WRONG
    yield objection_batch_questions.BatchReview, Office.objection_batch, {}
    yield objection_batch_questions.BatchLetterPosted, Office.objection_batch, {}
    yield backfill_questions.ScanAttached, backfill, {}
    yield backfill_questions.BackfillReview, lambda office: backfill(office, backfills.SCAN), {}
    returned: Steered = {backfill_questions.BackfillReview: {"verdict": "退回更正", "reason": REASON}}
    yield backfill_questions.BackfillCorrection, backfill, returned
    yield backfill_questions.BatchSampleReview, Office.backfill_batch, {}
    yield use_list_questions.UseListReview, Office.proposal, {}
    yield liaison_questions.LiaisonConfirmation, Office.liaison, {}
    yield paper_report_questions.PaperReportVerdict, Office.report, {}
    yield rectification_questions.FindingDecision, Office.finding, {}
    yield rectification_questions.DepartmentResponse, Office.finding, {}
    yield rectification_questions.ExtensionDecision, Office.finding, EXTENSION
    yield rectification_questions.Recheck, Office.finding, {}
    yield rectification_questions.FinalStanding, Office.finding, NOT_MENDED
    yield rule_revision_questions.RevisionConfirmation, Office.rule, {}
    yield rule_revision_questions.RevisionReport, Office.rule, CONFIRMED
    yield rule_revision_questions.RevisionCheck, Office.rule, CONFIRMED
    yield system_review_questions.SystemReviewOpinion, Office.system, {}
    yield system_review_questions.MaterialReceived, Office.system, MORE_MATERIAL
    yield spot_check_questions.SpotCheckResults, Office.round, {}
    yield spot_check_questions.SpotCheckPublication, Office.round, {}


def ends() -> Iterator[tuple[Register, Steered]]:
    """A case of each kind that comes to its end, and of some to another one too."""
    yield Office.objection, {objection_questions.InitialReview: {"verdict": "不予受理", "reason": REASON}}
    yield Office.objection, {}
    yield Office.objection, WRONG
    yield partial(Office.objection, source=Level.CITY), WRONG
    yield Office.objection_batch, {}
    yield Office.backfill, {}
    yield Office.backfill, {backfill_questions.BackfillReview: {"verdict": "不予补录", "reason": REASON}}
    yield Office.backfill_batch, {}
    yield Office.proposal, {}
    yield Office.proposal, {use_list_questions.UseListReview: {"verdict": "不通过", "reason": REASON}}
    yield Office.liaison, {}
    yield Office.report, {}
    yield Office.finding, {}
    yield Office.finding, {rectification_questions.FindingDecision: {"decision": "不成立", "reason": REASON}}
    yield Office.rule, CONFIRMED
    yield Office.system, {}
    yield partial(Office.system, issuing={}), {}
    yield Office.round, {}


@contextmanager
def signed_on() -> Iterator[zheliban_stand_in.StandIn]:
    """A stand-in of 浙里办 that knows the sample's holders, while the block runs."""
    known = samples.persons(samples.DEFAULT_SEED, FEW.holders)
    with zheliban_stand_in.running(zheliban_stand_in.StandIn("ezt", "password", known)) as there:
        with set_to(ZHELIBAN__URL=there.url, ZHELIBAN__SERVICE_CODE="ezt", ZHELIBAN__SERVICE_PASSWORD="password"):
            yield there
        zheliban.close()


@contextmanager
def city_bureau() -> Iterator[StandIn]:
    """A stand-in of the city's platform, which takes its time to reply, while the block runs."""
    with running_stand_in(StandIn("kq-app", "kq-secret", reply_after=3600)) as there:
        secret = {"CITY_GATEWAY__APP_KEY": there.app_key, "CITY_GATEWAY__APP_SECRET": there.app_secret}
        with set_to(CITY_GATEWAY__URL=there.url, **secret):
            yield there
        zhejiang_gateway.close()


@contextmanager
def set_to(**given: str) -> Iterator[None]:
    """Settings that hold while the block runs."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in given.items():
            patched.setenv(f"EZT_{name}", value)
        forget_settings()
        yield
    forget_settings()


def use_certificates(days: Days) -> str:
    """Counters use certificates, one of them a value that turns out wrong; a holder signs in, presents, authorises and
    doubts a use; a platform does not answer. The session that the holder was given."""
    counter, card, licence, estate = Counter(), valid("身份证"), valid("营业执照"), valid("不动产权证书")
    counter.query(certificate_type="营业执照", holder_number=licence.holder_number)
    counter.copy(**of(licence, "营业执照"))
    with signed_on() as there:
        session = open_session(HolderRequest(ticket=there.issue(card.holder_number))).session
        owner = there.issue(estate.holder_number)
        authorise(
            AuthorisationRequest(
                ticket=owner, department=batches.OFFICE, item=use_lists.ITEM, certificate_type="结婚证", days=30
            )
        )
    for _ in range(2):
        code = present(PresentationRequest(session=session, certificate_type="身份证")).code
    counter.redeem(code)
    (use,) = uses_of_holder(HolderRequest(session=session)).uses
    doubt_use(HolderRequest(session=session), use.record_no, Doubt.NOT_MINE)
    matter = {"item": "330603-ZRZY-001", "business_no": "BDC-1", "operator": "ZR-1", "purpose": "办理转移登记"}
    Counter("KQ-ZRZY", matter).extract(**of(estate, "不动产权证书"), fields=["address"])
    with reading() as session_:
        kind = session_.get_one(CertificateType, estate.type_code)
    wrong = register_objection(objection_about(estate, kind), [], "kept-wrong-value", "KQ001")
    go_on(wrong.case_no, steered=WRONG)
    log_disagreement(wrong.token, "更正后的门牌号仍然不对。")
    days.later(timedelta(days=1, hours=2))
    with suppress(PlatformDownError):
        counter.extract(**of(licence, "营业执照"))
    return session


def sign_with_codes(days: Days) -> None:
    """Officers sign with one-time codes, right and wrong."""
    with set_to(ONE_TIME_CODES="true"):
        secret = by_officer("KQ001").code_secret
        sign("KQ001", pyotp.TOTP(secret).at(days.now), COMMAND_LINE)
        with suppress(SignatureError):
            sign("KQ002", "000000", COMMAND_LINE)


def objectors(office: Office) -> None:
    """What objectors do: a draft is left lying, one withdraws, one hands in what was missing, one joins another."""
    (certificate, kind, name) = next(office.about[Level.PROVINCE])
    application = objection_about(certificate, kind, field=name)
    draft = open_draft({})
    assert save_draft(draft, application.model_dump(mode="json"), [("门牌证.png", PNG)]) == []
    send_confirmation(draft)
    for submission in ("lead", "joined"):
        register_objection(application, [], submission, "KQ001")
    withdraw_objection(token_of(Objection, office.objection()))
    supplemented = office.objection()
    go_on(supplemented, objection_questions.SupplementReceived, SUPPLEMENT)
    submit_supplement(token_of(Objection, supplemented), "门牌证见附件", [File("门牌证.png", "image/png", PNG)], "1")
    go_on(supplemented)


def answer_in_part() -> None:
    """What is said without ending a wait: a department answers after its time, one of two teams has checked."""
    late = waiting_at(rectification_questions.FinalStanding)
    said = rectification_questions.DepartmentResponse(kind=Response.DONE, text="已经整改，请予复查。")
    respond(ByLink(token_of(Rectification, late)), said, [], "late")
    case = Clerk(waiting_at(spot_check_questions.SpotCheckResults))
    spot_checks.check(case, spot_checks.teams(case)[0])


def token_of(model: type[Objection | Rectification], case_no: str) -> str:
    with reading() as session:
        return session.get_one(model, case_no).token


def waiting_at(question: type[Question]) -> str:
    with reading() as session:
        wanted = select(Case.case_no).where(Case.closed_at.is_(None), Case.waiting_for == f"{question.question}-1")
        return session.scalars(wanted).one()


def play(days: Days, office: Office) -> dict[str, Any]:
    """Everything that the folder shows but what needs a run; what was given out and cannot be read from the tables."""
    home = prepare().home
    samples.load(sizes=FEW)
    port = free_port()
    with sink.running(home / "mail", port), set_to(SMTP_HOST="127.0.0.1", SMTP_PORT=str(port)):
        # The first cases are told of by mail; from then on no server takes any.
        go_on(office.objection())
        dispatch()
    session = use_certificates(days)
    sign_with_codes(days)
    director = by_officer("KQ004")
    enter_exception("结婚证", "", "某法第十条", clock.today(), None, director)
    file_leave("KQ003", "KQ002", date(2026, 9, 1), date(2026, 9, 3), director)
    publish(2027, "2027-01-01 元旦", "", by_officer("KQ002"))
    visit = {"department": batches.OFFICE, "item_code": use_lists.ITEM, "visited_on": str(clock.today())}
    record_visit(VisitForm.model_validate(visit | {"material": "结婚证", "demand": Demand.PAPER}), "visit-1", director)
    make_report(period_of("2026-06"), clock.now())
    online_supervision.supervise(clock.now())
    with web_in_this_process() as address, set_to(INTERFACE_URL=address):
        round_no = begin_round("kept")
        play_round(round_no)
        note_round(round_no)
    for register, steered in ends():
        days.later()
        go_on(register(office), steered=steered)
    extended = office.finding()
    go_on(extended, rectification_questions.ExtensionDecision, EXTENSION)
    go_on(extended)
    objectors(office)
    days.later(timedelta(days=1))
    with city_bureau() as bureau:
        for question, register, steered in places():
            days.later()
            if question is objection_questions.RefusedRequest:
                bureau.order(Fault.REFUSE)
            go_on(register(office), question, steered)
    with reading() as session_:
        # What rests or was joined to another has no run.
        told = select(Case.case_no).where(Case.closed_at.is_(None), ~Case.at_rest, Case.stage != Stage.JOINED)
        waiting = session_.scalars(told).all()
    for case_no in waiting:
        tell(case_no)
    answer_in_part()
    ask_about_entries(clock.now())
    days.later(timedelta(days=1))
    deadlines.sweep(clock.now())
    while seal_record(clock.now()):
        days.later()
    return {"session": session}


def suspend(home: Path) -> None:
    """Give every open case its run on a real Prefect server, whose data stay in the folder."""
    prefect = home / "prefect"
    prefect.mkdir()
    deploy(prefect)
    quiet = {"PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false", "EZT_HOME": str(home)}
    with prefect_server(prefect, **quiet) as reached, reaching(reached) as client:
        desk = WorkedDesk(client, environment=os.environ | reached | quiet, home=prefect)
        try:
            desk.start_worker()
            desk.wait(desk.submit("系统巡检/system-round", only=["办件恢复"]), StateType.COMPLETED, seconds=1200)
            for run_id in runs():
                desk.wait(run_id, StateType.PAUSED, seconds=1200)
        finally:
            desk.stop()


def runs() -> list[UUID]:
    with reading() as session:
        wanted = select(Case.flow_run_id).where(Case.closed_at.is_(None), Case.flow_run_id.is_not(None))
        return [UUID(run_id) for run_id in session.scalars(wanted)]


def links() -> dict[str, str]:
    """By the notice that it was in, the last link that somebody outside was given."""
    with reading() as session:
        told = session.scalars(select(OutgoingNotice).order_by(OutgoingNotice.id)).all()
    given = {notice.notice: str(notice.context["link"]) for notice in told if "link" in notice.context}
    # Who is to confirm a draft has a week.
    given.pop("objection-to-confirm")
    return {notice: link.removeprefix(PUBLIC) for notice, link in given.items() if link.startswith(PUBLIC)}


def say_where_everything_stands() -> dict[str, Any]:
    with reading() as session:
        case_nos = session.scalars(select(Case.case_no).order_by(Case.case_no)).all()
    places = {case_no: standing(case_no) for case_no in case_nos}
    asked = {place["waiting_for"].rpartition("-")[0] for place in places.values() if place["waiting_for"]}
    missing = {each.question for each in every_question()} - asked
    assert not missing, f"nobody waits at {missing}"
    tables = totals()
    empty = [name for name, rows in tables.items() if not rows]
    assert not empty, f"nothing in {empty}"
    return {"cases": places, "tables": tables, "links": links()}


def pack(home: Path, said: dict[str, Any], day: date) -> Path:
    """Make the two files; databases are vacuumed, and Prefect's events and logs of its own are left out."""
    for database in (home / "ezt.db", home / "prefect" / "prefect.db"):
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            if database.parent != home:
                for table in ("log", "events", "event_resources"):
                    connection.execute(f"DELETE FROM {table}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    KEPT.mkdir(exist_ok=True)
    packed = KEPT / f"{day}.tar.xz"
    with tarfile.open(packed, "w:xz", preset=9) as archive:
        for path in sorted(home.rglob("*")):
            # The pages are Prefect's own, wherever it runs.
            left_out = path.suffix == ".log" or "ui" in path.parts or path.name.endswith(("-wal", "-shm"))
            if path.is_file() and not left_out:
                archive.add(path, f"var/{path.relative_to(home)}", filter=nobodys)
    text = json.dumps(said, ensure_ascii=False, indent=1)
    packed.with_name(f"{day}.json").write_text(re.sub(r"\n {3,}", " ", text) + "\n", encoding="utf-8")
    return packed


def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(FIRST.timestamp())
    return member


def main() -> None:
    """Make the installation of today's version and say how large it is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--day", type=date.fromisoformat, default=clock.today(), help="names the files")
    day = parser.parse_args().day
    days, office = Days(), Office()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder) / "var"
        home.mkdir(mode=0o700)
        (home / "ezt.env").write_text(SETTINGS, encoding="utf-8")
        stack.enter_context(working_in(home, EZT_ONE_TIME_CODES="false"))
        with pytest.MonkeyPatch.context() as patched, without_prefect():
            patched.setattr(clock, "now", lambda: days.now)
            patched.setattr(signing_authority, "now", lambda: days.now)
            given = play(days, office)
            handed_over = office.objection()
            give_case(handed_over, "KQ002", "轮岗", by_officer("KQ004"))
        suspend(home)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(clock, "now", lambda: days.now)
            # While nothing runs, somebody answers, and others hand in.
            answer(handed_over, objection_questions.InitialReview, 1, {"verdict": "受理"})
            office.objection()
            office.objection_batch()
            given |= say_where_everything_stands()
        forget_settings()
        packed = pack(home, given, day)
    sys.stdout.write(f"{packed}  {packed.stat().st_size / 2**10:.0f} KB\n")


if __name__ == "__main__":
    main()
