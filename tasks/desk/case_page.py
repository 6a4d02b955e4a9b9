"""A case as staff decide on it: everything in it, unmasked, for those who may; what it asks now; its files. That
somebody looked is on record (Article 14)."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case, Handover, StaffTask
from models.objections import Attachment
from models.organisations import Application, Officer, Role
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.backfill.steps import scan_added
from tasks.case.answers import Seen, Signature, last_accepted_answer, take_officer_answer, taken_answer
from tasks.case.approvals import returned
from tasks.case.attachments import check_files, keep_new_files
from tasks.case.kind import Compared, Happened, KindSheet, Letter, Lines
from tasks.case.numbers import tell_officer
from tasks.case.questions import Question, in_short
from tasks.case.step import locked_case
from tasks.desk.door import SignedIn
from tasks.desk.evidence import PDF, HandedIn, handed_in, look_at_files
from tasks.desk.kinds import KINDS, QUESTIONS
from tasks.desk.letters import pdf_of
from tasks.desk.phrases import phrases_for
from tasks.desk.pictures import page_of
from tasks.desk.related import Related, related_to
from tasks.desk.sheets import HAPPENED, OFFICER_LINE, Sheet, sheet_within, timeline
from tasks.desk.to_do import APPROVALS, asked_of, asks_of
from tasks.desk.told import ToldNotice, told_in
from tasks.office.officers import acting_officer, check_may_act

ACTORS = {
    "system": "系统",
    "objector": "申请人",
    "e-mail": "申请人（以邮箱确认）",
    "zheliban": "申请人（经浙里办登录）",
    "holder": "持证主体",
    "citizen": "群众",
    "link": "收到链接的人",
    "officer": "工作人员",
    AnswerSource.BUREAU: "上级平台",
    AnswerSource.DEPARTMENT: "部门",
    AnswerSource.TIME_LIMIT: "时限",
}
"""Whose doing something was, where it was no member of staff."""
OF_STAFF: Happened = {
    "case:run:replaced": "流程运行在Prefect中{how}，已重新发起",
    "case:notice:posted-to-holder": "致持证主体的“{subject}”已邮寄（挂号号码{tracking_no}，{posted_on}寄出）",
    "case:notice:told-to-holder": "致持证主体的“{subject}”已于{posted_on}另行告知",
    "case:notice:collected-to-holder": "致持证主体的“{subject}”已于{posted_on}当面领取",
    "case:notice:returned-to-holder": "致持证主体的“{subject}”退回（挂号号码{tracking_no}）",
    "case:notice:returned-to-department": "致部门的“{subject}”退回（挂号号码{tracking_no}）",
    "case:notice:unreached-to-holder": "致持证主体的“{subject}”无法送达",
    "case:notice:number-corrected-to-holder": "致持证主体的“{subject}”的挂号号码由{was}更正为{tracking_no}",
    "case:notice:posted-to-department": "致部门的“{subject}”已邮寄（挂号号码{tracking_no}，{posted_on}寄出）",
    "case:notice:told-to-department": "致部门的“{subject}”已于{posted_on}另行告知",
    "case:notice:collected-to-department": "致部门的“{subject}”已于{posted_on}当面领取",
    "case:notice:number-corrected-to-department": "致部门的“{subject}”的挂号号码由{was}更正为{tracking_no}",
}
"""What of a timeline is nobody's business but the staff's."""
IN_THE_HEAD = ("办件编号", "当前环节")
"""Lines that head the page."""
SURELY_THE_SAME = 8
"""Characters from which on the same words are no coincidence."""


@dataclass(frozen=True, slots=True)
class AskedNow:
    """What a case asks at this moment."""

    question: type[Question]
    turn: int
    choices: Mapping[str, Sequence[str]]
    """Of fields that take only what the case allows."""
    suggested: Mapping[str, Any]
    may_not: str
    """Why this member of staff may not answer; empty: they may."""
    days: Mapping[str, tuple[date | None, date | None]] = field(default_factory=dict)
    """Of fields that take a day, the first and the last one that the case allows."""
    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of fields that take a reason, those that are often given."""
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of fields in which one of many is named, what there is."""
    returned: str = ""
    """Who returned the draft before this one, and why."""

    @property
    def name(self) -> str:
        return f"{self.question.question}-{self.turn}"


@dataclass(frozen=True, slots=True)
class CasePage:
    """A case as one member of staff sees it."""

    sheet: Sheet
    whole: bool
    """Whether they see everything."""
    compared: Sequence[Compared]
    """What the decision hangs on."""
    lines: Lines
    handed_in: tuple[HandedIn, ...]
    """The files, by when they came."""
    told: tuple[ToldNotice, ...]
    related: tuple[Related, ...]
    letter: Letter | None
    """The letter that is to be posted now."""
    happened: tuple[tuple[str, str, str], ...]
    """When what happened and by whom, the latest first."""
    asked: AskedNow | None
    waits_for: str
    acting: str
    """Who acts on it today, by name and staff number."""
    matters: Mapping[int, str]
    """What of it somebody has to see to that no form asks for (待阅事项), by number."""
    is_open: bool
    shown: str
    """The digest of what is decided on."""

    @property
    def files(self) -> int:
        return sum(len(group.files) for group in self.handed_in)


def case_page(case_no: str, by: SignedIn) -> CasePage:
    """The page of a case. Raises ``LookupError`` for a number that is none."""
    look_at_files(case_no)
    with transaction() as session:
        case = _case(session, case_no)
        officer = session.get_one(Officer, by.staff_no)
        now = clock.now()
        asked = _asked_now(session, case, officer)
        whole = _sees_all(session, officer, case) or (asked is not None and not asked.may_not)
        sheet = sheet_within(session, case)
        if whole:
            record(session, "case:sheet:read", case_no, by.staff_no, now)
        kind, named = KINDS[case.kind].sheet, names(session)
        compared = tuple(kind.compared(session, case)) if whole else ()
        lines = _but_for(compared, _lines(session, case, sheet)) if whole else sheet.lines
        acting = acting_officer(session, case.officer_no, clock.local_date(now)).staff_no
        return CasePage(
            sheet=sheet,
            whole=whole,
            compared=compared,
            lines=_named(lines, case, named, acting),
            handed_in=handed_in(session, case, kind, named) if whole else (),
            told=told_in(session, list(kind.files_of(session, case))) if whole else (),
            related=related_to(session, case) if whole else (),
            letter=kind.letter(session, case) if whole and asked is not None else None,
            happened=_happened(session, case, kind, named, whole),
            asked=asked,
            waits_for=asks_of(case),
            acting=named(acting),
            matters={each.id: each.what for each in _matters(session, case) if each.done_at is None} if whole else {},
            is_open=case.closed_at is None,
            shown=_digest(session, case),
        )


def _case(session: Session, case_no: str) -> Case:
    case = session.get(Case, case_no)
    if case is None:
        raise LookupError(f"没有编号为{case_no}的办件，请核对编号。")
    return case


def _sees_all(session: Session, officer: Officer, case: Case) -> bool:
    return officer.role is Role.AUDITOR or not _refusal(lambda: check_may_act(session, officer, case, clock.today()))


def _asked_now(session: Session, case: Case, officer: Officer) -> AskedNow | None:
    asked = asked_of(case)
    if asked is None:
        return None
    question, turn = asked
    suggested, back = question.suggested(session, case), _returned(session, case, question, turn)
    if back:
        # What was drafted stands in the form, to be mended.
        suggested = {**suggested, **(last_accepted_answer(session, case.case_no, question.question) or {})}
    may_not = _refusal(lambda: question.check_officer(session, officer, case, clock.today()))
    return AskedNow(
        question,
        turn,
        question.choices(session, case),
        suggested,
        may_not,
        question.allowed_days(session, case, clock.today()),
        phrases_for(session, question),
        question.known(session, case),
        back,
    )


def _returned(session: Session, case: Case, question: type[Question], turn: int) -> str:
    for approval in APPROVALS:
        if approval.drafted is question and (back := returned(session, case.case_no, approval, turn)) is not None:
            who, why = back
            return f"{names(session)(who)}：{why}"
    return ""


def _refusal(check: Any) -> str:
    try:
        check()
    except RefusalError as why:
        return str(why)
    return ""


def _lines(session: Session, case: Case, sheet: Sheet) -> Lines:
    """Everything once: what stands there unmasked need not stand there masked."""
    full = KINDS[case.kind].sheet.full_lines(session, case)
    told = {name for name, _ in full}
    return [*full, *((name, value) for name, value in sheet.lines if name not in told)]


def _but_for(compared: Sequence[Compared], lines: Lines) -> Lines:
    """The facts that do not stand above them already, by the same name or in the same words."""
    above = {line for each in compared for line in each.lines}
    lines = [(name, value) for name, value in lines if name not in IN_THE_HEAD]
    said = {value for _, value in above if len(value) >= SURELY_THE_SAME}
    return [line for line in lines if line not in above and line[1] not in said]


def _named(lines: Iterable[tuple[str, str]], case: Case, named: Callable[[str], str], acting: str) -> Lines:
    """The lines with whose case it is by name, which stands on no sheet that leaves the desk."""
    whose = named(case.officer_no) + (f"，今天由{named(acting)}代理" if acting != case.officer_no else "")
    return [(name, whose if name == OFFICER_LINE else value) for name, value in lines]


def _matters(session: Session, case: Case) -> Sequence[StaffTask]:
    return session.scalars(select(StaffTask).where(StaffTask.case_no == case.case_no).order_by(StaffTask.id)).all()


def names(session: Session) -> Callable[[str], str]:
    """Says who an actor of the audit trail is: staff by name and number, a department's program by the department."""
    staff = {each.staff_no: f"{each.name}（{each.staff_no}）" for each in session.scalars(select(Officer))}
    programs = dict(session.execute(select(Application.key, Application.speaks_for)).tuples().all())
    known = staff | programs | ACTORS
    return lambda who: known.get(who, who)


