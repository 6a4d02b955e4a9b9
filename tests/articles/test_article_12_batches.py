"""第十二条：有权向综合管理单位提出核查申请。综合管理单位应当在收到异议申请5个工作日内，向省、市大数据局提出数据核实需求。
Many objections at once."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from gateways.stand_in import Fault, StandIn
from models.cases import Answer, Case, CaseCounter, CaseKind, Deadline, StepRecord
from models.notices import OutgoingNotice
from models.objection_batches import ObjectionBatch, ObjectionBatchChunk, ObjectionBatchRow
from models.objections import Attachment, Objection, VerificationRequest
from models.organisations import Officer
from models.records import AuditEntry
from regulation.certificates import Level
from regulation.limits import INITIAL_REVIEW, URGE, URGES_BEFORE_ESCALATION, VERIFICATION_REQUEST
from regulation.objection_batches import BatchStage
from regulation.objections import Bureau, Pursuit, Stage, Way
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError
from tasks.case.calendars import working_days
from tasks.desk.deadline_watch import Swept, sweep
from tasks.desk.figures import open_cases
from tasks.desk.sheets import sheet_of
from tasks.desk.to_do import Wanted, Whose, listed
from tasks.objections import batches as objection_batches
from tasks.objections import verifications
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import LAYOUT, read_file
from tasks.objections.batches import (
    Received,
    accept_some,
    chunks_to_register,
    close_batch,
    deliver_some,
    judge_batch,
    prepare_letters,
    receive_batch,
    record_letters,
    register_chunk,
    still_to_deliver,
    submit_batch,
    sum_up,
)
from tasks.objections.doubts import doubts_of
from tasks.objections.questions import BatchLetterPosted, BatchReview, OutcomeDecision, VerificationReply
from tasks.objections.registrations import Receipt, register_objection
from tasks.objections.steps import (
    accept_objection,
    close_objection,
    decide_outcome,
    status_link,
    take_reply,
    withdraw_objection,
)
from tasks.objections.verifications import correspond, prepare_pursuit
from tests.articles.test_article_12_objections import backdate
from tests.conftest import (
    APPROVER,
    Clerk,
    as_xlsx,
    certificates_with_address,
    listed_for,
    objection_about,
    read_at_desk,
)

Day = Callable[[date], datetime]

SENDER = "浙江省大数据局"
CAN_BE = (
    "绍兴市柯桥区柯桥街道群贤路9999号",
    "2020-03-05",
    "88万元整",
    "33060319900101333X",
    "91330621MA2888888T",
    "男",
    "女",
    "共同共有",
    "按份共有",
    "绍兴县建设局",
)
"""Values of which each field can hold one."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows a chunk and seven cases a set, so that a file has several."""
    monkeypatch.setattr(objection_batches, "CHUNK", 10)
    monkeypatch.setattr(objection_batches, "TOGETHER", 7)


def as_row(application: ObjectionApplication) -> dict[str, str]:
    """An application as a line of a table."""
    given = application.model_dump(mode="json") | {"grounds": "、".join(application.grounds)}
    return {LAYOUT.title(name): str(value) for name, value in given.items()}


def clear(rows: int | None = None, source: Level = Level.CITY) -> list[dict[str, str]]:
    """So many rows (or all that can be) of which there is nothing to remark, each about a field of a certificate that
    no other is about."""
    made = []
    for certificate, kind in certificates_with_address():
        if kind.source is source:
            for code, name in kind.names.items():
                if code in certificate.face:
                    number = len(made)
                    about = {"field": name, "email": f"shen{number}@example.com"}
                    right = (objection_about(certificate, kind, **about, proposed=value) for value in CAN_BE)
                    made.append(as_row(next(each for each in right if not doubts_of(each))))
    assert len(made) >= (rows or 1)
    return made[:rows]


