"""第十二条：核实后将处理结果告知异议申请人。Replies that came many in one letter, and what is decided on them."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from models.certificates import Certificate
from models.notices import OutgoingNotice
from models.objections import Attachment, Objection
from models.organisations import Department, Officer, Role
from models.source_checks import SourceCheck
from regulation.objections import Finding, Outcome, Stage
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError
from tasks.case.department_links import ByLink, new_link
from tasks.desk.approvals import decide, waiting
from tasks.objections import lists as objection_lists
from tasks.objections.batches import record_letters
from tasks.objections.corrections import tell_users_of_wrong_value
from tasks.objections.lists import Letter, Taken, list_of_batch, take_list
from tasks.objections.questions import (
    BatchLetterPosted,
    LetterPosted,
    OutcomeApproval,
    OutcomeDecision,
    VerificationReply,
    reply_of,
)
from tasks.objections.registrations import register_objection
from tasks.objections.source_checks import SourceAnswer, answer
from tasks.objections.steps import (
    close_objection,
    correct_certificate,
    decide_outcome,
    submit_outcome,
    take_outcome_approval,
    take_reply,
    withdraw_objection,
)
from tasks.objections.verifications import prepare_pursuit, record_letter
from tasks.office.signatures import SignatureError
from tests.articles.test_article_12_batches import (
    Day,
    accepted,
    cases,
    clear,
    number_of,
    objection_like,
    small_chunks,
    what_was_written,
)
from tests.conftest import APPROVER, SCAN, Clerk, as_xlsx, at_desk, nothing_reaches_the_holders, officer_of

__all__ = ["small_chunks"]

WRONG = {"核实结论": "原数据有误", "回复内容": "门牌号登记有误", "正确的内容": "群贤路9999号"}
RIGHT = {"核实结论": "原数据无误", "回复内容": "与档案一致"}
CORRECTED = {"处理结果": "已更正", "告知申请人的理由": "经核实，登记的地址有误，已更正。"}
UPHELD = {"处理结果": "维持原信息", "告知申请人的理由": "经核实，登记的信息与原始档案一致。"}


def posted(rows: list[dict[str, str]]) -> Clerk:
    """A batch whose requests went to the city's bureau with a letter, which has no gateway here."""
    batch = accepted(rows)
    assert batch.answer(BatchLetterPosted, letter_no="柯数函〔2026〕8号", posted_on=str(clock.today())) is None
    for part in range(1, 100):
        if not record_letters.run(batch.case_no, part):
            return batch
    raise AssertionError("the letters have no end")


def other_than(*staff_nos: str) -> str:
    with reading() as session:
        officers = session.scalars(select(Officer.staff_no).where(Officer.role == Role.OFFICER, Officer.active))
        return min(set(officers) - set(staff_nos))


def letter() -> Letter:
    return Letter("绍数函〔2026〕1号", clock.today(), (SCAN.name, SCAN.content))


def approve(batch: Clerk) -> int:
    """The director agrees to all that was drafted; how many that were."""
    by = at_desk(APPROVER)
    done = decide(by, batch.case_no, waiting(by, batch.case_no).shown, {}, "")
    assert done.refused == ()
    return done.agreed


def filled(content: bytes, *said: dict[str, str]) -> bytes:
    """A list with what is said of its rows, in their order, written beside them."""
    book = load_workbook(io.BytesIO(content))
    sheet = book.active
    assert sheet is not None
    # A bureau's list has no columns for what the Center decides: an officer adds them.
    there = [cell.value for cell in sheet[1]]
    for title in dict.fromkeys(title for values in said for title in values if title not in there):
        sheet.cell(1, len(there) + 1, title)
        there.append(title)
    columns = {title: number for number, title in enumerate(there, 1)}
    for row, values in enumerate(said, 2):
        for title, value in values.items():
            sheet.cell(row, columns[title], value)
    changed = io.BytesIO()
    book.save(changed)
    return changed.getvalue()


def sent_list(batch: Clerk) -> bytes:
    """The list that went with the letter."""
    with reading() as session:
        made = Attachment.case_no == batch.case_no, Attachment.media_type != SCAN.media_type
        return session.scalars(select(Attachment).where(*made)).one().content


def take(batch: Clerk, content: bytes, by: Letter | None = None) -> Taken:
    return take_list("核实清单.xlsx", content, by or letter(), officer_of(batch.case_no), "")


