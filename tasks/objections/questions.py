"""What the story of an objection asks (Article 12), and what a bureau has replied."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case, Deadline
from models.certificates import CertificateType
from models.objections import Objection, VerificationRequest
from regulation.hearings import CHANGING
from regulation.limits import SUPPLEMENT
from regulation.objection_batches import BatchVerdict, apart_rows
from regulation.objections import CORRECTING, FINAL, FOUND_WRONG, SHOWN_BY, Finding, Outcome, Verdict, outcomes_for
from regulation.postings import tracking_number
from regulation.use_lists import LineNumbersError
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError, RefusalError
from runtime.words import Words, folded
from tasks.case.answers import last_accepted_answer, last_answered_on
from tasks.case.approvals import Approval
from tasks.case.attachments import added_since
from tasks.case.questions import Asked, Needed, Question, set_by_system
from tasks.objections.batch_rows import batches_of, resting_rows
from tasks.objections.changes import last_change
from tasks.objections.claims import claims_of, may_be_referred
from tasks.objections.hearings import not_heard_yet
from tasks.objections.source_checks import said_by_source
from tasks.register.versions import CURRENT_VERSION, AlreadySaidError, check_value, correct


class MandateShown(StrEnum):
    """Whether the documents show that somebody may act for another."""

    YES = "已核对，材料能够证明"
    NO = "材料不能证明"


class InitialReview(Question):
    question = "initial-review"
    asks = "初审：受理、不予受理，还是要求补正？"
    second = "不予受理、已有结论的，审签人（不是拟稿人，也不是登记异议、变更联系方式的人）"

    verdict: Verdict = Field(title="初审意见")
    mandate: MandateShown | None = Field(None, title="代他人办理的身份和材料")
    reason: Words = Field("", title="理由或补正内容", max_length=1000)

    hints: ClassVar = {
        "reason": {
            Verdict.DECLINE: "写明理由，会告知申请人",
            Verdict.SUPPLEMENT: f"写明补什么，会告知申请人；{set_by_system(SUPPLEMENT)}",
            Verdict.ANSWERED: "写明此前认定的理由，会告知申请人，不要写其他申请人的情况",
        }
    }
    needs: ClassVar = {
        "reason": Needed(
            "verdict",
            {
                Verdict.DECLINE: "不予受理须告知申请人理由",
                Verdict.SUPPLEMENT: "要求补正须告知申请人补什么",
                Verdict.ANSWERED: "援引已有结论须告知申请人理由",
            },
        )
    }

    @classmethod
    def choices(cls, session: Session, case: Case) -> Mapping[str, Sequence[str]]:
        answered = may_be_referred(session, case.case_no)
        return {
            "verdict": [str(verdict) for verdict in Verdict if answered or verdict is not Verdict.ANSWERED],
            "mandate": list(map(str, MandateShown)) if _for_another(session, case) else [],
        }

    def recorded(self) -> dict[str, Any]:
        # As it was before anybody could act for another.
        return {name: said for name, said in super().recorded().items() if said or name != "mandate"}

    def check(self, asked: Asked) -> None:
        if self.verdict is Verdict.ACCEPT and (who := _for_another(asked.session, asked.case)):
            if self.mandate is None:
                raise InputError.of("mandate", f"{'；'.join(who)}：请核对材料，选择能不能证明。")
            if self.mandate is MandateShown.NO:
                raise InputError.of("mandate", "材料不能证明的，不能受理：请要求补正，写明缺什么，或者不予受理。")
        if self.verdict is Verdict.ANSWERED and not may_be_referred(asked.session, asked.case.case_no):
            raise InputError.of("verdict", "本件没有可以援引的结论，或者提出了新的主张、材料，请另选初审意见。")
        if self.verdict in FINAL and (until := _may_supplement_until(asked)) is not None:
            raise InputError.of("verdict", f"{_STILL_SUPPLEMENTS.format(until)}可以受理，或者等期满、收到材料后再定。")
        super().check(asked)


def _for_another(session: Session, case: Case) -> list[str]:
    """In which capacities those who object in a case act for others, each with what has to show it."""
    claims = [claim.objection for claim in claims_of(session, [case.case_no])[case.case_no]]
    return [f"{each.acts_as}须有{SHOWN_BY[each.acts_as]}" for each in claims if each.acts_as is not None]


def _may_supplement_until(asked: Asked) -> date | None:
    """The last day that the objector was given to supplement, while it has not passed and an officer has given up
    waiting. Whose objector has withdrawn waits for nothing."""
    case_no = asked.case.case_no
    answers = select(Answer).where(
        Answer.case_no == case_no, Answer.question == SupplementReceived.question, Answer.refusal.is_(None)
    )
    last = asked.session.scalars(answers.order_by(Answer.turn.desc()).limit(1)).first()
    given_up = last is not None and last.source is AnswerSource.OFFICER and last.given["kind"] == SupplementKind.NONE
    if not given_up:
        return None
    given = select(func.max(Deadline.due_on)).where(Deadline.case_no == case_no, Deadline.limit_code == SUPPLEMENT.code)
    until = asked.session.scalar(given)
    return until if until is not None and asked.today <= until else None


_STILL_SUPPLEMENTS = "已告知申请人{}前可以补正，期限未满；"


class SupplementKind(StrEnum):
    RECEIVED = "已收到补正材料"
    NONE = "不再等待，按现有材料继续"


class SupplementReceived(Question):
    question = "supplement"
    asks = "等待申请人补正（申请人也可网上补正，届时自动继续）"
    awaits = "申请人补正"

    kind: SupplementKind = Field(title="补正情况")
    text: Words = Field("", title="收到的材料", description="纸质或电话补正时，写明收到什么", max_length=1000)

    needs: ClassVar = {"text": Needed("kind", {SupplementKind.RECEIVED: "收到补正材料的须写明收到什么"}, 1)}


def _asked_since(session: Session, case: Case, which: Callable[[Any], Any]) -> date:
    """The day on which what is asked of a bureau was put down, the first time or the last (``which``)."""
    at = session.scalar(
        select(which(VerificationRequest.prepared_at)).where(VerificationRequest.case_no == case.case_no)
    )
    return clock.local_date(at) if at is not None else case.received_on


def _scanned(asked: Asked) -> bool:
    """Whether staff have brought a file to the case, or to the batch that it came with, since the bureau was asked."""
    case_no = asked.case.case_no
    first = select(func.min(VerificationRequest.prepared_at)).where(VerificationRequest.case_no == case_no)
    since = asked.session.scalar(first) or asked.case.opened_at
    return added_since(asked.session, [case_no, *batches_of(asked.session, case_no)], since)


class LetterPosted(Question):
    question = "letter-posted"
    asks = "该局没有接口，请书面发函后登记"

    letter_no: Words = Field(title="文号", min_length=2, max_length=60)
    posted_on: date = Field(title="发函日期")
    tracking_no: Words = Field("", title="挂号号码", description="邮寄的，照回执填写，如XA12345678933", max_length=30)

    @classmethod
    def drafted_on(cls, session: Session, case: Case) -> date:
        """The day on which there was something to post. The statutory limit is met by the day of posting: an earlier
        one would meet it on paper."""
        return _asked_since(session, case, func.max)

    @classmethod
    def allowed_days(cls, session: Session, case: Case, today: date) -> Mapping[str, tuple[date | None, date | None]]:
        return {"posted_on": (cls.drafted_on(session, case), today)}

    def check(self, asked: Asked) -> None:
        if self.posted_on > asked.today:
            raise InputError.of("posted_on", "发函日期不能晚于今天，请更正。")
        if self.posted_on < (drafted_on := self.drafted_on(asked.session, asked.case)):
            raise InputError.of("posted_on", f"发函日期不能早于受理后拟函的{drafted_on}，请照发文登记更正。")
        if self.tracking_no:
            try:
                tracking_number(self.tracking_no)
            except InputError as why:
                raise InputError.of("tracking_no", str(why)) from None


class ReplyKind(StrEnum):
    """How the wait for a bureau ended."""

    REPLIED = "replied"
    SILENT = "silent"
    REFUSED = "refused"


class VerificationReply(Question):
    question = "verification-reply"
    asks = "等待上级核实结果（接口回复自动登记；书面回复在此录入）"
    awaits = "上级核实结果"
    scan = "来函扫描件"

    finding: Finding = Field(title="核实结论")
    content: Words = Field(title="回复内容", min_length=2, max_length=2000)
    corrected_value: Words = Field("", title="正确的内容", max_length=500)
    reply_no: Words = Field(title="回复文号", min_length=2, max_length=60)
    replied_on: date = Field(title="回复日期")

    @classmethod
    def allowed_days(cls, session: Session, case: Case, today: date) -> Mapping[str, tuple[date | None, date | None]]:
        return {"replied_on": (_asked_since(session, case, func.min), today)}

    hints: ClassVar = {"corrected_value": dict.fromkeys(FOUND_WRONG, "填写上级认定的正确内容")}
    needs: ClassVar = {"corrected_value": Needed("finding", dict.fromkeys(FOUND_WRONG, "上级认定原数据有误"), 1)}

    def check(self, asked: Asked) -> None:
        if self.replied_on > asked.today:
            raise InputError.of("replied_on", "回复日期不能晚于今天，请更正。")
        if self.replied_on < (since := _asked_since(asked.session, asked.case, func.min)):
            raise InputError.of("replied_on", f"回复日期不能早于提出核实需求的{since}，请照来函更正。")
        super().check(asked)
        if asked.officer_no and not asked.files and not _scanned(asked):
            raise InputError.of("files", "书面回复须附来函的扫描件，请选择文件，与本次登记一并提交。")
        wrong = value_refusal(asked, self.corrected_value) if self.finding in FOUND_WRONG else None
        if wrong is not None:
            raise InputError.of("corrected_value", wrong)

    def recorded(self) -> dict[str, Any]:
        return {**super().recorded(), "kind": ReplyKind.REPLIED}


REPLIES = (
    select(Answer.given, Answer.at)
    .where(
        Answer.case_no == bindparam("case_no"),
        Answer.question == VerificationReply.question,
        Answer.refusal.is_(None),
    )
    .order_by(Answer.turn)
)


def reply_answer(session: Session, case_no: str) -> Row[tuple[dict[str, Any], datetime]] | None:
    """What the bureau replied (``given``) and when (``at``): the first reply, on which everything after it rests."""
    answers = session.connection().execute(REPLIES, {"case_no": case_no})
    return next((answer for answer in answers if answer.given["kind"] == ReplyKind.REPLIED), None)


def reply_of(session: Session, case_no: str) -> dict[str, Any] | None:
    """What the bureau replied, once it is on record."""
    answer = reply_answer(session, case_no)
    return answer.given if answer is not None else None


def finding_of(session: Session, case_no: str) -> dict[str, Any] | None:
    """What a decision rests on, once it is on record: what the bureau replied; where it could not tell, what the
    department found that keeps the record."""
    reply, own = reply_of(session, case_no), said_by_source(session, case_no)
    if reply is None or own is None or own.finding is None or Finding(reply["finding"]) is not Finding.UNCLEAR:
        return reply
    return {**reply, "finding": str(own.finding), "corrected_value": own.value or ""}


DISPUTED = (
    select(Objection.case_no)
    .join(Case, Case.case_no == Objection.case_no)
    .where(
        Objection.certificate_root == bindparam("root"),
        Objection.field_code == bindparam("field"),
        Case.closed_at.is_(None),
    )
)


def found_wrong(session: Session, root: str, field: str) -> bool:
    """Whether a bureau has found this field of the certificate of ``root`` wrong in a case that still is to set it
    right."""
    replies = [finding_of(session, case_no) for case_no in session.scalars(DISPUTED, {"root": root, "field": field})]
    return any(reply is not None and Finding(reply["finding"]) in FOUND_WRONG for reply in replies)


def has_reply(case_no: str) -> bool:
    """Whether the bureau's reply is on record, so that nothing about the asking needs to be decided any more."""
    with reading() as session:
        return reply_of(session, case_no) is not None