def table(rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("gb18030")


def hand_in(rows: Sequence[Mapping[str, str]], sender: str = SENDER) -> Received:
    return receive_batch(read_file("异议.csv", table(rows)), sender, sender, "push@example.cn", "KQ001")


def register(rows: Sequence[Mapping[str, str]]) -> Clerk:
    """A batch up to the review."""
    batch = Clerk(hand_in(rows).case_no)
    register_chunks(batch)
    sum_up.run(batch.case_no)
    return batch


def register_chunks(batch: Clerk) -> None:
    for chunk in chunks_to_register(batch.case_no):
        register_chunk.run(batch.case_no, chunk)


def request(batch: Clerk) -> list[str]:
    """What the story does after the review, up to the letters."""
    for part in count(1):
        if not accept_some.run(batch.case_no, part):
            break
    for part in count(1):
        deliver_some(batch.case_no)
        if not still_to_deliver.run(batch.case_no, part):
            break
    return prepare_letters.run(batch.case_no)


def accepted(rows: Sequence[Mapping[str, str]]) -> Clerk:
    """A batch whose requests are on their way."""
    batch = register(rows)
    assert batch.answer(BatchReview, verdict="一并受理") is None
    assert judge_batch.run(batch.case_no)
    request(batch)
    return batch


def cases(*which: Any) -> list[Case]:
    with reading() as session:
        return list(session.scalars(select(Case).where(Case.kind == CaseKind.OBJECTION, *which).order_by(Case.case_no)))


def number_of(column: Any, *which: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column)).where(*which)) or 0


def what_was_written(case_no: str) -> dict[str, Any]:
    """All that is on record of a case, but for what only it can have."""
    with reading() as session:
        case = session.get_one(Case, case_no)
        objection = session.get_one(Objection, case_no)
        deadlines = session.scalars(select(Deadline).where(Deadline.case_no == case_no).order_by(Deadline.id))
        entries = session.scalars(select(AuditEntry).where(AuditEntry.case_no == case_no).order_by(AuditEntry.id))
        sent = session.scalars(select(OutgoingNotice).where(OutgoingNotice.case_no == case_no))
        asked = session.scalars(select(VerificationRequest).where(VerificationRequest.case_no == case_no)).all()
        steps = session.scalars(select(StepRecord).where(StepRecord.case_no == case_no))
        answers = session.scalars(select(Answer).where(Answer.case_no == case_no).order_by(Answer.id))
        own = {case_no: "办件", status_link(objection.token): "链接"}

        def without(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: without(each) for name, each in value.items() if name != "remote_no"}
            return own.get(value, value) if isinstance(value, str) else value

        not_alike = {"case_no", "token", "token_index", "submission_key", "email", "earlier_case_no"}
        columns = [column.name for column in Objection.__table__.columns if column.name not in not_alike]
        return {
            "case": (case.stage, case.received_on, case.measures_version, case.closed_at),
            "objection": {name: getattr(objection, name) for name in columns},
            "deadlines": [
                {
                    of.name: getattr(each, of.name)
                    for of in Deadline.__table__.columns
                    if of.name not in {"id", "case_no"}
                }
                for each in deadlines
            ],
            "entries": [(each.tag, without({**each.detail, "seal": ""})) for each in entries],
            "notices": sorted(
                [
                    (each.notice, without(each.context))
                    for each in sent
                    if each.notice not in {"case-assigned", "approval-asked"}
                ],
                key=lambda each: each[0],
            ),
            "requests": [
                (each.turn, each.pursuit, each.bureau, each.by_letter, each.sent_at is None, each.refusal)
                for each in asked
            ],
            "steps": {(each.step, each.turn): each.result for each in steps},
            "answers": [(each.question, each.turn, each.source, each.given, each.refusal) for each in answers],
        }


# 收到即登记


def test_a_table_is_registered_as_its_rows_one_by_one_would_be(clerk: Any, city_bureau: StandIn, on_day: Day) -> None:
    on_day(clock.today())
    rows = clear(13)
    single = ObjectionApplication.model_validate(
        {name: rows[0][LAYOUT.title(name)] for name in LAYOUT.headings if LAYOUT.title(name) in rows[0]}
        | {"grounds": rows[0]["异议种类"].split("、"), "email": "single@example.com"}
    )
    alone = Clerk(register_objection(single, [], "alone", "KQ001").case_no)
    before = what_was_written(alone.case_no)
    withdrawn = alone.case_no
    # It must not be joined to the one of the table.
    with reading() as session:
        withdraw_objection(session.get_one(Objection, withdrawn).token)
    register(rows)
    first = cases(Case.closed_at.is_(None))[0]
    assert what_was_written(first.case_no) == before


