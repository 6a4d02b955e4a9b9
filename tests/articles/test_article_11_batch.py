"""第十一条：老版纸质证照应当在办理相关业务时予以信息补录，完成证照电子化。The boxes of an archive, as one file."""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from models.backfill_batches import BackfillBatch, BackfillChunk, BackfillProblem, BackfillRow, BackfillRowHolder
from models.cases import Case, StaffTask
from models.certificates import Certificate
from models.notices import OutgoingNotice
from models.records import AuditEntry
from regulation.backfill.batches import BatchStage
from regulation.backfill.problems import ProblemCode
from regulation.certificates import parse_identifier
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError
from tasks.backfill import batch_files as backfill_batch_files
from tasks.backfill import batches as backfill_batches
from tasks.backfill.batches import (
    check_chunk,
    chunks_to_check,
    draw_sample,
    judge_sample,
    register_batch,
    send_back,
    submit_batch,
)
from tasks.backfill.checks import check_file
from tasks.backfill.questions import BatchSampleReview
from tasks.backfill.steps import put_in_register
from tasks.desk.sheets import sheet_of
from tasks.keeping.records import seal_record, verify_record
from tasks.register.faces import by_identifier, face_of, of_holder
from tasks.register.versions import holders_of
from tests.articles.test_article_11_backfill import MARRIAGE, register, review
from tests.conftest import Clerk, read_at_desk

