"""The articles hold on both kinds of database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import select

from ezt.samples import data as samples
from gateways import zheliban, zheliban_stand_in
from models.certificates import Certificate, CertificateType
from regulation.catalogue import state_on
from regulation.certificate_use import Operation
from regulation.certificates import CertificateState
from runtime import clock
from runtime.database import reading
from tasks.certificates.copies import issue_copy, recognise_copy
from tasks.certificates.holders import redeem
from tasks.certificates.journal import journal
from tasks.certificates.requests import (
    AuthenticationRequest,
    CopyRequest,
    ExtractionRequest,
    QueryRequest,
    RedemptionRequest,
    UseRequest,
)
from tasks.certificates.use import authenticate, carry_out, extract, query, standing_of
from tasks.office.applications import caller_of
from tests.conftest import FEW, forget_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind once."""
    kind: str = request.param
    return kind


@pytest.fixture
def on_day(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], datetime]:
    """Lets it be nine o'clock in Shanghai on a day, from then on; the instant."""

    def set_clock(day: date) -> datetime:
        instant = datetime.combine(day, time(9), clock.SHANGHAI).astimezone(UTC)
        monkeypatch.setattr(clock, "now", lambda: instant)
        return instant

    return set_clock


@dataclass
class Counter:
    """A department's counter that uses certificates: the interface's work and its record, without HTTP around them."""

    key: str = "KQ-SCJG"
    matter: dict[str, str] = field(
        default_factory=lambda: {
            "item": "330603-SCJG-001",
            "business_no": "SP-2026-000123",
            "operator": "SCJG-017",
            "purpose": "核对申请人的主体资格",
        }
    )

    def use(self, operation: Operation, work: Callable[..., Any], kind: type[UseRequest], **said: Any) -> Any:
        """What a use is answered, once it is on record; its refusal is raised."""
        standing_of.cache.clear()
        caller = caller_of.__wrapped__(self.key)
        assert caller is not None
        outcome = carry_out(operation, caller, kind(**self.matter | said), work, may_wait=True)
        journal().enter(None, outcome.entry).result()
        if outcome.refusal is not None:
            raise outcome.refusal
        return outcome.answer

    def query(self, **said: Any) -> Any:
        return self.use(Operation.QUERY, query, QueryRequest, **said)

    def authenticate(self, **said: Any) -> Any:
        work = recognise_copy if "copy_file" in said else authenticate
        return self.use(Operation.AUTHENTICATE, work, AuthenticationRequest, **said)

    def extract(self, **said: Any) -> Any:
        return self.use(Operation.EXTRACT, extract, ExtractionRequest, **said)

    def copy(self, **said: Any) -> Any:
        return self.use(Operation.COPY, issue_copy, CopyRequest, **said)

    def redeem(self, code: str, **said: Any) -> Any:
        return self.use(Operation.REDEEM, redeem, RedemptionRequest, code=code, **said)


@pytest.fixture
def counter(clerk: Any) -> Counter:
    """The counter of the market supervision over the sample data."""
    return Counter()


def valid(name: str) -> Certificate:
    """A certificate of this type that holds today."""
    with reading() as session:
        wanted = (
            select(Certificate)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.name == name)
            .order_by(Certificate.id)
        )
        return next(
            each
            for each in session.scalars(wanted)
            if state_on(clock.today(), each.state, each.valid_until_on) is CertificateState.VALID
        )


def of(held: Certificate, kind: str, **more: object) -> dict[str, Any]:
    """What a call says of a certificate: its type, its holder, its number."""
    return {"certificate_type": kind, "holder_number": held.holder_number, "certificate": held.number, **more}


@pytest.fixture
def signed_on(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[zheliban_stand_in.StandIn]:
    """A stand-in of 浙里办 that knows the sample's holders."""
    known = samples.persons(samples.DEFAULT_SEED, FEW.holders)
    with zheliban_stand_in.running(zheliban_stand_in.StandIn("ezt", "password", known)) as stand_in:
        monkeypatch.setenv("EZT_ZHELIBAN__URL", stand_in.url)
        monkeypatch.setenv("EZT_ZHELIBAN__SERVICE_CODE", "ezt")
        monkeypatch.setenv("EZT_ZHELIBAN__SERVICE_PASSWORD", "password")
        forget_settings()
        yield stand_in
        zheliban.close()
