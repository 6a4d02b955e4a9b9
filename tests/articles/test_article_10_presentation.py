"""第十条：符合应用场景且可以通过区电子证照系统核验的，持证主体可以通过移动端单独出示电子证照，向公共管理和服务机构工作人员表明
身份、资质等。"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateways.zheliban_stand_in import StandIn
from models.certificates import Certificate
from models.records import AuditEntry
from regulation.certificate_use import UseRefusedError
from regulation.certificates import CertificateState
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.certificates.holders import HolderRequest, PresentationRequest, present, uses_of_holder
from tasks.certificates.own import Doubt, doubt_use
from tests.articles.conftest import Counter, valid


def code_for(signed_on: StandIn, held: Certificate, **more: str) -> str:
    request = PresentationRequest(ticket=signed_on.issue(held.holder_number), certificate_type="身份证", **more)
    return present(request).code


def test_a_presented_certificate_shows_the_scenarios_fields_and_once_only(counter: Counter, signed_on: StandIn) -> None:
    card = valid("身份证")
    code = code_for(signed_on, card)
    shown = counter.redeem(code)
    assert {each.code for each in shown.fields} == {"holder", "holder_number", "address", "valid_until"}
    with pytest.raises(UseRefusedError, match="重新出示"):
        counter.redeem(code)


def test_a_code_lives_for_sixty_seconds(counter: Counter, signed_on: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    code, start = code_for(signed_on, valid("身份证")), clock.now()
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(seconds=61))
    with pytest.raises(UseRefusedError):
        counter.redeem(code)


def test_of_redemptions_at_the_same_time_one_succeeds(counter: Counter, signed_on: StandIn) -> None:
    code, start = code_for(signed_on, valid("身份证")), threading.Barrier(6)

    def redeemed(_: int) -> bool:
        start.wait()
        try:
            counter.redeem(code)
        except UseRefusedError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(redeemed, range(6))) == [False] * 5 + [True]


def test_where_the_list_does_not_say_so_a_certificate_is_not_presented_alone(
    counter: Counter, signed_on: StandIn
) -> None:
    code = code_for(signed_on, valid("身份证"))
    counter.matter = counter.matter | {"item": "330603-SCJG-002"}
    with pytest.raises(UseRefusedError, match="可以单独出示"):
        counter.redeem(code)


def test_what_does_not_hold_shows_nothing(counter: Counter, signed_on: StandIn) -> None:
    card = valid("身份证")
    with transaction() as session:
        session.get_one(Certificate, card.id).state = CertificateState.REVOKED
    with pytest.raises(UseRefusedError, match="不能出示"):
        code_for(signed_on, card)


def test_its_holder_reads_afterwards_who_has_seen_it(counter: Counter, signed_on: StandIn) -> None:
    card = valid("身份证")
    counter.redeem(code_for(signed_on, card))
    (use,) = uses_of_holder(HolderRequest(ticket=signed_on.issue(card.holder_number))).uses
    assert "查看了您出示的身份证上的姓名" in use.sentence
    with reading() as session:
        made = session.scalars(select(AuditEntry).where(AuditEntry.tag == "presentation:code:made")).one()
    assert (made.actor, made.holder_index) == ("holder", card.holder_index)


def test_a_second_doubt_about_the_same_use_is_not_swallowed(counter: Counter, signed_on: StandIn) -> None:
    card = valid("身份证")
    counter.redeem(code_for(signed_on, card))
    (use,) = uses_of_holder(HolderRequest(ticket=signed_on.issue(card.holder_number))).uses

    def doubted(doubt: Doubt) -> None:
        doubt_use(HolderRequest(ticket=signed_on.issue(card.holder_number)), use.record_no, doubt)

    doubted(Doubt.NOT_MINE)
    doubted(Doubt.NOT_MINE)
    with pytest.raises(RefusalError, match="已经反映过"):
        doubted(Doubt.TOO_MUCH)