class Remedy(StrEnum):
    """What staff can do after a bureau's platform refused a request."""

    AGAIN = "重新提出"
    LETTER = "书面发函"
    ESCALATE = "报省核实"


class RefusedRequest(Question):
    question = "refused-request"
    asks = "上级平台退回了核实需求，请决定怎么办"

    remedy: Remedy = Field(title="处理方式")


class OutcomeDecision(Question):
    question = "outcome"
    asks = "根据核实结果拟定处理结果"
    second = "审签人（不是拟稿人，也不是登记异议、变更联系方式、录入上级回复的人）"

    outcome: Outcome = Field(title="处理结果")
    reason: Words = Field(
        title="告知申请人的理由",
        description="会告知每一位申请人，不要写其他申请人的情况",
        min_length=10,
        max_length=1000,
    )
    value: Words = Field("", title="更正后的内容", max_length=500)
    differs: Words = Field(
        "",
        title="与上级认定不同的依据",
        description="内容不是上级认定的，须写明；不告知申请人",
        max_length=200,
    )

    hints: ClassVar = {
        "value": {
            Outcome.CORRECTED: "留空即采用上级认定的内容",
            Outcome.PARTLY_CORRECTED: "留空即采用上级认定的内容",
            Outcome.SYNCED: "填数据源头现在的内容",
        }
    }

    @classmethod
    def choices(cls, session: Session, case: Case) -> Mapping[str, Sequence[str]]:
        reply = finding_of(session, case.case_no)
        if reply is None:
            return {}
        # Which of them it is hangs on the value, which the officer may still change.
        allowed = outcomes_for(Finding(reply["finding"]), True) | outcomes_for(Finding(reply["finding"]), False)
        return {"outcome": [str(outcome) for outcome in Outcome if outcome in allowed]}

    needs: ClassVar = {"value": Needed("outcome", {Outcome.SYNCED: "处理结果为“已同步”的须填数据源头现在的内容"}, 1)}

    def check(self, asked: Asked) -> None:
        reply = finding_of(asked.session, asked.case.case_no)
        if reply is None:
            raise RefusalError("尚未登记上级核实结果，不能拟定处理结果。")
        finding, objection = Finding(reply["finding"]), objection_in(asked)
        value = value_decided(self, reply, objection)
        as_claimed = self._as_claimed(asked, value)
        allowed = outcomes_for(finding, as_claimed)
        if self.outcome not in allowed:
            names = "或".join(f"“{outcome}”" for outcome in sorted(allowed))
            same = f"，{'更正后' if self.value else '上级认定'}的内容与申请人主张的一致" if as_claimed else ""
            raise InputError.of("outcome", f"上级核实结论为“{finding}”{same}，处理结果应为{names}。")
        # Whoever was asked to supplement, and gets what they claim, has nothing more to say.
        gets_it = self.outcome in CORRECTING and same_value(asked.session, objection, value, objection.proposed)
        if not gets_it and (until := _may_supplement_until(asked)) is not None:
            raise InputError.of("outcome", f"{_STILL_SUPPLEMENTS.format(until)}请等期满、收到材料后再拟。")
        if self.outcome is Outcome.SYNCED:
            if asked.session.scalar(CURRENT_VERSION, {"root": objection.certificate_root}) is None:
                raise InputError.of(
                    "outcome", "本区索引没有这件证照，没有可以同步的；数据源头无误的，请选“维持原信息”。"
                )
            super().check(asked)
        elif self.outcome not in CORRECTING:
            return
        elif not self.value and (change := last_change(asked.session, asked.case)) is not None:
            raise InputError.of(
                "value",
                f"登记中的这一项在本件收到后已由{change.case_no}更正，请先核对“本区登记现在是”；"
                "再在“更正后的内容”中写明应当登记的内容，登记已经正确的照登记填写。",
            )
        wrong = correction_refusal(asked, value)
        if wrong is not None:
            raise InputError.of("value", wrong)
        found = reply["corrected_value"]
        if found and not self.differs and not same_value(asked.session, objection, value, found):
            raise InputError.of(
                "differs",
                "更正后的内容与上级认定的不同，请写明依据；没有依据的，“更正后的内容”请留空，即采用上级认定的内容。",
            )

    def _as_claimed(self, asked: Asked, value: str) -> bool:
        """Whether the certificate is to say what everybody claimed."""
        claims = [claim.objection for claim in claims_of(asked.session, [asked.case.case_no])[asked.case.case_no]]
        return all(same_value(asked.session, each, value, each.proposed) for each in claims)

    def recorded(self) -> dict[str, Any]:
        # As it was before there was this field, so that the same list can be handed in again.
        return {name: said for name, said in super().recorded().items() if said or name != "differs"}


