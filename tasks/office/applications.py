"""The programs that may call us: who they are, and their secrets, which change without an interruption."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from threading import Lock

from cachetools import TTLCache, cached
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.organisations import Application, ApplicationKind, ApplicationSecret, Department
from regulation.limits import CALLS_A_MINUTE, SECRET_OVERLAP, TRIAL_SECRET
from regulation.objections import Bureau
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError
from tasks.audit import record

KNOWN_FOR = 1.0
"""Seconds for which a process goes by what it read: so long a change may take to reach every process."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A registered application as requests are checked against it; ``secrets`` with the instants up to which they are
    good. ``trial_secrets`` are the Center's own; who signed with one of them is ``on_trial``."""

    key: str
    kind: ApplicationKind
    speaks_for: str
    secrets: tuple[tuple[str, datetime | None], ...]
    networks: tuple[IPv4Network | IPv6Network, ...]
    calls_a_minute: int
    trial_secrets: tuple[tuple[str, datetime | None], ...] = ()
    on_trial: bool = False

    def good_secrets(self, at: datetime) -> list[str]:
        return _good(self.secrets, at)

    def good_trial_secrets(self, at: datetime) -> list[str]:
        return _good(self.trial_secrets, at)

    def may_call_from(self, address: str) -> bool:
        """Whether the allow-list has this address; an empty one has all. It says where the department is, not where
        the Center tries from."""
        if not self.networks or self.on_trial:
            return True
        try:
            calling = ip_address(address)
        except ValueError:
            return False
        return any(calling in network for network in self.networks)


def _good(secrets: tuple[tuple[str, datetime | None], ...], at: datetime) -> list[str]:
    return [secret for secret, until_at in secrets if until_at is None or until_at > at]


@cached(TTLCache(maxsize=1000, ttl=KNOWN_FOR), lock=Lock())
def caller_of(key: str) -> Caller | None:
    """The active application with this key, as it was at most ``KNOWN_FOR`` seconds ago; ``None`` for any other."""
    with reading() as session:
        found = session.get(Application, key)
        if found is None or not found.active:
            return None
        wanted = select(ApplicationSecret).where(ApplicationSecret.key == key).order_by(ApplicationSecret.id.desc())
        every = session.scalars(wanted).all()
        return Caller(
            key,
            found.kind,
            found.speaks_for,
            tuple((each.secret, each.until_at) for each in every if not each.of_center),
            tuple(ip_network(network) for network in found.networks),
            found.calls_a_minute or CALLS_A_MINUTE.value,
            tuple((each.secret, each.until_at) for each in every if each.of_center),
        )


def register_application(key: str, kind: ApplicationKind, speaks_for: str, networks: list[str], by: str) -> str:
    """Register a department's or bureau's program; its secret, which is shown this once.

    Raises ``InputError`` for a key that is taken, a department or bureau that is not known, and what is no network.
    """
    if not (4 <= len(key) <= 40 and key.isascii() and key.replace("-", "").isalnum()):
        raise InputError("应用标识应为4至40个字母、数字和连字符，请更正。")
    allowed = [str(_network(network)) for network in networks]
    with transaction() as session:
        if session.get(Application, key) is not None:
            raise InputError(f"应用{key}已登记，请换一个标识，或用 ezt application rotate 更换密钥。")
        known = select(Department.name).where(Department.name == speaks_for)
        if kind is ApplicationKind.DEPARTMENT and session.scalar(known) is None:
            raise InputError(f"没有名为“{speaks_for}”的部门，请核对全称。")
        if kind is ApplicationKind.BUREAU and speaks_for not in list(Bureau):
            raise InputError(f"上级只能是{'、'.join(Bureau)}之一，请更正。")
        session.add(Application(key=key, kind=kind, speaks_for=speaks_for, networks=allowed))
        session.flush()
        record(session, "application:key:registered", None, by, clock.now(), key=key, speaks_for=speaks_for)
        return _new_secret(session, key, clock.now())


@dataclass(frozen=True, slots=True)
class Registered:
    """An application as it stands in the register; ``networks`` empty: from anywhere."""

    key: str
    kind: ApplicationKind
    speaks_for: str
    active: bool
    self_service: bool
    networks: list[str]


