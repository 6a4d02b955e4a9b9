"""What is doubtful about an objection as it is written (Article 12).

It follows from what was typed, the catalogue and the rules for what a field can hold, and never from the register: so
it may be said to anybody. A doubt keeps nobody from objecting. The right does not hang on a slip of the pen; but what
cannot be told apart from one is better looked at before a bureau is asked than after it has answered.
"""

from datetime import date

from sqlalchemy.orm import Session

from models.certificates import CertificateType
from regulation.backfill.judge import Judge
from regulation.certificates import IdentifierError, parse_identifier
from regulation.objections import Ground, is_placeholder
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError
from runtime.words import folded
from tasks.objections.applications import ObjectionApplication
from tasks.register.types import find_type, objectionable
from tasks.register.versions import check_value, judge_of

IDENTIFIERS_BEGIN = "1.2.156."
"""What no certificate's number begins with."""


def doubts_of(application: ObjectionApplication) -> dict[str, str]:
    """By the names of its fields, what an objector may want to look at again, in Chinese."""
    with reading() as session:
        kind = find_type(session, application.certificate_type)
        return doubts_in(session, kind, application, clock.today(), {})


def doubts_in(
    session: Session,
    kind: CertificateType | None,
    application: ObjectionApplication,
    today: date,
    judges: dict[str, Judge],
) -> dict[str, str]:
    """``doubts_of`` an application to a certificate of this type, ``None`` for one that the catalogue does not have;
    ``judges`` keeps the rules of types from one of many applications to the next."""
    doubts = {}
    if wrong := _doubt_of_reference(kind, application.certificate):
        doubts["certificate"] = wrong
    if wrong := _doubt_of_value(session, kind, application, today, judges):
        doubts["proposed"] = wrong
    return doubts


def _doubt_of_reference(kind: CertificateType | None, reference: str) -> str:
    """What is wrong with an identifier: how it is written, or that it is another type's. Of a number nothing is known
    without the register."""
    if not folded(reference).startswith(IDENTIFIERS_BEGIN):
        return ""
    try:
        parse_identifier(reference)
    except IdentifierError as why:
        return str(why)
    if kind is not None and is_of_another_type(kind, reference):
        return f"电子证照标识不是“{kind.name}”的，请核对证照类型和标识。"
    return ""


def is_of_another_type(kind: CertificateType, reference: str) -> bool:
    """Whether a reference is the identifier of a certificate of another type: of the two, one was not meant, and what
    is objected to under one name is not corrected under another."""
    try:
        return parse_identifier(reference).type_code != kind.code
    except IdentifierError:
        return False


def field_code_in(kind: CertificateType, field: str) -> str | None:
    """The code of what a type's certificates can be objected to in, by its name or code; ``None`` where there is no
    such."""
    return next((code for code, name in objectionable(kind).items() if field in {code, name}), None)


def _doubt_of_value(
    session: Session,
    kind: CertificateType | None,
    application: ObjectionApplication,
    today: date,
    judges: dict[str, Judge],
) -> str:
    """What is wrong with the value that an objector holds right; nothing, if it can be right."""
    proposed = application.proposed
    if is_placeholder(proposed):
        return "请写出应当是的内容本身；写在附件里的，也请照抄在这里。"
    if Ground.MISSING in application.grounds:
        return ""
    if folded(proposed) == folded(application.stated):
        return "与证照上现在的内容相同，请核对有误的是哪一处。"
    code = field_code_in(kind, application.field) if kind is not None else None
    if kind is None or code is None:
        return ""
    if kind.code not in judges:
        judges[kind.code] = judge_of(session, kind, today)
    try:
        check_value(session, kind, code, proposed, today, judges[kind.code])
    except InputError as why:
        return str(why)
    return ""
