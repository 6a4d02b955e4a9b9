"""The certificate catalogue (证照目录) and the authorities that issue, as tables that the operator brings in.

Of the catalogue a row is a field of a type. What says something of the type as a whole stands in its first row, and may
stand in the others as well.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificates import CertificateType, IssuingAuthority
from regulation.catalogue import STATE, FieldKind, HolderKind, Sensitivity, Validity
from regulation.catalogue import Field as TypeField
from regulation.certificates import Level
from runtime import clock
from runtime.database import transaction
from runtime.refusals import wrong_fields
from runtime.words import Words
from tasks.audit import record
from tasks.office.department_files import credit_code
from tasks.tables.headed import BroughtIn, Layout, refuse_nothing, refuse_rows, rows_of

TYPES = Layout(
    {
        "code": ("类型代码", "证照类型代码", "证照代码"),
        "name": ("证照名称", "证照类型", "证照类型名称"),
        "issuing_authority": ("颁证机构", "签发机构", "发证机关"),
        "issuing_level": ("颁证层级", "签发层级"),
        "source": ("数据来源", "数据来源层级"),
        "validity": ("有效期", "有效期类型"),
        "validity_years": ("有效年数",),
        "stale_after_hours": ("更新小时数",),
        "holder_kinds": ("持证主体", "持证主体类型"),
        "field_code": ("字段代码",),
        "field_name": ("字段名称", "字段"),
        "field_kind": ("字段类型",),
        "sensitivity": ("敏感程度", "敏感级别"),
        "choices": ("可选内容",),
    },
    ("code", "name", "field_code", "field_name", "field_kind", "sensitivity"),
    known_by="field_code",
)
AUTHORITIES = Layout(
    {"name": ("颁证机构", "机构名称", "发证机关"), "code": ("机构代码", "颁证机构代码")},
    ("name", "code"),
    known_by="code",
)
LEVELS = {"区": Level.DISTRICT, "市": Level.CITY, "省": Level.PROVINCE}
VALIDITIES = {"长期": Validity.UNLIMITED, "按年": Validity.YEARS, "证面": Validity.ON_FACE}
FIELD_KINDS = {
    "文本": FieldKind.TEXT,
    "名称": FieldKind.NAME,
    "地址": FieldKind.ADDRESS,
    "日期": FieldKind.DATE,
    "编号": FieldKind.NUMBER,
    "公民身份号码": FieldKind.IDENTITY_NUMBER,
    "统一社会信用代码": FieldKind.CREDIT_CODE,
    "金额": FieldKind.AMOUNT,
    "选项": FieldKind.CHOICE,
}
SENSITIVITIES = {"公开": Sensitivity.PUBLIC, "个人信息": Sensitivity.PERSONAL, "敏感个人信息": Sensitivity.SENSITIVE}
_WORDS = {value: word for words in (LEVELS, VALIDITIES, FIELD_KINDS, SENSITIVITIES) for word, value in words.items()}
_TYPE_CODE, _SERIAL = 21, 18
_REGION = re.compile(r"[1-9][0-9]{5}")


def _one_of(words: dict[str, Any]) -> BeforeValidator:
    def chosen(text: object) -> object:
        if str(text) not in words:
            raise ValueError(f"只能是{'、'.join(words)}")
        return words[str(text)]

    return BeforeValidator(chosen)


def _type_code(text: object) -> str:
    code = str(text).upper()
    if len(code) != _TYPE_CODE or not code[_SERIAL:].isdigit():
        raise ValueError("应为21位：定义机构的统一社会信用代码加3位数字")
    return f"{credit_code(code[:_SERIAL])}{code[_SERIAL:]}"


def _words(text: object) -> object:
    return [word for word in re.split(r"[、，,；;\s]+", str(text)) if word]


def _authority_code(text: object) -> object:
    return text if _REGION.fullmatch(str(text)) else credit_code(text)


class TypeForm(BaseModel):
    """What a table says of a type as a whole."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, BeforeValidator(_type_code)] = Field(title="类型代码")
    name: Words = Field(title="证照名称", min_length=2, max_length=100)
    issuing_authority: Words = Field(title="颁证机构", min_length=2, max_length=100)
    issuing_level: Annotated[Level, _one_of(LEVELS)] = Field(title="颁证层级")
    source: Annotated[Level, _one_of(LEVELS)] = Field(title="数据来源")
    validity: Annotated[Validity, _one_of(VALIDITIES)] = Field(title="有效期")
    validity_years: int | None = Field(None, title="有效年数", ge=1, le=100)
    stale_after_hours: int = Field(24, title="更新小时数", ge=0, le=24 * 366)
    holder_kinds: Annotated[tuple[HolderKind, ...], BeforeValidator(_words)] = Field(title="持证主体", min_length=1)

    @model_validator(mode="after")
    def _years_belong_to_years(self) -> "TypeForm":
        if (self.validity is Validity.YEARS) != (self.validity_years is not None):
            raise ValueError("有效期为按年的须填有效年数，其他的不填")
        return self