def applications_on_register() -> list[Registered]:
    """All of them by key, those that have ended too."""
    with reading() as session:
        return [
            Registered(each.key, each.kind, each.speaks_for, each.active, each.self_service, each.networks)
            for each in session.scalars(select(Application).order_by(Application.key))
        ]


def change_networks(key: str, networks: list[str], by: str) -> list[str]:
    """Let an application call from these networks only, from anywhere where there are none; the networks as they are
    kept. Raises ``InputError`` for an unknown one and what is no network."""
    allowed = [str(_network(network)) for network in networks]
    with transaction() as session:
        application = session.get(Application, key, with_for_update=True)
        if application is None:
            raise InputError(f"没有登记应用{key}，请核对。")
        record(
            session,
            "application:networks:changed",
            None,
            by,
            clock.now(),
            key=key,
            before=application.networks,
            networks=allowed,
        )
        application.networks = allowed
    return allowed


def rotate_secret(key: str, by: str, overlap: timedelta = timedelta(days=SECRET_OVERLAP.value)) -> str:
    """Give an application a new secret; the old ones hold until ``overlap`` has passed. Raises ``InputError``."""
    now = clock.now()
    with transaction() as session:
        if session.get(Application, key, with_for_update=True) is None:
            raise InputError(f"没有登记应用{key}，请核对。")
        lasting = (ApplicationSecret.until_at.is_(None)) | (ApplicationSecret.until_at > now + overlap)
        ending = update(ApplicationSecret).where(ApplicationSecret.key == key, lasting)
        session.execute(ending.values(until_at=now + overlap))
        record(session, "application:secret:rotated", None, by, now, key=key, until=(now + overlap).isoformat())
        return _new_secret(session, key, now)


def end_application(key: str, by: str) -> None:
    """Let an application call no more, at once. Raises ``InputError`` for an unknown one."""
    with transaction() as session:
        application = session.get(Application, key, with_for_update=True)
        if application is None:
            raise InputError(f"没有登记应用{key}，请核对。")
        application.active = False
        record(session, "application:key:ended", None, by, clock.now(), key=key)


def mark_self_service(key: str, self_service: bool, by: str) -> None:
    """Note whether holders serve themselves by an application. Raises ``InputError`` for an unknown one."""
    with transaction() as session:
        application = session.get(Application, key, with_for_update=True)
        if application is None:
            raise InputError(f"没有登记应用{key}，请核对。")
        application.self_service = self_service
        record(session, "application:key:self-service", None, by, clock.now(), key=key, self_service=self_service)


def lend_trial_secret(session: Session, key: str, at: datetime) -> str:
    """A secret of the Center's own for an application, good for ``TRIAL_SECRET`` seconds: with it the Center tries the
    interface as the application, and opens trial holders' certificates only. One from before it ends."""
    end_trial_secrets(session, key)
    until_at = at + timedelta(seconds=TRIAL_SECRET.value)
    record(session, "application:trial-secret:lent", None, "system", at, key=key, until=until_at.isoformat())
    return _new_secret(session, key, at, until_at, of_center=True)


def end_trial_secrets(session: Session, key: str) -> None:
    """Let the Center's own secrets of an application hold no longer."""
    session.execute(delete(ApplicationSecret).where(ApplicationSecret.key == key, ApplicationSecret.of_center))


def _new_secret(
    session: Session, key: str, at: datetime, until_at: datetime | None = None, *, of_center: bool = False
) -> str:
    secret = secrets.token_hex(32)
    session.add(ApplicationSecret(key=key, secret=secret, from_at=at, until_at=until_at, of_center=of_center))
    return secret


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise InputError(f"“{text}”不是网段，应如10.12.0.0/16，只许一台的如10.12.3.4/32，请更正。") from None
    address, _, mask = text.strip().partition("/")
    if not mask and int(network.network_address) % 256 == 0:
        # Read as the one machine that nobody has, it would let nobody in.
        raise InputError(
            f"“{text}”没有写掩码：整个网段应如{address}/16，只许这一台的写{address}/{network.max_prefixlen}。"
        )
    if network.network_address != ip_address(address):
        raise InputError(f"“{text}”不是网段的起始地址：整个网段写{network}，只许这一台的写{address}。")
    return network