def written(case_no: str) -> dict[str, Any]:
    """All that is on record of a case but the moment it was closed."""
    found = what_was_written(case_no)
    # A list's scan is kept with its batch, and a look is nobody's doing.
    said = [each for each in found["entries"] if each[0] not in {"case:attachments:added", "case:sheet:read"}]
    # Letters to a holder have the case's number in their subjects.
    entries = repr(said).replace(case_no, "办件")
    return found | {"case": found["case"][:-1], "entries": entries}


def test_a_list_for_who_decides_says_what_the_keeper_of_the_record_answered(clerk: Any) -> None:
    batch = posted(clear(1))
    (case,) = cases()
    with transaction() as session:
        uscc, keeper = session.execute(select(Department.uscc, Department.name).limit(1)).one()
        link = new_link(SourceCheck)
        asked = SourceCheck(
            case_no=case.case_no, department_uscc=uscc, asked_at=clock.now(), due_on=clock.today(), **link
        )
        session.add(asked)
        token = asked.token
    answer(ByLink(token), SourceAnswer(finding=Finding.RIGHT, basis="原始登记档案第17卷。"))
    content, _ = list_of_batch(batch.case_no, officer_of(batch.case_no), "")
    header, row = (list(cells) for cells in load_workbook(io.BytesIO(content)).worksheets[0].values)
    assert row[header.index("责任部门的答复")] == f"{keeper}：原数据无误；原始登记档案第17卷。"
    # The bureau is to find out for itself.
    assert "责任部门的答复" not in next(iter(load_workbook(io.BytesIO(sent_list(batch))).worksheets[0].values))
    assert take(batch, filled(content, WRONG | CORRECTED)) == Taken(1, 1, 0, ())


def test_a_list_carries_cases_to_the_same_end_as_their_own_story(clerk: Any, on_day: Day) -> None:
    on_day(clock.today())
    rows = clear(2)
    batch = posted(rows)
    first, second = (case.case_no for case in cases())
    taken = take(batch, filled(sent_list(batch), WRONG | CORRECTED, RIGHT | UPHELD))
    assert taken == Taken(2, 2, 0, ())
    assert [(case.stage, case.at_rest) for case in cases()] == [(Stage.REPLIED, True)] * 2
    nothing_reaches_the_holders()
    assert approve(batch) == 2
    with reading() as session:
        outcomes = [session.get_one(Objection, each).outcome for each in (first, second)]
        kept = session.scalars(select(Certificate).where(Certificate.corrected_by_case == first)).one()
    assert outcomes == [Outcome.CORRECTED, Outcome.UPHELD]
    assert "群贤路9999号" in kept.face.values()
    assert [case.stage for case in cases()] == [Stage.CLOSED] * 2
    assert number_of(OutgoingNotice.id, OutgoingNotice.notice == "objection-closed") == 2

    alone = Clerk(register_objection(objection_like(rows[1]), [], "alone", "KQ001").case_no)
    alone.accept()
    assert prepare_pursuit.run(alone.case_no) == "letter"
    assert alone.answer(LetterPosted, letter_no="柯数函〔2026〕8号", posted_on=str(clock.today())) is None
    record_letter.run(alone.case_no)
    by = {"reply_no": letter().reply_no, "replied_on": str(letter().replied_on)}
    assert alone.answer(VerificationReply, finding="原数据无误", content="与档案一致", **by) is None
    take_reply.run(alone.case_no)
    assert alone.draft(OutcomeDecision, outcome="维持原信息", reason=UPHELD["告知申请人的理由"]) is None
    submit_outcome.run(alone.case_no)
    nothing_reaches_the_holders()
    assert alone.approve(OutcomeApproval, reason="") is None
    assert take_outcome_approval.run(alone.case_no)
    decide_outcome.run(alone.case_no)
    close_objection.run(alone.case_no)
    assert written(second) == written(alone.case_no)


