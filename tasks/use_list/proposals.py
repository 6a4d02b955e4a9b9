"""What a department proposes for the use list (Articles 9, 10): the shape of a line, and every line checked against
the catalogue and the list, so that a proposal is taken as a whole or refused with everything that is wrong in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificates import CertificateType
from models.use_lists import UseListEntry, UseListVersion
from regulation.certificate_use import UseRefusedError
from regulation.limits import PROPOSED_LINES
from regulation.use_lists import Terms, change_of
from regulation.working_days import parse_day
from runtime.refusals import InputError, wrong_fields
from runtime.words import LONGEST_WORDS, Words, folded
from tasks.office.days import DayText
from tasks.office.recipients import liaison_on_file
from tasks.use_list.standing import Identity, identity_of, in_force, terms_of

_SAID = {"": False, "否": False, "是": True}


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.strip() not in _SAID:
        raise ValueError("只能填是或否")
    return _SAID[value.strip()]


def _names(value: object) -> object:
    if not isinstance(value, str) or len(value) > LONGEST_WORDS:
        return value
    return [name for name in re.split(r"[、，,；;\s]+", value) if name]


Switch = Annotated[bool, BeforeValidator(_switch)]
FieldName = Annotated[Words, Field(max_length=60)]


class LineForm(BaseModel):
    """A line as a department writes it, in JSON or in a workbook (whose headings are the titles here)."""

    model_config = ConfigDict(extra="forbid")

    item_code: Words = Field(title="事项编码", min_length=2, max_length=60, pattern=r"^[0-9A-Za-z._/-]*$")
    item_name: Words = Field("", title="事项名称", max_length=100)
    certificate_type: Words = Field(title="证照类型", min_length=1, max_length=100)
    """Its code or its name."""
    scenario: Words = Field(title="应用场景", min_length=1, max_length=60)
    fields: Annotated[list[FieldName], BeforeValidator(_names)] = Field([], title="可用字段", max_length=100)
    """Their codes or their names."""
    holder_alone: Switch = Field(False, title="可单独出示")
    authorisation: Switch = Field(False, title="需授权")
    ended: Switch = Field(False, title="停用")
    in_force_from: DayText = Field("", title="生效日期", max_length=10)


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line that may be proposed, by its number (a workbook's row number)."""

    number: int
    identity: Identity
    terms: Terms
    """Of a line that ends an entry: the terms that are in force."""
    ended: bool
    in_force_from: date | None


class _Checker:
    """Checks a department's lines one after the other; ``wrong`` gathers what is wrong, by line."""

    def __init__(self, session: Session, department_uscc: str, today: date) -> None:
        self._session, self._department, self._today = session, department_uscc, today
        kinds = session.scalars(select(CertificateType)).all()
        self._kinds = {folded(text): kind for kind in kinds for text in (kind.code, kind.name)}
        self._lists: dict[date, dict[Identity, UseListVersion]] = {}
        self._seen: dict[Identity, int] = {}
        self.wrong: list[str] = []

    def list_on(self, day: date) -> dict[Identity, UseListVersion]:
        if day not in self._lists:
            rows = in_force(self._session, day, UseListEntry.department_uscc == self._department)
            self._lists[day] = {identity_of(entry): version for entry, version in rows}
        return self._lists[day]

    def check(self, number: int, form: LineForm, skip_unchanged: bool) -> CheckedLine | None:
        """The line, or ``None`` where something is wrong or (if those are skipped) nothing changes."""
        kind = self._kinds.get(folded(form.certificate_type))
        if kind is None:
            self._say(number, f"证照目录中没有证照类型“{form.certificate_type}”")
            return None
        identity = Identity(self._department, form.item_code, kind.code, form.scenario)
        if (first := self._seen.setdefault(identity, number)) != number:
            self._say(number, f"与第{first}行重复（事项、证照类型、应用场景都相同）")
            return None
        present = self.list_on(self._today).get(identity)
        asked = parse_day(form.in_force_from) if form.in_force_from else None
        if present is not None and asked == present.in_force_from:
            asked = None  # It stands there because the list was handed out with it.
        if asked is not None and asked < self._today:
            self._say(number, f"生效日期{asked}已过，请填今天（{self._today}）或以后的日期，或留空")
        base = self.list_on(max(asked or self._today, self._today)).get(identity)
        now = terms_of(base) if base is not None else None
        if form.ended:
            if now is None:
                self._say(number, "清单中没有这一条，不能停用")
                return None
            return CheckedLine(number, identity, now, True, asked)
        terms = self._terms(number, form, kind)
        if terms is None:
            return None
        if change_of(terms, now) is None:
            if not skip_unchanged:
                self._say(number, "与现行清单相同，没有变化，请删去本行")
            return None
        return CheckedLine(number, identity, terms, False, asked)

    def _terms(self, number: int, form: LineForm, kind: CertificateType) -> Terms | None:
        codes = {folded(text): field.code for field in kind.fields for text in (field.code, field.name)}
        unknown = [name for name in form.fields if folded(name) not in codes]
        if not form.item_name:
            self._say(number, "事项名称未填写")
        if not form.fields:
            self._say(number, "可用字段未填写")
        if unknown:
            self._say(number, f"“{kind.name}”没有字段{'、'.join(f'“{name}”' for name in unknown)}")
        if unknown or not form.fields or not form.item_name:
            return None
        wanted = {codes[folded(name)] for name in form.fields}
        in_order = tuple(field.code for field in kind.fields if field.code in wanted)
        return Terms(form.item_name, in_order, form.holder_alone, form.authorisation)

    def _say(self, number: int, what: str) -> None:
        self.wrong.append(f"第{number}行：{what}")


def check_lines(
    session: Session,
    department_uscc: str,
    rows: Sequence[tuple[int, object]],
    today: date,
    skip_unchanged: bool = False,
) -> list[CheckedLine]:
    """The proposed lines, numbered rows of ``LineForm``'s fields, all of them checked.

    ``skip_unchanged`` passes over lines that stand on the list as they are: a list that was handed out comes back
    whole. Raises ``UseRefusedError`` (Article 13) where anything but an end is proposed and the department has nobody
    on file, ``InputError`` with every wrong line and field otherwise.
    """
    if len(rows) > PROPOSED_LINES.value:
        raise InputError(f"一次最多提出{PROPOSED_LINES.value}行，收到{len(rows)}行；请分几次提出。")
    checker = _Checker(session, department_uscc, today)
    forms: list[tuple[int, LineForm | None]] = []
    for number, row in rows:
        try:
            forms.append((number, LineForm.model_validate(row)))
        except ValidationError as error:
            forms.append((number, None))
            checker.wrong.append(f"第{number}行：{'；'.join(wrong_fields(error, LineForm))}")
    if any(form is None or not form.ended for _, form in forms) and not liaison_on_file(
        session, department_uscc, today
    ):
        raise UseRefusedError(
            13, "本部门今天没有在册的电子证照管理专人，不能提出新的用证清单条目；请先向综合管理单位备案。"
        )
    checked = [checker.check(number, form, skip_unchanged) for number, form in forms if form is not None]
    if checker.wrong:
        wrong = sorted(checker.wrong, key=lambda said: int(said[1 : said.index("行")]))
        raise InputError("\n".join([f"用证清单有{len(wrong)}处须更正，未登记任何一行：", *wrong]))
    lines = [line for line in checked if line is not None]
    if not lines:
        raise InputError("没有要提出的变化：所有行都与现行清单相同，或表中没有数据行。")
    return lines
