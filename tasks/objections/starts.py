"""An objection that came on paper or by word of mouth, entered by staff (Article 12)."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from models.organisations import Officer
from tasks.case.attachments import File
from tasks.case.start import About, Begun, Start, Typed
from tasks.objections.applications import ObjectionApplication
from tasks.objections.doubts import doubts_in
from tasks.objections.registrations import TYPED_IN, register_objection
from tasks.register.look_ups import stated_in
from tasks.register.types import find_type, objectionable, type_names


class RegisterObjection(ObjectionApplication, Start):
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
        return doubts_in(session, kind, self.only(ObjectionApplication), today, {})

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        done = register_objection(self.only(ObjectionApplication), files, key, officer.staff_no, TYPED_IN)
        joined = "，与在办的同一异议并案办理" if done.joined else ""
        return Begun(f"异议登记为{done.case_no}{joined}。", done.case_no, (done.case_no,))