def test_a_reply_without_a_decision_leaves_it_to_the_officer(clerk: Any) -> None:
    batch = posted(clear(2))
    assert take(batch, filled(sent_list(batch), WRONG)) == Taken(
        1, 0, 0, ((3, "核实结论、处理结果都未填写；请填写后重新登记，或删去该行。"),)
    )
    # It has a run from now on, which recovery starts; the other rests.
    assert [(case.at_rest, case.stage) for case in cases()] == [(False, Stage.REPLIED), (True, Stage.VERIFYING)]
    # What is decided on it afterwards is only put on record: it has a run that goes on with it.
    content, number = list_of_batch(batch.case_no, officer_of(batch.case_no), "")
    assert number == 2
    assert take(batch, filled(content, CORRECTED, RIGHT | UPHELD)) == Taken(1, 2, 0, ())
    assert [(case.stage, case.at_rest) for case in cases()] == [(Stage.REPLIED, False), (Stage.REPLIED, True)]
    alone = Clerk(cases()[0].case_no)
    assert alone.approve(OutcomeApproval) is None
    assert approve(batch) == 1
    assert [case.stage for case in cases()] == [Stage.REPLIED, Stage.CLOSED]
    assert decide_outcome.run(cases()[0].case_no) == Outcome.CORRECTED
    assert correct_certificate.run(cases()[0].case_no) is not None
    tell_users_of_wrong_value.run(cases()[0].case_no)
    close_objection.run(cases()[0].case_no)
    assert cases()[0].stage == Stage.CLOSED


def test_a_list_again_changes_nothing_and_a_mended_one_adds_what_was_wrong(clerk: Any) -> None:
    batch = posted(clear(4))
    wrong = filled(
        sent_list(batch),
        WRONG | {"正确的内容": ""},
        RIGHT | CORRECTED,
        RIGHT | UPHELD,
        RIGHT | {"处理结果": "不管了", "告知申请人的理由": "无"},
    )
    taken = take(batch, wrong)
    assert (taken.replied, taken.decided, taken.unchanged) == (1, 1, 0)
    said = dict(taken.wrong)
    assert "请在“正确的内容”中写明" in said[2]
    assert "处理结果应为“已同步”或“维持原信息”" in said[3]
    assert "处理结果只能是" in said[5]
    assert "告知申请人的理由至少10个字" in said[5]
    # What was wrong in a row left nothing of it behind.
    assert [(case.stage, case.at_rest) for case in cases()][2] == (Stage.REPLIED, True)
    assert [case.stage for case in cases()].count(Stage.VERIFYING) == 3
    with reading() as session:
        assert [reply_of(session, case.case_no) is not None for case in cases()] == [False, False, True, False]
    assert approve(batch) == 1
    before = written(cases()[2].case_no)
    mended = filled(sent_list(batch), WRONG | CORRECTED, RIGHT | UPHELD, RIGHT | UPHELD, RIGHT | UPHELD)
    assert take(batch, mended) == Taken(3, 3, 1, ())
    assert take(batch, mended) == Taken(0, 0, 4, ())
    assert written(cases()[2].case_no) == before
    # Another word on what is closed is handed back.
    other = dict(take(batch, filled(mended, WRONG | {"正确的内容": "群贤路1号"})).wrong)
    assert "以先登记的为准" in other[2]
    reason = CORRECTED["告知申请人的理由"] + "请知悉。"
    other = dict(take(batch, filled(mended, {"告知申请人的理由": reason})).wrong)
    assert "已拟定处理结果（已更正）" in other[2]


def table(*rows: dict[str, str]) -> bytes:
    return as_xlsx([rows[0], *(row.values() for row in rows)])


def test_rows_that_cannot_be_are_handed_back(clerk: Any) -> None:
    batch = posted(clear(3))
    numbers = [case.case_no for case in cases()]
    with reading() as session:
        token = session.get_one(Objection, numbers[1]).token
    withdraw_objection(token)
    content = table(
        *({"办件编号": each} | RIGHT for each in ("YY-2026-999999", batch.case_no, *numbers[1:], numbers[2]))
    )
    said = dict(take(batch, content).wrong)
    assert set(said) == {2, 3, 4}
    assert all("核对办件编号" in said[row] for row in (2, 3))
    assert f"本件现为“{Stage.WITHDRAWN}”" in said[4]
    tomorrow = replace(letter(), replied_on=clock.today() + timedelta(days=1))
    said = dict(take(batch, table({"办件编号": numbers[0]} | RIGHT), tomorrow).wrong)
    assert "回复日期不能晚于今天" in said[2]
    said = dict(
        take(batch, table({"办件编号": numbers[0]} | RIGHT), replace(letter(), reply_no="", replied_on=None)).wrong
    )
    assert "回复文号未填写；回复日期未填写" in said[2]
    said = dict(
        take(batch, table({"办件编号": numbers[0]} | UPHELD), replace(letter(), reply_no="", replied_on=None)).wrong
    )
    assert "尚未登记上级核实结果" in said[2]
    assert cases()[0].at_rest


