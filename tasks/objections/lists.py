"""Lists of objections (Article 12), one row a case: they go to a bureau with a letter, come back with its replies, and
officers write beside each what they decide on it."""

import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import AnswerSource, Case, CaseKind
from models.objection_batches import ObjectionBatchRow
from models.objections import VerificationRequest
from models.organisations import Officer
from regulation.approvals import Opinion
from regulation.objections import Stage
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.answers import answers_so_far, as_answered, checked, last_accepted_answer, record_answer
from tasks.case.attachments import File, check_files, keep_new_files
from tasks.case.questions import Asked, Question
from tasks.case.step import locked_case
from tasks.objections.batch_files import LAYOUT as APPLICATIONS
from tasks.objections.batch_rows import batches_of, registered_in
from tasks.objections.claims import Claim, claims_of
from tasks.objections.questions import OutcomeApproval, OutcomeDecision, VerificationReply, reply_of
from tasks.objections.source_checks import answers_of
from tasks.objections.steps import submit_outcome, take_reply
from tasks.objections.verifications import record_reply
from tasks.office.officers import check_may_act
from tasks.office.signatures import COMMAND_LINE, sign
from tasks.tables.files import harmless
from tasks.tables.headed import Layout, refuse_nothing, rows_of

ASKED = ("certificate_type", "certificate", "field", "grounds", "stated", "proposed", "reason")
"""What a bureau is told of an objection; not who objected."""
REPLIED = ("finding", "content", "corrected_value")
DECIDED = ("outcome", "reason", "value", "differs")
KEEPER = "asked.keeper"
"""The column with what the department of the district said that keeps the record: for who decides."""


