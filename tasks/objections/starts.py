"""What came on paper or by word of mouth, entered by staff (Article 12): an objection, what a holder says to one."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.hearings import Hearing
from models.organisations import Officer
from regulation.certificates import mask_name
from regulation.limits import TYPED_LATE, VERIFICATION_REQUEST
from regulation.objections import ON_PAPER, ObjectorKind, Way
from runtime.contacts import PHONE, AddressOrNothing
from runtime.database import transaction
from runtime.refusals import InputError, Mistakes
from runtime.words import Words
from tasks.case.attachments import File
from tasks.case.calendars import working_days
from tasks.case.numbers import case_numbered
from tasks.case.start import About, Begun, Days, Start, Typed
from tasks.objections.applications import ApplicationAtCounter
from tasks.objections.contacts import Wish, change_contact, check_mandate_runs, end_mandate
from tasks.objections.doubts import doubts_in
from tasks.objections.hearings import check_may_comment, enter_comment, hearings_of
from tasks.objections.registrations import (
    TYPED_IN,
    Receipt,
    check_mandate,
    check_receipt,
    first_received,
    register_objection,
)
from tasks.objections.steps import objection_of
from tasks.objections.ways import Contact
from tasks.office.departments import department_names
from tasks.office.naming import meant
from tasks.office.officers import check_may_act
from tasks.register.look_ups import stated_in
from tasks.register.types import find_type, objectionable, type_names

BroughtBy = Literal["来访", "来信", "来电", "转办"]
_LATE = f"收到超过{TYPED_LATE.value}个工作日的须写明，只给工作人员看"


class RegisterObjection(ApplicationAtCounter, Start):
    about = About(
        code="objection",
        named="登记异议",
        group="证照和异议",
        article="第十二条",
        does="代申请人登记异议。登记后向申请人发出回执，通知经办人，并自动发起“异议核查”。",
        deployment="objection-intake",
        words="核查申请 更正 错误 信息有误 申请人",
        takes_files="申请人交来的材料",
        leads=frozenset({"certificate_type", "certificate", "field"}),
        finds="certificate",
    )

    postal_address: Words = Field("", title="通信地址", description="没有邮箱的填写，通知寄到这里", max_length=200)
    way: BroughtBy = Field(title="怎样收到")
    received_on: date = Field(title="收到日期", description="来信按收到的那天；时限自这天起算")
    late_why: Words = Field("", title="迟登记的原因", description=_LATE, max_length=200)

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        return {"received_on": (first_received(today), today)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        super().check(session, officer, today)
        names = department_names(session).values()
        if self.objector_kind is ObjectorKind.DEPARTMENT and self.objector_name not in names:
            raise InputError.of("objector_name", f"没有这个使用部门，{meant(self.objector_name, names)}")
        Contact(self.email, self.phone, self.postal_address).check()
        check_receipt(session, self._receipt(), today)

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        kind = find_type(session, typed.get("certificate_type", ""))
        fields = list(objectionable(kind).values()) if kind is not None else []
        return {"certificate_type": sorted(type_names(session).values()), "field": fields}

    @classmethod
    def known(cls, session: Session, typed: Typed) -> Typed:
        """What the register says now of the field that is named."""
        if typed.get("stated", "").strip():
            return {}
        stated = stated_in(session, *(typed.get(each, "") for each in ("certificate_type", "certificate", "field")))
        return {"stated": stated} if stated else {}

    def doubts(self, session: Session, today: date) -> Mapping[str, str]:
        kind = find_type(session, self.certificate_type)
        doubts = doubts_in(session, kind, self.only(ApplicationAtCounter), today, {})
        due_on, _ = working_days(session).due_date(self.received_on, VERIFICATION_REQUEST.value)
        if due_on < today:
            doubts["received_on"] = (
                f"收到日期{self.received_on}的法定期限{due_on}已过，登记后即为超期，请核对收到日期。"
            )
        return doubts

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        receipt, application = self._receipt(), self.only(ApplicationAtCounter)
        check_mandate(application, files)
        if receipt.way in ON_PAPER and not files:
            raise InputError.of("files", "来信、转办的须附来件的扫描件或照片。")
        done = register_objection(application, files, key, officer.staff_no, TYPED_IN, receipt)
        joined = "，与在办的同一异议并案办理" if done.joined else ""
        return Begun(f"异议登记为{done.case_no}{joined}。", done.case_no, (done.case_no,))

    def _receipt(self) -> Receipt:
        return Receipt(Way(self.way), self.received_on, self.late_why, self.postal_address)


CommentedBy = Literal["来访", "来信", "来电"]


class EnterComment(Start):
    about = About(
        code="holder-comment",
        named="登记持证主体意见",
        group="证照和异议",
        article="第十二条",
        does="登记持证主体对他人异议的意见：附卷，通知经办人；告知的信还没有寄出的，不用再寄。",
        deployment="holder-comment",
        words="听取意见 陈述 申辩 持证人 来信",
        takes_files="来信的扫描件，持证主体交来的材料",
        leads=frozenset({"case_no"}),
    )

    case_no: Words = Field(title="办件编号", description="通知信上的，如YY-2026-000012", min_length=1, max_length=30)
    holder: Words = Field(title="持证主体", description="先填办件编号", min_length=1, max_length=20)
    way: CommentedBy = Field(title="怎样收到")
    received_on: date = Field(title="收到日期")
    text: Words = Field(title="意见", description="照原话写；来信的写要点，原件附后", min_length=5, max_length=2000)

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        with suppress(InputError):
            heard = hearings_of(session, _heard_in(session, typed.get("case_no", "")))
            # Whoever may start this need not be whose case it is.
            return {"holder": {str(each.number): f"第{each.number}名，{mask_name(each.holder_name)}" for each in heard}}
        # What was chosen stays while the number of the case is set right.
        chosen = typed.get("holder", "")
        return {"holder": {chosen: f"第{chosen}名"} if chosen else {}}

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        return {"received_on": (first_received(today), today)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("case_no"):
            case = session.get_one(Case, _heard_in(session, self.case_no))
            check_may_act(session, officer, case, today)
            check_may_comment(case)
            if not case.received_on <= self.received_on <= today:
                raise InputError.of("received_on", "收到日期不能早于收到异议的日期，也不能晚于今天，请更正。")
        if self.holder not in self.choices(session, {"case_no": self.case_no})["holder"]:
            mistakes.wrong["holder"] = "请选择是哪一名持证主体的意见。"
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        way = Way(self.way)
        if way in ON_PAPER and not files:
            raise InputError.of("files", "来信的须附来信的扫描件或照片。")
        with transaction() as session:
            case_no = _heard_in(session, self.case_no)
        enter_comment(case_no, int(self.holder), self.text, way, self.received_on, files, officer.staff_no)
        return Begun(f"持证主体的意见附入{case_no}，并通知经办人。", case_no)


def _heard_in(session: Session, text: str) -> str:
    """The number of the case that is meant, in which a holder is heard. Raises ``InputError``."""
    return case_numbered(session, text, Case.case_no.in_(select(Hearing.case_no)), Case.closed_at.is_(None))


class ContactIs(StrEnum):
    """What becomes of how whoever objects is reached."""

    OTHER = "改联系方式"
    THEIR_OWN = "代理终止，改由本人办理"


class ChangeContact(Start):
    about = About(
        code="objection-contact",
        named="变更异议联系方式",
        group="证照和异议",
        article="第十二条",
        does="改申请人的邮箱、电话、通信地址，或者在代理终止后改由本人办理。新旧两处都得到通知；此前没有送到的通知重新发送。",
        deployment="objection-contact",
        words="邮箱填错 换邮箱 地址 电话 代理 监护 终止 撤销委托",
        takes_files="要求变更的来信、撤销委托的文件",
    )

    case_no: Words = Field(
        title="办件编号", description="如YY-2026-000012，可略作YY-12或12", min_length=1, max_length=30
    )
    what: ContactIs = Field(title="怎样变更")
    email: AddressOrNothing = Field("", title="电子邮箱", description="没有的留空")
    phone: str = Field("", title="联系电话", description="没有的留空", pattern=rf"^$|{PHONE}")
    postal_address: Words = Field("", title="通信地址", description="没有邮箱的填写，通知寄到这里", max_length=200)
    why: Words = Field(title="谁要求的，怎样核对的", min_length=5, max_length=200)

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("postal_address"):
            Contact(self.email, self.phone, self.postal_address).check()
        with mistakes.beside("case_no"):
            case = session.get_one(Case, self._meant(session))
            check_may_act(session, officer, case, today)
            if self.what is ContactIs.THEIR_OWN:
                with mistakes.beside("what"):
                    check_mandate_runs(objection_of(session, case.case_no))
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        if self.what is ContactIs.THEIR_OWN and not files:
            raise InputError.of("files", "代理终止的须附撤销委托的文件，或者本人提出要求的记录。")
        with transaction() as session:
            case_no = self._meant(session)
        change = end_mandate if self.what is ContactIs.THEIR_OWN else change_contact
        contact = Contact(self.email, self.phone, self.postal_address)
        change(case_no, contact, Wish(self.why, officer.staff_no, files))
        return Begun(f"{case_no}今后的通知{contact.in_words}；原来收通知的地方也得到通知。", case_no)

    def _meant(self, session: Session) -> str:
        return case_numbered(session, self.case_no, Case.kind == CaseKind.OBJECTION)
