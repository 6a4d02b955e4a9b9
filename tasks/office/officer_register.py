"""The register of the Center's officers, as the operator keeps it: who is on it, and the secrets of their codes.

Who leaves stays on the register, out of service: what they decided goes on naming them (Article 14).
"""

import re
from collections import defaultdict
from dataclasses import dataclass

import pyotp
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Leave, Officer, Role
from runtime import clock
from runtime.contacts import AddressError, plain_address
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError
from tasks.audit import record
from tasks.office.officers import acting_officer
from tasks.office.staff_tasks import open_staff_task

STAFF_NO = re.compile(r"[A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True)
class OnRegister:
    """An officer as the register shows them; ``open_cases`` are those that stand in their name."""

    staff_no: str
    name: str
    role: Role
    email: str
    active: bool
    open_cases: int
    has_account: bool
    """Whether they can sign on with an account of the government's sign-on."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The open cases of somebody who left, and the staff number of who acts on them (``None``: there are none)."""

    cases: tuple[str, ...]
    acting_no: str | None


def enrolment(staff_no: str, secret: str) -> str:
    """The ``otpauth://`` address that puts an officer's one-time codes into an authenticator program."""
    return pyotp.TOTP(secret).provisioning_uri(name=staff_no, issuer_name="柯桥e证通")


def register_officer(staff_no: str, name: str, role: Role, email: str, by: str) -> str:
    """Put an officer on the register, or, under the same name, back into service; the secret of their codes, which is
    shown this once.

    Raises ``InputError`` for a staff number that is none or somebody's, and for what is no name or address.
    """
    staff_no, name, email = _number(staff_no), _name(name), _email(email)
    with transaction() as session:
        now = clock.now()
        officer = session.get(Officer, staff_no, with_for_update=True)
        if officer is not None and officer.active:
            raise InputError(f"工号{staff_no}已登记，请换一个工号；更换验证码请用 ezt officer new-secret。")
        if officer is not None and officer.name != name:
            raise InputError(f"工号{staff_no}属于已停用的另一人，他的决定仍记在此工号下，请换一个工号。")
        secret = pyotp.random_base32()
        if officer is None:
            officer = Officer(staff_no=staff_no, name=name, role=role, email=email, code_secret=secret)
            session.add(officer)
        else:
            officer.role, officer.email, officer.code_secret, officer.active = role, email, secret, True
        session.flush()
        record(session, "officer:register:added", None, by, now, staff_no=staff_no, role=role)
        return secret


def account_index(account: str) -> str:
    """By what an account of the government's sign-on is found again."""
    return keys().blind_index("officer-account", account.strip())


def change_officer(
    staff_no: str, name: str | None, role: Role | None, email: str | None, by: str, account: str | None = None
) -> None:
    """Change what is given of an officer in service; an empty ``account`` takes away the one that is there, and ends
    what was begun with it. Raises ``InputError``, also when nothing is given, when the only director would be none any
    more, for an account that is somebody else's, and for an auditor who has open cases."""
    given = {
        "name": None if name is None else _name(name),
        "role": role,
        "email": None if email is None else _email(email),
        "account_index": None if account is None else account.strip() and account_index(account),
    }
    changed = {field: value for field, value in given.items() if value is not None}
    if not changed:
        raise InputError("没有要改的内容，请给出姓名、职责、邮箱、浙政钉账号中的一项或几项。")
    with transaction() as session:
        officer = _in_service(session, staff_no)
        if role not in (None, Role.DIRECTOR):
            _check_director_left(session, officer)
        if role is Role.AUDITOR:
            _check_decides_nothing(session, officer)
        if changed.get("account_index"):
            _check_nobody_elses(session, officer, changed["account_index"])
        for field, value in changed.items():
            setattr(officer, field, value or None)
        which = {"fields": sorted(changed), **({} if role is None else {"role": role})}
        record(session, "officer:register:changed", None, by, clock.now(), staff_no=officer.staff_no, **which)


def new_code_secret(staff_no: str, by: str) -> str:
    """Give an officer a new secret for their codes, shown this once; codes of the old one hold no longer, at once.
    Raises ``InputError`` for nobody in service."""
    with transaction() as session:
        officer = _in_service(session, staff_no)
        officer.code_secret = pyotp.random_base32()
        record(session, "officer:secret:renewed", None, by, clock.now(), staff_no=officer.staff_no)
        return officer.code_secret


def deactivate_officer(staff_no: str, by: str) -> TakenOver:
    """Take an officer out of service, at once: who acts today on the cases that stand in their name, by the rule for
    officers who are away, and staff are told to hand them over.

    Raises ``InputError`` for nobody in service and for the only director.
    """
    with transaction() as session:
        now = clock.now()
        officer = _in_service(session, staff_no)
        _check_director_left(session, officer)
        officer.active = False
        session.flush()
        wanted = select(Case.case_no).where(Case.officer_no == officer.staff_no, Case.closed_at.is_(None))
        cases = tuple(session.scalars(wanted.order_by(Case.case_no)))
        record(session, "officer:register:deactivated", None, by, now, staff_no=officer.staff_no, open_cases=len(cases))
        if not cases:
            return TakenOver((), None)
        acting = acting_officer(session, officer.staff_no, clock.local_date(now))
        open_staff_task(
            session,
            f"officer-deactivated:{officer.staff_no}:{now.isoformat()}",
            None,
            f"工号{officer.staff_no}已停用，名下在办办件{len(cases)}件，现由工号{acting.staff_no}代办；"
            "请由负责人用“移交办件”交给在职人员",
            now,
        )
        return TakenOver(cases, acting.staff_no)


def officers_on_register() -> list[OnRegister]:
    """Everybody on the register, by staff number."""
    with reading() as session:
        counted = select(Case.officer_no, func.count()).where(Case.closed_at.is_(None)).group_by(Case.officer_no)
        open_cases = defaultdict(int, session.execute(counted).tuples().all())
        return [
            OnRegister(
                *(each.staff_no, each.name, each.role, each.email, each.active),
                open_cases=open_cases[each.staff_no],
                has_account=each.account_index is not None,
            )
            for each in session.scalars(select(Officer).order_by(Officer.staff_no))
        ]


def _in_service(session: Session, staff_no: str) -> Officer:
    officer = session.get(Officer, staff_no.strip().upper(), with_for_update=True)
    if officer is None or not officer.active:
        raise InputError(f"没有工号为{staff_no.strip().upper()}的在职工作人员，请用 ezt officer list 核对。")
    return officer


def _check_director_left(session: Session, but: Officer) -> None:
    """Somebody has to hear of missed limits and act for who has left."""
    others = select(Officer.staff_no).where(
        Officer.role == Role.DIRECTOR, Officer.active, Officer.staff_no != but.staff_no
    )
    # Two directors who leave at once would each see the other.
    if but.role is Role.DIRECTOR and not session.scalars(others.with_for_update()).all():
        raise InputError(f"工号{but.staff_no}是唯一的在职负责人，请先登记另一名负责人。")


def _check_decides_nothing(session: Session, officer: Officer) -> None:
    """An auditor may have no case, and stand in for nobody."""
    has = select(func.count()).where(Case.officer_no == officer.staff_no, Case.closed_at.is_(None))
    if session.scalar(has):
        raise InputError(f"工号{officer.staff_no}名下有在办办件，审计人员不能办理：请先移交给经办人。")
    stands_in = select(Leave.id).where(Leave.substitute_no == officer.staff_no, Leave.until_on >= clock.today())
    if session.scalar(stands_in.limit(1)) is not None:
        raise InputError(f"工号{officer.staff_no}是休假人员的代理人，审计人员不能办理：请先另行登记代理人。")


def _check_nobody_elses(session: Session, officer: Officer, index: str) -> None:
    others = select(Officer.staff_no).where(Officer.account_index == index, Officer.staff_no != officer.staff_no)
    whose = session.scalar(others)
    if whose is not None:
        raise InputError(f"该账号已登记在工号{whose}名下，请核对；确已换人的，先取消那一个。")


def _number(text: str) -> str:
    number = text.strip().upper()
    if not STAFF_NO.fullmatch(number):
        raise InputError("工号应为2至20个字母和数字，如KQ001，请更正。")
    return number


def _name(text: str) -> str:
    name = text.strip()
    if not (1 <= len(name) <= 60 and name.isprintable()):
        raise InputError("姓名应为1至60个字，请更正。")
    return name


def _email(text: str) -> str:
    try:
        return plain_address(text)
    except AddressError as why:
        raise InputError(f"邮箱{why}，请更正。") from None