def test_what_is_accepted_and_asked_together_is_as_by_itself(clerk: Any, city_bureau: StandIn, on_day: Day) -> None:
    on_day(clock.today())
    rows = clear(3)
    batch = accepted(rows)
    together = what_was_written(cases()[0].case_no)
    with reading() as session:
        withdraw_objection(session.get_one(Objection, cases()[0].case_no).token)
    application = objection_like(rows[0])
    alone = Clerk(register_objection(application, [], "alone", "KQ001").case_no)
    alone.accept()
    assert alone.request() == "gateway"
    assert what_was_written(alone.case_no) == together
    assert batch.stage() == BatchStage.REQUESTING


def objection_like(row: Mapping[str, str]) -> ObjectionApplication:
    named = {name: row[LAYOUT.title(name)] for name in LAYOUT.headings if LAYOUT.title(name) in row}
    return ObjectionApplication.model_validate(named | {"grounds": named["grounds"].split("、")})


def test_numbers_follow_one_another_and_officers_have_alike(clerk: Any) -> None:
    register(clear(25))
    numbers = [int(case.case_no[-6:]) for case in cases()]
    assert numbers == list(range(1, 26))
    with reading() as session:
        assert session.get_one(CaseCounter, (CaseKind.OBJECTION, clock.today().year)).last == 25
    loads = [number_of(Case.case_no, Case.officer_no == no) for no in ("KQ001", "KQ002", "KQ003")]
    # The batch itself is somebody's, too.
    assert sum(loads) == 26
    assert max(loads) - min(loads) <= 1


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_is_personal_lies_encrypted(clerk: Any, installation: Path) -> None:
    hand_in(clear(3))
    raw = b"".join(path.read_bytes() for path in installation.glob("ezt.db*"))
    assert "俞".encode() not in raw
    register_chunks(Clerk(f"YP-{clock.today().year}-000001"))
    raw = b"".join(path.read_bytes() for path in installation.glob("ezt.db*"))
    assert b"shen1@example.com" not in raw


def test_wrong_rows_are_handed_back_and_lose_no_other(clerk: Any) -> None:
    rows = clear(6)
    rows[1]["电子邮箱"] = "a@b"
    rows[3]["理由"] = ""
    rows[3]["异议种类"] = "不喜欢"
    received = hand_in(rows)
    assert received.rows == 4
    assert [row for row, _ in received.wrong] == [3, 5]
    assert "电子邮箱格式不对" in received.wrong[0][1]
    assert "理由未填写" in received.wrong[1][1]
    assert "请更正该行" in received.wrong[1][1]
    batch = Clerk(received.case_no)
    register_chunks(batch)
    sum_up.run(batch.case_no)
    assert len(cases()) == 4
    with reading() as session:
        (told,) = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "objection-batch-registered"))
    assert (told.recipient, told.context["rows"], told.context["registered"]) == ("push@example.cn", 6, 4)
    assert [line["row"] for line in told.context["wrong"]] == [3, 5]
    # The mended table as a whole: what was registered is passed over.
    mended = clear(6)
    again = Clerk(hand_in(mended).case_no)
    register_chunks(again)
    assert len(cases()) == 6
    assert number_of(ObjectionBatchRow.row, ObjectionBatchRow.batch_no == again.case_no, ~ObjectionBatchRow.new) == 4


NUMBERS = (330603201903050001, 330603202107190007, 330603202311020012)
"""Three certificates, of which a number cell keeps the first 15 digits."""


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_numbers_that_a_spreadsheet_has_destroyed_are_handed_back_and_none_is_joined(clerk: Any, kind: str) -> None:
    rows: list[dict[str, Any]] = [*clear(4)]
    for row, number in zip(rows, NUMBERS, strict=False):
        row["证照编号或电子证照标识"] = number if kind == "xlsx" else "3.30603E+17"
    written = as_xlsx([rows[0], *(row.values() for row in rows)]) if kind == "xlsx" else table(rows)
    read = read_file(f"异议.{kind}", written)
    assert [row for row, _ in read.objections] == [5]
    assert [row for row, _ in read.wrong] == [2, 3, 4]
    for _, why in read.wrong:
        assert why == (
            "证照编号或电子证照标识“3.30603E+17”是被表格软件改写的长数字，末几位已丢失，请将该列设为文本后重填。"
            "请更正该行后重新报送。"
        )
    with pytest.raises(InputError, match="没有一行可以登记"):
        receive_batch(
            read_file(f"异议.{kind}", as_xlsx([rows[0], *(row.values() for row in rows[:3])]))
            if kind == "xlsx"
            else read_file("异议.csv", table(rows[:3])),
            SENDER,
            SENDER,
            "push@example.cn",
            "KQ001",
        )
    assert cases() == []