def decision_of(session: Session, case_no: str) -> OutcomeDecision:
    """What was decided on a case: the last draft, which an approval let stand. ``LookupError`` where there is none."""
    given = last_accepted_answer(session, case_no, OutcomeDecision.question)
    if given is None:
        raise LookupError(f"{case_no}没有拟定处理结果。")
    return OutcomeDecision.model_validate(given)


TYPED_BY_STAFF = ("objection:case:registered", "objection:contact:changed", "objection:mandate:ended")
"""Whoever typed in an objection, or changed who is told of it, does not approve what becomes of it: who objects, and
where they are reached, is their word."""


class ReviewApproval(Approval):
    """Turning somebody away, or leaving things as they were (``FINAL``), is approved by another."""

    question = "approve-review"
    asks = "审签初审意见：是否同意？"
    drafted = InitialReview
    typed = TYPED_BY_STAFF


class OutcomeApproval(Approval):
    question = "approve-outcome"
    asks = "审签处理结果：是否同意？"
    drafted = OutcomeDecision
    rests_on = (VerificationReply,)
    typed = TYPED_BY_STAFF

    @classmethod
    def needs_reason(cls, session: Session, case_no: str) -> str:
        decision = decision_of(session, case_no)
        # Article 12 asks the bureaus what is right: that the Center knows better is for the second person to say, too.
        why = ["拟定的内容与上级认定的不同"] if decision.differs else []
        if decision.outcome in CHANGING:
            why += filter(None, [not_heard_yet(session, case_no, clock.today(), cls.involved(session, case_no))])
        return f"{'，'.join(why)}，现在同意的须写明理由" if why else ""