def _titles(question: type[Question], fields: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return {f"{question.question}.{name}": (str(question.model_fields[name].title),) for name in fields}


LAYOUT = Layout(
    {
        "case_no": ("办件编号",),
        "received_on": ("收到日期",),
        **{f"asked.{name}": APPLICATIONS.headings[name] for name in ASKED},
        KEEPER: ("责任部门的答复",),
        **_titles(VerificationReply, REPLIED),
        **_titles(OutcomeDecision, DECIDED),
    },
    ("case_no",),
    known_by="case_no",
    # What a certificate will say.
    as_text=(f"{VerificationReply.question}.corrected_value", f"{OutcomeDecision.question}.value"),
)


@dataclass(frozen=True, slots=True)
class Letter:
    """The letter that a bureau's replies came with."""

    reply_no: str
    replied_on: date | None
    scan: tuple[str, bytes] | None = None
    """What came, scanned: name and content. No reply is taken without it."""

    def said(self) -> dict[str, Any]:
        """What there is of it, as each reply says it."""
        said = {"reply_no": self.reply_no, "replied_on": self.replied_on}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a list: how many replies and how many decisions it brought, how many rows said nothing new, and what
    is wrong with the others by their numbers. A decision is a draft, which another approves (审签)."""

    replied: int
    decided: int
    unchanged: int
    wrong: tuple[tuple[int, str], ...]


TO_BUREAU = tuple(
    field for field in LAYOUT.headings if field != KEEPER and not field.startswith(OutcomeDecision.question)
)
"""The columns of a list that goes out: what the Center is told by others and decides is none of the bureau's."""


JOINED_SHEET = "并案的异议"
JOINED = ("办件编号", "异议种类", "证照上现在的内容", "申请人认为应当是", "理由", "附件")
"""The columns of the second sheet: what else is claimed in a case of the first. Only the first is read back."""


def listing(
    rows: Iterable[tuple[Sequence[Claim], date, Mapping[str, Any] | None]],
    columns: Collection[str] = TO_BUREAU,
    keepers: Mapping[str, str] | None = None,
) -> bytes:
    """A list as XLSX, of cases by what is claimed in each, with the day they came in, the reply on record and what
    ``keepers`` said, by case; what is still to be said is left empty."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("核实清单")
    sheet.freeze_panes = "A2"
    sheet.append([LAYOUT.title(field) for field in columns])
    others = []
    for (first, *joined), received_on, reply in rows:
        objection, reason = first.objection, first.objection.reason
        # Whoever joined speaks for the case that they joined, where its own objector has withdrawn.
        case_no = objection.lead_case_no or objection.case_no
        if joined:
            reason += f"\n（另有{len(joined)}件异议并案，见“{JOINED_SHEET}”表，请一并核实）"
            others += [(case_no, claim) for claim in joined]
        values = {
            "case_no": case_no,
            "received_on": str(received_on),
            "asked.certificate_type": objection.certificate_type,
            "asked.certificate": objection.certificate_reference,
            "asked.field": objection.field_name,
            "asked.grounds": "、".join(objection.grounds),
            "asked.stated": objection.stated,
            "asked.proposed": objection.proposed,
            "asked.reason": reason,
            KEEPER: (keepers or {}).get(case_no, ""),
            **{f"{VerificationReply.question}.{name}": (reply or {}).get(name, "") for name in REPLIED},
        }
        cells: list[Any] = _cells(values.get(field, "") for field in columns)
        for place, field in enumerate(columns):
            if field in LAYOUT.as_text:
                cells[place] = WriteOnlyCell(sheet, cells[place] or None)
                # As text: what is typed there stays as it was typed.
                cells[place].number_format = "@"
        sheet.append(cells)
    if others:
        further = workbook.create_sheet(JOINED_SHEET)
        further.append(JOINED)
        for case_no, claim in others:
            said = claim.objection
            further.append(
                _cells([case_no, "、".join(said.grounds), said.stated, said.proposed, said.reason, claim.attached])
            )
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def _cells(values: Iterable[str]) -> list[str]:
    return [harmless(ILLEGAL_CHARACTERS_RE.sub("", value)) for value in values]


def list_of_batch(batch_no: str, staff_no: str, code: str) -> tuple[bytes, int]:
    """The list of those cases of a batch that wait for a reply or for a decision on it, for an officer who signs; and
    how many they are.

    Raises ``InputError`` for what is no batch and when nothing waits, and what ``sign`` and ``check_may_act``
    raise.
    """
    officer = sign(staff_no, code, COMMAND_LINE)
    with transaction() as session:
        now = clock.now()
        batch = session.get(Case, batch_no)
        if batch is None or batch.kind is not CaseKind.OBJECTION_BATCH:
            raise InputError(f"没有编号为{batch_no}的批量异议，请核对编号（YP-开头）。")
        check_may_act(session, officer, batch, clock.local_date(now))
        wanted = (
            select(Case.case_no, Case.received_on)
            .where(registered_in(batch_no), Case.stage.in_([Stage.VERIFYING, Stage.REPLIED]))
            .order_by(Case.case_no)
        )
        waiting = session.execute(wanted).tuples().all()
        claims = claims_of(session, [case_no for case_no, _ in waiting])
        rows = [(claims[case_no], received_on, reply_of(session, case_no)) for case_no, received_on in waiting]
        keepers = answers_of(session, [case_no for case_no, _ in waiting])
        if not rows:
            raise InputError(f"{batch_no}没有等待核实结果或处理结果的异议。")
        record(session, "objection:batch:listed", batch_no, officer.staff_no, now, rows=len(rows))
    # Written after the transaction, which on SQLite keeps everybody else from writing.
    return listing(rows, LAYOUT.headings, keepers), len(rows)


def take_list(
    name: str,
    content: bytes,
    letter: Letter,
    staff_no: str,
    code: str,
    watch: Callable[[int, int], None] = lambda _rows, _of: None,
) -> Taken:
    """Put on record what a list says, signed by an officer: of each row the reply and the decision, whichever is there.
    A row is taken as a whole or handed back, and keeps no other out; what has been said before changes nothing.

    A case that rests takes its steps at once, and rests on until its decision is approved; the others are given their
    runs by recovery. ``watch`` hears how many rows are done, and of how many. Raises ``InputError`` for what
    ``rows_of`` and ``check_files`` refuse, and what ``sign`` raises.
    """
    rows = list(rows_of(name, content, LAYOUT))
    refuse_nothing(name, rows)
    scans = check_files([letter.scan]) if letter.scan is not None else []
    officer = sign(staff_no, code, COMMAND_LINE)
    replied = decided = unchanged = 0
    wrong = []
    for done, (number, given, lost) in enumerate(rows, 1):
        try:
            # What the bureau was told of the case is not read back.
            if found := [why for field, why in lost.items() if not field.startswith("asked.")]:
                raise InputError(f"{'；'.join(found)}。")
            with transaction() as session:
                has_reply, has_decision = _take(session, officer, given, letter, scans, clock.now())
        except RefusalError as why:
            wrong.append((number, str(why)))
        else:
            replied += has_reply
            decided += has_decision
            unchanged += not (has_reply or has_decision)
        watch(done, len(rows))
    return Taken(replied, decided, unchanged, tuple(wrong))


def _take(
    session: Session, officer: Officer, row: Mapping[str, str], letter: Letter, scans: Sequence[File], now: datetime
) -> tuple[bool, bool]:
    """Whether a row brought a reply, and a decision."""
    case = _case_of(session, row)
    rested = case.at_rest
    asked = Asked(session, case, officer.staff_no, clock.local_date(now))
    _check_may_answer(asked, officer)
    reply = _given(row, VerificationReply, REPLIED)
    decision = _given(row, OutcomeDecision, DECIDED)
    if not reply and not decision:
        raise InputError("核实结论、处理结果都未填写；请填写后重新登记，或删去该行。")
    has_reply = bool(reply) and _take_reply(asked, reply, letter, scans, now)
    if rested and has_reply:
        take_reply.within(session, case, now)
    drafted = _take_decision(asked, decision, now) if decision else None
    if rested and drafted is not None:
        submit_outcome.within(session, case, now, drafted)
        case.at_rest, case.waiting_for = True, f"{OutcomeApproval.question}-{drafted}"
    return has_reply, drafted is not None


def _case_of(session: Session, row: Mapping[str, str]) -> Case:
    number = row.get("case_no", "")
    try:
        case = locked_case(session, number)
    except LookupError:
        case = None
    if case is None or case.kind is not CaseKind.OBJECTION:
        raise InputError(f"没有编号为“{number}”的异议，请核对办件编号（YY-开头）。")
    return case


def _check_may_answer(asked: Asked, officer: Officer) -> None:
    """Whoever may act on the case, or on the batch that it came with."""
    try:
        check_may_act(asked.session, officer, asked.case, asked.today)
    except RefusalError:
        came_with = select(Case).join(ObjectionBatchRow, ObjectionBatchRow.batch_no == Case.case_no)
        came_with = came_with.where(ObjectionBatchRow.case_no == asked.case.case_no, ObjectionBatchRow.new)
        batch = asked.session.scalar(came_with)
        if batch is None:
            raise
        check_may_act(asked.session, officer, batch, asked.today)


def _given(row: Mapping[str, str], question: type[Question], fields: Iterable[str]) -> dict[str, Any]:
    names = {name: f"{question.question}.{name}" for name in fields}
    return {name: row[key] for name, key in names.items() if key in row}


def _take_reply(asked: Asked, given: Mapping[str, str], letter: Letter, scans: Sequence[File], now: datetime) -> bool:
    """Put the reply of a row on record; whether it was not there. ``RefusalError`` for another than the one on record,
    and for a case that waits for none."""
    session, case = asked.session, asked.case
    known = reply_of(session, case.case_no)
    if known is not None:
        # A list that was exported shows replies that came by other letters, or over a gateway.
        came_with = {name: known[name] for name in ("reply_no", "replied_on")}
        if as_answered(VerificationReply, {**given, **came_with}).recorded() != known:
            raise RefusalError(f"本件已登记核实结果（{known['reply_no']}，{known['finding']}），以先登记的为准。")
        return False
    # Once for all that came with the letter.
    for each in batches_of(session, case.case_no) or [case.case_no]:
        keep_new_files(session, each, scans, asked.officer_no, now)
    reply = checked(asked, VerificationReply, {**given, **letter.said()})
    if case.stage != Stage.VERIFYING or _letter_waits(session, case.case_no):
        raise RefusalError(f"本件现为“{case.stage}”，没有等待核实结果；应发函的，请先登记发函。")
    key = _key(case, VerificationReply)
    _refuse(record_reply(session, case, reply, AnswerSource.OFFICER, key, now, asked.officer_no))
    return True


def _letter_waits(session: Session, case_no: str) -> bool:
    """Whether staff are still to post a letter, for which the case's form asks first."""
    unsent = select(VerificationRequest.id).where(
        VerificationRequest.case_no == case_no,
        VerificationRequest.by_letter,
        VerificationRequest.sent_at.is_(None),
    )
    return session.scalar(unsent.limit(1)) is not None


def _take_decision(asked: Asked, given: Mapping[str, Any], now: datetime) -> int | None:
    """Put the decision of a row on record; the turn of the draft, ``None`` where it was there. ``RefusalError`` for
    another than the one on record, unless that was returned by whoever was to approve it."""
    session, case = asked.session, asked.case
    known = last_accepted_answer(session, case.case_no, OutcomeDecision.question)
    opinion = last_accepted_answer(session, case.case_no, OutcomeApproval.question)
    drafts, opinions = (
        answers_so_far(session, case.case_no, each.question) for each in (OutcomeDecision, OutcomeApproval)
    )
    returned = opinion is not None and opinion["opinion"] == Opinion.RETURNED and opinions == drafts
    if known is not None and not returned:
        # What was decided need not be possible any more: the certificate may have been corrected by it.
        if known != as_answered(OutcomeDecision, given).recorded():
            raise RefusalError(f"本件已拟定处理结果（{known['outcome']}），以先登记的为准。")
        return None
    decision, turn = checked(asked, OutcomeDecision, given), drafts + 1
    key, source = _key(case, OutcomeDecision, turn), AnswerSource.OFFICER
    _refuse(record_answer(session, case, OutcomeDecision, turn, source, key, decision, now, asked.officer_no))
    return turn


def _key(case: Case, question: type[Question], turn: int = 1) -> str:
    return f"list:{case.case_no}:{question.question}" + (f":{turn}" if turn > 1 else "")


def _refuse(why: str | None) -> None:
    if why is not None:
        raise RefusalError(why)