def _digest(session: Session, case: Case) -> str:
    """64 hex digits over what an officer decides on: facts, files, what is asked. What passes by itself, such as the
    days that are left, is not in it."""
    sheet = KINDS[case.kind].sheet
    files = Attachment.case_no.in_(sheet.files_of(session, case))
    further = sheet.further(session, case)
    seen = [
        case.waiting_for,
        sheet.full_lines(session, case),
        further.rows if further is not None else (),
        [[each.lines, each.table.rows if each.table is not None else ()] for each in sheet.compared(session, case)],
        list(session.scalars(select(Attachment.sha256).where(files).order_by(Attachment.id))),
    ]
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False, default=str).encode()).hexdigest()


def decide(
    case_no: str,
    by: SignedIn,
    asked: str,
    key: str,
    typed: Mapping[str, str],
    code: str,
    shown: str,
    files: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Record what somebody decided on the question and turn that their page ``asked``, as they saw the case
    (``shown``), and keep the ``files`` (name, content) that came with it; ``key`` names the submission.

    Raises what ``take_officer_answer`` and ``check_files`` raise; what was left empty is not filled in.
    """
    name, _, turn = asked.rpartition("-")
    question = QUESTIONS.get(name)
    if question is None or not turn.isdecimal() or len(turn) > 4:
        raise RefusalError("没有这一步，请回到办件，看现在等什么。")
    given = {field: text for field, text in typed.items() if field in question.model_fields and text.strip()}
    key = f"desk:{case_no}:{asked}:{by.staff_no}:{key}"
    signature = Signature(by.staff_no, code, by.source)
    try:
        checked = check_files(files)
    except InputError as why:
        raise InputError.of("files", str(why)) from None
    take_officer_answer(case_no, question, int(turn), key, given, signature, Seen(shown, _digest), checked)


def answered_by(case_no: str, asked: str) -> str:
    """Who has answered a question, when and what, for whoever comes too late; empty when nobody has."""
    answer = _answer_to(case_no, asked)
    if answer is None:
        return ""
    with reading() as session:
        who = names(session)(answer.officer_no or answer.source)
    when = f"{answer.at.astimezone(clock.SHANGHAI):%m月%d日 %H:%M}"
    return f"这一步已由{who}于{when}答复。{in_short(_said(answer))}"


def recorded(case_no: str, asked: str, by: SignedIn) -> Lines:
    """What somebody has just answered, as it stands on record; nothing of what they did not answer themselves."""
    answer = _answer_to(case_no, asked)
    return _said(answer) if answer is not None and answer.officer_no == by.staff_no else []


def _answer_to(case_no: str, asked: str) -> Answer | None:
    name, _, turn = asked.rpartition("-")
    if name not in QUESTIONS or not turn.isdecimal() or len(turn) > 4:
        return None
    with reading() as session:
        return taken_answer(session, case_no, name, int(turn))


def _said(answer: Answer) -> Lines:
    return QUESTIONS[answer.question].said(answer.given)


def _happened(
    session: Session, case: Case, kind: KindSheet, named: Callable[[str], str], whole: bool
) -> tuple[tuple[str, str, str], ...]:
    """When what happened and by whom, the latest first; what officers decided and noted, in their words, for who sees
    the whole case."""
    known, said = timeline(session, case, kind, also=OF_STAFF), _told_by_officers(session, case, named) if whole else []
    if whole:
        # It says from whom to whom, and why.
        known = [row for row in known if row[1] != HAPPENED["case:officer:changed"]]
    rows = [(f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}", what, who) for at, what, who in said]
    # A decision stands before what came of it within the same minute.
    merged = sorted([*rows, *known], key=lambda row: row[0])
    return tuple((when, what, named(who)) for when, what, who in reversed(merged))


def _told_by_officers(session: Session, case: Case, named: Callable[[str], str]) -> list[tuple[datetime, str, str]]:
    """When who decided, handed over or saw to what, as they said it."""
    decided = select(Answer).where(
        Answer.case_no == case.case_no, Answer.refusal.is_(None), Answer.officer_no.is_not(None)
    )
    said = [
        (each.at, f"{QUESTIONS[each.question].called()}：{in_short(_said(each))}", str(each.officer_no))
        for each in session.scalars(decided.order_by(Answer.id))
    ]
    for given in session.scalars(select(Handover).where(Handover.case_no == case.case_no).order_by(Handover.id)):
        what = f"由{named(given.from_no)}移交{named(given.to_no)}：{given.why}"
        said.append((given.at, what, given.by_no))
    for matter in _matters(session, case):
        said.append((matter.opened_at, f"列为待阅事项：{matter.what}", "system"))
        if matter.done_at is not None:
            what = f"待阅事项已处理：{matter.note}（{matter.what}）"
            said.append((matter.done_at, what, str(matter.done_by_no)))
    return said


def file_of(case_no: str, number: int, by: SignedIn) -> Attachment:
    """A file of a case for somebody who may see it. ``LookupError`` when there is none, ``RefusalError`` when they may
    not."""
    with transaction() as session:
        case = _seen_by(session, case_no, by)
        file = session.get(Attachment, number)
        if file is None or file.case_no not in KINDS[case.kind].sheet.files_of(session, case):
            raise LookupError("本件没有这个附件，请回到办件核对。")
        record(session, "case:file:read", case_no, by.staff_no, clock.now(), file=number)
        session.expunge(file)
        return file


def picture_of(case_no: str, number: int, page: int, by: SignedIn) -> bytes:
    """A page of a file, counted from 1, as PNG. Raises what ``file_of`` and ``page_of`` raise, ``LookupError`` for a
    file that has no pages."""
    file = file_of(case_no, number, by)
    if file.media_type != PDF:
        raise LookupError("这个附件没有分页，请直接打开。")
    return page_of(file.content, page)


def letter_of(case_no: str, by: SignedIn) -> tuple[str, bytes]:
    """The draft of the letter that a case asks for, by its name. Raises ``LookupError`` where it asks for none, and
    ``RefusalError`` for who may not."""
    with transaction() as session:
        case = _seen_by(session, case_no, by)
        letter = KINDS[case.kind].sheet.letter(session, case)
        if letter is None:
            raise LookupError("本件现在不需要发函，请回到办件，看现在等什么。")
        record(session, "case:letter:drafted", case_no, by.staff_no, clock.now(), to=letter.to)
    return f"{case_no}致{letter.to}函（草稿）.pdf", pdf_of(letter)


def _seen_by(session: Session, case_no: str, by: SignedIn) -> Case:
    """A case for somebody who may see all of it."""
    case, officer = _case(session, case_no), session.get_one(Officer, by.staff_no)
    asked = _asked_now(session, case, officer)
    if not _sees_all(session, officer, case) and (asked is None or asked.may_not):
        check_may_act(session, officer, case, clock.today())
    return case


def add_files(case_no: str, by: SignedIn, files: Sequence[tuple[str, bytes]]) -> int:
    """Keep files (name, content) that came on paper or by mail; how many are new. The same content again is not kept
    twice.

    Raises ``RefusalError`` for a closed case and for who may not, and what ``check_files`` raises.
    """
    if not files:
        raise InputError.of("files", "请选择要添加的附件。")
    checked = check_files(files)
    with transaction() as session:
        case = locked_case(session, case_no)
        officer = session.get_one(Officer, by.staff_no)
        asked = _asked_now(session, case, officer)
        if asked is None or asked.may_not:
            check_may_act(session, officer, case, clock.today())
        if case.closed_at is not None:
            raise RefusalError("本件已经办结，不能再添加附件。")
        now = clock.now()
        new = keep_new_files(session, case_no, checked, by.staff_no, now)
        if new:
            scan_added(session, case, now)
            if by.staff_no != acting_officer(session, case.officer_no, clock.local_date(now)).staff_no:
                tell_officer(session, case, "有新的材料", f"{case_no}:files:{now.isoformat()}", now)
        return new