def same_value(session: Session, objection: Objection, one: str, other: str) -> bool:
    """Whether two values of the disputed field are the same one, as the register would write them."""
    if folded(one) == folded(other):
        return True
    return _as_written(session, objection, one) == _as_written(session, objection, other)


def _as_written(session: Session, objection: Objection, value: str) -> str:
    """A value of the disputed field as it is compared: as the register writes it, where it can hold it."""
    kind = session.get(CertificateType, objection.type_code) if objection.type_code is not None else None
    if kind is not None and objection.field_code is not None:
        with suppress(InputError):
            value = check_value(session, kind, objection.field_code, value, clock.today())
    return folded(value)


def value_decided(decision: OutcomeDecision, reply: Mapping[str, Any] | None, objection: Objection) -> str:
    """What the certificate is to say: what the officer wrote, else what the bureau found, else what was asked for."""
    return decision.value or (reply or {}).get("corrected_value") or objection.proposed


def objection_in(asked: Asked) -> Objection:
    return asked.session.get_one(Objection, asked.case.case_no)


def value_refusal(asked: Asked, value: str) -> str | None:
    """Why the disputed field cannot hold ``value``, in Chinese; ``None`` when it can, or when the catalogue does not
    know it. So much is asked of a value whoever it comes from: officer, bureau, letter or list."""
    if (disputed := _disputed(asked)) is None:
        return None
    try:
        check_value(asked.session, *disputed, value, asked.today)
    except InputError as why:
        return str(why)
    return None


