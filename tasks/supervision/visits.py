"""Visits in person (现场体验, Article 17): what staff were asked for at a counter, and the finding that follows."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.certificates import CertificateType
from models.mystery_applications import Visit
from models.organisations import Officer
from models.service_guides import ServiceGuide
from regulation.findings import Source
from regulation.service_guides import VISIT_RULES, Demand, excuse, subject_of
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError
from runtime.words import Plain, Words
from tasks.audit import record
from tasks.case.submissions import came_before
from tasks.guides.guides import known_on, newest_guides
from tasks.guides.items import item_named
from tasks.office.departments import DepartmentText, department_named
from tasks.rectifications.findings import Found, note_findings
from tasks.register.types import find_type, type_named


class VisitForm(BaseModel):
    """What was found at a counter."""

    model_config = ConfigDict(title="现场体验")

    department: DepartmentText
    item_code: Annotated[
        Words, Field(title="事项", description="编码，或办事指南中事项名称的一部分", min_length=2, max_length=60)
    ]
    visited_on: Annotated[date, Field(title="体验日期")]
    material: Annotated[Plain, Field(title="所涉材料", min_length=1, max_length=100)]
    certificate_type: Annotated[
        Words, Field(title="证照类型", description="目录中的名称或代码；与材料同名或不是证照的留空", max_length=60)
    ] = ""
    demand: Annotated[Demand, Field(title="窗口的要求")]
    remarks: Annotated[Plain, Field(title="备注", description="不要写入个人信息", max_length=1000)] = ""


def record_visit(form: VisitForm, submission_key: str, by: Officer) -> tuple[str, tuple[str, ...]]:
    """Put a visit on record with the finding that follows: what came of it in Chinese, and the rectification cases that
    were opened. Handing it in again under ``submission_key`` changes nothing.

    Raises ``InputError`` for an unknown department, item or type and a day to come, and what ``came_before`` raises.
    """
    with transaction() as session:
        now = clock.now()
        today = clock.local_date(now)
        department = department_named(session, form.department)
        if came_before(session, "visit", submission_key, form):
            return "本次体验已经登记过", ()
        if form.visited_on > today:
            raise InputError(f"体验日期{form.visited_on}还没有到，请更正。")
        item_code = item_named(session, form.item_code, department.uscc)
        if form.certificate_type:
            kind: CertificateType | None = type_named(session, form.certificate_type)
        else:
            kind = find_type(session, form.material)
        type_code = kind.code if kind is not None else None
        session.add(
            Visit(
                submission_key=submission_key,
                department_uscc=department.uscc,
                item_code=item_code,
                visited_on=form.visited_on,
                material=form.material,
                type_code=type_code,
                demand=form.demand,
                remarks=form.remarks,
                officer_no=by.staff_no,
                at=now,
            )
        )
        detail = {"department": department.uscc, "item": item_code, "type": type_code, "demand": form.demand}
        record(session, "visit:counter:recorded", None, by.staff_no, now, **detail)
        known = known_on(session, form.visited_on)(department.uscc)
        why_not = excuse(form.demand, type_code, item_code, known)
        if why_not is not None or kind is None:
            return f"已登记，不列为问题：{why_not}", ()
        guides = newest_guides(
            session, ServiceGuide.department_uscc == department.uscc, ServiceGuide.item_code == item_code
        )
        item = f"“{guides[0].item_name}”（{item_code}）" if guides else f"事项{item_code}"
        facts = f"{form.visited_on}现场体验：办理{item}时，窗口对材料“{form.material}”（{kind.name}）{form.demand}。"
        rule = VISIT_RULES[form.demand]
        found = Found(rule.code, department.uscc, subject_of(item_code, kind.name), facts, form.visited_on)
        noted = note_findings(session, Source.VISIT, [found], now, ())
        return f"已登记，列为问题：{rule.title}", noted.opened