class FieldForm(BaseModel):
    """What a row says of its field."""

    model_config = ConfigDict(extra="forbid")

    field_code: str = Field(title="字段代码", pattern=r"^[a-z][a-z0-9_]{0,39}$")
    field_name: Words = Field(title="字段名称", max_length=60)
    field_kind: Annotated[FieldKind, _one_of(FIELD_KINDS)] = Field(title="字段类型")
    sensitivity: Annotated[Sensitivity, _one_of(SENSITIVITIES)] = Field(title="敏感程度")
    choices: Annotated[tuple[Words, ...], BeforeValidator(_words)] = Field((), title="可选内容", max_length=200)

    @model_validator(mode="after")
    def _choices_belong_to_a_choice(self) -> "FieldForm":
        if (self.field_kind is FieldKind.CHOICE) != bool(self.choices):
            raise ValueError("字段类型为选项的须填可选内容，其他的不填")
        if STATE.code == self.field_code or STATE.name == self.field_name:
            raise ValueError(f"“{STATE.name}”（{STATE.code}）是每种证照都有的，不能再作为字段")
        return self

    @property
    def field(self) -> TypeField:
        return TypeField(self.field_code, self.field_name, self.field_kind, self.sensitivity, self.choices)


class AuthorityForm(BaseModel):
    """A row of the authorities: ``code`` is a credit code or a region's six digits."""

    model_config = ConfigDict(extra="forbid")

    name: Words = Field(title="颁证机构", min_length=2, max_length=100)
    code: Annotated[str, BeforeValidator(_authority_code)] = Field(title="机构代码")


Wrong = list[tuple[int, str]]


def import_types(name: str, content: bytes, by: str, *, check: bool) -> list[BroughtIn]:
    """Add the certificate types of a table and change those that the catalogue has under the same code, all or none;
    with ``check`` nothing is written. A field that a type has goes never: certificates and use lists refer to it.

    Raises ``InputError`` for what ``rows_of`` refuses and for every wrong cell, by its row and column.
    """
    wrong: Wrong = []
    types = _types(name, content, wrong)
    refuse_rows(name, wrong, "未登记任何一种")
    refuse_nothing(name, types)
    with transaction() as session:
        done = [_bring_type(session, number, form, fields, wrong, by) for number, form, fields in types]
        refuse_rows(name, wrong, "未登记任何一种")
        if check:
            session.rollback()
        return done


def import_authorities(name: str, content: bytes, by: str, *, check: bool) -> list[BroughtIn]:
    """Add the authorities of a table, or change the codes of those that are known by that name, all or none; with
    ``check`` nothing is written. Raises ``InputError`` as ``import_types`` does."""
    wrong: Wrong = []
    rows: list[tuple[int, AuthorityForm]] = []
    first: dict[str, int] = {}
    for number, given, lost in rows_of(name, content, AUTHORITIES):
        if lost:
            wrong.append((number, "；".join(lost.values())))
            continue
        try:
            rows.append((number, AuthorityForm.model_validate(given)))
        except ValidationError as error:
            wrong.append((number, "；".join(wrong_fields(error, AuthorityForm))))
            continue
        if (before := first.setdefault(rows[-1][1].name, number)) != number:
            wrong.append((number, f"颁证机构与第{before}行相同，请删去一行或更正"))
    refuse_rows(name, wrong, "未登记任何一个颁证机构")
    refuse_nothing(name, rows)
    with transaction() as session:
        done = [_bring_authority(session, form, by) for _, form in rows]
        if check:
            session.rollback()
        return done