def test_twelve_digits_in_a_number_cell_are_too_many_and_a_room_may_be_called_2e05(clerk: Any) -> None:
    rows: list[dict[str, Any]] = [*clear(3)]
    rows[0]["证照编号或电子证照标识"] = 330603201903
    rows[1]["联系电话"] = 13800000000
    rows[2]["申请人认为应当是"] = "2E05"
    read = read_file("异议.xlsx", as_xlsx([rows[0], *(row.values() for row in rows)]))
    assert [row for row, _ in read.objections] == [3, 4]
    assert "“3.30603E+11”是数值单元格里的长数字" in dict(read.wrong)[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "空文件"),
        ("年龄,工资\n1,2\n".encode(), "没有表头"),
        ("证照类型,理由\n营业执照,门牌号有误\n".encode(), "表头缺少"),
        (None, "没有一行可以登记"),
        ("only headings", "没有内容"),
    ],
)
def test_what_is_no_table_of_objections_is_refused_and_nothing_is_registered(
    clerk: Any, content: Any, said: str
) -> None:
    if content is None:
        content = table([row | {"联系电话": "无"} for row in clear(2)])
    elif content == "only headings":
        content = table(clear(1)).splitlines(keepends=True)[0]
    with pytest.raises(InputError, match=said):
        receive_batch(read_file("异议.csv", content), SENDER, SENDER, "", "KQ001")
    assert number_of(Case.case_no) == 0


def test_the_same_file_of_a_sender_is_the_same_batch(clerk: Any) -> None:
    first = hand_in(clear(3))
    assert hand_in(clear(3)) == first
    assert hand_in(clear(3), "柯桥区民政局").case_no != first.case_no
    assert number_of(ObjectionBatch.case_no) == 2


def test_two_tables_at_once_are_numbered_without_a_gap_and_doubled_nowhere(clerk: Any) -> None:
    rows = clear(24)
    batches = [hand_in(rows[:16]).case_no, hand_in(rows[8:]).case_no]

    def work(case_no: str) -> None:
        for chunk in chunks_to_register(case_no):
            register_chunk.run(case_no, chunk)

    with ThreadPoolExecutor(4) as pool:
        # Each twice at once, as a run and its recovery may be.
        list(pool.map(work, [*batches, *batches]))
    assert [int(case.case_no[-6:]) for case in cases()] == list(range(1, 25))
    assert number_of(ObjectionBatchRow.row) == 32
    assert number_of(ObjectionBatchRow.row, ObjectionBatchRow.new) == 24
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: hand_in(rows[:5]).case_no, range(4)))) == 1


