"""A visit to a counter, entered by whoever made it (Article 17)."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from models.organisations import Officer
from models.service_guides import ServiceGuide
from runtime.refusals import InputError, Mistakes
from tasks.case.attachments import File
from tasks.case.start import About, Begun, Days, Start, Typed
from tasks.guides.guides import newest_guides
from tasks.guides.items import item_named
from tasks.office.departments import department_named, department_names
from tasks.register.types import type_named, type_names
from tasks.supervision.visits import VisitForm, record_visit


class EnterVisit(VisitForm, Start):
    about = About(
        code="visit",
        named="现场体验登记",
        group="监督",
        article="第十七条",
        does="到窗口体验后登记窗口的要求。要求提供可以由系统获得的纸质证照的，转督促整改。",
        deployment="visit",
        words="窗口 暗访 走访 纸质",
        leads=frozenset({"department"}),
    )

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        names = department_names(session)
        whose = [uscc for uscc, name in names.items() if name == typed.get("department", "").strip()]
        guides = newest_guides(session, ServiceGuide.department_uscc == whose[0]) if whose else ()
        return {
            "department": list(names.values()),
            "item_code": sorted({guide.item_name for guide in guides}),
            "certificate_type": sorted(type_names(session).values()),
        }

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        return {"visited_on": (None, today)}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("department"):
            uscc = department_named(session, self.department).uscc
            with mistakes.beside("item_code"):
                item_named(session, self.item_code, uscc)
        with mistakes.beside("certificate_type"):
            if self.certificate_type:
                type_named(session, self.certificate_type)
        with mistakes.beside("visited_on"):
            if self.visited_on > today:
                raise InputError(f"体验日期{self.visited_on}还没有到，请更正。")
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        said, opened = record_visit(self.only(VisitForm), key, officer)
        return Begun(f"现场体验{said.rstrip('。')}。", opened[0] if opened else None, opened)