OFFICE = "绍兴市柯桥区民政局"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows a chunk, so that a file has several."""
    monkeypatch.setattr(backfill_batch_files.in_chunks, "__defaults__", (10,))


def marriage(number: int, **changed: str) -> dict[str, str]:
    return MARRIAGE | {"结婚证字号": f"J330621-1998-{number:06}"} | changed


def written(path: Path, rows: Sequence[Mapping[str, str]], encoding: str = "gb18030") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


BOX = [
    *(marriage(number) for number in range(1, 31)),
    marriage(31, 登记日期="1998年2月30日"),
    marriage(5),
    marriage(32),
    marriage(32, 女方姓名="陈丽花"),
    marriage(33, 登记机关="某某局", 男方姓名=""),
]
"""Rows 2 to 31 are good; row 32 is bad, 33 says what row 6 says, 34 and 35 contradict each other, 36 is bad twice."""


def submit(path: Path) -> Clerk:
    return Clerk(submit_batch(path, "结婚证", OFFICE, "MZ-2026-001", "KQ001", ""))


def check_all(case: Clerk) -> int:
    for chunk in chunks_to_check(case.case_no):
        check_chunk.run(case.case_no, chunk)
    return draw_sample.run(case.case_no)


def found_wrong(case: Clerk, rows: str) -> str | None:
    return case.answer(BatchSampleReview, wrong=rows)


def through(case: Clerk, wrong: str = "无") -> None:
    if check_all(case):
        assert found_wrong(case, wrong) is None
        if judge_sample.run(case.case_no):
            register_batch.run(case.case_no)
        else:
            send_back.run(case.case_no)


def batch_of(case: Clerk) -> BackfillBatch:
    with reading() as session:
        return session.get_one(BackfillBatch, case.case_no)


def in_register(case: Clerk) -> list[Certificate]:
    with reading() as session:
        wanted = select(Certificate).where(Certificate.backfilled_by_case == case.case_no)
        return list(session.scalars(wanted.order_by(Certificate.identifier)))


def finished(row: BackfillRow) -> list[object]:
    """Everything that the register would get, but for what names the batch."""
    names = [column.name for column in BackfillRow.__table__.columns]
    return [getattr(row, name) for name in names if name not in {"case_no", "identifier", "root"}]


def rows_left(table: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_box_of_old_certificates_is_electronic_after_its_sample_was_checked(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    assert check_all(case) == 13
    assert in_register(case) == []
    assert found_wrong(case, "无") is None
    assert judge_sample.run(case.case_no) is True
    assert register_batch.run(case.case_no) == 30
    made = in_register(case)
    assert [each.number for each in made] == [f"J330621-1998-{number:06}" for number in range(1, 31)]
    assert parse_identifier(made[0].identifier).serial.endswith("BL000010000002")
    held = by_identifier(made[7].identifier)
    assert held is not None
    assert (held.backfilled_by is not None, face_of(held).values["wife"]) == (True, "陈丽华")
    assert len(of_holder(made[0].holder_index, made[0].type_code)) == 30
    batch = batch_of(case)
    assert (batch.good, batch.same, batch.conflict, batch.bad, batch.registered) == (30, 1, 2, 2, 30)
    assert case.stage() == BatchStage.REGISTERED
    # Nothing of the file stays but what the register has.
    assert (rows_left(BackfillRow), rows_left(BackfillChunk)) == (0, 0)


def test_both_spouses_of_a_row_hold_its_certificate(clerk: Any, tmp_path: Path) -> None:
    wife = "330621197005120021"
    case = submit(written(tmp_path / "结婚证.csv", [marriage(1, 女方公民身份号码=wife), marriage(2), marriage(3)]))
    check_all(case)
    # Two of the first row; of the others the husband, whom the face names elsewhere than as the holder.
    assert rows_left(BackfillRowHolder) == 4
    assert found_wrong(case, "无") is None
    judge_sample.run(case.case_no)
    assert register_batch.run(case.case_no) == 3
    first, second, third = in_register(case)
    assert [each.identifier for each in of_holder(blind_index(wife), first.type_code)] == [first.identifier]
    assert len(of_holder(first.holder_index, first.type_code)) == 3
    with reading() as session:
        held = holders_of(session, first.id)
        assert [(each.field, each.name) for each in held] == [("husband", first.holder_name), ("wife", "陈丽华")]
        # Of the others the face tells no number of the wife: she is remarked on, and nothing is lost.
        assert [len(holders_of(session, each.id)) for each in (second, third)] == [1, 1]
    assert second.face["wife"] == "陈丽华"
    assert rows_left(BackfillRowHolder) == 0


def test_partners_whom_the_face_does_not_number_are_compared_with_their_paper_and_hold_it(
    clerk: Any, tmp_path: Path
) -> None:
    names, numbers = "绍兴柯桥甲运输有限公司、绍兴柯桥乙运输有限公司", "91330621MA2XYL5N56、91330621MA2888888T"
    row = {
        "许可证号": "浙交运管许可绍字330603009999号",
        "业户名称": names,
        "持证主体证件号码": numbers,
        "经营范围": "道路普通货物运输",
        "核发机关": "绍兴市柯桥区交通运输局",
        "核发日期": "2024-03-05",
        "有效期至": "2028-03-05",
    }
    path = written(tmp_path / "许可证.csv", [row])
    case = Clerk(submit_batch(path, "道路运输经营许可证", "绍兴市柯桥区交通运输局", "JT-2026-001", "KQ001", ""))
    assert check_all(case) == 1
    shown = dict(read_at_desk(case.case_no, "KQ002").lines)["第2行"]
    assert names in shown
    assert numbers in shown
    assert found_wrong(case, "无") is None
    judge_sample.run(case.case_no)
    assert register_batch.run(case.case_no) == 1
    (made,) = in_register(case)
    with reading() as session:
        assert [each.number for each in holders_of(session, made.id)] == numbers.split("、")
    assert (made.holder_name, made.holder_number) == (names.split("、")[0], numbers.split("、")[0])


def test_a_batch_that_is_sent_back_leaves_no_holder(clerk: Any, tmp_path: Path) -> None:
    wife = "330621197005120021"
    case = submit(written(tmp_path / "结婚证.csv", [marriage(n, 女方公民身份号码=wife) for n in range(1, 31)]))
    check_all(case)
    assert rows_left(BackfillRowHolder) == 60
    assert found_wrong(case, str((batch_of(case).sample or [])[0])) is None
    assert judge_sample.run(case.case_no) is False
    send_back.run(case.case_no)
    assert rows_left(BackfillRowHolder) == 0


def blind_index(number: str) -> str:
    return keys().blind_index("holder-number", number)


def test_every_row_in_the_register_has_its_entry_in_the_record(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    through(case)
    with reading() as session:
        wanted = select(AuditEntry).where(AuditEntry.tag == backfill_batches.ROW_REGISTERED).order_by(AuditEntry.id)
        entries = list(session.scalars(wanted))
        whole = str([entry.detail for entry in session.scalars(select(AuditEntry))])
    made = in_register(case)
    assert [entry.detail for entry in entries] == [{"identifier": each.identifier} for each in made]
    assert {entry.holder_index for entry in entries} == {each.holder_index for each in made}
    for secret in ("王建国", "330621680512101", "33062119680512101X"):
        assert secret not in whole
    seal_record(entries[0].at + timedelta(hours=1))
    assert verify_record().findings == ()


def test_what_is_wrong_is_kept_by_code_and_place_and_told_by_counts(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    through(case)
    with reading() as session:
        found = select(BackfillProblem.row, BackfillProblem.code).order_by(BackfillProblem.row, BackfillProblem.code)
        problems = session.execute(found).tuples().all()
        mails = session.scalars(select(OutgoingNotice).where(OutgoingNotice.case_no == case.case_no)).all()
    assert [problem for problem in problems if problem[0] < 36] == [
        (32, ProblemCode.DATE_IMPOSSIBLE),
        (34, ProblemCode.CONFLICT),
        (35, ProblemCode.CONFLICT),
    ]
    assert {ProblemCode.AUTHORITY_UNKNOWN} <= {code for row, code in problems if row == 36}
    told = [mail.context for mail in mails if mail.notice == "backfill-batch-decided"]
    assert {(each["registered"], each["same"], each["conflict"], each["bad"]) for each in told} == {(30, 1, 2, 2)}
    assert "王建国" not in str(told)
    table = sheet_of(case.case_no).table()
    assert "不在已知的颁证机构中" in table
    assert "王建国" not in table


def test_a_dry_run_says_what_the_story_does(clerk: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "结婚证.csv", BOX)
    with reading() as session:
        before = session.scalar(select(func.count(AuditEntry.id)))
    report = check_file(path, "结婚证", date(2026, 11, 25))
    with reading() as session:
        assert session.scalar(select(func.count(AuditEntry.id))) == before
    case = submit(path)
    through(case)
    batch = batch_of(case)
    assert {outcome.value: count for outcome, count in report.counts.items()} == {
        "good": batch.good,
        "same": batch.same,
        "conflict": batch.conflict,
        "bad": batch.bad,
    }


def test_the_mended_file_takes_only_what_is_new(clerk: Any, tmp_path: Path) -> None:
    through(submit(written(tmp_path / "结婚证.csv", BOX)))
    mended = [*BOX[:30], marriage(31, 登记日期="1998年2月28日"), marriage(5, 登记日期="1998-05-13")]
    again = submit(written(tmp_path / "更正.csv", mended))
    through(again)
    assert [each.number for each in in_register(again)] == ["J330621-1998-000031"]
    batch = batch_of(again)
    assert (batch.good, batch.same, batch.conflict, batch.bad) == (1, 30, 1, 0)


def test_a_file_with_nothing_new_ends_without_a_review(clerk: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "结婚证.csv", BOX[:3])
    through(submit(path))
    again = submit(path)
    assert check_all(again) == 0
    assert again.stage() == BatchStage.NOTHING_NEW


def test_too_many_wrong_rows_in_the_sample_send_the_whole_batch_back(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    check_all(case)
    sample, accept = batch_of(case).sample or [], batch_of(case).accept
    assert (len(sample), accept) == (13, 0)
    assert found_wrong(case, str(sample[0])) is None
    assert judge_sample.run(case.case_no) is False
    send_back.run(case.case_no)
    assert (in_register(case), rows_left(BackfillRow), case.stage()) == ([], 0, BatchStage.SENT_BACK)
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "backfill-batch-decided")
        mail = session.scalars(wanted.order_by(OutgoingNotice.id)).first()
    assert mail is not None
    assert (mail.context["sent_back"], mail.context["registered"], mail.context["wrong"]) == (True, 0, sample[:1])
    # Sent again after that, it is a batch of its own.
    assert submit(tmp_path / "结婚证.csv").case_no != case.case_no


def test_a_wrong_row_of_an_accepted_sample_stays_out(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", [marriage(number) for number in range(1, 201)]))
    check_all(case)
    sample, accept = batch_of(case).sample or [], batch_of(case).accept
    assert (len(sample), accept) == (50, 1)
    assert found_wrong(case, f"第{sample[0]}行") is None
    assert judge_sample.run(case.case_no) is True
    assert register_batch.run(case.case_no) == 199
    assert f"{sample[0] - 1:06}" not in {each.number[-6:] for each in in_register(case)}


def test_the_sample_is_reviewed_by_another_who_names_rows_of_it(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    check_all(case)
    with reading() as session:
        assert session.get_one(Case, case.case_no).officer_no != "KQ001"
    stranger = next(row for row in range(2, 32) if row not in (batch_of(case).sample or []))
    assert f"第{stranger}行不在抽取的行中" in str(found_wrong(case, str(stranger)))
    assert "不是行号" in str(found_wrong(case, "很好"))
    with transaction() as session:
        session.get_one(Case, case.case_no).officer_no = "KQ001"
    assert "不能抽检自己报送的批次" in str(found_wrong(case, "无"))


def test_the_reviewer_sees_the_drawn_rows_in_full_on_the_signed_page_only(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    check_all(case)
    with reading() as session:
        officer = session.get_one(Case, case.case_no).officer_no
    lines = dict(read_at_desk(case.case_no, officer).lines)
    row = (batch_of(case).sample or [])[0]
    assert "持证主体：王建国" in lines[f"第{row}行"].replace("持证人", "持证主体")
    assert "33062119680512101X" in lines[f"第{row}行"]
    assert "王建国" not in sheet_of(case.case_no).table()


def test_what_the_register_got_meanwhile_is_left_to_staff(clerk: Any, tmp_path: Path) -> None:
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    check_all(case)
    assert found_wrong(case, "无") is None
    assert judge_sample.run(case.case_no) is True
    counter = register({"结婚证字号": "J330621-1998-000007"})
    review(counter, "通过")
    put_in_register.run(counter.case_no)
    assert register_batch.run(case.case_no) == 29
    with reading() as session:
        assert "其中1行的证照（第8行）" in session.scalars(select(StaffTask.what)).one()
    assert batch_of(case).conflict == 3


def test_a_batch_that_was_interrupted_ends_like_one_that_was_not(
    clerk: Any, tmp_path: Path, on_day: Callable[[date], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_day(date(2026, 11, 25))
    rows = [marriage(number, 登记日期="2026-11-26" if number == 15 else "2026-11-20") for number in range(1, 31)]
    whole = submit(written(tmp_path / "一.csv", rows))
    broken = submit(written(tmp_path / "二.csv", [*rows, {}]))
    assert check_all(whole) > 0

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    check_chunk.run(broken.case_no, 1)
    with monkeypatch.context() as dying:
        # At the last moment of the second chunk's transaction.
        dying.setattr(backfill_batches, "_count", die)
        with pytest.raises(KeyboardInterrupt):
            check_chunk.run(broken.case_no, 2)
    assert batch_of(broken).next_chunk == 1
    on_day(date(2026, 11, 27))
    assert list(chunks_to_check(broken.case_no)) == [2, 3]
    assert check_all(broken) > 0
    with reading() as session:
        wanted = select(BackfillRow).order_by(BackfillRow.row)
        one, two = (
            [finished(row) for row in session.scalars(wanted.where(BackfillRow.case_no == case.case_no))]
            for case in (whole, broken)
        )
    assert one == two
    assert len(one) == 29
    assert batch_of(whole).bad == batch_of(broken).bad == 1


def test_the_same_file_again_while_its_case_is_open_is_the_same_case(clerk: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "结婚证.csv", BOX)
    assert submit(path).case_no == submit(path).case_no


def test_a_workbook_keeps_what_its_cells_are_on_the_way(clerk: Any, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(list(MARRIAGE))
    for number, on in ((1, date(1998, 5, 12)), (2, 35927), (3, True)):
        book.active.append(list((marriage(number) | {"登记日期": on}).values()))
    # A number of 18 digits that the program took for a number has lost its last ones.
    book.active.append(list((marriage(4) | {"男方公民身份号码": 330621196805121010}).values()))
    book.save(tmp_path / "结婚证.xlsx")
    case = submit(tmp_path / "结婚证.xlsx")
    through(case)
    assert [str(each.issued_on) for each in in_register(case)] == ["1998-05-12", "1998-05-12"]
    with reading() as session:
        found = select(BackfillProblem.row, BackfillProblem.code).order_by(BackfillProblem.row)
        assert {(4, ProblemCode.DATE_UNREADABLE), (5, ProblemCode.DIGITS_LOST)} <= set(session.execute(found).tuples())


def test_a_file_that_cannot_be_read_leaves_nothing(clerk: Any, tmp_path: Path) -> None:
    path = tmp_path / "坏.csv"
    path.write_bytes(written(tmp_path / "结婚证.csv", BOX).read_bytes() + b'"')
    with pytest.raises(InputError, match=r"坏\.csv"):
        submit(path)
    assert (rows_left(BackfillBatch), rows_left(BackfillChunk)) == (0, 0)


def test_numbers_that_the_register_has_under_another_name_are_shown_to_who_compares_the_sample(
    clerk: Any, tmp_path: Path
) -> None:
    case = register()
    assert review(case, "通过") is None
    assert put_in_register.run(case.case_no) is not None
    same, other = marriage(1), marriage(2, 持证人="王建业", 男方姓名="王建业")
    batch = submit(written(tmp_path / "一.csv", [same, other]))
    assert check_all(batch)
    assert batch_of(batch).good == 2
    drawn, there = read_at_desk(batch.case_no, "KQ004").compared
    assert there.title == "号码在登记中是另一姓名或名称的1行"
    assert there.table is not None
    assert there.table.rows == (("3", "王建业", "王建国"),)
    assert drawn.table is not None
    assert "王建国" not in sheet_of(batch.case_no).table()
    # It keeps no row out.
    assert found_wrong(batch, "无") is None
    assert judge_sample.run(batch.case_no)
    assert register_batch.run(batch.case_no) == 2
