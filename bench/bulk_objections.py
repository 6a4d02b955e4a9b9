"""A table of objections from its bytes to the requests at the bureaus, and on to the outcomes, beside inserting the
same finished rows by SQLAlchemy Core's executemany into the same tables, and beside the same objections one at a time:
``python -m bench.bulk_objections --rows 1000 10000 --rounds 5``."""

import csv
import io
import os
import secrets
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path

from openpyxl import load_workbook
from sqlalchemy import Table, create_engine, func, insert, select

from bench.figures import Figure, arguments, rounds_at, save
from ezt.samples import data as sample_data
from models import Base
from models.base import as_stored
from models.cases import Case, CaseKind
from models.certificates import Certificate, CertificateType
from models.migrations import migrate
from models.objections import VerificationRequest
from models.organisations import Officer
from regulation.certificates import CertificateState
from regulation.limits import APPROVED_AT_ONCE
from regulation.objections import Stage
from runtime import clock
from runtime.database import build_engine, engine, in_pieces, reading
from runtime.keys import ensure_keys
from tasks.case.answers import Signature, answer_or_wait, take_officer_answer
from tasks.desk.approvals import decide, waiting
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import LAYOUT, read_file
from tasks.objections.batches import (
    CHUNK,
    accept_some,
    chunks_to_register,
    deliver_some,
    judge_batch,
    prepare_letters,
    receive_batch,
    record_letters,
    register_chunk,
    still_to_deliver,
    sum_up,
)
from tasks.objections.doubts import doubts_of
from tasks.objections.lists import Letter, list_of_batch, take_list
from tasks.objections.questions import BatchLetterPosted, BatchReview, InitialReview, LetterPosted
from tasks.objections.registrations import register_objection
from tasks.objections.steps import accept_objection
from tasks.objections.verifications import prepare_pursuit, record_letter
from tasks.office.signatures import DESK
from tests.conftest import APPROVER, SCAN, at_desk, forget_settings, nothing_reaches_the_holders

BARE, REGISTERED, WHOLE, SINGLE = (
    "the finished rows by executemany",
    "registered and acknowledged together",
    "registered, acknowledged, accepted and requested together",
    "registered, acknowledged, accepted and requested one at a time",
)
REPLIED, SHOWN, APPROVED = (
    "replies and outcomes taken from a list",
    "the page of the drafts, made once",
    "approved with one signature, and closed",
)
ONE_AT_A_TIME = 50
SAID_OF_ALL = {
    "核实结论": "原数据无误",
    "回复内容": "与档案一致",
    "处理结果": "维持原信息",
    "告知申请人的理由": "经核实，登记的信息与原始档案一致。",
}
NAMED = ("officers", "certificate_types")
"""What the rows that are written refer to."""
WRITTEN = (
    "cases",
    "objection_batches",
    "objections",
    "case_marks",
    "deadlines",
    "answers",
    "step_records",
    "verification_requests",
    "outgoing_notices",
    "audit_entries",
    "objection_batch_rows",
    "hearings",
)


def applications() -> Iterator[ObjectionApplication]:
    """Objections, each to another field of a valid certificate, with nothing to remark: what is claimed stands on
    another certificate. By identifiers: spouses' certificates have one number, which is a remark."""
    with reading() as session:
        held = (
            session.execute(
                select(Certificate, CertificateType)
                .join(CertificateType, CertificateType.code == Certificate.type_code)
                .where(Certificate.state == CertificateState.VALID)
                .order_by(Certificate.id)
            )
            .tuples()
            .all()
        )
        values: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for certificate, kind in held:
            for code in kind.names.keys() & certificate.face.keys():
                values[kind.code, code][certificate.face[code]] = None
        for number, (certificate, kind) in enumerate(held):
            for code, name in kind.names.items():
                others = (value for value in values[kind.code, code] if value and value != certificate.face.get(code))
                if certificate.face.get(code) and (proposed := next(others, None)) is not None:
                    claim = ObjectionApplication(
                        objector_kind="持证主体",
                        objector_name="俞小云",
                        email=f"objector{number}@example.com",
                        phone="0575-84120001",
                        certificate_type=kind.name,
                        certificate=certificate.identifier,
                        field=name,
                        grounds=["准确性"],
                        stated=certificate.face[code],
                        proposed=proposed,
                        reason="登记有误，与原始档案不一致。",
                    )
                    if not doubts_of(claim):
                        yield claim


def table(given: list[ObjectionApplication]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(LAYOUT.title, LAYOUT.headings))
    for each in given:
        values = each.model_dump(mode="json") | {"grounds": "、".join(each.grounds)}
        writer.writerow([values.get(name, "") for name in LAYOUT.headings])
    return text.getvalue().encode("gb18030")


@contextmanager
def timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[what] = time.perf_counter() - started


def answer(case_no: str, question: type, turn: int = 1, **given: str) -> None:
    """What the case's officer answers."""
    with reading() as session:
        staff_no = session.get_one(Case, case_no).officer_no
    assert answer_or_wait(case_no, question, turn) is None
    take_officer_answer(case_no, question, turn, secrets.token_hex(8), given, Signature(staff_no, "", DESK))


def letter() -> dict[str, str]:
    return {"letter_no": "柯数函〔2026〕8号", "posted_on": str(clock.today())}