def test_registration_goes_on_at_the_chunk_where_it_stopped(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Clerk(hand_in(clear(25)).case_no)
    register_chunk.run(batch.case_no, 1)

    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(objection_batches, "_put_down", killed)
        with pytest.raises(KilledError):
            register_chunk.run(batch.case_no, 2)
    assert len(cases()) == 10
    assert list(chunks_to_register(batch.case_no)) == [2, 3]
    register_chunks(batch)
    register_chunk.run(batch.case_no, 1)
    assert [int(case.case_no[-6:]) for case in cases()] == list(range(1, 26))
    assert number_of(ObjectionBatchChunk.chunk) == 0
    assert number_of(OutgoingNotice.id, OutgoingNotice.notice == "objection-registered") == 25


def test_the_five_days_run_from_the_day_of_the_table_whenever_a_chunk_is_registered(clerk: Any, on_day: Day) -> None:
    received = clock.today()
    on_day(received)
    batch = Clerk(hand_in(clear(12)).case_no)
    register_chunk.run(batch.case_no, 1)
    on_day(received + timedelta(days=1))
    register_chunk.run(batch.case_no, 2)
    assert {case.received_on for case in cases()} == {received}
    with reading() as session:
        wanted = select(Deadline.starts_on.distinct()).where(Deadline.limit_code == VERIFICATION_REQUEST.code)
        assert session.scalars(wanted).all() == [received]


def test_objections_to_the_same_field_are_joined_within_the_table_and_to_open_cases(clerk: Any) -> None:
    rows = clear(4)
    open_one = register_objection(objection_like(rows[0]), [], "open", "KQ001").case_no
    others = [row | {"申请人姓名或名称": "钱某", "电子邮箱": "q@example.com"} for row in rows[:2]]
    register([*rows[1:], *others])
    with reading() as session:
        joined = select(Objection.case_no, Objection.lead_case_no).join(Case, Case.case_no == Objection.case_no)
        leads = dict(session.execute(joined.where(Case.stage == Stage.JOINED)).tuples().all())
    assert sorted(map(str, leads.values())) == [open_one, cases()[1].case_no]
    assert number_of(OutgoingNotice.id, OutgoingNotice.notice == "objection-joined") == 2
    assert number_of(Deadline.id, Deadline.limit_code == INITIAL_REVIEW.code, Deadline.case_no.in_(leads)) == 0


# 一并初审，一并提出核实需求


def test_an_officer_accepts_at_once_what_there_is_nothing_to_remark_on(clerk: Any, city_bureau: StandIn) -> None:
    rows = [*clear(15), clear(16)[15] | {"证照编号或电子证照标识": "查无此证"}]
    batch = register(rows)
    assert batch.stage() == BatchStage.REVIEW
    lines = dict(sheet_of(batch.case_no).lines)
    assert lines["须逐件初审"] == "1件"
    assert lines["系统提示：本区索引中未找到该证照，如需更正由上级更正"] == "1件：第17行"
    further = sheet_of(batch.case_no).further
    assert further is not None
    assert sum(int(row[2]) for row in further.rows) == 16
    assert "俞" not in sheet_of(batch.case_no).table()
    assert batch.answer(BatchReview, verdict="一并受理", apart="17") == (
        "另行逐件初审的行有误：第17行不在一并初审的行中，请核对行号。"
    )
    assert batch.answer(BatchReview, 1, verdict="一并受理", apart="3、5") is None
    assert judge_batch.run(batch.case_no) is True
    assert request(batch) == []
    stages = [case.stage for case in cases()]
    assert stages.count(Stage.VERIFYING) == 13
    assert [row for row, case in enumerate(cases(), 2) if case.stage == Stage.REGISTERED] == [3, 5, 17]
    assert [case.at_rest for case in cases()] == [case.stage == Stage.VERIFYING for case in cases()]
    assert len(city_bureau.received) == 13
    sent = select(Deadline).where(Deadline.limit_code == VERIFICATION_REQUEST.code, Deadline.met_on.is_not(None))
    with reading() as session:
        assert [deadline.missed_by for deadline in session.scalars(sent)] == [0] * 13
    assert number_of(Deadline.id, Deadline.limit_code == URGE.code) == 13
    close_batch.run(batch.case_no)
    assert batch.stage() == BatchStage.CLOSED


def test_the_review_may_leave_everything_to_single_reviews(clerk: Any) -> None:
    batch = register(clear(3))
    assert batch.answer(BatchReview, verdict="全部逐件初审") is None
    assert judge_batch.run(batch.case_no) is False
    assert batch.stage() == BatchStage.CLOSED
    assert [(case.stage, case.at_rest) for case in cases()] == [(Stage.REGISTERED, False)] * 3


def test_a_batch_without_anything_to_review_together_ends_with_its_registration(clerk: Any) -> None:
    batch = register([row | {"证照编号或电子证照标识": "查无此证"} for row in clear(2)])
    assert batch.stage() == BatchStage.CLOSED
    with reading() as session:
        assert (
            session.scalars(
                select(OutgoingNotice.context).where(
                    OutgoingNotice.notice == "case-assigned", OutgoingNotice.case_no == batch.case_no
                )
            ).all()[-1]["why"]
            == "其中1件有系统提示，须由您逐件初审"
        )


def test_one_letter_goes_to_a_bureau_without_a_gateway_with_a_list(clerk: Any) -> None:
    rows = [*clear(9), *clear(3, Level.PROVINCE)]
    rows[0]["证照上现在的内容"] = "=1+1"
    batch = register(rows)
    assert batch.answer(BatchReview, verdict="一并受理") is None
    judge_batch.run(batch.case_no)
    assert request(batch) == [Bureau.CITY, Bureau.PROVINCE]
    with reading() as session:
        lists = list(session.scalars(select(Attachment).where(Attachment.case_no == batch.case_no)))
        reviewer = session.get_one(Officer, session.get_one(Case, batch.case_no).officer_no)
    city = load_workbook(io.BytesIO(lists[0].content)).active
    assert city is not None
    listed = list(city.values)
    assert len(listed) == 10
    assert listed[1][0] == cases()[0].case_no
    assert "'=1+1" in listed[1]
    assert read_at_desk(batch.case_no, reviewer.staff_no).files == 2
    assert ("待发函", "绍兴市大数据局9件") in sheet_of(batch.case_no).lines
    assert record_letters.run(batch.case_no, 1) == 0
    tomorrow = str(clock.today() + timedelta(days=1))
    assert "不能晚于今天" in str(batch.answer(BatchLetterPosted, letter_no="柯数函〔2026〕8号", posted_on=tomorrow))
    assert batch.answer(BatchLetterPosted, letter_no="柯数函〔2026〕8号", posted_on=str(clock.today())) is None
    assert [record_letters.run(batch.case_no, part) for part in (2, 3, 4)] == [7, 2, 0]
    assert [case.stage for case in cases()] == [Stage.VERIFYING] * 9 + [Stage.ACCEPTED] * 3
    assert number_of(OutgoingNotice.id, OutgoingNotice.notice == "verification-sent") == 9
    assert number_of(VerificationRequest.id, VerificationRequest.remote_no == "柯数函〔2026〕8号") == 9


def test_a_platform_that_cannot_be_reached_is_asked_later(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.order(Fault.SERVER_ERROR, times=1_000)
    accepted(clear(9))
    assert {case.stage for case in cases()} == {Stage.ACCEPTED}
    tried = number_of(VerificationRequest.id, VerificationRequest.attempts > 0)
    assert 1 <= tried <= 8
    city_bureau.forgive()
    with transaction() as session:
        for asked in session.scalars(select(VerificationRequest)):
            asked.next_attempt_at = clock.now()
    assert len(correspond()) == 9
    assert {case.stage for case in cases()} == {Stage.VERIFYING}
    assert len(city_bureau.taken) == 9


# 只有要人办的才发起流程


def test_a_reply_ends_the_rest_of_its_case_and_of_no_other(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.reply_after = 0.0
    accepted(clear(4))
    assert all(case.at_rest for case in cases())
    with transaction() as session:
        later = session.scalars(select(VerificationRequest).order_by(VerificationRequest.case_no.desc()).limit(3))
        for each in later:
            each.by_letter = True
    (news,) = correspond()
    assert [case.case_no for case in cases() if not case.at_rest] == [news]
    # Its story finds every step on record, and asks what is next.
    case = Clerk(news)
    assert accept_objection.run(news) is None
    assert prepare_pursuit.run(news) == "gateway"
    take_reply.run(news)
    assert case.answer(OutcomeDecision, outcome="已更正", reason="经上级核实，原登记内容有误，予以更正。") is None
    decide_outcome.run(news)
    close_objection.run(news)
    assert case.stage() == Stage.CLOSED


@pytest.fixture
def working_day(clerk: Any, on_day: Day) -> None:
    """It is the next working day: only then the watch does anything, and what it has to be sent is sent."""
    with reading() as session:
        on_day(working_days(session).due_on(clock.today(), 1))


def let_the_limit_pass(*case_nos: str) -> Swept:
    """The bureau stays silent in these cases; what the watch finds."""
    for case_no in case_nos:
        backdate(case_no, URGE.code, 30)
    return sweep(clock.now())


def test_after_silence_a_case_that_rests_is_urged_with_others_and_rests_on(
    clerk: Any, city_bureau: StandIn, working_day: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifications, "PURSUED_TOGETHER", 2)
    city_bureau.reply_after = 3600
    rows = clear(5)
    accepted(rows[:4])
    alone = Clerk(register_objection(objection_like(rows[4]), [], "alone", "KQ001").case_no)
    alone.accept()
    alone.request()
    resting = [case.case_no for case in cases(Case.at_rest)]
    for turn in range(1, URGES_BEFORE_ESCALATION.value + 1):
        swept = let_the_limit_pass(*resting[:3], alone.case_no)
        assert (swept.silent, swept.pursued) == ((alone.case_no,), tuple(resting[:3]))
        # It was said and written down once, whoever looks again.
        assert let_the_limit_pass().pursued == ()
        alone.request(turn + 1)
        assert correspond() == resting[:3]
        single, together = what_was_written(alone.case_no), what_was_written(resting[0])
        assert together["requests"][-1] == (turn + 1, Pursuit.URGE, Bureau.CITY, False, False, None)
        for what in ("case", "deadlines", "entries", "requests", "steps", "answers"):
            assert together[what] == single[what], what
        assert [notice for notice, _ in together["notices"]] == [notice for notice, _ in single["notices"]]
    assert {case.waiting_for for case in cases(Case.case_no.in_(resting[:3]))} == {f"verification-reply-{turn + 1}"}
    assert len(what_was_written(resting[3])["requests"]) == 1
    # The story of one of them, whenever it starts, finds itself where it is.
    assert prepare_pursuit.run(resting[0], turn + 1) == "gateway"

    # The province has no gateway here: from there on it takes a letter, and a person.
    assert let_the_limit_pass(resting[0]).silent == (resting[0],)
    assert [case.at_rest for case in cases(Case.case_no.in_(resting))] == [False, True, True, True]


def test_a_case_that_rests_is_in_no_list_of_decisions_but_counted(clerk: Any, city_bureau: StandIn) -> None:
    batch = accepted(clear(5))
    assert listed("KQ001", Wanted(whose=Whose.ALL)).resting == 5
    assert set(listed_for()) == {batch.case_no}
    assert ("异议核查", "核实中", "5", "0", "0") in open_cases().rows


def test_whoever_withdraws_while_a_case_rests_needs_no_run(clerk: Any, city_bureau: StandIn) -> None:
    rows = clear(3)
    batch = register(rows)
    with reading() as session:
        token = session.get_one(Objection, cases()[1].case_no).token
    withdraw_objection(token)
    assert batch.answer(BatchReview, verdict="一并受理") is None
    assert judge_batch.run(batch.case_no)
    request(batch)
    assert [case.stage for case in cases()] == [Stage.VERIFYING, Stage.WITHDRAWN, Stage.VERIFYING]
    assert sheet_of(cases()[1].case_no).stage == Stage.WITHDRAWN


def test_a_paper_reply_can_be_typed_in_for_one_of_many(clerk: Any) -> None:
    batch = accepted(clear(3))
    assert batch.answer(BatchLetterPosted, letter_no="柯数函〔2026〕8号", posted_on=str(clock.today())) is None
    assert record_letters.run(batch.case_no, 1) == 3
    case = Clerk(cases()[0].case_no)
    given = {
        "finding": "原数据无误",
        "content": "与档案一致",
        "reply_no": "绍数函1号",
        "replied_on": str(clock.today()),
    }
    assert case.answer(VerificationReply, **given) is None
    assert [each.at_rest for each in cases()] == [False, True, True]


def test_the_limits_of_a_table_that_came_by_letter_count_from_the_day_it_came(clerk: Any, on_day: Day) -> None:
    on_day(date(2026, 3, 9))  # a Monday
    received = Receipt(Way.BY_LETTER, date(2026, 3, 6))
    batch = receive_batch(read_file("异议.csv", table(clear(2))), SENDER, SENDER, "", "KQ001", received)
    register_chunk.run(batch.case_no, 1)
    with reading() as session:
        assert session.get_one(Case, batch.case_no).received_on == date(2026, 3, 6)
        for case in cases():
            assert case.received_on == date(2026, 3, 6)
            assert session.get_one(Objection, case.case_no).way is Way.BY_LETTER
            (due,) = session.scalars(
                select(Deadline).where(
                    Deadline.case_no == case.case_no, Deadline.limit_code == VERIFICATION_REQUEST.code
                )
            )
            assert (due.starts_on, due.due_on) == (date(2026, 3, 6), date(2026, 3, 13))


def test_a_table_is_not_received_tomorrow_and_not_late_without_a_reason(
    clerk: Any, on_day: Day, tmp_path: Path
) -> None:
    on_day(date(2026, 3, 20))
    path = tmp_path / "异议.csv"
    path.write_bytes(table(clear(1)))
    wrong = {date(2026, 3, 21): "received_on", date(2026, 3, 2): "late_why", date(2016, 3, 2): "received_on"}
    for on, field in wrong.items():
        with pytest.raises(InputError) as refused:
            submit_batch(path, SENDER, "", "KQ001", "", Receipt(Way.REFERRED, on))
        assert set(refused.value.wrong) == {field}
    late = Receipt(Way.REFERRED, date(2026, 3, 2), "收发室转来时已在20日。")
    batch = submit_batch(path, SENDER, "", "KQ001", "", late)
    register_chunk.run(batch.case_no, 1)
    (case,) = cases()
    assert dict(read_at_desk(case.case_no, APPROVER).lines)["迟登记的原因"] == late.late_why