def correction_refusal(asked: Asked, value: str) -> str | None:
    """Why the certificate cannot be corrected to ``value``, as the register has it now. That it says so already is no
    reason where another case has set it right meanwhile: this one ends as it should."""
    current = asked.session.scalar(CURRENT_VERSION, {"root": objection_in(asked).certificate_root})
    disputed = _disputed(asked)
    if current is None or disputed is None:
        return value_refusal(asked, value)
    kind, code = disputed
    try:
        correct(asked.session, kind, current, code, value, asked.today, found_wrong)
    except AlreadySaidError as why:
        return None if last_change(asked.session, asked.case) is not None else str(why)
    except InputError as why:
        return str(why)
    return None


def _disputed(asked: Asked) -> tuple[CertificateType, str] | None:
    """The type and the code of the disputed field; ``None`` where the catalogue does not know them."""
    objection = objection_in(asked)
    kind = asked.session.get(CertificateType, objection.type_code) if objection.type_code else None
    return (kind, objection.field_code) if kind is not None and objection.field_code is not None else None


class BatchReview(Question):
    question = "batch-review"
    asks = "批量初审：没有系统提示的各件是否一并受理？有提示的各件已各自转入初审"

    verdict: BatchVerdict = Field(title="初审意见")
    apart: Words = Field(
        "", title="另行逐件初审的行", description="表格中的行号，如“12、40-42”；没有的不填", max_length=4000
    )

    def check(self, asked: Asked) -> None:
        try:
            apart_rows(self.apart, set(resting_rows(asked.session, asked.case.case_no)))
        except LineNumbersError as why:
            raise InputError.of("apart", f"另行逐件初审的行有误：{why}") from None


class BatchLetterPosted(LetterPosted):
    question = "batch-letter"
    asks = "该局没有接口，请将清单（见附件）一并书面发函后登记"

    @classmethod
    def drafted_on(cls, session: Session, case: Case) -> date:
        days = last_answered_on(session, [case.case_no], BatchReview.question)
        return days.get(case.case_no, case.received_on)
