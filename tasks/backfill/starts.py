"""A paper certificate that staff enter for a counter (Article 11)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from models.organisations import Officer
from regulation.backfill.judge import HOLDER_KIND, HOLDER_NUMBER_KIND, ISSUER, columns, required_columns
from regulation.backfill.problems import Severity
from regulation.catalogue import FieldKind, HolderKind
from regulation.identity_numbers import NumberKind
from regulation.limits import LONGEST_TEXT
from runtime.contacts import AddressOrNothing
from runtime.refusals import Mistakes
from runtime.words import Words
from tasks.backfill.entries import check, entered, known_authorities
from tasks.backfill.steps import register_backfill
from tasks.case.attachments import File
from tasks.case.start import About, Begun, Part, Start, Typed
from tasks.office.departments import DepartmentText, department_named, department_names
from tasks.register.types import find_type, paper_type, type_named, type_names

EXAMPLES = {
    FieldKind.TEXT: "",
    FieldKind.NAME: "",
    FieldKind.ADDRESS: "照证照填写",
    FieldKind.DATE: "如2012年3月5日",
    FieldKind.NUMBER: "照证照填写，如J330621-1998-000123",
    FieldKind.IDENTITY_NUMBER: "18位，老证照上15位的照填",
    FieldKind.CREDIT_CODE: "18位，如91330621MA0000000X",
    FieldKind.AMOUNT: "带单位，如50万元",
    FieldKind.CHOICE: "",
}
"""How what a field is of is written on paper."""
OFFERED = {HOLDER_KIND: tuple(map(str, HolderKind)), HOLDER_NUMBER_KIND: tuple(map(str, NumberKind))}
"""What there is of the columns that the register has beside a face."""


class EnterPaper(Start):
    about = About(
        code="backfill",
        named="登记补录",
        group="证照和异议",
        article="第十一条",
        does="登记一件窗口收到的老版纸质证照。登记后自动发起“纸质证照补录”，由登记人以外的工作人员对照扫描件审核；"
        "扫描件可以现在附上，也可以以后由任何工作人员在办件页添加。",
        deployment="backfill-intake",
        words="纸质证照 老证照 录入 扫描件",
        takes_files="纸质证照的扫描件",
        leads=frozenset({"certificate_type"}),
    )

    department: DepartmentText
    service_case_no: Annotated[Words, Field(title="业务办件编号", min_length=1, max_length=60)]
    certificate_type: Annotated[Words, Field(title="证照类型", min_length=1, max_length=60)]
    values: Annotated[
        dict[str, Annotated[Words, Field(max_length=LONGEST_TEXT.value)]],
        Field(title="证照上的内容", description="照纸质证照填写；证照上没有的留空", min_length=1),
    ]
    email: Annotated[AddressOrNothing, Field(title="持证主体邮箱", description="用于告知；没有的留空")] = ""

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        return {
            "department": list(department_names(session).values()),
            "certificate_type": sorted(type_names(session).values()),
        }

    @classmethod
    def parts(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[Part]]:
        """The fields of the chosen type's face, then what the register needs beside it."""
        kind = find_type(session, typed.get("certificate_type", ""))
        if kind is None:
            return {}
        required = required_columns(paper_type(kind))
        fields = {field.code: field for field in kind.fields}
        beside = (code for code in columns(paper_type(kind)) if code not in fields)
        names, authorities = columns(paper_type(kind)), tuple(known_authorities(session))
        return {
            "values": [
                Part(
                    name=code,
                    title=names[code],
                    hint=EXAMPLES[fields[code].kind] if code in fields else "",
                    choices=(fields[code].choices if code in fields else ()) or OFFERED.get(code, ()),
                    among=authorities if code == ISSUER else (),
                    required=code in required,
                )
                for code in (*fields, *beside)
            ]
        }

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("department"):
            department_named(session, self.department)
        with mistakes.beside("certificate_type"):
            kind = type_named(session, self.certificate_type)
            entry = entered(session, kind, self.values, today)
            for problem in entry.judged.problems:
                if problem.severity is Severity.ERROR:
                    mistakes.wrong.setdefault(f"values-{problem.field}", entry.in_words(problem))
            if not entry.errors:
                check(entry)
        mistakes.say()

    def doubts(self, session: Session, today: date) -> Mapping[str, str]:
        kind = type_named(session, self.certificate_type)
        return {f"values-{name}": said for name, said in entered(session, kind, self.values, today).hints}

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        case_no = register_backfill(
            self.department,
            self.certificate_type,
            self.values,
            self.service_case_no,
            self.email,
            files,
            key,
            officer.staff_no,
        )
        missing = "" if files else "还缺扫描件：由您或经办人在办件页添加，添加后才能审核。"
        return Begun(f"纸质证照补录登记为{case_no}。{missing}", case_no, (case_no,))