def _types(name: str, content: bytes, wrong: Wrong) -> list[tuple[int, TypeForm, tuple[TypeField, ...]]]:
    """The types of a table with the rows they begin in; what is wrong with its cells is added to ``wrong``."""
    said: dict[str, tuple[int, dict[str, str]]] = {}
    fields: dict[str, dict[str, tuple[int, TypeField]]] = {}
    of_field = FieldForm.model_fields.keys()
    for number, given, lost in rows_of(name, content, TYPES):
        if lost:
            wrong.append((number, "；".join(lost.values())))
            continue
        if "code" not in given:
            wrong.append((number, "类型代码未填写"))
            continue
        of_type = {column: value for column, value in given.items() if column not in of_field}
        start, known = said.setdefault(given["code"], (number, of_type))
        wrong += [
            (number, f"{TYPES.title(column)}“{value}”与第{start}行的“{known.get(column, '')}”不同，请统一或只填首行")
            for column, value in of_type.items()
            if known.get(column) != value
        ]
        try:
            field = FieldForm.model_validate({column: given[column] for column in of_field if column in given}).field
        except ValidationError as error:
            wrong.append((number, "；".join(wrong_fields(error, FieldForm))))
            continue
        mine = fields.setdefault(given["code"], {})
        for before, other in mine.values():
            if other.code == field.code or other.name == field.name:
                which = "字段代码" if other.code == field.code else "字段名称"
                wrong.append((number, f"{which}与第{before}行相同，请删去一行或更正"))
        mine[field.code] = number, field
    types: list[tuple[int, TypeForm, tuple[TypeField, ...]]] = []
    names: dict[str, int] = {}
    for code, (start, of_type) in said.items():
        try:
            form = TypeForm.model_validate(of_type)
        except ValidationError as error:
            wrong.append((start, "；".join(wrong_fields(error, TypeForm))))
            continue
        if (before := names.setdefault(form.name, start)) != start:
            wrong.append((start, f"证照名称“{form.name}”与第{before}行的相同，而类型代码不同，请更正"))
        types.append((start, form, tuple(field for _, field in fields.get(code, {}).values())))
    return types


def _bring_type(
    session: Session, number: int, form: TypeForm, fields: tuple[TypeField, ...], wrong: Wrong, by: str
) -> BroughtIn:
    kind = session.get(CertificateType, form.code, with_for_update=True)
    other = session.scalar(
        select(CertificateType.code).where(CertificateType.name == form.name, CertificateType.code != form.code)
    )
    gone = [field.name for field in kind.fields if field.code not in {each.code for each in fields}] if kind else []
    if other is not None:
        wrong.append((number, f"证照名称“{form.name}”在目录中是{other}的名称，请核对类型代码"))
    if gone:
        said = "、".join(gone)
        wrong.append(
            (number, f"“{form.name}”已有的字段{said}不在表中；已有的字段不能删去，请补上（代码不变，名称可改）")
        )
    if other is not None or gone:
        return BroughtIn(form.code, form.name, new=False, changes=())
    wanted = form.model_dump() | {"fields": fields}
    now = clock.now()
    if kind is None:
        session.add(CertificateType(**wanted))
        session.flush()
        record(session, "catalogue:type:added", None, by, now, code=form.code, name=form.name)
        return BroughtIn(form.code, form.name, new=True, changes=())
    changes = _changes(kind, wanted)
    if changes:
        for column, value in wanted.items():
            setattr(kind, column, value)
        session.flush()
        record(session, "catalogue:type:changed", None, by, now, code=form.code, changes=list(changes))
    return BroughtIn(form.code, form.name, new=False, changes=changes)


def _bring_authority(session: Session, form: AuthorityForm, by: str) -> BroughtIn:
    authority = session.get(IssuingAuthority, form.name, with_for_update=True)
    if authority is not None and authority.code == form.code:
        return BroughtIn(form.code, form.name, new=False, changes=())
    now = clock.now()
    if authority is None:
        session.add(IssuingAuthority(**form.model_dump()))
        record(session, "catalogue:authority:added", None, by, now, name=form.name, code=form.code)
        return BroughtIn(form.code, form.name, new=True, changes=())
    changes = (f"机构代码：{authority.code}→{form.code}",)
    authority.code = form.code
    record(session, "catalogue:authority:changed", None, by, now, name=form.name, changes=list(changes))
    return BroughtIn(form.code, form.name, new=False, changes=changes)


def _changes(kind: CertificateType, wanted: dict[str, Any]) -> Sequence[str]:
    """What a table changes of a type, in Chinese."""
    said = [
        f"{TYPES.title(column)}：{_word(getattr(kind, column))}→{_word(value)}"
        for column, value in wanted.items()
        if column != "fields" and getattr(kind, column) != value
    ]
    before = {field.code: field for field in kind.fields}
    for field in wanted["fields"]:
        there = before.get(field.code)
        if there is None:
            said.append(f"增加字段“{field.name}”")
        elif there != field:
            said.append(f"字段“{there.name}”：{_field_words(there)}→{_field_words(field)}")
    if not said and wanted["fields"] != kind.fields:
        said.append("字段顺序")
    return tuple(said)


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return "、".join(value)
    return "空" if value is None else str(_WORDS.get(value, value))


def _field_words(field: TypeField) -> str:
    choices = f"，{'、'.join(field.choices)}" if field.choices else ""
    return f"{field.name}，{_word(field.kind)}{choices}，{_word(field.sensitivity)}"
