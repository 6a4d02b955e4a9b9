"""A filing about a liaison officer that came on paper, entered by staff (Article 13)."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from models.liaisons import FilingKind
from models.organisations import Officer
from regulation.liaisons import check_last_day
from runtime import clock
from runtime.refusals import InputError, Mistakes
from tasks.case.attachments import File
from tasks.case.start import About, Begun, Start, Typed
from tasks.liaisons.filings import LiaisonFilingForm
from tasks.liaisons.steps import file_for_department
from tasks.office.departments import OfDepartment, department_named, department_names
from tasks.office.recipients import liaisons_on_file


class FileLiaison(LiaisonFilingForm, OfDepartment, Start):
    about = About(
        code="liaison",
        named="专人备案登记",
        group="部门报送的",
        article="第十三条",
        does="登记部门书面报送的专人备案。登记后自动发起“专人备案”，由经办人确认。",
        deployment="liaison-intake",
        words="联系人 负责人 变更 终止 指定",
        leads=frozenset({"department"}),
    )

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        names = department_names(session)
        whose = next((uscc for uscc, name in names.items() if name == typed.get("department", "").strip()), None)
        there = liaisons_on_file(session, whose, clock.today()) if whose is not None else ()
        return {"department": list(names.values()), "replaces": sorted({each.name for each in there})}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("department"):
            uscc = department_named(session, self.department).uscc
            named = {word for each in liaisons_on_file(session, uscc, today) for word in (each.name, each.phone)}
            if self.kind is not FilingKind.APPOINTMENT and self.replaces not in named:
                why = f"“{self.department}”的在册专人中没有这个姓名或电话，请核对。"
                raise InputError.of("replaces", why)
        with mistakes.beside("last_on"):
            if self.last_day is not None:
                check_last_day(self.last_day, today, self.kind is FilingKind.HAND_OVER)
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        case_no = file_for_department(self.only(LiaisonFilingForm), self.department, key, officer.staff_no)
        return Begun(f"专人备案登记为{case_no}。", case_no, (case_no,))
