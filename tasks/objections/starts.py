"""An objection that came on paper or by word of mouth, entered by staff (Article 12)."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from models.organisations import Officer
from regulation.limits import TYPED_AGE, TYPED_LATE, VERIFICATION_REQUEST
from regulation.objections import ON_PAPER, ObjectorKind, Way
from runtime.refusals import InputError
from runtime.words import Words
from tasks.case.attachments import File
from tasks.case.calendars import working_days
from tasks.case.start import About, Begun, Days, Start, Typed
from tasks.objections.applications import ApplicationAtCounter
from tasks.objections.doubts import doubts_in
from tasks.objections.registrations import TYPED_IN, Receipt, register_objection
from tasks.office.departments import department_names
from tasks.office.naming import meant
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

    postal_address: Words = Field("", title="通信地址", description="没有邮箱的须填写，通知寄到这里", max_length=200)
    way: BroughtBy = Field(title="怎样收到")
    received_on: date = Field(title="收到日期", description="来信按收到的那天；时限自这天起算")
    late_why: Words = Field("", title="迟登记的原因", description=_LATE, max_length=200)

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        return {"received_on": (today - timedelta(days=TYPED_AGE.value), today)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        super().check(session, officer, today)
        names = department_names(session).values()
        if self.objector_kind is ObjectorKind.DEPARTMENT and self.objector_name not in names:
            raise InputError.of("objector_name", f"没有这个使用部门，{meant(self.objector_name, names)}")
        if not self.email and not self.postal_address:
            raise InputError.of("postal_address", "没有邮箱的，请填写通信地址：进展和结果要寄到那里。")
        first, last = self.allowed_days(session, today)["received_on"]
        if last is not None and self.received_on > last:
            raise InputError.of("received_on", "收到日期不能晚于今天，请更正。")
        if first is not None and self.received_on < first:
            raise InputError.of("received_on", f"收到日期不能早于{first}，请核对年份。")
        late = working_days(session).working_days_between(self.received_on, today) > TYPED_LATE.value
        if late and not self.late_why:
            raise InputError.of("late_why", f"收到已超过{TYPED_LATE.value}个工作日，请写明为什么现在才登记。")

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
        way = Way(self.way)
        if way in ON_PAPER and not files:
            raise InputError.of("files", "来信、转办的须附来件的扫描件或照片。")
        receipt = Receipt(way, self.received_on, self.late_why, self.postal_address)
        application = self.only(ApplicationAtCounter)
        done = register_objection(application, files, key, officer.staff_no, TYPED_IN, receipt)
        joined = "，与在办的同一异议并案办理" if done.joined else ""
        return Begun(f"异议登记为{done.case_no}{joined}。", done.case_no, (done.case_no,))