def test_a_right_value_that_a_spreadsheet_does_not_keep_as_it_shows_it_is_handed_back(clerk: Any) -> None:
    """A destroyed number, a unit, a percentage and a date without its format, each in a number cell."""
    batch = posted(clear(4))
    before = [written(case.case_no) for case in cases()]
    book = load_workbook(io.BytesIO(filled(sent_list(batch), *[WRONG | CORRECTED] * 4)))
    sheet = book.active
    assert sheet is not None
    column = next(cell.column for cell in sheet[1] if cell.value == "正确的内容")
    cells: list[tuple[Any, str]] = [(330603199001011234, "0"), (89.12, '0.00"㎡"'), (0.7, "0%"), (43529, "General")]
    for row, (value, shown_as) in enumerate(cells, 2):
        sheet.cell(row, column, value).number_format = shown_as
    content = io.BytesIO()
    book.save(content)
    taken = take(batch, content.getvalue())
    assert (taken.replied, taken.decided, taken.unchanged) == (0, 0, 0)
    said = dict(taken.wrong)
    assert "正确的内容“3.30603E+17”是被表格软件改写的长数字，末几位已丢失" in said[2]
    assert all("正确的内容不是文本" in said[row] for row in (3, 4, 5))
    assert all("请将该列设为文本后重填" in said[row] for row in (2, 3, 4, 5))
    assert [written(case.case_no) for case in cases()] == before
    with reading() as session:
        assert session.scalars(select(Certificate).where(Certificate.corrected_by_case.is_not(None))).all() == []


def test_a_list_that_goes_out_takes_right_values_as_text(clerk: Any) -> None:
    batch = posted(clear(2))
    sheet = load_workbook(io.BytesIO(sent_list(batch))).active
    assert sheet is not None
    formats = {cell.value: [sheet.cell(row, cell.column).number_format for row in (2, 3)] for cell in sheet[1]}
    assert formats["正确的内容"] == ["@", "@"]
    assert take(batch, filled(sent_list(batch), RIGHT | UPHELD, RIGHT | UPHELD)) == Taken(2, 2, 0, ())


def test_a_case_whose_letter_is_not_posted_has_no_reply(clerk: Any) -> None:
    batch = accepted(clear(1))
    taken = take(batch, table({"办件编号": cases()[0].case_no} | RIGHT))
    assert "请先登记发函" in taken.wrong[0][1]
    assert taken.replied == 0


def test_only_who_acts_on_the_batch_or_on_the_case_signs_for_it(clerk: Any) -> None:
    batch = posted(clear(3))
    content = filled(sent_list(batch), *[RIGHT] * 3)
    mine = {case.case_no: case.officer_no for case in cases()}
    stranger = other_than(officer_of(batch.case_no), mine[cases()[0].case_no])
    taken = take_list("核实清单.xlsx", content, letter(), stranger, "")
    assert taken.replied == sum(officer == stranger for officer in mine.values()) < 3
    assert all("办理移交或休假代理" in what for _, what in taken.wrong)
    assert take(batch, content).replied == 3 - taken.replied
    with pytest.raises(SignatureError):
        take_list("核实清单.xlsx", content, letter(), "KQ999", "")
    with pytest.raises(InputError, match="请核对编号"):
        list_of_batch("YP-2026-999999", officer_of(batch.case_no), "")


def test_a_list_that_is_none_is_refused_and_spends_no_code(clerk: Any) -> None:
    for content, said in ((b"", "空文件"), (table({"年龄": "1"}), "没有表头"), (table({"办件编号": ""}), "没有内容")):
        with pytest.raises(InputError, match=said):
            take_list("核实清单.xlsx", content, letter(), "KQ999", "")


def test_a_row_is_taken_whole_or_not_at_all(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = posted(clear(1))
    before = written(cases()[0].case_no)

    class Killed:
        @staticmethod
        def within(*_: object) -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(objection_lists, "submit_outcome", Killed)
        with pytest.raises(KeyboardInterrupt):
            take(batch, filled(sent_list(batch), RIGHT | UPHELD))
    assert written(cases()[0].case_no) == before
    assert cases()[0].at_rest
    assert take(batch, filled(sent_list(batch), RIGHT | UPHELD)) == Taken(1, 1, 0, ())