def together(given: list[ObjectionApplication], seconds: dict[str, float]) -> str:
    """The batch's own steps; the review and the posting of the letters are all that a person adds. The batch's
    number."""
    content = table(given)
    with timed(seconds, REGISTERED):
        batch_no = receive_batch(
            read_file("异议.csv", content), "浙江省大数据局", "浙江省大数据局", "", "KQ001"
        ).case_no
        for chunk in chunks_to_register(batch_no):
            register_chunk.run(batch_no, chunk)
        assert sum_up.run(batch_no) == len(given)
    with timed(seconds, WHOLE):
        answer(batch_no, BatchReview, verdict="一并受理")
        judge_batch.run(batch_no)
        next(part for part in count(1) if not accept_some.run(batch_no, part))
        deliver_some(batch_no)
        assert not still_to_deliver.run(batch_no, 1)
        parts = count(1)
        for turn, _ in enumerate(prepare_letters.run(batch_no), 1):
            answer(batch_no, BatchLetterPosted, turn, **letter())
            while record_letters.run(batch_no, next(parts)):
                pass
    seconds[WHOLE] += seconds[REGISTERED]
    return batch_no


def decided(batch_no: str, seconds: dict[str, float]) -> None:
    """Its replies came in one letter; another agrees to what was drafted, page by page."""
    with reading() as session:
        officer = session.get_one(Case, batch_no).officer_no
    nothing_reaches_the_holders()
    content, rows = list_of_batch(batch_no, officer, "")
    book = load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    columns = {cell.value: number for number, cell in enumerate(sheet[1], 1)}
    for row in range(2, rows + 2):
        for title, value in SAID_OF_ALL.items():
            sheet.cell(row, columns[title], value)
    filled = io.BytesIO()
    book.save(filled)
    letter_came = Letter("绍数函〔2026〕1号", clock.today(), (SCAN.name, SCAN.content))
    with timed(seconds, REPLIED):
        taken = take_list("核实清单.xlsx", filled.getvalue(), letter_came, officer, "")
    assert (taken.replied, taken.decided) == (rows, rows)
    director, left = at_desk(APPROVER), rows
    seconds[SHOWN] = seconds[APPROVED] = 0.0
    while left:
        started = time.perf_counter()
        page = waiting(director, batch_no)
        shown_at = time.perf_counter()
        done = decide(director, batch_no, page.shown, {}, "")
        seconds[SHOWN] += shown_at - started
        seconds[APPROVED] += time.perf_counter() - shown_at
        assert done.refused == ()
        left -= done.agreed


def one_at_a_time(given: list[ObjectionApplication]) -> None:
    """The single story's steps, without Prefect around them."""
    for each in given:
        case_no = register_objection(each, [], secrets.token_hex(8), "KQ001").case_no
        answer(case_no, InitialReview, verdict="受理")
        accept_objection.run(case_no)
        assert prepare_pursuit.run(case_no) == "letter"
        answer(case_no, LetterPosted, **letter())
        record_letter.run(case_no)


def bare(home: Path) -> float:
    """Seconds for the rows that were written alone, as they lie there, into a database of the same tables."""
    tables: list[Table] = [Base.metadata.tables[name] for name in (*NAMED, *WRITTEN)]
    address = f"sqlite:///{home / 'bare.db'}"
    migrate(address)
    target = build_engine(address)
    with create_engine(engine().url).connect() as there:
        rows = {each.name: [dict(row) for row in there.execute(select(as_stored(each))).mappings()] for each in tables}
    with target.connect() as connection:
        for number, each in enumerate(tables):
            if number == len(NAMED):
                started = time.perf_counter()
            for some in in_pieces(rows[each.name], CHUNK):
                connection.execute(insert(as_stored(each)), some)
                connection.commit()
        took = time.perf_counter() - started
    target.dispose()
    return took


def once(rows: int) -> dict[str, float]:
    """What one table took, and the same rows by themselves and one at a time; seconds for all of the rows."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"EZT_HOME": folder, "EZT_ONE_TIME_CODES": "false"}
        forget_settings()
        seconds = dict[str, float]()
        ensure_keys()
        migrate()
        sample_data.load(sizes=sample_data.Sizes(holders=60 + rows // 10))
        alone = min(rows, ONE_AT_A_TIME)
        given = list(islice(applications(), rows + alone))
        assert len(given) == rows + alone, len(given)
        batch_no = together(given[:rows], seconds)
        with reading() as session:
            requested = select(func.count()).select_from(Case).where(Case.kind == CaseKind.OBJECTION)
            assert session.scalar(requested.where(Case.stage == Stage.VERIFYING, Case.at_rest)) == rows
            assert session.scalar(select(func.count(VerificationRequest.sent_at))) == rows
            assert session.scalar(select(func.count(Officer.staff_no)))
        seconds[BARE] = bare(Path(folder))
        with timed(seconds, SINGLE):
            one_at_a_time(given[rows:])
        seconds[SINGLE] *= rows / alone
        decided(batch_no, seconds)
    return seconds


def measure(rows: int, rounds: int) -> list[Figure]:
    """Tables of so many rows, each into an installation of its own."""
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for what, value in once(rows).items():
            took[what].append(value)
    notes = {
        WHOLE: "by letter; the officer's two answers take no time",
        SINGLE: f"measured on {min(rows, ONE_AT_A_TIME)} of them, without Prefect's legs",
        SHOWN: f"of at most {APPROVED_AT_ONCE.value}, several where there are more",
    }
    return [
        Figure(what, "s", rows, "objections", took[what], beside, notes.get(what, ""))
        for what, beside in (
            (BARE, None),
            (REGISTERED, BARE),
            (WHOLE, BARE),
            (SINGLE, WHOLE),
            *((each, WHOLE) for each in (REPLIED, SHOWN, APPROVED)),
        )
    ]


def main() -> None:
    given = arguments(__doc__, rows=[100, 1_000, 10_000], rounds=3)
    figures = [each for n in given.rows for each in measure(n, rounds_at(n, given.rows, given.rounds))]
    save(given.results, "bulk_objections", figures)


if __name__ == "__main__":
    main()
